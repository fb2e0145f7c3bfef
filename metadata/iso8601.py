"""ISO 8601 dates as SDTM writes them (SDTMIG 3.3, section 4.4): partial dates stay partial, over whole columns.

A partial date is cut on the right: ``2001``, ``2001-03``. A known part after an unknown one is written with a single
hyphen: ``2001---15``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

PATTERN = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2}))?)?)?)?", re.ASCII)
DAY, MONTH = r"(?:0[1-9]|[12]\d|3[01])", r"(?:0[1-9]|1[0-2])"
GAPPED = re.compile(rf"\d{{4}}---{DAY}|--{MONTH}(?:-{DAY})?|----{DAY}", re.ASCII)
SAS_EPOCH = np.datetime64("1960-01-01", "D")
MISSING_DAY = np.datetime64("NaT", "D")


def from_parts(year: pd.Series, month: pd.Series, day: pd.Series) -> pd.Series:
    """Return ISO 8601 texts from columns of digits; a part that is not digits (blank, missing-data code) is unknown.

    Nothing is checked here: 1999, 02, 31 gives 1999-02-31, which is_valid refuses.
    """
    parts = [_digits(year, 4), _digits(month, 2), _digits(day, 2)]
    known = [part != "" for part in parts]
    full = parts[0].where(known[0], "-") + "-" + parts[1].where(known[1], "-") + "-" + parts[2].where(known[2], "-")
    text = full.where(known[2], parts[0].where(known[0], "-") + "-" + parts[1])
    text = text.where(known[1] | known[2], parts[0])
    return text.where(known[0] | known[1] | known[2], "").astype("str")


def _digits(part: pd.Series, width: int) -> pd.Series:
    text = part.astype("str").str.strip()
    return text.where(text.str.fullmatch(r"\d{1,4}"), "").str.zfill(width).where(lambda made: made != "0" * width, "")


def _parts(words: Iterable[str]) -> np.ndarray:
    """Return year, month and day as three columns of numbers, NaN where unknown or where the text is no date."""
    found = [PATTERN.fullmatch(word) for word in words]
    parts = [match.group(1, 2, 3) if match else (None, None, None) for match in found]
    return np.array(parts, dtype=float).reshape(-1, 3)


def day_bounds(dates: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return earliest and latest possible day (datetime64[D]) of each full or partial date, NaT where there is none.

    A month known without its year, and a date that does not exist in the calendar, have no bounds.
    """
    codes, distinct = pd.factorize(dates.astype("str"))
    first, last = word_bounds(distinct.tolist())
    return np.append(first, MISSING_DAY)[codes], np.append(last, MISSING_DAY)[codes]


def word_bounds(words: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return what day_bounds does for distinct texts, which are few: as a list they are read at once."""
    year, month, day = _parts(words).T
    first = _day(year, np.where(np.isnan(month), 1, month), np.where(np.isnan(day), 1, day))
    last_month = np.where(np.isnan(month), 12, month)
    month_end = _month_end(year, last_month)
    last = np.where(np.isnan(day), month_end, first)
    return first, np.where(np.isnat(first), MISSING_DAY, last)


def _month_start(year: np.ndarray, month: np.ndarray) -> np.ndarray:
    valid = (year >= 1) & (month >= 1) & (month <= 12)
    months = np.where(valid, (year - 1970) * 12 + month - 1, 0).astype(int).astype("datetime64[M]")
    return np.where(valid, months, np.datetime64("NaT", "M")).astype("datetime64[M]")


def _month_end(year: np.ndarray, month: np.ndarray) -> np.ndarray:
    following = _month_start(year, month) + np.timedelta64(1, "M")
    return following.astype("datetime64[D]") - np.timedelta64(1, "D")


def _day(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> np.ndarray:
    start = _month_start(year, month)
    days = start.astype("datetime64[D]") + np.where(np.isnan(day), 1, day).astype(int) - 1
    return np.where((days.astype("datetime64[M]") == start) & (day >= 1), days, MISSING_DAY).astype("datetime64[D]")


def is_complete(dates: pd.Series) -> pd.Series:
    """Return True where year, month and day are all known and the day exists in the calendar."""
    earliest, latest = day_bounds(dates)
    return pd.Series(~np.isnat(earliest) & (earliest == latest), index=dates.index) & dates.str.len().ge(10)


def is_valid(dates: pd.Series) -> pd.Series:
    """Return True where a text is blank or a full or partial ISO 8601 date that the calendar has."""
    codes, distinct = pd.factorize(dates.astype("str"))
    return pd.Series(np.append(word_is_valid(distinct.tolist()), False)[codes], index=dates.index)


def word_is_valid(words: Sequence[str]) -> np.ndarray:
    """Return what is_valid does for distinct texts."""
    in_calendar = ~np.isnat(word_bounds(words)[0])
    return in_calendar | np.array([not word or bool(GAPPED.fullmatch(word)) for word in words], bool)


def study_day(dates: pd.Series, reference: pd.Series) -> pd.Series:
    """Return --DY: days from the reference date, with no day 0; NaN unless both dates are complete (SDTMIG 4.4.4)."""
    day, start = day_bounds(dates)[0], day_bounds(reference)[0]
    both = is_complete(dates).to_numpy(bool) & is_complete(reference).to_numpy(bool)
    difference = (day - start) / np.timedelta64(1, "D")
    numbered = np.where(difference >= 0, difference + 1, difference)
    return pd.Series(np.where(both, numbered, np.nan), index=dates.index)


def to_sas_days(days: np.ndarray) -> np.ndarray:
    """Return days since 1960-01-01 as float64, NaN for NaT."""
    count = (days.astype("datetime64[D]") - SAS_EPOCH) / np.timedelta64(1, "D")
    return np.where(np.isnat(days), np.nan, count)


def from_sas_days(days: np.ndarray) -> np.ndarray:
    """Return datetime64[D] of days since 1960-01-01, NaT for NaN."""
    known = ~np.isnan(days)
    offsets = np.where(known, days, 0).astype(int).astype("timedelta64[D]")
    return np.where(known, SAS_EPOCH + offsets, MISSING_DAY).astype("datetime64[D]")
