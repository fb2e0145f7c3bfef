"""The fast distributions against counting every arrangement one by one."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from reports.statistics import friedman as friedman_module
from reports.statistics.blocks import ranked_rows
from reports.statistics.friedman import friedman, rank_sums
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


@settings(deadline=None)
@given(table=TABLES, limit=st.integers(1, 300))
def test_friedman_enumerates_no_more_than_it_foresaw(table: list[list[float]], limit: int) -> None:
    """Whether the rank sums are too many is judged beforehand: what is enumerated then stays within the limit."""
    ranks = ranked_rows(table, 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(friedman_module, "MOST_VECTORS", limit)
        if friedman_module.can_enumerate(ranks):
            before_last = rank_sums(ranks[:-1])[0] if len(ranks) > 1 else np.zeros((1, 1))
            assert len(before_last) * math.factorial(ranks.shape[1]) <= limit


@pytest.mark.parametrize(("rows", "columns", "exact"), [(184, 3, True), (185, 3, False), (22, 4, True), (23, 4, False)])
def test_friedman_foresees_how_much_there_is_to_enumerate(
    rows: int, columns: int, exact: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(friedman_module, "rank_sums", lambda ranks: (ranks.sum(axis=0)[None, :], np.ones(1)))
    values = np.random.default_rng(3).normal(size=(rows, columns))
    found = friedman(values, 6)
    assert found.method == f"Friedman's test, {'exact' if exact else 'asymptotic'}"
    assert found.warning == (
        "" if exact else f"{rows} rows of {columns}: chi-square approximation instead of enumeration"
    )
