"""A run of monitoring: findings become alerts, the log grows, and the messages of the day are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from metadata.records import Records
from metadata.study import Study
from monitoring import log
from monitoring.alerts import AGAIN, ESCALATED, OPENED, Alerts, advance, of_runs, state_of
from monitoring.declaration import checked_plan
from monitoring.judge import findings_of, observe
from monitoring.observations import Observations
from monitoring.plan import Plan

Links = Callable[[pd.DataFrame], pd.Series]
"""REDCap's address of the form of each row (record, event, form, instance)."""
REMINDER = "reminder"
INPUTS = ("as_of", "snapshot", "plan")
"""What tells a run apart: of runs with the same inputs the first is in the log."""
KINDS = {OPENED: "new", AGAIN: "again", ESCALATED: "escalated"}
MESSAGES = ["message", "alert", "subject", "rule", "level", "link"]


@dataclass(frozen=True)
class MonitoringRun:
    """What a run found: the day, the snapshot, the plan, what was observed, all alerts, and the messages of the day.

    Messages have message (new, again, escalated, reminder), alert, subject, rule, level and link, and no values.
    """

    study: Study
    plan: Plan
    observed: Observations
    as_of: str
    snapshot: str
    date: str
    found: pd.DataFrame
    alerts: Alerts
    messages: pd.DataFrame

    def counts(self) -> dict[str, Any]:
        """Return what the log of runs and a program are told."""
        alerts = self.alerts
        return {
            "as_of": self.as_of,
            "snapshot": self.snapshot,
            "plan": self.plan.sha256,
            "findings": len(self.found),
            "alerts": len(alerts.table),
            "open": len(alerts.open),
            "escalated": int(alerts.open["escalated"].sum()),
            "messages": {kind: int((self.messages["message"] == kind).sum()) for kind in (*KINDS.values(), REMINDER)},
        }


def monitor(
    study: Study, records: Records, snapshot: str, date: str, as_of: str, folder: Path, links: Links
) -> MonitoringRun:
    """Judge the records of a snapshot (its id, its date) on a day (YYYY-MM-DD) and write the logs in ``folder``.

    Raises StudyError for a plan that does not fit, UsageError for a day before that of the last run.
    """
    plan, domains = checked_plan(study, records.project)
    with log.locked(folder):
        last = log.last_run(folder, as_of)
        observed = observe(study, plan, domains, records, as_of, date)
        found = findings_of(observed, plan)
        of_run = of_runs(plan.file.unjudged, log.late_days(folder, as_of), log.failed_days(folder))
        events = log.read_events(folder)
        day = pd.Timestamp(as_of)
        every = pd.concat([found, of_run[of_run["since"] <= day]], ignore_index=True)
        new = advance(study.studyid, plan, events, every, None if last is None else pd.Timestamp(last), day)
        log.append_events(folder, new)
        alerts = state_of(pd.concat([events, new], ignore_index=True))
        said = messages(alerts, new, links)
        run = MonitoringRun(study, plan, observed, as_of, snapshot, date, found, alerts, said)
        same = [[row[name] for name in INPUTS] for row in log.completed_runs(folder)]
        if [run.counts()[name] for name in INPUTS] not in same:
            log.append(folder / log.RUNS, [run.counts()])
    return run


def messages(alerts: Alerts, new: pd.DataFrame, links: Links) -> pd.DataFrame:
    """Return what is said of each open alert today: what is new of it, or a reminder."""
    latest = new[new["is"].isin(list(KINDS))].assign(message=new["is"].map(KINDS)).astype({"message": "str"})
    worst = {OPENED: 0, ESCALATED: 1, AGAIN: 2}
    latest = latest.assign(order=latest["is"].map(worst)).sort_values("order", kind="stable").drop_duplicates("alert")
    said = alerts.open.assign(link=links(alerts.open))
    told = dict(zip(latest["alert"], latest["message"], strict=True))
    message = [told.get(alert, REMINDER) for alert in said["alert"]]
    return said.assign(message=pd.Series(message, said.index, dtype="str"))[MESSAGES].reset_index(drop=True)
