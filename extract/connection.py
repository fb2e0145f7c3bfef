"""The way to REDCap: PyCap's calls, each judged before PyCap reads it, and one ladder of retries for all of them."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import redcap
import requests
import tenacity
import urllib3

from extract.answers import ApiCall, Trouble, shown_address
from extract.receiving import ServerFailure
from metadata.errors import OutsideError
from metadata.redcap_csv import UTF_8, decode

TOKEN = re.compile(r"[0-9A-Fa-f]{32}")
LOOPBACK = "127.0.0.1,localhost,::1"


@dataclass(frozen=True)
class Patience:
    """How long to wait: seconds to connect and for a whole answer, tries at a call, first wait between them (doubled
    each time), and the pause between batches that keeps a shared server well."""

    connect: float = 10
    answer: float = 60
    attempts: int = 4
    first_wait: float = 0.5
    pause: float = 0.1


class Connection:
    """One project on one REDCap server, reached with one token, which is kept from every message and representation.

    ``encoding`` is that of bytes in answers which are not UTF-8. ``refused`` has the reasons why optional payloads did
    not come. Raises OutsideError if address or token cannot be right.
    """

    def __init__(
        self,
        address: str,
        token: str,
        patience: Patience | None = None,
        encoding: str = UTF_8,
    ) -> None:
        self.api_address = api_address(address)
        self.shown = shown_address(self.api_address)
        self.patience = patience or Patience()
        if not TOKEN.fullmatch(token.strip()):
            raise OutsideError("the REDCap token is not valid: it must have 32 hexadecimal characters")
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
        return f"{type(self).__name__}({self.shown})"

    @property
    def source(self) -> str:
        """A name of this access that says nothing of the token: each token is of one project and one user.

        What was read in another encoding is no part of the same records.
        """
        return hashlib.sha256(f"{self.api_address} {self._token.upper()} {self.encoding}".encode()).hexdigest()

    def parsed(self, body: bytes) -> Any:
        """Return a JSON answer as Python values."""
        return json.loads(decode(body, "", self.encoding))

    @property
    def server_time(self) -> datetime:
        """The server's time at its first answer, in UTC and without a zone; this machine's if it did not say it."""
        return self._server_time or datetime.now(UTC).replace(tzinfo=None)

    @property
    def says_time(self) -> bool:
        """Whether the server's first answer had its time."""
        return self._server_time is not None

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
        """Return a body, or raise its trouble as ServerFailure, outside any handler: no request hangs on to it."""
        if isinstance(outcome, Trouble):
            raise ServerFailure(outcome.message)
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
    """Return the API's address of a server's base address.

    Raises OutsideError if it is not a web address, and for http to another machine.
    """
    given = address.strip()
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise OutsideError(f"'{shown_address(given)}' is not the address of a REDCap server; it starts with https://")
    if parts.scheme == "http" and not _is_loopback(given):
        problem = f"'{shown_address(given)}' would get the token and send the records without encryption"
        raise OutsideError(f"{problem}: give its https:// address (http is for a server on this machine)")
    base = given.rstrip("/")
    return f"{base}/" if base.endswith("/api") else f"{base}/api/"


def _is_loopback(address: str) -> bool:
    return urlsplit(address).hostname in LOOPBACK.split(",")
