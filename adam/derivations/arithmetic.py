"""Derivations of arithmetic between variables: product, quotient, difference, below_limit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adam.columns.columns import Columns, number, text
from adam.language.derivation import (
    Derivation,
    DerivationContext,
    Outcome,
    keyed,
    listed,
)
from adam.language.kinds import NewNumber, NumberColumn, NumericColumn, TextColumn, check_alike
from metadata.condition import DatasetKinds
from metadata.units import significant


@keyed("product")
@dataclass(frozen=True, kw_only=True)
class Product(Derivation):
    """Multiply variables; missing if one of them is."""

    factors: tuple[NumberColumn, ...]
    to: NewNumber

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        return Outcome({self.to: significant(np.prod([number(columns, name) for name in self.factors], axis=0))})

    def sentence(self, variable: str) -> str:
        return f"Product of {listed(self.factors)}{self.within()}."


@keyed("quotient")
@dataclass(frozen=True, kw_only=True)
class Quotient(Derivation):
    """Divide one variable by another, times ``scale`` (100 for a percentage); missing where the divisor is 0."""

    value: NumberColumn
    divisor: NumberColumn
    to: NewNumber
    scale: float = 1.0

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        divisor = number(columns, self.divisor)
        with np.errstate(divide="ignore", invalid="ignore"):
            made = np.where(divisor == 0, np.nan, self.scale * number(columns, self.value) / divisor)
        return Outcome({self.to: significant(made)})

    def sentence(self, variable: str) -> str:
        scale = "" if self.scale == 1 else f"{self.scale:g} * "
        return f"{scale}{self.value} / {self.divisor}, missing if {self.divisor} is 0{self.within()}."


@keyed("difference")
@dataclass(frozen=True, kw_only=True)
class Difference(Derivation):
    """Subtract one variable from another; of two dates the days between them, of two datetimes the seconds."""

    value: NumericColumn
    minus: NumericColumn
    to: NewNumber

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        return Outcome({self.to: significant(number(columns, self.value) - number(columns, self.minus))})

    def check_kinds(self, kinds: DatasetKinds) -> None:
        super().check_kinds(kinds)
        check_alike(kinds, (self.value, self.minus))

    def sentence(self, variable: str) -> str:
        return f"{self.value} - {self.minus}{self.within()}."


@keyed("below_limit")
@dataclass(frozen=True, kw_only=True)
class BelowLimit(Derivation):
    """Take a result's number; a result reported as below the limit of quantification counts as a part of the limit.

    ``result`` is the text of which ``value`` is the number; one that begins with < and has no number becomes ``factor``
    times ``limit`` (a half unless said otherwise).
    """

    result: TextColumn
    value: NumberColumn
    limit: NumberColumn
    to: NewNumber
    factor: float = 0.5

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        results, value = text(columns, self.result), number(columns, self.value)
        below = results.test(lambda one: one.startswith("<")) & np.isnan(value)
        return Outcome({self.to: np.where(below, self.factor * number(columns, self.limit), value)})

    def sentence(self, variable: str) -> str:
        return f"{self.value}, or {self.factor:g} * {self.limit} if {self.result} is below the limit{self.within()}."
