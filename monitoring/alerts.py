"""From findings to alerts: one is open for a subject and rule until it is acknowledged, or a worse one takes its place.

What happens to alerts is a list of events that only grows: ``opened``, ``again`` (a further finding while an alert is
open), ``superseded`` (by a worse one), ``escalated`` (nobody acknowledged it in time) and ``acknowledged``. Days are
those of the records and of the plan, never of the clock: to run day by day gives the same events as to run once.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from monitoring.findings import PLACE, joined, nothing, written
from monitoring.plan import Plan
from monitoring.settings import OF_RUNS

OPENED, AGAIN, SUPERSEDED, ESCALATED, ACKNOWLEDGED = "opened", "again", "superseded", "escalated", "acknowledged"
ORDER = {OPENED: 0, SUPERSEDED: 1, AGAIN: 2, ESCALATED: 3, ACKNOWLEDGED: 4}
COLUMNS = ["day", "is", "alert", "subject", "rule", "level", "since", "record", *PLACE, "about", "key", "by", "action"]
WHO = ["subject", "rule"]
SAME_FINDING = ["subject", "rule", "level", "key"]
ID_LENGTH = 10
ONE_DAY = pd.Timedelta(days=1)


@dataclass(frozen=True)
class Alerts:
    """All alerts on a day: ``events`` as the log has them, ``table`` a row an alert.

    The table has alert, subject, rule, level, opened, last (the day of its last finding), findings (their number),
    state (open, acknowledged, superseded), escalated, acknowledged_on, by, action, record, event, form, instance and
    about.
    """

    events: pd.DataFrame
    table: pd.DataFrame

    @property
    def open(self) -> pd.DataFrame:
        """The alerts that wait for somebody."""
        return self.table[self.table["state"] == "open"]


def no_events() -> pd.DataFrame:
    """Return an empty list of events."""
    return pd.DataFrame({name: pd.Series([], dtype="str") for name in COLUMNS})


def advance(
    studyid: str, plan: Plan, log: pd.DataFrame, found: pd.DataFrame, last: pd.Timestamp | None, as_of: pd.Timestamp
) -> pd.DataFrame:
    """Return the events that are new on ``as_of``; ``last`` is the day of the run before, None for the first.

    ``found`` are the findings with a ``subject``, ``log`` the events so far. A finding that is seen for the first time
    counts from its own day, or from the day after the last run if it was entered late.
    """
    known = log[log["is"].isin([OPENED, AGAIN])]
    seen = joined(known[name] for name in SAME_FINDING)
    fresh = found[(found["since"] <= as_of) & ~joined(found[name] for name in SAME_FINDING).isin(seen)]
    since = fresh["since"] if last is None else _not_before(fresh["since"], last + ONE_DAY)
    fresh = fresh.assign(day=since.where(since <= as_of, as_of), since=written(fresh["since"]), new=True)
    fresh["is"] = ""
    said = known.assign(day=pd.to_datetime(known["day"]).astype("datetime64[ns]"), new=False)
    happened = _in_order(plan, pd.concat([fresh, said], ignore_index=True), acknowledgements(log))
    happened = _named(studyid, happened)
    opened, fresh = happened[happened["first"]], happened[happened["new"]]
    made = [
        _said(fresh, np.where(fresh["first"], OPENED, AGAIN)),
        _superseded(opened),
        _escalated(plan, log, opened, last, as_of),
    ]
    return _written(pd.concat(made, ignore_index=True))


def _not_before(days: pd.Series, first: pd.Timestamp) -> pd.Series:
    return days.where(days >= first, first)


def acknowledgements(log: pd.DataFrame) -> pd.DataFrame:
    """Return subject, rule and day (datetime64[ns]) of each acknowledgement."""
    own = log[log["is"] == ACKNOWLEDGED]
    return own[[*WHO, "alert"]].assign(day=pd.to_datetime(own["day"]).astype("datetime64[ns]"))


def _in_order(plan: Plan, rows: pd.DataFrame, acknowledged: pd.DataFrame) -> pd.DataFrame:
    """Return findings by subject and rule in the order of their days, the worst of a day first.

    ``first`` is True for one that opens an alert: there is none open, or it is worse than the one that is. ``closed``
    is the day on which the alert was acknowledged, ``stretch`` numbers the times between acknowledgements.
    """
    rank = rows["level"].map(plan.file.ranks).fillna(len(plan.file.ranks)).astype(int)
    rows = rows.assign(rank=rank, worse=-rank, order=0)
    marks = acknowledged.drop_duplicates([*WHO, "day"]).assign(order=1)
    both = pd.concat([rows, marks], ignore_index=True)
    both = both.sort_values([*WHO, "day", "order", "worse", "key"], kind="stable", ignore_index=True)
    who = [both["subject"], both["rule"]]
    both["stretch"] = both["order"].groupby(who).cumsum() - both["order"]
    stretch = [*who, both["stretch"]]
    both["closed"] = both["day"].where(both["order"] == 1).groupby(stretch).transform("max")
    made = both[both["order"] == 0]
    by = made.groupby([*WHO, "stretch"])
    before = by["rank"].cummax().groupby([made["subject"], made["rule"], made["stretch"]]).shift()
    opens = (before.isna() | (made["rank"] > before)).where(made["new"].astype(bool), made["is"] == OPENED)
    made = made.assign(first=opens.astype(bool))  # what the log has stays, also after a change of the plan's levels
    return made.assign(new=made["new"].astype(bool)).reset_index(drop=True)


def _named(studyid: str, happened: pd.DataFrame) -> pd.DataFrame:
    """Return the findings with the alert that each belongs to, and the day and alert of the one that took its place."""
    texts = joined([happened["subject"], happened["rule"], happened["level"], written(happened["day"]),
                    happened["key"]])  # fmt: skip
    own = happened["first"]
    names = texts[own].map(lambda text: hashlib.sha256(f"{studyid}|{text}".encode()).hexdigest()[:ID_LENGTH])
    alert = names.reindex(happened.index)
    made = happened.assign(alert=alert.groupby([happened["subject"], happened["rule"], happened["stretch"]]).ffill())
    opened = made[own]
    follows = opened.groupby([*WHO, "stretch"])["day"].shift(-1)
    new = opened.groupby([*WHO, "stretch"])["new"].shift(-1)
    return made.assign(replaced=follows.reindex(made.index), replaced_now=new.reindex(made.index) == True)  # noqa: E712


def _said(rows: pd.DataFrame, what: str | np.ndarray) -> pd.DataFrame:
    made = rows.copy()
    made["is"] = what
    return made


def _superseded(opened: pd.DataFrame) -> pd.DataFrame:
    """Return the alerts in whose place a worse one was opened just now."""
    own = opened[opened["replaced_now"]]
    return _said(own.assign(day=own["replaced"]), SUPERSEDED)


def _escalated(
    plan: Plan, log: pd.DataFrame, opened: pd.DataFrame, last: pd.Timestamp | None, as_of: pd.Timestamp
) -> pd.DataFrame:
    """Return the alerts that nobody has acknowledged in the plan's time, from the day after it."""
    days = {name: level.acknowledge_days for name, level in plan.file.levels.items()}
    wait = opened["level"].map(days).fillna(min(days.values())).astype(int)
    due = opened["day"] + pd.to_timedelta(wait + 1, unit="D")
    due = due if last is None else _not_before(due, last + ONE_DAY)
    waits = ~(opened["closed"] < due) & ~(opened["replaced"] <= due) & (due <= as_of)
    said = log.loc[log["is"] == ESCALATED, "alert"]
    own = opened[waits & ~opened["alert"].isin(said)]
    return _said(own.assign(day=due[own.index]), ESCALATED)


def _written(events: pd.DataFrame) -> pd.DataFrame:
    """Return events as the log has them, by day."""
    made = events.assign(day=written(pd.to_datetime(events["day"]).astype("datetime64[ns]")), by="", action="")
    made = made.assign(order=made["is"].map(ORDER))
    made = made.sort_values(["day", "order", *WHO, "key"], kind="stable", ignore_index=True)
    texts = made[COLUMNS].fillna("").astype("str")
    # Made anew: texts that were cut from others keep all of their pieces, twice as many with each run of a process.
    return pd.DataFrame({name: pd.Series(texts[name].to_list(), dtype="str") for name in COLUMNS})


def state_of(log: pd.DataFrame) -> Alerts:
    """Return all alerts of a log, in the order in which they were opened."""
    opened = log[log["is"] == OPENED].drop_duplicates("alert")
    by = {name: log[log["is"] == name].drop_duplicates("alert").set_index("alert") for name in ORDER}
    found = log[log["is"].isin([OPENED, AGAIN])].groupby("alert")
    ended = pd.Series(np.select(
        [opened["alert"].isin(by[ACKNOWLEDGED].index), opened["alert"].isin(by[SUPERSEDED].index)],
        ["acknowledged", "superseded"], "open",
    ), opened.index, dtype="str")  # fmt: skip
    table = opened.assign(
        opened=opened["day"],
        last=opened["alert"].map(found["day"].max()),
        findings=opened["alert"].map(found.size()),
        state=ended,
        escalated=opened["alert"].isin(by[ESCALATED].index),
    )
    for name, column in (("acknowledged_on", "day"), ("by", "by"), ("action", "action")):
        table[name] = by[ACKNOWLEDGED][column].reindex(opened["alert"]).set_axis(opened.index).fillna("")
    columns = ["alert", *WHO, "level", "opened", "last", "findings", "state", "escalated", "acknowledged_on", "by",
               "action", "record", *PLACE, "about"]  # fmt: skip
    return Alerts(log, table[columns].reset_index(drop=True))


def of_runs(level: str, late: list[str], failed: list[str]) -> pd.DataFrame:
    """Return what is wrong with the runs themselves, as findings of no subject: days without a run, failed runs."""
    rows = [(f"{OF_RUNS}/late", day) for day in late] + [(f"{OF_RUNS}/failed", day) for day in failed]
    if not rows:
        return nothing().assign(subject=pd.Series([], dtype="str"))
    made = pd.DataFrame(rows, columns=["rule", "key"]).astype("str")
    made[["record", *PLACE, "about", "subject"]] = ""
    return made.assign(level=level, since=pd.to_datetime(made["key"]).astype("datetime64[ns]"))
