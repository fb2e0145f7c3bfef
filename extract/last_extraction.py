"""What the last extraction of a project left for the next one, which then reads only what changed since."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from extract.canonical import INFORMATION, STRUCTURE
from extract.snapshot import whole_content
from extract.storage import json_bytes, replace_file
from metadata.errors import OutsideError
from metadata.project import Project
from metadata.text_table import TextTable

FULL_LOAD_DAYS = 7.0
FORMAT = 1


@dataclass(frozen=True)
class LastExtraction:
    """Which snapshot was made of it, when it began, and when the last began that read all records.

    Both times are by the server's clock, in UTC.
    """

    snapshot: str
    begun: datetime
    whole: datetime


@dataclass(frozen=True)
class Base:
    """The records of the last extraction with the columns that came, and its times."""

    last: LastExtraction
    records: TextTable


def purpose(source: str, group: str, structure: Mapping[str, Any], columns: Sequence[str]) -> str:
    """Return a short name of what is read: with which access, of which group, by which structure, in which columns.

    One server has many projects, copies of one another among them: ``source`` tells them apart (``Client.source``).
    """
    info = {name: structure["project_info"].get(name, "") for name in ("project_id", *INFORMATION)}
    kept = [source, group, {name: structure[name] for name in STRUCTURE}, info, list(columns)]
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]


def last_extraction(folder: Path, named: str) -> LastExtraction | None:
    """Return the last extraction for a purpose, None if there is none or what is noted of it cannot be read."""
    try:
        noted = json.loads(_path(folder).read_bytes())[named]
        times = {name: datetime.fromisoformat(noted[name]) for name in ("begun", "whole")}
        return LastExtraction(str(noted["snapshot"]), **times)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def note_extraction(folder: Path, named: str, done: LastExtraction) -> None:
    """Note an extraction for the next one; raises OutsideError if the disk refuses.

    What is noted for other purposes is kept, of each server and group that is: it costs a line.
    """
    try:
        noted = json.loads(_path(folder).read_bytes())
    except (OSError, ValueError):
        noted = {}
    times = {"begun": done.begun.isoformat(), "whole": done.whole.isoformat()}
    replace_file(_path(folder), json_bytes({**noted, named: {"snapshot": done.snapshot, **times}}))


def usable_base(folder: Path, named: str, now: datetime | None, full_load_days: float) -> Base | str:
    """Return the records from which only changes need be read, or why all are to be read.

    ``now`` is the server's time in UTC, None if it does not say it.
    """
    last = last_extraction(folder, named)
    if last is None:
        return "no extraction of this structure with these rights is known"
    if now is None:
        return "the server does not say its time"
    if now < last.begun:
        return "the server's clock was set back"
    if now - last.whole >= timedelta(days=full_load_days):
        return f"all records were last read {(now - last.whole).days} days ago"
    try:
        _, structure, records, _ = whole_content(folder / last.snapshot)
    except OutsideError:
        return "the snapshot of the last extraction is gone or damaged"
    withheld, owners = set(structure["withheld"]), Project.from_payloads(structure).dictionary.column_field
    return Base(last, records.select(name for name in records.names if owners.get(name) not in withheld))


def _path(folder: Path) -> Path:
    return folder / "extractions.json"
