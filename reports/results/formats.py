"""From a raw value and its result pattern to the text that tables print.

Patterns are shaped as those of CDISC ARS: "XX.X" prints one decimal. "P.XXXX" is a p-value, never printed as zero.
"""

from __future__ import annotations

import math

from reports.statistics.rounding import rounded_text

COUNT = "XX"
PERCENT = "XX.X"
P_VALUE = "P.XXXX"
NOT_ESTIMABLE = "NE"


def pattern(decimals: int) -> str:
    """The pattern that prints ``decimals`` decimals."""
    return "XX." + "X" * decimals if decimals else COUNT


def text_of(value: float, shown: str) -> str:
    """``value`` as printed; "NE" where nothing could be estimated."""
    if math.isnan(value):
        return NOT_ESTIMABLE
    decimals = len(shown.partition(".")[2])
    text = rounded_text(value, decimals)
    if shown != P_VALUE:
        return text
    smallest = 10.0**-decimals
    largest = rounded_text(1 - smallest, decimals)
    return f"<{smallest:.{decimals}f}" if value < smallest else f">{largest}" if largest < text and value < 1 else text
