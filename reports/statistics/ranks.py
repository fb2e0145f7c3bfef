"""Midranks, doubled so that they are whole numbers, and the exact distribution of their signed sums."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]


def doubled_midranks(values: Iterable[float]) -> Whole:
    """Twice the rank of each value, ties sharing their mean rank: [3, 1, 3] gives [5, 2, 5]."""
    array = np.asarray(list(values), dtype=float)
    _, position, counts = np.unique(array, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((2 * last - counts + 1)[position], dtype=np.int64)


def signed_sums(doubled_ranks: Whole) -> NDArray[np.float64]:
    """Probability of every sum of positive doubled ranks when each sign is a fair coin.

    Element s of the result is P(sum = s). One convolution a rank; halving is exact in binary, so the distribution is
    too as long as its smallest probability can be represented.
    """
    distribution = np.zeros(int(doubled_ranks.sum()) + 1)
    distribution[0] = 1.0
    for rank in doubled_ranks:
        taken = np.zeros_like(distribution)
        taken[rank:] = distribution[: distribution.size - rank]
        distribution = (distribution + taken) / 2.0
    return distribution
