"""What changed in a project since its last extraction, by the server's range of dates, its log and its list of records.

Where these leave a doubt, all records are read: a record that is gone must be one that was deleted or renamed by the
log, and no answer may say that the project's design was changed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import pandas as pd

from extract.client import Client
from extract.log import deleted_records, design_changes, records_of, renamed_records
from extract.reading import existing, listed_records


def changed_records(
    client: Client, fields: Sequence[str], since: datetime, listing: pd.DataFrame, held: Collection[str]
) -> set[str] | str:
    """Return the names of records that may have changed since a time of the server, or why all are to be read.

    ``listing`` is the server's list of records now, by ``fields`` (see ``list_fields``); ``held`` are the names of
    those that are held.
    """
    record_id = fields[0]
    log, design = client.log(since), client.log(since, "manage")
    if changes := design_changes(design):
        return f"the log has changes of the project's design since then, the last of them on {changes[0]}"
    listed = set(listing[record_id])
    gone = [name for name in held if name not in listed]
    if gone and log is None:
        return "records are gone, and the token's user may not see the log, which says whether they were renamed"
    renamed, deleted = renamed_records(log, record_id), deleted_records(log)
    unexplained = [name for name in gone if name not in deleted]
    if len(unexplained) > len(renamed):
        return f"record '{unexplained[0]}' is gone, and the log has neither its deletion nor a renaming"
    if gone and not _are_gone(client, fields, gone, listing):
        return f"record '{gone[0]}' or another is missing in the list of records"
    touched = set(listed_records(client, fields, since)[record_id])
    return touched | records_of(log) | renamed


def _are_gone(client: Client, fields: Sequence[str], gone: list[str], listing: pd.DataFrame) -> bool:
    """Return True if the server has none of these records when asked for them by name.

    One that it has is asked for with them, for an answer can be empty because it failed.
    """
    living = listing[fields[0]].head(1).tolist()
    return existing(client, fields, [*gone, *living]) == living
