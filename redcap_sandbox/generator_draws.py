"""Random numbers by name: a seed and a name always give the same numbers, however many patients follow."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri


@dataclass(frozen=True)
class Draws:
    """Streams of one number a patient: a patient's numbers do not depend on who else is made, before or after them.

    ``first`` is the place of the first patient of whom numbers are drawn, ``patients`` how many they are.
    """

    seed: int
    patients: int
    first: int = 0

    def uniform(self, *name: str) -> np.ndarray:
        """Return float64 of (patients,) between 0 and 1, both excluded."""
        digest = hashlib.sha256("|".join((str(self.seed), *name)).encode()).digest()
        bits = np.random.PCG64(int.from_bytes(digest[:16], "big")).advance(self.first)  # one step is one number
        stream = np.random.Generator(bits)
        return np.clip(stream.random(self.patients), 1e-12, 1 - 1e-12)

    def normal(self, *name: str) -> np.ndarray:
        """Return standard normal deviates of (patients,), by inversion, so that one draw is one number."""
        return np.asarray(ndtri(self.uniform(*name)), np.float64)


def choose(uniform: np.ndarray, weights: dict[str, float]) -> np.ndarray:
    """Return one of the keys for each uniform number, with probabilities in proportion to the weights."""
    share = np.cumsum(np.fromiter((float(weight) for weight in weights.values()), float))
    position = np.searchsorted(share / share[-1], uniform, side="right")
    return np.array([str(key) for key in weights], object)[np.minimum(position, len(weights) - 1)]
