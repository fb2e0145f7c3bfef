"""REDCap's API by PyCap: structure first, then lists of records, batches and the log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from extract.answers import Trouble
from extract.connection import Connection, Patience
from extract.log import has_change
from metadata.errors import OutsideError
from metadata.project import is_set
from metadata.redcap_csv import UTF_8

NO_REPETITION = "does not contain any repeating instruments and events"
NEEDED = ("dictionary", "export_field_names", "instruments", "events", "arms", "form_event_mapping")
LOG_DAYS = (8, 366, None)  # the log is asked for these days, and for all of it only if they hold no change of a record
OVERLAP = timedelta(hours=24)
"""REDCap's times are local and name no zone: more than any zone is apart from UTC."""
MOST_RECORDS = 500
CELLS_A_BATCH = 500_000
LogType = Literal["record", "manage"]


class Client(Connection):
    """One project on one REDCap server.

    ``address`` is the server's base address or that of its API. The token is kept from every message, log and
    representation. ``progress`` shows a bar on standard error (None: only if that is a terminal). ``encoding`` is that
    of bytes in answers which are not UTF-8. Raises OutsideError if address or token cannot be right.
    """

    def __init__(
        self,
        address: str,
        token: str,
        patience: Patience | None = None,
        progress: bool | None = None,
        encoding: str = UTF_8,
    ) -> None:
        super().__init__(address, token, patience, encoding)
        self.progress = sys.stderr.isatty() if progress is None else progress
        self._surveys = False

    def structure(self, known: Collection[str] = ()) -> dict[str, bytes]:
        """Return what the server answers on the project's structure, by payload name, as received; comes first.

        Names: version, project_info, dictionary, export_field_names, instruments, events, arms, form_event_mapping,
        repeating, dags, log; the last five and the events only where the project has them or the user may see them.
        ``refused`` then has the reasons of those that the user may not see. Raises OutsideError if a call fails, if an
        answer that every project has is empty, or if the repeating set-up is refused and is not among ``known``, the
        payloads that the caller has from elsewhere.
        """
        project = self._project = self._opened()
        self.refused = {}
        received = {
            "version": self._fetch("version", "version", project.export_version),
            "project_info": self._fetch("project", "json", project.export_project_info),
            "dictionary": self._fetch("metadata", "json", lambda: project.metadata),
            "export_field_names": self._fetch("exportFieldNames", "json", project.export_field_names),
            "instruments": self._fetch("instrument", "json", project.export_instruments),
        }
        info = self.parsed(received["project_info"])
        if not isinstance(info, dict):
            raise OutsideError(f"REDCap at {self.shown} sent no project information, but a list; try again")
        self._surveys = is_set(info.get("surveys_enabled") or 0)
        if is_set(info.get("is_longitudinal", 0)):
            received["events"] = self._fetch("event", "json", project.export_events)
            received["arms"] = self._fetch("arm", "json", project.export_arms)
            mapping = project.export_instrument_event_mappings
            received["form_event_mapping"] = self._fetch("formEventMapping", "json", mapping)
        if is_set(info.get("has_repeating_instruments_or_events", 1)):
            absent = None if "repeating" in known else NO_REPETITION
            ask = project.export_repeating_instruments_events
            received |= self._optional("repeating", "repeatingFormsEvents", ask, absent)
        received |= self._optional("dags", "dag", project.export_dags)
        for name in NEEDED:
            if name in received and not self.parsed(received[name]):
                raise OutsideError(f"REDCap at {self.shown} sent an empty answer for the project's {name}; try again")
        return received | self._log()

    def _log(self) -> dict[str, bytes]:
        """Return the newest part of the log that has a change of a record: a long log may be more than a server can."""
        received: dict[str, bytes] = {}
        for days in LOG_DAYS:
            begin = None if days is None else self.server_time - timedelta(days=days)
            received = self._optional("log", "log", self._log_call(begin))
            if not received or has_change(self.parsed(received["log"])):
                break
        return received

    def log(self, since: datetime | None = None, kind: LogType = "record") -> list[dict[str, Any]] | None:
        """Return the entries of the log about records, all or since a time; None if the user may not see it.

        ``kind`` is REDCap's ``logtype``: "manage" gives those about the project's design.
        """
        received = self._optional("log", "log", self._log_call(since, kind))
        entries: list[dict[str, Any]] | None = self.parsed(received["log"]) if received else None
        return entries

    def _log_call(self, begin: datetime | None, kind: LogType = "record") -> Callable[[], object]:
        project = self._project
        return lambda: project.export_logging(log_type=kind, begin_time=begin)

    def record_names(self, fields: Sequence[str], since: datetime | None = None) -> bytes:
        """Return the JSON of few fields with keys and group: every row of the project that has one of them.

        ``since`` limits it to records that were created or changed after a time of the server. It is JSON because half
        of it is not: a list that was cut short is noticed.
        """
        return self._fetch("record", "json", self._list_call(fields, date_begin=since))

    def records_of_group(self, fields: Sequence[str], group: str) -> list[dict[str, Any]] | None:
        """Return the list of records that are in a data access group; None if the server does not answer that."""
        ask = self._list_call(fields, filter_logic=f"[record-dag-name] = '{group}'")
        received = self._optional("group", "record", ask)
        rows: list[dict[str, Any]] | None = self.parsed(received["group"]) if received else None
        return rows

    def _list_call(self, fields: Sequence[str], **limits: Any) -> Callable[[], object]:
        project = self._project
        return lambda: project.export_records(
            format_type="json", fields=list(fields), export_data_access_groups=True, **limits
        )

    def row_keys(self, names: Sequence[str], fields: Sequence[str]) -> bytes:
        """Return the JSON of the named records with few fields, which have a row wherever the records have one."""
        project = self._project
        ask = lambda: project.export_records(format_type="json", records=list(names), fields=list(fields))  # noqa: E731
        return self._fetch("record", "json", ask)

    def batches(self, names: Sequence[str], columns: int, rows_a_record: float) -> Iterator[tuple[list[str], bytes]]:
        """Yield batches of record names with their CSV, sized by columns; a batch too large for the server is halved.

        A large batch that comes back empty counts as too large. Raises OutsideError if the server cannot send even one
        record, or stays unreachable.
        """
        size = batch_size(columns, rows_a_record)
        with _bar(self.progress) as bar:
            task = bar.add_task("records", total=len(names))
            position = 0
            while position < len(names):
                batch = list(names[position : position + size])
                outcome = self._attempt("record", "csv", self._batch_call(batch), divisible=len(batch) > 1)
                if len(batch) > 1 and _too_large(outcome):
                    size = len(batch) // 2
                    time.sleep(self.patience.first_wait)  # a server that is busy is not asked again at once
                    continue
                yield batch, self._body_of(outcome)
                position += len(batch)
                bar.advance(task, len(batch))
                time.sleep(self.patience.pause if position < len(names) else 0)

    def _batch_call(self, batch: list[str]) -> Callable[[], object]:
        project = self._project
        return lambda: project.export_records(
            format_type="csv",
            records=batch,
            export_data_access_groups=True,
            export_survey_fields=self._surveys,
        )


def _too_large(outcome: bytes | Trouble) -> bool:
    """Return True if asking for less may help: also where a server that has too much to send sends nothing."""
    return outcome.smaller if isinstance(outcome, Trouble) else not outcome.strip()


def batch_size(columns: int, rows_a_record: float) -> int:
    """Return how many records to ask for at once, so that a batch holds about half a million values."""
    cells = max(1.0, columns * rows_a_record)
    return int(min(MOST_RECORDS, max(1, CELLS_A_BATCH // cells)))


def _bar(shown: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), disable=not shown)
