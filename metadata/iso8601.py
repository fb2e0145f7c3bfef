"""ISO 8601 dates as SDTM writes them (SDTMIG 3.3, section 4.4): partial dates stay partial.

A partial date is cut on the right: ``2001``, ``2001-03``. A known part after an unknown one is written with a single
hyphen: ``2001---15``. So is a time of day: ``T10``, ``T10:30``, ``T-:15``, with a fraction of the second and a time
zone where they were collected. A year before 1583 is not a date: ISO 8601 leaves it to an agreement, and it is a typing
mistake. Each rule is written for one text; the functions over columns apply it to the distinct texts.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from metadata.coded_text import CodedText

if TYPE_CHECKING:
    import pandas as pd

DAY, MONTH, YEAR = r"(?:0[1-9]|[12]\d|3[01])", r"(?:0[1-9]|1[0-2])", r"(?:1[6-9]\d\d|[2-9]\d{3}|159\d|158[3-9])"
TIME = re.compile(
    r"(?P<hour>[01]\d|2[0-3]|-)(?::(?P<minute>[0-5]\d|-)(?::(?P<second>[0-5]\d(?:[.,]\d+)?|-))?)?"
    r"(?P<zone>Z|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?)?",
    re.ASCII,
)
TIMED = rf"(?:T{re.sub(r'P<[a-z]+>', ':', TIME.pattern)})?"
PATTERN = re.compile(rf"({YEAR})(?:-({MONTH})(?:-({DAY}){TIMED})?)?", re.ASCII)
WHOLE_PARTS = re.compile(rf"{YEAR}-{MONTH}-{DAY}.*", re.ASCII)
GAPPED = re.compile(
    rf"{YEAR}---{DAY}|--{MONTH}(?:-{DAY})?|----{DAY}|(?:{YEAR}|-)-(?:{MONTH}|-)-(?:{DAY}|-){TIMED.rstrip('?')}",
    re.ASCII,
)
DIGITS = re.compile(r"\d{1,4}", re.ASCII)
FULL = len("YYYY-MM-DD")
SAS_EPOCH = np.datetime64("1960-01-01", "D")
MISSING_DAY = np.datetime64("NaT", "D")
NOTHING = (MISSING_DAY, MISSING_DAY)
Bounds = tuple[np.datetime64, np.datetime64]


def from_parts(year: str, month: str, day: str) -> str:
    """Return the ISO 8601 text of three parts; a part that is not digits (blank, missing-data code) is unknown.

    So is a year of fewer than four digits, which says no century, and a part of zeros. Nothing is checked here: see
    ``is_part`` for each part; 1999, 02, 31 gives 1999-02-31, which is_date refuses.
    """
    parts = [_digits(year, 4) if len(year.strip()) == 4 else "", _digits(month, 2), _digits(day, 2)]
    while parts and not parts[-1]:
        parts.pop()
    return "-".join(part or "-" for part in parts)


def is_part(text: str, part: Literal["year", "month", "day"]) -> bool:
    """Return True for a blank text, and for the digits of a year of the calendar, a month or a day of the month."""
    bare = text.strip()
    pattern = {"year": YEAR, "month": MONTH, "day": DAY}[part]
    return not bare or re.fullmatch(pattern, bare if part == "year" else bare.zfill(2), re.ASCII) is not None


def _digits(part: str, width: int) -> str:
    text = part.strip()
    padded = text.zfill(width) if DIGITS.fullmatch(text) else ""
    return padded if padded.strip("0") else ""


@lru_cache(maxsize=1 << 16)
def bounds(text: str) -> Bounds:
    """Return earliest and latest possible day (datetime64[D]) of a full or partial date, NaT where there is none.

    A month known without its year, and a date that does not exist in the calendar, have no bounds. An interval of
    uncertainty (``2003-12-15T10:00/2003-12-16``, SDTMIG 3.3, section 4.4.2) has those of its two ends.
    """
    if "/" in text:
        return _interval(*text.split("/", 1))
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


def _interval(start: str, end: str) -> Bounds:
    first, last = bounds(start)[0], bounds(end)[1]
    return NOTHING if np.isnat(first) or np.isnat(last) or first > last or "/" in end else (first, last)


def is_full(text: str) -> bool:
    """Return True where year, month and day are all known and the day exists in the calendar."""
    first, last = bounds(text)
    return len(text) >= FULL and bool(first == last)


def is_date(text: str) -> bool:
    """Return True for a blank text, and for a full or partial ISO 8601 date that the calendar has."""
    if not text or bounds(text) is not NOTHING:
        return True
    return GAPPED.fullmatch(text) is not None and WHOLE_PARTS.fullmatch(text) is None


def time_parts(text: str) -> tuple[float, float, float]:
    """Return hour, minute and second (with its fraction) of a moment's text, NaN for each that is not known.

    The time is that of the clock where it was taken: a time zone changes nothing.
    """
    found = TIME.fullmatch(text.partition("T")[2])
    given = [found[name] if found else None for name in ("hour", "minute", "second")]
    hour, minute, second = (float(one.replace(",", ".")) if one and one != "-" else np.nan for one in given)
    return hour, minute, second


def text_bounds(texts: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of each of some distinct texts (see bounds) as two arrays of datetime64[D]."""
    pairs = [bounds(text) for text in texts]
    return tuple(np.array([pair[end] for pair in pairs], "datetime64[D]") for end in (0, 1))  # type: ignore[return-value]


def day_bounds(dates: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return earliest and latest possible day of each date of a column (see bounds)."""
    coded = CodedText.of_series(dates)
    first, last = text_bounds(coded.texts)
    return coded.spread(first), coded.spread(last)


def text_is_valid(texts: Iterable[str]) -> np.ndarray:
    """Return where each of some distinct texts is blank or a date (see is_date)."""
    return np.array([is_date(text) for text in texts], bool)


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
