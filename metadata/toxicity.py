"""Toxicity grades of laboratory values by schemes that are tables: bands become half-open intervals.

A published band such as "9.5-10.9" leaves a gap before 11.0; the tables write it as ``9.5 - <11.0``, so that every
unrounded value has exactly one grade (WHO Handbook 1979, Miller 1981; see the tables' own source columns).
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from metadata.errors import StudyError, nearest
from metadata.standards import FOLDER, shipped

REFERENCES = ("LLN", "ULN")
TOLERANCE = 1e-9
LIMIT = r"(?P<{0}>\d+(?:\.\d+)?|LLN|ULN)"
BAND = re.compile(
    r"(?P<first>>=|<=|>|<)?\s*" + LIMIT.format("a") + r"(?:\s*-\s*(?P<second><=|<)?\s*" + LIMIT.format("b") + r")?"
)


@dataclass(frozen=True)
class Limit:
    """One end of a band: ``factor`` times a reference limit (LLN or ULN), or times nothing."""

    factor: float
    reference: str
    closed: bool

    def value(self, lln: np.ndarray, uln: np.ndarray, scale: float) -> np.ndarray:
        """Return the limit for each value, in the values' unit; ``scale`` turns the scheme's unit into it."""
        if self.reference:
            return self.factor * (uln if self.reference == "ULN" else lln)
        return np.full(len(uln), self.factor * scale)


@dataclass(frozen=True)
class Band:
    """The values that have one grade, between two limits of which either may be open-ended (None)."""

    grade: int
    low: Limit | None
    high: Limit | None

    def holds(self, values: np.ndarray, lln: np.ndarray, uln: np.ndarray, scale: float) -> np.ndarray:
        """Return True where a value lies in the band; equality with a limit is judged to nine digits."""
        inside = ~np.isnan(values)
        for limit, sign in ((self.low, 1.0), (self.high, -1.0)):
            if limit is not None:
                bound = limit.value(lln, uln, scale)
                margin = TOLERANCE * np.abs(bound) * (-1.0 if limit.closed else 1.0)
                inside &= sign * (values - bound) > margin
        return inside


def parse_band(text: str, grade: int, basis: str = "") -> Band | None:
    """Read ``>=11.0``, ``9.5 - <11.0``, ``>1.25 - 2.5``, ``1.0 - <LLN``; a remark in brackets is passed over.

    Returns None for a blank band. ``basis`` ("ULN", "LLN" or blank) is what bare numbers multiply.
    Raises StudyError for a band that is not an interval of numbers.
    """
    bare = re.sub(r"\(.*?\)", "", text).strip()
    if bare in ("", "-"):
        return None
    found = BAND.fullmatch(bare)
    if not found or (found["b"] and found["first"] in ("<", "<=")) or not (found["b"] or found["first"]):
        raise StudyError(f"'{text}' is not a band of numbers")
    if found["b"]:
        low = _limit(found["a"], found["first"] != ">", basis)
        return Band(grade, low, _limit(found["b"], found["second"] != "<", basis))
    limit = _limit(found["a"], "=" in found["first"], basis)
    return Band(grade, limit, None) if found["first"].startswith(">") else Band(grade, None, limit)


def _limit(text: str, closed: bool, basis: str) -> Limit:
    return Limit(1.0, text, closed) if text in REFERENCES else Limit(float(text), basis, closed)


@dataclass(frozen=True)
class Item:
    """One graded analyte, or one scheme of an analyte, with its bands from grade 0 upwards."""

    name: str
    unit: str
    bands: tuple[Band, ...]
    source: str

    @cached_property
    def needs(self) -> frozenset[str]:
        """Reference limits without which no grade is given: LLN, ULN or neither."""
        limits = [limit for band in self.bands for limit in (band.low, band.high) if limit]
        return frozenset(limit.reference for limit in limits if limit.reference)

    def grade(
        self, values: np.ndarray, lln: np.ndarray | None = None, uln: np.ndarray | None = None, scale: float = 1.0
    ) -> np.ndarray:
        """Return the grade of each value as float64; NaN where the value, or a limit that the item needs, is missing.

        ``scale`` is the factor from the item's unit to the unit of ``values`` (10 for g/dL to g/L). A value that is
        not beyond the reference limit is grade 0 even where a fixed limit would say otherwise.
        """
        values = np.asarray(values, float)
        nothing = np.full(len(values), np.nan)
        lower = nothing if lln is None else np.asarray(lln, float)
        upper = nothing if uln is None else np.asarray(uln, float)
        grades = nothing.copy()
        for band in sorted(self.bands, key=lambda band: -band.grade):
            grades[band.holds(values, lower, upper, scale)] = band.grade
        for reference, given in (("LLN", lower), ("ULN", upper)):
            if reference in self.needs:
                grades[~(given > 0)] = np.nan
        return grades


def read_scheme(name: str, folder: Path = FOLDER) -> dict[str, Item]:
    """Read a shipped table (``who-1979-lab-grades``, ``lymphocyte-schemes``) as items by name.

    Items whose bands are not numbers (a dipstick) are left out: nothing can be graded by them.
    """
    path = folder / f"{name}.csv"
    if not path.is_file():
        raise StudyError(f"there is no toxicity scheme '{name}'{nearest(name, shipped())}")
    items = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            made = _item(row)
            if made is not None:
                items[made.name] = made
    return items


def _item(row: dict[str, str]) -> Item | None:
    name = row.get("parameter") or row.get("scheme") or ""
    basis = "ULN" if row.get("basis") == "x ULN" else ""
    grades = sorted(int(column.removeprefix("grade_")) for column in row if column.startswith("grade_"))
    try:
        bands = [parse_band(row[f"grade_{grade}"], grade, basis) for grade in grades]
    except StudyError:
        return None
    return Item(name, row["unit"], tuple(band for band in bands if band), row["source"])
