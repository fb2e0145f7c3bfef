"""The functions of REDCap's logic over numbers and missing values, registered under the name that REDCap uses.

Those over texts are in ``expression_text``, those over dates in ``expression_dates``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from metadata.expression_column import ExpressionColumn

Implementation = TypeVar("Implementation", bound=Callable[..., ExpressionColumn])


class FunctionError(ValueError):
    """A function cannot do what its arguments ask; the evaluator adds where."""


@dataclass(frozen=True)
class Function:
    """A function, and the least and greatest number of its arguments (None: any)."""

    apply: Callable[..., ExpressionColumn]
    least: int
    most: int | None


FUNCTIONS: dict[str, Function] = {}


def function(name: str, least: int, most: int | None) -> Callable[[Implementation], Implementation]:
    """Register an implementation under ``name``."""

    def register(implementation: Implementation) -> Implementation:
        FUNCTIONS[name] = Function(implementation, least, most)
        return implementation

    return register


@function("if", 3, 3)
def choose(condition: ExpressionColumn, yes: ExpressionColumn, no: ExpressionColumn) -> ExpressionColumn:
    """Value of the second argument where the first is true, else of the third."""
    number = np.where(condition.truth, yes.number, no.number)
    if yes.given is None and no.given is None:
        return ExpressionColumn(None, number)
    text = np.where(condition.truth, yes.text, no.text)
    return ExpressionColumn(text, number, np.where(condition.truth, yes.coded, no.coded))


def _scaled(
    value: ExpressionColumn, places: tuple[ExpressionColumn, ...], rounding: Callable[[np.ndarray], np.ndarray]
) -> ExpressionColumn:
    """Round at a number of decimals; 1e-9 of the last place absorbs what binary fractions leave of 2.675."""
    scale = 10.0 ** (places[0].number if places else np.zeros(1))
    with np.errstate(all="ignore"):
        return ExpressionColumn.computed(rounding(value.number * scale) / scale)


@function("round", 1, 2)
def round_half_away(value: ExpressionColumn, *places: ExpressionColumn) -> ExpressionColumn:
    """Nearest value with so many decimals, halves away from zero."""
    return _scaled(value, places, lambda x: np.sign(x) * np.floor(np.abs(x) + 0.5 + 1e-9))


@function("roundup", 1, 2)
def round_up(value: ExpressionColumn, *places: ExpressionColumn) -> ExpressionColumn:
    """Smallest value with so many decimals that is not below."""
    return _scaled(value, places, lambda x: np.ceil(x - 1e-9))


@function("rounddown", 1, 2)
def round_down(value: ExpressionColumn, *places: ExpressionColumn) -> ExpressionColumn:
    """Greatest value with so many decimals that is not above."""
    return _scaled(value, places, lambda x: np.floor(x + 1e-9))


def _over(reduce: Callable[..., np.ndarray]) -> Callable[..., ExpressionColumn]:
    def apply(*values: ExpressionColumn) -> ExpressionColumn:
        stacked = np.stack(np.broadcast_arrays(*[value.number for value in values]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # rows without any number: blank, as wanted
            return ExpressionColumn.computed(np.where(np.isnan(stacked).all(axis=0), np.nan, reduce(stacked, axis=0)))

    return apply


def _standard_deviation(stacked: np.ndarray, axis: int) -> np.ndarray:
    return np.nanstd(stacked, axis=axis, ddof=1)


REDUCTIONS: dict[str, Callable[..., np.ndarray]] = {
    "sum": np.nansum,
    "mean": np.nanmean,
    "min": np.nanmin,
    "max": np.nanmax,
    "median": np.nanmedian,
    "stdev": _standard_deviation,
}
FUNCTIONS |= {name: Function(_over(reduce), 1, None) for name, reduce in REDUCTIONS.items()}


def _elementwise(apply: Callable[[np.ndarray], np.ndarray]) -> Callable[[ExpressionColumn], ExpressionColumn]:
    def over(value: ExpressionColumn) -> ExpressionColumn:
        with np.errstate(all="ignore"):
            return ExpressionColumn.computed(apply(value.number))

    return over


FUNCTIONS |= {
    name: Function(_elementwise(apply), 1, 1)
    for name, apply in {"abs": np.abs, "sqrt": np.sqrt, "exponential": np.exp}.items()
}


@function("log", 1, 2)
def logarithm(value: ExpressionColumn, *base: ExpressionColumn) -> ExpressionColumn:
    """Logarithm to a base, natural if none is given; blank for what has none."""
    with np.errstate(all="ignore"):
        natural = np.log(value.number)
        return ExpressionColumn.computed(natural / np.log(base[0].number) if base else natural)


@function("isblankormissingcode", 1, 1)
def is_blank_or_code(value: ExpressionColumn) -> ExpressionColumn:
    """True where there is no value or a missing-data code."""
    return ExpressionColumn.computed(value.blank | value.coded)


@function("isblanknotmissingcode", 1, 1)
def is_blank(value: ExpressionColumn) -> ExpressionColumn:
    """True where there is no value at all."""
    return ExpressionColumn.computed(value.blank)


@function("ismissingcode", 1, 1)
def is_code(value: ExpressionColumn) -> ExpressionColumn:
    """True where the value is one of the project's missing-data codes."""
    return ExpressionColumn.computed(value.coded)


@function("isnumber", 1, 1)
def is_number(value: ExpressionColumn) -> ExpressionColumn:
    """True where the value is a number."""
    return ExpressionColumn.computed(~np.isnan(value.number))


@function("isinteger", 1, 1)
def is_integer(value: ExpressionColumn) -> ExpressionColumn:
    """True where the value is a whole number."""
    return ExpressionColumn.computed(value.number == np.floor(value.number))


@function("mod", 2, 2)
def remainder(value: ExpressionColumn, divisor: ExpressionColumn) -> ExpressionColumn:
    """Remainder of a division, with the sign of the first number; blank where the divisor is 0."""
    with np.errstate(all="ignore"):
        return ExpressionColumn.computed(np.fmod(value.number, divisor.number))


def single(value: ExpressionColumn) -> str:
    """Return the one text that holds for all rows; raises FunctionError if it is a field's."""
    if len(value.number) != 1:
        raise FunctionError("expected one quoted text for all rows")
    return str(value.text[0])
