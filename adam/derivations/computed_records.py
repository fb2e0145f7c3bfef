"""Derivations that add records computed from others: summary_records, computed_records, transformed_records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from adam.columns.columns import Columns, constant, number
from adam.columns.grouping import group_codes
from adam.derivations.merging import aggregated
from adam.language.added_records import CombinedParameter, ParameterRecords, SummaryParameter, differing
from adam.language.derivation import (
    AddedRows,
    DerivationContext,
    keyed,
    listed,
)
from adam.language.kinds import KnownParameter, NumericColumn
from metadata.errors import StudyError
from metadata.units import significant
from metadata.variable_kind import CHAR

Function = Literal["sum", "mean", "median", "minimum", "maximum", "count"]


@keyed("summary_records")
@dataclass(frozen=True, kw_only=True)
class SummaryRecords(SummaryParameter):
    """Add for each group a record of a parameter that summarises the values of other parameters' records, or its own.

    A group gets one if at least ``need`` of its records have a value. The record has what all of them agree in, of the
    first by ``order`` the variables ``keep_first`` and of the last ``keep_last``, with ``set`` and ``blank`` as in
    extreme_records; what else they differ in (a date, a visit, a sequence number) is missing. Where ``paramcd`` is a
    new parameter, DTYPE stays missing (ADaMIG 1.3, section 4.2); where it is among those that are summarised, DTYPE
    says how the record was made (AVERAGE, MINIMUM, MAXIMUM, else the function). ``also`` names further variables of the
    records, with the function that gives the new record's (the last datetime: ``{ADTM: maximum}``).
    """

    function: Function
    need: int = 1
    also: dict[NumericColumn, Function] = field(default_factory=dict)

    def add(self, columns: Columns, count: int, context: DerivationContext) -> AddedRows:
        groups = group_codes([columns[name] for name in self.by])
        size = int(groups.max(initial=-1)) + 1
        eligible = self.eligible(columns, count, self.from_paramcd)
        eligible &= (np.bincount(groups[eligible], minlength=size) >= self.need)[groups]
        totals = aggregated(self.function, groups[eligible], number(columns, self.value)[eligible], size)
        added = self.summarised(columns, groups, eligible, significant(totals))
        of_record = groups[added.template]
        for name, function in self.also.items():
            found = aggregated(function, groups[eligible], number(columns, name)[eligible], size)
            added.changed[name] = significant(found)[of_record]
        if self._within():
            added.changed["DTYPE"] = constant(self._kind(), len(added.template))
        return added

    def _within(self) -> bool:
        return self.paramcd in self.from_paramcd

    def _kind(self) -> str:
        return {"mean": "AVERAGE"}.get(self.function, self.function.upper())

    def also_makes(self) -> dict[str, str]:
        return {"DTYPE": CHAR} if self._within() else {}

    def changes(self) -> tuple[str, ...]:
        return (*super().changes(), *self.also)

    def sentence(self, variable: str) -> str:
        if variable in self.also:
            function = self.also[variable].capitalize()
            return f"{function} of {variable} of the same records in the added ones of {self.paramcd}."
        if variable == "DTYPE" and self._within():
            return f"{self._kind()} in the added records of {self.paramcd}."
        least = f", if at least {self.need} have a value" if self.need > 1 else ""
        return (
            self.fixed(variable)
            or self.taken(variable)
            or (
                f"{self.paramcd}: {self.function} of {self.value} of {listed(self.from_paramcd)}{self.narrowed()}"
                f" within {listed(self.by)}{least}."
            )
        )


@keyed("computed_records")
@dataclass(frozen=True, kw_only=True)
class ComputedRecords(CombinedParameter):
    """Add for each group a record of a new parameter computed from one record of each of several other parameters.

    ``powers`` multiplies their values, each to its power (``{WEIGHT: 1, HEIGHT: -2}``), ``weights`` adds them, each
    times its weight; the result is multiplied by ``scale``. A group that lacks one of the parameters, or whose result
    is not a number, gets no record; one that has a parameter twice is an error. ``once`` lists parameters measured once
    a ``subject`` (the height), which go into every record of the subject. The record has what those of the parameters
    agree in, with ``set`` and ``blank`` as in extreme_records; what else they differ in is missing. It has no DTYPE.
    """

    powers: dict[str, float] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    scale: float = 1.0

    def check(self) -> None:
        super().check()
        if bool(self.powers) == bool(self.weights):
            raise StudyError("write either powers, to multiply, or weights, to add")
        self.check_once(self.powers or self.weights)

    def add(self, columns: Columns, count: int, context: DerivationContext) -> AddedRows:
        terms = self.powers or self.weights
        places, own = self.together(columns, count, {code: code for code in terms}), self.lines_of_group(terms)
        values = number(columns, self.value)[places]
        factors = np.array(list(terms.values()))[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            made = (values**factors).prod(axis=0) if self.powers else (values * factors).sum(axis=0)
        kept = np.isfinite(made)
        places, rows = places[:, kept], places[own[0], kept]
        place, contributing = np.repeat(np.arange(len(rows)), len(terms)), places.T.ravel()
        changed = differing(columns, rows, np.repeat(np.arange(len(rows)), len(own)), places[own].T.ravel())
        changed |= {**self.changed(columns, len(rows)), self.value: significant(self.scale * made[kept])}
        return AddedRows(rows, changed, (place, contributing))

    def sentence(self, variable: str) -> str:
        sign = ("^", " * ") if self.powers else (" * ", " + ")
        terms = (self.powers or self.weights).items()
        formula = sign[1].join(code if factor == 1 else f"{code}{sign[0]}{factor:g}" for code, factor in terms)
        scaled = formula if self.scale == 1 else f"{self.scale:g} * ({formula})"
        return self.fixed(variable) or (
            f"{self.paramcd}: {scaled} of {self.value}{self.narrowed()} within {listed(self.by)}"
            f"{self.said_once()}, where all are there."
        )


FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "log2": np.log2,
    "log10": np.log10,
    "ln": np.log,
    "reciprocal": np.reciprocal,
}


@keyed("transformed_records")
@dataclass(frozen=True, kw_only=True)
class TransformedRecords(ParameterRecords):
    """Add for each record of a parameter one of a new parameter that holds a function of its value.

    The functions are log2, log10, ln and reciprocal; a value that is not above 0 has none of them and gets no record.
    """

    from_paramcd: KnownParameter
    function: Literal["log2", "log10", "ln", "reciprocal"]

    def add(self, columns: Columns, count: int, context: DerivationContext) -> AddedRows:
        values = number(columns, self.value)
        with np.errstate(invalid="ignore"):
            rows = np.flatnonzero(self.eligible(columns, count, (self.from_paramcd,)) & (values > 0))
        changed = {**self.changed(columns, len(rows)), self.value: significant(FUNCTIONS[self.function](values[rows]))}
        return AddedRows(rows, changed, (np.arange(len(rows)), rows))

    def sentence(self, variable: str) -> str:
        return self.fixed(variable) or (
            f"{self.paramcd}: {self.function} of {self.value} of {self.from_paramcd}{self.narrowed()},"
            " where that is above 0."
        )
