"""acrf.pdf of the bundled studies, read by pypdf and held against the dictionary and the mapping."""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import pytest
from pypdf import PdfReader
from pypdf.generic import Destination

from metadata.field_use import FormUses
from metadata.labels import plain_label
from metadata.project import Project
from metadata.study import Study
from metadata.terminology import Terminology
from publish.crf.annotations import NOT_SUBMITTED, annotate
from publish.crf.document import render
from sdtm.build.field_uses import form_uses
from sdtm.build.study_mapping import StudyMapping, read_mapping
from tests.bundled_studies import OF_RECORDS

ANNOTATIONS = "/Annots"


@dataclass(frozen=True)
class Crf:
    mapping: StudyMapping
    uses: FormUses
    content: bytes
    pages: dict[tuple[str, str, str], list[int]]
    reader: PdfReader
    start: dict[str, int]
    texts: list[str]

    @property
    def project(self) -> Project:
        return self.mapping.project

    def of_form(self, form: str) -> range:
        """Pages of a form, counted from 0."""
        later = [page for page in self.start.values() if page > self.start[form]]
        return range(self.start[form], min(later, default=len(self.texts)))

    def annotations(self, page: int) -> list[str]:
        found = [one.get_object() for one in self.reader.pages[page].get(ANNOTATIONS, [])]
        return [str(one["/Contents"]) for one in found if one["/Subtype"] == "/FreeText"]


def drawn(name: str) -> Crf:
    study = Study.open(name)
    mapping = read_mapping(study, study.project(), Terminology.open(study))
    uses = form_uses(mapping)
    content, pages = render(study, mapping.project, uses)
    reader = PdfReader(io.BytesIO(content))
    reached = [page for _, page in tree(reader)["Forms"] if isinstance(page, int)]
    start = dict(zip(mapping.project.dictionary.forms, reached, strict=True))
    texts = [re.sub(r"\s+", " ", page.extract_text()) for page in reader.pages]
    return Crf(mapping, uses, content, pages, reader, start, texts)


@pytest.fixture(scope="session", params=OF_RECORDS)
def crf(request: pytest.FixtureRequest) -> Crf:
    return drawn(request.param)


def test_each_label_of_each_form_is_there_once(crf: Crf) -> None:
    for form in crf.project.dictionary.forms:
        text = " ".join(crf.texts[page] for page in crf.of_form(form))
        labels = Counter(
            plain_label(field.label) for field in crf.project.dictionary.form_fields(form) if plain_label(field.label)
        )
        for label in sorted(labels, key=len, reverse=True):
            spaced = re.escape(label).replace(r"\ ", r"\s*")  # a line ends where a long label is broken
            assert len(re.findall(spaced, text)) >= labels[label], (form, label)
            text = re.sub(spaced, "", text, count=labels[label])
            if len(label) > 20:
                assert label not in text, (form, label)


def test_choices_notes_and_names_are_there(crf: Crf) -> None:
    for form in crf.project.dictionary.forms:
        text = "".join(crf.texts[page] for page in crf.of_form(form)).replace(" ", "")
        for field in crf.project.dictionary.form_fields(form):
            shown = [field.name, plain_label(field.field_note), *(f"[{code}]" for code in field.choices)]
            shown += [plain_label(label) for label in field.choices.values()]
            assert [one for one in shown if one.replace(" ", "") not in text] == [], (form, field.name)
            assert not field.is_required or "*mustprovidevalue" in text


def test_each_field_is_annotated_or_declared_not_submitted(crf: Crf) -> None:
    made = annotate(crf.uses)
    mapped = set(crf.mapping.fields)
    for field in crf.project.dictionary.fields.values():
        texts = [one.text for one in made.get(field.name, ())]
        assert texts, field.name
        assert (texts == [NOT_SUBMITTED]) == (field.name not in mapped), field.name
        on_form = [text for page in crf.of_form(field.form) for text in crf.annotations(page)]
        assert not set(texts) - set(on_form), field.name


def test_annotations_are_as_many_as_the_model_says(crf: Crf) -> None:
    made = annotate(crf.uses)
    for form in crf.project.dictionary.forms:
        names = [*(field.name for field in crf.project.dictionary.form_fields(form)), f"{form}_complete"]
        wanted = Counter(one.text for name in names for one in made.get(name, ()))
        found = Counter(text for page in crf.of_form(form) for text in crf.annotations(page))
        domains = {one.domain for name in names for one in made.get(name, ())} - {""}
        headers = Counter(f"{domain} = {crf.uses.labels[domain]}" for domain in domains)
        assert found == wanted + headers, form


def test_pages_lead_to_annotations_that_name_the_variable(crf: Crf) -> None:
    assert crf.pages
    for (dataset, variable, topic), pages in crf.pages.items():
        for page in pages:
            texts = crf.annotations(page - 1)
            supplemental = dataset.startswith("SUPP")
            wanted = [topic or dataset, dataset] if supplemental else [variable or dataset, topic]
            assert any(all(part in text for part in wanted) for text in texts), (dataset, variable, topic, page)


def test_annotations_cover_no_text_of_the_form_and_not_one_another(crf: Crf) -> None:
    for number, page in enumerate(crf.reader.pages):
        found = [one.get_object() for one in page.get(ANNOTATIONS, [])]
        boxes = sorted(tuple(map(float, one["/Rect"])) for one in found if one["/Subtype"] == "/FreeText")
        right = max((x for x in _ends(page)), default=0.0)
        for left, bottom, end, top in boxes:
            assert left >= right and end <= float(page.mediabox.right) and bottom > 40 and top > bottom, (number, left)
        by_top = sorted(boxes, key=lambda box: -box[3])
        for upper, lower in pairwise(by_top):
            assert upper[1] >= lower[3] - 0.01, (number, upper, lower)


def _ends(page: object) -> list[float]:
    """Left edges of the texts of the form, below the header."""
    found: list[float] = []

    def visit(text: str, matrix: list[float], place: list[float], *_: object) -> None:
        if text.strip() and 40 < place[5] < 800:
            found.append(place[4])

    page.extract_text(visitor_text=visit)  # type: ignore[attr-defined]
    return found


def test_bookmarks_reach_each_form_by_visit_and_by_name(crf: Crf) -> None:
    made = tree(crf.reader)
    titles = {str(one["instrument_name"]): plain_label(str(one["instrument_label"])) for one in crf.project.instruments}
    by_name = [(titles[form], crf.start[form]) for form in crf.project.dictionary.forms]
    assert made["Forms"] == by_name
    by_visit = made["Forms by visit"]
    visits = [label for label, page in by_visit if isinstance(page, list)]
    planned = [visit.visit for visit in crf.mapping.study.visits]
    assert [label for label in visits if label in planned] == [label for label in planned if label in visits]
    reached = {one for _, forms in by_visit if isinstance(forms, list) for one in forms}
    with_place = {form for form in crf.project.dictionary.forms if _has_place(crf, form)}
    assert reached == {(titles[form], crf.start[form]) for form in with_place}


def _has_place(crf: Crf, form: str) -> bool:
    if crf.project.longitudinal:
        return any(crf.project.designated(event, form) for event in crf.project.event_names)
    return form in crf.mapping.study.visit_of_form


def tree(reader: PdfReader) -> dict[str, list[tuple[str, object]]]:
    """Return what is below each first bookmark: title and page, or title and what is below it."""
    made: dict[str, list[tuple[str, object]]] = {}
    for entry, following in zip(reader.outline, [*reader.outline[1:], None], strict=True):
        if isinstance(entry, Destination):
            made[str(entry.title)] = _branch(following, reader) if isinstance(following, list) else []
    return made


def _branch(entries: list[object], reader: PdfReader) -> list[tuple[str, object]]:
    made: list[tuple[str, object]] = []
    for entry, following in zip(entries, [*entries[1:], None], strict=True):
        if isinstance(entry, Destination):
            below = _branch(following, reader) if isinstance(following, list) else None
            made.append((str(entry.title), below or reader.get_destination_page_number(entry)))
    return made


def test_it_says_that_the_data_are_synthetic_and_has_no_clock(crf: Crf) -> None:
    assert all(crf.mapping.study.notice in text for text in crf.texts)
    information = crf.reader.metadata
    assert information is not None and "2000" in str(information.creation_date_raw)
    assert render(crf.mapping.study, crf.project, crf.uses)[0] == crf.content


def test_nothing_is_run_and_all_fonts_of_the_form_are_embedded(crf: Crf) -> None:
    assert not crf.reader.is_encrypted
    assert b"/JavaScript" not in crf.content and b"/Launch" not in crf.content
    for page in crf.reader.pages:
        fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]
        used = [font for font in fonts if font["/Subtype"] == "/TrueType"]
        assert used and all("/FontFile2" in font["/FontDescriptor"] for font in used)
