"""Safety monitoring as a Prefect flow: every day it reports open alerts, and runs that failed or are missing.

Messages hold subject number, rule, level and the link to REDCap's form, and no values. Each is a Prefect event, for
automations, and all of a day are one message to the notification blocks that the deployment names: a webhook, or e-mail
by the unit's own server (a block of the type Apprise notification with a mailtos:// address).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.events import emit_event
from prefect.runtime import flow_run

from flows.error_messages import NeutralError, neutral
from flows.monitoring import day_of, folder_of, run_monitoring
from flows.place.environment import study_at

if TYPE_CHECKING:
    from monitoring.run import MonitoringRun

ALERT, FAILED, MISSING = "redcap-cdisc.safety.alert", "redcap-cdisc.safety.failed", "redcap-cdisc.safety.missing"


@flow(name="safety-monitoring", flow_run_name="{study}", persist_result=False, log_prints=False)
def safety_monitoring(
    study: str,
    source: str = "api",
    as_of: str | None = None,
    out: str | None = None,
    notify: list[str] | None = None,
) -> dict[str, Any]:
    """Judge a study's monitoring.yaml on the records as entered, and tell what is open.

    ``as_of`` is the day that is judged (YYYY-MM-DD), without it the day for which the run was scheduled; ``notify``
    names notification blocks as TYPE/NAME, such as slack-webhook/safety. Returns counts. Raises NeutralError, after it
    was told that the run failed.
    """
    day = as_of or _scheduled_day()
    try:
        run = _judged(study, source, day, out)
    except NeutralError as error:
        _tell(FAILED, study, f"The safety monitoring of {study} for {day} FAILED: {error}", notify)
        raise
    said = neutral(_lines, run)
    for line in said:
        emit_event(ALERT, {"prefect.resource.id": f"redcap-cdisc.alert.{study}.{line['alert']}", **line})
    create_table_artifact(said, f"{_key(study)}-safety", f"Safety monitoring of {study}, {day}")
    if said:
        _send(study, _message(study, day, said), notify)
    return dict(run.counts())


@flow(name="safety-monitoring-watch", flow_run_name="{study}", persist_result=False, log_prints=False)
def safety_monitoring_watch(study: str, out: str | None = None, notify: list[str] | None = None) -> str:
    """Tell it if no run of today's safety monitoring came to its end; returns the day of the last one that did."""
    today = day_of(None)
    last = neutral(_last_day, study, out)
    if last < today:
        said = f"last run that ended: {last}" if last else "no run has ended yet"
        _tell(MISSING, study, f"The safety monitoring of {study} is MISSING for {today}: {said}", notify)
        raise NeutralError(f"no run of {today} has ended; {said}", 1)
    return last


def _scheduled_day() -> str:
    """Return the day for which the run was scheduled, in the time zone of this machine."""
    planned = flow_run.scheduled_start_time
    return planned.astimezone().date().isoformat() if planned is not None else day_of(None)


@task(name="judge", persist_result=False, cache_policy=NO_CACHE, log_prints=False, retries=0)
def _judged(study: str, source: str, day: str, out: str | None) -> MonitoringRun:
    return neutral(run_monitoring, study_at(study), source, day, Path(out) if out else None)


def _last_day(study: str, out: str | None) -> str:
    from monitoring.log import completed_runs

    days = [str(row["as_of"]) for row in completed_runs(folder_of(study_at(study), Path(out) if out else None))]
    return max(days, default="")


def _lines(run: MonitoringRun) -> list[dict[str, str]]:
    """Return the message of each alert, which has no values."""
    told = run.messages.assign(rule=run.messages["rule"].map(run.plan.label_of))
    return [{str(name): str(value) for name, value in row.items()} for row in told.to_dict("records")]


def _message(study: str, day: str, lines: Sequence[dict[str, str]]) -> str:
    told = [
        " ".join(part for part in (f"{line['message']}:", line["subject"], line["rule"], f"({line['level']})",
                                   line["alert"], line["link"]) if part)
        for line in lines
    ]  # fmt: skip
    return "\n".join([f"Safety monitoring of {study}, {day}: {len(lines)} open alerts", *told])


def _tell(event: str, study: str, sentence: str, notify: Sequence[str] | None) -> None:
    """Tell something about a run itself: an event, and a message."""
    emit_event(event, {"prefect.resource.id": f"redcap-cdisc.safety.{study}"}, payload={"message": sentence})
    _send(study, sentence, notify)


def _send(study: str, body: str, blocks: Sequence[str] | None) -> None:
    """Send a message by each block; raises NeutralError, after all were tried, if one does not."""
    lost = [name for name in blocks or () if not _sent(name, body, f"Safety monitoring of {study}")]
    if lost:
        named = ", ".join(lost)
        raise NeutralError(f"the message could not be sent by {named}: check the notification block in Prefect", 3)


def _sent(name: str, body: str, subject: str) -> bool:
    import prefect.blocks.notifications  # noqa: F401  so that their types are known
    from prefect.blocks.core import Block

    try:
        block: Any = Block.load(name)
        block.notify(body, subject=subject)
    except Exception:  # whatever a service answers must not keep the message from the other ones
        return False
    return True


def _key(study: str) -> str:
    """Return a study's name as an artifact's key: lower-case letters, digits and dashes."""
    return "".join(letter if letter.isalnum() else "-" for letter in Path(study).name.lower())
