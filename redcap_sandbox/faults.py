"""Faults on demand: what a REDCap that is down, overloaded, misconfigured or in use answers."""

from __future__ import annotations

import threading
from dataclasses import MISSING, dataclass, fields
from typing import Literal, get_args

import pandas as pd

from metadata.errors import UsageError, nearest
from redcap_sandbox.cutting import PLACES, cut_places

FaultKind = Literal[
    "forbidden", "status", "truncated", "memory", "html", "slow", "drop", "redirect", "not_utf8",
    "missing_records", "missing_column", "missing_row", "duplicate_row", "foreign_record", "empty_body", "cut",
    "edit_record", "delete_record", "rename_record", "no_body", "banned",
]  # fmt: skip
OUT_OF_MEMORY = (
    "REDCap ran out of server memory. The request cannot be processed."
    " Please try importing/exporting a smaller amount of data."
)
LOGIN_PAGE = "<!DOCTYPE html>\n<html><head><title>REDCap</title></head><body>Please log in</body></html>"
BANNED_PAGE = (
    "<!DOCTYPE html>\n<html><head><title>REDCap</title></head><body>The IP address {host} has been banned due to"
    " suspected abuse. Contact your REDCap administrator.</body></html>"
)
APACHE_PAGE = "<!DOCTYPE HTML PUBLIC><html><head><title>{status}</title></head><body>The server is busy.</body></html>"
NUMBERS = ("times", "after", "more_than", "status", "seconds", "at")


@dataclass(frozen=True)
class Fault:
    """One way to fail.

    ``content`` limits it to requests of one content, ``more_than`` to record requests that name more records than
    that, ``times`` to so many requests (None: always), after the first ``after`` matching ones. ``status`` is for kind
    ``status``, ``seconds`` for ``slow``, ``location`` for ``redirect``. ``at`` counts bytes for ``cut``, else rows;
    with ``where`` (see ``cutting.PLACES``) it counts the places of that class that an answer can be cut at.

    ``edit_record``, ``delete_record`` and ``rename_record`` do as a user would before the request is answered: they
    change ``column`` of ``record`` to ``value``, delete it, or call it ``value``, and log that. Where column or record
    is blank it is the last one there is.
    """

    kind: FaultKind
    content: str = ""
    times: int | None = 1
    after: int = 0
    more_than: int | None = None
    status: int = 500
    seconds: float = 1.0
    location: str = "https://elsewhere.example.org/api/"
    at: int = 0
    where: str = ""
    column: str = ""
    record: str = ""
    value: str = "edited"

    @classmethod
    def read(cls, text: str) -> Fault:
        """Return the fault of ``KIND`` or ``KIND:NAME=VALUE,NAME=VALUE``; ``times=always`` is for every request.

        Raises UsageError if there is no such kind or name, or if a number is none.
        """
        kind, _, rest = text.partition(":")
        kinds = get_args(FaultKind)
        if kind not in kinds:
            raise UsageError(f"--fault {text}: there is no fault '{kind}'{nearest(kind, kinds)}")
        names = [one.name for one in fields(cls) if one.default is not MISSING]
        values: dict[str, object] = {}
        for pair in filter(None, rest.split(",")):
            name, _, value = pair.partition("=")
            if name not in names:
                raise UsageError(f"--fault {text}: a fault has no '{name}'{nearest(name, names)}")
            if name == "where" and value not in PLACES:
                raise UsageError(f"--fault {text}: an answer has no place '{value}'{nearest(value, PLACES)}")
            values[name] = _number(text, name, value) if name in NUMBERS else value
        return cls(kind, **values)  # type: ignore[arg-type]


def _number(text: str, name: str, value: str) -> float | int | None:
    if name == "times" and value == "always":
        return None
    try:
        return float(value) if name == "seconds" else int(value)
    except ValueError:
        raise UsageError(f"--fault {text}: '{name}' must be a number, not '{value}'") from None


class Faults:
    """The faults still to come, consumed request by request; safe across threads."""

    def __init__(self, *faults: Fault) -> None:
        self._faults = faults
        self._seen = [0] * len(faults)
        self._lock = threading.Lock()

    def next(self, content: str, records: int | None) -> Fault | None:
        """Return the fault for a request of ``content`` that names ``records`` records (None: all of them)."""
        with self._lock:
            for place, fault in enumerate(self._faults):
                if not _matches(fault, content, records):
                    continue
                seen = self._seen[place]
                self._seen[place] += 1
                if seen >= fault.after and (fault.times is None or seen < fault.after + fault.times):
                    return fault
        return None


def _matches(fault: Fault, content: str, records: int | None) -> bool:
    if fault.content and fault.content != content:
        return False
    return fault.more_than is None or records is None or records > fault.more_than


def spoiled(fault: Fault, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the fault in its rows or columns; any other fault leaves it as it is."""
    if frame.empty:
        return frame
    place = fault.at % len(frame)
    row = frame.iloc[[place]]
    if fault.kind == "missing_column":
        return frame.drop(columns=fault.column or frame.columns[-1], errors="ignore")
    if fault.kind == "missing_row":
        return frame.drop(index=frame.index[place])
    if fault.kind == "duplicate_row":
        return pd.concat([frame.iloc[:place], row, frame.iloc[place:]], ignore_index=True)
    if fault.kind == "foreign_record":
        return pd.concat([frame, row.assign(**{frame.columns[0]: fault.record or "9999"})], ignore_index=True)
    return frame


def spoiled_body(fault: Fault, body: bytes, kind: str) -> bytes:
    """Return an answer that was cut after some bytes, is empty as REDCap's answers are, or has no byte."""
    if fault.kind == "no_body":
        return b""
    if fault.kind == "cut" and fault.where:
        places = cut_places(body, kind, fault.where)
        return body[: places[fault.at % len(places)]] if places else body
    if fault.kind == "cut":
        return body[: fault.at % max(1, len(body))]
    if fault.kind == "empty_body":
        return b"[]" if kind == "json" else b"\n"
    return body
