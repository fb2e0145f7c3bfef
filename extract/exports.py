"""Snapshots from a folder of exports, as downloaded from REDCap, for where the API is not to be had."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from extract.snapshot import Taken, is_snapshot, keep
from extract.storage import verified
from metadata.dictionary import USER_INTERFACE_HEADERS
from metadata.errors import StudyError, UsageError, nearest
from metadata.records import read_csv
from metadata.redcap_csv import read_rows
from metadata.study import Study

STRUCTURE_FILES = (
    "dictionary",
    "project_info",
    "instruments",
    "arms",
    "events",
    "form_event_mapping",
    "repeating",
    "dags",
)
NEEDED = ("dictionary", "project_info")
STATES = {"locked": "records_locked.csv", "as-entered": "records_as_entered.csv"}
LOG_FILE = "log.csv"
LOG_HEADERS = {
    "Time / Date": "timestamp",
    "Username": "username",
    "Action": "action",
    "List of Data Changes OR Fields Exported": "details",
    "Record": "record",
}


def snapshot_of(study: Study, source: Path, root: Path, records_state: str = "locked") -> Path:
    """Return the snapshot of exports, taken to ``root/<study>/<id>``; a snapshot's own folder is returned as it is.

    ``source`` is a folder with dictionary.csv, project_info.csv, instruments.csv and, where the project has them,
    arms.csv, events.csv, form_event_mapping.csv, repeating.csv, dags.csv, log.csv; records in records_locked.csv,
    records_as_entered.csv or records.csv, and log_as_entered.csv if log.csv goes beyond that state. Or it is a records
    CSV, whose structure stands beside it or else in the study's own folder. Byte-order marks, CRLF, other delimiters
    and the user interface's headers are understood.
    Content that the API would give has the id that it has from the API. Raises UsageError if there is nothing at
    ``source``, StudyError if a file is missing or not fit.
    """
    source = Path(source)
    if not source.exists():
        raise UsageError(f"there is nothing at {source} to take records from")
    if is_snapshot(source):
        verified(source)
        return source
    folder = source if source.is_dir() else _structure_folder(study, source)
    records = records_file(source, records_state) if source.is_dir() else source
    structure, paths = _structure(folder)
    log = _log_file(records, folder)
    frame = read_csv(records.read_bytes(), records)
    if frame.empty and not len(frame.columns):
        raise StudyError("the file is empty", records)
    files = {f"received/{path.name}": path.read_bytes() for path in [*paths, *log, records]}
    origin = {"exports": source.name, "records": records.name}
    return keep(study, Taken(structure, frame, files, _log(log), "", origin), root)


def _structure_folder(study: Study, records: Path) -> Path:
    return records.parent if (records.parent / "dictionary.csv").is_file() else study.path("redcap")


def _structure(folder: Path) -> tuple[dict[str, Any], list[Path]]:
    """Return the structure payloads of a folder and the files they were read from."""
    paths = {name: folder / f"{name}.csv" for name in STRUCTURE_FILES}
    present = {name: path for name, path in paths.items() if path.is_file() or name in NEEDED}
    structure: dict[str, Any] = {name: read_rows(path) for name, path in present.items()}
    structure["dictionary"] = [_api_headers(row) for row in structure["dictionary"]]
    if not structure["project_info"]:
        raise StudyError("the file has no row", paths["project_info"])
    return structure, [*present.values()]


def _api_headers(row: dict[str, str]) -> dict[str, str]:
    """Return a dictionary row under the API's names."""
    return {USER_INTERFACE_HEADERS.get(name, name): value for name, value in row.items()}


def records_file(folder: Path, state: str) -> Path:
    """Return the records file of a state; raises UsageError on another state, StudyError if the file is missing."""
    if state not in STATES:
        raise UsageError(f"records are 'locked' or 'as-entered', not '{state}'{nearest(state, STATES)}")
    for name in (STATES[state], "records.csv"):
        if (folder / name).is_file():
            return folder / name
    raise StudyError("the records file does not exist", folder / STATES[state])


def _log_file(records: Path, folder: Path) -> list[Path]:
    """Return the log of the records' own state (records_locked.csv: log_locked.csv), else the project's, if any."""
    own = records.with_name(records.name.replace("records", "log", 1))
    return [path for path in (own, folder / LOG_FILE) if path != records and path.is_file()][:1]


def _log(files: list[Path]) -> list[dict[str, str]] | None:
    """Return the entries of a log under the API's names; None without one."""
    rows = [read_rows(path) for path in files]
    return [{LOG_HEADERS.get(name, name): value for name, value in row.items()} for row in rows[0]] if rows else None
