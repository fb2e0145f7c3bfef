"""Finds what an expression refers to in a project's records: the same row, another form, another event."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from metadata.dictionary import Field, checkbox_column
from metadata.errors import nearest
from metadata.expression import EVENT_NAME, Reference
from metadata.expression_column import ExpressionColumn
from metadata.project import Project
from metadata.records import EVENT, REPEAT_INSTANCE, REPEAT_INSTRUMENT, Records

if TYPE_CHECKING:
    import pandas as pd

SEPARATOR = "\x1f"


def referred_field(project: Project, reference: Reference) -> Field:
    """Return the field of a reference; raises LookupError with the nearest name if there is none."""
    fields = project.dictionary.fields
    if reference.name not in fields:
        raise LookupError(f"the dictionary has no field '{reference.name}'{nearest(reference.name, fields)}")
    return fields[reference.name]


def export_column(project: Project, field: Field, reference: Reference) -> str:
    """Return the export column of a reference; raises LookupError if it has no value or names no option."""
    if field.type == "descriptive":
        raise LookupError(f"the field '{field.name}' is descriptive and has no value")
    if (field.type == "checkbox") != (reference.code is not None):
        wanted = f"[{field.name}(code)]" if field.type == "checkbox" else f"[{field.name}]"
        raise LookupError(f"expected {wanted} but found {reference}")
    if reference.code is None:
        return field.name
    codes = {**field.choices, **project.missing_codes}
    if reference.code not in codes:
        raise LookupError(f"the checkbox '{field.name}' has no code '{reference.code}'{nearest(reference.code, codes)}")
    return checkbox_column(field.name, reference.code)


def check_event(project: Project, field: Field, event: str) -> None:
    """Raise LookupError unless the field has exactly one value in the event of a record."""
    if event not in project.event_names:
        raise LookupError(f"the project has no event '{event}'{nearest(event, project.event_names)}")
    if not project.designated(event, field.form):
        raise LookupError(f"the form '{field.form}' of field '{field.name}' is not in event '{event}'")
    refuse_repeating(project, field, event)
    if project.event_repeats(event):
        raise LookupError(f"event '{event}' repeats, and which instance of it is meant is not said")


def refuse_repeating(project: Project, field: Field, event: str) -> None:
    """Raise LookupError if the field's form repeats in the event, so that one instance would have to be named."""
    if project.repeats(event, field.form):
        raise LookupError(f"the form '{field.form}' of field '{field.name}' repeats, and which instance is not said")


def check_reference(project: Project, reference: Reference) -> None:
    """Raise LookupError for what is wrong with a reference whatever the records are."""
    if reference.name == EVENT_NAME:
        return
    field = referred_field(project, reference)
    export_column(project, field, reference)
    if reference.event not in (None, EVENT_NAME):
        check_event(project, field, str(reference.event))


class RecordsLookup:
    """Positions of a project's non-repeating rows by record, event and event instance.

    ``form_keys`` is for who reads the records form by form: the keys of a form's rows, kept once they were found.
    """

    def __init__(self, records: Records) -> None:
        self.records, self.project = records, records.project
        self.form_keys: dict[str, pd.DataFrame] = {}

    @cached_property
    def _positions(self) -> pd.Series:
        import pandas as pd

        rows = np.flatnonzero(self.records.table.where(REPEAT_INSTRUMENT, {"": True}, False))
        columns = [self.project.dictionary.record_id, EVENT, REPEAT_INSTANCE]
        frame = self.records.table.select(columns).take(rows).frame()
        keys = self.key(*(frame[name] for name in columns))
        positions = pd.Series(rows, index=keys)
        return positions[~positions.index.duplicated()]

    @staticmethod
    def key(record: pd.Series, event: pd.Series, instance: pd.Series) -> pd.Index:
        """Return the text that names a row."""
        import pandas as pd

        joined = record.array + SEPARATOR + event.array + SEPARATOR + instance.array
        return pd.Index(joined)

    def positions(self, record: pd.Series, event: pd.Series, instance: pd.Series) -> np.ndarray:
        """Return row positions in the records, -1 where there is no such row."""
        found = self._positions.index.get_indexer(self.key(record, event, instance))
        return np.where(found < 0, -1, self._positions.to_numpy()[found] if len(self._positions) else -1)


class FormContext:
    """The rows of one form: the columns of any reference, aligned to them.

    ``rows`` has source_row, record, event and instance of each row.
    """

    def __init__(self, lookup: RecordsLookup, form: str, rows: pd.DataFrame) -> None:
        self.lookup, self.project, self.form = lookup, lookup.project, form
        self.rows = rows
        self._columns: dict[Reference, ExpressionColumn] = {}
        self._positions: dict[str | None, np.ndarray] = {}

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(self.rows)

    @cached_property
    def _repeating_events(self) -> list[str]:
        return [event for event in self.project.event_names if self.project.event_repeats(event)]

    def column(self, reference: Reference) -> ExpressionColumn:
        """Return the values of a reference, one a row; raises LookupError with a sentence if there can be none."""
        if reference not in self._columns:
            self._columns[reference] = self._read(reference)
        return self._columns[reference]

    def _read(self, reference: Reference) -> ExpressionColumn:
        if reference.name == EVENT_NAME:
            return ExpressionColumn.stored(self.rows["event"].reset_index(drop=True))
        field = referred_field(self.project, reference)
        column = export_column(self.project, field, reference)
        if field.name == self.project.dictionary.record_id:
            return ExpressionColumn.stored(self.rows["record"].reset_index(drop=True))
        text = self._taken(column, self._source_rows(field, reference.event))
        if field.type == "checkbox":
            text = np.where(text == "", "0", text)
        return ExpressionColumn.stored(text, self.project.missing_codes, "comma" in field.validation)

    def _taken(self, column: str, positions: np.ndarray) -> np.ndarray:
        table = self.lookup.records.table
        if column not in table and column in self.project.dictionary.column_field:
            raise LookupError(f"the records received have no column '{column}'")
        if column not in table:  # a missing-data code that no checkbox holds
            return np.full(len(positions), "", object)
        return table.texts_at(column, positions)

    def _source_rows(self, field: Field, event: str | None) -> np.ndarray:
        if event in (None, EVENT_NAME):
            if field.form == self.form:
                return self.rows["source_row"].to_numpy()
            for own in self.rows["event"].unique():
                refuse_repeating(self.project, field, str(own))
            return self._rows_of(None)
        check_event(self.project, field, str(event))
        return self._rows_of(event)

    def _rows_of(self, event: str | None) -> np.ndarray:
        """Positions of each row's own event (None) or of another event of the same record."""
        import pandas as pd

        if event not in self._positions:
            blank = pd.Series("", index=self.rows.index, dtype="str")
            events = self.rows["event"] if event is None else blank + event
            own = self.rows["event"].isin(self._repeating_events if event is None else [])
            instances = self.rows["instance"].where(own, "")
            self._positions[event] = self.lookup.positions(self.rows["record"], events, instances)
        return self._positions[event]
