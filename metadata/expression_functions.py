"""The functions of REDCap's logic, each over columns, registered under the name that REDCap uses."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from metadata.expression_column import ExpressionColumn

if TYPE_CHECKING:
    import pandas as pd

Implementation = TypeVar("Implementation", bound=Callable[..., ExpressionColumn])

# REDCap's help, "List of functions": a year counts 365.2425 days and a month 30.44
SECONDS = {"y": 365.2425 * 86400, "M": 30.44 * 86400, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
DATE_FORMATS = {"ymd": "%Y-%m-%d", "mdy": "%m-%d-%Y", "dmy": "%d-%m-%Y"}
CLOCK_WORDS = ("today", "now")


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


def _strings(value: ExpressionColumn) -> pd.Series:
    import pandas as pd

    return pd.Series(value.text, dtype="str")


@function("length", 1, 1)
def length(value: ExpressionColumn) -> ExpressionColumn:
    """Number of characters."""
    return ExpressionColumn.computed(_strings(value).str.len().to_numpy(np.float64))


@function("contains", 2, 2)
def contains(value: ExpressionColumn, part: ExpressionColumn) -> ExpressionColumn:
    """True where the text holds the other, whatever the case; the part is one text for all rows."""
    return ExpressionColumn.computed(
        _strings(value).str.lower().str.contains(_single(part).lower(), regex=False).to_numpy()
    )


@function("starts_with", 2, 2)
def starts_with(value: ExpressionColumn, part: ExpressionColumn) -> ExpressionColumn:
    """True where the text begins with the other, whatever the case."""
    return ExpressionColumn.computed(_strings(value).str.lower().str.startswith(_single(part).lower()).to_numpy())


def _single(value: ExpressionColumn) -> str:
    if len(value.number) != 1:
        raise FunctionError("expected one quoted text for all rows")
    return str(value.text[0])


@function("datediff", 3, 5)
def date_difference(
    first: ExpressionColumn, second: ExpressionColumn, unit: ExpressionColumn, *options: ExpressionColumn
) -> ExpressionColumn:
    """Time between two dates in y, M, d, h, m or s; signed only if the last argument is true.

    Stored dates are ISO whatever the form shows; the format argument is about quoted dates. Blank where either is
    no complete date.
    """
    names = [_option(option) for option in options]
    formats = [name for name in names if name in DATE_FORMATS]
    signed = "true" in names
    seconds = SECONDS.get(_unit(unit))
    if seconds is None:
        raise FunctionError(f"expected the unit of datediff as one of {', '.join(SECONDS)}")
    style = DATE_FORMATS[formats[0]] if formats else DATE_FORMATS["ymd"]
    elapsed = (_moments(second, style) - _moments(first, style)) / np.timedelta64(1, "s") / seconds
    return ExpressionColumn.computed(elapsed if signed else np.abs(elapsed))


def _unit(unit: ExpressionColumn) -> str:
    return _single(unit)


def _option(option: ExpressionColumn) -> str:
    if option.given is None:
        return "true" if bool(option.truth.all()) else "false"
    name = _single(option).lower()
    if name not in (*DATE_FORMATS, "true", "false", ""):
        raise FunctionError(f"expected ymd, mdy, dmy, true or false as an option of datediff but found '{name}'")
    return name


def _moments(value: ExpressionColumn, style: str) -> np.ndarray:
    """Return datetime64[s]; NaT where the value is not a date."""
    import pandas as pd

    text = _strings(value)
    if len(text) == 1 and text[0].lower() in CLOCK_WORDS:
        raise FunctionError(f"'{text[0]}' is not supported: results may not depend on the day of the run")
    if len(text) == 1 and style != DATE_FORMATS["ymd"]:
        return pd.to_datetime(text, format=style, errors="coerce").to_numpy("datetime64[s]")
    return pd.to_datetime(text.where(text != ""), format="ISO8601", errors="coerce").to_numpy("datetime64[s]")


def _part_of_date(part: str) -> Callable[[ExpressionColumn], ExpressionColumn]:
    def over(value: ExpressionColumn) -> ExpressionColumn:
        import pandas as pd

        moments = pd.Series(_moments(value, DATE_FORMATS["ymd"]))
        return ExpressionColumn.computed(getattr(moments.dt, part).to_numpy(np.float64, na_value=np.nan))

    return over


FUNCTIONS |= {part: Function(_part_of_date(part), 1, 1) for part in ("year", "month", "day")}
