"""ISO 8601 dates as SDTM writes them (SDTMIG 3.3, section 4.4): partial dates stay partial.

A partial date is cut on the right: ``2001``, ``2001-03``. A known part after an unknown one is written with a single
hyphen: ``2001---15``. Each rule is written for one text; the functions over columns apply it to the distinct texts.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable
from datetime import date
from functools import lru_cache

import numpy as np
import pandas as pd

from metadata.coded_text import CodedText

PATTERN = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T\d{2}:\d{2}(?::\d{2})?)?)?)?", re.ASCII)
DAY, MONTH = r"(?:0[1-9]|[12]\d|3[01])", r"(?:0[1-9]|1[0-2])"
GAPPED = re.compile(rf"\d{{4}}---{DAY}|--{MONTH}(?:-{DAY})?|----{DAY}", re.ASCII)
DIGITS = re.compile(r"\d{1,4}", re.ASCII)
FULL = len("YYYY-MM-DD")
SAS_EPOCH = np.datetime64("1960-01-01", "D")
MISSING_DAY = np.datetime64("NaT", "D")
NOTHING = (MISSING_DAY, MISSING_DAY)
Bounds = tuple[np.datetime64, np.datetime64]


def from_parts(year: str, month: str, day: str) -> str:
    """Return the ISO 8601 text of three parts; a part that is not digits (blank, missing-data code) is unknown.

    Nothing is checked here: 1999, 02, 31 gives 1999-02-31, which is_date refuses.
    """
    parts = [_digits(year, 4), _digits(month, 2), _digits(day, 2)]
    while parts and not parts[-1]:
        parts.pop()
    return "-".join(part or "-" for part in parts)


def _digits(part: str, width: int) -> str:
    text = part.strip()
    padded = text.zfill(width) if DIGITS.fullmatch(text) else ""
    return padded if padded.strip("0") else ""


@lru_cache(maxsize=1 << 16)
def bounds(text: str) -> Bounds:
    """Return earliest and latest possible day (datetime64[D]) of a full or partial date, NaT where there is none.

    A month known without its year, and a date that does not exist in the calendar, have no bounds.
    """
    found = PATTERN.fullmatch(text)
    if not found:
        return NOTHING
    year, month, day = (None if part is None else int(part) for part in found.groups())
    try:
        first = date(year or 0, 1 if month is None else month, 1 if day is None else day)
    except ValueError:
        return NOTHING
    if day is not None:
        return np.datetime64(first, "D"), np.datetime64(first, "D")
    last_month = 12 if month is None else month
    last = date(first.year, last_month, monthrange(first.year, last_month)[1])
    return np.datetime64(first, "D"), np.datetime64(last, "D")


def is_full(text: str) -> bool:
    """Return True where year, month and day are all known and the day exists in the calendar."""
    first, last = bounds(text)
    return len(text) >= FULL and bool(first == last)


def is_date(text: str) -> bool:
    """Return True for a blank text, and for a full or partial ISO 8601 date that the calendar has."""
    return not text or bounds(text) is not NOTHING or GAPPED.fullmatch(text) is not None


def word_bounds(words: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of each of some distinct texts (see bounds) as two arrays of datetime64[D]."""
    pairs = [bounds(word) for word in words]
    return tuple(np.array([pair[end] for pair in pairs], "datetime64[D]") for end in (0, 1))  # type: ignore[return-value]


def day_bounds(dates: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return earliest and latest possible day of each date of a column (see bounds)."""
    coded = CodedText.of_series(dates)
    first, last = word_bounds(coded.texts)
    return coded.spread(first), coded.spread(last)


def word_is_valid(words: Iterable[str]) -> np.ndarray:
    """Return where each of some distinct texts is blank or a date (see is_date)."""
    return np.array([is_date(word) for word in words], bool)


def text_of_days(days: np.ndarray) -> CodedText:
    """Return the ISO 8601 text of each day (datetime64[D]), blank for NaT."""
    distinct, codes = np.unique(days, return_inverse=True)
    return CodedText.of_codes(np.where(np.isnat(days), -1, codes), np.datetime_as_string(distinct, unit="D").tolist())


def to_sas_days(days: np.ndarray) -> np.ndarray:
    """Return days since 1960-01-01 as float64, NaN for NaT."""
    count = (days.astype("datetime64[D]") - SAS_EPOCH) / np.timedelta64(1, "D")
    return np.where(np.isnat(days), np.nan, count)


def from_sas_days(days: np.ndarray) -> np.ndarray:
    """Return datetime64[D] of days since 1960-01-01, NaT for NaN."""
    known = ~np.isnan(days)
    offsets = np.where(known, days, 0).astype(int).astype("timedelta64[D]")
    return np.where(known, SAS_EPOCH + offsets, MISSING_DAY).astype("datetime64[D]")
