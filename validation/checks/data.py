"""What the study's checks read: the rows of each form without the values that cannot be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from metadata.coded_text import CodedText
from metadata.expression import Reference
from metadata.expression_column import ExpressionColumn
from metadata.expression_context import FormContext
from metadata.expression_evaluator import evaluate_condition
from metadata.expression_parser import parse
from metadata.iso8601 import day_bounds, from_parts
from metadata.project import Project
from metadata.records import Records
from metadata.records_lookup import RecordsLookup
from metadata.study import Study
from metadata.text_dates import TextDate
from validation.raw.form_rows import may_hold_values, stored_rows
from validation.raw.rule_names import UNREADABLE

if TYPE_CHECKING:
    import pandas as pd

INSTANCE = "instance"
SEPARATOR = "\x1f"


def readable(records: Records, findings: pd.DataFrame) -> Records:
    """Return the records without the values that the dictionary's checks found unreadable, hidden or misplaced."""
    unreadable = findings[findings["rule"].isin(UNREADABLE) & (findings["source_row"] >= 0)]
    fields, table = records.project.dictionary.fields, records.table
    for name, part in unreadable.groupby("field", sort=False):
        for column in fields[str(name)].columns if name in fields else ():
            if column in table:
                table = table.with_text(column, "", part["source_row"].to_numpy())
    return Records(records.project, table)


class CheckRows:
    """The rows of one form (``keys``), and the columns of anything a check refers to from there."""

    def __init__(
        self, lookup: RecordsLookup, form: str, keys: pd.DataFrame, text_dates: Mapping[str, TextDate] | None = None
    ) -> None:
        self.project: Project = lookup.project
        self.text_dates = text_dates or {}
        self._dates: dict[tuple[str, ...], pd.Series] = {}
        self._days: dict[tuple[str, ...], tuple[np.ndarray, np.ndarray]] = {}
        self.form = form
        self.keys = keys.reset_index(drop=True)
        self.context = FormContext(lookup, form, self.keys)

    def __len__(self) -> int:
        return len(self.keys)

    def column(self, operand: str) -> ExpressionColumn:
        """Return the values of ``field``, ``[field]`` or ``[event][field]``; ``instance`` is the instance."""
        if operand == INSTANCE:
            return ExpressionColumn.stored(self.keys["instance"])
        return self.context.column(reference_of(operand))

    def text(self, operand: str) -> np.ndarray:
        """Return values as texts, missing-data codes as blanks."""
        column = self.column(operand)
        return np.where(column.coded, "", column.text)

    def condition(self, expression: str) -> np.ndarray:
        """Return where an expression is true."""
        return np.array(evaluate_condition(parse(expression), self.context))

    def dates(self, date: str | Sequence[str]) -> pd.Series:
        """Return ISO dates, partial ones too, from a date field, a text date, or fields for year, month and day."""
        key = (date,) if isinstance(date, str) else ("", *date)
        if key not in self._dates:
            self._dates[key] = self._read_dates(date)
        return self._dates[key]

    def _read_dates(self, date: str | Sequence[str]) -> pd.Series:
        import pandas as pd

        if isinstance(date, str):
            texts = pd.Series(self.text(date), dtype="str")
            written = self.text_dates.get("" if date == INSTANCE else reference_of(date).name)
            return written.iso(texts) if written else texts.str.slice(0, 10)
        blank = np.full(len(self), "", object)
        parts = [self.text(date[index]) if index < len(date) else blank for index in range(3)]
        joined = pd.Series(parts[0] + SEPARATOR + parts[1] + SEPARATOR + parts[2], dtype="str")
        made = CodedText.of_series(joined).map(lambda text: from_parts(*text.split(SEPARATOR)) if text else "")
        return pd.Series(made.array(), dtype="str")

    def days(self, date: str | Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return earliest and latest possible day as datetime64[D]; NaT where nothing is known."""
        key = (date,) if isinstance(date, str) else ("", *date)
        if key not in self._days:
            self._days[key] = day_bounds(self.dates(date))
        return self._days[key]

    @cached_property
    def event_position(self) -> np.ndarray:
        """Position of each row's event in the project's order."""
        order = {event: position for position, event in enumerate(self.project.event_names)}
        return self.keys["event"].map(order).fillna(len(order)).to_numpy(np.int64)

    @cached_property
    def instance_number(self) -> np.ndarray:
        """Instance of each row as a number, 0 where nothing repeats."""
        import pandas as pd

        return pd.to_numeric(self.keys["instance"], errors="coerce").fillna(0).to_numpy(np.int64)

    @cached_property
    def scheduled(self) -> np.ndarray:
        """True for rows of events that do not repeat."""
        repeating = [event for event in self.project.event_names if self.project.event_repeats(event)]
        return ~self.keys["event"].isin(repeating).to_numpy(bool)


def reference_of(operand: str) -> Reference:
    """Return the reference that ``field``, ``[field]`` or ``[event][field]`` names."""
    root = parse(operand if operand.startswith("[") else f"[{operand}]").root
    if not isinstance(root, Reference):
        raise LookupError(f"expected a field, [field] or [event][field] but found '{operand}'")
    return root


class CheckData:
    """Rows of every form, made once; ``originals`` are the records as stored, ``lookup`` those that can be read."""

    def __init__(self, study: Study, originals: RecordsLookup, findings: pd.DataFrame) -> None:
        self.study, self.originals, self.project = study, originals, originals.project
        self.lookup = RecordsLookup(readable(originals.records, findings))
        self._rows: dict[str, CheckRows] = {}

    def rows(self, form: str) -> CheckRows:
        """Return the rows of a form."""
        if form not in self._rows:
            keys = stored_rows(self.originals, form)
            placed = keys[may_hold_values(self.project, form, keys)]
            self._rows[form] = CheckRows(self.lookup, form, placed, self.study.text_dates)
        return self._rows[form]

    @cached_property
    def event_labels(self) -> dict[str, str]:
        """Label of each event."""
        return {event["unique_event_name"]: str(event["event_name"]) for event in self.project.events}
