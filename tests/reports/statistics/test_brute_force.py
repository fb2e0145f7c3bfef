"""The fast distributions against counting every arrangement one by one."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from reports.statistics.friedman import friedman
from reports.statistics.page_trend import page_trend
from reports.statistics.signed_rank import Zeros, signed_rank

# Few distinct values, so that ties and zeros are the rule.
DIFFERENCES = st.lists(st.integers(-4, 4).map(lambda whole: whole / 2), min_size=1, max_size=8)
TABLES = st.integers(2, 3).flatmap(
    lambda k: st.lists(st.lists(st.integers(0, 3).map(float), min_size=k, max_size=k), min_size=1, max_size=4)
)


def far(values: Iterable[float], observed: float, centre: float) -> float:
    """Share of equally likely values at least as far from the centre as the observed one."""
    distances = [abs(value - centre) >= abs(observed - centre) - 1e-9 for value in values]
    return sum(distances) / len(distances)


def by_signs(differences: list[float], zeros: Zeros) -> float:
    kept = np.array(differences if zeros == "pratt" else [d for d in differences if d != 0])
    if not kept.any():
        return 1.0
    ranks = rankdata(np.abs(kept))[kept != 0]
    sums = [float(ranks @ np.array(signs)) for signs in product((0, 1), repeat=ranks.size)]
    return far(sums, float(ranks[kept[kept != 0] > 0].sum()), float(ranks.sum()) / 2)


@pytest.mark.parametrize("zeros", ["pratt", "wilcoxon"])
@settings(deadline=None)
@given(differences=DIFFERENCES)
def test_signed_rank_counts_every_sign(zeros: Zeros, differences: list[float]) -> None:
    assert signed_rank(differences, 1, zeros).value == pytest.approx(by_signs(differences, zeros), abs=1e-12)


def all_rearrangements(ranks: np.ndarray) -> Iterable[np.ndarray]:
    return (np.array(rows) for rows in product(*(list(permutations(row)) for row in ranks)))


@settings(deadline=None)
@given(table=TABLES)
def test_page_counts_every_arrangement(table: list[list[float]]) -> None:
    ranks = np.array([rankdata(row) for row in table])
    n, k = ranks.shape
    weights = np.arange(1, k + 1)
    values = [float((rows @ weights).sum()) for rows in all_rearrangements(ranks)]
    observed = float((ranks @ weights).sum())
    larger = sum(value >= observed - 1e-9 for value in values) / len(values)
    assert page_trend(table, 0, "one-sided").value == pytest.approx(larger, abs=1e-12)
    assert page_trend(table, 0).value == pytest.approx(far(values, observed, n * k * (k + 1) ** 2 / 4), abs=1e-12)


@settings(deadline=None)
@given(table=TABLES)
def test_friedman_counts_every_arrangement(table: list[list[float]]) -> None:
    ranks = np.array([rankdata(row) for row in table])
    spreads = [float(np.var(rows.sum(axis=0))) for rows in all_rearrangements(ranks)]
    observed = float(np.var(ranks.sum(axis=0)))
    larger = sum(spread >= observed - 1e-9 for spread in spreads) / len(spreads)
    assert friedman(table, 0).value == pytest.approx(larger, abs=1e-12)
