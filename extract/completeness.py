"""What an export of a project holds by the project's structure: its columns, and the keys of its rows.

Each function returns what is wrong as a part of a sentence, blank if nothing is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from metadata.dictionary import Field
from metadata.errors import StudyError, nearest
from metadata.project import Project
from metadata.records import ACCESS_GROUP, EVENT, REPEAT_INSTANCE, REPEAT_INSTRUMENT

WITHOUT_COLUMNS = ("descriptive", "file")
"""Field types that ``exportFieldNames`` leaves out."""
NAMES = ("original_field_name", "export_field_name")
"""Columns of ``exportFieldNames`` that we read."""
ExportFieldNames = Sequence[Mapping[str, Any]]


def key_columns(project: Project) -> list[str]:
    """Return record id, event and repeat columns: those that say which row it is."""
    keys = [project.dictionary.record_id]
    keys += [EVENT] if project.longitudinal else []
    return keys + ([REPEAT_INSTRUMENT, REPEAT_INSTANCE] if project.has_repeating else [])


def needed_columns(project: Project, exported: ExportFieldNames | None) -> list[str]:
    """Return the columns that an export must have, without that of the data access group.

    ``exported`` are the rows of ``exportFieldNames``: what the user may export. Without them it is all fields but
    files, whose columns not every export has. These rows leave files out, which are needed where the user may export
    all else of their form, unless they are identifiers. Raises StudyError if one of the rows lacks a name.
    """
    dictionary, owners = project.dictionary, project.dictionary.column_field
    columns = [column for form in dictionary.forms for column in dictionary.export_columns(form)]
    listed = [name for name in columns if name not in owners or _field_of(project, name).type not in WITHOUT_COLUMNS]
    if exported is None:
        return [*key_columns(project), *listed]
    if lacking := _lacking_name(exported):
        raise StudyError(f"export_field_names lacks the column '{lacking}'")
    allowed = {row["export_field_name"] for row in exported}
    reduced = {_field_of(project, name).form for name in listed if name in owners and name not in allowed}
    files = {
        name for name in columns if name not in listed and _field_of(project, name).form not in reduced
        and not _field_of(project, name).is_identifier
    }  # fmt: skip
    return [*key_columns(project), *(name for name in columns if name in allowed or name in files)]


def list_fields(project: Project, exported: ExportFieldNames) -> list[str]:
    """Return the fields by which every row of a project can be listed: the record id has none in repeating forms.

    ``exported`` are the rows of ``exportFieldNames``: what the user may export.
    """
    allowed = {row["export_field_name"] for row in exported}
    statuses = [f"{form}_complete" for form in project.dictionary.forms if form in project.repeating_forms]
    return [project.dictionary.record_id, *(name for name in statuses if name in allowed)]


def _lacking_name(exported: ExportFieldNames) -> str:
    """Return a column that a row of ``exportFieldNames`` lacks, blank if none does."""
    return next((name for name in NAMES if any(name not in row for row in exported)), "")


def _field_of(project: Project, column: str) -> Field:
    return project.dictionary.fields[project.dictionary.column_field[column]]


def withheld_fields(project: Project, columns: Collection[str]) -> list[str]:
    """Return the fields whose values an export with these columns lacks."""
    fields = project.dictionary.fields.values()
    return [one.name for one in fields if not set(one.columns) <= set(columns)]


def missing_columns(needed: Collection[str], columns: Collection[str]) -> str:
    """Say which of the needed columns are not there."""
    there = set(columns)
    missing = [name for name in needed if name not in there]
    if not missing:
        return ""
    return (
        f"the column '{missing[0]}'" + (f" and {len(missing) - 1} more are" if len(missing) > 1 else " is") + " missing"
    )


def wrong_row(project: Project, frame: pd.DataFrame) -> str:
    """Say which row, if any, is in an event, of a repeating form or in a group that the project does not have."""
    names = frame[project.dictionary.record_id]
    if EVENT in frame:
        unknown = ~frame[EVENT].isin(project.event_names).to_numpy(bool)
        if unknown.any():
            event = str(frame[EVENT].to_numpy()[unknown][0])
            return f"{_record(names, unknown)} has a row in event '{event}', {_lacks(event, project.event_names)}"
    if REPEAT_INSTRUMENT in frame:
        found = _wrong_instrument(project, frame, names)
        if found:
            return found
    return _wrong_group(project, frame, names) if ACCESS_GROUP in frame else ""


def _wrong_group(project: Project, frame: pd.DataFrame, names: pd.Series) -> str:
    """Say which record is in a group that the project does not have."""
    groups = [str(row["unique_group_name"]) for row in project.dags]
    unknown = ~frame[ACCESS_GROUP].isin(["", *groups]).to_numpy(bool)
    if groups and unknown.any():
        group = str(frame[ACCESS_GROUP].to_numpy()[unknown][0])
        return f"{_record(names, unknown)} is in data access group '{group}', {_lacks(group, groups)}"
    return ""


def repeated_row(project: Project, frame: pd.DataFrame) -> str:
    """Say which record has a row twice, with the same event, form and instance."""
    twice = sent_twice(key_columns(project), frame)
    return f"{_record(frame[project.dictionary.record_id], twice)} has a row twice" if twice.any() else ""


def in_two_groups(project: Project, frame: pd.DataFrame) -> str:
    """Say which record has rows in two data access groups."""
    names = frame[project.dictionary.record_id]
    if ACCESS_GROUP not in frame:
        return ""
    pairs = pd.DataFrame({"record": names, "group": frame[ACCESS_GROUP]}).drop_duplicates()
    twice = pairs["record"].duplicated().to_numpy(bool)
    return f"{_record(pairs['record'], twice)} is in two data access groups" if twice.any() else ""


def wrong_structure(project: Project, exported: ExportFieldNames) -> str:
    """Say which part of a project's structure speaks of something that another part does not have, or has it twice."""
    events, forms = project.event_names, set(project.dictionary.forms)
    known = {*project.dictionary.fields, *(f"{form}_complete" for form in forms)}
    if wrong := _wrong_names(exported, known):
        return wrong
    twice = [name for name in events if events.count(name) > 1]
    if twice:
        return f"the event '{twice[0]}' is listed twice"
    listed = [str(row["instrument_name"]) for row in project.instruments]
    if set(listed) != forms or len(listed) != len(forms):
        return "its instruments are not the forms of its dictionary"
    placed = [(str(row["unique_event_name"]), str(row["form"])) for row in project.form_events]
    placed += [(str(row.get("event_name") or ""), str(row.get("form_name") or "")) for row in project.repeating]
    for event, form in placed:
        if (event or project.longitudinal) and event not in events:
            return f"form '{form}' is set up in event '{event}', which it does not have"
        if form and form not in forms:
            return f"form '{form}' is set up, which its dictionary does not have"
    return ""


def _wrong_names(exported: ExportFieldNames, known: Collection[str]) -> str:
    """Say which column the list of export field names lacks, or which of its fields the dictionary lacks."""
    if column := _lacking_name(exported):
        return f"its list of export field names lacks the column '{column}'"
    lacking = [name for row in exported if (name := str(row["original_field_name"])) not in known]
    return f"its dictionary lacks the field '{lacking[0]}', which it exports" if lacking else ""


def _wrong_instrument(project: Project, frame: pd.DataFrame, names: pd.Series) -> str:
    """Say which row is of a form that does not repeat in its event."""
    events = frame[EVENT] if EVENT in frame else pd.Series("", frame.index, dtype="str")
    pairs = pd.DataFrame({"event": events, "form": frame[REPEAT_INSTRUMENT]})
    pairs = pairs[pairs["form"] != ""].drop_duplicates()
    odd = [not project.repeats(event, form) for event, form in zip(pairs["event"], pairs["form"], strict=True)]
    if not any(odd):
        return ""
    event, form = pairs[odd].iloc[0]
    at = ((events == event) & (frame[REPEAT_INSTRUMENT] == form)).to_numpy(bool)
    where = f" in event '{event}'" if event else ""
    if form not in project.dictionary.forms:
        return f"{_record(names, at)} has a row of form '{form}'{where}, {_lacks(form, project.dictionary.forms)}"
    return f"{_record(names, at)} has an instance of form '{form}'{where}, where that form does not repeat"


def _lacks(name: str, known: Collection[str]) -> str:
    return f"which the project does not have{nearest(name, known)}"


def _record(names: pd.Series, at: np.ndarray) -> str:
    return f"record '{names.to_numpy()[at][0]}'"


def sent_twice(keys: Collection[str], frame: pd.DataFrame) -> np.ndarray:
    """Return where a row has the same record, event, form and instance as one before it."""
    return frame.duplicated([name for name in keys if name in frame]).to_numpy(bool)
