"""The rows that a mapping draws on: one form's rows, or one row a subject, with other forms looked up."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from metadata.dictionary import checkbox_column
from metadata.project import Project
from metadata.records import Records
from sdtm.column import Read, constant

NOWHERE = np.int32(-1)


class Forms:
    """The forms of the records, each read once."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.project: Project = records.project
        self._read: dict[str, pd.DataFrame] = {}

    def form(self, name: str) -> pd.DataFrame:
        """Return the rows of a form (see Records.form)."""
        if name not in self._read:
            self._read[name] = self.records.form(name)
        return self._read[name]

    def subjects(self) -> pd.DataFrame:
        """Return one row a record, in the order of the records; it has no row of its own in the export."""
        record = self.records.record
        names = record[record != ""].drop_duplicates().reset_index(drop=True)
        blank = constant("", len(names))
        rows = np.full(len(names), NOWHERE)
        return pd.DataFrame({"source_row": rows, "record": names, "event": blank, "instance": blank, "dag": blank})


@dataclass
class Source:
    """Rows of one form (or of the subjects, if ``form`` is blank) as the operations see them."""

    forms: Forms
    form: str
    keys: pd.DataFrame
    frame: pd.DataFrame
    option: str = ""
    _looked_up: dict[tuple[str, str, tuple[str, ...]], np.ndarray] = field(default_factory=dict)

    @classmethod
    def of_form(cls, forms: Forms, form: str, events: tuple[str, ...] = ()) -> Source:
        """Return the rows of a form, of some events only if they are given."""
        frame = forms.form(form)
        if events:
            frame = frame[frame["event"].isin(events)].reset_index(drop=True)
        return cls(forms, form, frame[["source_row", "record", "event", "instance", "dag"]], frame)

    @classmethod
    def of_subjects(cls, forms: Forms) -> Source:
        """Return one row a subject."""
        keys = forms.subjects()
        return cls(forms, "", keys, keys)

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.keys)

    @property
    def project(self) -> Project:
        """The project of the records."""
        return self.forms.project

    def keep(self, at: np.ndarray, option: str = "") -> Source:
        """Return the rows at positions ``at``; ``option`` is the checkbox option that they stand for."""
        keys = self.keys.take(at).reset_index(drop=True)
        frame = keys if self.frame is self.keys else self.frame.take(at).reset_index(drop=True)
        return Source(self.forms, self.form, keys, frame, option)

    def raw(
        self, name: str, by: str = "subject", events: tuple[str, ...] = (), code: str = ""
    ) -> tuple[pd.Series, Read]:
        """Return the stored texts of a field, missing-data codes included, and where they stand.

        A field of another form is looked up by ``subject`` (one row a record, of the ``events`` if any are given) or by
        ``visit`` (same record, event and instance). ``code`` picks one option of a checkbox.
        """
        owner = self.project.dictionary.field(name)
        column = checkbox_column(name, code) if code else name
        if owner.form == self.form:
            frame, position = self.frame, np.arange(self.count)
        else:
            frame, position = self.forms.form(owner.form), self._position(owner.form, by, events)
        found = position >= 0
        rows = np.where(found, frame["source_row"].to_numpy()[position] if len(frame) else NOWHERE, NOWHERE)
        if column not in frame.columns or not len(frame):
            values = constant("", self.count)
        else:
            values = frame[column].take(np.where(found, position, 0)).reset_index(drop=True)
            values = values if found.all() else values.where(found, "")
        return values, Read(name, rows.astype(np.int32), (values != "").to_numpy(bool))

    def text(self, name: str, by: str = "subject", events: tuple[str, ...] = ()) -> tuple[pd.Series, Read]:
        """Return the stored texts of a field with missing-data codes blanked."""
        values, read = self.raw(name, by, events)
        codes = self.project.missing_codes
        if codes and values.isin(list(codes)).any():
            values = values.where(~values.isin(list(codes)), "")
        return values, read

    def missing_code(self, values: pd.Series) -> pd.Series:
        """Return the missing-data code where a raw text is one, else blank."""
        return values.where(values.isin(list(self.project.missing_codes)), "")

    def _position(self, form: str, by: str, events: tuple[str, ...]) -> np.ndarray:
        key = (form, by, events)
        if key not in self._looked_up:
            self._looked_up[key] = self._match(form, by, events)
        return self._looked_up[key]

    def _match(self, form: str, by: str, events: tuple[str, ...]) -> np.ndarray:
        """Return for each row the first row of another form with the same key, -1 if there is none."""
        other = self.forms.form(form)
        wanted = np.flatnonzero(other["event"].isin(events)) if events else np.arange(len(other))
        columns = ["record", "event", "instance"] if by == "visit" else ["record"]
        theirs = other[columns].take(wanted).assign(position=wanted).drop_duplicates(columns)
        matched = self.keys[columns].merge(theirs, on=columns, how="left")["position"]
        return matched.fillna(-1).to_numpy(np.int64)
