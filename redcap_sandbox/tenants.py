"""The projects of one server, by token: those of one project see what any of them changed."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, MutableMapping
from dataclasses import replace
from datetime import datetime

import pandas as pd

from redcap_sandbox.answer import Answer, error_answer
from redcap_sandbox.contents import NO_API, answer
from redcap_sandbox.creation import created
from redcap_sandbox.faults import Fault
from redcap_sandbox.project import VERSION, SandboxProject, utc_now
from redcap_sandbox.request import ApiError, ApiRequest
from redcap_sandbox.writing import write_of

FIRST_CREATED = 1001
"""Id of the first project that is made by a super token."""
TOKEN_LENGTH, SUPER_LENGTH = 32, 64


class Tenants:
    """Answers requests, one after the other where they change something; ``projects`` are as they are by now.

    ``super_tokens`` may create projects. ``clock`` gives the time of those, ``version`` what server
    made them.
    """

    def __init__(
        self,
        projects: MutableMapping[str, SandboxProject],
        super_tokens: tuple[str, ...] = (),
        clock: Callable[[], datetime] = utc_now,
        version: str = VERSION,
    ) -> None:
        self.projects = projects
        self._super = {token.upper() for token in super_tokens}
        self._clock, self._version, self._made = clock, version, 0
        self._lock = threading.RLock()

    def answer(self, request: ApiRequest, fault: Fault | None = None) -> Answer:
        """Return the answer to a request; what it changes is there for the next one."""
        token = request.text("token").upper()
        if len(token) == SUPER_LENGTH:
            return self._create(token, request)
        if write_of(request) is None:
            return self._read(token, request, fault)
        with self._lock:
            before = self.projects.get(token)
            after, given = answer(self.projects, request, fault)
            if before is not None and after is not None:
                self._put(token, before, after)
        return given

    def _read(self, token: str, request: ApiRequest, fault: Fault | None) -> Answer:
        """Return the answer to a request that only reads, beside others; what it adds to the log is kept."""
        before = self.projects.get(token)
        after, given = answer(self.projects, request, fault)
        if before is not None and after is not None:
            added = after.log.head(len(after.log) - len(before.log))
            with self._lock:
                now = self.projects[token]
                self._put(token, now, replace(now, log=pd.concat([added, now.log], ignore_index=True)))
        return given

    def knows(self, token: str) -> bool:
        """True if a token opens a project or may create one."""
        return token.upper() in self.projects or token.upper() in self._super

    def change(self, token: str, change: Callable[[SandboxProject], SandboxProject]) -> None:
        """Let somebody change the project of a token, if there is one."""
        with self._lock:
            before = self.projects.get(token.upper())
            if before is not None:
                self._put(token.upper(), before, change(before))

    def _put(self, token: str, before: SandboxProject, after: SandboxProject) -> None:
        """Keep a changed project under all its tokens, each with the rights that its user has by now."""
        for other, seen in list(self.projects.items()):
            if other == token or seen.project is before.project:
                self.projects[other] = _seen_by(after, seen if other != token else after)

    def _create(self, token: str, request: ApiRequest) -> Answer:
        if token not in self._super:
            return error_answer(403, NO_API, request)
        if request.text("content") != "project":
            return error_answer(400, 'The value of the parameter "content" is not valid', request)
        with self._lock:
            try:
                made = created(request, FIRST_CREATED + self._made, self._clock, self._version)
            except ApiError as error:
                return error_answer(error.status, error.text, request)
            self._made += 1
            digest = hashlib.sha256(f"{token}:{self._made}".encode()).hexdigest()
            name = digest[:TOKEN_LENGTH].upper()
            self.projects[name] = made
        return Answer.text(name)


def _seen_by(after: SandboxProject, seen: SandboxProject) -> SandboxProject:
    """Return a project under the token of one of its users, by his rights now; one who was removed may do nothing."""
    name = seen.user.name
    if not name:
        return replace(after, user=seen.user)
    if any(user["username"] == name for user in after.users):
        return after.as_user(name)
    return replace(after, user=replace(seen.user, rights={"expiration": "1900-01-01"}))
