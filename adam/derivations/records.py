"""Words that add or number records: extreme_records, summed_records, sequence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from adam.columns.columns import (
    Columns,
    Values,
    among,
    constant,
    number,
    present,
    take,
)
from adam.columns.grouping import (
    first_rows,
    group_codes,
    ordered,
    row_of_group,
)
from adam.language.derivation import (
    AddedRows,
    Derivation,
    DerivationContext,
    Outcome,
    listed,
    word,
)
from metadata.condition import Condition
from metadata.declaration import (
    Column,
    NewColumn,
    OrderColumn,
)


def changed_columns(
    texts: dict[str, str], numbers: dict[str, float], blank: tuple[str, ...], columns: Columns, count: int
) -> dict[str, Values]:
    """Return the columns that new rows have instead of their template's."""
    nothing = np.full(count, -1)
    made = {name: constant(value, count) for name, value in texts.items()}
    made |= {name: constant(value, count) for name, value in numbers.items()}
    return made | {name: take(columns[name], nothing) for name in blank}


@word("extreme_records")
@dataclass(frozen=True, kw_only=True)
class ExtremeRecords(Derivation):
    """Add for each group a record that holds its extreme value: a copy of the record that first attains it.

    ``texts`` and ``numbers`` say what the new record has of its own (its visit, DTYPE), ``blank`` what it does not take
    from the record it copies.
    """

    by: tuple[Column, ...]
    take: Literal["minimum", "maximum"]
    among: Condition
    value: Column = "AVAL"
    order: tuple[OrderColumn, ...] = ("ADT",)
    texts: dict[Column, str] = field(default_factory=dict)
    numbers: dict[Column, float] = field(default_factory=dict)
    blank: tuple[Column, ...] = ()
    type: NewColumn = "DTYPE"

    adds_rows = True

    def add(self, columns: Columns, count: int, context: DerivationContext) -> AddedRows:
        eligible = self.among.holds(columns, count) & present(columns[self.value])
        groups = group_codes([columns[name] for name in self.by])
        order = [(columns[self.value], self.take == "maximum")]
        order += [(columns[name.removeprefix("-")], name.startswith("-")) for name in self.order]
        rows = first_rows(groups, order, eligible)
        position = np.full(count, -1)
        position[rows] = np.arange(len(rows))
        contributing = np.flatnonzero(eligible)
        changed = changed_columns(self.texts, self.numbers, self.blank, columns, len(rows))
        changed[self.type] = constant(self.take.upper(), len(rows))
        attained = position[row_of_group(groups, rows)[contributing]]
        return AddedRows(rows, changed, (attained, contributing))

    def changes(self) -> tuple[str, ...]:
        return (*self.texts, *self.numbers)

    def sentence(self, variable: str) -> str:
        content = {**self.texts, **{name: f"{value:g}" for name, value in self.numbers.items()}}
        return (
            f"{content.get(variable, self.take.upper())} in the added record with the {self.take} of {self.value}"
            f" within {listed(self.by)} among records where {self.among}."
        )


@word("summed_records")
@dataclass(frozen=True, kw_only=True)
class SummedRecords(Derivation):
    """Add for each group a record of a new parameter with the sum of other parameters' values.

    Only groups that have no record of the new parameter with a value get one. ``need`` all: every summand must have a
    value; any: the sum of those that have one. The record is a copy of the group's first summand, with ``texts``,
    ``numbers`` and ``blank`` as in extreme_records.
    """

    by: tuple[Column, ...]
    summands: tuple[str, ...]
    to: str
    need: Literal["all", "any"] = "all"
    parameter: Column = "PARAMCD"
    value: Column = "AVAL"
    texts: dict[Column, str] = field(default_factory=dict)
    numbers: dict[Column, float] = field(default_factory=dict)
    blank: tuple[Column, ...] = ()
    order: tuple[OrderColumn, ...] = ("PARAMN",)

    adds_rows = True

    def add(self, columns: Columns, count: int, context: DerivationContext) -> AddedRows:
        known = present(columns[self.value])
        groups = group_codes([columns[name] for name in self.by])
        size = int(groups.max(initial=-1)) + 1
        summand = among(columns[self.parameter], self.summands) & known
        there = np.bincount(groups[among(columns[self.parameter], [self.to]) & known], minlength=size) > 0
        enough = np.bincount(groups[summand], minlength=size) >= (len(self.summands) if self.need == "all" else 1)
        eligible = summand & (enough & ~there)[groups]
        order = [(columns[name.removeprefix("-")], name.startswith("-")) for name in self.order]
        rows = first_rows(groups, order, eligible)
        contributing = ordered([], np.flatnonzero(eligible), groups)
        totals = np.bincount(groups[eligible], number(columns, self.value)[eligible], minlength=size)
        position = np.full(count, -1)
        position[rows] = np.arange(len(rows))
        texts = {**self.texts, self.parameter: self.to}
        changed = changed_columns(texts, self.numbers, self.blank, columns, len(rows))
        changed[self.value] = totals[groups[rows]]
        return AddedRows(rows, changed, (position[row_of_group(groups, rows)[contributing]], contributing))

    def changes(self) -> tuple[str, ...]:
        return (self.value,)

    def sentence(self, variable: str) -> str:
        known = "all of which have a value" if self.need == "all" else "of those that have a value"
        return f"{self.to}: sum of {self.value} of {listed(self.summands)}, {known}, within {listed(self.by)}."


@word("sequence")
@dataclass(frozen=True, kw_only=True)
class Sequence(Derivation):
    """Number the records of each group from 1, in the given order."""

    by: tuple[Column, ...]
    order: tuple[OrderColumn, ...]
    to: NewColumn = "ASEQ"

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        groups = group_codes([columns[name] for name in self.by])
        order = [(columns[name.removeprefix("-")], name.startswith("-")) for name in self.order]
        rows = ordered(order, np.arange(count), groups)
        first = np.ones(count, bool)
        first[1:] = groups[rows][1:] != groups[rows][:-1]
        start = np.maximum.accumulate(np.where(first, np.arange(count), 0))
        numbers = np.empty(count)
        numbers[rows] = np.arange(count) - start + 1.0
        return Outcome({self.to: numbers})

    def sentence(self, variable: str) -> str:
        return f"Number of the record within {listed(self.by)}, by {listed(self.order)}."
