"""Data access groups: a token whose user is in one gets that group's records only, and no answer says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from metadata.errors import UsageError, nearest

NAMES = ("data_access_group_name", "unique_group_name")
ADVICE = (
    "use the token of a user who is in no data access group (in REDCap: DAGs, then 'No Assignment'), or build a part of"
    " the study on purpose with --group NAME"
)
Groups = Iterable[Mapping[str, Any]]


def check_group(asked: str, held: str, dags: Groups) -> None:
    """Raise UsageError if the records that are held are not those asked for; blank is all groups."""
    if held and not asked:
        raise UsageError(f"the snapshot has the records of data access group '{held}' only: say so with --group {held}")
    if asked and unique_name(asked, dags) != held:
        has = f"those of group '{held}' only" if held else "those of all groups"
        raise UsageError(f"--group {asked}: the snapshot has {has}; give --source api or a folder of exports")


def unique_name(group: str, dags: Groups) -> str:
    """Return the unique name of the group that has this name or label; raises UsageError if there is none."""
    rows = list(dags)
    if not rows:
        raise UsageError(f"--group {group}: the project has no data access groups")
    known = {str(row.get(key, "")): str(row["unique_group_name"]) for key in NAMES for row in rows}
    if group not in known:
        names = [str(row["unique_group_name"]) for row in rows]
        raise UsageError(
            f"--group {group}: the project has no such group{nearest(group, names)}; it has {', '.join(names)}"
        )
    return known[group]
