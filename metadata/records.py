"""A project's records as REDCap's flat export has them, and the view of them form by form."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from metadata.errors import StudyError, nearest
from metadata.project import Project
from metadata.records_csv import read_parts
from metadata.text_table import TextTable

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

EVENT = "redcap_event_name"
REPEAT_INSTRUMENT = "redcap_repeat_instrument"
REPEAT_INSTANCE = "redcap_repeat_instance"
ACCESS_GROUP = "redcap_data_access_group"
KEY_COLUMNS = (EVENT, REPEAT_INSTRUMENT, REPEAT_INSTANCE, ACCESS_GROUP)
SURVEY_IDENTIFIER = "redcap_survey_identifier"


def survey_columns(project: Project) -> set[str]:
    """Return the columns that an export with survey fields adds: who answered, and when each form was answered."""
    return {SURVEY_IDENTIFIER, *(f"{form}_timestamp" for form in project.dictionary.forms)}


def check_columns(project: Project, columns: Collection[str]) -> None:
    """Raise StudyError for a column of a flat export that the project does not have, or if it lacks the record id.

    A project has the dictionary's columns, those that missing-data codes add to checkboxes, and those of surveys.
    """
    known = set(project.dictionary.column_field) | set(KEY_COLUMNS) | set(project.missing_code_columns)
    known |= {f"{form}_complete" for form in project.dictionary.forms} | survey_columns(project)
    for column in columns:
        if column not in known:
            raise StudyError(f"the records have a column '{column}' that the dictionary lacks{nearest(column, known)}")
    if project.dictionary.record_id not in columns:
        raise StudyError(f"the records lack their record-id column '{project.dictionary.record_id}'")


@dataclass(frozen=True)
class OtherRows:
    """Rows of files beside REDCap: ``file_row`` numbers them in their file, over all rows of the records, 0 for others.

    ``unplaced`` are rows that belong to no record or event: form, field, rule, value, problem, expected.
    """

    file_row: np.ndarray
    unplaced: pd.DataFrame


class Records:
    """All stored values of a project.

    ``table`` is the flat export with the four key columns, blank where nothing is stored, never missing. The position
    of a row in it is the origin of each value in the row: the ``source_row`` of every lineage edge. ``other`` says
    which rows come from files beside REDCap, and what of these files has no place in the records.
    """

    def __init__(self, project: Project, table: TextTable, other: OtherRows | None = None) -> None:
        self.project, self.table, self.other = project, table, other
        self._rows: dict[str, np.ndarray] = {}

    @classmethod
    def of(cls, project: Project, table: TextTable) -> Records:
        """Take a flat export; key columns that it left out are added blank, unknown columns are refused."""
        check_columns(project, table.names)
        blank = [column for column in KEY_COLUMNS if column not in table]
        return cls(project, table.with_constant("", blank).filled())

    @classmethod
    def from_frame(cls, project: Project, frame: pd.DataFrame) -> Records:
        """Take a flat export as a frame (see ``of``)."""
        return cls.of(project, TextTable.of_frame(frame))

    @classmethod
    def read(cls, project: Project, path: Path) -> Records:
        """Read a records CSV in UTF-8."""
        if not path.is_file():
            raise StudyError("the records file does not exist", path)
        return cls.of(project, TextTable.of_parts(read_parts(path)))

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.table)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The flat export as plain texts: for small projects, since it takes many times the memory of ``table``."""
        return self.table.frame()

    def forget_values(self) -> None:
        """Keep of each row only what tells it apart; for a large project the values are what takes the memory."""
        self.table = self.table.select([self.project.dictionary.record_id, *KEY_COLUMNS])
        self._rows.clear()
        self.__dict__.pop("frame", None)

    @cached_property
    def record(self) -> pd.Series:
        """Record name of each row."""
        record_id = self.project.dictionary.record_id
        return self.table.frame([record_id])[record_id]

    def column(self, name: str) -> pa.DictionaryArray:
        """Return one column as Arrow texts, coded."""
        return self.table.column(name)

    def rows_of(self, form: str) -> np.ndarray:
        """Return the positions (int32) of the rows in which ``form`` holds a stored value.

        A status of 0 and an unticked box are not stored values (REDCap exports them on rows that were never opened).
        Rows of an event for which the form is not designated are kept: a value there is a finding, not a reason to lose
        it. A form may hold values on its own repeating rows, and on rows of no repeating form.
        """
        if form not in self._rows:
            own = self.table.where(REPEAT_INSTRUMENT, {"": True, form: True}, False)
            self._rows[form] = np.flatnonzero(self._stored(form) & own).astype(np.int32)
        return self._rows[form]

    def _stored(self, form: str) -> np.ndarray:
        """Rows in which the form holds anything but blanks, unticked boxes and a status of 0."""
        stored = np.zeros(len(self), bool)
        for column in self.project.dictionary.export_columns(form):
            if column in self.table:
                stored |= self.holds(column)
        return stored

    def holds(self, column: str) -> np.ndarray:
        """Return where an export column holds a value: not blank, and of a checkbox or a form's status not 0."""
        dictionary = self.project.dictionary
        owner = dictionary.column_field.get(column)
        coded = owner is None or dictionary.fields[owner].field_type == "checkbox"
        return self.table.where(column, {"": False, "0": not coded}, True)
