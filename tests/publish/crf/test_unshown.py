"""Letters that the font of the PDF documents lacks are not left out in silence."""

from __future__ import annotations

import io

from pypdf import PdfReader

from flows.stage_summaries import of_crf
from metadata.project import Project
from publish.crf.unshown import sentence, unshown_fields
from publish.guides.content import Heading, Paragraph
from publish.guides.layout import layout
from publish.pdf.fonts import unshown


def project(*labels: str, choices: str = "") -> Project:
    kind = {"field_type": "radio" if choices else "text", "select_choices_or_calculations": choices}
    fields = [
        {"field_name": f"f{at}", "form_name": "visit", "field_label": label, **kind}
        for at, label in enumerate(labels)
    ]  # fmt: skip
    titles = [{"instrument_name": "visit", "instrument_label": "Визит"}]
    return Project.from_payloads({"dictionary": fields, "project_info": {"is_longitudinal": 0}, "instruments": titles})


def test_letters_of_europe_are_shown_and_others_are_named() -> None:
    assert unshown(["Größe, señal, żółć", "Ω", "Пол", "Ηλικία", "a\nb\t"]) == ""
    assert unshown(["性別", "別 sex"]) == "別性"


def test_fields_are_named_by_label_or_choice() -> None:
    assert unshown_fields(project("Alter", "性別", "Größe")) == ["f1"]
    assert unshown_fields(project("Sex", choices="1, 男 | 2, 女")) == ["f0"]
    assert unshown_fields(project("Sex", "Age")) == []
    assert sentence([]) == ""
    assert "visit, f1." in sentence(["visit", "f1"])
    assert sentence([f"f{at}" for at in range(13)]).endswith("f9 and 3 more.")


def test_a_guide_says_which_letters_show_as_boxes() -> None:
    blocks = [Heading("1 First", 1), Paragraph("性別")]
    first = PdfReader(io.BytesIO(layout("Title", "S-1", "Trial", "", blocks))).pages[0].extract_text()
    assert "U+5225, U+6027" in " ".join(first.split())
    plain = PdfReader(io.BytesIO(layout("Title", "S-1", "Trial", "", blocks[:1]))).pages[0].extract_text()
    assert "boxes" not in plain


def test_the_run_says_so() -> None:
    assert of_crf({}, ["f1"]).endswith("letters that its font lacks: f1")
    assert "letters" not in of_crf({})
