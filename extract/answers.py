"""What came back from REDCap: an answer, or trouble in one sentence.

PyCap ignores the HTTP status and passes CSV on unread, so every response is judged here before PyCap sees it.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import requests

from metadata.errors import StudyError
from metadata.redcap_csv import UTF_8, decode

BUSY = (408, 429, 500, 502, 503, 504)
MOVED = (301, 302, 303, 307, 308)
OUT_OF_MEMORY = re.compile(r"ran out of (?:server )?memory|allowed memory size", re.IGNORECASE)
NO_API = re.compile(r"permissions? to use the API", re.IGNORECASE)
WEB_PAGE = re.compile(r"\s*<(?:!doctype html|html|head|body|br)\b", re.IGNORECASE)
XML_ERROR = re.compile(r"<error>(.*?)</error>", re.IGNORECASE | re.DOTALL)
VERSION = re.compile(r"\d+\.\d+\.\d+")
CHUNK = 1 << 16
LONGEST_QUOTE = 200
LONGEST_ERROR = 1 << 20
"""Bytes of an answer that are looked at for an error of the server; what is longer is data."""


class Trouble(Exception):
    """A call that failed: its sentence, whether to try again, whether asking for less may help, whether it was refused.

    It never leaves this package: it may have been raised while handling an error that holds the request.
    """

    def __init__(self, message: str, *, again: bool = False, smaller: bool = False, refused: bool = False) -> None:
        super().__init__(message)
        self.message, self.again, self.smaller, self.refused = message, again, smaller, refused


@dataclass(frozen=True)
class ApiCall:
    """One call: the server's address as shown to users, what is asked, the form of the answer and the time it has.

    ``form`` is json, csv or version; ``seconds`` is for the whole answer; ``secret`` is never shown; ``encoding`` is
    that of bytes which are not UTF-8.
    """

    address: str
    content: str
    form: str
    seconds: float
    secret: str
    encoding: str = UTF_8

    @property
    def server(self) -> str:
        """The server as sentences name it."""
        return f"REDCap at {self.address}"

    def read(self, response: requests.Response, started: float) -> bytes:
        """Return the body of a good answer; raises Trouble if it is anything else or takes too long."""
        if response.status_code in MOVED:
            raise Trouble(self._moved(response))
        body = self._body(response, started)
        text = body[:LONGEST_ERROR].decode("utf-8", "replace")
        if OUT_OF_MEMORY.search(text[:5000]):
            raise Trouble(f"{self.server} ran out of memory on content={self.content}", smaller=True)
        self._judge_status(response.status_code, text)
        self._judge_body(response.status_code, body, text)
        return body

    def slow(self) -> Trouble:
        """Trouble of an answer that did not come in time; less may come in time."""
        late = f"{self.server} did not answer content={self.content} within {self.seconds:g} seconds"
        return Trouble(f"{late}; try again later", smaller=True)

    def _body(self, response: requests.Response, started: float) -> bytes:
        """Read the body as it arrives (requests would wait for whole blocks), so that one that trickles in runs out
        of time as well."""
        pieces = []
        while piece := response.raw.read1(CHUNK, decode_content=True):
            pieces.append(piece)
            if time.monotonic() - started > self.seconds:
                response.close()
                raise self.slow()
        return b"".join(pieces)

    def _moved(self, response: requests.Response) -> str:
        target = urlsplit(response.headers.get("location", ""))
        shown = f" to {shown_address(target.geturl())}" if target.netloc else ""
        return f"{self.server} redirects{shown}, which loses the request; use the address it redirects to"

    def _judge_status(self, status: int, text: str) -> None:
        """Raise the trouble that the status alone shows."""
        if status in BUSY:
            busy = f"{self.server} is overloaded or in maintenance (HTTP {status}); try again later"
            raise Trouble(busy, again=True, smaller=True)
        if status in (404, 405):
            raise Trouble(f"there is no REDCap API at {self.address} (HTTP {status}); its address ends in /api/")
        if WEB_PAGE.match(text):
            page = f"{self.server} answered with a web page instead of data (HTTP {status})"
            raise Trouble(f"{page}; check the address, and whether it is in maintenance or asks for a login first")
        if status == 401 or NO_API.search(error_text(text)):
            reason = self._quoted(error_text(text)) or f"HTTP {status}"
            raise Trouble(f"{self.server} refused the token: {reason}; check the token and the rights of its user")

    def _judge_body(self, status: int, body: bytes, text: str) -> None:
        """Raise the trouble that only the body shows; ``text`` is its beginning."""
        error = error_text(text)
        if error:
            reason = self._quoted(error)
            raise Trouble(f"{self.server} refused content={self.content}: {reason}", refused=status in (200, 400, 403))
        if status != 200:
            raise Trouble(f"{self.server} answered content={self.content} with HTTP {status} and no data")
        if not self._ends(body) or not self._complete(self._decoded(body)):
            raise Trouble(f"the answer of {self.server} to content={self.content} was cut short", again=True)

    def _ends(self, body: bytes) -> bool:
        """Return True if an answer ends as it must; it may be cut within a letter, which then cannot be decoded."""
        ends = {"csv": (b"\n",), "json": (b"]", b"}")}
        return self.form not in ends or (body if self.form == "csv" else body.rstrip()).endswith(ends[self.form])

    def _decoded(self, body: bytes) -> str:
        try:
            return decode(body, "", self.encoding, of_records=self.form == "csv")
        except StudyError as error:
            problem = error.message
        raise Trouble(f"in the answer of {self.server} to content={self.content}, {problem}")

    def _complete(self, text: str) -> bool:
        """Return True if an answer has the form that was asked for, to its end.

        Quotes after a backslash may be single; whether such CSV is whole shows when it is read.
        """
        if self.form == "version":
            return VERSION.fullmatch(text.strip()) is not None
        if self.form == "json":
            try:
                return isinstance(json.loads(text), dict | list)
            except ValueError:
                return False
        return text.count('"') % 2 == 0 or '\\"' in text

    def _quoted(self, text: str) -> str:
        """Return a server's own text in quotes, on one line, cut to a readable length, without the token.

        It may hold a value of a patient: orchestrators get it without what is quoted.
        """
        line = " ".join(text.split()).rstrip(".")
        line = re.sub(re.escape(self.secret), "(token)", line, flags=re.IGNORECASE)
        shown = line if len(line) <= LONGEST_QUOTE else line[:LONGEST_QUOTE] + "..."
        return f'"{shown}"' if shown else ""


def error_text(text: str) -> str:
    """Return REDCap's message if a body is one of its errors (JSON, CSV or XML), else an empty text."""
    start = text.lstrip("\ufeff \t\r\n")
    if start[:6].lower() == "error:":
        return start[6:].strip()
    if start.startswith("<"):
        found = XML_ERROR.search(start)
        return found.group(1).strip() if found else ""
    if start.startswith("{"):
        try:
            return str(json.loads(start).get("error", ""))
        except ValueError:
            return ""
    return ""


def shown_address(address: str) -> str:
    """Return an address without user, password, query and fragment, for messages."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
