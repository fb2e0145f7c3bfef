"""The derivation window_summary: a summary of another dataset's records that are dated in a window around a date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from adam.columns.columns import Columns, day, present, stack, take
from adam.columns.grouping import group_codes
from adam.derivations.merging import Lookup, aggregated
from adam.language.derivation import DerivationContext, Outcome, keyed, listed
from adam.language.kinds import DayColumn, NewNumber, OtherDay, OtherNumber
from metadata.dataset import Edges
from metadata.errors import StudyError
from metadata.units import significant


@keyed("window_summary")
@dataclass(frozen=True, kw_only=True)
class WindowSummary(Lookup):
    """Count another dataset's records in a window around each record's date, or summarise a number of them.

    The window is from ``first_day`` to ``last_day`` after ``date`` (before it where negative); both days count, and so
    does the day of the date, which is 0. Of datetimes the day counts. A count is 0 where there are none, the other
    functions are then missing. A count with ``source`` counts the records with a value of it.
    """

    to: NewNumber
    function: Literal["count", "sum", "mean", "median", "minimum", "maximum"]
    other_date: OtherDay
    first_day: int
    last_day: int
    date: DayColumn = "ADT"
    source: OtherNumber | None = None

    def check(self) -> None:
        if self.first_day > self.last_day:
            raise StudyError(f"the window ends on day {self.last_day}, before it begins on day {self.first_day}")
        if self.function != "count" and self.source is None:
            raise StudyError(f"{self.function} needs 'source', the variable of {self.dataset} that it is of")

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        when, mine_on = context.day(self.dataset, self.other_date), day(columns, self.date)
        events = np.flatnonzero(self.found(context) & present(when))
        keys = zip(self.by, self.other_keys(context), strict=True)
        codes = group_codes([stack([columns[name], take(other, events)]) for name, other in keys])
        record, place = _pairs(codes[:count], mine_on, codes[count:], when[events], self.first_day, self.last_day)
        values = np.ones(len(when)) if self.source is None else self.numbers_in(self.source, context)
        made = aggregated(self.function, record, values[events[place]], count)
        edges = Edges(record, self.to, self.dataset, events[place], self.source or self.other_date)
        return Outcome({self.to: np.where(np.isnan(mine_on), np.nan, significant(made))}, (edges,))

    def sentence(self, variable: str) -> str:
        what = {"count": "Number of records"}.get(self.function, f"{self.function.capitalize()} of {self.source}")
        window = f"{self.other_date} from {self.first_day} to {self.last_day} days after {self.date}"
        return f"{what} in {self.place()} with {window}, by {listed(self.by)}{self.within()}."


def _pairs(
    group: np.ndarray, days: np.ndarray, event_group: np.ndarray, event_day: np.ndarray, first: int, last: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return each record with each event of its group in the window, as two arrays of positions."""
    if not len(event_day):
        return np.zeros(0, int), np.zeros(0, int)
    start = event_day.min()
    width = event_day.max() - start + 1
    order = np.lexsort((event_day, event_group))
    keys = (event_group * width + event_day - start)[order]
    low, high = (
        np.clip(np.nan_to_num(days) + one - start, edge, width + edge) for one, edge in ((first, 0), (last, -1))
    )
    begin = np.searchsorted(keys, group * width + low, side="left")
    end = np.searchsorted(keys, group * width + high, side="right")
    size = np.where(np.isnan(days), 0, np.maximum(end - begin, 0))
    record = np.repeat(np.arange(len(days)), size)
    within = np.arange(len(record)) - np.repeat(np.cumsum(size) - size, size)
    return record, order[np.repeat(begin, size) + within]
