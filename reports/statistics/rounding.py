"""Rounding half away from zero, done once, at display (SAS ROUND; Python's own rounding is half to even)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
from numpy.typing import ArrayLike, NDArray

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


def recorded_decimals(values: ArrayLike) -> int:
    """Return the decimals that the values are recorded with: the fewest with which none of them changes.

    What differs in the last of the ``SIGNIFICANT_DIGITS`` of the largest value is noise of binary computation (the
    change 5.5 - 4.9 has one decimal), so values that end nowhere, such as quotients, are taken to that digit.
    """
    known = np.asarray(values, dtype=float).ravel()
    known = known[np.isfinite(known)]
    if not known.any():
        return 0
    finest = max(0, SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(float(np.abs(known).max()))))
    for decimals in range(finest):
        if np.abs(known - to_precision(known, decimals)).max() <= 10.0**-finest:
            return decimals
    return finest


def all_equal(values: NDArray[np.float64]) -> bool:
    """Whether values differ by no more than the noise of binary computation."""
    return bool(np.ptp(values) <= np.abs(values).max() * 10.0 ** (2 - SIGNIFICANT_DIGITS))


def significant(value: float) -> float:
    """``value`` without the digits that depend on the machine's order of additions."""
    return value if math.isnan(value) or math.isinf(value) else float(f"{value:.{SIGNIFICANT_DIGITS}g}")
