"""Colours that colour-blind readers tell apart, dashes where there are more lines than colours, and all other settings.

A point of matplotlib, in which it counts sizes of letters, lines and marks, is a hundredth of an inch in our figures.
"""

from __future__ import annotations

from typing import Any

Dash = tuple[float, ...]

INK, SOFT, RULE, PAPER = "#1a1f24", "#5b6670", "#dddddd", "#ffffff"
# Okabe and Ito's palette without black (kept for the median) and yellow (too pale for a line).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
# Lengths drawn and left out in turn.
DASHES: tuple[Dash, ...] = ((), (8, 3), (2.5, 2), (8, 3, 2.5, 3))
REFERENCE: Dash = (6, 3)
# Marks by their names: matplotlib's sign, and its size where one looks as large as a circle of size one.
MARKS = {
    "circle": ("o", 1.0),
    "square": ("s", 1.0),
    "triangle": ("^", 1.1),
    "diamond": ("D", 0.85),
    "stroke": ("|", 1.0),
}
# Sizes of letters.
TITLE, LABEL, SMALL, INSIDE, NOTE = 15.0, 13.0, 12.0, 11.0, 11.0
# From the middle of a letter to its base line, as a part of its size.
MIDDLE = 0.36
MINUS = "\N{MINUS SIGN}"

SETTINGS: dict[str, Any] = {
    "font.family": "sans-serif",
    # Drawn with the first, which comes with matplotlib; where an SVG's reader lacks it, Verdana has the same widths.
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Geneva"],
    "font.size": SMALL,
    "text.color": INK,
    "text.hinting": "no_hinting",
    "text.parse_math": False,
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.labelcolor": INK,
    "axes.labelpad": 6,
    "axes.labelsize": LABEL,
    "axes.linewidth": 0.9,
    "axes.prop_cycle": f"cycler('color', {list(COLOURS)})",
    "axes.spines.right": False,
    "axes.spines.top": False,
    **{f"boxplot.{part}props.color": INK for part in ("box", "whisker", "cap")},
    "boxplot.flierprops.markeredgecolor": INK,
    "boxplot.medianprops.color": COLOURS[1],
    "figure.facecolor": PAPER,
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "lines.linewidth": 1.4,
    "lines.scale_dashes": False,
    "lines.solid_capstyle": "butt",
    "path.simplify": False,
    "svg.fonttype": "none",
    "timezone": "UTC",
    "xtick.color": INK,
    "xtick.labelsize": SMALL,
    "xtick.major.pad": 4,
    "xtick.major.size": 5,
    "xtick.major.width": 0.9,
    "ytick.labelcolor": INK,
    "ytick.labelsize": SMALL,
    "ytick.major.pad": 8,
    "ytick.major.size": 0,
}


def profile_style(position: int) -> tuple[str, Dash]:
    """Colour and dash of a line: all colours drawn through, then dashed."""
    return COLOURS[position % len(COLOURS)], DASHES[(position // len(COLOURS)) % len(DASHES)]


def curve_style(position: int) -> tuple[str, Dash]:
    """Colour and dash of a curve among few: each differs in both, so that a copy without colours can be read."""
    return COLOURS[position % len(COLOURS)], DASHES[position % len(DASHES)]


def signed(text: str) -> str:
    """A number as it is printed: with a minus as wide as a plus."""
    return text.replace("-", MINUS)
