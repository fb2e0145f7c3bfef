"""Words about periods of follow-up, for rates of recurrent events: period_records, person_time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adam.columns import Columns, Values, coded, number
from adam.derivation import AddedRows, Context, Derivation, Outcome, word
from adam.language import Column, Condition, NewColumn
from metadata.units import significant


@dataclass(frozen=True)
class Period:
    """One period: its number, and its first and last study day (there is no day 0)."""

    number: int
    first: int
    last: int


@word("period_records")
@dataclass(frozen=True, kw_only=True)
class PeriodRecords(Derivation):
    """Add for each record one record a period, with the period's number, name, first and last date.

    A dataset of rates starts from one record a subject that serves as template only (``only_added`` in its source).
    Where ``reference`` (day 1) is missing, so are the dates.
    """

    reference: Column
    periods: dict[str, Period]
    to: NewColumn = "APERIODC"
    number: NewColumn = "APERIOD"
    start: NewColumn = "APERSDT"
    end: NewColumn = "APEREDT"

    adds_rows = True

    def add(self, columns: Columns, count: int, context: Context) -> AddedRows:
        size = len(self.periods)
        rows, period = np.repeat(np.arange(count), size), np.tile(np.arange(size), count)
        found = list(self.periods.values())
        day_one = number(columns, self.reference)[rows]
        changed: dict[str, Values] = {
            self.to: coded(period, list(self.periods)),
            self.number: np.array([one.number for one in found], float)[period],
            self.start: day_one + np.array([_elapsed(one.first) for one in found], float)[period],
            self.end: day_one + np.array([_elapsed(one.last) for one in found], float)[period],
        }
        return AddedRows(rows, changed, (np.zeros(0, int), np.zeros(0, int)))

    def sentence(self, variable: str) -> str:
        days = ", ".join(f"{name} day {one.first} to {one.last}" for name, one in self.periods.items())
        texts = {
            self.to: f"Period, one record each: {days}.",
            self.number: f"Number of {self.to}.",
            self.start: f"Date of the first day of {self.to}, day 1 being {self.reference}.",
            self.end: f"Date of the last day of {self.to}, day 1 being {self.reference}.",
        }
        return texts[variable]

    def is_date(self, variable: str) -> bool:
        return variable in (self.start, self.end)


def _elapsed(day: int) -> int:
    """Return days since day 1; there is no day 0."""
    return day - 1 if day > 0 else day


@word("person_time")
@dataclass(frozen=True, kw_only=True)
class PersonTime(Derivation):
    """Time at risk in a period, in years of ``year`` days: from the period's start to its end or to ``until``.

    Both days count. A period that begins after ``until`` has none (missing). Where ``whole`` holds the whole period
    counts, whatever day the last visit fell on; without ``until`` it does so too. A group's rate is the sum of events
    over the sum of this time, not the mean of the subjects' rates.
    """

    start: Column
    end: Column
    to: NewColumn
    until: Column | None = None
    whole: Condition | None = None
    year: float = 365.25

    def derive(self, columns: Columns, count: int, context: Context) -> Outcome:
        start, end = number(columns, self.start), number(columns, self.end)
        stop = np.fmin(end, number(columns, self.until)) if self.until else end
        if self.whole:
            stop = np.where(self.whole.holds(columns, count), end, stop)
        days = stop - start + 1
        with np.errstate(invalid="ignore"):
            return Outcome({self.to: significant(np.where(days > 0, days / self.year, np.nan))})

    def sentence(self, variable: str) -> str:
        until = f" or {self.until}, whichever is first," if self.until else ""
        whole = f"; the whole period where {self.whole}" if self.whole else ""
        text = f"Days from {self.start} to {self.end}{until} both counted{whole}, / {self.year:g};"
        return f"{text} missing if there are none{self.within()}."
