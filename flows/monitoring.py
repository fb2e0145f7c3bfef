"""Safety monitoring on the command line: a snapshot is taken or opened, the plan judged, log and report written."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from flows.error_messages import NeutralError
from flows.place.environment import builds_folder
from flows.run_request import API, RunRequest, relative
from metadata.errors import OutsideError, UsageError
from metadata.study import Study

if TYPE_CHECKING:
    from monitoring.run import MonitoringRun

STATE = "as-entered"
T = TypeVar("T")


def day_of(written: str | None) -> str:
    """Return the day of a run, today unless one is given; raises UsageError for no day, and for one to come.

    This is the one place where monitoring looks at the clock; the day is kept in the log of runs.
    """
    today = datetime.now(UTC).astimezone().date().isoformat()
    if written is None:
        return today
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", written):
            raise ValueError
        date.fromisoformat(written)
    except ValueError:
        raise UsageError(f"{written} is not a day: write it as YYYY-MM-DD") from None
    if written > today:
        raise UsageError(f"{written} is still to come: the day of a run is today at the latest, {today}")
    return written


def folder_of(study: str, out: Path | None) -> Path:
    """Return where a study's alerts and reports are kept."""
    return out or builds_folder() / f"{Study.find(study).name}-monitoring"


def run_monitoring(study: str, source: str = API, as_of: str | None = None, out: Path | None = None) -> MonitoringRun:
    """Judge a study's records as entered on a day, add to the log and write the report; a failed run is logged.

    Raises RedcapCdiscError.
    """
    day, folder = day_of(as_of), folder_of(study, out)
    try:
        return _run(study, source, day, folder)
    except UsageError:
        raise
    except Exception as error:
        _note_failure(folder, day, error)
        raise


def _run(study: str, source: str, day: str, folder: Path) -> MonitoringRun:
    from flows.stages import links_of, open_snapshot, receive
    from monitoring.declaration import checked_plan
    from monitoring.run import monitor

    opened = Study.open(study)
    opened.project()  # first of all: a study that begins with datasets has no records as entered
    state = None if source == API else STATE
    request = RunRequest.of(study, source, state, None, folder, "snapshot")
    stored = open_snapshot(request, receive(request))
    _, domains = checked_plan(request.study, stored.snapshot.project)
    read = {name for mapping in domains.values() for name in mapping.fields()}
    snapshot = stored.keeping(stored.snapshot.blanked & read)
    links = links_of(request, snapshot)
    run = monitor(request.study, snapshot.records, snapshot.id, snapshot.date, day, folder, links)
    _write_report(run, folder, links)
    return run


def _write_report(run: MonitoringRun, folder: Path, links: Callable[..., Any]) -> None:
    """Write the report in place of the last one, for the owner only."""
    from monitoring.document import document
    from monitoring.report import DOCUMENT, PAGE, page_of, report_of

    report = report_of(run, links)
    for name, content in ((PAGE, page_of(report).encode()), (DOCUMENT, document(report))):
        aside = folder / f".{name}"
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        aside.replace(folder / name)


def _note_failure(folder: Path, day: str, error: Exception) -> None:
    """Add a line to the log of runs: a run that failed is an alert of the next one; without values."""
    from monitoring import log

    try:
        with log.locked(folder):
            log.append(folder / log.RUNS, [{"as_of": day, "failed": str(NeutralError.of(error))}])
    except OutsideError:
        return  # nothing can be written there; the error itself says so


def show_monitoring(study: str, source: str, as_of: str | None, out: Path | None, as_json: bool) -> None:
    """Run monitoring and print what is open."""
    run = run_monitoring(study, source, as_of, out)
    folder = folder_of(study, out)
    if as_json:
        open_alerts = run.messages.to_dict("records")
        print(json.dumps({**run.counts(), "folder": str(folder), "alerts": open_alerts}, indent=2))  # noqa: T201
        return
    _print(run, folder)


def _print(run: MonitoringRun, folder: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    console, table = Console(highlight=False), Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("message", "subject", "what", "level", "alert"):
        table.add_column(heading, overflow="fold")
    for row in run.messages.to_dict("records"):
        label = run.plan.label_of(row["rule"])
        table.add_row(row["message"], row["subject"], label, row["level"], row["alert"])
    if len(run.messages):
        console.print(table)
    counts = run.counts()
    said = f"{counts['open']} alerts open, {counts['escalated']} of them escalated"
    console.print(f"{run.study.name} on {run.as_of}: {said}; {relative(folder)}/report.html", soft_wrap=True)


def show_acknowledgement(study: str, alert: str, by: str, action: str, on: str | None, out: Path | None) -> None:
    """Record an acknowledgement and say so."""
    from monitoring.log import acknowledge

    event = acknowledge(folder_of(study, out), alert, by, action, day_of(on))
    who = f" of subject {event['subject']}" if event["subject"] else ""
    print(f"alert {alert}{who}: acknowledged on {event['day']} by {event['by']}")  # noqa: T201
