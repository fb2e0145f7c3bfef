"""Snapshots: a project's content at one moment, immutable, named by the hash of what it holds."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from extract.canonical import ID_LENGTH, canonical_records, canonical_structure, content_hash
from extract.completeness import withheld_fields
from extract.log import Entries, newest_change
from extract.other_sources import check_declared, read_sources, treatment_as_asked
from extract.records_file import read_records, write_records
from extract.source_rows import place
from extract.storage import MANIFEST, Content, json_bytes, store, verified
from metadata.errors import OutsideError, StudyError
from metadata.other_sources import with_sources
from metadata.project import Project
from metadata.records import SURVEY_IDENTIFIER, Records
from metadata.study import Study
from metadata.text_table import TextTable

FORMAT = 2
STRUCTURE_FILE, RECORDS_FILE, EXTRACTION_FILE = "structure.json", "records.parquet", "extraction.json"
SOURCES = "sources"
"""The folder of the files beside REDCap, as they were received and as they were read."""
RECORD_HASH = r"[0-9a-f]{32}"
HASHED = (
    "all record names are 32 hexadecimal digits, which REDCap sends in place of names that the token's user may not"
    " see; if these are such, give the user full export rights on the form of the record id"
)
BY_CUTOFF = "cut-off of the study"


@dataclass(frozen=True)
class Snapshot:
    """The content of one snapshot.

    ``date`` is YYYY-MM-DD, ``event_ids`` event name to REDCap's event_id (empty if the export had none), ``version``
    the server's (blank if an export does not say it). Values of two kinds of fields are not in ``records``: ``blanked``
    identifiers that were not asked for, and ``not_exported`` fields, which the token's user may not see. ``group`` is
    the data access group whose records alone it has, blank if it has all; ``warnings`` are for the user to read.
    ``dated_by_cutoff`` is True where nothing but the cut-off of the study gave the date.
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
    group: str = ""
    warnings: tuple[str, ...] = ()
    dated_by_cutoff: bool = False


@dataclass(frozen=True)
class StoredSnapshot:
    """A snapshot read and verified once; ``snapshot`` shows it with every identifier blanked."""

    snapshot: Snapshot
    _whole: Records = field(repr=False)
    _sources: Mapping[str, TextTable] = field(repr=False, default_factory=dict)

    def keeping(self, names: Collection[str]) -> Snapshot:
        """Return it with the values of the identifiers ``names`` as well.

        Raises StudyError if the dictionary lacks one of the fields.
        """
        project = self.snapshot.project
        blanked = _identifiers(project, names)
        records = Records(project, _blanked(project, self._whole.table, blanked), self._whole.other)
        return replace(self.snapshot, records=records, blanked=frozenset(blanked))

    def with_sources(self, study: Study) -> StoredSnapshot:
        """Return it with the rows of the files beside REDCap that the study declares, as forms of the project.

        Raises StudyError if the snapshot lacks one of them.
        """
        unread = check_declared(study, self._sources)
        if not study.declared.sources:
            return replace(self, snapshot=replace(self.snapshot, warnings=(*self.snapshot.warnings, *unread)))
        project = with_sources(self.snapshot.project, study.sources)
        placed = place(study, project, self._whole.table, treatment_as_asked(study, self._sources))
        whole = Records(project, placed.table, placed.other)
        warnings = (*self.snapshot.warnings, *unread, *placed.left_out)
        widened = StoredSnapshot(replace(self.snapshot, project=project, warnings=warnings), whole, self._sources)
        return replace(widened, snapshot=widened.keeping(()))

    def forget_values(self) -> None:
        """Keep of the records only what tells their rows apart: their values have been read."""
        for records in (self.snapshot.records, self._whole):
            records.forget_values()

    def dated(self, date: str) -> StoredSnapshot:
        """Return it with another date (YYYY-MM-DD)."""
        return replace(self, snapshot=replace(self.snapshot, date=date))


@dataclass(frozen=True)
class Taken:
    """Content as it came: structure payloads, records, the files as received, and what is known of the way.

    ``group`` is the data access group whose records alone came, blank if all did.
    """

    structure: Mapping[str, Any]
    records: TextTable
    files: dict[str, Content]
    log: Entries | None
    version: str = ""
    source: Mapping[str, Any] = field(default_factory=dict)
    group: str = ""
    warnings: tuple[str, ...] = ()


def keep(study: Study, taken: Taken, root: Path) -> Path:
    """Store what was taken under ``root/<study>/<id>`` and return that folder.

    The same content gives the same folder, and the one there is stays. Fields that the user may not export and a data
    access group are part of the content: without them it is another snapshot.
    """
    structure = canonical_structure(taken.structure)
    project = Project.from_payloads(structure)
    records = canonical_records(project, taken.records)
    structure |= {"format": FORMAT, "withheld": withheld_fields(project, taken.records.names), "group": taken.group}
    names = records.distinct(project.dictionary.record_id)
    hashes = (HASHED,) if are_hashes(names) else ()
    sources = read_sources(study)
    whole = content_hash(structure, records, sources)
    folder = Path(root) / study.name / whole[:ID_LENGTH]
    newest = newest_change(taken.log)
    manifest = {
        "format": FORMAT,
        "id": whole[:ID_LENGTH],
        "content_sha256": whole,
        "study": study.name,
        "date": newest or study.cutoff,
        "date_source": "newest record change in the log" if newest else BY_CUTOFF,
        "base_url": study.declared.redcap.base_url,
        "version": taken.version,
        "records": len(names),
        "rows": len(records),
        "group": taken.group,
        "warnings": [*taken.warnings, *hashes],
    }
    extraction = {"taken_at": datetime.now(UTC).isoformat(timespec="seconds"), **taken.source}
    files = taken.files | {
        STRUCTURE_FILE: json_bytes({**structure, "export_field_names": taken.structure.get("export_field_names")}),
        RECORDS_FILE: lambda file: write_records(records, file),
        EXTRACTION_FILE: json_bytes(extraction),
    }
    for form, table in sources.items():
        path = study.path(study.stored_sources[form].file)
        files[f"{SOURCES}/{form}.received{path.suffix.lower()}"] = path
        files[f"{SOURCES}/{form}.parquet"] = partial(write_records, table)
    if not store(folder, files, manifest):
        verified(folder)
    return folder


def are_hashes(names: Collection[str]) -> bool:
    """Return True if all record names, of which there are some, are such as REDCap sends in place of hidden ones."""
    return len(names) > 0 and all(re.fullmatch(RECORD_HASH, name) for name in names)


def is_snapshot(path: Path) -> bool:
    """Return True if a folder is a snapshot."""
    return (Path(path) / MANIFEST).is_file()


def open_snapshot(path: Path) -> StoredSnapshot:
    """Open and verify a snapshot.

    Values of fields that the dictionary flags as identifiers are blanked unless they are asked for; the record id is
    kept. Raises OutsideError if a file is missing or not as it was stored.
    """
    folder = Path(path)
    manifest, structure, table, sources = whole_content(folder)
    project = Project.from_payloads(structure)
    identifiers = _identifiers(project, ())
    blanked = Snapshot(
        path=folder,
        id=manifest["id"],
        date=manifest["date"],
        study=manifest["study"],
        project=project,
        records=Records(project, _blanked(project, table, identifiers)),
        event_ids={row["unique_event_name"]: row["event_id"] for row in project.events if row.get("event_id")},
        base_url=manifest["base_url"],
        version=manifest["version"],
        blanked=frozenset(identifiers),
        not_exported=frozenset(structure["withheld"]),
        group=structure["group"],
        warnings=tuple(manifest["warnings"]),
        dated_by_cutoff=manifest["date_source"] == BY_CUTOFF,
    )
    return StoredSnapshot(blanked, Records(project, table), sources)


def whole_content(folder: Path) -> tuple[dict[str, Any], dict[str, Any], TextTable, dict[str, TextTable]]:
    """Return manifest, structure, records and other sources of a snapshot, identifiers among them.

    Raises OutsideError as ``open_snapshot`` does.
    """
    manifest = verified(folder)
    if manifest.get("format") != FORMAT:
        raise OutsideError(f"the snapshot {folder} was taken by another version of redcap-cdisc; take it again")
    structure = json.loads((folder / STRUCTURE_FILE).read_bytes())
    table = read_records(folder / RECORDS_FILE)
    sources = {path.stem: read_records(path) for path in sorted((folder / SOURCES).glob("*.parquet"))}
    if content_hash(structure, table, sources) != manifest["content_sha256"]:
        raise OutsideError(f"the snapshot {folder} is damaged: {MANIFEST} does not fit its content; take it again")
    return manifest, structure, table, sources


def _identifiers(project: Project, keep: Collection[str]) -> set[str]:
    """Return the identifier fields that stay behind; raises StudyError if ``keep`` names a field there is not."""
    for name in keep:
        if name not in project.dictionary.fields:
            raise StudyError(f"the field '{name}' is to be kept, but the dictionary lacks it")
    flagged = {item.name for item in project.dictionary.fields.values() if item.is_identifier}
    return flagged - set(keep) - {project.dictionary.record_id}


def _blanked(project: Project, table: TextTable, fields: set[str]) -> TextTable:
    """Return records without the values of fields, and without the identifiers of survey participants."""
    owners = project.dictionary.column_field | project.missing_code_columns
    columns = [column for column in table.names if owners.get(column) in fields or column == SURVEY_IDENTIFIER]
    return table.with_constant("", columns)
