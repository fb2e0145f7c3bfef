"""The rows that a mapping draws on: one form's rows, or one row a subject or visit, with other forms looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from metadata.coded_matching import first_match
from metadata.coded_text import CodedText
from metadata.dictionary import checkbox_column
from metadata.project import Project
from metadata.records import EVENT, KEY_COLUMNS, REPEAT_INSTANCE, Records
from sdtm.columns.column import Read

NOWHERE = np.int32(-1)
KEYS = ("record", "event", "instance")


class Forms:
    """The forms of the records, each of their columns coded once.

    ``visit_of_form`` gives forms that are the visits of a classic project, which has no events, their event.
    """

    def __init__(self, records: Records, visit_of_form: Mapping[str, str] | None = None) -> None:
        self.visit_of_form = dict(visit_of_form or {})
        self.records = records
        self.project: Project = records.project
        self._keys = (self.project.dictionary.record_id, *KEY_COLUMNS)
        self._whole: dict[str, CodedText] = {}
        self._coded: dict[tuple[str, str], CodedText] = {}

    def rows(self, form: str) -> np.ndarray:
        """Return the rows of the records in which a form holds values (see Records.rows_of)."""
        return self.records.rows_of(form)

    def text(self, form: str, column: str) -> CodedText:
        """Return a column of a form, blank if the records lack it."""
        if (form, column) not in self._coded:
            self._coded[form, column] = self._read(column, self.rows(form))
        return self._coded[form, column]

    def _read(self, column: str, rows: np.ndarray) -> CodedText:
        if column not in self.records.table:
            return CodedText.constant("", len(rows))
        if column in self._keys:  # every form has them
            return self.key(column).take(rows)
        return self.records.table.coded(column, rows)

    def key(self, column: str) -> CodedText:
        """Return one of REDCap's columns that identify a row, for all rows of the records."""
        if column not in self._whole:
            self._whole[column] = self.records.table.coded(column)
        return self._whole[column]

    def keys(self, form: str) -> dict[str, CodedText]:
        """Return record, event and instance of each row of a form."""
        columns = (self.project.dictionary.record_id, EVENT, REPEAT_INSTANCE)
        keys = {name: self.text(form, column) for name, column in zip(KEYS, columns, strict=True)}
        visit = self.visit_of_form.get(form)
        return keys | {"event": CodedText.constant(visit, len(self.rows(form)))} if visit else keys

    def subjects(self) -> dict[str, CodedText]:
        """Return record, event and instance, one row a record in the order of the records; the last two are blank."""
        names = [name for name in self.key(self.project.dictionary.record_id).texts if name]
        record = CodedText.of_codes(np.arange(len(names)), names)
        return {"record": record, **{name: CodedText.constant("", len(record)) for name in KEYS[1:]}}


@dataclass
class FormRows:
    """Rows of one form (or of no form: subjects, visits) as the operations see them.

    ``at`` are positions in the form; rows of no form have their own ``keys``. ``option`` is the checkbox option that
    the rows are for in a block with one record an option.
    """

    forms: Forms
    form: str
    at: np.ndarray
    keys: dict[str, CodedText]
    option: str = ""
    _looked_up: dict[tuple[str, str, tuple[str, ...]], np.ndarray] = field(default_factory=dict)

    @classmethod
    def of_form(cls, forms: Forms, form: str, events: tuple[str, ...] = ()) -> FormRows:
        """Return the rows of a form, of some events only if they are given."""
        keys = forms.keys(form)
        at = np.flatnonzero(keys["event"].isin(events)) if events else np.arange(len(keys["event"]))
        return cls(forms, form, at, {name: text.take(at) for name, text in keys.items()})

    @classmethod
    def of_keys(cls, forms: Forms, keys: dict[str, CodedText]) -> FormRows:
        """Return rows of no form, identified by record, event and instance."""
        return cls(forms, "", np.full(len(keys["record"]), -1), keys)

    @classmethod
    def of_subjects(cls, forms: Forms) -> FormRows:
        """Return one row a subject."""
        return cls.of_keys(forms, forms.subjects())

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.at)

    @property
    def project(self) -> Project:
        """The project of the records."""
        return self.forms.project

    def keep(self, at: np.ndarray, option: str = "") -> FormRows:
        """Return the rows at positions ``at``."""
        keys = {name: text.take(at) for name, text in self.keys.items()}
        return FormRows(self.forms, self.form, self.at[at], keys, option)

    def raw(
        self, name: str, by: str = "subject", events: tuple[str, ...] = (), code: str = ""
    ) -> tuple[CodedText, Read]:
        """Return the stored texts of a field, missing-data codes included, and their places.

        A field of another form is looked up by ``subject`` (one row a record, of the ``events`` if any are given) or by
        ``visit`` (same record, event and instance). ``code`` picks one option of a checkbox.
        """
        owner = self.project.dictionary.field(name)
        if name == self.project.dictionary.record_id and owner.form != self.form:
            return self._record(name)
        column = checkbox_column(name, code) if code else name
        position = self.at if owner.form == self.form else self._position(owner.form, by, events)
        return self._at(owner.form, column, name, position)

    def _record(self, name: str) -> tuple[CodedText, Read]:
        """Return the record's own name: every row has it, also where its form holds nothing else."""
        record = self.keys["record"]
        rows = first_match([record], [self.forms.key(name)])
        return record, Read(name, rows.astype(np.int32), record.present())

    def _at(self, form: str, column: str, name: str, position: np.ndarray) -> tuple[CodedText, Read]:
        taken = self.forms.text(form, column).take(position)
        return taken, Read(name, np.append(self.forms.rows(form), NOWHERE)[position], taken.present())

    def text(self, name: str, by: str = "subject", events: tuple[str, ...] = ()) -> tuple[CodedText, Read]:
        """Return the stored texts of a field with missing-data codes blanked."""
        values, read = self.raw(name, by, events)
        return self.without_codes(values), read

    def without_codes(self, values: CodedText) -> CodedText:
        """Return texts with missing-data codes blanked."""
        return values.replace(dict.fromkeys(self.project.missing_codes, ""))

    def _position(self, form: str, by: str, events: tuple[str, ...]) -> np.ndarray:
        key = (form, by, events)
        if key not in self._looked_up:
            self._looked_up[key] = self._match(form, by, events)
        return self._looked_up[key]

    def _match(self, form: str, by: str, events: tuple[str, ...]) -> np.ndarray:
        """Return for each row the first row of another form with the same key, -1 if there is none."""
        names = KEYS if by == "visit" else KEYS[:1]
        theirs = self.forms.keys(form)
        wanted = np.flatnonzero(theirs["event"].isin(events)) if events else np.arange(len(theirs["event"]))
        found = first_match([self.keys[name] for name in names], [theirs[name].take(wanted) for name in names])
        return np.append(wanted, -1)[found]
