"""What users do to a project while it is exported: a value is changed, a record deleted or renamed; all is logged."""

from __future__ import annotations

from redcap_sandbox.log_entries import record_entry, with_entries
from redcap_sandbox.project import SandboxProject
from redcap_sandbox.record_removal import renamed

SOMEONE = "someone"
"""Who changes records in the web interface."""


def edited(served: SandboxProject, record: str, column: str, value: str) -> SandboxProject:
    """Return the project after a value of a record was changed, where it has one; blank is the last record, column."""
    frame = served.records.frame
    name = record or _last(served)
    own = frame[served.project.dictionary.record_id] == name
    columns = [one.name for one in served.columns if one.name in frame]
    columns = [one for one in columns if one != served.project.dictionary.record_id]
    filled = [one for one in ([column] if column else columns[::-1]) if (frame.loc[own, one] != "").any()]
    if not filled:
        return served
    first = frame.index[own & (frame[filled[0]] != "")][0]
    changed = frame.copy()
    changed.loc[first, filled[0]] = value
    entry = record_entry("Update", name, f"{filled[0]} = '{value}'", by="")
    return with_entries(served.with_frame(changed), [entry], SOMEONE)


def deleted(served: SandboxProject, record: str) -> SandboxProject:
    """Return the project after a record was deleted; blank is the last record."""
    frame, name = served.records.frame, record or _last(served)
    if name not in set(served.records.record):
        return served
    kept = frame[frame[served.project.dictionary.record_id] != name].reset_index(drop=True)
    return with_entries(served.with_frame(kept), [record_entry("Delete", name, by="")], SOMEONE)


def given_another_name(served: SandboxProject, record: str, name: str) -> SandboxProject:
    """Return the project after a record was renamed; blank is the last record."""
    old = record or _last(served)
    return renamed(served, old, name, SOMEONE, by="") if old in set(served.records.record) else served


def _last(served: SandboxProject) -> str:
    names = served.records.record
    return str(names.iloc[-1]) if len(names) else ""
