"""Faults on demand: what a REDCap that is down, slow, overloaded or misconfigured answers."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal

FaultKind = Literal[
    "forbidden", "status", "truncated", "memory", "html", "slow", "drop", "redirect", "not_utf8", "missing_records"
]
OUT_OF_MEMORY = (
    "REDCap ran out of server memory. The request cannot be processed."
    " Please try importing/exporting a smaller amount of data."
)
LOGIN_PAGE = "<!DOCTYPE html>\n<html><head><title>REDCap</title></head><body>Please log in</body></html>"
APACHE_PAGE = "<!DOCTYPE HTML PUBLIC><html><head><title>{status}</title></head><body>The server is busy.</body></html>"


@dataclass(frozen=True)
class Fault:
    """One way to fail.

    ``content`` limits it to requests of one content, ``more_than`` to record requests that name more records than
    that, ``times`` to so many requests (None: always), after the first ``after`` matching ones. ``status`` is for kind
    ``status``, ``seconds`` for ``slow``, ``location`` for ``redirect``.
    """

    kind: FaultKind
    content: str = ""
    times: int | None = 1
    after: int = 0
    more_than: int | None = None
    status: int = 500
    seconds: float = 1.0
    location: str = "https://elsewhere.example.org/api/"


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
