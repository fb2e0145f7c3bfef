"""Snapshots: a project's content at one moment, immutable, named by the hash of what it holds."""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet

from extract.canonical import ID_LENGTH, canonical_records, canonical_structure, content_hash
from extract.client import Client, hashed, parse_payload
from extract.storage import MANIFEST, json_bytes, store, verified
from metadata.errors import OutsideError, StudyError
from metadata.project import Project
from metadata.records import Records, read_csv
from metadata.study import Study

FORMAT = 1
STRUCTURE_FILE, RECORDS_FILE, EXTRACTION_FILE = "structure.json", "records.parquet", "extraction.json"
RECORD_CHANGE = r"(?:Created?|Updated?|Deleted?) [Rr]ecord"
DATE = r"\d{4}-\d{2}-\d{2}"


@dataclass(frozen=True)
class Snapshot:
    """The content of one snapshot.

    ``date`` is YYYY-MM-DD, ``event_ids`` event name to REDCap's event_id (empty if the export had none), ``version``
    the server's (blank if an export does not tell). Values of two kinds of fields are not in ``records``: ``blanked``
    identifiers that were not asked for, and ``not_exported`` fields, which the token's user may not see.
    """

    path: Path
    id: str
    date: str
    study: str
    project: Project
    records: Records
    event_ids: dict[str, str]
    base_url: str
    version: str
    blanked: frozenset[str] = field(default_factory=frozenset)
    not_exported: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class StoredSnapshot:
    """A snapshot read and verified once; ``snapshot`` shows it with every identifier blanked."""

    snapshot: Snapshot
    _frame: pd.DataFrame = field(repr=False)

    def keeping(self, names: Collection[str]) -> Snapshot:
        """Return it with the values of the identifiers ``names`` as well.

        Raises StudyError if the dictionary lacks one of the fields.
        """
        project = self.snapshot.project
        blanked = _identifiers(project, names)
        records = Records(project, _blanked(project, self._frame, blanked))
        return replace(self.snapshot, records=records, blanked=frozenset(blanked))

    def dated(self, date: str) -> StoredSnapshot:
        """Return it with another date (YYYY-MM-DD)."""
        return replace(self, snapshot=replace(self.snapshot, date=date))


@dataclass(frozen=True)
class Taken:
    """Content as it came: structure payloads, records, the files as received, and what is known of the way."""

    structure: Mapping[str, Any]
    frame: pd.DataFrame
    files: dict[str, bytes]
    log: list[dict[str, Any]] | None
    version: str = ""
    source: Mapping[str, Any] = field(default_factory=dict)


def take(study: Study, client: Client, root: Path) -> Path:
    """Take a snapshot of the project behind ``client`` to ``root/<study>/<id>`` and return that folder.

    The same content gives the same folder, and the one there is stays. Raises OutsideError if REDCap or the disk
    fails, StudyError if what came cannot be read.
    """
    received = client.structure()
    structure = {name: parse_payload(body) for name, body in received.items() if name not in ("version", "log")}
    project = Project.from_payloads(structure)
    batches = list(_batches(client, project, structure))
    frames = [frame for _, frame in batches]
    frame = pd.concat(frames, ignore_index=True).fillna("") if frames else _no_records(project)
    files = {f"received/{name}.{_kind(name)}": body for name, body in received.items()}
    files |= {f"received/records-{number:04}.csv": body for number, (body, _) in enumerate(batches, start=1)}
    log = parse_payload(received["log"]) if "log" in received else None
    version = received["version"].decode().strip()
    source = {"api": client.shown, "redcap_version": version, "batches": len(batches)}
    return keep(study, Taken(structure, frame, files, log, version, source), root)


def _kind(name: str) -> str:
    return "txt" if name == "version" else "json"


def _no_records(project: Project) -> pd.DataFrame:
    return pd.DataFrame(columns=[project.dictionary.record_id], dtype="str")


def _batches(client: Client, project: Project, structure: Mapping[str, Any]) -> list[tuple[bytes, pd.DataFrame]]:
    """Return all records batch by batch, as received and parsed; raises OutsideError if a named record did not come."""
    record_id = project.dictionary.record_id
    listed = read_csv(client.record_names(record_id), "the list of records")
    if listed.empty:
        return []
    names = list(dict.fromkeys(listed[record_id]))
    if hashed(names):
        raise OutsideError(
            f"REDCap at {client.shown} sends record names as hashes, for the token's user may not see identifiers;"
            " give it full export rights on the form of the record id"
        )
    received = []
    for batch, body in client.batches(names, len(structure["export_field_names"]), len(listed) / len(names)):
        frame = read_csv(body, "a batch of records")
        came = set(frame[record_id]) if record_id in frame else set()
        missing = [name for name in batch if name not in came]
        if missing:
            raise OutsideError(_missing(client, missing, len(names)))
        received.append((body, frame))
    return received


def _missing(client: Client, missing: list[str], total: int) -> str:
    return (
        f"REDCap at {client.shown} listed {total} records, but {len(missing)} of them did not come,"
        f" the first of them record '{missing[0]}'; take the snapshot again"
    )


def keep(study: Study, taken: Taken, root: Path) -> Path:
    """Store what was taken under ``root/<study>/<id>`` and return that folder."""
    structure = canonical_structure(taken.structure)
    frame = canonical_records(Project.from_payloads(structure), taken.frame)
    whole = content_hash(structure, frame)
    folder = Path(root) / study.name / whole[:ID_LENGTH]
    newest = newest_change(taken.log)
    manifest = {
        "format": FORMAT,
        "id": whole[:ID_LENGTH],
        "content_sha256": whole,
        "study": study.name,
        "date": newest or study.cutoff,
        "date_source": "newest record change in the log" if newest else "cut-off of the study",
        "base_url": str(study.config["redcap"].get("base_url", "")),
        "version": taken.version,
        "records": int(frame.iloc[:, 0].nunique()),
        "rows": len(frame),
    }
    extraction = {"taken_at": datetime.now(UTC).isoformat(timespec="seconds"), **taken.source}
    files = taken.files | {
        STRUCTURE_FILE: json_bytes({**structure, "export_field_names": taken.structure.get("export_field_names")}),
        RECORDS_FILE: _parquet_bytes(frame),
        EXTRACTION_FILE: json_bytes(extraction),
    }
    if not store(folder, files, manifest):
        verified(folder)
    return folder


def newest_change(log: list[dict[str, Any]] | None) -> str:
    """Return the date of the newest creation, change or deletion of a record in a log, or an empty text."""
    entries = pd.DataFrame(log or [], columns=["timestamp", "action"], dtype="str")
    changes = entries.loc[entries["action"].str.match(RECORD_CHANGE), "timestamp"].str.slice(0, 10)
    dates = changes[changes.str.fullmatch(DATE)]
    return str(dates.max()) if len(dates) else ""


def _parquet_bytes(frame: pd.DataFrame) -> bytes:
    sink = io.BytesIO()
    schema = pa.schema([(name, pa.large_string()) for name in frame.columns])
    parquet.write_table(pa.Table.from_pandas(frame, schema=schema, preserve_index=False), sink, compression="zstd")
    return sink.getvalue()


def is_snapshot(path: Path) -> bool:
    """Return True if a folder is a snapshot."""
    return (Path(path) / MANIFEST).is_file()


def open_snapshot(path: Path) -> StoredSnapshot:
    """Open and verify a snapshot.

    Values of fields that the dictionary flags as identifiers are blanked unless they are asked for; the record id is
    kept. Raises OutsideError if a file is missing or not as it was stored.
    """
    folder = Path(path)
    manifest, files = verified(folder)
    structure = json.loads(files[STRUCTURE_FILE])
    frame = pd.DataFrame(parquet.read_table(io.BytesIO(files[RECORDS_FILE])).to_pandas()).astype("str")
    if content_hash(structure, frame) != manifest["content_sha256"] or manifest["format"] != FORMAT:
        raise OutsideError(f"the snapshot {folder} is damaged: {MANIFEST} does not fit its content; take it again")
    project = Project.from_payloads(structure)
    identifiers = _identifiers(project, ())
    blanked = Snapshot(
        path=folder,
        id=manifest["id"],
        date=manifest["date"],
        study=manifest["study"],
        project=project,
        records=Records(project, _blanked(project, frame, identifiers)),
        event_ids={row["unique_event_name"]: row["event_id"] for row in project.events if row.get("event_id")},
        base_url=manifest["base_url"],
        version=manifest["version"],
        blanked=frozenset(identifiers),
        not_exported=not_exported(project, structure.get("export_field_names")),
    )
    return StoredSnapshot(blanked, frame)


def _identifiers(project: Project, keep: Collection[str]) -> set[str]:
    """Return the identifier fields that stay behind; raises StudyError if ``keep`` names a field there is not."""
    for name in keep:
        if name not in project.dictionary.fields:
            raise StudyError(f"the field '{name}' is to be kept, but the dictionary lacks it")
    flagged = {item.name for item in project.dictionary.fields.values() if item.is_identifier}
    return flagged - set(keep) - {project.dictionary.record_id}


def _blanked(project: Project, frame: pd.DataFrame, fields: set[str]) -> pd.DataFrame:
    columns = [column for name in fields for column in frame.columns if _belongs(project, column, name)]
    return frame.assign(**dict.fromkeys(columns, pd.Series("", frame.index, dtype="str")))


def _belongs(project: Project, column: str, name: str) -> bool:
    """True if an export column holds a field's values; columns of missing-data codes are not in the dictionary."""
    owner = project.dictionary.column_field.get(column)
    return owner == name if owner else column.startswith(f"{name}___")


def not_exported(project: Project, export_field_names: list[dict[str, Any]] | None) -> frozenset[str]:
    """Return the fields the token's user may not export; none if the source did not say."""
    if export_field_names is None:
        return frozenset()
    exported = {row["original_field_name"] for row in export_field_names}
    silent = ("descriptive", "file")
    fields = project.dictionary.fields.values()
    return frozenset(item.name for item in fields if item.name not in exported and item.type not in silent)


__all__ = ["Snapshot", "StoredSnapshot", "Taken", "is_snapshot", "keep", "newest_change", "open_snapshot", "take"]
