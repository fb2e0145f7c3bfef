"""Derivations that add or number records: extreme_records, summed_records, sequence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from adam.columns.columns import Columns, Values, among, constant, number, present
from adam.columns.grouping import (
    first_rows,
    group_codes,
    ordered,
    row_of_group,
    tied,
)
from adam.language.added_records import AddedRecords, SummaryParameter
from adam.language.derivation import (
    AddedRows,
    Derivation,
    DerivationContext,
    Outcome,
    keyed,
    listed,
)
from adam.language.kinds import NewNumber, Several
from metadata.condition import Condition
from metadata.declaration import (
    Column,
    OrderColumn,
)
from metadata.errors import StudyError
from metadata.units import significant
from metadata.variable_kind import CHAR


@keyed("extreme_records")
@dataclass(frozen=True, kw_only=True)
class ExtremeRecords(AddedRecords):
    """Add for each group a copy of its record with the least or greatest value, or of its first or last with a value.

    Of equal extremes the first by ``order`` is taken; records that ``order`` does not tell apart are an error, never a
    silent choice. The records for which ``where`` holds are looked at. ``set`` says what the new record has of its own
    (its visit), ``blank`` what it does not take from the record it copies. DTYPE is MINIMUM or MAXIMUM, or what
    ``dtype`` says (LOV, last observed value); first and last need it.
    """

    by: tuple[Column, ...]
    mode: Literal["minimum", "maximum", "first", "last"]
    where: Condition
    dtype: str = ""
    value: Column = "AVAL"
    order: tuple[OrderColumn, ...] = ("ADT",)
    blank: tuple[Column, ...] = ()

    def check(self) -> None:
        if self.mode in ("first", "last") and not self.dtype:
            raise StudyError(f"mode {self.mode} needs 'dtype', the DTYPE of the added records, such as LOV")

    def add(self, columns: Columns, count: int, context: DerivationContext) -> AddedRows:
        eligible = self.where.holds(columns, count) & present(columns[self.value])
        groups = group_codes([columns[name] for name in self.by])
        order = self._order(columns)
        rows = first_rows(groups, order, eligible)
        if tied(groups, order, rows, eligible).any():
            raise StudyError(f"several records are the {self.mode} within {listed(self.by)} at one place of the order;"
                             " add a variable to 'order' that tells them apart")  # fmt: skip
        position = np.full(count, -1)
        position[rows] = np.arange(len(rows))
        contributing = np.flatnonzero(eligible)
        changed = {**self.changed(columns, len(rows), self.blank), "DTYPE": constant(self._dtype(), len(rows))}
        attained = position[row_of_group(groups, rows)[contributing]]
        return AddedRows(rows, changed, (attained, contributing))

    def _order(self, columns: Columns) -> list[tuple[Values, bool]]:
        """Return what puts the record first that is copied."""
        written = [(columns[name.removeprefix("-")], name.startswith("-")) for name in self.order]
        if self.mode == "last":
            return [(values, not descending) for values, descending in written]
        value = [] if self.mode == "first" else [(columns[self.value], self.mode == "maximum")]
        return [*value, *written]

    def _dtype(self) -> str:
        return self.dtype or self.mode.upper()

    def also_makes(self) -> dict[str, str]:
        return {"DTYPE": CHAR}

    def sentence(self, variable: str) -> str:
        value = self.own_texts().get(variable, self._dtype())
        in_order = self.mode in ("first", "last")
        which = (
            f"of the {self.mode} {self.value} by {listed(self.order)}"
            if in_order
            else f"with the {self.mode} of {self.value}"
        )
        return f"{value} in the added record {which} within {listed(self.by)} among records where {self.where}."


@keyed("summed_records")
@dataclass(frozen=True, kw_only=True)
class SummedRecords(SummaryParameter):
    """Add for each group a record of a new parameter with the sum of other parameters' values.

    Only groups that have no record of the new parameter with a value get one. ``need`` is how many of the summands must
    have a value, all of them unless it is given; one that has two records in a group is an error. The record has what
    the summands agree in, with ``keep_first``, ``keep_last``, ``set`` and ``blank`` as in summary_records; what else
    they differ in is missing.
    """

    need: Several | None = None

    def check(self) -> None:
        super().check()
        if self.need and self.need > len(self.from_paramcd):
            raise StudyError(f"need is at most the number of summands, {len(self.from_paramcd)}")

    def add(self, columns: Columns, count: int, context: DerivationContext) -> AddedRows:
        groups = group_codes([columns[name] for name in self.by])
        size = int(groups.max(initial=-1)) + 1
        summand = self.eligible(columns, count, self.from_paramcd)
        known = among(columns["PARAMCD"], [self.paramcd]) & present(columns[self.value])
        there = np.bincount(groups[known], minlength=size) > 0
        least = len(self.from_paramcd) if self.need is None else self.need
        enough = np.bincount(groups[summand], minlength=size) >= least
        eligible = summand & (enough & ~there)[groups]
        self.check_twice(columns, groups, eligible)
        totals = np.bincount(groups[eligible], number(columns, self.value)[eligible], minlength=size)
        return self.summarised(columns, groups, eligible, significant(totals))

    def changes(self) -> tuple[str, ...]:
        return (self.value, *self.keep_first, *self.keep_last)

    def sentence(self, variable: str) -> str:
        if place := self.taken(variable):
            return place
        known = "of those that have a value" if self.need == 1 else f"if at least {self.need} have a value"
        known = "all of which have a value" if self.need is None else known
        summands = f"{listed(self.from_paramcd)}{self.narrowed()}"
        return f"{self.paramcd}: sum of {self.value} of {summands}, {known}, within {listed(self.by)}."


@keyed("sequence")
@dataclass(frozen=True, kw_only=True)
class Sequence(Derivation):
    """Number the records of each group from 1, in the given order, a missing value first as in the finished dataset.

    Records that ``order`` does not tell apart are an error, never a silent choice.
    """

    by: tuple[Column, ...]
    order: tuple[OrderColumn, ...]
    to: NewNumber = "ASEQ"

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        groups = group_codes([columns[name] for name in self.by])
        order = [(columns[name.removeprefix("-")], name.startswith("-")) for name in self.order]
        if len(np.unique(group_codes([groups.astype(float), *(values for values, _ in order)]))) < count:
            raise StudyError(
                f"several records have one place within {listed(self.by)};"
                " add a variable to 'order' that tells them apart"
            )
        rows = ordered(order, np.arange(count), groups, missing_first=True)
        first = np.ones(count, bool)
        first[1:] = groups[rows][1:] != groups[rows][:-1]
        start = np.maximum.accumulate(np.where(first, np.arange(count), 0))
        numbers = np.empty(count)
        numbers[rows] = np.arange(count) - start + 1.0
        return Outcome({self.to: numbers})

    def sentence(self, variable: str) -> str:
        return f"Number of the record within {listed(self.by)}, by {listed(self.order)}."
