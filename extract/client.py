"""REDCap's API by PyCap: structure first, then records in batches; patient when busy, clear when it fails."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import redcap
import requests
import tenacity
import urllib3
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from extract.answers import ApiCall, Trouble, shown_address
from metadata.errors import OutsideError
from metadata.project import is_set

TOKEN = re.compile(r"[0-9A-Fa-f]{32}")
RECORD_HASH = re.compile(r"[0-9a-f]{32}")
NO_REPETITION = "does not contain any repeating instruments and events"
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
    representation. ``progress`` shows a bar on standard error (None: only if that is a terminal). Raises OutsideError
    if address or token cannot be right.
    """

    def __init__(
        self, address: str, token: str, patience: Patience | None = None, progress: bool | None = None
    ) -> None:
        self.api_address = api_address(address)
        self.shown = shown_address(self.api_address)
        self.patience = patience or Patience()
        self.progress = sys.stderr.isatty() if progress is None else progress
        if not TOKEN.fullmatch(token.strip()):
            raise OutsideError("the REDCap token is not one: a token has 32 hexadecimal characters")
        self._token = token.strip()
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

    def structure(self) -> dict[str, bytes]:
        """Return what the server answers on the project's structure, by payload name, as received; comes first.

        Names: version, project_info, dictionary, export_field_names, instruments, events, arms, form_event_mapping,
        repeating, dags, log; the last five and the events only where the project has them or the user may see them.
        """
        project = self._project = self._opened()
        received = {
            "version": self._fetch("version", "version", project.export_version),
            "project_info": self._fetch("project", "json", project.export_project_info),
            "dictionary": self._fetch("metadata", "json", lambda: project.metadata),
            "export_field_names": self._fetch("exportFieldNames", "json", project.export_field_names),
            "instruments": self._fetch("instrument", "json", project.export_instruments),
        }
        info = parse_payload(received["project_info"])
        if is_set(info.get("is_longitudinal", 0)):
            received["events"] = self._fetch("event", "json", project.export_events)
            received["arms"] = self._fetch("arm", "json", project.export_arms)
            mapping = project.export_instrument_event_mappings
            received["form_event_mapping"] = self._fetch("formEventMapping", "json", mapping)
        if is_set(info.get("has_repeating_instruments_or_events", 1)):
            received |= self._optional(
                "repeating", "repeatingFormsEvents", project.export_repeating_instruments_events, NO_REPETITION
            )
        received |= self._optional("dags", "dag", project.export_dags)
        return received | self._optional("log", "log", lambda: project.export_logging(log_type="record"))

    def record_names(self, record_id: str) -> bytes:
        """Return the CSV of the record-id column alone: every row of the project that has one."""
        return self._fetch("record", "csv", lambda: self._project.export_records(format_type="csv", fields=[record_id]))

    def batches(self, names: list[str], columns: int, rows_a_record: float) -> Iterator[tuple[list[str], bytes]]:
        """Yield batches of record names with their CSV, sized by columns; a batch too large for the server is halved.

        Raises OutsideError if the server cannot send even one record, or stays unreachable.
        """
        size = batch_size(columns, rows_a_record)
        with _bar(self.progress) as bar:
            task = bar.add_task("records", total=len(names))
            position = 0
            while position < len(names):
                batch = names[position : position + size]
                outcome = self._attempt("record", "csv", self._batch_call(batch))
                if isinstance(outcome, Trouble) and outcome.smaller and len(batch) > 1:
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
            return {}
        return {name: self._body_of(outcome)}

    def _fetch(self, content: str, form: str, ask: Callable[[], object]) -> bytes:
        return self._body_of(self._attempt(content, form, ask))

    def _body_of(self, outcome: bytes | Trouble) -> bytes:
        """Return a body, or raise its trouble as OutsideError, outside any handler: no request hangs on to it."""
        if isinstance(outcome, Trouble):
            raise OutsideError(outcome.message)
        return outcome

    def _attempt(self, content: str, form: str, ask: Callable[[], object]) -> bytes | Trouble:
        """Make one call, again and again with growing waits where that may help."""
        self._call = ApiCall(self.shown, content, form, self.patience.answer, self._token)
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self.patience.attempts),
            wait=tenacity.wait_exponential(multiplier=self.patience.first_wait, max=30),
            retry=tenacity.retry_if_exception(lambda error: isinstance(error, Trouble) and error.again),
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
            self._body = self._call.read(response, self._started)
            response._content = self._body  # the body is consumed; PyCap reads it from here
        return response


def _unreachable(call: ApiCall, error: Exception) -> Trouble:
    """Return the trouble of a connection that failed; requests says why only in a chain of nested texts."""
    told = str(error)
    if isinstance(error, requests.exceptions.SSLError):
        return Trouble(f"the certificate of {call.server} is not trusted: ask the server's administrator for its CA")
    if isinstance(error, requests.ConnectTimeout):
        return Trouble(f"{call.server} cannot be reached: it does not take the connection; check address and network")
    if isinstance(error, urllib3.exceptions.ProtocolError) or "aborted" in told or "Connection reset" in told:
        return Trouble(f"{call.server} closed the connection in the middle of content={call.content}", again=True)
    if "timed out" in told.lower():
        return call.slow()
    if "refused" in told:
        why = "the connection was refused"
    elif "resolve" in told or "Name or service" in told:
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


def parse_payload(body: bytes) -> Any:
    """Return a JSON answer as Python values."""
    return json.loads(body.decode("utf-8-sig"))


def hashed(names: list[str]) -> bool:
    """Return True if all record names are hashes, as REDCap sends them to users who may not see identifiers."""
    return bool(names) and all(RECORD_HASH.fullmatch(name) for name in names)


def _bar(shown: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), disable=not shown)
