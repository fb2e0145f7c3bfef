"""What a project's log says of a request, in REDCap's own words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import pandas as pd

from redcap_sandbox.project import LOG_COLUMNS, SandboxProject

NOBODY = "site_admin"
"""Who acts under a token that belongs to no user of the project."""
MANAGE = "Manage/Design "
EXPORT = "Data export (API) "


class Entry(NamedTuple):
    """One line of the log: ``action`` with the record's name if it is about a record."""

    action: str
    details: str = ""
    record: str = ""


def with_entries(served: SandboxProject, entries: Iterable[Entry], username: str = "") -> SandboxProject:
    """Return the project with new entries on top of its log; the last one is the newest."""
    now = served.clock().strftime("%Y-%m-%d %H:%M")
    name = username or served.user.name or NOBODY
    rows = [[now, name, *entry] for entry in entries]
    if not rows:
        return served
    added = pd.DataFrame(rows[::-1], columns=LOG_COLUMNS, dtype="str")
    return replace(served, log=pd.concat([added, served.log], ignore_index=True))


def record_entry(verb: str, record: str, details: str = "", by: str = "(API) ") -> Entry:
    """Return the entry of ``Create``, ``Update`` or ``Delete`` of a record."""
    return Entry(f"{verb} record {by}{record}", details, record)


def managed(details: str) -> Entry:
    """Return the entry of a change of the project's set-up, or of a look at it."""
    return Entry(MANAGE, details)
