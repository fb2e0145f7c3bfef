"""Rules about what is due: controls after the start or a rise of a drug, visits, and controls after a hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np

from metadata.declaration_limits import Above, Limit
from monitoring.doses import DAY, courses, of_each
from monitoring.findings import findings, written
from monitoring.observations import Observations
from monitoring.plan import Plan, Rule, TestsKnown, rule_kind
from monitoring.rules.results import Limits
from monitoring.schedule import Phase, due_days
from monitoring.settings import Days, DrugName, LevelName, TestKey
from validation.checks.kind import DateOperand, FormName, Logic

if TYPE_CHECKING:
    import pandas as pd

KEYS = ["record", "due"]


def first_days(results: pd.DataFrame, windows: pd.DataFrame, test: str) -> pd.Series:
    """Return the day of the first result of a test within each window (opens to closes) of a record; NaT for none."""
    import pandas as pd

    days = results.loc[results["test"] == test, ["record", "day"]].sort_values("day", kind="stable")
    asked = (
        windows[["record", "opens", "closes"]].assign(place=np.arange(len(windows))).sort_values("opens", kind="stable")
    )
    found = pd.merge_asof(asked, days, left_on="opens", right_on="day", by="record", direction="forward")
    found = found.sort_values("place", ignore_index=True)
    return found["day"].where(found["day"] <= found["closes"]).set_axis(windows.index)


@rule_kind("controls")
@dataclass(frozen=True, kw_only=True)
class Controls(Rule):
    """All the tests, on any records, at each day of a schedule that begins anew at each start or rise of a drug.

    A result counts for the due day that is nearest; a control is overdue ``grace_days`` after its day.
    """

    drug: DrugName
    tests: list[TestKey]
    schedule: list[Phase]
    grace_days: Days
    level: LevelName

    def problems(self, plan: Plan, tests: TestsKnown) -> list[tuple[str, str]]:
        """Return a phase without an end that is not the last."""
        open_ended = any(phase.until is None for phase in self.schedule[:-1])
        return [("schedule", "only the last phase may have no until")] if open_ended else []

    def due(self, observed: Observations) -> pd.DataFrame:
        """Return each control that is due: record, due, done (NaT: not yet) and the tests that it lacks."""
        import pandas as pd

        starts = courses(observed.doses, self.drug)
        starts = starts[starts["daily"] != 0].reset_index(drop=True)
        rows = due_days(starts, self.schedule, observed.as_of)
        rows["since"] = rows["due"] + (self.grace_days + 1) * DAY
        wanted = (rows["due"] <= rows["end"]) & (rows["since"] <= observed.end_of(rows["record"]))
        rows = rows[wanted].reset_index(drop=True)
        done = {test: first_days(observed.results, rows, test) for test in self.tests}
        lacking = pd.Series("", index=rows.index, dtype="str")
        for test, day in done.items():
            late = ~(day <= rows["due"] + self.grace_days * DAY)
            lacking = lacking.where(~late, lacking + np.where(lacking == "", "", ", ") + test)
        whole = pd.DataFrame(done, index=rows.index).astype("datetime64[ns]")
        rows["done"] = whole.max(axis="columns").where(whole.notna().all(axis="columns"))
        return rows.assign(lacking=lacking)

    def find(self, observed: Observations, plan: Plan) -> list[pd.DataFrame]:
        """Return the controls that were not whole in time."""
        rows = self.due(observed)
        late = rows[rows["lacking"] != ""]
        return [findings(late, self.id, self.level, late["since"], "due " + written(late["due"]))]


@rule_kind("visits")
@dataclass(frozen=True, kw_only=True)
class Visits(Rule):
    """A visit of study.yaml that is not recorded when its window has passed, counted from that of ``reference``."""

    form: FormName
    date: DateOperand
    reference: str
    level: LevelName
    accounted: Logic | None = None

    def problems(self, plan: Plan, tests: TestsKnown) -> list[tuple[str, str]]:
        """Nothing that the plan alone can say."""
        return []

    def due(self, observed: Observations) -> pd.DataFrame:
        """Return each visit that is due: record, event, due, since (the day after its window), done, label."""
        import pandas as pd

        keys = observed.keys(self.form).reset_index(drop=True)
        day = observed.days(self.form, self.date)[0]
        seen = keys.assign(day=day)[(day <= observed.as_of).to_numpy()]
        accounted = keys[observed.rows(self.form).condition(self.accounted)] if self.accounted else keys[:0]
        begun = seen[seen["event"] == self.reference].groupby("record")["day"].min().rename("begun").reset_index()
        planned = pd.DataFrame(
            [(visit.visit, event, visit.day, visit.window[1]) for visit in observed.study.visits
             if visit.day is not None and visit.window and visit.day > 1 for event in visit.event
             if event != self.reference],
            columns=["label", "event", "planned", "after"],
        )  # fmt: skip
        rows = begun.merge(planned, how="cross")
        rows["due"] = rows["begun"] + pd.to_timedelta(rows["planned"].astype(int) - 1, unit="D")
        rows["since"] = rows["due"] + pd.to_timedelta(rows["after"].astype(int) + 1, unit="D")
        rows = rows[rows["since"] <= observed.end_of(rows["record"])]
        places = rows.set_index(["record", "event"]).index
        done = seen.groupby(["record", "event"])["day"].min().reindex(places).to_numpy()
        known = places.isin(accounted.set_index(["record", "event"]).index)
        return rows.assign(done=done, accounted=known, form=self.form).reset_index(drop=True)

    def find(self, observed: Observations, plan: Plan) -> list[pd.DataFrame]:
        """Return the visits that are neither recorded in time nor accounted for."""
        rows = self.due(observed)
        late = rows[~(rows["done"] < rows["since"]) & ~rows["accounted"]]
        return [findings(late, self.id, self.level, late["since"], late["label"])]


@rule_kind("after_hold")
@dataclass(frozen=True, kw_only=True)
class AfterHold(Rule):
    """What follows a result at a level that holds a drug: a repeat in some days, and when and how the drug is resumed.

    It may be resumed after ``good_controls`` running without any level, at most at ``share`` of the dose before.
    """

    rules: list[str]
    repeat_days: Days
    good_controls: Annotated[int, Limit(1, 100)]
    share: Annotated[float, Above(0)]
    level: LevelName

    parts: ClassVar = ("repeat", "resumed early", "dose")

    def problems(self, plan: Plan, tests: TestsKnown) -> list[tuple[str, str]]:
        """Return rules that are none of limits."""
        known = {rule.id for rule in plan.rules if isinstance(rule, Limits)}
        return [("rules", f"there is no rule '{name}' of the kind limits") for name in self.rules if name not in known]

    def find(self, observed: Observations, plan: Plan) -> list[pd.DataFrame]:
        """Return repeats that are overdue, and doses that came too early or are too high."""
        made = []
        for rule in plan.rules:
            if isinstance(rule, Limits) and rule.id in self.rules:
                results, levels = rule.judged(observed)
                for name, level in observed.settings.levels.items():
                    held = levels[levels["level"] == name] if level.holds else levels[:0]
                    if len(held):
                        made.append(self._repeats(observed, results, held))
                        made += [part for drug in level.holds for part in self._resumed(observed, results, held, drug)]
        return made

    def _repeats(self, observed: Observations, results: pd.DataFrame, held: pd.DataFrame) -> pd.DataFrame:
        """Return the results that hold a drug of which the test was not repeated in time."""
        import pandas as pd

        rows = held.reset_index(drop=True)
        last = rows["since"] + self.repeat_days * DAY
        windows = rows[["record", "test"]].assign(opens=rows["since"] + DAY, closes=last)
        again = pd.Series(pd.NaT, index=rows.index, dtype="datetime64[ns]")
        for test in windows["test"].unique():
            own = windows["test"] == test
            again[own] = first_days(results, windows[own], test)
        since = rows["since"] + (self.repeat_days + 1) * DAY
        late = again.isna() & (since <= observed.end_of(rows["record"]))
        return findings(rows[late], f"{self.id}/repeat", self.level, since[late], rows["test"][late])

    def _resumed(
        self, observed: Observations, results: pd.DataFrame, held: pd.DataFrame, drug: str
    ) -> list[pd.DataFrame]:
        """Return the first dose of a drug that begins after a hold where it came too early or is too high."""
        import pandas as pd

        doses = observed.doses[(observed.doses["drug"] == drug) & observed.doses["start"].notna()]
        doses = doses.sort_values(["record", "start"], kind="stable")
        holds = held[["record", "since"]].rename(columns={"since": "day"}).drop_duplicates()
        holds = holds.sort_values("day", kind="stable")
        taken = doses.sort_values("start", kind="stable")[["record", "start", "daily"]]
        before = pd.merge_asof(holds, taken, left_on="day", right_on="start", by="record")
        given = doses[doses["daily"] != 0].sort_values("start", kind="stable")
        pairs = pd.merge_asof(before[["record", "day", "daily"]].rename(columns={"daily": "dose_before"}), given,
                              left_on="day", right_on="start", by="record", direction="forward",
                              allow_exact_matches=False).dropna(subset=["start"])  # fmt: skip
        good = self._good_before(results, pairs)
        early = pairs[good < self.good_controls]
        high = pairs[(pairs["daily"] > pairs["dose_before"] * self.share * (1 + 1e-9)).to_numpy()]
        return [
            findings(early, f"{self.id}/resumed early", self.level, early["start"], drug),
            findings(high, f"{self.id}/dose", self.level, high["start"], drug),
        ]

    def _good_before(self, results: pd.DataFrame, pairs: pd.DataFrame) -> np.ndarray:
        """Return how many controls running, after the hold and up to the new dose, were good as known on that day."""
        asked = pairs[["record", "day", "start"]].assign(place=np.arange(len(pairs)))
        near = asked.merge(results[["record", "day", "bad"]].rename(columns={"day": "control"}), on="record")
        near = near[(near["control"] > near["day"]) & (near["control"] <= near["start"])]
        near = near.assign(bad=near["bad"] <= near["start"])
        days = near.groupby(["place", "control"])["bad"].any().reset_index()
        worst = days[days["bad"]].groupby("place")["control"].max()
        good = days[~days["bad"] & ~(days["control"] <= of_each(days["place"], worst))]
        return good.groupby("place").size().reindex(np.arange(len(pairs)), fill_value=0).to_numpy()
