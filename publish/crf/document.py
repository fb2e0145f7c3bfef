"""acrf.pdf: each form of a project once, annotated, with bookmarks by visit and by form, and a list of the forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from metadata.field_use import FormUses
from metadata.labels import plain_label
from metadata.project import Project
from metadata.study import Study
from publish.crf.annotations import Annotation, CrfPages, Key, annotate
from publish.crf.pages import LEFT, PAGE_HEIGHT, PAGE_WIDTH, TOP, Box, FormPage, pages_of
from publish.crf.rows import BLACK, BLUE, FORM_WIDTH, GREY, RED, FormRow, Line, rows_of
from publish.crf.unshown import sentence, unshown_fields
from publish.disk import write_bytes
from publish.pdf.fonts import BOLD, REGULAR, register, width, wrapped

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

FILE = "acrf.pdf"
LIST = " list"  # no form has a name with a blank
TITLE = "Annotated Case Report Form"
COLOURS = (
    (0.75, 1.0, 1.0),
    (1.0, 1.0, 0.59),
    (0.59, 1.0, 0.59),
    (1.0, 0.75, 0.61),
    (0.87, 0.80, 1.0),
    (1.0, 0.80, 0.90),
    (0.85, 0.90, 0.75),
    (0.80, 0.86, 1.0),
)
"""Colours of the domains of a form in their order: blue, yellow, green, orange as SDTM-MSG 2.0 has them, and others."""
NO_DOMAIN = (0.92, 0.92, 0.92)
PRINTED = 4  # the flag of an annotation that is printed (ISO 32000-1, 12.5.3)
LISTED, LINE = 48, 13.0
"""Forms on a page of the list, and the height of a line of it in points."""
EXPLAINED = (
    "A frame next to a field says what becomes of it: VARIABLE when CODE = TEST, QUALIFIER in SUPPLEMENTAL DATASET,"
    " [NOT SUBMITTED]. Each domain has its own colour on a form and is named at the top of it. A dashed frame says when"
    " there is a value. The number in brackets after a choice is its code."
)


@dataclass(frozen=True)
class CrfForm:
    """A form with its title, the places where it is filled in (name, label), and its pages."""

    name: str
    title: str
    places: tuple[tuple[str, str], ...]
    domains: tuple[str, ...]
    pages: tuple[FormPage, ...]


def write(study: Study, project: Project, uses: FormUses, folder: Path) -> CrfPages:
    """Write the annotated CRF; return the pages of each variable (of each test or qualifier).

    The bytes are the same for the same project and mapping. Raises OutsideError.
    """
    content, pages = render(study, project, uses)
    write_bytes(folder / FILE, content)
    return pages


def render(study: Study, project: Project, uses: FormUses) -> tuple[bytes, CrfPages]:
    """Return the annotated CRF and the pages, counted from 1, on which each variable is annotated."""
    register()
    made = annotate(uses)
    forms = [_form(study, project, uses, made, form) for form in _own_forms(project)]
    before = -(-len(forms) // LISTED)
    starts, number = {}, before + 1
    for form in forms:
        starts[form.name] = number
        number += len(form.pages)
    pages: dict[Key, list[int]] = {}
    for form in forms:
        for place, page in enumerate(form.pages):
            for key in page.keys:
                pages.setdefault(key, []).append(starts[form.name] + place)
    return _Drawing(study, project, forms, starts, number - 1).content(), pages


def _own_forms(project: Project) -> list[str]:
    """Return the forms that are filled in: files beside REDCap are none."""
    return [form for form in project.dictionary.forms if form not in project.sources]


def _form(
    study: Study, project: Project, uses: FormUses, made: Mapping[str, Sequence[Annotation]], name: str
) -> CrfForm:
    titles = {str(one["instrument_name"]): plain_label(str(one["instrument_label"])) for one in project.instruments}
    title = titles.get(name, name)
    rows = rows_of(project.dictionary, name, made)
    domains = dict.fromkeys(one.domain for row in rows for one in row.annotations if one.domain)
    labels = {domain: uses.labels[domain] for domain in domains}
    places = _places(study, project, name)
    pages = pages_of(name, title, _about(project, name, places), rows, labels)
    return CrfForm(name, title, places, tuple(domains), tuple(pages))


def _places(study: Study, project: Project, form: str) -> tuple[tuple[str, str], ...]:
    """Return the events of a form, or in a classic project the visit that study.yaml gives it, each with a label."""
    visits = study.visit_events
    if not project.longitudinal:
        event = study.visit_of_form.get(form)
        return ((event, visits[event].visit),) if event else ()
    labels = {str(one["unique_event_name"]): plain_label(str(one["event_name"])) for one in project.events}
    events = [event for event in project.event_names if project.designated(event, form)]
    return tuple((event, visits[event].visit if event in visits else labels[event]) for event in events)


def _about(project: Project, form: str, places: Sequence[tuple[str, str]]) -> list[str]:
    sentences = [f"Form {form}"]
    sentences += [f"Filled in at: {', '.join(label for _, label in places)}"] if places else []
    events = [event for event in project.event_names if project.repeats(event, form)]
    if events:
        sentences.append("Repeating form: one instance a record of it")
    if any(project.event_repeats(event) for event, _ in places):
        sentences.append("Filled in again at each repetition of a repeating event")
    return sentences


@dataclass(frozen=True)
class Bookmark:
    """A bookmark to the first page of a form, or to the list of the forms; ``level`` is 0 for the outermost."""

    title: str
    place: str
    level: int
    is_closed: bool = False


class _Drawing:
    """Draws the pages in their order."""

    def __init__(
        self, study: Study, project: Project, forms: Sequence[CrfForm], starts: Mapping[str, int], last: int
    ) -> None:
        from io import BytesIO

        from reportlab.pdfgen.canvas import Canvas

        self.study, self.project, self.forms, self.starts, self.last = study, project, forms, starts, last
        self.events = project.event_names
        self.bookmarks = self._bookmarks()
        self.stream = BytesIO()
        self.canvas: Canvas = Canvas(self.stream, (PAGE_WIDTH, PAGE_HEIGHT), invariant=1, pageCompression=1, lang="en")
        self.canvas.setTitle(f"{study.studyid}: {TITLE}")
        self.canvas.setSubject(study.notice or TITLE)
        self.number = 0
        self.appearances: dict[object, str] = {}

    def content(self) -> bytes:
        """Draw all and return the document."""
        self._list()
        for form in self.forms:
            for place, page in enumerate(form.pages):
                self._page(form, page, place)
        for number, bookmark in enumerate(self.bookmarks):
            self.canvas.addOutlineEntry(bookmark.title, f"bookmark {number}", bookmark.level, bookmark.is_closed)
        self.canvas.showOutline()
        self.canvas.save()
        return self.stream.getvalue()

    def _text(self, x: float, y: float, text: str, font: str, size: float, colour: Sequence[float] = BLACK) -> None:
        self.canvas.setFillColorRGB(*colour)
        self.canvas.setFont(font, size)
        self.canvas.drawString(x, y, text)

    def _start(self) -> None:
        """Write header and footer of a page."""
        self.number += 1
        self._text(LEFT, PAGE_HEIGHT - 30, f"{self.study.studyid}  {TITLE}", REGULAR, 7, GREY)
        if self.study.notice:
            self._right(PAGE_HEIGHT - 30, self.study.notice, RED)
        self._right(24, f"Page {self.number} of {self.last}", GREY)
        self.canvas.setStrokeColorRGB(*GREY)
        self.canvas.setLineWidth(0.4)
        self.canvas.line(LEFT, PAGE_HEIGHT - 36, PAGE_WIDTH - 20, PAGE_HEIGHT - 36)

    def _right(self, y: float, text: str, colour: Sequence[float]) -> None:
        self._text(PAGE_WIDTH - 20 - width(text, REGULAR, 7), y, text, REGULAR, 7, colour)

    def _list(self) -> None:
        """Draw the list of the forms with links to them, on as many pages as it takes."""
        for start in range(0, len(self.forms), LISTED):
            self._start()
            if start == 0:
                self._mark(LIST)
                self._text(LEFT, TOP, TITLE, BOLD, 15)
            y = TOP - 18
            for text in _explained(self.study, self.project) if start == 0 else ():
                self._text(LEFT, y, text, REGULAR, 7.5, GREY)
                y -= 10
            y -= 12
            for form in self.forms[start : start + LISTED]:
                self._listed(form, y)
                y -= LINE
            self.canvas.showPage()

    def _listed(self, form: CrfForm, y: float) -> None:
        page = self.starts[form.name]
        self._text(LEFT, y, form.title, REGULAR, 8.5, BLUE)
        self._text(300, y, ", ".join(form.domains), REGULAR, 7.5, GREY)
        self._text(540, y, str(page), REGULAR, 8.5)
        self.canvas.linkRect("", form.name, (LEFT, y - 2, 560, y + 9), Border="[0 0 0]")

    def _page(self, form: CrfForm, page: FormPage, place: int) -> None:
        self._start()
        if place == 0:
            self._mark(form.name)
        more = " (continued)" if place else ""
        self._text(LEFT, TOP - 8, f"{page.title}{more}", BOLD, 11)
        for number, line in enumerate(page.about, start=1):
            self._text(LEFT, TOP - 10 - 10 * number, line, REGULAR, 7, GREY)
        for one in page.placed:
            self._row(one.row, one.top, one.height)
        colours = dict(zip(form.domains, cycle(COLOURS), strict=False))
        for box in page.boxes:
            self._annotation(box, colours.get(box.domain, NO_DOMAIN))
        self.canvas.showPage()

    def _row(self, row: FormRow, top: float, height: float) -> None:
        canvas = self.canvas
        if row.is_header:
            canvas.setFillColorRGB(0.86, 0.89, 0.93)
            canvas.rect(LEFT, top - height + 1, FORM_WIDTH, height - 2, stroke=0, fill=1)
        canvas.setStrokeColorRGB(0.82, 0.82, 0.82)
        canvas.setLineWidth(0.3)
        canvas.line(LEFT, top - height, LEFT + FORM_WIDTH, top - height)
        for column in row.columns:
            y = top - 3.0
            for line in column.lines:
                self._line(line, LEFT + column.left, y, column.width)
                y -= line.height

    def _line(self, line: Line, x: float, top: float, room: float) -> None:
        canvas, base = self.canvas, top - line.size
        canvas.setStrokeColorRGB(*GREY)
        canvas.setLineWidth(0.6)
        indent = 0.0
        middle = x + room / 2 if line.is_centred else x + 4
        match line.mark:
            case "radio":
                canvas.circle(middle, base + 2.6, 2.6)
                indent = 10
            case "box":
                canvas.rect(middle - 2.6, base, 5.2, 5.2)
                indent = 10
            case "indent":
                indent = 10
            case "input":
                canvas.rect(x, top - 11, room, 11)
                indent, base = 4, top - 8
            case "area":
                canvas.rect(x, top - 28, room, 28)
            case "slider":
                canvas.line(x, base + 3, x + room, base + 3)
                canvas.circle(x + room / 2, base + 3, 2.6)
        if line.text:
            start = x + (room - width(line.text, line.font, line.size)) / 2 if line.is_centred else x + indent
            self._text(start, base, line.text, line.font, line.size, line.colour)

    def _annotation(self, box: Box, colour: Sequence[float]) -> None:
        """Add a text annotation with its appearance, which is what viewers and printers show."""
        from reportlab.pdfbase.pdfdoc import (
            PDFArray,
            PDFDictionary,
            PDFName,
            PDFObjectReference,
            PDFString,
            xObjectName,
        )

        looks = (box.lines, box.size, box.is_note, tuple(colour))
        if looks not in self.appearances:
            self.appearances[looks] = f"A{len(self.appearances)}"
            self._appearance(self.appearances[looks], box, colour)
        self.canvas.freeTextAnnotation(
            box.text,
            PDFString(f"0 g /Helv {box.size:g} Tf"),
            (box.left, box.bottom, box.right, box.top),
            F=PRINTED,
            C=PDFArray(list(colour)),
            BS=PDFDictionary({"W": 1, "S": PDFName("D" if box.is_note else "S")}),
            AP=PDFDictionary({"N": PDFObjectReference(xObjectName(self.appearances[looks]))}),
        )

    def _appearance(self, name: str, box: Box, colour: Sequence[float]) -> None:
        """Draw the box and its text once as a PDF form object, whose origin is the lower left corner of the box."""
        canvas, wide, high = self.canvas, box.right - box.left, box.top - box.bottom
        canvas.beginForm(name, 0, 0, wide, high)
        canvas.setFillColorRGB(*colour)
        canvas.setStrokeColorRGB(*BLACK)
        canvas.setLineWidth(0.8 if box.is_domain else 0.5)
        if box.is_note:
            canvas.setDash(2, 1.5)
        canvas.rect(0.4, 0.4, wide - 0.8, high - 0.8, stroke=1, fill=1)
        for number, text in enumerate(box.lines, start=1):
            self._text(4, high + 0.5 - number * (box.size + 1.5), text, BOLD if box.is_domain else REGULAR, box.size)
        canvas.endForm()

    def _bookmarks(self) -> list[Bookmark]:
        """Return the bookmarks: forms by visit, in the order of the visits, and all forms."""
        made = [Bookmark("List of forms", LIST, 0)]
        visits = self._by_visit()
        made += [Bookmark("Forms by visit", LIST, 0)] if visits else []
        for label, forms in visits.items():
            made.append(Bookmark(label, forms[0].name, 1, is_closed=True))
            made += [Bookmark(form.title, form.name, 2) for form in forms]
        return [*made, Bookmark("Forms", LIST, 0), *(Bookmark(form.title, form.name, 1) for form in self.forms)]

    def _mark(self, place: str) -> None:
        """Make this page a place, with a name for each of its bookmarks: reportlab gives a name one bookmark."""
        self.canvas.bookmarkPage(place)
        for number, bookmark in enumerate(self.bookmarks):
            if bookmark.place == place:
                self.canvas.bookmarkPage(f"bookmark {number}")

    def _by_visit(self) -> dict[str, list[CrfForm]]:
        """Return the forms of each visit or other event, in the order of these."""
        events = dict.fromkeys([*self.events, *self.study.visit_events])
        found = {event: [form for form in self.forms if event in dict(form.places)] for event in events}
        return {dict(forms[0].places)[event]: forms for event, forms in found.items() if forms}


def _explained(study: Study, project: Project) -> list[str]:
    title = study.declared.study.title
    notice = [f"{study.notice}."] if study.notice else []
    shown = filter(None, (title, *notice, EXPLAINED, sentence(unshown_fields(project))))
    return [part for text in shown for part in wrapped(text, REGULAR, 7.5, PAGE_WIDTH - LEFT - 40)]
