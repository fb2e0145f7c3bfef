"""Reference ranges by laboratory, test, sex, age and date, from a table of the study."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from math import inf, isnan
from pathlib import Path

import numpy as np

from metadata.errors import Gather
from metadata.study_table import TableRow, read_table

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
    row: TableRow

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


def read_ranges(path: Path, shown: str | None = None) -> dict[str, list[Range]]:
    """Read the table, by test; ``shown`` is the name that errors give the file.

    Columns: laboratory, test, sex (a term of the codelist SEX, or blank), age_from, age_to (years), valid_from,
    valid_to (YYYY-MM-DD), unit, low, high. Raises one StudyError for all that is wrong: a header that is not this one,
    a value that cannot be read, limits, ages or dates in the wrong order, two rows that one sample could meet.
    """
    table = read_table(path, shown or path.name)
    table.check_columns(COLUMNS)
    by_test: dict[str, list[Range]] = {}
    with Gather() as gather:
        for row in table.rows:
            with gather.part():
                made = _range(row)
                known = by_test.setdefault(made.test, [])
                other = next((one for one in known if made.overlaps(one)), None)
                if other:
                    raise row.error(f"the range overlaps the one on line {other.row.line}", made.test)
                known.append(made)
    return by_test


def _range(row: TableRow) -> Range:
    low, high = _number(row, "low", -inf), _number(row, "high", inf)
    age_from, age_to = _number(row, "age_from", -inf), _number(row, "age_to", inf)
    valid_from, valid_to = _day(row, "valid_from"), _day(row, "valid_to")
    for name in ("age_from", "age_to"):
        if row.number(name) < 0:
            raise row.error(f"an age is 0 or more, not {row[name]}", name)
    if not (row["low"] or row["high"]):
        raise row.error("the range has neither a low nor a high limit", "low")
    for start, end, turned in (
        ("low", "high", low > high),
        ("age_from", "age_to", age_from > age_to),
        ("valid_from", "valid_to", bool(valid_from > valid_to)),
    ):
        if turned:
            raise row.error(f"{start} {row[start]} is above {end} {row[end]}", start)
    return Range(
        laboratory=row["laboratory"],
        test=row["test"],
        sex=row["sex"],
        age_from=age_from,
        age_to=age_to,
        valid_from=valid_from,
        valid_to=valid_to,
        unit=row["unit"],
        low=row["low"],
        high=row["high"],
        row=row,
    )


def _number(row: TableRow, column: str, blank: float) -> float:
    """Return a number, ``blank`` where the cell is; raises StudyError for a cell that is not a number."""
    number = row.number(column)
    return blank if isnan(number) else number


def _day(row: TableRow, column: str) -> np.datetime64:
    """Return a day, NaT where the cell is blank; raises StudyError for a cell that is not YYYY-MM-DD."""
    written = row[column]
    day: np.datetime64 = np.datetime64("NaT", "D")
    with suppress(ValueError):
        day = np.datetime64(written or "NaT", "D")
    if written and str(day) != written:
        raise row.error(f"'{written}' is not a date of the calendar, written YYYY-MM-DD", column)
    return day


def chosen(rows: list[Range], laboratory: np.ndarray, sex: np.ndarray, age: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Return for each sample the position in ``rows`` of the range that applies, -1 if none does."""
    position = np.full(len(laboratory), -1, np.int32)
    for number, row in enumerate(rows):
        position[row.applies(laboratory, sex, age, day)] = number
    return position
