"""Partial dates and times: what is known of them, and where within it an imputed moment may lie."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from adam.columns.columns import Columns, number, text
from adam.language.derivation import Derivation, listed
from adam.language.kinds import NewText, TextColumn
from metadata.coded_text import CodedText
from metadata.declaration import Column, NewColumn
from metadata.errors import StudyError
from metadata.iso8601 import from_sas_days, is_date, text_bounds, to_sas_days

PARTS = {"day": "day", "month": "day or month", "year": "day, month or year"}
DAY_AFTER_UNKNOWN_MONTH = re.compile(r"\d{4}---(\d{2})")


class Partial(NamedTuple):
    """Earliest and latest day (days since 1960) of ISO 8601 texts, and how much is known of them.

    Of an interval of uncertainty the days are those of its ends, and known is what these have in common.

    ``precision`` is 0 without a year, 1 for a year, 2 for a month, 3 for a whole date. ``day`` is a day known after an
    unknown month (``2001---15``), which narrows nothing: the year is known.
    """

    first: np.ndarray
    last: np.ndarray
    precision: np.ndarray
    day: np.ndarray


def partial_dates(texts: CodedText, name: str) -> Partial:
    """Return what the date parts of a variable's ISO 8601 texts say; raises StudyError for texts that are not dates.

    A text that is not a date is not an unknown one: imputed as such it would become a date that nobody collected.
    """
    wrong = np.count_nonzero(~texts.test(_can_be_read))
    if wrong:
        raise StudyError(f"{wrong} of {len(texts)} values of {name} are not ISO 8601 dates, full or partial")
    dates = [_date_of(text) for text in texts.texts]
    cut = [date[:4] if date[4:6] == "--" else date for date in dates]
    within = [_interval_of(text) if "/" in text else date for text, date in zip(texts.texts, cut, strict=True)]
    first, last = (to_sas_days(days) for days in text_bounds(within))
    known = [0 if np.isnan(one) or not date else 3 if len(date) >= 10 else 2 if len(date) >= 7 else 1
             for one, date in zip(first.tolist(), cut, strict=True)]  # fmt: skip
    days = [DAY_AFTER_UNKNOWN_MONTH.fullmatch(date) for date in dates]
    day = np.array([float(found[1]) if found else np.nan for found in days])
    return Partial(*(texts.spread(made) for made in (first, last, np.array(known, int), day)))


def _can_be_read(text: str) -> bool:
    """Return True for a date; parts left open at its end may be written as hyphens."""
    return is_date(text if "T" in text else text.rstrip("-"))


def _interval_of(text: str) -> str:
    """Return an interval of uncertainty without times: an imputed day lies between its ends."""
    return "/".join(part.partition("T")[0] for part in text.split("/"))


def _date_of(text: str) -> str:
    """Return the date without its time, of an interval what its two ends have in common."""
    first, interval, last = (part.partition("T")[0].rstrip("-") for part in text.partition("/"))
    if not interval:
        return first
    return next((first[:size] for size in (10, 7, 4) if first[:size] == last[:size] and len(first) >= size), "")


@dataclass(frozen=True, kw_only=True)
class Imputed(Derivation):
    """Base of date and datetime: how an unknown part is filled in, and the limits that hold for what is filled in."""

    source: TextColumn
    to: NewColumn
    to_flag: NewText | None = None
    impute: Literal["none", "first", "middle", "last"] = "none"
    highest: Literal["day", "month", "year"] = "month"
    preserve: bool = False
    prefer: Column | None = None
    end: TextColumn | None = None
    not_before: tuple[Column, ...] = ()
    not_after: tuple[Column, ...] = ()
    limits: Literal["strict", "compatible"] = "strict"

    def check(self) -> None:
        if self.highest == "year" and self.impute != "none" and not (self.prefer or self.not_before or self.not_after):
            raise StudyError("highest: year needs prefer, not_before or not_after: nothing else says which year")

    def moment(self, columns: Columns, name: str) -> np.ndarray:
        """Return the days or seconds of a limit, as the derivation counts them."""
        return number(columns, name)

    def may_impute(self, precision: np.ndarray) -> np.ndarray:
        """Return True for partial dates whose unknown part may be imputed."""
        lowest = {"day": 2, "month": 1, "year": 0}[self.highest]
        return (precision >= lowest) & (precision < 3) & (self.impute != "none")

    def day_of(self, part: Partial) -> np.ndarray:
        """Return the day that the unknown part is imputed as; NaN where the year is unknown."""
        if self.impute == "middle":
            made = np.where(part.precision == 1, _thirtieth_of_june(part.first), _first_of_month(part.first) + 14)
        else:
            made = part.first if self.impute == "first" else part.last
        made = np.where(part.precision == 3, part.first, np.clip(made, part.first, part.last))
        if not self.preserve:
            return made
        start = made.copy()
        known = ~np.isnan(part.day)
        start[known] = _first_of_month(made[known]) + part.day[known] - 1
        return start

    def within_limits(
        self, made: np.ndarray, low: np.ndarray, high: np.ndarray, columns: Columns, rows: np.ndarray,
        end: np.ndarray, cutoff: float, whole: np.ndarray | bool = False,
    ) -> np.ndarray:  # fmt: skip
        """Return imputed moments moved to ``prefer`` and within the limits; NaN where there is none.

        ``low`` and ``high`` are the first and last moment that the known part allows, infinite where the year is
        unknown; ``end`` the last moment at which the event can have ended. Where the date is ``whole`` (only the time
        is imputed), a limit before it is passed over, since a known date is never changed.
        """
        passed = np.broadcast_to(whole, len(low)) | (self.limits == "compatible")
        given = [end, *(self.moment(columns, name)[rows] for name in self.not_after)]
        upper = np.fmin.reduce([np.where(passed & (limit < low), np.nan, limit) for limit in given])
        if self.impute == "last":
            made = np.where(np.isnan(made), upper, made)
        if self.prefer:
            wanted = self.moment(columns, self.prefer)[rows]
            made = np.where((low <= wanted) & (wanted <= high) & ~(end < wanted), wanted, made)
        lower = low
        for name in self.not_before:
            limit = self.moment(columns, name)[rows]
            lower = np.where(limit <= high, np.fmax(lower, limit), lower)
        made = np.where(np.isinf(lower), made, np.fmax(made, lower))
        last = np.where(whole & (cutoff < low), np.inf, np.fmin(upper, cutoff))
        made = np.where(np.isnan(made), made, np.fmin(made, last))
        return np.where(made >= (low if self.limits == "compatible" else lower), made, np.nan)

    def ends(self, columns: Columns, rows: np.ndarray) -> np.ndarray:
        """Return the last possible day of the event's end."""
        return partial_dates(text(columns, self.end), self.end).last[rows] if self.end else np.full(len(rows), np.nan)

    def date_flag(self, precision: np.ndarray, made: np.ndarray) -> CodedText:
        """Return D, M or Y for the highest imputed part of dates, blank where nothing was."""
        return CodedText.of_codes(np.where(~np.isnan(made) & (precision < 3), precision, -1), ["Y", "M", "D"])

    def how(self) -> str:
        """Return how the date is imputed, for a sentence."""
        sentence = f"an unknown {PARTS[self.highest]} is imputed as the {self.impute} possible"
        sentence += ", a known day being kept" if self.preserve else ""
        if self.prefer:
            sentence += f", or as {self.prefer} if the known part allows it"
            sentence += f" and {self.end} does not precede it" if self.end else ""
        sentence += f"; never before {listed(self.not_before)}" if self.not_before else ""
        ends = [*([self.end] if self.end else []), *self.not_after, "the data cut-off"]
        sentence += f"; never after {listed(ends)}"
        return sentence + (", unless the known part is later" if self.limits == "compatible" and len(ends) > 1 else "")


def _thirtieth_of_june(days: np.ndarray) -> np.ndarray:
    known = np.where(np.isnan(days), 0, days)
    new_year = to_sas_days(from_sas_days(known).astype("datetime64[Y]").astype("datetime64[D]"))
    return np.where(np.isnan(days), np.nan, _first_of_month(new_year + 170) + 29)


def _first_of_month(days: np.ndarray) -> np.ndarray:
    """Return the first day of the month of each day; all of them are known or NaN."""
    known = np.where(np.isnan(days), 0, days).astype(int)
    dates = np.datetime64("1960-01-01", "D") + known.astype("timedelta64[D]")
    return days - (dates - dates.astype("datetime64[M]").astype("datetime64[D]")) / np.timedelta64(1, "D")
