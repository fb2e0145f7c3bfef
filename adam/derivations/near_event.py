"""The derivation near_event: records dated near an event of another dataset."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adam.columns.columns import Columns, day, flagged, present, stack, take
from adam.columns.grouping import group_codes
from adam.derivations.merging import Lookup
from adam.language.derivation import (
    DerivationContext,
    Outcome,
    keyed,
    listed,
)
from adam.language.kinds import DayColumn, Days, NewText, OtherDay
from metadata.dataset import Edges


@keyed("near_event")
@dataclass(frozen=True, kw_only=True)
class NearEvent(Lookup):
    """Y for a record from ``before`` days before to ``after`` days after an event of another dataset, else missing.

    Both days count, and so does the day of the event. Only events for which ``where`` holds are looked at; an event or
    a record without a date is near nothing. Of datetimes the day counts.
    """

    event_date: OtherDay
    date: DayColumn = "ADT"
    after: Days = 30
    before: Days = 0
    to: NewText

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        dates = context.day(self.dataset, self.event_date)
        mine_on = day(columns, self.date)
        events = np.flatnonzero(self.found(context) & present(dates))
        keys = zip(self.by, self.other_keys(context), strict=True)
        codes = group_codes([stack([columns[name], take(other, events)]) for name, other in keys])
        mine, theirs, when = codes[:count], codes[count:], dates[events]
        last, following = last_event(mine, mine_on, theirs, when), last_event(mine, -mine_on, theirs, -when)
        near = np.where(_apart(mine_on, when, last) <= self.after, last, -1)
        near = np.where((near < 0) & (_apart(mine_on, when, following) <= self.before), following, near)
        rows = np.flatnonzero(near >= 0)
        edge = Edges(rows, self.to, self.dataset, events[near[rows]], self.event_date)
        return Outcome({self.to: flagged(near >= 0)}, (edge,))

    def sentence(self, variable: str) -> str:
        before = f"from {self.before} days before " if self.before else "from the day of "
        return (
            f"Y if {self.date} is {before}to {self.after} days after {self.place(self.event_date)},"
            f" by {listed(self.by)}; else missing{self.within()}."
        )


def _apart(days: np.ndarray, event_day: np.ndarray, event: np.ndarray) -> np.ndarray:
    """Return the days between each day and its event; infinite without one."""
    return np.where(event < 0, np.inf, np.abs(days - np.append(event_day, np.nan)[event]))


def last_event(group: np.ndarray, days: np.ndarray, event_group: np.ndarray, event_day: np.ndarray) -> np.ndarray:
    """Return for each day the last event of its group on or before it (its position), -1 without one or without a day.

    Events have dates; groups are numbers from 0.
    """
    if not len(event_day):
        return np.full(len(days), -1)
    start = np.nanmin([np.nanmin(days, initial=np.inf), event_day.min()])
    width = np.nanmax([np.nanmax(days, initial=-np.inf), event_day.max()]) - start + 1
    order = np.lexsort((event_day, event_group))
    keys = (event_group * width + event_day - start)[order]
    asked = group * width + np.where(np.isnan(days), -1, days - start)
    place = order[np.maximum(np.searchsorted(keys, asked, side="right") - 1, 0)]
    holds = (event_group[place] == group) & (event_day[place] <= days)
    return np.where(holds, place, -1)
