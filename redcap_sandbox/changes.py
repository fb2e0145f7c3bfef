"""What users do to a project while it is exported: a value is changed, a record is deleted; both are logged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd

from metadata.records import KEY_COLUMNS, Records
from redcap_sandbox.project import LOG_COLUMNS, SandboxProject


def edited(served: SandboxProject, record: str, column: str, value: str) -> SandboxProject:
    """Return the project after a value of a record was changed, where it has one; blank is the last record, column."""
    frame = served.records.frame
    name = record or _last(served)
    own = frame[served.project.dictionary.record_id] == name
    columns = [one for one in frame.columns if one not in (served.project.dictionary.record_id, *KEY_COLUMNS)]
    filled = [one for one in ([column] if column else columns[::-1]) if (frame.loc[own, one] != "").any()]
    if not filled:
        return served
    first = frame.index[own & (frame[filled[0]] != "")][0]
    changed = frame.copy()
    changed.loc[first, filled[0]] = value
    return _logged(served, changed, f"Update record {name}", name)


def deleted(served: SandboxProject, record: str) -> SandboxProject:
    """Return the project after a record was deleted; blank is the last record."""
    frame = served.records.frame
    name = record or _last(served)
    kept = frame[frame[served.project.dictionary.record_id] != name]
    return _logged(served, kept.reset_index(drop=True), f"Delete record {name}", name)


def _last(served: SandboxProject) -> str:
    names = served.records.record
    return str(names.iloc[-1]) if len(names) else ""


def _logged(served: SandboxProject, frame: pd.DataFrame, action: str, record: str) -> SandboxProject:
    """Return the project with other records and a new entry in its log; a server goes by the clock."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    entry = pd.DataFrame([[now, "someone", action, "", record]], columns=LOG_COLUMNS, dtype="str")
    log = pd.concat([entry, served.log], ignore_index=True)
    return replace(served, records=Records.from_frame(served.project, frame), log=log)
