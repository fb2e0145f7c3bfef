"""What a form shows, row by row: section headers, fields with their input, matrices, and the form's status."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from metadata.dictionary import Dictionary, Field
from metadata.labels import plain_label
from publish.crf.annotations import Annotation
from publish.crf.logic import in_words
from publish.pdf.fonts import BOLD, REGULAR, wrapped

LABEL_WIDTH, INPUT_WIDTH, GAP = 146.0, 158.0, 6.0
FORM_WIDTH = LABEL_WIDTH + GAP + INPUT_WIDTH
SIZE, SMALL = 7.5, 6.0
BLACK, GREY, RED, BLUE = (0.0, 0.0, 0.0), (0.4, 0.4, 0.4), (0.7, 0.0, 0.0), (0.15, 0.25, 0.45)
MARK_WIDTH = 10.0
MATRIX_LABEL, MOST_COLUMNS = 130.0, 9
MARKS = {"radio": "radio", "yesno": "radio", "truefalse": "radio", "checkbox": "box"}
INPUTS = {
    "dropdown": "Choose one",
    "calc": "Calculated",
    "file": "Upload file",
    "sql": "Choose one, from a list of the project",
}
STATUS_CHOICES = ("Incomplete", "Unverified", "Complete")
DATES = {"dmy": "D-M-Y", "mdy": "M-D-Y", "ymd": "Y-M-D"}
TIMES = {"time": "H:M", "time_hh_mm_ss": "H:M:S", "time_mm_ss": "M:S"}


@dataclass(frozen=True)
class Line:
    """One line of a column: a text, with a mark in front of it (radio, box) or drawn instead of it (input, area).

    ``option`` is the code of the choice that the line shows.
    """

    text: str = ""
    font: str = REGULAR
    size: float = SIZE
    colour: tuple[float, float, float] = BLACK
    mark: str = ""
    option: str = ""
    is_centred: bool = False

    @property
    def height(self) -> float:
        """Height in points."""
        return {"input": 13.0, "area": 30.0}.get(self.mark, self.size + 2.2)


@dataclass(frozen=True)
class FormColumn:
    """Lines below one another, from ``left`` of the form's edge, in points."""

    left: float
    width: float
    lines: tuple[Line, ...]

    @property
    def height(self) -> float:
        """Height of all lines in points."""
        return sum(line.height for line in self.lines)


@dataclass(frozen=True)
class FormRow:
    """One row of a form, its columns side by side, with the annotations of its field."""

    columns: tuple[FormColumn, ...]
    annotations: tuple[Annotation, ...] = ()
    is_header: bool = False


def rows_of(dictionary: Dictionary, form: str, annotations: Mapping[str, Sequence[Annotation]]) -> list[FormRow]:
    """Return the rows of a form in the order of the dictionary, its status last."""
    made: list[FormRow] = []
    for group, members in groupby(dictionary.form_fields(form), key=lambda field: field.matrix_group_name):
        fields = list(members)
        codes = {tuple(field.choices) for field in fields}
        as_matrix = bool(group) and len(codes) == 1 and 0 < len(next(iter(codes))) <= MOST_COLUMNS
        for number, field in enumerate(fields):
            if field.section_header:
                made.append(_header(plain_label(field.section_header)))
            found = tuple(annotations.get(field.name, ()))
            if as_matrix:
                made += [_matrix_header(field)] if number == 0 or field.section_header else []
                made.append(_matrix_row(field, dictionary, found))
            else:
                made.append(_row(field, dictionary, found))
    made.append(_header("Form Status"))
    made.append(_status(tuple(annotations.get(f"{form}_complete", ()))))
    return made


def _header(text: str) -> FormRow:
    lines = tuple(Line(part, BOLD, 8.0) for part in wrapped(text, BOLD, 8.0, FORM_WIDTH - 8))
    return FormRow((FormColumn(4, FORM_WIDTH - 8, lines),), is_header=True)


def _row(field: Field, dictionary: Dictionary, annotations: tuple[Annotation, ...]) -> FormRow:
    if field.type == "descriptive":
        lines = (*_texts(field.label, FORM_WIDTH), *_about(field, dictionary, FORM_WIDTH))
        return FormRow((FormColumn(0, FORM_WIDTH, lines),), annotations)
    label = (*_texts(field.label, LABEL_WIDTH), *_about(field, dictionary, LABEL_WIDTH))
    note = _texts(field.field_note, INPUT_WIDTH, GREY, SMALL) if field.field_note else ()
    own = (*_input(field), *note)
    return FormRow((FormColumn(0, LABEL_WIDTH, label), FormColumn(LABEL_WIDTH + GAP, INPUT_WIDTH, own)), annotations)


def _status(annotations: tuple[Annotation, ...]) -> FormRow:
    shown = tuple(_choices(dict(zip(("0", "1", "2"), STATUS_CHOICES, strict=True)), "radio"))
    label = _texts("Complete?", LABEL_WIDTH)
    return FormRow((FormColumn(0, LABEL_WIDTH, label), FormColumn(LABEL_WIDTH + GAP, INPUT_WIDTH, shown)), annotations)


def _texts(label: str, room: float, colour: tuple[float, float, float] = BLACK, size: float = SIZE) -> tuple[Line, ...]:
    return tuple(Line(part, REGULAR, size, colour) for part in wrapped(plain_label(label), REGULAR, size, room) if part)


def _about(field: Field, dictionary: Dictionary, room: float) -> tuple[Line, ...]:
    """Return what is written under a label: that a value is demanded, the field's name, when the field is shown."""
    notes: list[tuple[str, tuple[float, float, float]]] = []
    if field.is_required:
        notes.append(("* must provide value", RED))
    notes.append((field.name + (" (identifier)" if field.is_identifier else ""), GREY))
    if re.search(r"@HIDDEN\b", field.field_annotation):
        notes.append(("Hidden on the form", GREY))
    if re.search(r"@READONLY\b", field.field_annotation):
        notes.append(("Read only", GREY))
    if field.branching_logic.strip():
        notes.append((f"Shown only if {in_words(field.branching_logic, dictionary)}", BLUE))
    return tuple(line for text, colour in notes for line in _texts(text, room, colour, SMALL))


def _input(field: Field) -> Iterable[Line]:
    """Return the lines of the place where a value is entered."""
    if field.type in MARKS:
        return _choices(field.choices, MARKS[field.type])
    if field.type == "notes":
        return [Line(mark="area")]
    if field.type == "slider":
        return [Line(mark="slider"), *_texts(field.select_choices_or_calculations, INPUT_WIDTH, GREY, SMALL)]
    below: Iterable[Line] = _texts(field.calculation, INPUT_WIDTH, GREY, SMALL)
    if field.type == "dropdown":
        below = _choices(field.choices, "")
    return [Line(_hint(field), mark="input", colour=GREY, size=SMALL), *below]


def _choices(choices: Mapping[str, str], mark: str) -> Iterator[Line]:
    """Yield the choices with their codes, the mark at the first line of each."""
    for code, label in choices.items():
        parts = wrapped(f"{plain_label(label)} [{code}]", REGULAR, SIZE, INPUT_WIDTH - MARK_WIDTH)
        for number, part in enumerate(parts):
            yield Line(part, mark=("indent", mark or "indent")[number == 0], option=code if number == 0 else "")


def _hint(field: Field) -> str:
    """Return what an input shows: format and limits of a text field, and what is done with one of another type."""
    if field.text_validation_type_or_show_slider_number == "signature":
        return "Add signature"
    if field.type in INPUTS:
        return INPUTS[field.type]
    kind, _, order = field.validation.rpartition("_")
    if kind.startswith("date") and order in DATES:
        clock = {"datetime": " H:M", "datetime_seconds": " H:M:S"}.get(kind, "")
        shown = f"{DATES[order]}{clock}"
    else:
        shown = TIMES.get(field.validation, field.validation.replace("_", " "))
    low, high = field.text_validation_min, field.text_validation_max
    limits = f"{low} to {high}" if low and high else f"from {low}" if low else f"to {high}" if high else ""
    return ", ".join(part for part in (shown, limits) if part)


def _cells(count: int) -> list[tuple[float, float]]:
    """Return left edge and width of the columns of a matrix."""
    each = (FORM_WIDTH - MATRIX_LABEL) / count
    return [(MATRIX_LABEL + each * number, each) for number in range(count)]


def _matrix_header(field: Field) -> FormRow:
    columns = []
    for (left, room), (code, label) in zip(_cells(len(field.choices)), field.choices.items(), strict=True):
        parts = wrapped(f"{plain_label(label)} [{code}]", REGULAR, SMALL, room - 4)
        columns.append(FormColumn(left, room, tuple(Line(part, size=SMALL, is_centred=True) for part in parts)))
    return FormRow(tuple(columns))


def _matrix_row(field: Field, dictionary: Dictionary, annotations: tuple[Annotation, ...]) -> FormRow:
    room = MATRIX_LABEL - 4
    label = (*_texts(field.label, room), *_about(field, dictionary, room))
    mark = MARKS.get(field.type, "radio")
    cells = [
        FormColumn(left, width, (Line(mark=mark, option=code, is_centred=True),))
        for (left, width), code in zip(_cells(len(field.choices)), field.choices, strict=True)
    ]
    return FormRow((FormColumn(0, room, label), *cells), annotations)
