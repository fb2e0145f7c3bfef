"""Words that flag records: flag, flag_one, criterion, treatment_emergent, on_treatment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adam.columns import Columns, constant, flagged, number
from adam.derivation import Context, Derivation, Outcome, listed, word
from adam.grouping import first_rows, group_codes
from adam.language import Column, Condition, NewColumn, OrderColumn


@word("flag")
@dataclass(frozen=True, kw_only=True)
class Flag(Derivation):
    """Y where a condition holds, else ``otherwise`` (N for populations, missing for record flags)."""

    to: NewColumn
    holds: Condition
    value: str = "Y"
    otherwise: str = ""

    def derive(self, columns: Columns, count: int, context: Context) -> Outcome:
        return Outcome({self.to: flagged(self.holds.holds(columns, count), self.value, self.otherwise)})

    def sentence(self, variable: str) -> str:
        return f"{self.value} if {self.holds}, else {self.otherwise or 'missing'}{self.within()}."


@word("flag_one")
@dataclass(frozen=True, kw_only=True)
class FlagOne(Derivation):
    """Y for the first record of each group in the given order among those for which ``among`` holds, else missing.

    A leading - sorts descending, so that ``[-ASEVN, ASTDT]`` flags the first record of greatest severity.
    """

    to: NewColumn
    by: tuple[Column, ...]
    order: tuple[OrderColumn, ...]
    among: Condition | None = None

    def derive(self, columns: Columns, count: int, context: Context) -> Outcome:
        eligible = self.among.holds(columns, count) if self.among else np.ones(count, bool)
        order = [(columns[name.removeprefix("-")], name.startswith("-")) for name in self.order]
        flags = np.zeros(count, bool)
        flags[first_rows(group_codes([columns[name] for name in self.by]), order, eligible)] = True
        return Outcome({self.to: flagged(flags)})

    def sentence(self, variable: str) -> str:
        order = [f"{name.removeprefix('-')}{' (descending)' if name.startswith('-') else ''}" for name in self.order]
        among = f" among records where {self.among}" if self.among else ""
        return f"Y for the first record by {listed(order)} within {listed(self.by)}{among}; else missing."


@word("criterion")
@dataclass(frozen=True, kw_only=True)
class Criterion(Derivation):
    """Criterion y of a BDS dataset: its text, and Y or N, in the records that ``when`` selects (ADaMIG 1.3, 3.3.4)."""

    text: str
    holds: Condition
    to: NewColumn
    flag: NewColumn

    def derive(self, columns: Columns, count: int, context: Context) -> Outcome:
        return Outcome(
            {
                self.to: constant(self.text, count),
                self.flag: flagged(self.holds.holds(columns, count), false="N"),
            }
        )

    def sentence(self, variable: str) -> str:
        if variable == self.to:
            return f"'{self.text}'{self.within()}."
        return f"Y if {self.holds}, else N{self.within()}."


@word("treatment_emergent")
@dataclass(frozen=True, kw_only=True)
class TreatmentEmergent(Derivation):
    """Y for an event that starts on or after first treatment and no later than ``days`` after the last.

    An event that began before treatment counts if it became worse (``initial`` below ``worst``) and did not end before
    treatment. An event without a start date counts unless it ended before treatment: nothing shows that it did not
    emerge. Without a first treatment nothing is emergent; without a last one treatment is going on.
    """

    start: Column = "ASTDT"
    end: Column = "AENDT"
    treatment_start: Column = "TRTSDT"
    treatment_end: Column = "TRTEDT"
    days: int = 30
    initial: Column | None = None
    worst: Column | None = None
    to: NewColumn = "TRTEMFL"

    def derive(self, columns: Columns, count: int, context: Context) -> Outcome:
        names = (self.start, self.end, self.treatment_start, self.treatment_end)
        start, end, first, last = (number(columns, name) for name in names)
        with np.errstate(invalid="ignore"):
            in_time = (start >= first) & ~(start > last + self.days)
            open_ended = ~(end < first) & ~np.isnan(first)
        emergent = in_time | (np.isnan(start) & open_ended)
        if self.initial and self.worst:
            with np.errstate(invalid="ignore"):
                worse = number(columns, self.initial) < number(columns, self.worst)
                emergent |= (start < first) & open_ended & worse
        return Outcome({self.to: flagged(emergent)})

    def sentence(self, variable: str) -> str:
        text = f"Y if {self.start} is on or after {self.treatment_start} and at most {self.days} days after"
        text += f" {self.treatment_end}, or {self.start} is missing and {self.end} is not before {self.treatment_start}"
        if self.initial and self.worst:
            text += f", or {self.worst} exceeds {self.initial} in an event that began before treatment and did not end"
            text += " before it"
        return f"{text}; else missing."


@word("on_treatment")
@dataclass(frozen=True, kw_only=True)
class OnTreatment(Derivation):
    """Y for a record dated after the baseline period and no later than ``days`` after last treatment.

    ``baseline_day`` true leaves out the day of first treatment, whose untimed values belong to baseline.
    """

    date: Column = "ADT"
    treatment_start: Column = "TRTSDT"
    treatment_end: Column = "TRTEDT"
    days: int = 30
    baseline_day: bool = True
    to: NewColumn = "ONTRTFL"

    def derive(self, columns: Columns, count: int, context: Context) -> Outcome:
        date, first, last = (number(columns, n) for n in (self.date, self.treatment_start, self.treatment_end))
        with np.errstate(invalid="ignore"):
            begun = date > first if self.baseline_day else date >= first
            return Outcome({self.to: flagged(begun & ~(date > last + self.days))})

    def sentence(self, variable: str) -> str:
        begun = "after" if self.baseline_day else "on or after"
        return (
            f"Y if {self.date} is {begun} {self.treatment_start} and at most {self.days} days after"
            f" {self.treatment_end}; else missing."
        )
