"""Serve an exported project from the command line, until it is stopped."""

from __future__ import annotations

import json
import secrets
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from rich.console import Console

from metadata.errors import UsageError

TOKEN_BYTES = 16


def serve_until_stopped(folder: Path, state: str, port: int, as_json: bool) -> None:
    """Serve ``folder`` in one of its record states on this machine, under a new token, until Ctrl-C or SIGTERM."""
    from redcap_sandbox.server import SandboxProject, create_app, serve

    if not (folder / "dictionary.csv").is_file():
        raise UsageError(f"{folder} is not an exported REDCap project: it has no dictionary.csv")
    token = secrets.token_hex(TOKEN_BYTES).upper()
    project = SandboxProject.read(folder, state)
    stopped = threading.Event()
    with serve(create_app({token: project}), port) as address:
        _announce(folder, state, f"{address}api/", token, as_json)
        _wait_for_signal(stopped)


def _announce(folder: Path, state: str, url: str, token: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"url": url, "token": token, "records": state}), flush=True)  # noqa: T201
        return
    console = Console(highlight=False)
    console.print(f"REDCap sandbox: [bold]{folder}[/bold], records {state}")
    console.print(f"\n  export REDCAP_URL={url}\n  export REDCAP_TOKEN={token}\n", soft_wrap=True)
    console.print("Only this machine can reach it. Ctrl-C stops it.")
    sys.stdout.flush()


def _wait_for_signal(stopped: threading.Event) -> None:
    def stop(_: int, __: FrameType | None) -> None:
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        stopped.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
