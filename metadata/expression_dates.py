"""The functions of REDCap's logic over dates and times, registered under the name that REDCap uses."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from metadata.expression_column import ExpressionColumn, matches
from metadata.expression_functions import FUNCTIONS, Function, FunctionError, function, single

# REDCap's help, "List of functions": a year counts 365.2425 days and a month 30.44
SECONDS = {"y": 365.2425 * 86400, "M": 30.44 * 86400, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
DATE_FORMATS = {"ymd": "%Y-%m-%d", "mdy": "%m-%d-%Y", "dmy": "%d-%m-%Y"}
CLOCK_WORDS = ("today", "now")
TIME = r"\d\d:\d\d(?::\d\d)?"
DAY_OF_TIMES = "1970-01-01"


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
    seconds = SECONDS.get(single(unit))
    if seconds is None:
        raise FunctionError(f"expected the unit of datediff as one of {', '.join(SECONDS)}")
    style = DATE_FORMATS[formats[0]] if formats else DATE_FORMATS["ymd"]
    start, end = _moments(first, style), _moments(second, style)
    same_kind = _is_time(first) == _is_time(second)  # a time is no part of another value's day
    elapsed = np.where(same_kind, (end - start) / np.timedelta64(1, "s") / seconds, np.nan)
    return ExpressionColumn.computed(elapsed if signed else np.abs(elapsed))


def _is_time(value: ExpressionColumn) -> np.ndarray:
    return matches(value.text, TIME)


def _option(option: ExpressionColumn) -> str:
    if option.given is None:
        return "true" if bool(option.truth.all()) else "false"
    name = single(option).lower()
    if name not in (*DATE_FORMATS, "true", "false", ""):
        raise FunctionError(f"expected ymd, mdy, dmy, true or false as an option of datediff but found '{name}'")
    return name


def _moments(value: ExpressionColumn, style: str) -> np.ndarray:
    """Return datetime64[s], of times on one day of their own; NaT where the value is not a date or time."""
    import pandas as pd

    text = pd.Series(value.text, dtype="str")
    if len(text) == 1 and text[0].lower() in CLOCK_WORDS:
        raise FunctionError(f"'{text[0]}' is not supported: results may not depend on the day of the run")
    if len(text) == 1 and style != DATE_FORMATS["ymd"] and not re.fullmatch(TIME, text[0]):
        return pd.to_datetime(text, format=style, errors="coerce").to_numpy("datetime64[s]")
    dated = text.where(~text.str.fullmatch(TIME), DAY_OF_TIMES + " " + text)
    return pd.to_datetime(dated.where(text != ""), format="ISO8601", errors="coerce").to_numpy("datetime64[s]")


def _part_of_date(part: str) -> Callable[[ExpressionColumn], ExpressionColumn]:
    def over(value: ExpressionColumn) -> ExpressionColumn:
        import pandas as pd

        moments = pd.Series(_moments(value, DATE_FORMATS["ymd"]))
        return ExpressionColumn.computed(getattr(moments.dt, part).to_numpy(np.float64, na_value=np.nan))

    return over


@function("calcdate", 3, 3)
def moved_date(date: ExpressionColumn, count: ExpressionColumn, unit: ExpressionColumn) -> ExpressionColumn:
    """A date or time so many y, M, d, h, m or s later, written as it is; what ``@CALCDATE`` sets.

    By REDCap's help on the action tag a year has 365.2425 days there and a month 30.44; of a date, the result is the
    day in which that moment is.
    """
    import pandas as pd

    seconds = SECONDS.get(single(unit))
    if seconds is None:
        raise FunctionError(f"expected the unit of @CALCDATE as one of {', '.join(SECONDS)}")
    text, numbers = np.broadcast_arrays(date.text, count.number)
    moment = pd.Series(_moments(ExpressionColumn(text), DATE_FORMATS["ymd"]))
    moved = moment + pd.to_timedelta(pd.Series(numbers * seconds).round(), unit="s")
    written = moved.dt.strftime("%Y-%m-%d %H:%M:%S").astype("str")
    lengths = pd.Series(text, dtype="str").str.len()
    made = written.where(lengths > len("2000-01-01 00:00"), written.str.slice(0, 16)).where(
        lengths > 10, written.str.slice(0, 10)
    )
    return ExpressionColumn(made.where(moved.notna(), "").to_numpy(object))


FUNCTIONS |= {part: Function(_part_of_date(part), 1, 1) for part in ("year", "month", "day")}
