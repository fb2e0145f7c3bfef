"""REDCap's API by PyCap: structure first, then records in batches; one ladder of retries for every call."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import redcap
import requests
import tenacity
import urllib3
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from extract.answers import ApiCall, Trouble, shown_address
from extract.log import has_change
from metadata.errors import OutsideError
from metadata.project import is_set
from metadata.redcap_csv import UTF_8, decode

TOKEN = re.compile(r"[0-9A-Fa-f]{32}")
NO_REPETITION = "does not contain any repeating instruments and events"
NEEDED = (
    "dictionary", "export_field_names", "instruments", "events", "arms", "form_event_mapping",
)  # fmt: skip
LOG_DAYS = (8, 366, None)  # the log is asked for these days, and for all of it only if they hold no change of a record
OVERLAP = timedelta(
    hours=24
)  # more than the difference of any two time zones from UTC, in which REDCap's times are not
LOOPBACK = "127.0.0.1,localhost,::1"
MOST_RECORDS = 500
CELLS_A_BATCH = 500_000


@dataclass(frozen=True)
class Patience:
    """How long to wait: seconds to connect and for a whole answer, tries at a call, first wait between them (doubled
    each time), and the pause between batches that keeps a shared server well."""

    connect: float = 10
    answer: float = 60
    attempts: int = 4
    first_wait: float = 0.5
    pause: float = 0.1


class Client:
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
        self.api_address = api_address(address)
        self.shown = shown_address(self.api_address)
        self.patience = patience or Patience()
        self.progress = sys.stderr.isatty() if progress is None else progress
        if not TOKEN.fullmatch(token.strip()):
            raise OutsideError("the REDCap token is not one: a token has 32 hexadecimal characters")
        self._token = token.strip()
        self.encoding = encoding
        self.refused: dict[str, str] = {}
        self._server_time: datetime | None = None
        self._call: ApiCall | None = None
        self._started = 0.0
        self._body = b""
        self._project = self._opened()

    def _opened(self) -> redcap.Project:
        """Return a PyCap project that has cached nothing yet."""
        return redcap.Project(
            self.api_address,
            self._token,
            timeout=(self.patience.connect, self.patience.answer),
            allow_redirects=False,
            stream=True,
            hooks={"response": self._receive},
            proxies={"no_proxy": LOOPBACK} if _is_loopback(self.api_address) else None,
        )

    def __repr__(self) -> str:
        return f"Client({self.shown})"

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

    def parsed(self, body: bytes) -> Any:
        """Return a JSON answer as Python values."""
        return json.loads(decode(body, "", self.encoding))

    def _log(self) -> dict[str, bytes]:
        """Return the newest part of the log that has a change of a record: a long log may be more than a server can."""
        received: dict[str, bytes] = {}
        for days in LOG_DAYS:
            begin = None if days is None else self.server_time - timedelta(days=days)
            received = self._optional("log", "log", self._log_call(begin))
            if not received or has_change(self.parsed(received["log"])):
                break
        return received

    def log(self, since: datetime | None = None) -> list[dict[str, Any]] | None:
        """Return the entries of the log about records, all or since a time; None if the user may not see it."""
        received = self._optional("log", "log", self._log_call(since))
        entries: list[dict[str, Any]] | None = self.parsed(received["log"]) if received else None
        return entries

    def _log_call(self, begin: datetime | None) -> Callable[[], object]:
        project = self._project
        return lambda: project.export_logging(log_type="record", begin_time=begin)

    @property
    def server_time(self) -> datetime:
        """The server's time at its first answer, in UTC and without a zone; this machine's if it did not say it."""
        return self._server_time or datetime.now(UTC).replace(tzinfo=None)

    def record_names(self, record_id: str, since: datetime | None = None) -> bytes:
        """Return the JSON of the record-id column with keys and group: every row of the project that has one.

        ``since`` limits it to records that were created or changed after a time of the server. It is JSON because half
        of it is not: a list that was cut short is noticed.
        """
        return self._fetch("record", "json", self._list_call(record_id, date_begin=since))

    def records_of_group(self, record_id: str, group: str) -> list[dict[str, Any]] | None:
        """Return the list of records that are in a data access group; None if the server does not answer that."""
        ask = self._list_call(record_id, filter_logic=f"[record-dag-name] = '{group}'")
        received = self._optional("group", "record", ask)
        rows: list[dict[str, Any]] | None = self.parsed(received["group"]) if received else None
        return rows

    def _list_call(self, record_id: str, **limits: Any) -> Callable[[], object]:
        project = self._project
        return lambda: project.export_records(
            format_type="json", fields=[record_id], export_data_access_groups=True, **limits
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
                    continue
                yield batch, self._body_of(outcome)
                position += len(batch)
                bar.advance(task, len(batch))
                time.sleep(self.patience.pause if position < len(names) else 0)

    def _batch_call(self, batch: list[str]) -> Callable[[], object]:
        project = self._project
        return lambda: project.export_records(format_type="csv", records=batch, export_data_access_groups=True)

    def _optional(
        self, name: str, content: str, ask: Callable[[], object], absent: str | None = None
    ) -> dict[str, bytes]:
        """Return a payload, or nothing if the server refuses it (for the reason ``absent``, if one is given)."""
        outcome = self._attempt(content, "json", ask)
        if isinstance(outcome, Trouble) and outcome.refused and (absent is None or absent in outcome.message):
            self.refused[name] = outcome.message
            return {}
        return {name: self._body_of(outcome)}

    def _fetch(self, content: str, form: str, ask: Callable[[], object]) -> bytes:
        return self._body_of(self._attempt(content, form, ask))

    def _body_of(self, outcome: bytes | Trouble) -> bytes:
        """Return a body, or raise its trouble as OutsideError, outside any handler: no request hangs on to it."""
        if isinstance(outcome, Trouble):
            raise OutsideError(outcome.message)
        return outcome

    def _attempt(self, content: str, form: str, ask: Callable[[], object], divisible: bool = False) -> bytes | Trouble:
        """Make one call, again and again with growing waits where that may help.

        A call that asks for too much at once is made again as it is, unless it is ``divisible``.
        """
        self._call = ApiCall(self.shown, content, form, self.patience.answer, self._token, self.encoding)
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self.patience.attempts),
            wait=tenacity.wait_exponential(multiplier=self.patience.first_wait, max=30),
            retry=tenacity.retry_if_exception(lambda error: _may_pass(error, divisible)),
            reraise=True,
        )
        try:
            retrying(self._once, self._call, ask)
        except Trouble as trouble:
            return Trouble(trouble.message, smaller=trouble.smaller, refused=trouble.refused)
        return self._body

    def _once(self, call: ApiCall, ask: Callable[[], object]) -> None:
        self._started = time.monotonic()
        try:
            ask()
        except (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError):
            raise call.slow() from None
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise _unreachable(call, error) from None

    def _receive(self, response: requests.Response, **_: Any) -> requests.Response:
        """Judge a response before PyCap does, and keep its bytes as received."""
        if self._call is not None:
            self._server_time = self._server_time or _time_of(response)
            self._body = self._call.read(response, self._started)
            response._content = self._body  # the body is consumed; PyCap reads it from here
        return response


def _may_pass(error: BaseException, divisible: bool) -> bool:
    return isinstance(error, Trouble) and (error.again or (error.smaller and not divisible))


def _too_large(outcome: bytes | Trouble) -> bool:
    """Return True if asking for less may help: also where a server that has too much to send sends nothing."""
    return outcome.smaller if isinstance(outcome, Trouble) else not outcome.strip()


def _time_of(response: requests.Response) -> datetime | None:
    """Return the time in the header of an answer, in UTC and without a zone, if it has one."""
    try:
        return parsedate_to_datetime(response.headers["date"]).replace(tzinfo=None)
    except (KeyError, ValueError):
        return None


def _unreachable(call: ApiCall, error: Exception) -> Trouble:
    """Return the trouble of a connection that failed; requests says why only in a chain of nested texts."""
    reason = str(error)
    if isinstance(error, requests.exceptions.SSLError):
        return Trouble(f"the certificate of {call.server} is not trusted: ask the server's administrator for its CA")
    if isinstance(error, requests.ConnectTimeout):
        return Trouble(f"{call.server} cannot be reached: it does not take the connection; check address and network")
    if isinstance(error, urllib3.exceptions.ProtocolError) or "aborted" in reason or "Connection reset" in reason:
        return Trouble(f"{call.server} closed the connection in the middle of content={call.content}", again=True)
    if "timed out" in reason.lower():
        return call.slow()
    if "refused" in reason:
        why = "the connection was refused"
    elif "resolve" in reason or "Name or service" in reason:
        return Trouble(f"{call.server} cannot be reached: there is no host of that name; check the address")
    else:
        why = "there is no connection"
    return Trouble(f"{call.server} cannot be reached: {why}; check the address and that the server is up", again=True)


def api_address(address: str) -> str:
    """Return the API's address of a server's base address; raises OutsideError if it is no web address."""
    given = address.strip()
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise OutsideError(f"'{shown_address(given)}' is not the address of a REDCap server; it starts with https://")
    base = given.rstrip("/")
    return f"{base}/" if base.endswith("/api") else f"{base}/api/"


def _is_loopback(address: str) -> bool:
    return urlsplit(address).hostname in LOOPBACK.split(",")


def batch_size(columns: int, rows_a_record: float) -> int:
    """Return how many records to ask for at once, so that a batch holds about half a million values."""
    cells = max(1.0, columns * rows_a_record)
    return int(min(MOST_RECORDS, max(1, CELLS_A_BATCH // cells)))


def _bar(shown: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), disable=not shown)
