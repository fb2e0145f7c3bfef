"""Serve an exported project from the command line, until it is stopped."""

from __future__ import annotations

import json
import secrets
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

from rich.console import Console

from metadata.errors import UsageError

TOKEN_BYTES = 16


@dataclass(frozen=True)
class SandboxOptions:
    """How a project is served: ``records`` is its state, ``user`` whose token it is (blank: one who may see all).

    ``faults`` are texts that ``Fault.read`` reads; ``doubled_quotes`` writes CSV in another way than PHP does.
    ``super_token`` asks for a token that creates projects; ``instruments`` are ZIPs of forms that the project gets.
    """

    records: str
    port: int = 0
    user: str = ""
    faults: Sequence[str] = ()
    doubled_quotes: bool = False
    super_token: bool = False
    instruments: Sequence[Path] = ()


def serve_until_stopped(folder: Path, options: SandboxOptions, as_json: bool) -> None:
    """Serve ``folder`` on this machine, under a new token, until Ctrl-C or SIGTERM."""
    from redcap_sandbox.faults import Fault, Faults
    from redcap_sandbox.instrument_zip import with_instrument
    from redcap_sandbox.server import SandboxProject, create_app, serve

    if not (folder / "dictionary.csv").is_file():
        raise UsageError(f"{folder} is not an exported REDCap project: it has no dictionary.csv")
    token = secrets.token_hex(TOKEN_BYTES).upper()
    faults = Faults(*map(Fault.read, options.faults))
    read = SandboxProject.read(folder, options.records)
    for path in options.instruments:
        read = with_instrument(read, path.read_bytes(), path.name)
    project = replace(read, doubled_quotes=options.doubled_quotes, log_exports=True)
    project = project.as_user(options.user) if options.user else project
    creators = (secrets.token_hex(2 * TOKEN_BYTES).upper(),) if options.super_token else ()
    stopped = threading.Event()
    with serve(create_app({token: project}, faults, creators), options.port) as address:
        variables = {"REDCAP_URL": f"{address}api/", "REDCAP_TOKEN": token}
        variables |= {"REDCAP_SUPER_TOKEN": creators[0]} if creators else {}
        _announce(folder, options.records, variables, as_json)
        wait_for_signal(stopped)


def _announce(folder: Path, state: str, variables: Mapping[str, str], as_json: bool) -> None:
    if as_json:
        named = {name.removeprefix("REDCAP_").lower(): value for name, value in variables.items()}
        print(json.dumps({**named, "records": state}), flush=True)  # noqa: T201
        return
    console = Console(highlight=False)
    console.print(f"REDCap sandbox: [bold]{folder}[/bold], records {state}\n")
    for name, value in variables.items():
        console.print(f"  export {name}={value}", soft_wrap=True)
    console.print("\nOnly this machine can reach it. What is written to it is forgotten when it stops: Ctrl-C.")
    sys.stdout.flush()


def wait_for_signal(stopped: threading.Event) -> None:
    """Return once SIGINT or SIGTERM came, or the event is set."""

    def stop(_: int, __: FrameType | None) -> None:
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        stopped.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
