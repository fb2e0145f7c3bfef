"""A derivation that adds one record of each group as a record of a new parameter: selected_records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from adam.columns.columns import Columns
from adam.columns.grouping import first_rows, group_codes, row_of_group, tied
from adam.language.added_records import ParameterRecords
from adam.language.derivation import AddedRows, DerivationContext, keyed, listed
from adam.language.kinds import KnownParameter
from metadata.declaration import Column, OrderColumn
from metadata.errors import StudyError


@keyed("selected_records")
@dataclass(frozen=True, kw_only=True)
class SelectedRecords(ParameterRecords):
    """Add for each group a copy of one of its records as a record of a new parameter: the first, last, least, greatest.

    Records with a value are looked at, of the parameters ``from_paramcd``, where ``where`` holds. ``first`` and
    ``last`` are by ``order``; of equal extremes the first by ``order`` is taken. Records that are not told apart are an
    error, never a silent choice. ``set`` says what the new record has of its own, ``blank`` what it does not take from
    the record it copies. It has no DTYPE: the parameter says what it is (ADaMIG 1.3, section 4.2).
    """

    by: tuple[Column, ...]
    from_paramcd: tuple[KnownParameter, ...]
    mode: Literal["first", "last", "minimum", "maximum"]
    order: tuple[OrderColumn, ...]

    def add(self, columns: Columns, count: int, context: DerivationContext) -> AddedRows:
        eligible = self.eligible(columns, count, self.from_paramcd)
        groups = group_codes([columns[name] for name in self.by])
        order = [(columns[name.removeprefix("-")], name.startswith("-")) for name in self.order]
        if self.mode == "last":
            order = [(values, not descending) for values, descending in order]
        if self.mode in ("minimum", "maximum"):
            order.insert(0, (columns[self.value], self.mode == "maximum"))
        rows = first_rows(groups, order, eligible)
        if tied(groups, order, rows, eligible).any():
            raise StudyError(f"{self.paramcd}: several records are the {self.mode} within {listed(self.by)}; add a"
                             " variable to 'order' that tells them apart")  # fmt: skip
        position = np.full(count, -1)
        position[rows] = np.arange(len(rows))
        contributing = np.flatnonzero(eligible)
        chosen = position[row_of_group(groups, rows)[contributing]]
        return AddedRows(rows, self.changed(columns, len(rows)), (chosen, contributing))

    def sentence(self, variable: str) -> str:
        if fixed := self.fixed(variable):
            return fixed
        of = f"{listed(self.from_paramcd)}{self.narrowed()} within {listed(self.by)}"
        if self.mode in ("first", "last"):
            return f"{self.paramcd}: copy of the {self.mode} record by {listed(self.order)} of {of}."
        return f"{self.paramcd}: copy of the record with the {self.mode} {self.value} of {of}."
