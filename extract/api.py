"""Snapshots from REDCap's API: the structure, then all records, of the whole project or of one group on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from extract import groups
from extract.canonical import canonical_structure
from extract.changes import changed_records
from extract.client import OVERLAP, Client
from extract.completeness import key_columns, list_fields, needed_columns, withheld_fields, wrong_structure
from extract.last_extraction import (
    FULL_LOAD_DAYS,
    Base,
    LastExtraction,
    note_extraction,
    purpose,
    usable_base,
)
from extract.log import COLUMNS, living_records, renamed_records, telling_entries
from extract.reading import RecordReader, existing, listed_records
from extract.receiving import Received
from extract.snapshot import Taken, are_hashes, keep
from extract.storage import Content
from metadata.errors import OutsideError, StudyError
from metadata.project import Project
from metadata.records import ACCESS_GROUP, KEY_COLUMNS
from metadata.study import Study
from metadata.text_table import TextTable

OWN_REPETITION = (
    "the token's user may not see the repeating set-up (it needs the right Project Design and Setup): that of the"
    " study's folder was used"
)
UNCONFIRMED = (
    "the server does not say which records are in data access group '{group}': that the token's user is in it is taken"
    " from --group alone"
)


@dataclass(frozen=True)
class GroupChoice:
    """The group whose records are taken (blank: all), whether the token gives no others, and what is not certain."""

    name: str = ""
    bound: bool = False
    warnings: tuple[str, ...] = ()


def take(study: Study, client: Client, root: Path, group: str = "", full_load_days: float = FULL_LOAD_DAYS) -> Path:
    """Take a snapshot of the project behind ``client`` to ``root/<study>/<id>`` and return that folder.

    ``group`` names the data access group whose records alone are wanted. Where the last extraction was of the same
    structure and rights, only what changed since is read, unless all records were last read ``full_load_days`` ago.
    Raises OutsideError if REDCap or the disk fails, if not everything came, or if the token gives one group's records
    and ``group`` does not ask for them; StudyError if what came cannot be read; UsageError if there is no such group.
    """
    own = _own_structure(study)
    received = client.structure({"repeating"} if own and own.repeating else ())
    structure, warnings = _structure(client, received, own)
    project = Project.from_payloads(structure)
    exported = structure["export_field_names"]
    wrong = wrong_structure(project, exported)
    if wrong:
        raise OutsideError(f"the structure that REDCap at {client.shown} sent is not whole: {wrong}; try again")
    log = _telling(structure.pop("log", None))
    fields = list_fields(project, exported)
    listing = listed_records(client, fields)
    _refuse_incomplete_list(client, fields, listing, log)
    choice = _choice(client, project, own, fields, listing, group)
    columns = needed_columns(project, exported)
    columns += [ACCESS_GROUP] if ACCESS_GROUP in listing else []
    _refuse_hashes(client, project, listing, columns)
    files: dict[str, Content] = {
        f"received/{name}.{'txt' if name == 'version' else 'json'}": body for name, body in received.items()
    }
    version = received["version"].decode().strip()
    folder = root / study.name
    named = purpose(client.source, choice.name, canonical_structure(structure), columns)
    base = usable_base(folder, named, client.server_time if client.says_time else None, full_load_days)
    load = _load(client, project, fields, listing, columns, base)
    with Received(folder, named, client.server_time) as batches:
        reader = RecordReader(client, project, columns, key_columns(project), fields, batches, choice.name)
        records = reader.read(listing, load.held, load.changed)
        records = records.with_constant(choice.name, [ACCESS_GROUP] if choice.bound else [])
        files |= {f"received/records-{number:04}.csv": path for number, path in enumerate(batches.paths, start=1)}
        source = {
            "api": client.shown, "redcap_version": version, "batches": len(batches.paths),
            "load": load.described, "records_read": reader.asked, "resumed": batches.resumed,
        }  # fmt: skip
        made = Taken(structure, records, files, log, version, source, choice.name, warnings + choice.warnings)
        path = keep(study, made, root)
        note_extraction(folder, named, LastExtraction(path.name, batches.begun, load.whole or batches.begun))
    return path


@dataclass(frozen=True)
class Load:
    """What is held before records are read: nothing, or those of the last extraction, some of which may have changed.

    ``whole`` is when the last extraction began that read all, None if this one does; ``described`` is for the files.
    """

    described: str
    held: TextTable | None = None
    changed: frozenset[str] = frozenset()
    whole: datetime | None = None


def _load(
    client: Client, project: Project, fields: list[str], listing: pd.DataFrame, columns: list[str], base: Base | str
) -> Load:
    """Return what is taken of the last extraction; nothing if it cannot be told what changed since."""
    if isinstance(base, str):
        return Load(f"all records: {base}")
    names = base.records.distinct(project.dictionary.record_id)
    changed = changed_records(client, fields, base.last.begun - OVERLAP, listing, names)
    if isinstance(changed, str):
        return Load(f"all records: {changed}")
    forms = {f"{form}_complete" for form in project.dictionary.forms} - {*columns}
    absent = {*KEY_COLUMNS, ACCESS_GROUP, *forms} - {*columns}  # blank in a snapshot, and not in what comes
    held = base.records.select(name for name in base.records.names if name not in absent)
    return Load(f"changes since {base.last.snapshot}", held, frozenset(changed), base.last.whole)


def _telling(log: list[dict[str, Any]] | None) -> pd.DataFrame | None:
    """Return what a log tells of the records, None without one; the log itself has every value that was entered."""
    return None if log is None else telling_entries([pd.DataFrame(log, columns=COLUMNS, dtype="str")])


def _own_structure(study: Study) -> Project | None:
    """Return the study's own copy of its project, None if it has none that can be read."""
    try:
        return study.redcap_project()
    except StudyError:
        return None


def _structure(
    client: Client, received: Mapping[str, bytes], own: Project | None
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the payloads that came, with the study's own repeating set-up where the user may not see it."""
    structure = {name: client.parsed(body) for name, body in received.items() if name != "version"}
    if "repeating" in client.refused and own is not None and own.repeating:
        return structure | {"repeating": own.repeating}, (OWN_REPETITION,)
    return structure, ()


def _refuse_incomplete_list(client: Client, fields: list[str], listing: pd.DataFrame, log: pd.DataFrame | None) -> None:
    """Raise OutsideError if the list of records lacks one that there is.

    Where the list is empty, the whole log must say that there is no record: a project that is too large for a server
    can be answered with status 200 and nothing.
    """
    record_id = fields[0]
    renamed: set[str] = set()
    if listing.empty and log is not None:
        entries = client.log()
        log, renamed = _telling(entries), renamed_records(entries, record_id)
    listed = set(listing[record_id])
    logged = [name for name in living_records(log) if name not in listed]
    found = existing(client, fields, logged)
    server = f"REDCap at {client.shown}"
    if found:
        raise OutsideError(
            f"{server} left out record '{found[0]}' of its list of {listing[record_id].nunique()} records, but sends it"
            " when asked for it; take the snapshot again"
        )
    if listing.empty and log is None:
        raise OutsideError(
            f"{server} lists no record, and the token's user may not see the log, which alone can confirm that the"
            " project is empty; give the user the right Logging"
        )
    if listing.empty and len(logged) > len(renamed):  # who was renamed is in the log under the old name as well
        raise OutsideError(
            f"{server} lists no record, but its log has {len(logged)} that were not deleted, the first of them record"
            f" '{logged[0]}'; take the snapshot again"
        )


def _choice(
    client: Client, project: Project, own: Project | None, fields: list[str], listing: pd.DataFrame, group: str
) -> GroupChoice:
    """Return the group whose records are taken; OutsideError if the token gives those of one that was not asked for."""
    dags = project.dags or (own.dags if own else [])
    if not dags and ACCESS_GROUP in listing:
        found = sorted(set(listing[ACCESS_GROUP]) - {""})
        dags = [{"unique_group_name": name} for name in found]
    name = groups.unique_name(group, dags) if group else ""
    outside = ACCESS_GROUP in listing or (listing.empty and bool(project.dags))  # who is in a group is not shown groups
    if outside or not dags:
        return GroupChoice(name)
    if not name:
        known = ", ".join(str(row["unique_group_name"]) for row in dags)
        raise OutsideError(
            f"REDCap at {client.shown} sends the records of one data access group only, that of the token's user,"
            f" while the project has {known}: {groups.ADVICE}"
        )
    return GroupChoice(name, True, _confirm(client, fields, listing, name))


def _confirm(client: Client, fields: list[str], listing: pd.DataFrame, group: str) -> tuple[str, ...]:
    """Raise OutsideError if the records that a token gives are not those of the group; returns a warning if the server
    does not say it.
    """
    record_id = fields[0]
    rows = client.records_of_group(fields, group)
    if rows is None:
        return (UNCONFIRMED.format(group=group),)
    mine = {str(row[record_id]) for row in rows}
    others = [name for name in listing[record_id] if name not in mine]
    if others:
        raise OutsideError(
            f"REDCap at {client.shown} sends record '{others[0]}' with this token, which is not in data access group"
            f" '{group}'; name the group of the token's user, or {groups.ADVICE}"
        )
    return ()


def _refuse_hashes(client: Client, project: Project, listing: pd.DataFrame, columns: list[str]) -> None:
    """Raise OutsideError if record names are hashes: they identify persons, and the user may not see identifiers."""
    dictionary = project.dictionary
    first = dictionary.fields[dictionary.record_id]
    withheld = {dictionary.fields[name].form for name in withheld_fields(project, columns)}
    names = listing[dictionary.record_id]
    if first.is_identifier and first.form in withheld and are_hashes(names):
        raise OutsideError(
            f"REDCap at {client.shown} sends record names as hashes, because the token's user may not see identifiers;"
            " give it full export rights on the form of the record id"
        )
