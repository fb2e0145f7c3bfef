"""Addresses that a server does not answer any more: too many wrong tokens, or too many requests in a minute."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from redcap_sandbox.project import utc_now


class Bans:
    """Counts what each address asks; safe across threads.

    ``wrong_tokens`` is how many of them in a row are answered, ``a_minute`` how many requests within a minute of
    ``clock``; None is any number. A ban does not end.
    """

    def __init__(
        self,
        wrong_tokens: int | None = None,
        a_minute: int | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._wrong_tokens, self._a_minute, self._clock = wrong_tokens, a_minute, clock
        self._wrong: dict[str, int] = {}
        self._times: dict[str, list[datetime]] = {}
        self._banned: set[str] = set()
        self._lock = threading.Lock()

    def refuses(self, address: str, known: bool) -> bool:
        """Return True if a request of an address is not answered; ``known`` says whether its token is."""
        with self._lock:
            if address in self._banned:
                return True
            self._wrong[address] = 0 if known else self._wrong.get(address, 0) + 1
            now = self._clock()
            recent = [one for one in self._times.get(address, []) if now - one < timedelta(minutes=1)]
            self._times[address] = [*recent, now]
            too_wrong = self._wrong_tokens is not None and self._wrong[address] > self._wrong_tokens
            too_many = self._a_minute is not None and len(self._times[address]) > self._a_minute
            if too_wrong or too_many:
                self._banned.add(address)
            return too_wrong or too_many
