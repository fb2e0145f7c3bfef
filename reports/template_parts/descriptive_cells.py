"""The cells in which descriptive statistics are printed, the same on every table unless it chooses others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

Shown = Literal["n", "mean", "median", "quartiles", "range", "geometric_mean"]
"""A line of statistics that an output may choose."""
LINES: dict[str, tuple[str, str]] = {
    "n": ("n", "n"),
    "mean": ("Mean (SD)", "mean sd"),
    "median": ("Median", "median"),
    "quartiles": ("Q1, Q3", "q1 q3"),
    "range": ("Min, max", "min max"),
    "geometric_mean": ("Geometric mean (CV%)", "geometric_mean geometric_cv"),
}
"""Of each line its label and its statistics, one or a pair."""
CELLS = tuple(LINES[name] for name in ("n", "mean", "median", "quartiles", "range"))


def cells(shown: Sequence[str] | None) -> tuple[tuple[str, str], ...]:
    """Return the lines that are chosen, in their order; the usual ones without a choice."""
    return CELLS if shown is None else tuple(LINES[name] for name in shown)
