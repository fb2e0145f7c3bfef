"""Derivations about moments of a day: datetime (with imputation of date and time), date_of, time_of, datetime_of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from adam.columns.columns import Columns, Values, flagged, number, text
from adam.derivations.dates import cutoff_of
from adam.language.derivation import (
    Derivation,
    DerivationContext,
    Outcome,
    keyed,
)
from adam.language.imputation import Imputed, Partial, partial_dates
from adam.language.kinds import DateColumn, DatetimeColumn, NewDate, NewDatetime, NewText, NewTime, TimeColumn
from metadata.coded_text import CodedText
from metadata.iso8601 import time_parts
from metadata.variable_kind import SECONDS_A_DAY

LAST_SECOND = SECONDS_A_DAY - 1
UNITS = (3600.0, 60.0, 1.0)
LAST = (23.0, 59.0, 59.0)


def known_times(texts: CodedText, preserve: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return hour, minute and second of ISO 8601 texts (rows of three, NaN where unknown) and how many are known.

    Without ``preserve`` a part after an unknown one is unknown too.
    """
    parts, known = [], []
    for moment in texts.texts:
        given = list(time_parts(moment))
        leading = next((place for place, one in enumerate(given) if np.isnan(one)), 3)
        known.append(leading)
        parts.append(given if preserve else [*given[:leading], *[np.nan] * (3 - leading)])
    return texts.spread(np.array(parts, float)), texts.spread(np.array(known, int))


@keyed("datetime")
@dataclass(frozen=True, kw_only=True)
class DateTime(Imputed):
    """Make a numeric datetime (seconds since 1960) of an ISO 8601 text, its unknown parts imputed and flagged.

    The date is imputed as by ``date``, only that ``prefer``, ``not_before`` and ``not_after`` name datetimes. Unknown
    hours, minutes and seconds become the ``time`` first (00:00:00) or last (23:59:59) possible; with ``time`` none, or
    where more is unknown than ``highest_time`` allows, there is no datetime. ``preserve`` also keeps a known time of an
    unknown day, and a known minute of an unknown hour (``T-:15``). ``to_flag`` gets what was imputed of the date,
    ``to_time_flag`` what of the time: S seconds, M minutes and seconds, H all; ``flag_seconds`` false leaves seconds
    unflagged where only hours and minutes were collected.
    """

    to: NewDatetime
    prefer: DatetimeColumn | None = None
    not_before: tuple[DatetimeColumn, ...] = ()
    not_after: tuple[DatetimeColumn, ...] = ()
    time: Literal["first", "last", "none"] = "first"
    highest_time: Literal["hour", "minute", "second"] = "hour"
    to_time_flag: NewText | None = None
    flag_seconds: bool = True

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        texts = text(columns, self.source)
        part = partial_dates(texts, self.source)
        times, known = known_times(texts, self.preserve)
        if not self.preserve:
            times[part.precision < 3], known[part.precision < 3] = np.nan, 0
        partly = np.flatnonzero((known < 3) | (part.precision < 3))
        made = np.where(part.precision == 3, part.first * SECONDS_A_DAY + times @ UNITS, np.nan)
        made[partly] = self._imputed(partly, part, times, columns, context)
        made[~self._allowed(part.precision, known)] = np.nan
        found: dict[str, Values] = {self.to: made}
        if self.to_flag:
            found[self.to_flag] = self.date_flag(part.precision, made)
        if self.to_time_flag:
            level = np.where(~np.isnan(made) & (known < (3 if self.flag_seconds else 2)), known, -1)
            found[self.to_time_flag] = CodedText.of_codes(level, ["H", "M", "S"])
        return Outcome(found)

    def _imputed(
        self, rows: np.ndarray, part: Partial, times: np.ndarray, columns: Columns, context: DerivationContext
    ) -> np.ndarray:
        of = Partial(*(values[rows] for values in part))
        first, last = (np.where(np.isnan(times[rows]), default, times[rows]) for default in ((0.0, 0.0, 0.0), LAST))
        low = np.nan_to_num(of.first * SECONDS_A_DAY + first @ UNITS, nan=-np.inf)
        high = np.nan_to_num(of.last * SECONDS_A_DAY + last @ UNITS, nan=np.inf)
        made = self.day_of(of) * SECONDS_A_DAY + (last if self.time == "last" else first) @ UNITS
        end = self.ends(columns, rows) * SECONDS_A_DAY + LAST_SECOND
        return self.within_limits(made, low, high, columns, rows, end, cutoff_of(context) * SECONDS_A_DAY + LAST_SECOND,
            of.precision == 3)  # fmt: skip

    def _allowed(self, precision: np.ndarray, known: np.ndarray) -> np.ndarray:
        dated = (precision == 3) | self.may_impute(precision)
        needed = 3 if self.time == "none" else {"hour": 0, "minute": 1, "second": 2}[self.highest_time]
        return dated & (known >= needed)

    def sentence(self, variable: str) -> str:
        if variable == self.to_flag:
            return f"D if the day, M if month and day, Y if all of the date of {self.to} were imputed, else missing."
        if variable == self.to_time_flag:
            return f"S if the seconds, M if minutes and seconds, H if all of the time of {self.to} were imputed."
        dated = f"; {self.how()}" if self.impute != "none" else "; a partial date is missing"
        timed = f"; unknown parts of the time are the {self.time} possible" if self.time != "none" else ""
        return f"Numeric datetime of {self.source}{dated}{timed}{self.within()}."


@keyed("date_of")
@dataclass(frozen=True, kw_only=True)
class DateOf(Derivation):
    """Take the date of a numeric datetime."""

    source: DatetimeColumn
    to: NewDate

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        return Outcome({self.to: np.floor(number(columns, self.source) / SECONDS_A_DAY)})

    def sentence(self, variable: str) -> str:
        return f"Date of {self.source}{self.within()}."


@keyed("time_of")
@dataclass(frozen=True, kw_only=True)
class TimeOf(Derivation):
    """Take the time of a numeric datetime, in seconds since midnight."""

    source: DatetimeColumn
    to: NewTime

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        return Outcome({self.to: np.mod(number(columns, self.source), SECONDS_A_DAY)})

    def sentence(self, variable: str) -> str:
        return f"Time of {self.source}, in seconds since midnight{self.within()}."


@keyed("datetime_of")
@dataclass(frozen=True, kw_only=True)
class DatetimeOf(Derivation):
    """Make a datetime of a date, with the time of another variable or the first or last second of the day.

    Where ``clock``, a numeric time, is missing, the first or last second is taken as ``time`` says; ``to_time_flag``
    then has H (the whole time was imputed).
    """

    source: DateColumn
    to: NewDatetime
    clock: TimeColumn | None = None
    time: Literal["first", "last"] = "first"
    to_time_flag: NewText | None = None

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        clock = number(columns, self.clock) if self.clock else np.full(count, np.nan)
        imputed = 0.0 if self.time == "first" else LAST_SECOND
        made = number(columns, self.source) * SECONDS_A_DAY + np.where(np.isnan(clock), imputed, clock)
        found: dict[str, Values] = {self.to: made}
        if self.to_time_flag:
            found[self.to_time_flag] = flagged(~np.isnan(made) & np.isnan(clock), "H")
        return Outcome(found)

    def sentence(self, variable: str) -> str:
        if variable == self.to_time_flag:
            return f"H if the time of {self.to} was imputed, else missing."
        imputed = f"the {self.time} second of the day"
        timed = f"the time {self.clock}, or {imputed} where that is missing" if self.clock else imputed
        return f"{self.source} with {timed}{self.within()}."
