"""The sums of all pairs of recorded values in order, of which there are too many to write them down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PairSums:
    """Sums of ``size`` pairs as whole numbers of ``unit``; ``at_most`` counts the sums up to a whole number."""

    size: int
    lowest: int
    highest: int
    unit: float
    at_most: Callable[[int], int]

    def nth(self, place: int) -> float:
        """Return the sum at a place of their order, counted from 0 or, if negative, from the end."""
        wanted = place + 1 if place >= 0 else self.size + place + 1
        low, high = self.lowest, self.highest
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self.at_most(middle) >= wanted else (middle + 1, high)
        return low * self.unit

    def median(self) -> float:
        """Return the middle sum, or the mean of the two in the middle."""
        return (self.nth((self.size - 1) // 2) + self.nth(self.size // 2)) / 2


def walsh_averages(values: Floats, decimals: int) -> PairSums:
    """Return the means of all pairs of values, each value also with itself; values are recorded to ``decimals``."""
    whole = _whole(values, decimals)

    def at_most(total: int) -> int:
        both_orders = int(np.searchsorted(whole, total - whole, side="right").sum())
        return (both_orders + int(np.searchsorted(2 * whole, total, side="right"))) // 2

    size, ends = whole.size * (whole.size + 1) // 2, (int(2 * whole[0]), int(2 * whole[-1]))
    return PairSums(size, *ends, 0.5 / 10.0**decimals, at_most)


def differences(first: Floats, second: Floats, decimals: int) -> PairSums:
    """Return the differences of every value of ``first`` less every value of ``second``."""
    one, two = _whole(first, decimals), _whole(-second, decimals)

    def at_most(total: int) -> int:
        return int(np.searchsorted(one, total - two, side="right").sum())

    return PairSums(one.size * two.size, int(one[0] + two[0]), int(one[-1] + two[-1]), 1 / 10.0**decimals, at_most)


def _whole(values: Floats, decimals: int) -> Floats:
    """Return values in ascending order as whole numbers of their last decimal, which a float holds exactly."""
    return np.sort(np.rint(values * 10.0**decimals))
