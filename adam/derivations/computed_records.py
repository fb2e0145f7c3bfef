"""Words that add records computed from others: summary_records, computed_records, transformed_records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from adam.columns.columns import (
    Columns,
    among,
    constant,
    number,
    present,
)
from adam.columns.grouping import (
    first_rows,
    group_codes,
    ordered,
    row_of_group,
)
from adam.derivations.merging import aggregated
from adam.derivations.records import changed_columns
from adam.language.derivation import (
    AddedRows,
    Derivation,
    DerivationContext,
    listed,
    word,
)
from metadata.condition import Condition
from metadata.declaration import (
    Column,
    NewColumn,
    OrderColumn,
)
from metadata.errors import StudyError
from metadata.units import significant


@word("summary_records")
@dataclass(frozen=True, kw_only=True)
class SummaryRecords(Derivation):
    """Add for each group a record of a new parameter that summarises the values of other parameters' records.

    A group gets one if at least ``need`` of its records have a value. The record is a copy of the group's first one,
    with ``texts``, ``numbers`` and ``blank`` as in extreme_records. Where ``to`` is a parameter of its own, DTYPE stays
    missing (ADaMIG 1.3, section 4.2); for a summary within the same parameter ``type`` names the variable that says how
    it was made (DTYPE: AVERAGE, MINIMUM, MAXIMUM, else the function).
    """

    by: tuple[Column, ...]
    of: tuple[str, ...]
    to: str
    function: Literal["sum", "mean", "median", "minimum", "maximum", "count"]
    need: int = 1
    among: Condition | None = None
    parameter: Column = "PARAMCD"
    value: Column = "AVAL"
    texts: dict[Column, str] = field(default_factory=dict)
    numbers: dict[Column, float] = field(default_factory=dict)
    blank: tuple[Column, ...] = ()
    order: tuple[OrderColumn, ...] = ("PARAMN",)
    type: NewColumn | None = None

    adds_rows = True

    def add(self, columns: Columns, count: int, context: DerivationContext) -> AddedRows:
        groups = group_codes([columns[name] for name in self.by])
        size = int(groups.max(initial=-1)) + 1
        eligible = self._eligible(columns, count)
        eligible &= (np.bincount(groups[eligible], minlength=size) >= self.need)[groups]
        order = [(columns[name.removeprefix("-")], name.startswith("-")) for name in self.order]
        rows = first_rows(groups, order, eligible)
        totals = aggregated(self.function, groups[eligible], number(columns, self.value)[eligible], size)
        changed = changed_columns({**self.texts, self.parameter: self.to}, self.numbers, self.blank, columns, len(rows))
        changed[self.value] = significant(totals[groups[rows]])
        if self.type:
            changed[self.type] = constant(self._kind(), len(rows))
        position = np.full(count, -1)
        position[rows] = np.arange(len(rows))
        contributing = ordered([], np.flatnonzero(eligible), groups)
        return AddedRows(rows, changed, (position[row_of_group(groups, rows)[contributing]], contributing))

    def _eligible(self, columns: Columns, count: int) -> np.ndarray:
        eligible = among(columns[self.parameter], self.of) & present(columns[self.value])
        return eligible & self.among.holds(columns, count) if self.among else eligible

    def _kind(self) -> str:
        return {"mean": "AVERAGE"}.get(self.function, self.function.upper())

    def changes(self) -> tuple[str, ...]:
        return (self.value, *self.texts, *self.numbers)

    def sentence(self, variable: str) -> str:
        content = {**self.texts, **{name: f"{value:g}" for name, value in self.numbers.items()}}
        if variable in content:
            return f"'{content[variable]}' in the added records of {self.to}."
        if variable == self.type:
            return f"{self._kind()} in the added records of {self.to}."
        where = f" where {self.among}" if self.among else ""
        least = f", if at least {self.need} have a value" if self.need > 1 else ""
        return (
            f"{self.to}: {self.function} of {self.value} of {listed(self.of)}{where} within {listed(self.by)}{least}."
        )


@word("computed_records")
@dataclass(frozen=True, kw_only=True)
class ComputedRecords(Derivation):
    """Add for each group a record of a new parameter computed from one record of each of several other parameters.

    ``powers`` multiplies their values, each to its power (``{WEIGHT: 1, HEIGHT: -2}``), ``weights`` adds them, each
    times its weight; the result is multiplied by ``scale``. A group that lacks one of the parameters, or whose result
    is no number, gets no record; one that has a parameter twice is an error. The record is a copy of that of the
    parameter named first, with ``texts``, ``numbers`` and ``blank`` as in extreme_records; it has no DTYPE.
    """

    by: tuple[Column, ...]
    to: str
    powers: dict[str, float] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    scale: float = 1.0
    among: Condition | None = None
    parameter: Column = "PARAMCD"
    value: Column = "AVAL"
    texts: dict[Column, str] = field(default_factory=dict)
    numbers: dict[Column, float] = field(default_factory=dict)
    blank: tuple[Column, ...] = ()

    adds_rows = True

    def check(self) -> None:
        if bool(self.powers) == bool(self.weights):
            raise StudyError("write either powers, to multiply, or weights, to add")

    def add(self, columns: Columns, count: int, context: DerivationContext) -> AddedRows:
        groups = group_codes([columns[name] for name in self.by])
        eligible = present(columns[self.value])
        eligible &= self.among.holds(columns, count) if self.among else True
        terms = self.powers or self.weights
        places = np.vstack([self._rows(columns, groups, eligible, code) for code in terms])
        places = places[:, (places >= 0).all(axis=0)]
        values = number(columns, self.value)[places]
        factors = np.array(list(terms.values()))[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            made = (values**factors).prod(axis=0) if self.powers else (values * factors).sum(axis=0)
        kept = np.isfinite(made)
        places, rows = places[:, kept], places[0, kept]
        changed = changed_columns({**self.texts, self.parameter: self.to}, self.numbers, self.blank, columns, len(rows))
        changed[self.value] = significant(self.scale * made[kept])
        return AddedRows(rows, changed, (np.repeat(np.arange(len(rows)), len(terms)), places.T.ravel()))

    def _rows(self, columns: Columns, groups: np.ndarray, eligible: np.ndarray, code: str) -> np.ndarray:
        """Return for each group the row of one parameter, -1 if there is none."""
        mine = np.flatnonzero(eligible & among(columns[self.parameter], [code]))
        size = int(groups.max(initial=-1)) + 1
        if len(mine) and np.bincount(groups[mine]).max() > 1:
            raise StudyError(f"{self.to}: {code} has more than one record within {listed(self.by)}; narrow 'among'")
        table = np.full(size, -1, np.int64)
        table[groups[mine]] = mine
        return table

    def changes(self) -> tuple[str, ...]:
        return (self.value, *self.texts, *self.numbers)

    def sentence(self, variable: str) -> str:
        content = {**self.texts, **{name: f"{value:g}" for name, value in self.numbers.items()}}
        if variable in content:
            return f"'{content[variable]}' in the added records of {self.to}."
        sign = ("^", " * ") if self.powers else (" * ", " + ")
        terms = (self.powers or self.weights).items()
        formula = sign[1].join(code if factor == 1 else f"{code}{sign[0]}{factor:g}" for code, factor in terms)
        scaled = formula if self.scale == 1 else f"{self.scale:g} * ({formula})"
        return f"{self.to}: {scaled} of {self.value} within {listed(self.by)}, where all are there."


FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "log2": np.log2,
    "log10": np.log10,
    "ln": np.log,
    "reciprocal": np.reciprocal,
}


@word("transformed_records")
@dataclass(frozen=True, kw_only=True)
class TransformedRecords(Derivation):
    """Add for each record of a parameter one of a new parameter that holds a function of its value.

    The functions are log2, log10, ln and reciprocal; a value that is not above 0 has none of them and gets no record.
    """

    of: str
    to: str
    function: Literal["log2", "log10", "ln", "reciprocal"]
    parameter: Column = "PARAMCD"
    value: Column = "AVAL"
    texts: dict[Column, str] = field(default_factory=dict)
    numbers: dict[Column, float] = field(default_factory=dict)
    blank: tuple[Column, ...] = ()

    adds_rows = True

    def add(self, columns: Columns, count: int, context: DerivationContext) -> AddedRows:
        values = number(columns, self.value)
        with np.errstate(invalid="ignore"):
            rows = np.flatnonzero(among(columns[self.parameter], [self.of]) & (values > 0))
        changed = changed_columns({**self.texts, self.parameter: self.to}, self.numbers, self.blank, columns, len(rows))
        changed[self.value] = significant(FUNCTIONS[self.function](values[rows]))
        return AddedRows(rows, changed, (np.arange(len(rows)), rows))

    def changes(self) -> tuple[str, ...]:
        return (self.value, *self.texts, *self.numbers)

    def sentence(self, variable: str) -> str:
        content = {**self.texts, **{name: f"{value:g}" for name, value in self.numbers.items()}}
        if variable in content:
            return f"'{content[variable]}' in the added records of {self.to}."
        return f"{self.to}: {self.function} of {self.value} of {self.of}, where that is above 0."
