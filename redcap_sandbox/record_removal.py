"""Deleting records or parts of them, and giving a record another name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from metadata.records import EVENT, REPEAT_INSTANCE, REPEAT_INSTRUMENT
from redcap_sandbox.activity import records_of_group
from redcap_sandbox.log_entries import record_entry, with_entries
from redcap_sandbox.project import SandboxProject
from redcap_sandbox.record_order import ordered, touched, with_untouched
from redcap_sandbox.request import ApiError, ApiRequest

NOT_THERE = (
    "One or more of the records provided cannot be deleted because they do not exist in the project."
    " The following records do not exist: {}"
)
NO_RECORDS = 'The parameter "records" is missing'
NOT_VALID = 'The value of the parameter "{}" is not valid'
NO_RECORD = 'The record "{}" does not exist'
TAKEN = "The new record name '{}' already exists in this project"


def visible_records(served: SandboxProject) -> list[str]:
    """Return the names of the records a user may touch: those of his access group, if he is in one."""
    names = records_of_group(served, served.user.dag) if served.user.dag else served.records.record.drop_duplicates()
    return [str(name) for name in names]


def delete_records(served: SandboxProject, request: ApiRequest) -> tuple[SandboxProject, int]:
    """Return the project without the named records, or without what is named of them, and their number.

    ``arm``, ``event``, ``instrument`` and ``repeat_instance`` limit what goes. Raises ApiError (400) if a record does
    not exist: then none is deleted.
    """
    names = request.listed("records") or []
    if not names:
        raise ApiError(400, NO_RECORDS)
    known = set(visible_records(served))
    missing = [name for name in names if name not in known]
    if missing:
        raise ApiError(400, NOT_THERE.format(", ".join(missing)))
    rows = _rows(served, names, request)
    form = request.text("instrument")
    frame = served.records.frame
    kept = frame[~rows] if not form else _without_form(served, rows, form)
    remaining = served.with_frame(ordered(served.project, kept))
    left = set(remaining.records.record)
    files = {place: file for place, file in served.files.items() if remaining.file_name(place)}
    gone = [name for name in names if name not in left]
    quiet = request.text("delete_logging") == "1"
    entries = [
        *(record_entry("Delete", name) for name in gone),
        *(record_entry("Update", name, f"Delete {form or 'event'} data") for name in names if name in left),
    ]
    log = served.log[~served.log["record"].isin(gone)].reset_index(drop=True) if quiet else served.log
    return with_entries(replace(remaining, files=files, log=log), entries), len(set(names))


def _rows(served: SandboxProject, names: list[str], request: ApiRequest) -> np.ndarray:
    """Return a mask of the rows that a request names."""
    project, frame = served.project, served.records.frame
    rows = np.array(served.records.record.isin(names), bool)
    arm, event = request.text("arm"), request.text("event")
    form, instance = request.text("instrument"), request.text("repeat_instance")
    if form and form not in project.dictionary.forms:
        raise ApiError(400, NOT_VALID.format("instrument"))
    if project.longitudinal and arm:
        events = [one["unique_event_name"] for one in project.events if str(one.get("arm_num", "1")) == arm]
        if not events:
            raise ApiError(400, NOT_VALID.format("arm"))
        rows &= frame[EVENT].isin(events).to_numpy(bool)
    if project.longitudinal and event:
        if event not in project.event_names:
            raise ApiError(400, NOT_VALID.format("event"))
        rows &= (frame[EVENT] == event).to_numpy(bool)
    if form:
        rows &= frame[REPEAT_INSTRUMENT].isin(["", form]).to_numpy(bool)
    if instance:
        first = ["", "1"] if instance == "1" else [instance]
        rows &= frame[REPEAT_INSTANCE].isin(first).to_numpy(bool)
    return np.asarray(rows, bool)


def _without_form(served: SandboxProject, rows: np.ndarray, form: str) -> pd.DataFrame:
    """Return the records' frame with one form blank in some rows; rows that held nothing else go."""
    project, frame = served.project, served.records.frame
    columns = [name for name in project.dictionary.export_columns(form) if name in frame]
    blank = frame.assign(**{name: frame[name].mask(rows, "") for name in columns})
    settled = with_untouched(project, blank)
    alone = rows & ((settled[REPEAT_INSTRUMENT] == form).to_numpy(bool) | ~touched(project, settled))
    others = settled.loc[~alone, project.dictionary.record_id]
    only = ~settled[project.dictionary.record_id].isin(others).to_numpy(bool)
    first = only & ~settled[project.dictionary.record_id].duplicated().to_numpy(bool)
    return settled[~alone | first]


def rename_record(served: SandboxProject, request: ApiRequest) -> tuple[SandboxProject, int]:
    """Return the project in which a record has another name, and 1."""
    old, new = request.text("record"), request.text("new_record_name")
    if old not in visible_records(served):
        raise ApiError(400, NO_RECORD.format(old))
    names = served.records.record
    if not new or new in set(names):
        raise ApiError(400, TAKEN.format(new) if new else NOT_VALID.format("new_record_name"))
    return renamed(served, old, new), 1


def renamed(served: SandboxProject, old: str, new: str, username: str = "", by: str = "(API) ") -> SandboxProject:
    """Return the project in which a record has another name; its earlier entries in the log keep the old one."""
    names, record_id = served.records.record, served.project.dictionary.record_id
    frame = served.records.frame.assign(**{record_id: names.mask(names == old, new)})
    files = {place._replace(record=new) if place.record == old else place: file for place, file in served.files.items()}
    made = replace(served.with_frame(ordered(served.project, frame)), files=files)
    return with_entries(made, [record_entry("Update", new, f"{record_id} = '{new}'", by)], username)
