"""The mean's interval, by hand: 1 to 5 has mean 3, standard error 0.707107 and t(0.975, 4) = 2.776445."""

from __future__ import annotations

import math

import pytest

from reports.statistics.mean_interval import mean_interval


def test_five_values() -> None:
    found = mean_interval([1, 2, math.nan, 3, 4, 5])
    assert (found.value, found.n) == (3, 5)
    assert (found.lower, found.upper) == (pytest.approx(1.036757, abs=1e-6), pytest.approx(4.963243, abs=1e-6))


def test_one_value_has_no_interval_and_none_no_mean() -> None:
    one = mean_interval([7])
    assert (one.value, one.n, one.warning) == (7, 1, "no interval: one value")
    assert math.isnan(one.lower)
    assert mean_interval([]).warning == "not estimable: no values"
