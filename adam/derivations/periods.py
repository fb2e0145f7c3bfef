"""Derivations about periods: period_records and person_time for rates of recurrent events, period, period_variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from adam.columns.columns import Columns, Values, day, take
from adam.columns.grouping import group_codes, matching_rows
from adam.derivations.merging import Lookup
from adam.language.derivation import (
    AddedRows,
    Derivation,
    DerivationContext,
    Outcome,
    keyed,
    listed,
)
from adam.language.kinds import DayColumn, NewDate, NewNumber, NewText, OtherNumber
from metadata.coded_text import CodedText
from metadata.condition import Condition, DatasetKinds
from metadata.dataset import Edges
from metadata.declaration import (
    OtherColumn,
)
from metadata.errors import StudyError
from metadata.units import significant
from metadata.variable_kind import ClosedText


@dataclass(frozen=True)
class Period:
    """One period: its number, and its first and last study day (there is no day 0)."""

    number: int
    first: int
    last: int


@keyed("period_records")
@dataclass(frozen=True, kw_only=True)
class PeriodRecords(Derivation):
    """Add for each record one record a period, with the period's number, name, first and last date.

    A dataset of rates starts from one record a subject that serves as template only (``as_template`` in its source).
    Where ``reference`` (day 1) is missing, so are the dates.
    """

    reference: DayColumn
    periods: dict[str, Period]
    to: NewText = "APERIODC"
    to_number: NewNumber = "APERIOD"
    to_start: NewDate = "APERSDT"
    to_end: NewDate = "APEREDT"

    adds_rows = True

    def add(self, columns: Columns, count: int, context: DerivationContext) -> AddedRows:
        size = len(self.periods)
        rows, period = np.repeat(np.arange(count), size), np.tile(np.arange(size), count)
        found = list(self.periods.values())
        day_one = day(columns, self.reference)[rows]
        changed: dict[str, Values] = {
            self.to: CodedText.of_codes(period, list(self.periods)),
            self.to_number: np.array([one.number for one in found], float)[period],
            self.to_start: day_one + np.array([_elapsed(one.first) for one in found], float)[period],
            self.to_end: day_one + np.array([_elapsed(one.last) for one in found], float)[period],
        }
        return AddedRows(rows, changed, (np.zeros(0, int), np.zeros(0, int)))

    def closed_texts(self, variable: str, kinds: DatasetKinds) -> ClosedText | None:
        return ClosedText(self.periods) if variable == self.to else None

    def sentence(self, variable: str) -> str:
        days = ", ".join(f"{name} day {one.first} to {one.last}" for name, one in self.periods.items())
        texts = {
            self.to: f"Period, one record each: {days}.",
            self.to_number: f"Number of {self.to}.",
            self.to_start: f"Date of the first day of {self.to}, day 1 being {self.reference}.",
            self.to_end: f"Date of the last day of {self.to}, day 1 being {self.reference}.",
        }
        return texts[variable]


def _elapsed(day: int) -> int:
    """Return days since day 1; there is no day 0."""
    return day - 1 if day > 0 else day


@keyed("person_time")
@dataclass(frozen=True, kw_only=True)
class PersonTime(Derivation):
    """Time at risk in a period, in years of ``year`` days: from the period's start to its end or to ``until``.

    Both days count. A period that begins after ``until`` has none (missing). Where ``whole`` holds the whole period
    counts, whatever day the last visit fell on; without ``until`` it does so too. A group's rate is the sum of events
    over the sum of this time, not the mean of the subjects' rates.
    """

    start: DayColumn
    end: DayColumn
    to: NewNumber
    until: DayColumn | None = None
    whole: Condition | None = None
    year: float = 365.25

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        start, end = day(columns, self.start), day(columns, self.end)
        stop = np.fmin(end, day(columns, self.until)) if self.until else end
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


@dataclass(frozen=True)
class Span:
    """One period of a subject: its number, and the variables that hold its first and last date."""

    number: int
    start: DayColumn
    end: DayColumn


@keyed("period")
@dataclass(frozen=True, kw_only=True)
class InPeriod(Derivation):
    """Give each record the period of the subject in which its date lies: its name, number, first and last date.

    The periods are written in their order, with the variables that hold their dates (AP01SDT, AP01EDT); both days
    belong to the period, and where two touch, a shared day belongs to the later one; a date in two periods that overlap
    by more is an error. A period without a first date has not begun; without a last date it is open. A record outside
    of all periods, or without a date, has none. ``gaps`` earlier gives a date between two periods to the earlier one.
    """

    date: DayColumn = "ADT"
    periods: dict[str, Span]
    gaps: Literal["none", "earlier"] = "none"
    to: NewText = "APERIODC"
    to_number: NewNumber = "APERIOD"
    to_start: NewDate = "APERSDT"
    to_end: NewDate = "APEREDT"

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        date = day(columns, self.date)
        spans = list(self.periods.values())
        starts = np.vstack([day(columns, span.start) for span in spans])
        ends = np.vstack([day(columns, span.end) for span in spans])
        with np.errstate(invalid="ignore"):
            begun = starts <= date
            inside = begun & ~(date > ends) if self.gaps == "none" else begun
        place = np.where(inside.any(axis=0), len(spans) - 1 - inside[::-1].argmax(axis=0), -1)
        self._check_overlap(begun & (date <= ends), starts, ends, place)
        rows = np.arange(count)
        numbers = np.array([*(span.number for span in spans), np.nan], float)
        return Outcome(
            {
                self.to: CodedText.of_codes(place, list(self.periods)),
                self.to_number: numbers[place],
                self.to_start: np.where(place >= 0, starts[place, rows], np.nan),
                self.to_end: np.where(place >= 0, ends[place, rows], np.nan),
            }
        )

    def _check_overlap(self, within: np.ndarray, starts: np.ndarray, ends: np.ndarray, place: np.ndarray) -> None:
        """Raise StudyError for dates in a period that goes on after the chosen, later one began."""
        begun = starts[place, np.arange(len(place))]
        twice = within & (ends > begun) & (np.arange(len(within))[:, None] < place)
        if twice.any():
            first = list(self.periods)[int(np.flatnonzero(twice.any(axis=1))[0])]
            raise StudyError(f"{int(twice.any(axis=0).sum())} {self.date} lie in {first} and in a later period that"
                             " began before its end")  # fmt: skip

    def sentence(self, variable: str) -> str:
        spans = ", ".join(f"{name} {span.start} to {span.end}" for name, span in self.periods.items())
        texts = {
            self.to: f"Period in which {self.date} lies: {spans}; missing outside{self.within()}.",
            self.to_number: f"Number of {self.to}.",
            self.to_start: f"First date of {self.to}.",
            self.to_end: f"Last date of {self.to}.",
        }
        return texts[variable]


@keyed("period_variables")
@dataclass(frozen=True, kw_only=True)
class PeriodVariables(Lookup):
    """Set out a dataset with one record a subject and period as variables of the subject, one a period.

    ``period`` is the variable that numbers the periods, ``numbers`` those to take. In the names of the new variables
    xx is the number in two digits (APxxSDT) and w the number in one (PHwSDT). A period that a subject does not have has
    missing values; two records of one period are an error.
    """

    period: OtherNumber
    numbers: tuple[int, ...]
    variables: dict[str, OtherColumn]

    def check(self) -> None:
        for pattern in self.variables:
            if "xx" not in pattern and "w" not in pattern:
                raise StudyError(f"{pattern} needs xx or w in place of the period's number")

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        made: dict[str, Values] = {}
        edges = []
        for one in self.numbers:
            rows = np.flatnonzero(self.found(context) & (self.numbers_in(self.period, context) == one))
            keys = [take(key, rows) for key in self.other_keys(context)]
            if len(np.unique(group_codes(keys))) < len(rows):
                raise StudyError(f"{self.place()} has more than one record of period {one} for the same subject")
            match = matching_rows([columns[name] for name in self.by], keys)
            source = np.where(match < 0, -1, np.append(rows, -1)[match])
            kept = np.flatnonzero(source >= 0)
            for pattern, old in self.variables.items():
                made[_named(pattern, one)] = take(context.variable(self.dataset, old), source)
                edges.append(Edges(kept, _named(pattern, one), self.dataset, source[kept], old))
        return Outcome(made, tuple(edges))

    def also_makes(self) -> dict[str, str]:
        return {_named(pattern, one): "" for one in self.numbers for pattern in self.variables}

    def kind(self, variable: str, kinds: DatasetKinds) -> str:
        return kinds.get(self.dataset, {}).get(self._source(variable)[0], "")

    def sentence(self, variable: str) -> str:
        old, one = self._source(variable)
        return f"{self.place(old)} of the record whose {self.period} is {one}, merged by {listed(self.by)}."

    def inherits(self, variable: str) -> tuple[str, str] | None:
        return self.dataset, self._source(variable)[0]

    def _source(self, variable: str) -> tuple[str, int]:
        return next((old, one) for one in self.numbers for pattern, old in self.variables.items()
                    if _named(pattern, one) == variable)  # fmt: skip


def _named(pattern: str, period: int) -> str:
    return pattern.replace("xx", f"{period:02d}").replace("w", str(period))


@keyed("day_date")
@dataclass(frozen=True, kw_only=True)
class DayDate(Derivation):
    """Date of a study day: ``reference`` is day 1, the day before it day -1, and there is no day 0."""

    reference: DayColumn
    day: int
    to: NewDate

    def check(self) -> None:
        if self.day == 0:
            raise StudyError("there is no day 0; the day before day 1 is day -1")

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        return Outcome({self.to: day(columns, self.reference) + _elapsed(self.day)})

    def sentence(self, variable: str) -> str:
        return f"Date of study day {self.day}, day 1 being {self.reference}{self.within()}."
