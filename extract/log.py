"""What the project's log says of its records: when they changed last, and which of them there are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

RECORD_CHANGE = r"(?:Created?|Updated?|Deleted?) [Rr]ecord"
CREATED = r"Created? [Rr]ecord"
DELETED = r"Deleted? [Rr]ecord"
RENAMING = r"(?:Updated?|Renamed?) [Rr]ecord"
DESIGN = (
    r"(?i)\b(?:field|instrument|form|event|arm|codes?|dictionary|data access group|dag|matrix|section header|metadata"
    r"|longitudinal|project (?:xml|settings?)|draft|design|repeating|surveys?)s?\b"
)
NO_CHANGE = r"(?i)\s*(?:export|download|view|switch|assign)"
"""Entries of Manage/Design that only read, or concern a record that the list of records shows."""
DATE = r"\d{4}-\d{2}-\d{2}"
COLUMNS = ["timestamp", "action", "record"]
Entries = Iterable[Mapping[str, Any]] | pd.DataFrame
"""Entries as the API sends them, or a table of them, one a row."""


def _changes(log: Entries | None) -> pd.DataFrame:
    """Return timestamp, action and record of each creation, change or deletion of a record, in the log's order."""
    if isinstance(log, pd.DataFrame):
        entries = log.reindex(columns=COLUMNS).astype("str").fillna("")
    else:
        entries = pd.DataFrame(list(log or []), columns=COLUMNS, dtype="str").fillna("")
    return entries[entries["action"].str.match(RECORD_CHANGE)]


def telling_entries(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return the entries of a log in parts, newest first, that say when records changed last and which there are.

    They are the newest change and the creation of each record and a change of the newest date, so that
    ``newest_change``, ``living_records`` and ``created_records`` say of them what they say of the whole log.
    """
    kept = _changes(None)
    for part in parts:
        changes = pd.concat([kept, _changes(part)], ignore_index=True)
        of_record = (changes["record"] != "") & ~changes["record"].duplicated()
        created = changes[changes["action"].str.match(CREATED)].drop_duplicates("record").index
        dates = _dates(changes)
        kept = changes[
            of_record | changes.index.isin(created) | changes.index.isin(dates.index[dates == dates.max()][:1])
        ]
    return kept


def has_change(log: Entries) -> bool:
    """Return True if a log has a creation, change or deletion of a record."""
    return len(_changes(log)) > 0


def newest_change(log: Entries | None) -> str:
    """Return the date of the newest creation, change or deletion of a record in a log, or an empty text."""
    dates = _dates(_changes(log))
    return str(dates.max()) if len(dates) else ""


def _dates(changes: pd.DataFrame) -> pd.Series:
    """Return the dates of those entries that have one."""
    days = changes["timestamp"].str.slice(0, 10)
    return days[days.str.fullmatch(DATE)]


def deleted_records(log: Entries | None) -> set[str]:
    """Return the records that a log has a deletion of."""
    changes = _changes(log)
    return set(changes.loc[changes["action"].str.match(DELETED), "record"])


def created_records(log: Entries | None) -> set[str]:
    """Return the records that a log has a creation of."""
    changes = _changes(log)
    return set(changes.loc[changes["action"].str.match(CREATED), "record"])


def living_records(log: Entries | None) -> list[str]:
    """Return the records that a log (newest entry first) has a creation or change of, and no later deletion.

    A record that was renamed may be among them under its old name.
    """
    changes = _changes(log)
    changes = changes[changes["record"] != ""].drop_duplicates("record")
    return sorted(changes.loc[~changes["action"].str.match(DELETED), "record"])


def records_of(log: Entries | None) -> set[str]:
    """Return all records that a log names."""
    return set(_texts(log, ["record"])["record"]) - {""}


def renamed_records(log: Entries | None, record_id: str) -> set[str]:
    """Return the names that records were given: a log shows a renaming as a change of the record id."""
    entries = _texts(log, ["action", "details", "record"])
    change = entries["action"].str.match(RENAMING) & entries["details"].str.match(rf"\s*{re.escape(record_id)}\s*=")
    return set(entries.loc[change, "record"]) - {""}


def design_changes(log: Entries | None) -> list[str]:
    """Return the times of entries, newest first, that speak of a change of the project's design."""
    entries = _texts(log, ["timestamp", "action", "details"])
    of_design = entries["action"].str.match("Manage/Design") & entries["details"].str.contains(DESIGN)
    return list(entries.loc[of_design & ~entries["details"].str.match(NO_CHANGE), "timestamp"])


def _texts(log: Entries | None, columns: list[str]) -> pd.DataFrame:
    rows = log if isinstance(log, pd.DataFrame) else list(log or [])
    return pd.DataFrame(rows, columns=columns, dtype="str").fillna("")
