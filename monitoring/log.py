"""The log of alerts and of runs, in a folder of their own: lines are added and never changed, for the owner only.

``alerts.jsonl`` has an event a line (see ``monitoring.alerts``), ``runs.jsonl`` a run a line. The day of a run is an
input, so that the same inputs make the same lines.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from metadata.errors import OutsideError, UsageError
from monitoring.alerts import ACKNOWLEDGED, COLUMNS, Alerts, no_events, state_of

ALERTS, RUNS, LOCK = "alerts.jsonl", "runs.jsonl", ".lock"
FOLDER_MODE, FILE_MODE = 0o700, 0o600


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep the folder of the logs to one writer; raises OutsideError if it cannot be written, or another one writes."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, FILE_MODE)
    except OSError as error:
        raise OutsideError(f"the folder of the alerts, {folder}, cannot be written: {error.strerror}") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise OutsideError(f"another run writes to the alerts of {folder}; wait for it") from None
        yield
    finally:
        os.close(descriptor)


def append(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Add lines to a log, all of them or none, to the disk itself."""
    if not rows:
        return
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, FILE_MODE)
    try:
        os.write(descriptor, text.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lines_of(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a log, none if there is no log; raises OutsideError for one that is damaged."""
    if not path.is_file():
        return []
    made = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(keepends=True), start=1):
        try:
            row = json.loads(line)
            whole = isinstance(row, dict) and line.endswith("\n")
        except ValueError:
            whole = False
        if not whole:
            raise OutsideError(f"{path}, line {number}: the log of alerts is damaged; restore it from a copy")
        made.append(row)
    return made


def read_events(folder: Path) -> pd.DataFrame:
    """Return the events of the alerts so far."""
    rows = lines_of(folder / ALERTS)
    lacking = next((n for n, row in enumerate(rows, start=1) if set(row) != set(COLUMNS)), None)
    if lacking is not None:
        raise OutsideError(
            f"{folder / ALERTS}, line {lacking}: it is no event of an alert; restore the log from a copy"
        )
    return pd.DataFrame(rows, columns=COLUMNS).astype("str") if rows else no_events()


def append_events(folder: Path, events: pd.DataFrame) -> None:
    """Add events to the log."""
    append(folder / ALERTS, [{str(name): value for name, value in row.items()} for row in events.to_dict("records")])


def acknowledge(folder: Path, alert: str, by: str, action: str, on: str) -> dict[str, str]:
    """Record who acknowledged an alert, on which day and what is done; returns the event.

    Raises UsageError for an alert that is not open, and without a name or an action.
    """
    if not by.strip() or not action.strip():
        raise UsageError("say who acknowledges the alert, and what is done: --by NAME --action TEXT")
    with locked(folder):
        log = read_events(folder)
        row = _open_row(folder, state_of(log), alert)
        if on < row["opened"]:
            raise UsageError(f"the alert {alert} was opened on {row['opened']}, after {on}")
        event = dict.fromkeys(COLUMNS, "")
        event |= {
            name: row[name] for name in ("alert", "subject", "rule", "level", "record", "event", "form", "instance")
        }
        event |= {"day": on, "is": ACKNOWLEDGED, "by": " ".join(by.split()), "action": " ".join(action.split())}
        append(folder / ALERTS, [event])
    return event


def _open_row(folder: Path, alerts: Alerts, alert: str) -> dict[str, Any]:
    rows = alerts.table[alerts.table["alert"] == alert].to_dict("records")
    found = [{str(name): value for name, value in row.items()} for row in rows]
    if not found:
        raise UsageError(f"there is no alert {alert} in {folder}; 'redcap-cdisc monitor' shows the open ones")
    row = found[0]
    if row["state"] == "acknowledged":
        raise UsageError(f"{row['by']} acknowledged the alert {alert} on {row['acknowledged_on']} already")
    if row["state"] == "superseded":
        raise UsageError(f"the alert {alert} was superseded by a worse one of the same rule; acknowledge that one")
    return row


def completed_runs(folder: Path) -> list[dict[str, Any]]:
    """Return the runs that came to their end, in their order."""
    return [row for row in lines_of(folder / RUNS) if "failed" not in row]


def failed_days(folder: Path) -> list[str]:
    """Return the days of which a run failed."""
    return sorted({str(row["as_of"]) for row in lines_of(folder / RUNS) if "failed" in row})


def last_run(folder: Path, as_of: str) -> str | None:
    """Return the day of the last run, None before the first; raises UsageError if it lies after ``as_of``."""
    days = [str(row["as_of"]) for row in completed_runs(folder)]
    if days and max(days) > as_of:
        raise UsageError(f"the alerts in {folder} are those of {max(days)} already: a day before it cannot be judged")
    return max(days) if days else None


def late_days(folder: Path, as_of: str) -> list[str]:
    """Return the first day without a run of each gap between the runs so far and a run of ``as_of``."""
    days = sorted({str(row["as_of"]) for row in completed_runs(folder)} | {as_of})
    stamps = pd.Series(pd.to_datetime(days))
    gaps = stamps[stamps.diff() > pd.Timedelta(days=1)].index
    return [str((stamps[place - 1] + pd.Timedelta(days=1)).date()) for place in gaps]
