"""Rules about results: limits by level, falls that go on, a change since before a drug."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np

from metadata.declaration_limits import Above, Keyed, Limit
from monitoring.doses import courses, of_each
from monitoring.findings import findings
from monitoring.limits import ResultLimit
from monitoring.observations import Observations
from monitoring.plan import Plan, Rule, TestsKnown, rule_kind
from monitoring.settings import NOT_JUDGED, DrugName, LevelName, TestKey

if TYPE_CHECKING:
    import pandas as pd


def not_judged(
    observed: Observations, rule: str, rows: pd.DataFrame, since: pd.Series | np.ndarray | None = None
) -> pd.DataFrame:
    """Return results (or other rows with a test) that a rule cannot judge, as findings of their own."""
    days = rows["day"] if since is None else since
    return findings(rows, f"{rule}/{NOT_JUDGED}", observed.settings.unjudged, days, rows["test"])


def without_place_in_time(observed: Observations, rule: str, tests: list[str]) -> list[pd.DataFrame]:
    """Return the results of some tests that are undated, or dated after today: nothing can be said of them."""
    undated = observed.undated[observed.undated["test"].isin(tests)]
    later = observed.later[observed.later["test"].isin(tests)]
    return [
        not_judged(observed, rule, undated, observed.first_of(undated["record"])),
        not_judged(observed, rule, later, np.full(len(later), observed.dated)),
    ]


def of_tests(observed: Observations, tests: list[str]) -> pd.DataFrame:
    """Return the results of some tests, by record, test and day."""
    own = observed.results[observed.results["test"].isin(tests)]
    return own.sort_values(["record", "test", "day", "low"], kind="stable", ignore_index=True)


@rule_kind("limits")
@dataclass(frozen=True, kw_only=True)
class Limits(Rule):
    """A result of one of the tests meets a limit; each level has one limit or several, of which one is enough."""

    tests: list[TestKey]
    levels: Annotated[dict[LevelName, tuple[ResultLimit, ...]], Keyed(1)]

    def problems(self, plan: Plan, tests: TestsKnown) -> list[tuple[str, str]]:
        """Return what is wrong with units and companions."""
        every = [limit for limits in self.levels.values() for limit in limits]
        found = [problem for limit in every for problem in limit.problems(tests, self.tests)]
        companions = [limit.with_ for limit in every if limit.with_]
        return found + [problem for one in companions for problem in one.problems(tests, [one.test])]

    def judged(self, observed: Observations) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the results of the tests, and of these one row a level that is met, or (blank) that may be.

        The first has ``bad``, the day from which a result meets a level or cannot be judged, NaT for a good one. The
        second has ``level`` and ``since``; a level is left out where a worse one is met as early.
        """
        import pandas as pd

        rows = of_tests(observed, self.tests)
        worse = pd.Series(pd.NaT, index=rows.index, dtype="datetime64[ns]")
        found = []
        for name in reversed(observed.settings.ranks):
            since, perhaps = self._decided(rows, observed, name)
            found.append(rows.assign(level=name, since=since)[(since.notna() & ~(worse <= since)).to_numpy()])
            found.append(rows.assign(level="", since=perhaps)[perhaps.notna().to_numpy()])
            worse = pd.concat([worse, since], axis="columns").min(axis="columns")
        levels = pd.concat(found, ignore_index=True)
        place = ["record", "test", "day", "event", "form", "instance"]
        bad = levels.groupby(place)["since"].min().rename("bad").reset_index()
        return rows.merge(bad, on=place, how="left"), levels

    def _decided(self, rows: pd.DataFrame, observed: Observations, level: str) -> tuple[pd.Series, pd.Series]:
        """Return from which day results meet a level, and from which day they may, of all limits the first."""
        import pandas as pd

        never = pd.Series(pd.NaT, index=rows.index, dtype="datetime64[ns]")
        decided = [limit.decide(rows, observed.results) for limit in self.levels.get(level, ())]
        since, perhaps = (
            pd.concat([never, *(one[part] for one in decided)], axis="columns").min(axis="columns") for part in range(2)
        )
        return since, perhaps.where(~(since <= perhaps))

    def find(self, observed: Observations, plan: Plan) -> list[pd.DataFrame]:
        """Return each result at its levels, and those of which a level cannot be said."""
        _, levels = self.judged(observed)
        met, unknown = levels[levels["level"] != ""], levels[levels["level"] == ""]
        return [
            findings(met, self.id, met["level"], met["since"], met["test"]),
            not_judged(observed, self.id, unknown, unknown["since"]),
            *without_place_in_time(observed, self.id, self.tests),
        ]


@rule_kind("falls")
@dataclass(frozen=True, kw_only=True)
class Falls(Rule):
    """A test falls by more than a percentage at so many controls running; of results of a day the lowest counts."""

    tests: list[TestKey]
    percent: Annotated[float, Above(0)]
    controls: Annotated[int, Limit(1, 100)]
    level: LevelName

    def find(self, observed: Observations, plan: Plan) -> list[pd.DataFrame]:
        """Return the result of the last of these controls, and results that are no number."""
        rows = of_tests(observed, self.tests)
        number = rows["low"].to_numpy() == rows["high"].to_numpy()
        own = rows[number].drop_duplicates(["record", "test", "day"])
        by = own.groupby(["record", "test"])["low"]
        fell = own["low"] < by.shift() * (1 - self.percent / 100)
        number_of = fell.astype(int).groupby([own["record"], own["test"], (~fell).cumsum()]).cumsum()
        met = own[(number_of >= self.controls).to_numpy()]
        return [
            findings(met, self.id, self.level, met["day"], met["test"]),
            not_judged(observed, self.id, rows[~number]),
            *without_place_in_time(observed, self.id, self.tests),
        ]


@rule_kind("rise")
@dataclass(frozen=True, kw_only=True)
class Rise(Rule):
    """A test is by so much above its last result on or before the first day of a drug."""

    test: TestKey
    by: Annotated[float, Above(0)]
    drug: DrugName
    level: LevelName

    def find(self, observed: Observations, plan: Plan) -> list[pd.DataFrame]:
        """Return the results that have risen so far, and those that cannot be compared."""
        rows = of_tests(observed, [self.test])
        start = courses(observed.doses, self.drug).groupby("record")["start"].min()
        rows = rows.assign(start=of_each(rows["record"], start))
        number = rows["low"].to_numpy() == rows["high"].to_numpy()
        before = rows[number & (rows["day"] <= rows["start"])].groupby("record")["low"].last()
        later = rows[rows["day"] > rows["start"]]
        reference = of_each(later["record"], before)
        known = (later["low"].to_numpy() == later["high"].to_numpy()) & reference.notna().to_numpy()
        met = later[known & (later["low"] - reference >= self.by - 1e-9).to_numpy()]
        return [
            findings(met, self.id, self.level, met["day"], met["test"]),
            not_judged(observed, self.id, later[~known]),
            *without_place_in_time(observed, self.id, [self.test]),
        ]


@rule_kind("before_start")
@dataclass(frozen=True, kw_only=True)
class BeforeStart(Rule):
    """A test must have a result before a drug begins; ``most_a_day`` of each result is the highest dose a day."""

    test: TestKey
    drug: DrugName
    most_a_day: Annotated[dict[str, float | None], Keyed(1)]
    level: LevelName

    def find(self, observed: Observations, plan: Plan) -> list[pd.DataFrame]:
        """Return doses above the highest of the result, and beginnings without a result that can be judged."""
        begun = courses(observed.doses, self.drug).drop_duplicates("record")
        rows = of_tests(observed, [self.test]).merge(
            begun[["record", "start"]].rename(columns={"start": "begun"}), on="record"
        )
        known = rows[(rows["day"] <= rows["begun"]) & rows["term"].isin(list(self.most_a_day))]
        term = known.groupby("record")["term"].last()
        without = begun[~begun["record"].isin(term.index)]
        doses = observed.doses[observed.doses["drug"] == self.drug]
        limits = {word: most for word, most in self.most_a_day.items() if most is not None}
        most = of_each(doses["record"], term).map(limits)
        above = doses[(doses["daily"] > most.astype(float) * (1 + 1e-9)).to_numpy()]
        return [
            findings(above, self.id, self.level, above["start"], self.test),
            not_judged(observed, self.id, without.assign(test=self.test), without["start"]),
            *without_place_in_time(observed, self.id, [self.test]),
        ]
