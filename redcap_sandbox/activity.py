"""The project's log: its export, and the records that were touched in a range of time."""

from __future__ import annotations

import pandas as pd

from metadata.records import ACCESS_GROUP
from redcap_sandbox.project import SandboxProject
from redcap_sandbox.request import ApiError, ApiRequest

CHANGED = r"(?:Created?|Updated?) [Rr]ecord"
LOG_TYPES = {
    "export": r"Data [Ee]xport",
    "manage": r"Manage/Design",
    "user": r"(?:Add|Added|Edit|Edited|Create|Created|Update|Updated|Delete|Deleted) (?:user|User|role)",
    "record": r"(?:Created?|Updated?|Deleted?) [Rr]ecord",
    "record_add": r"Created? [Rr]ecord",
    "record_edit": r"Updated? [Rr]ecord",
    "record_delete": r"Deleted? [Rr]ecord",
    "lock_record": r"Lock/Unlock Record|E-signature",
    "page_view": r"Page View",
}


def export_log(served: SandboxProject, request: ApiRequest) -> pd.DataFrame:
    """Return the log entries a request asks for, newest first; a user in a group sees his group's records only."""
    kept = served.log
    kind = request.text("logtype")
    if kind:
        if kind not in LOG_TYPES:
            raise ApiError(400, 'The value of the parameter "logtype" is not valid')
        kept = kept[kept["action"].str.match(LOG_TYPES[kind])]
    for parameter, column in (("user", "username"), ("record", "record")):
        if request.text(parameter):
            kept = kept[kept[column] == request.text(parameter)]
    for group in filter(None, (served.group_names.get(request.text("dag"), request.text("dag")), served.user.dag)):
        kept = kept[kept["record"].isin(records_of_group(served, group))]
    return _within(kept, request.text("beginTime")[:16], request.text("endTime")[:16])


def records_of_group(served: SandboxProject, group: str) -> pd.Series:
    """Return the names of the records of one data access group."""
    frame = served.records.frame
    return served.records.record[frame[ACCESS_GROUP] == group].drop_duplicates()


def changed_records(served: SandboxProject, begin: str, end: str) -> pd.Series:
    """Return names of records created or modified between two server times (either may be blank), by the log."""
    changes = served.log[served.log["action"].str.match(CHANGED)]
    return _within(changes, begin[:16], end[:16])["record"].drop_duplicates()


def _within(entries: pd.DataFrame, begin: str, end: str) -> pd.DataFrame:
    """Keep entries between two times; the log knows minutes, so both bounds count to the minute and are included."""
    if begin:
        entries = entries[entries["timestamp"].str.slice(0, 16) >= begin]
    if end:
        entries = entries[entries["timestamp"].str.slice(0, 16) <= end]
    return entries.reset_index(drop=True)
