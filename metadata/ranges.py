"""Reference ranges by laboratory, test, sex, age and date, from a table of the study."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from metadata.errors import StudyError

COLUMNS = (
    "laboratory",
    "test",
    "sex",
    "age_from",
    "age_to",
    "valid_from",
    "valid_to",
    "unit",
    "low",
    "high",
)
DAY = "datetime64[D]"


@dataclass(frozen=True)
class Range:
    """One row of the table: blank sex, age or date limits hold for all; age_to and valid_to are included."""

    laboratory: str
    test: str
    sex: str
    age_from: float
    age_to: float
    valid_from: np.datetime64
    valid_to: np.datetime64
    unit: str
    low: str
    high: str
    line: int

    def applies(self, laboratory: np.ndarray, sex: np.ndarray, age: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Return True where the range is the one for a sample; an unknown sex, age or date meets no limit on it."""
        inside = laboratory == self.laboratory
        if self.sex:
            inside = inside & (sex == self.sex)
        if self.age_from > -np.inf or self.age_to < np.inf:
            inside = inside & (age >= self.age_from) & (age <= self.age_to)
        if not (np.isnat(self.valid_from) and np.isnat(self.valid_to)):
            inside = inside & ~np.isnat(day)
            inside = inside & (np.isnat(self.valid_from) | (day >= self.valid_from))
            inside = inside & (np.isnat(self.valid_to) | (day <= self.valid_to))
        return inside

    def overlaps(self, other: Range) -> bool:
        """Return True if a sample could meet both ranges."""
        if (self.laboratory, self.test) != (other.laboratory, other.test):
            return False
        sexes = not self.sex or not other.sex or self.sex == other.sex
        ages = self.age_from <= other.age_to and other.age_from <= self.age_to
        return bool(sexes and ages and _start(self) <= _end(other) and _start(other) <= _end(self))


def _start(row: Range) -> np.datetime64:
    return np.datetime64("0001-01-01", "D") if np.isnat(row.valid_from) else row.valid_from


def _end(row: Range) -> np.datetime64:
    return np.datetime64("9999-12-31", "D") if np.isnat(row.valid_to) else row.valid_to


def read_ranges(path: Path) -> dict[str, list[Range]]:
    """Read the table, by test.

    Columns: laboratory, test, sex (M, F or blank), age_from, age_to (years), valid_from, valid_to (YYYY-MM-DD), unit,
    low, high. Raises StudyError on a wrong header, an unreadable value, or two rows that one sample could meet.
    """
    if not path.is_file():
        raise StudyError("the table of reference ranges does not exist", path.name)
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise StudyError(f"the columns must be {', '.join(COLUMNS)}", path.name, 1)
        rows = [_row(row, path.name, number) for number, row in enumerate(reader, start=2)]
    by_test: dict[str, list[Range]] = {}
    for row in rows:
        for other in by_test.setdefault(row.test, []):
            if row.overlaps(other):
                raise StudyError(f"the range overlaps the one on line {other.line}", path.name, row.line, row.test)
        by_test[row.test].append(row)
    return by_test


def _row(row: dict[str, str], file: str, line: int) -> Range:
    try:
        for column in ("low", "high"):
            if row[column]:
                float(row[column])
        return Range(
            laboratory=row["laboratory"],
            test=row["test"],
            sex=row["sex"],
            age_from=float(row["age_from"] or "-inf"),
            age_to=float(row["age_to"] or "inf"),
            valid_from=np.datetime64(row["valid_from"] or "NaT", "D"),
            valid_to=np.datetime64(row["valid_to"] or "NaT", "D"),
            unit=row["unit"],
            low=row["low"],
            high=row["high"],
            line=line,
        )
    except (ValueError, TypeError):
        raise StudyError("a number or a date (YYYY-MM-DD) cannot be read", file, line, row.get("test")) from None


def chosen(rows: list[Range], laboratory: np.ndarray, sex: np.ndarray, age: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Return for each sample the position in ``rows`` of the range that applies, -1 if none does."""
    position = np.full(len(laboratory), -1, np.int32)
    for number, row in enumerate(rows):
        position[row.applies(laboratory, sex, age, day)] = number
    return position
