"""What users do to a project from night to night: edits, new and deleted records, renamings, moves between groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pandas as pd

from extract.client import Client
from metadata.records import ACCESS_GROUP, KEY_COLUMNS, REPEAT_INSTANCE, REPEAT_INSTRUMENT, Records
from redcap_sandbox.project import LOG_COLUMNS, SandboxProject
from tests.extract.random_projects import GROUPS, NAMES

BEGIN = datetime(2001, 5, 1, 3, 0)


@dataclass(frozen=True)
class Act:
    """One act: its kind, which record, column or row it takes, and how many hours after it its log entry is dated."""

    kind: str
    first: int = 0
    second: int = 0
    late: int = 0


class ClockedClient(Client):
    """A client that takes the server's time from the test."""

    now = BEGIN

    @property
    def server_time(self) -> datetime:
        return self.now

    @property
    def says_time(self) -> bool:
        return True


def after(served: SandboxProject, act: Act, now: datetime) -> SandboxProject:
    """Return the project after an act, which is logged at a time of the server."""
    names = list(dict.fromkeys(served.records.record))
    if not names and act.kind != "create":
        return served
    name = names[act.first % len(names)] if names else ""
    late = 0 if act.kind == "delete" else act.late  # a deletion dated before its record's creation is no deletion
    return ACTS[act.kind](served, name, act, now - timedelta(hours=late))


def edit(served: SandboxProject, name: str, act: Act, time: datetime) -> SandboxProject:
    frame, record_id = served.records.frame.copy(), served.project.dictionary.record_id
    free = [one for one in frame.columns if one not in (record_id, *KEY_COLUMNS) and not one.endswith("_complete")]
    rows = frame.index[frame[record_id] == name]
    filled = [(row, one) for row in rows for one in free if frame.loc[row, one] != ""]
    if not filled:
        return served
    row, column = filled[act.second % len(filled)]
    frame.loc[row, column] = {"0": "1", "1": "0"}.get(str(frame.loc[row, column]), f"edit {act.second}")
    return _with(served, frame, time, f"Update record {name}", f"{column} = 'x'", name)


def delete(served: SandboxProject, name: str, act: Act, time: datetime) -> SandboxProject:
    frame = served.records.frame
    kept = frame[frame[served.project.dictionary.record_id] != name]
    return _with(served, kept, time, f"Delete record {name}", "", name)


def create(served: SandboxProject, name: str, act: Act, time: datetime) -> SandboxProject:
    """Create a record, perhaps under the name of one that was deleted, perhaps as a copy of another."""
    record_id = served.project.dictionary.record_id
    frame, taken = served.records.frame, set(served.records.record)
    free = [one for one in NAMES if one not in taken]
    if not free or not name:
        return served
    new = free[act.second % len(free)]
    copy = frame[(frame[record_id] == name) & (frame[REPEAT_INSTANCE] == "")].assign(**{record_id: new})
    if copy.empty:
        return served
    return _with(served, pd.concat([frame, copy]), time, f"Create record {new}", f"{record_id} = '{new}'", new)


def rename(served: SandboxProject, name: str, act: Act, time: datetime) -> SandboxProject:
    free = [one for one in NAMES if one not in set(served.records.record)]
    return _renamed(served, name, free[act.second % len(free)], time) if free else served


def swap(served: SandboxProject, name: str, act: Act, time: datetime) -> SandboxProject:
    """Let two records change their names."""
    names = list(dict.fromkeys(served.records.record))
    other = names[act.second % len(names)]
    if other == name:
        return served
    for old, new in ((name, "aside"), (other, name), ("aside", other)):
        served = _renamed(served, old, new, time)
    return served


def _renamed(served: SandboxProject, old: str, new: str, time: datetime) -> SandboxProject:
    record_id = served.project.dictionary.record_id
    frame = served.records.frame.copy()
    frame.loc[frame[record_id] == old, record_id] = new
    return _with(served, frame, time, f"Update record {new}", f"{record_id} = '{new}'", new)


def move(served: SandboxProject, name: str, act: Act, time: datetime) -> SandboxProject:
    """Move a record to another group; servers log it in different ways, and a range of dates need not show it."""
    if not served.project.dags:
        return served
    frame = served.records.frame.copy()
    group = ["", *GROUPS][act.second % 3]
    frame.loc[frame[served.project.dictionary.record_id] == name, ACCESS_GROUP] = group
    entry = (f"Update record {name}", f"{ACCESS_GROUP} = '{group}'") if act.second % 2 else ("Manage/Design ", "Assign")
    return _with(served, frame, time, *entry, name)


def instance(served: SandboxProject, name: str, act: Act, time: datetime) -> SandboxProject:
    """Add an instance of what repeats, or delete the last one."""
    frame, record_id = served.records.frame, served.project.dictionary.record_id
    own = frame[(frame[record_id] == name) & (frame[REPEAT_INSTANCE] != "")]
    if own.empty:
        return served
    last = own.iloc[[-1]]
    if act.second % 2 and ((frame[record_id] == name) & (frame[REPEAT_INSTRUMENT] == "")).sum() > 1:
        changed = frame.drop(index=last.index)
        return _with(served, changed, time, f"Update record {name}", "", name)
    form = last[REPEAT_INSTRUMENT].iloc[0]
    like = own[(own[REPEAT_INSTRUMENT] == form)]
    number = str(max(int(one) for one in like[REPEAT_INSTANCE]) + 1)
    more = last.assign(**{REPEAT_INSTANCE: number})
    return _with(served, pd.concat([frame, more]), time, f"Update record {name}", f"[instance = {number}]", name)


def _with(
    served: SandboxProject, frame: pd.DataFrame, time: datetime, action: str, details: str, record: str
) -> SandboxProject:
    codes = [one for one in served.project.missing_code_columns if one in frame and not (frame[one] == "1").any()]
    frame = frame.drop(columns=codes).reset_index(drop=True)  # a server has the column while a record uses the code
    entry = [time.strftime("%Y-%m-%d %H:%M"), "someone", action, details, record]
    log = pd.concat([pd.DataFrame([entry], columns=LOG_COLUMNS, dtype="str"), served.log], ignore_index=True)
    log = log.sort_values("timestamp", ascending=False, kind="stable", ignore_index=True)
    return replace(served, records=Records.from_frame(served.project, frame), log=log)


ACTS: dict[str, Callable[[SandboxProject, str, Act, datetime], SandboxProject]] = {
    "edit": edit, "delete": delete, "create": create, "rename": rename, "swap": swap, "move": move,
    "instance": instance,
}  # fmt: skip
