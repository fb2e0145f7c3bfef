"""The sandbox server: a REDCap-compatible API over exported projects, on this machine only."""

from __future__ import annotations

import asyncio
import secrets
import socket
import string
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from metadata.errors import OutsideError, UsageError
from redcap_sandbox.answer import Answer, error_answer
from redcap_sandbox.bans import Bans
from redcap_sandbox.changes import deleted, edited, given_another_name
from redcap_sandbox.contents import NO_API
from redcap_sandbox.faults import APACHE_PAGE, BANNED_PAGE, LOGIN_PAGE, OUT_OF_MEMORY, Fault, Faults, spoiled_body
from redcap_sandbox.project import VERSION, SandboxProject, utc_now
from redcap_sandbox.request import ApiRequest, Upload
from redcap_sandbox.tenants import Tenants

__all__ = ["SandboxProject", "create_app", "serve"]

HOST = "127.0.0.1"
TOKEN_LENGTH = 32
MOST_FIELDS = 100_000  # PyCap posts one form field for each REDCap field
LARGEST_PART = 1 << 28  # of a posted value, such as a project's XML
NOT_FOUND = "<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>"
NOT_GET = "<!DOCTYPE html>\n<html><head><title>REDCap API</title></head><body>Send a POST request.</body></html>"


def create_app(
    projects: Mapping[str, SandboxProject],
    faults: Faults | None = None,
    super_tokens: tuple[str, ...] = (),
    clock: Callable[[], datetime] = utc_now,
    version: str = VERSION,
    bans: Bans | None = None,
) -> FastAPI:
    """Return the API over ``projects``, keyed by token (32 hexadecimal characters; case does not matter).

    ``faults`` makes chosen requests fail, for tests; nothing a client sends can reach it. ``super_tokens`` (64
    characters) may create projects, at the time of ``clock`` and as a server of ``version`` does. ``bans`` says after
    what an address is not answered any more. ``state.tenants`` of
    the application has the projects as they are by now: what clients write is in memory only. Raises UsageError if a
    token is not of REDCap's form.
    """
    pending = faults or Faults()
    app = FastAPI(title="REDCap sandbox", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    tenants = Tenants(
        {_checked_token(token): project for token, project in projects.items()}, super_tokens, clock, version
    )
    app.state.tenants = tenants

    async def api(request: Request) -> Response:
        host = request.client.host if request.client else HOST
        asked = await _read(request)
        if bans is not None and bans.refuses(host, tenants.knows(asked.text("token"))):
            return _banned(host)
        return await _respond(tenants, asked, pending)

    for path in ("/api/", "/api"):
        app.add_api_route(path, api, methods=["POST"], response_model=None)
        app.add_api_route(path, _explain, methods=["GET"], response_model=None)
    app.add_exception_handler(HTTPException, _page_for)
    return app


async def _read(request: Request) -> ApiRequest:
    """Return what a client posted, with the file of a multipart form."""
    async with request.form(max_fields=MOST_FIELDS, max_part_size=LARGEST_PART) as form:
        pairs = [(key, value) for key, value in form.multi_items() if isinstance(value, str)]
        sent = [value for key, value in form.multi_items() if key == "file" and not isinstance(value, str)]
        upload = None
        if sent:
            upload = Upload(sent[0].filename or "", sent[0].content_type or "", await sent[0].read())
    return replace(ApiRequest.from_pairs(pairs), upload=upload, base=str(request.base_url))


def _checked_token(token: str) -> str:
    if len(token) != TOKEN_LENGTH or not set(token) <= set(string.hexdigits):
        raise UsageError("a REDCap token has 32 hexadecimal characters")
    return token.upper()


async def _explain() -> Response:
    return HTMLResponse(NOT_GET, 405)


async def _page_for(_: Request, error: Exception) -> Response:
    """Wrong paths and methods meet a web page, as on a real server."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return HTMLResponse(NOT_FOUND if status == 404 else APACHE_PAGE.format(status=status), status)


async def _respond(tenants: Tenants, asked: ApiRequest, faults: Faults) -> Response:
    records = asked.listed("records")
    fault = faults.next(asked.text("content"), None if records is None else len(records))
    if fault is not None and fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
    if fault is not None and fault.kind == "missing_records" and records:
        asked = replace(asked, lists={**asked.lists, "records": records[:-1]})
    if fault is not None and fault.kind in CHANGES:
        tenants.change(asked.text("token"), partial(CHANGES[fault.kind], fault))
    given = await run_in_threadpool(tenants.answer, asked, fault)
    if fault is not None and fault.kind in FAULTY:
        return FAULTY[fault.kind](fault, asked, given)
    return _response(given)


CHANGES: dict[str, Callable[[Fault, SandboxProject], SandboxProject]] = {
    "edit_record": lambda fault, project: edited(project, fault.record, fault.column, fault.value),
    "delete_record": lambda fault, project: deleted(project, fault.record),
    "rename_record": lambda fault, project: given_another_name(project, fault.record, fault.value),
}


def _response(given: Answer) -> Response:
    """Return the answer with the headers of a real server (a random text against compression attacks among them)."""
    headers = {
        "redcap-random-text": secrets.token_urlsafe(16),
        "expires": "0",
        "cache-control": "no-store, no-cache, must-revalidate",
        "pragma": "no-cache",
        "access-control-allow-origin": "*",
    }
    return Response(given.body, given.status, {**headers, "content-type": given.media})


class _Dropped(Response):
    """Promises a long answer and closes the connection after its first half."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        length = str(2 * len(self.body) + 1000).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", length)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": bytes(self.body), "more_body": True})


def _spoiled(fault: Fault, asked: ApiRequest, given: Answer) -> Response:
    return Response(spoiled_body(fault, given.body, asked.format), 200, {"content-type": given.media})


def _truncated(given: Answer) -> Response:
    return _response(Answer(200, given.body[: len(given.body) * 2 // 3], given.media))


def _banned(host: str) -> Response:
    return HTMLResponse(BANNED_PAGE.format(host=host), 403)


def _not_utf8(given: Answer) -> Response:
    return Response(given.body.replace(b"\n", b"\xa0\n", 2), 200, {"content-type": given.media})


FAULTY: dict[str, Callable[[Fault, ApiRequest, Answer], Response]] = {
    "forbidden": lambda fault, asked, given: _response(error_answer(403, NO_API, asked)),
    "status": lambda fault, asked, given: HTMLResponse(APACHE_PAGE.format(status=fault.status), fault.status),
    "truncated": lambda fault, asked, given: _truncated(given),
    "memory": lambda fault, asked, given: _response(error_answer(200, OUT_OF_MEMORY, asked)),
    "html": lambda fault, asked, given: HTMLResponse(LOGIN_PAGE),
    "drop": lambda fault, asked, given: _Dropped(given.body),
    "redirect": lambda fault, asked, given: RedirectResponse(fault.location, 302),
    "cut": _spoiled,
    "empty_body": _spoiled,
    "no_body": _spoiled,
    "banned": lambda fault, asked, given: _banned(HOST),
    "not_utf8": lambda fault, asked, given: _not_utf8(given),
}


@contextmanager
def serve(app: FastAPI, port: int = 0) -> Iterator[str]:
    """Serve ``app`` on 127.0.0.1 in a thread, on a free port unless one is given; yields the base address.

    The address ends in a slash; the API is at ``<address>api/``. Raises OutsideError if the port is taken.
    """
    listener = _listen(port)
    config = uvicorn.Config(app, log_level="critical", access_log=False, timeout_graceful_shutdown=1, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.005)
        yield f"http://{HOST}:{listener.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join(timeout=5)
        listener.close()


def _listen(port: int) -> socket.socket:
    # Only of sockets that name TCP as their protocol does asyncio turn off the delay of small packets (40 ms each).
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    failure = ""
    try:
        listener.bind((HOST, port))
    except (OSError, OverflowError) as error:
        failure = getattr(error, "strerror", None) or str(error)
    if failure:
        listener.close()
        raise OutsideError(f"the sandbox cannot listen on {HOST} port {port}: {failure}; choose another port")
    return listener
