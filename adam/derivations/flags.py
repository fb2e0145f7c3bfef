"""Derivations that flag records: flag, flag_one, criterion, treatment_emergent, on_treatment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from adam.columns.columns import Columns, comparable, constant, day, flagged, number, present
from adam.columns.grouping import first_rows, group_codes, ordered, tied
from adam.language.derivation import (
    Derivation,
    DerivationContext,
    Outcome,
    keyed,
    listed,
)
from adam.language.kinds import DayColumn, Days, NewText, NumberColumn
from metadata.condition import Condition
from metadata.declaration import (
    Column,
    OrderColumn,
)
from metadata.errors import StudyError


@keyed("flag")
@dataclass(frozen=True, kw_only=True)
class Flag(Derivation):
    """``text`` where ``condition`` holds, else ``otherwise`` (N for populations, missing for record flags)."""

    to: NewText
    condition: Condition
    text: str = "Y"
    otherwise: str = ""

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        return Outcome({self.to: flagged(self.condition.holds(columns, count), self.text, self.otherwise)})

    def sentence(self, variable: str) -> str:
        return f"{self.text} if {self.condition}, else {self.otherwise or 'missing'}{self.within()}."


@keyed("flag_one")
@dataclass(frozen=True, kw_only=True)
class FlagOne(Derivation):
    """Y for the first record of each group in the given order among those for which ``where`` holds, else missing.

    A leading - sorts descending, so that ``[-ASEVN, ASTDT]`` flags the first record of greatest severity. Records that
    ``order`` does not tell apart are an error, never a silent choice.
    """

    to: NewText
    by: tuple[Column, ...]
    order: tuple[OrderColumn, ...]
    where: Condition | None = None

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        eligible = self.where.holds(columns, count) if self.where else np.ones(count, bool)
        order = [(columns[name.removeprefix("-")], name.startswith("-")) for name in self.order]
        flags, groups = np.zeros(count, bool), group_codes([columns[name] for name in self.by])
        rows = first_rows(groups, order, eligible)
        if tied(groups, order, rows, eligible).any():
            raise StudyError(
                f"several records come first within {listed(self.by)}; add a variable to 'order' that tells them apart"
            )
        flags[rows] = True
        return Outcome({self.to: flagged(flags)})

    def sentence(self, variable: str) -> str:
        order = [f"{name.removeprefix('-')}{' (descending)' if name.startswith('-') else ''}" for name in self.order]
        among = f" among records where {self.where}" if self.where else ""
        return f"Y for the first record by {listed(order)} within {listed(self.by)}{among}; else missing."


@keyed("criterion")
@dataclass(frozen=True, kw_only=True)
class Criterion(Derivation):
    """Criterion y of a BDS dataset: its ``text``, and Y or N by ``condition``, in the records that ``when`` selects.

    Where a variable that the condition tests has no value, and the others do not decide, the flag is ``if_missing``:
    missing, unless the study asks for N.
    """

    text: str
    condition: Condition
    to: NewText
    to_flag: NewText
    if_missing: str = ""

    def check(self) -> None:
        if self.if_missing not in ("", "N"):
            raise StudyError(f"if_missing is N, or left out for a missing flag; not '{self.if_missing}'")

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        met = flagged(self.condition.holds(columns, count), false="N")
        if not self.if_missing:
            met = met.where(~self.condition.undecided(columns, count))
        return Outcome({self.to: constant(self.text, count), self.to_flag: met})

    def sentence(self, variable: str) -> str:
        if variable == self.to:
            return f"'{self.text}'{self.within()}."
        unknown = "" if self.if_missing else "; missing where a missing value leaves that open"
        return f"Y if {self.condition}, else N{unknown}{self.within()}."


@keyed("treatment_emergent")
@dataclass(frozen=True, kw_only=True)
class TreatmentEmergent(Derivation):
    """Y for an event that starts on or after first treatment and no later than ``days`` after the last.

    An event that ended before treatment, and one of a subject without a first treatment, never counts. An event without
    a start date counts: nothing shows that it did not emerge. An event that began before treatment counts if it became
    worse (``initial`` below ``worst``); ``unknown`` worse says that it also does if one of the two is missing. Without
    a last treatment, or with ``days`` null, there is no latest day. Where an event is recorded in several lines, ``by``
    names what they have in common: a line counts as new only if none of its group began before treatment, and
    as worse if ``worst`` exceeds that of the line before, it and all later lines. A line in which one of ``by`` is
    missing is an event of its own. Datetimes are set against each other by their moment, and by day if one of them is a
    date; ``days`` are counted from day to day. The same rules as admiral's derive_var_trtemfl, whose default has no
    latest day.
    """

    start: DayColumn = "ASTDT"
    end: DayColumn = "AENDT"
    treatment_start: DayColumn = "TRTSDT"
    treatment_end: DayColumn = "TRTEDT"
    days: Days | None = 30
    initial: NumberColumn | None = None
    worst: NumberColumn | None = None
    unknown: Literal["same", "worse"] = "same"
    by: tuple[Column, ...] = ()
    to: NewText = "TRTEMFL"

    def check(self) -> None:
        if self.worst and not (self.initial or self.by):
            raise StudyError("worst needs initial, or 'by' for the lines of an event, to be compared with")
        if self.initial and not self.worst:
            raise StudyError("initial needs worst, the severity with which it is compared")

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        start, first = comparable(columns, (self.start, self.treatment_start))
        late = after(columns, self.start, self.treatment_end, self.days)
        with np.errstate(invalid="ignore"):
            before = start < first
        possible = ~np.isnan(first) & ~ended_before(columns, self.end, self.treatment_start)
        groups = self._events(columns, count)
        old = np.bincount(groups[before], minlength=int(groups.max(initial=-1)) + 1)[groups] > 0
        emergent = np.isnan(start) | (~old & ~late) | self._worse(columns, groups, start, before)
        return Outcome({self.to: flagged(possible & emergent)})

    def _events(self, columns: Columns, count: int) -> np.ndarray:
        """Return one number for each event: of lines that ``by`` joins the same, of all other lines their own."""
        if not self.by:
            return np.arange(count)
        named = np.all([present(columns[name]) for name in self.by], axis=0)
        groups = group_codes([columns[name] for name in self.by])
        return group_codes([np.where(named, groups, -1.0 - np.arange(count))])

    def _worse(self, columns: Columns, groups: np.ndarray, start: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Return True for events that became worse on treatment."""
        if not self.worst:
            return np.zeros(len(start), bool)
        worst = number(columns, self.worst)
        if self.by:
            return self._worse_in_group(worst, groups, start, before)
        assert self.initial, "check has seen to it"
        initial = number(columns, self.initial)
        with np.errstate(invalid="ignore"):
            worse = initial < worst
        return before & (worse | (np.isnan(initial + worst) & (self.unknown == "worse")))

    def _worse_in_group(
        self, worst: np.ndarray, groups: np.ndarray, start: np.ndarray, before: np.ndarray
    ) -> np.ndarray:
        rows = ordered([(start, False)], np.arange(len(start)), groups)
        same = np.append(False, groups[rows][1:] == groups[rows][:-1])
        with np.errstate(invalid="ignore"):
            rises = same & (worst[rows] > np.append(np.nan, worst[rows][:-1]))
        rises &= ~before[rows] & ~np.isnan(start[rows])
        since = np.cumsum(rises)
        begun = np.maximum.accumulate(np.where(same, 0, since - rises))
        worse = np.zeros(len(start), bool)
        worse[rows] = since > begun
        return worse

    def sentence(self, variable: str) -> str:
        until = f" and at most {self.days} days after {self.treatment_end}" if self.days is not None else ""
        text = f"Y if {self.start} is on or after {self.treatment_start}{until}"
        text += f", or {self.start} is missing and {self.end} is not before {self.treatment_start}"
        if self.by:
            text += f"; lines of one {listed(self.by)} are one event, which begins with the first"
        if self.worst:
            against = self.initial or "that of the line before"
            text += f", or {self.worst} exceeds {against} in an event that began before treatment and did not end"
            text += " before it"
        return f"{text}; else missing."


@keyed("on_treatment")
@dataclass(frozen=True, kw_only=True)
class OnTreatment(Derivation):
    """Y for a record dated after the baseline period and no later than ``days`` after last treatment.

    ``skip_first_day`` leaves out the day of first treatment, whose untimed values belong to baseline; where it is
    false, records of that day for which ``before_dose`` holds are left out. ``end`` names the end of an event: one that
    ended before treatment is not on it. ``span`` also counts an event that began before treatment and did not end
    before it. A record without a date counts or not as ``undated`` says. ``days`` null sets no latest day. admiral's
    derive_var_ontrtfl has skip_first_day false, days 0 and undated true. Datetimes are set against each other by their
    moment, and by day if one of them is a date; ``days`` are counted from day to day.
    """

    date: DayColumn = "ADT"
    end: DayColumn | None = None
    treatment_start: DayColumn = "TRTSDT"
    treatment_end: DayColumn = "TRTEDT"
    days: Days | None = 30
    skip_first_day: bool = True
    before_dose: Condition | None = None
    span: bool = False
    undated: bool = False
    to: NewText = "ONTRTFL"

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        date, first = comparable(columns, (self.date, self.treatment_start))
        on_day, first_day = day(columns, self.date), day(columns, self.treatment_start)
        with np.errstate(invalid="ignore"):
            late = after(columns, self.date, self.treatment_end, self.days)
            begun = on_day > first_day if self.skip_first_day else date >= first
            if self.before_dose:
                begun &= ~((on_day == first_day) & self.before_dose.holds(columns, count))
            spanning = (date < first) if self.span else np.zeros(count, bool)
            counts = (begun & ~late) | spanning | (np.isnan(date) & ~np.isnan(first) & self.undated)
        if self.end:
            counts &= ~ended_before(columns, self.end, self.treatment_start)
        return Outcome({self.to: flagged(counts)})

    def sentence(self, variable: str) -> str:
        begun = "after" if self.skip_first_day else "on or after"
        until = f" and at most {self.days} days after {self.treatment_end}" if self.days is not None else ""
        text = f"Y if {self.date} is {begun} {self.treatment_start}{until}"
        text += f", or before it and {self.end or 'the end'} is not" if self.span else ""
        text += f", or {self.date} is missing" if self.undated else ""
        text += f", unless on that day {self.before_dose}" if self.before_dose else ""
        return f"{text}; else missing."


def after(columns: Columns, date: str, last: str, days: int | None) -> np.ndarray:
    """Return True where a date is more than ``days`` days after another; nowhere if ``days`` is None."""
    if days is None:
        return np.zeros(len(columns[date]), bool)
    with np.errstate(invalid="ignore"):
        return np.asarray(day(columns, date) > day(columns, last) + days)


def ended_before(columns: Columns, end: str, start: str) -> np.ndarray:
    """Return True where a date is before another one, set against each other as ``comparable`` does."""
    last, first = comparable(columns, (end, start))
    with np.errstate(invalid="ignore"):
        return np.asarray(last < first)
