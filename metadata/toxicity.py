"""Toxicity grades of laboratory values by schemes that are tables: bands become half-open intervals.

A published band such as "9.5-10.9" leaves a gap before 11.0; the tables write it as ``9.5 - <11.0``, so that every
unrounded value has exactly one grade (WHO Handbook 1979, Miller 1981; see the tables' own source columns).
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, replace
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
class References:
    """What limits are multiples of, one value a result: lower and upper limit of normal, and the baseline value."""

    lln: np.ndarray
    uln: np.ndarray
    base: np.ndarray

    def of(self, name: str) -> np.ndarray:
        """Return the values that LLN, ULN or BASE stands for."""
        return {"LLN": self.lln, "ULN": self.uln, "BASE": self.base}[name]


@dataclass(frozen=True)
class Limit:
    """One end of a band: ``factor`` times a reference (LLN, ULN or BASE), or times nothing."""

    factor: float
    reference: str
    closed: bool

    def value(self, references: References, scale: float) -> np.ndarray:
        """Return the limit for each value, in the values' unit; ``scale`` turns the scheme's unit into it."""
        if self.reference:
            return self.factor * references.of(self.reference)
        return np.full(len(references.uln), self.factor * scale)


@dataclass(frozen=True)
class GradeBand:
    """The values that have one grade, between two limits of which either may be open-ended (None)."""

    grade: int
    low: Limit | None
    high: Limit | None

    def holds(self, values: np.ndarray, references: References, scale: float) -> np.ndarray:
        """Return True where a value lies in the band; equality with a limit is judged to nine digits."""
        inside = ~np.isnan(values)
        for limit, sign in ((self.low, 1.0), (self.high, -1.0)):
            if limit is not None:
                bound = limit.value(references, scale)
                margin = TOLERANCE * np.abs(bound) * (-1.0 if limit.closed else 1.0)
                inside &= sign * (values - bound) > margin
        return inside


def parse_band(text: str, grade: int, basis: str = "") -> GradeBand | None:
    """Read ``>=11.0``, ``9.5 - <11.0``, ``>1.25 - 2.5``, ``1.0 - <LLN``; a remark in brackets is passed over.

    Returns None for a blank band. ``basis`` ("ULN", "BASE" or blank) is what bare numbers multiply.
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
        return GradeBand(grade, low, _limit(found["b"], found["second"] != "<", basis))
    limit = _limit(found["a"], "=" in found["first"], basis)
    return GradeBand(grade, limit, None) if found["first"].startswith(">") else GradeBand(grade, None, limit)


def _limit(text: str, closed: bool, basis: str) -> Limit:
    return Limit(1.0, text, closed) if text in REFERENCES else Limit(float(text), basis, closed)


@dataclass(frozen=True)
class ToxicityItem:
    """One graded analyte, or one scheme of an analyte, with its bands from grade 0 upwards.

    ``abnormal`` are the bands that hold instead where the baseline was abnormal (CTCAE v5.0); without them the baseline
    makes no difference.
    """

    name: str
    unit: str
    bands: tuple[GradeBand, ...]
    source: str
    abnormal: tuple[GradeBand, ...] = ()

    @cached_property
    def needs(self) -> frozenset[str]:
        """What the item's limits are multiples of: LLN, ULN, BASE or nothing."""
        limits = [limit for band in (*self.bands, *self.abnormal) for limit in (band.low, band.high) if limit]
        return frozenset(limit.reference for limit in limits if limit.reference)

    def grade(
        self, values: np.ndarray, lln: np.ndarray | None = None, uln: np.ndarray | None = None, scale: float = 1.0,
        base: np.ndarray | None = None, normal: np.ndarray | None = None,
    ) -> np.ndarray:  # fmt: skip
        """Return the grade of each value as float64; NaN where nothing that is known gives one.

        A band that needs a missing reference limit holds for no value; one with fixed limits does without. ``scale`` is
        the factor from the item's unit to the unit of ``values`` (10 for g/dL to g/L). A value that is not beyond the
        reference limit is grade 0 even where a fixed limit would say otherwise. ``base`` is the baseline value and
        ``normal`` says 1 for a normal, 0 for an abnormal and NaN for an unknown one; an item that depends on the
        baseline has no grade where that is unknown.
        """
        values = np.asarray(values, float)
        references = References(*(_positive(given, len(values)) for given in (lln, uln, base)))
        grades = _graded(self.bands, values, references, scale)
        if not self.abnormal:
            return grades
        kind = np.full(len(values), np.nan) if normal is None else np.asarray(normal, float)
        otherwise = _graded(self.abnormal, values, references, scale)
        return np.where(kind == 1, grades, np.where(kind == 0, otherwise, np.nan))


def _positive(given: np.ndarray | None, count: int) -> np.ndarray:
    """Return references as numbers, NaN where there is none or none above 0."""
    numbers = np.full(count, np.nan) if given is None else np.asarray(given, float)
    return np.where(numbers > 0, numbers, np.nan)


def _graded(bands: tuple[GradeBand, ...], values: np.ndarray, references: References, scale: float) -> np.ndarray:
    grades = np.full(len(values), np.nan)
    with np.errstate(invalid="ignore"):
        for band in sorted(bands, key=lambda band: -band.grade):
            grades[band.holds(values, references, scale)] = band.grade
    return grades


def read_scheme(name: str, folder: Path = FOLDER) -> dict[str, ToxicityItem]:
    """Read a shipped table (``who-1979-lab-grades``, ``lymphocyte-schemes``, ``ctcae-v5-bands``) as items by name.

    A line for a normal baseline is followed by that for an abnormal one.

    Items whose bands are not numbers (a dipstick) are left out: nothing can be graded by them.
    """
    path = folder / f"{name}.csv"
    if not path.is_file():
        raise StudyError(f"there is no toxicity scheme '{name}'{nearest(name, shipped())}")
    items: dict[str, ToxicityItem] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        if not {"unit", "source"} <= set(reader.fieldnames or ()):
            raise StudyError(f"the table '{name}' is no toxicity scheme: it has no columns unit and source")
        for row in reader:
            made = _item(row)
            if made is not None and row.get("baseline") == "abnormal":
                items[made.name] = replace(items[made.name], abnormal=made.bands)
            elif made is not None:
                items[made.name] = made
    return items


def _item(row: dict[str, str]) -> ToxicityItem | None:
    name = row.get("parameter") or row.get("scheme") or ""
    basis = {"x ULN": "ULN", "x baseline": "BASE"}.get(row.get("basis", ""), "")
    grades = sorted(int(column.removeprefix("grade_")) for column in row if column.startswith("grade_"))
    try:
        bands = [parse_band(row[f"grade_{grade}"], grade, basis) for grade in grades]
    except StudyError:
        return None
    return ToxicityItem(name, row["unit"], tuple(band for band in bands if band), row["source"])
