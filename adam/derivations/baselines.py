"""Derivations about baseline: baseline, change, shift."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from adam.columns.columns import (
    Columns,
    Values,
    among,
    comparable,
    day,
    flagged,
    number,
    numbers_as_text,
    present,
    take,
)
from adam.columns.grouping import first_rows, group_codes, row_of_group
from adam.language.derivation import (
    Derivation,
    DerivationContext,
    Outcome,
    keyed,
    listed,
)
from adam.language.kinds import DayColumn, NewNumber, NewText, NumberColumn, ValueColumn
from metadata.coded_text import CodedText
from metadata.condition import Condition
from metadata.dataset import Edges
from metadata.declaration import (
    Column,
    NewColumn,
    OrderColumn,
)
from metadata.errors import StudyError
from metadata.units import significant


@keyed("baseline")
@dataclass(frozen=True, kw_only=True)
class Baseline(Derivation):
    """Find the last record with a value before treatment, flag it, and give its values to all records of the group.

    A record counts if its date is before ``reference``, or on that day; with ``visitnum``, of that day only if
    study.yaml calls the visit of that number predose, so that the flag agrees with --LOBXFL (SDTMIG 3.3). Two datetimes
    are set against each other by their moment, a datetime and a date by day. ``variables`` are the new variables and
    those of the baseline record that they copy. Where ``value`` names several variables, a record counts if one of them
    has a value. Rows derived later are not looked at; ``where`` narrows the records. Last records that date and
    ``order`` do not tell apart are an error if they differ in what is taken, never a silent choice. With ``to_flag``
    null nothing is flagged: so a grade that depends on the baseline gets its own baseline value by a second derivation.
    """

    by: tuple[Column, ...]
    date: DayColumn
    reference: DayColumn
    value: tuple[Column, ...]
    to_flag: NewText | None = "ABLFL"
    variables: dict[NewColumn, Column] = field(default_factory=dict)
    order: tuple[OrderColumn, ...] = ()
    visitnum: NumberColumn | None = None
    where: Condition | None = None

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        groups = group_codes([columns[name] for name in self.by])
        eligible = self._eligible(columns, count, context)
        rows = first_rows(groups, self._latest_first(columns), eligible)
        self._check_ties(columns, groups, rows, eligible)
        record = row_of_group(groups, rows)
        made = {new: take(columns[old], record) for new, old in self.variables.items()}
        filled = {new: np.flatnonzero(present(made[new])) for new, old in self.variables.items() if old in self.value}
        edges = tuple(Edges(kept, new, "", record[kept], self.variables[new]) for new, kept in filled.items())
        flags = np.zeros(count, bool)
        flags[rows] = True
        return Outcome(({self.to_flag: flagged(flags)} if self.to_flag else {}) | made, edges)

    def _check_ties(self, columns: Columns, groups: np.ndarray, rows: np.ndarray, eligible: np.ndarray) -> None:
        """Raise StudyError where several records are the last of a group and hold different values."""
        place = group_codes([groups.astype(float), *(values for values, _ in self._latest_first(columns))])
        chosen = np.zeros(len(place), bool)
        chosen[place[rows]] = True
        last = np.flatnonzero(eligible & chosen[place])
        if len(last) == len(rows):
            return
        taken = [take(columns[name], last) for name in dict.fromkeys([*self.value, *self.variables.values()])]
        if len(np.unique(group_codes([place[last].astype(float), *taken]))) > len(rows):
            raise StudyError(
                f"several records are the last before {self.reference} within {listed(self.by)} and differ;"
                " add a variable to 'order' that tells them apart"
            )

    def _latest_first(self, columns: Columns) -> list[tuple[Values, bool]]:
        names = [name.removeprefix("-") for name in self.order]
        turned = [not name.startswith("-") for name in self.order]
        return [(columns[self.date], True), *((columns[name], down) for name, down in zip(names, turned, strict=True))]

    def _eligible(self, columns: Columns, count: int, context: DerivationContext) -> np.ndarray:
        moment, start = comparable(columns, (self.date, self.reference))
        on_day = day(columns, self.date) == day(columns, self.reference) if self.visitnum else moment == start
        if self.visitnum:
            visits = context.study.visits
            predose = [visit.visitnum for visit in visits if visit.predose and visit.visitnum is not None]
            on_day &= among(columns[self.visitnum], predose)
        eligible = (moment < start) | on_day
        eligible &= np.any([present(columns[name]) for name in self.value], axis=0)
        return eligible & self.where.holds(columns, count) if self.where else eligible

    def inherits(self, variable: str) -> tuple[str, str] | None:
        return ("", self.variables[variable]) if variable in self.variables else None

    def sentence(self, variable: str) -> str:
        same_day = (
            f", or on that day at a {self.visitnum} planned before the dose" if self.visitnum else " or on that day"
        )
        group = f"the last record by {self.date} with {' or '.join(self.value)} not missing before {self.reference}"
        group += f"{same_day}, within {listed(self.by)}"
        if variable == self.to_flag:
            return f"Y for {group}; else missing."
        return f"{self.variables[variable]} of the baseline record ({group})."


@keyed("change")
@dataclass(frozen=True, kw_only=True)
class Change(Derivation):
    """Change from baseline, and percent change: of the baseline's absolute value, missing where that is 0."""

    value: NumberColumn = "AVAL"
    base: NumberColumn = "BASE"
    to: NewNumber = "CHG"
    to_percent: NewNumber | None = None

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        value, base = number(columns, self.value), number(columns, self.base)
        difference = value - base
        made: dict[str, Values] = {self.to: _free_of_noise(difference, value, base)}
        if self.to_percent:
            with np.errstate(divide="ignore", invalid="ignore"):
                percent = np.where(base == 0, np.nan, 100 * difference / np.abs(base))
            made[self.to_percent] = significant(percent)
        return Outcome(made)

    def sentence(self, variable: str) -> str:
        if variable == self.to_percent:
            return f"100 * ({self.value} - {self.base}) / |{self.base}|, missing if {self.base} is 0{self.within()}."
        return f"{self.value} - {self.base}{self.within()}."


def _free_of_noise(difference: np.ndarray, value: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Round a difference to twelve digits of its larger term, so that 1.32 - 1.5 is -0.18."""
    size = np.fmax(np.abs(value), np.abs(base))
    exponent = np.floor(np.log10(np.where(size > 0, size, 1.0)))
    scale = np.power(10.0, np.clip(12 - exponent, -300, 300))
    return np.where(np.isnan(difference), np.nan, np.round(difference * scale) / scale + 0.0)


@keyed("shift")
@dataclass(frozen=True, kw_only=True)
class Shift(Derivation):
    """Write two values as one text, such as baseline and later grade; missing unless both are there.

    With ``if_missing`` that text, such as NULL, is written for a missing one (as admiral's derive_var_shift does).
    """

    start: ValueColumn
    end: ValueColumn
    to: NewText = "SHIFT1"
    separator: str = " to "
    if_missing: str | None = None

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        start, end = (
            _texts(columns[name]).map(lambda text: text or self.if_missing or "") for name in (self.start, self.end)
        )
        return Outcome({self.to: start.join(end, self.separator).where(start.present() & end.present())})

    def sentence(self, variable: str) -> str:
        empty = f"{self.if_missing} for a missing one" if self.if_missing else "if neither is missing"
        return f"{self.start}, '{self.separator.strip()}' and {self.end}, {empty}{self.within()}."


def _texts(values: Values) -> CodedText:
    return values if isinstance(values, CodedText) else numbers_as_text(values)
