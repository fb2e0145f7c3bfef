"""The REDCap data dictionary: 18 columns a field, and what they mean for an export."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

from metadata.errors import StudyError, nearest
from metadata.redcap_csv import check_columns, read_rows

YES_NO = {"1": "Yes", "0": "No"}
TRUE_FALSE = {"1": "True", "0": "False"}

USER_INTERFACE_HEADERS = {
    "Variable / Field Name": "field_name",
    "Form Name": "form_name",
    "Section Header": "section_header",
    "Field Type": "field_type",
    "Field Label": "field_label",
    "Choices, Calculations, OR Slider Labels": "select_choices_or_calculations",
    "Field Note": "field_note",
    "Text Validation Type OR Show Slider Number": "text_validation_type_or_show_slider_number",
    "Text Validation Min": "text_validation_min",
    "Text Validation Max": "text_validation_max",
    "Identifier?": "identifier",
    "Branching Logic (Show field only if...)": "branching_logic",
    "Required Field?": "required_field",
    "Custom Alignment": "custom_alignment",
    "Question Number (surveys only)": "question_number",
    "Matrix Group Name": "matrix_group_name",
    "Matrix Ranking?": "matrix_ranking",
    "Field Annotation": "field_annotation",
}


CALCULATED = re.compile(r"@CALC(TEXT|DATE)\s*\(")
QUOTED_OR_BRACKET = re.compile(r"""[()]|"[^"]*"|'[^']*'""")

FIELD_COLUMNS = ("field_name", "form_name", "field_type")
"""What the file of a dictionary needs; a type may be left out where a project is made in a test."""
NUMERIC_VALIDATION = ("integer", "number")


def in_parentheses(text: str) -> str:
    """Return what is inside the parentheses that a text begins with; brackets in quotes count for nothing."""
    depth = 0
    for found in QUOTED_OR_BRACKET.finditer(text):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth == 0:
            return text[1 : found.start()]
    return text[1:]


def checkbox_column(field: str, code: str) -> str:
    """Return the export column of one checkbox option: ``-9`` of ``f`` is ``f____9`` (REDCap's own rule)."""
    return f"{field}___{re.sub('[^a-z0-9_]', '_', code.lower())}"


def parse_choices(text: str) -> dict[str, str]:
    """Return ``{code: label}`` of a choice column ``code, label | code, label``; labels may hold commas."""
    return {code: label for code, label in written_choices(text) if code}


def written_choices(text: str) -> list[tuple[str, str]]:
    """Return code and label of each choice as it is written, a code that is blank or written twice as well."""
    parts = (part.partition(",") for part in text.split("|") if part.strip())
    return [(code.strip(), label.strip()) for code, _, label in parts]


def api_headers(columns: Iterable[str]) -> list[str]:
    """Return the columns of a dictionary under the API's names."""
    return [USER_INTERFACE_HEADERS.get(name, name) for name in columns]


@dataclass(frozen=True)
class Field:
    """One row of the dictionary; attribute names are those of REDCap's API."""

    field_name: str
    form_name: str
    section_header: str = ""
    field_type: str = "text"
    field_label: str = ""
    select_choices_or_calculations: str = ""
    field_note: str = ""
    text_validation_type_or_show_slider_number: str = ""
    text_validation_min: str = ""
    text_validation_max: str = ""
    identifier: str = ""
    branching_logic: str = ""
    required_field: str = ""
    custom_alignment: str = ""
    question_number: str = ""
    matrix_group_name: str = ""
    matrix_ranking: str = ""
    field_annotation: str = ""

    @property
    def name(self) -> str:
        """Field name."""
        return self.field_name

    @property
    def form(self) -> str:
        """Instrument of the field."""
        return self.form_name

    @property
    def type(self) -> str:
        """REDCap field type: text, notes, dropdown, radio, checkbox, yesno, truefalse, calc, file, slider, ..."""
        return self.field_type

    @property
    def label(self) -> str:
        """Field label, as written in the dictionary (may hold HTML)."""
        return self.field_label

    @property
    def validation(self) -> str:
        """Text validation type of a text field, else an empty text."""
        return self.text_validation_type_or_show_slider_number if self.field_type == "text" else ""

    @property
    def is_numeric(self) -> bool:
        """True if the dictionary asks for a number, and for calc and slider fields."""
        return self.validation.startswith(NUMERIC_VALIDATION) or self.field_type in ("calc", "slider")

    @property
    def has_comma(self) -> bool:
        """True if numbers are written with a decimal comma."""
        return "comma_decimal" in self.validation

    @cached_property
    def choices(self) -> dict[str, str]:
        """Code to label of a field with choices; yesno and truefalse have REDCap's own."""
        if self.field_type == "yesno":
            return dict(YES_NO)
        if self.field_type == "truefalse":
            return dict(TRUE_FALSE)
        if self.field_type in ("dropdown", "radio", "checkbox"):
            return parse_choices(self.select_choices_or_calculations)
        return {}

    @cached_property
    def calculation(self) -> str:
        """Expression of a calc field, or of the action tag @CALCTEXT or @CALCDATE; else an empty text."""
        if self.field_type == "calc":
            return self.select_choices_or_calculations
        found = CALCULATED.search(self.field_annotation) if self.field_type in ("text", "notes") else None
        if found is None:
            return ""
        inside = in_parentheses(self.field_annotation[found.end() - 1 :])
        return inside if found[1] == "TEXT" else f"calcdate({inside})"

    @property
    def is_identifier(self) -> bool:
        """True if the dictionary flags the field as an identifier."""
        return self.identifier.lower() == "y"

    @property
    def is_required(self) -> bool:
        """True if the dictionary asks for a value."""
        return self.required_field.lower() == "y"

    @property
    def no_missing(self) -> bool:
        """True if missing-data codes are not offered on the field (action tag @NOMISSING)."""
        return bool(re.search(r"@NOMISSING\b", self.field_annotation))

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Columns of the field in a flat export: one an option for a checkbox, none for a descriptive field."""
        if self.field_type == "descriptive":
            return ()
        if self.field_type == "checkbox":
            return tuple(checkbox_column(self.field_name, code) for code in self.choices)
        return (self.field_name,)


FIELD_ATTRIBUTES = tuple(item.name for item in fields(Field))


class Dictionary:
    """All fields of a project, in the order of the dictionary."""

    def __init__(self, rows: Iterable[Field], file: str | Path = "dictionary") -> None:
        self.fields: dict[str, Field] = {}
        for row in rows:
            if row.field_name in self.fields:
                raise StudyError(f"field '{row.field_name}' is defined twice in the dictionary", file)
            self.fields[row.field_name] = row
        if not self.fields:
            raise StudyError("the dictionary has no fields", file)

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, str]], file: str | Path = "dictionary") -> Dictionary:
        """Build from rows under the API's or the user interface's headers; raises StudyError on a missing column."""
        made, rows = [], list(rows)
        headers = api_headers(rows[0] if rows else FIELD_ATTRIBUTES)
        check_columns(headers, FIELD_COLUMNS[:2], [*FIELD_ATTRIBUTES, *USER_INTERFACE_HEADERS], file)
        for number, row in enumerate(rows, start=2):
            named = {USER_INTERFACE_HEADERS.get(key, key): value or "" for key, value in row.items()}
            if not named.get("field_name") or not named.get("form_name"):
                raise StudyError("a row lacks its field_name or form_name", file, number)
            made.append(Field(**{name: str(named.get(name, "")) for name in FIELD_ATTRIBUTES}))
        return cls(made, file)

    @classmethod
    def read_csv(cls, path: Path) -> Dictionary:
        """Read a dictionary CSV as downloaded from the project or exported by the API."""
        return cls.from_rows(read_rows(path), path)

    @cached_property
    def forms(self) -> list[str]:
        """Instruments in the order of their fields."""
        return list(self._of_form)

    @cached_property
    def _of_form(self) -> dict[str, list[Field]]:
        made: dict[str, list[Field]] = {}
        for field in self.fields.values():
            made.setdefault(field.form_name, []).append(field)
        return made

    @cached_property
    def record_id(self) -> str:
        """Name of the record-id field: the first of the dictionary, whatever it is called."""
        return next(iter(self.fields))

    @cached_property
    def column_field(self) -> dict[str, str]:
        """Export column to the field it belongs to (form status columns are not fields)."""
        return {column: field.field_name for field in self.fields.values() for column in field.columns}

    def field(self, name: str) -> Field:
        """Return the field ``name``; raises StudyError with the nearest name otherwise."""
        if name not in self.fields:
            raise StudyError(f"the dictionary has no field '{name}'{nearest(name, self.fields)}")
        return self.fields[name]

    def form_fields(self, form: str) -> list[Field]:
        """Return the fields of one instrument, in order."""
        return list(self._of_form.get(form, ()))

    def export_columns(self, form: str) -> list[str]:
        """Return the columns that one instrument gives a flat export, its status last, the record id left out."""
        columns = [column for field in self.form_fields(form) for column in field.columns]
        return [column for column in columns if column != self.record_id] + [f"{form}_complete"]
