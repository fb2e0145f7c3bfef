"""A project's records as REDCap's flat export has them, and the view of them form by form."""

from __future__ import annotations

import csv
import io
import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from metadata.csv_quotes import doubled_quotes
from metadata.errors import StudyError, nearest
from metadata.project import Project
from metadata.redcap_csv import UTF_8, decode, delimiter_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

EVENT = "redcap_event_name"
REPEAT_INSTRUMENT = "redcap_repeat_instrument"
REPEAT_INSTANCE = "redcap_repeat_instance"
ACCESS_GROUP = "redcap_data_access_group"
KEY_COLUMNS = (EVENT, REPEAT_INSTRUMENT, REPEAT_INSTANCE, ACCESS_GROUP)
SURVEY_IDENTIFIER = "redcap_survey_identifier"


def read_csv(content: bytes, file: str | Path, encoding: str = UTF_8) -> pd.DataFrame:
    """Return a flat export as text columns, blanks as empty texts; ``encoding`` is for bytes that are not UTF-8.

    Raises StudyError if it is not such CSV, if a row has another number of cells than the header or a column is there
    twice. (pandas pads a short row and drops cells of a long one in silence, hence Arrow's reader.)
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.csv as arrow_csv

    text = decode(content, file, encoding, of_records=True)
    if not text.strip():
        return pd.DataFrame()
    delimiter = delimiter_of(text.split("\n", 1)[0])
    text = doubled_quotes(text, delimiter, file)
    names = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise StudyError(f"the column '{twice[0]}' is there twice", file, 1)
    if text.count('"') % 2:
        raise StudyError("the file is not CSV: a quoted cell is never closed", file)
    plain = text.encode()
    del content, text  # of a large project each is a part of what memory holds
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(plain),
            # one block and one thread, so that a cell may be of any size and an error knows its row
            read_options=arrow_csv.ReadOptions(block_size=len(plain) + 1, use_threads=False),
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
        )
    except pa.ArrowInvalid as error:
        raise StudyError(_without_values(str(error)), file) from None
    del plain
    return pd.DataFrame(table.to_pandas(split_blocks=True, self_destruct=True)).astype("str")


def _without_values(problem: str) -> str:
    """Return what Arrow says of a bad row, without the row itself: cells are patients' data."""
    counts = re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", problem)
    if not counts:
        return "the file is not CSV"
    row, expected, found = counts.groups()
    return f"row {row} has {found} cells where the header has {expected}"


def survey_columns(project: Project) -> set[str]:
    """Return the columns that an export with survey fields adds: who answered, and when each form was answered."""
    return {SURVEY_IDENTIFIER, *(f"{form}_timestamp" for form in project.dictionary.forms)}


class Records:
    """All stored values of a project.

    ``frame`` is the flat export: every column text, blank is ``""``, never NaN. The position of a row in ``frame`` is
    the origin of each value in it: the ``source_row`` of every lineage edge.
    """

    def __init__(self, project: Project, frame: pd.DataFrame) -> None:
        self.project = project
        self.frame = frame
        self._columns: dict[str, pa.Array] = {}
        self._rows: dict[str, np.ndarray] = {}

    @classmethod
    def from_frame(cls, project: Project, frame: pd.DataFrame) -> Records:
        """Take a flat export; key columns that the export left out are added blank, unknown columns are refused.

        Known are the dictionary's columns, those that missing-data codes add to checkboxes, and those of surveys.
        """
        known = set(project.dictionary.column_field) | set(KEY_COLUMNS) | set(project.missing_code_columns)
        known |= {f"{form}_complete" for form in project.dictionary.forms} | survey_columns(project)
        for column in frame.columns:
            if column not in known:
                raise StudyError(
                    f"the records have a column '{column}' that the dictionary lacks{nearest(column, known)}"
                )
        if project.dictionary.record_id not in frame.columns:
            raise StudyError(f"the records lack their record-id column '{project.dictionary.record_id}'")
        text = frame.reset_index(drop=True).astype("str")
        blank = {column: "" for column in KEY_COLUMNS if column not in text.columns}
        return cls(project, text.assign(**blank).fillna("") if blank or text.isna().any(axis=None) else text)

    @classmethod
    def read(cls, project: Project, path: Path) -> Records:
        """Read a records CSV in UTF-8."""
        if not path.is_file():
            raise StudyError("the records file does not exist", path)
        return cls.from_frame(project, read_csv(path.read_bytes(), path))

    def forget_values(self) -> None:
        """Keep of each row only what tells it apart; for a large project the values are what takes the memory."""
        self.frame = self.frame[self._names]
        self._columns.clear()
        self._rows.clear()

    @property
    def _names(self) -> list[str]:
        return [self.project.dictionary.record_id, *KEY_COLUMNS]

    @cached_property
    def record(self) -> pd.Series:
        """Record name of each row."""
        return self.frame[self.project.dictionary.record_id]

    def column(self, name: str) -> pa.Array:
        """Return one column of the frame as Arrow text."""
        import pyarrow as pa

        if name not in self._columns:
            values = pa.array(self.frame[name], from_pandas=True)
            chunks = values.chunks if isinstance(values, pa.ChunkedArray) else [values]
            self._columns[name] = chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks)
        return self._columns[name]

    def rows_of(self, form: str) -> np.ndarray:
        """Return the positions (int32) of the rows in which ``form`` holds a stored value.

        A status of 0 and an unticked box are not stored values (REDCap exports them on rows that were never opened).
        Rows of an event for which the form is not designated are kept: a value there is a finding, not a reason to lose
        it. A form may hold values on its own repeating rows, and on rows of no repeating form.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        if form not in self._rows:
            instrument = self.column(REPEAT_INSTRUMENT)
            own = pc.is_in(instrument, value_set=pa.array(["", form], instrument.type))
            stored = self._stored(form) & own.to_numpy(zero_copy_only=False)
            self._rows[form] = np.flatnonzero(stored).astype(np.int32)
        return self._rows[form]

    def _stored(self, form: str) -> np.ndarray:
        """Rows in which the form holds anything but blanks, unticked boxes and a status of 0."""
        stored = np.zeros(len(self.frame), bool)
        for column in self.project.dictionary.export_columns(form):
            if column not in self.frame.columns:
                continue
            stored |= self.holds(column)
        return stored

    def holds(self, column: str) -> np.ndarray:
        """Return where an export column holds a value: not blank, and of a checkbox or a form's status not 0."""
        import pyarrow.compute as pc

        dictionary, values = self.project.dictionary, self.column(column)
        owner = dictionary.column_field.get(column)
        filled = pc.not_equal(values, "")
        if owner is None or dictionary.fields[owner].field_type == "checkbox":
            filled = pc.and_(filled, pc.not_equal(values, "0"))
        return np.asarray(filled.to_numpy(zero_copy_only=False), bool)
