"""Snapshots from a folder of exports, as downloaded from REDCap, for use where the API is not available."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pyarrow as pa

from extract import downloads, groups
from extract.completeness import in_two_groups, missing_columns, needed_columns, repeated_row, wrong_row
from extract.decimal_marks import own_marks
from extract.log import created_records, living_records, telling_entries
from extract.snapshot import Taken, is_snapshot, keep
from extract.storage import Content, verified
from metadata.dictionary import USER_INTERFACE_HEADERS
from metadata.errors import StudyError, UsageError, nearest
from metadata.project import Project
from metadata.records import ACCESS_GROUP, KEY_COLUMNS, check_columns
from metadata.records_csv import read_parts
from metadata.redcap_csv import read_rows
from metadata.study import Study
from metadata.text_table import TextTable

STRUCTURE_FILES = (
    "dictionary",
    "project_info",
    "instruments",
    "arms",
    "events",
    "form_event_mapping",
    "repeating",
    "dags",
    "export_field_names",
)
ALL_COLUMNS = (
    "export all fields of all instruments, or add export_field_names.csv (content=exportFieldNames of the API) if the"
    " user may not export some"
)
GROUPS_UNKNOWN = "so that nothing says whether these are the records of all data access groups"
STATES = {"locked": "records_locked.csv", "as-entered": "records_as_entered.csv"}
WEB_HEADERS = {name.lower(): api for name, api in USER_INTERFACE_HEADERS.items()}
LOG_HEADERS = {
    "Time / Date": "timestamp",
    "Username": "username",
    "Action": "action",
    "List of Data Changes OR Fields Exported": "details",
    "Record": "record",
}


def snapshot_of(study: Study, source: Path, root: Path, records_state: str = "locked", group: str = "") -> Path:
    """Return the snapshot of exports, taken to ``root/<study>/<id>``; a snapshot's own folder is returned as it is.

    ``source`` is a folder with dictionary.csv, project_info.csv (else the study's own), instruments.csv and, where the
    project has them, arms.csv, events.csv, form_event_mapping.csv, repeating.csv, dags.csv, log.csv; records in
    records_locked.csv, records_as_entered.csv or records.csv, and log_as_entered.csv if log.csv goes beyond that state;
    or with the files under the names that REDCap's web pages give; or a ZIP of these. Or it is a records CSV, whose
    structure is in the same folder or else in the study's own. Or it is a project's XML, with its metadata or, with the
    structure at those places, without. Byte-order marks, CRLF, other delimiters, one decimal mark for all fields,
    survey columns and the user interface's headers are understood. The records have all columns of the dictionary, or,
    with export_field_names.csv, those that it lists. ``group`` takes the records of one data access group alone.
    Content that the API would give has the id that it has from the API. Raises UsageError if there is nothing at
    ``source`` or no such group, StudyError if a file is missing, not fit or not whole.
    """
    source = Path(source)
    if not source.exists():
        raise UsageError(f"there is nothing at {source} to take records from")
    if is_snapshot(source):
        verified(source)
        return source
    if source.suffix.lower() == ".xml" and source.is_file():
        return _of_xml(study, source, root, group)
    if source.suffix.lower() == ".zip" and source.is_file():
        with TemporaryDirectory() as name:
            folder = downloads.unpack(source, Path(name) / source.name)
            return snapshot_of(study, folder, root, records_state, group)
    folder = source if source.is_dir() else _structure_folder(study, source)
    records = records_file(source, records_state) if source.is_dir() else source
    structure, paths = _structure(study, folder)
    log_file = _log_file(records, folder)
    log = _log(log_file, study.encoding)
    project = Project.from_payloads(structure)
    table = _whole_records(project, structure, read_parts(records, study.encoding), records)
    table, rewritten = own_marks(project, table)
    warnings = _missing_records(project, table, log, records, group) + rewritten
    table, name = _of_group(study, project, table, records, group)
    files: dict[str, Content] = {f"received/{path.name}": path for path in [*paths, *log_file, records]}
    origin = {"exports": source.name, "records": records.name}
    return keep(study, Taken(structure, table, files, log, "", origin, name, warnings), root)


def _of_xml(study: Study, source: Path, root: Path, group: str) -> Path:
    """Return the snapshot of a project's XML; a file with data only has the structure that a records CSV would have."""
    from extract.odm import document, records, structure

    read = document.read_document(source)
    found, paths = structure.structure_of(read, source), [source]
    if found is None:
        found, others = _structure(study, _structure_folder(study, source))
        paths += others
    project = Project.from_payloads(found)
    parts = [pa.Table.from_pandas(records.records_of(read, project), preserve_index=False)]
    table, name = _of_group(study, project, _whole_records(project, found, parts, source), source, group)
    files: dict[str, Content] = {f"received/{path.name}": path for path in paths}
    return keep(study, Taken(found, table, files, None, "", {"exports": source.name}, name, ()), root)


def _whole_records(project: Project, structure: dict[str, Any], parts: Iterable[pa.Table], path: Path) -> TextTable:
    """Return the records of a file; raises StudyError if the structure says that it should hold more, or other rows."""
    needed = needed_columns(project, structure.get("export_field_names"))
    checked = (_checked(project, needed, part, path) for part in parts)
    table = TextTable.of_parts(checked)
    if not table.names:
        raise StudyError("the file is empty", path)
    keys = table.frame(name for name in (project.dictionary.record_id, *KEY_COLUMNS) if name in table)
    wrong = repeated_row(project, keys) or in_two_groups(project, keys)
    if wrong:
        raise StudyError(f"{wrong}; export the records again", path)
    return table


def _checked(project: Project, needed: list[str], part: pa.Table, path: Path) -> pa.Table:
    """Return a part of the records; raises StudyError for a column or a row that is not the project's."""
    names = part.column_names
    check_columns(project, names)
    missing = missing_columns(needed, names)
    if missing:
        raise StudyError(f"{missing}; {ALL_COLUMNS}", path)
    keys = part.select([name for name in (project.dictionary.record_id, *KEY_COLUMNS) if name in names])
    wrong = wrong_row(project, pd.DataFrame(keys.to_pandas()).astype("str"))
    if wrong:
        raise StudyError(f"{wrong}; export raw data, with the structure files of the same day", path)
    return part


def _missing_records(
    project: Project, table: TextTable, log: pd.DataFrame | None, path: Path, group: str
) -> tuple[str, ...]:
    """Return a warning if the log has records that the file lacks, which may have been renamed.

    Raises StudyError if they are more than the records that may have their values: a record that the log saw created is
    no renamed one. Where one ``group`` is asked for, the others need not be there.
    """
    names = set(table.distinct(project.dictionary.record_id))
    lacking = [name for name in living_records(log) if name not in names]
    if not lacking:
        return ()
    if not group and len(lacking) > len(names - created_records(log)):
        raise StudyError(f"the file has {len(names)} record(s), but the log has {len(lacking)} more that were not"
                         f" deleted, the first of them '{lacking[0]}'; export all records, with the log of the same"
                         " day", path)  # fmt: skip
    more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
    return (f"the log has record '{lacking[0]}'{more}, neither deleted nor in the records: renamed, or not exported",)


def _of_group(study: Study, project: Project, table: TextTable, path: Path, group: str) -> tuple[TextTable, str]:
    """Return the records of a data access group, or all if none is asked for, and the group's unique name.

    Raises StudyError if the project has groups and nothing says which record is in which.
    """
    dags = project.dags or study.redcap_project().dags
    name = groups.unique_name(group, dags) if group else ""
    if dags and ACCESS_GROUP not in table:
        if not name:
            raise StudyError(f"the column '{ACCESS_GROUP}' is missing, {GROUPS_UNKNOWN}: {groups.ADVICE}", path)
        return table.with_constant(name, [ACCESS_GROUP]), name
    return (table.take(table.where(ACCESS_GROUP, {name: True}, False)) if name else table), name


def _structure_folder(study: Study, records: Path) -> Path:
    return records.parent if downloads.find(records.parent, "dictionary") else study.path("redcap")


def _structure(study: Study, folder: Path) -> tuple[dict[str, Any], list[Path]]:
    """Return the structure payloads of a folder and the files they were read from.

    REDCap's web pages give no project information, nor what repeats: where it is missing, the study's own project has
    what the folder has not.
    """
    paths = {name: downloads.find(folder, name) for name in STRUCTURE_FILES}
    if paths["project_info"] is None and study.path("redcap").is_dir():
        paths = {name: path or downloads.find(study.path("redcap"), name) for name, path in paths.items()}
    present = {name: path for name, path in paths.items() if path is not None}
    for name in ("dictionary", "project_info"):
        present.setdefault(name, folder / f"{name}.csv")
    structure: dict[str, Any] = {name: read_rows(path, study.encoding) for name, path in present.items()}
    structure["dictionary"] = [api_headers(row) for row in structure["dictionary"]]
    if not structure["project_info"]:
        raise StudyError("the file has no row", present["project_info"])
    return structure, [*present.values()]


def api_headers(row: dict[str, str]) -> dict[str, str]:
    """Return a dictionary row under the API's names; REDCap's web pages give others, in letters of either case."""
    return {WEB_HEADERS.get(name.lower(), name): value for name, value in row.items()}


def records_file(folder: Path, state: str) -> Path:
    """Return the records file of a state; raises UsageError on another state, StudyError if the file is missing."""
    if state not in STATES:
        raise UsageError(f"records are 'locked' or 'as-entered', not '{state}'{nearest(state, STATES)}")
    if (folder / STATES[state]).is_file():
        return folder / STATES[state]
    found = downloads.find(folder, "records")
    if found is not None:
        return found
    downloads.refuse_labels(folder)
    raise StudyError("the records file does not exist", folder / STATES[state])


def _log_file(records: Path, folder: Path) -> list[Path]:
    """Return the log of the records' own state (records_locked.csv: log_locked.csv), else the project's, if any."""
    own = records.with_name(records.name.replace("records", "log", 1))
    if own != records and own.is_file():
        return [own]
    found = downloads.find(folder, "log")
    return [found] if found else []


def _log(files: list[Path], encoding: str) -> pd.DataFrame | None:
    """Return what a log tells of the records, under the API's names, without the values that were entered.

    None without a log, which is many times as large as what it tells, and is therefore read part by part.
    """
    if not files:
        return None
    parts = (pd.DataFrame(part.to_pandas()).rename(columns=LOG_HEADERS) for part in read_parts(files[0], encoding))
    return telling_entries(parts)
