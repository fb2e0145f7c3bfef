"""Rounding half away from zero, done once, at display (SAS ROUND; Python's own rounding is half to even)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
from numpy.typing import NDArray

# Binary computation carries about 16 significant digits; what differs past the 12th is noise and may not decide a half.
SIGNIFICANT_DIGITS = 12


def rounded_text(value: float, decimals: int) -> str:
    """``value`` with ``decimals`` decimals, halves away from zero, and never a negative zero."""
    exact = Decimal(f"{value:.{SIGNIFICANT_DIGITS}g}").quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    return f"{abs(exact) if exact == 0 else exact:f}"


def to_precision(values: Iterable[float], decimals: int) -> NDArray[np.float64]:
    """Values as whole multiples of 10**-decimals, so that equal recorded differences compare as equal.

    5.5 - 4.9 and 4.6 - 4.0 differ in binary; a rank test must see a tie.
    """
    scaled = np.asarray(list(values), dtype=float) * 10.0**decimals
    halves_away = np.floor(np.abs(scaled) + 0.5 + 1e-9) * np.sign(scaled)
    return np.where(np.isnan(scaled), np.nan, halves_away) / 10.0**decimals


def significant(value: float) -> float:
    """``value`` without the digits that depend on the machine's order of additions."""
    return value if math.isnan(value) or math.isinf(value) else float(f"{value:.{SIGNIFICANT_DIGITS}g}")
