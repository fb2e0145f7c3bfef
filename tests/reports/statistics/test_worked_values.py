"""The worked values of the ten invented patients, made by full enumeration outside this project."""

from __future__ import annotations

import pandas as pd
import pytest

from reports.statistics.friedman import friedman
from reports.statistics.page_trend import page_trend
from reports.statistics.paired_t import paired_t
from reports.statistics.signed_rank import signed_rank

EDSS = ["edss0", "edss12", "edss24"]


def test_page_of_the_edss(completers: pd.DataFrame) -> None:
    one, two = (page_trend(completers[EDSS], 1, sides) for sides in ("one-sided", "two-sided"))
    assert one.value == pytest.approx(0.000057, abs=5e-7)
    assert two.value == pytest.approx(0.00011, abs=5e-6)
    assert (one.n, one.method, one.warning) == (8, "Page's L test, exact, one-sided", "")


def test_friedman_of_the_edss(completers: pd.DataFrame) -> None:
    assert friedman(completers[EDSS], 1).value == pytest.approx(0.00034, abs=5e-6)


@pytest.mark.parametrize(
    ("before", "after", "decimals", "expected"),
    [
        ("edss0", "edss12", 1, 0.125),
        ("edss0", "edss24", 1, 0.0156),
        ("t2_0", "t2_12", 1, 0.0078),
        ("t2_0", "t2_24", 1, 0.0078),
        ("hpt0", "hpt12", 1, 0.617),
        ("hpt0", "hpt24", 1, 0.406),
        ("np0", "np24", 2, 0.0547),
    ],
)
def test_signed_rank(completers: pd.DataFrame, before: str, after: str, decimals: int, expected: float) -> None:
    estimate = signed_rank(completers[after] - completers[before], decimals)
    assert estimate.value == pytest.approx(expected, abs=5e-4 if expected > 0.1 else 5e-5)
    assert estimate.n == 8


def test_the_composite_is_significant_by_t_and_not_by_ranks(completers: pd.DataFrame) -> None:
    assert paired_t(completers["np24"] - completers["np0"]).value == pytest.approx(0.0450, abs=5e-5)
