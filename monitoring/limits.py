"""Limits of results: a number of the test's unit, or a multiple of the upper limit of normal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from metadata.declaration import Place
from metadata.units import significant
from monitoring.plan import TestsKnown
from monitoring.settings import Days, Sentence, TestKey

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Bound:
    """One side of a limit: ``below`` and ``above`` leave the limit itself out, ``at_least`` takes it in."""

    one_of: ClassVar = (("below",), ("above",), ("at_least",), ("above_upper",))

    below: float | None = None
    above: float | None = None
    at_least: float | None = None
    above_upper: float | None = None
    unit: Sentence | None = None

    def judge(self, results: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return where results meet the limit for certain, and where that cannot be said."""
        low, high = results["low"].to_numpy(), results["high"].to_numpy()
        strict = results["strict"].to_numpy()
        if self.below is not None:
            met = (high < self.below) | ((high == self.below) & strict & np.isneginf(low))
            return met, ~met & ~(low >= self.below)
        if self.at_least is not None:
            met = low >= self.at_least
            missed = (high < self.at_least) | ((high == self.at_least) & strict & np.isneginf(low))
            return met, ~met & ~missed
        limit = self._upper(results)
        met = (low > limit) | ((low == limit) & strict & np.isposinf(high))
        return met, ~met & ~(high <= limit)

    def _upper(self, results: pd.DataFrame) -> np.ndarray:
        if self.above_upper is not None:
            return significant(results["upper"].to_numpy() * self.above_upper)
        return np.full(len(results), np.nan if self.above is None else self.above)

    def problems(self, tests: TestsKnown, names: list[str]) -> Iterator[tuple[str, str]]:
        """Yield key and sentence of a unit that is not that of the tests."""
        for name in names:
            unit = tests.get(name, "")
            if self.above_upper is not None:
                if self.unit is not None:
                    yield "unit", "a multiple of the upper limit has no unit"
            elif (self.unit or "") != unit and name in tests:
                yield (
                    "unit" if self.unit else "",
                    (f"the limit of {name} needs its standard unit: unit: {unit}" if unit else f"{name} has no unit"),
                )


@dataclass(frozen=True, kw_only=True)
class Companion(Bound):
    """A result of another test that must meet a limit too, on the same day or at most ``within_days`` apart."""

    test: TestKey
    within_days: Days = 0
    node: Place = attribute(default=None, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class ResultLimit(Bound):
    """A limit, perhaps for a time (``for_days``: all results of the test since then) or ``with`` another result."""

    for_days: Days = 0
    with_: Companion | None = None
    node: Place = attribute(default=None, compare=False, repr=False)

    def decide(self, results: pd.DataFrame, every: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
        """Return from which day each result meets all of it, and from which day that cannot be said; NaT for never.

        ``results`` are sorted by record, test and day, ``every`` has the other tests. A companion that comes later
        counts from its own day; until then the result is one that cannot be judged.
        """
        met, unknown = self.judge(results)
        if self.for_days:
            lasting = _lasting(results, met | unknown, self.for_days)
            met = _lasting(results, met, self.for_days)
            unknown = lasting & ~met
        day = results["day"]
        if self.with_ is None:
            return day.where(met), day.where(unknown)
        also, perhaps = _accompanied(results, every, self.with_)
        since = also.where(met)
        open_since = also.where(unknown).fillna(perhaps.where(met | unknown))
        return since, open_since.where(~(since <= open_since))


def _lasting(results: pd.DataFrame, met: np.ndarray, days: int) -> np.ndarray:
    """Return where a run of results of one test, all of them marked, has lasted so many days."""
    run = (results["record"] + "\x1f" + results["test"]).to_numpy()
    begins = np.ones(len(results), bool)
    begins[1:] = ~met[:-1] | (run[1:] != run[:-1])
    first = results["day"].groupby(np.cumsum(begins)).transform("first")
    return met & ((results["day"] - first).dt.days.to_numpy() >= days)


def _accompanied(results: pd.DataFrame, every: pd.DataFrame, companion: Companion) -> tuple[pd.Series, pd.Series]:
    """Return from which day each result has a companion that meets its limit, and from which day it may have one.

    It may where the companion cannot be judged, and where there was none yet on the day of the result.
    """
    import pandas as pd

    others = every[every["test"] == companion.test].reset_index(drop=True)
    met, unknown = companion.judge(others)
    near = results.assign(place=np.arange(len(results)))[["record", "day", "place"]].merge(
        others.assign(met=met, unknown=unknown)[["record", "day", "met", "unknown"]], on="record", suffixes=("", "_of")
    )
    near = near[(near["day"] - near["day_of"]).abs().dt.days <= companion.within_days]
    near = near.assign(both=near[["day", "day_of"]].max(axis="columns"))
    places = np.arange(len(results))

    def first(rows: pd.DataFrame) -> pd.Series:
        found = rows.groupby("place")["both"].min().reindex(places).astype("datetime64[ns]")
        return found.set_axis(results.index)

    before = pd.Series(np.isin(places, near.loc[near["day_of"] <= near["day"], "place"]), results.index)
    lacking = results["day"].where(~before)
    return first(near[near["met"]]), lacking.fillna(first(near[near["unknown"]]))
