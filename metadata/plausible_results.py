"""Results beyond which a measurement of a living adult or child cannot lie, by test and unit.

The bounds are wide: what is beyond them is an error of unit, sign or typing, not an extreme of illness. They are this
project's own, from the physiology of survivors, and no reference ranges.
"""

from __future__ import annotations

import csv
from functools import cache

from metadata.standards import FOLDER

TABLE = "plausible-results.csv"


@cache
def plausible_results() -> dict[tuple[str, str], tuple[float, float]]:
    """Return the lowest and highest possible result of each test and unit; a blank unit is a test without one."""
    with (FOLDER / TABLE).open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines)
        return {(row["testcd"], row["unit"]): (float(row["low"]), float(row["high"])) for row in rows}
