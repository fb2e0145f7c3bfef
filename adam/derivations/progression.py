"""The derivation confirmed_progression: worsening that is still there when it is looked at again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from adam.columns.columns import Columns, Values, flagged, stack, take
from adam.columns.columns import day as day_of
from adam.columns.grouping import group_codes, ordered
from adam.derivations.merging import SUBJECT
from adam.language.derivation import (
    Derivation,
    DerivationContext,
    Outcome,
    keyed,
    listed,
)
from adam.language.kinds import DayColumn, Days, NewDate, NewText, OtherDay
from metadata.condition import Condition, OtherCondition
from metadata.dataset import Edges
from metadata.declaration import Column


@dataclass(frozen=True)
class Excluded:
    """Events of another dataset near which an examination does not count, as ``at`` says: as the onset, as the
    confirmation, or as both.

    Near is from ``before`` days before an event's date to ``after`` days after it, both counted. Programs that ask for
    a distance of at least 30 days from a relapse, such as msprog, leave day 30 free: write ``after: 29``.
    """

    dataset: str
    event_date: OtherDay
    after: Days = 30
    before: Days = 0
    at: Literal["onset", "confirmation", "both"] = "both"
    where: OtherCondition | None = None


@keyed("confirmed_progression")
@dataclass(frozen=True, kw_only=True)
class ConfirmedProgression(Derivation):
    """Flag the record at which progression began that was confirmed later, the first of each group.

    ``condition`` says when an examination shows the step (write the step for each baseline as its alternatives). It is
    confirmed at the first examination at least ``confirm`` less ``tolerance`` days later that is not excluded, if that
    is worse too, and with ``between`` all those between as well. ``latest`` is how many days after ``confirm`` that
    examination may come (null: any time). ``sustained`` asks in addition that no later examination less than so many
    days after the onset is better again (.inf: none at all); with ``between`` none only the first examination that many
    days after the onset, or the last of all, has to be worse. ``excluded`` keeps examinations near a relapse from being
    the onset, the confirmation, or both; between the two they count. Only records for which ``where`` holds take part,
    and only those after ``reference``. ``to_date`` gets the date of the confirmation, in the flagged record.
    Definitions differ between trials: Kalincik 2015, Brain 138:3287; the parameters are those of the program msprog
    (Montobbio 2024, Mult Scler 30:1185) for a fixed baseline.
    """

    by: tuple[Column, ...]
    where: Condition
    condition: Condition
    confirm: Days
    tolerance: Days = 0
    latest: Days | None = None
    between: Literal["all", "none"] = "all"
    sustained: float = 0.0
    date: DayColumn = "ADT"
    reference: DayColumn | None = None
    excluded: tuple[Excluded, ...] = ()
    to: NewText
    to_date: NewDate | None = None

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        groups, day = group_codes([columns[name] for name in self.by]), day_of(columns, self.date)
        rows = ordered([(day, False)], np.flatnonzero(self._eligible(columns, count, day)), groups)
        worse = self.condition.holds(columns, count)[rows]
        onset = worse & ~self._near("onset", columns, rows, day, context)
        usable = ~self._near("confirmation", columns, rows, day, context)
        confirmation = self._confirmation(groups[rows], day[rows], worse, usable)
        found = np.flatnonzero(onset & (confirmation >= 0))
        found = found[np.unique(groups[rows][found], return_index=True)[1]]
        return self._outcome(rows[found], rows[confirmation[found]], day, count)

    def _eligible(self, columns: Columns, count: int, day: np.ndarray) -> np.ndarray:
        eligible = self.where.holds(columns, count) & ~np.isnan(day)
        if self.reference:
            with np.errstate(invalid="ignore"):
                eligible &= day > day_of(columns, self.reference)
        return eligible

    def _confirmation(self, group: np.ndarray, day: np.ndarray, worse: np.ndarray, usable: np.ndarray) -> np.ndarray:
        """Return for each record, sorted by group and day, where it is confirmed; -1 if it is not."""
        size = len(day)
        if not size:
            return np.empty(0, int)
        position, end = np.arange(size), np.searchsorted(group, group, side="right")
        place = group * (float(np.ptp(day)) + self.confirm + 2) + (day - day.min())
        first = np.searchsorted(place, place + self.confirm - self.tolerance, side="left")
        found = _next(usable, size)[np.minimum(np.maximum(first, position + 1), size)]
        inside, at = found < end, np.minimum(found, size - 1)
        if self.latest is not None:
            inside &= day[at] - day <= self.confirm + self.latest
        better = _next(~worse, size)
        inside &= found < better[:size] if self.between == "all" else worse[at]
        if self.sustained and self.between == "all":
            lost = np.minimum(better[at + 1], size - 1)
            inside &= (better[at + 1] >= end) | (day[lost] - day >= self.sustained)
        elif self.sustained:
            far = np.searchsorted(place, place + min(self.sustained, np.ptp(day) + self.confirm + 1), side="left")
            inside &= worse[np.minimum(far, end - 1)]
        return np.where(inside, found, -1)

    def _near(
        self, point: str, columns: Columns, rows: np.ndarray, day: np.ndarray, context: DerivationContext
    ) -> np.ndarray:
        """Return True for records that an event near them keeps from being the onset, or the confirmation."""
        near = np.zeros(len(rows), bool)
        for events in self.excluded:
            if events.at in (point, "both"):
                near |= self._near_to(events, columns, rows, day, context)
        return near

    def _near_to(
        self, excluded: Excluded, columns: Columns, rows: np.ndarray, day: np.ndarray, context: DerivationContext
    ) -> np.ndarray:
        dates = context.day(excluded.dataset, excluded.event_date)
        events = np.flatnonzero(~np.isnan(dates) & context.fulfil(excluded.dataset, excluded.where))
        subjects = [take(columns[SUBJECT], rows), take(context.variable(excluded.dataset, SUBJECT), events)]
        codes = group_codes([stack(subjects)])
        since = _since_last(codes, day[rows], dates[events])
        until = _since_last(codes, -day[rows], -dates[events])
        return (since <= excluded.after) | (until <= excluded.before)

    def _outcome(self, onset: np.ndarray, confirmation: np.ndarray, day: np.ndarray, count: int) -> Outcome:
        flags, dates = np.zeros(count, bool), np.full(count, np.nan)
        flags[onset] = True
        dates[onset] = day[confirmation]
        made: dict[str, Values] = {self.to: flagged(flags)}
        edges = [Edges(onset, self.to, "", confirmation, self.date)]
        if self.to_date:
            made[self.to_date] = dates
            edges.append(Edges(onset, self.to_date, "", confirmation, self.date))
        return Outcome(made, tuple(edges))

    def also_reads(self) -> tuple[str, ...]:
        return (SUBJECT,)

    def datasets(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(events.dataset for events in self.excluded))

    def sentence(self, variable: str) -> str:
        tolerance = f" (less {self.tolerance} of tolerance)" if self.tolerance else ""
        latest = f" and at most {self.confirm + self.latest}" if self.latest is not None else ""
        text = f"first {self.date} within {listed(self.by)} where {self.condition}, confirmed at the first examination"
        text += f" at least {self.confirm} days{tolerance}{latest} later"
        text += ", all examinations between being worse too" if self.between == "all" else ""
        if self.sustained:
            until = "to the last examination" if np.isinf(self.sustained) else f"for {self.sustained:g} days"
            text += f", and sustained {until}"
        for one in self.excluded:
            where = {"both": "onset and confirmation"}.get(one.at, one.at)
            before = f"{one.before} days before or " if one.before else ""
            text += f"; {where} not within {before}{one.after} days after {one.dataset}.{one.event_date}"
        if variable == self.to:
            return f"Y for the {text}; else missing."
        return f"Date of the confirmation of the {text}."


def _next(holds: np.ndarray, size: int) -> np.ndarray:
    """Return for positions 0 to ``size`` the next one, itself included, where ``holds``; ``size`` if there is none."""
    places = np.append(np.where(holds, np.arange(size), size), size)
    return np.minimum.accumulate(places[::-1])[::-1]


def _since_last(subject: np.ndarray, day: np.ndarray, event_day: np.ndarray) -> np.ndarray:
    """Return the days since the subject's last event on or before each day; infinite without one.

    ``subject`` has one code for each day and then for each event.
    """
    if not len(day) or not len(event_day):
        return np.full(len(day), np.inf)
    start = min(day.min(), event_day.min())
    scale = max(day.max(), event_day.max()) - start + 1
    keys = np.sort(subject[len(day) :] * scale + event_day - start)
    mine = subject[: len(day)] * scale
    last = np.searchsorted(keys, mine + day - start, side="right") - 1
    found = keys[np.maximum(last, 0)] - mine
    return np.where((last >= 0) & (found >= 0), day - start - found, np.inf)
