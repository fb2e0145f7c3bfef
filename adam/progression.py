"""The word confirmed_progression: worsening that is still there when it is looked at again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from adam.columns import Columns, Values, among, flagged, number, stack, take
from adam.derivation import Context, Derivation, Edge, Outcome, listed, word
from adam.grouping import group_codes, ordered
from adam.language import Column, Condition, NewColumn, OtherColumn
from adam.merging import SUBJECT


@dataclass(frozen=True)
class Excluded:
    """Events of another dataset during which an examination does not count: up to ``days`` after each event's date."""

    dataset: str
    date: OtherColumn
    days: int = 30
    at: Literal["onset", "confirmation", "both"] = "both"
    where: dict[OtherColumn, tuple[str, ...]] | None = None


@word("confirmed_progression")
@dataclass(frozen=True, kw_only=True)
class ConfirmedProgression(Derivation):
    """Flag the record at which progression began that was confirmed later, the first of each group.

    ``worse`` says when an examination shows the step (write the step for each baseline as its alternatives). It is
    confirmed at the first examination at least ``confirm`` less ``tolerance`` days later that is not excluded, if that
    and all examinations between are worse too. ``excluded`` keeps examinations near a relapse from being the onset, the
    confirmation, or both; between the two they count. Only records for which ``among`` holds take part, and only those
    after ``after``. ``confirmed`` gets the date of the confirmation, in the flagged record. Definitions differ between
    trials: Kalincik 2015, Brain 138:3287.
    """

    by: tuple[Column, ...]
    among: Condition
    worse: Condition
    confirm: int
    tolerance: int = 0
    date: Column = "ADT"
    after: Column | None = None
    excluded: Excluded | None = None
    flag: NewColumn
    confirmed: NewColumn | None = None

    def derive(self, columns: Columns, count: int, context: Context) -> Outcome:
        groups, day = group_codes([columns[name] for name in self.by]), number(columns, self.date)
        rows = ordered([(day, False)], np.flatnonzero(self._eligible(columns, count, day)), groups)
        near = self._near(columns, rows, day, context)
        at = self.excluded.at if self.excluded else "both"
        worse = self.worse.holds(columns, count)[rows]
        onset = worse & ~(near if at != "confirmation" else False)
        usable = ~(near if at != "onset" else np.zeros(len(rows), bool))
        confirmation = self._confirmation(groups[rows], day[rows], worse, usable)
        found = np.flatnonzero(onset & (confirmation >= 0))
        found = found[np.unique(groups[rows][found], return_index=True)[1]]
        return self._outcome(rows[found], rows[confirmation[found]], day, count)

    def _eligible(self, columns: Columns, count: int, day: np.ndarray) -> np.ndarray:
        eligible = self.among.holds(columns, count) & ~np.isnan(day)
        if self.after:
            with np.errstate(invalid="ignore"):
                eligible &= day > number(columns, self.after)
        return eligible

    def _confirmation(self, group: np.ndarray, day: np.ndarray, worse: np.ndarray, usable: np.ndarray) -> np.ndarray:
        """Return for each record, sorted by group and day, where it is confirmed; -1 if it is not."""
        size = len(day)
        position = np.arange(size)
        scale = float(np.ptp(day)) + self.confirm + 2 if size else 1.0
        place = group * scale + (day - day.min(initial=np.inf) if size else day)
        first = np.searchsorted(place, place + self.confirm - self.tolerance, side="left")
        next_usable = _next(usable, size)[np.minimum(np.maximum(first, position + 1), size)]
        end = np.minimum(_next(~worse, size)[:size], np.searchsorted(group, group, side="right"))
        return np.where(next_usable < end, next_usable, -1)

    def _near(self, columns: Columns, rows: np.ndarray, day: np.ndarray, context: Context) -> np.ndarray:
        """Return True for records from an event's date to ``days`` after it."""
        if self.excluded is None:
            return np.zeros(len(rows), bool)
        dates = number({"": context.variable(self.excluded.dataset, self.excluded.date)}, "")
        kept = ~np.isnan(dates)
        for name, values in (self.excluded.where or {}).items():
            kept &= among(context.variable(self.excluded.dataset, name), values)
        events = np.flatnonzero(kept)
        subjects = [take(columns[SUBJECT], rows), take(context.variable(self.excluded.dataset, SUBJECT), events)]
        since = _since_last(group_codes([stack(subjects)]), day[rows], dates[events])
        return since <= self.excluded.days

    def _outcome(self, onset: np.ndarray, confirmation: np.ndarray, day: np.ndarray, count: int) -> Outcome:
        flags, dates = np.zeros(count, bool), np.full(count, np.nan)
        flags[onset] = True
        dates[onset] = day[confirmation]
        made: dict[str, Values] = {self.flag: flagged(flags)}
        edges = [Edge(self.flag, onset, "", confirmation, self.date)]
        if self.confirmed:
            made[self.confirmed] = dates
            edges.append(Edge(self.confirmed, onset, "", confirmation, self.date))
        return Outcome(made, tuple(edges))

    def also_reads(self) -> tuple[str, ...]:
        return (SUBJECT,)

    def datasets(self) -> tuple[str, ...]:
        return (self.excluded.dataset,) if self.excluded else ()

    def sentence(self, variable: str) -> str:
        tolerance = f" (less {self.tolerance} of tolerance)" if self.tolerance else ""
        text = f"first {self.date} within {listed(self.by)} where {self.worse}, confirmed at the first examination"
        text += f" at least {self.confirm} days{tolerance} later, all examinations between being worse too"
        if self.excluded:
            where = {"both": "onset and confirmation"}.get(self.excluded.at, self.excluded.at)
            text += f"; {where} not within {self.excluded.days} days after {self.excluded.dataset}.{self.excluded.date}"
        if variable == self.flag:
            return f"Y for the {text}; else missing."
        return f"Date of the confirmation of the {text}."

    def is_date(self, variable: str) -> bool:
        return variable == self.confirmed


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
