"""Colours that colour-blind readers tell apart, with dashes where there are more lines than colours."""

from __future__ import annotations

# Okabe and Ito's palette without black (kept for the median) and yellow (too pale for a line).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
DASHES: tuple[tuple[float, ...], ...] = ((), (8, 3), (2.5, 2), (8, 3, 2.5, 3))


def course_style(position: int) -> tuple[str, tuple[float, ...]]:
    """Colour and dash of a line: all colours drawn through, then dashed."""
    return COLOURS[position % len(COLOURS)], DASHES[(position // len(COLOURS)) % len(DASHES)]


def curve_style(position: int) -> tuple[str, tuple[float, ...]]:
    """Colour and dash of a curve among few: each differs in both, so that a copy without colours can be read."""
    return COLOURS[position % len(COLOURS)], DASHES[position % len(DASHES)]
