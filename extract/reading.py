"""All records of a project by its API, as they were at one moment, or an error: nothing missing, nothing twice.

Records are read batch by batch while others may change them. Afterwards the server is asked for its list of records and
for what changed since the beginning; what changed is read again, until it comes as it was read before. Then all that is
held is as the server held it when that list was made. A record whose rows do not all come, or come twice, counts as not
received and is read again as well.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa

from extract.client import MOST_RECORDS, OVERLAP, Client
from extract.completeness import in_two_groups, missing_columns, sent_twice, wrong_row
from extract.log import deleted_records
from extract.receiving import Received
from metadata.errors import OutsideError, StudyError
from metadata.project import Project
from metadata.records import ACCESS_GROUP, KEY_COLUMNS
from metadata.records_csv import read_table
from metadata.text_table import TextTable

ROUNDS = 6
AGAIN = "take the snapshot again"
RIGHTS = f"give the token's user full export rights on all forms (in REDCap: User Rights), or {AGAIN}"


def listed_records(client: Client, fields: Sequence[str], since: datetime | None = None) -> pd.DataFrame:
    """Return the server's list of records as text: a row for each of their rows, with record id, keys and group.

    ``fields`` are the record id and what rows of repeating forms have (see ``list_fields``).
    """
    record_id, *statuses = fields
    rows = client.parsed(client.record_names(fields, since))
    frame = pd.DataFrame(rows, dtype=object).astype("str")
    if rows and record_id not in frame:
        raise OutsideError(
            f"REDCap at {client.shown} sent a list of records without the record id '{record_id}'; {AGAIN}"
        )
    return frame.drop(columns=statuses, errors="ignore") if rows else pd.DataFrame(columns=[record_id], dtype="str")


def existing(client: Client, fields: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return those of the names under which the server has a record, asked for by the ``fields`` of its list."""
    found: list[str] = []
    for start in range(0, len(names), MOST_RECORDS):
        rows = client.parsed(client.row_keys(names[start : start + MOST_RECORDS], fields))
        found += [str(row.get(fields[0])) for row in rows]
    asked = set(names)
    return [name for name in dict.fromkeys(found) if name in asked]


@dataclass
class RecordReader:
    """Reads all records of a project, or of one of its groups.

    ``columns`` must be in every batch, ``keys`` among them say which row it is. ``listed`` are the fields by
    which rows are listed. ``group`` limits a list that has a
    column of groups. ``received`` keeps all batches as they came, in their order. ``asked`` counts the records that
    were read at first.
    """

    client: Client
    project: Project
    columns: list[str]
    keys: list[str]
    listed: list[str]
    received: Received
    group: str = ""
    _held: TextTable = field(default_factory=lambda: TextTable({}, 0))
    _faults: dict[str, str] = field(default_factory=dict)
    _doubted: set[str] = field(default_factory=set)
    _listing: pd.DataFrame = field(default_factory=pd.DataFrame)
    _listed: int = 0
    asked: int = 0

    @property
    def _record_id(self) -> str:
        return self.project.dictionary.record_id

    def read(
        self, listing: pd.DataFrame, held: TextTable | None = None, changed: Collection[str] | None = None
    ) -> TextTable:
        """Return the rows of all records; ``listing`` is the first list of them (see ``listed_records``).

        ``held`` are rows from before, whole records of which those in ``changed`` may be others by now. What earlier
        runs left in ``received`` is taken as well. Raises OutsideError if the records do not come whole, or change
        faster than they can be read.
        """
        since = self.client.server_time - OVERLAP
        self._listing, self._listed = listing, len(self._names(listing))
        rows_a_record = len(listing) / max(1, listing[self._record_id].nunique())
        self._held = TextTable.stack([self._no_rows(), *([] if held is None else [held])])
        doubtful = set(changed or ())
        if self.received.resumed:
            self._take_up()
            doubtful |= set(listed_records(self.client, self.listed, self.received.begun - OVERLAP)[self._record_id])
        names = self._not_held(listing, doubtful)
        self.asked = len(names)
        for number in range(ROUNDS):
            names = [] if self._read(names, rows_a_record) else self._to_read_again(names, since)
            if not names:  # without a record nothing says which further columns there are
                return self._held if len(self._held) else self._no_rows()
            time.sleep(self.client.patience.first_wait * number if self._faults else 0)
        raise OutsideError(self._reason())

    def _take_up(self) -> None:
        """Hold the records that earlier runs received and proved, the last answer with each."""
        for names, body in self.received.earlier():
            table = self._parsed(names, body)
            if table.num_rows and not missing_columns(self.columns, table.column_names):
                came = TextTable.of_arrow(table)
                self._held = self._held.take(~self._of_records(names))
                mine = came.where(self._record_id, dict.fromkeys(names, True), False)
                self._held = TextTable.stack([self._held, came.take(mine)])
        self._faults = {}

    def _names(self, listing: pd.DataFrame) -> list[str]:
        return list(dict.fromkeys(self._in_group(listing)[self._record_id].to_numpy(object)))

    def _in_group(self, listing: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of a list that are in the group, all if it is not limited to one."""
        return listing[listing[ACCESS_GROUP] == self.group] if self.group and ACCESS_GROUP in listing else listing

    def _read(self, names: list[str], rows_a_record: float) -> bool:
        """Read these records and hold them; return True if all of them were held already, as they came now."""
        self._faults, self._doubted = {}, set()
        came = TextTable.stack([self._no_rows(), TextTable.of_parts(self._batches(names, rows_a_record))])
        mine = self._of_records(names)
        same = not self._faults and _alike(self._held.take(mine), came, self.keys)
        others = self._held.take(~mine)
        if len(came) and len(others) and self._columns(came) != self._columns(others):
            same, others = False, self._no_rows()  # a right on files changed, which no list of columns shows: all anew
        self._held = TextTable.stack([others, came])
        lacking = self._lacking_listed()
        for name in lacking:
            self._faults.setdefault(name, f"record '{name}' came without some of its rows")
        return same and not lacking

    def _columns(self, table: TextTable) -> set[str]:
        """Return the columns that do not depend on the values that are there."""
        return {*table.names} - {*self.project.missing_code_columns}

    def _no_rows(self) -> TextTable:
        return TextTable({}, 0).with_constant("", self.columns)

    def _batches(self, names: list[str], rows_a_record: float) -> Iterator[pa.Table]:
        """Yield what came whole, batch by batch, each of which is kept as it came as well."""
        for batch, body in self.client.batches(names, len(self.columns), rows_a_record):
            self.received.add(body)
            whole = self._whole_records(batch, body)
            self.received.prove([name for name in batch if name not in self._faults and name not in self._doubted])
            yield whole

    def _of_records(self, names: Collection[str]) -> np.ndarray:
        """Return where the rows that are held are of one of these records."""
        return self._held.where(self._record_id, dict.fromkeys(names, True), False)

    def _lacking_listed(self) -> set[str]:
        """Return the records of which a row is not held that the last list of records has.

        The list is one answer about all records, so that what goes wrong at one place of an answer goes wrong there in
        another row.
        """
        keys = [name for name in self.keys if name in self._listing]
        mine = self._in_group(self._listing)
        if mine.empty:
            return set()
        listed, held = (_index_of(side) for side in (mine[keys], self._held.frame(keys)))
        return set(mine.loc[~_among(listed, held), self._record_id])

    def _to_read_again(self, asked: list[str], since: datetime) -> list[str]:
        """Return the records that changed, came or moved meanwhile, and drop those that are gone."""
        listing = self._listing = listed_records(self.client, self.listed)
        touched = set(listed_records(self.client, self.listed, since)[self._record_id])
        held, listed = self._held.distinct(self._record_id), set(listing[self._record_id])
        self._confirm_deleted([name for name in dict.fromkeys([*held, *asked]) if name not in listed], since)
        return self._not_held(listing, touched | self._doubted)

    def _not_held(self, listing: pd.DataFrame, doubtful: Collection[str]) -> list[str]:
        """Return which listed records are to be read: those not held, doubtful, moved, or held without a listed row.

        Rows of records that are not listed, or not in the group any more, are dropped.
        """
        names = self._names(listing)
        self._held = self._held.take(self._of_records(names))
        moved = self._moved(listing) if ACCESS_GROUP in self.columns and ACCESS_GROUP in listing else set()
        known, read_again = set(self._held.distinct(self._record_id)), {*doubtful, *moved, *self._lacking_listed()}
        return [name for name in names if name not in known or name in read_again]

    def _moved(self, listing: pd.DataFrame) -> set[str]:
        """Return the records that the list has in another data access group than they were received in."""
        sides = {"listed": listing, "held": self._held.frame([self._record_id, ACCESS_GROUP])}
        groups = {
            name: side.drop_duplicates(self._record_id).set_index(self._record_id)[ACCESS_GROUP]
            for name, side in sides.items()
        }
        both = pd.concat(groups, axis="columns", join="inner")
        return set(both.index[both["listed"] != both["held"]])

    def _confirm_deleted(self, names: list[str], since: datetime) -> None:
        """Raise OutsideError if records that were listed are not listed now, unless the log says they were deleted."""
        if not names:
            return
        deleted = deleted_records(self.client.log(since))
        left = [name for name in names if name not in deleted] or existing(self.client, self.listed, names)
        if left:
            raise OutsideError(
                f"REDCap at {self.client.shown} listed record '{left[0]}' at first and not any more, and nothing says"
                f" that it was deleted; {AGAIN}"
            )

    def _whole_records(self, batch: list[str], body: bytes) -> pa.Table:
        """Return the rows of those records of a batch that came whole; the others are kept as faults.

        Raises OutsideError for a column that is missing, a record that was not asked for, and a row that does not
        belong to the project.
        """
        table = self._parsed(batch, body)
        if not table.num_rows:
            return pa.table({})
        self._refuse(missing_columns(self.columns, table.column_names), RIGHTS)
        shown = [name for name in (self._record_id, *KEY_COLUMNS) if name in table.column_names]
        frame = TextTable.of_arrow(table.select(shown)).frame()
        names = frame[self._record_id]
        self._refuse_strange(names, batch)
        self._refuse(wrong_row(self.project, frame) or in_two_groups(self.project, frame), AGAIN)
        for name in names[sent_twice(self.keys, frame)].drop_duplicates():
            self._faults[name] = f"record '{name}' came with a row twice"
        self._find_missing_rows(batch, frame)
        whole = ~names.isin([*self._faults])
        if self.group and ACCESS_GROUP in frame:
            whole &= frame[ACCESS_GROUP] == self.group
        return table if whole.all() else table.filter(pa.array(whole))

    def _parsed(self, batch: list[str], body: bytes) -> pa.Table:
        problem = ""
        try:
            table = read_table(body, "", self.client.encoding)
        except StudyError as error:
            problem, table = error.message, pa.table({})
        if not table.num_rows:
            self._faults |= dict.fromkeys(batch, f"records came that cannot be read: {problem}" if problem else "")
        return table

    def _find_missing_rows(self, batch: list[str], frame: pd.DataFrame) -> None:
        """Hold a batch against two further answers, which have few columns but as many rows.

        A row that only the batch has may be new, or a fault of one answer: it is read again.
        """
        parts = [batch[at::2] for at in (0, 1)] if len(batch) > 1 else [batch]
        keys = pd.concat([self._row_keys(names) for names in parts]).drop_duplicates()
        there, expected = (_index_of(side[self.keys]) for side in (frame, keys))
        self._doubted |= set(frame.loc[~_among(there, expected), self._record_id])
        for name in keys.loc[~_among(expected, there), self._record_id].drop_duplicates():
            self._faults.setdefault(name, f"record '{name}' came without some of its rows")
        for name in set(batch) - set(frame[self._record_id].to_numpy(object)):
            self._faults[name] = ""

    def _row_keys(self, names: list[str]) -> pd.DataFrame:
        """Return the keys of the rows that some records have, as text.

        They are asked for in other parts than the records themselves, so that what always goes wrong at one place of an
        answer does not do so in the same row.
        """
        rows = self.client.parsed(self.client.row_keys(names, self.listed))
        keys = pd.DataFrame(rows, dtype=object).astype("str") if rows else pd.DataFrame(columns=self.keys, dtype="str")
        self._refuse(missing_columns(self.keys, keys.columns), AGAIN)
        self._refuse_strange(keys[self._record_id], names)
        return keys[self.keys]

    def _refuse_strange(self, came: pd.Series, asked: list[str]) -> None:
        strange = set(came.to_numpy(object)) - set(asked)
        self._refuse(f"record '{min(strange)}' came, which was not asked for" if strange else "", AGAIN)

    def _refuse(self, problem: str, advice: str) -> None:
        if problem:
            raise OutsideError(
                f"the records that REDCap at {self.client.shown} sent are not whole: {problem}; {advice}"
            )

    def _reason(self) -> str:
        """Say why the records could not be read."""
        server = f"REDCap at {self.client.shown}"
        absent = sorted(name for name, fault in self._faults.items() if not fault)
        found = [fault for fault in self._faults.values() if fault]
        if found:
            return f"the records that {server} sent are not whole: {found[0]}; {AGAIN}"
        if absent:
            return (
                f"{server} listed {self._listed} records, but {len(absent)} of them did not come, the first of them"
                f" record '{absent[0]}'; {AGAIN}"
            )
        return f"the records of {server} change while they are read; {AGAIN} when nobody enters data"


def _index_of(frame: pd.DataFrame) -> pd.Index:
    """Return the keys of rows as an index; one of plain objects where there is one key, which is many times faster."""
    if len(frame.columns) > 1:
        return pd.MultiIndex.from_frame(frame)
    return pd.Index(frame.iloc[:, 0].to_numpy(object), dtype=object)


def _among(values: pd.Index, known: pd.Index) -> np.ndarray:
    """Return which values are known. (The ``isin`` of pandas makes an object of Arrow of each known text.)"""
    return np.asarray(known.unique().get_indexer(values) >= 0)


def _alike(one: TextTable, other: TextTable, keys: list[str]) -> bool:
    """Return True if two sets of rows are the same, in whichever order."""
    if len(one) != len(other):
        return False
    sides = [side.take(side.frame(keys).sort_values(keys).index.to_numpy()) for side in (one, other)]
    names = dict.fromkeys([*one.names, *other.names])
    return all(np.array_equal(_texts(sides[0], name), _texts(sides[1], name)) for name in names)


def _texts(table: TextTable, name: str) -> np.ndarray:
    """Return a column as objects, blank where the table or the column has no text."""
    every = np.arange(len(table))
    return table.texts_at(name, every) if name in table else np.full(len(table), "", object)
