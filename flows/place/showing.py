"""What ``up``, ``down`` and ``status`` print: what runs, where to click, what is missing."""

from __future__ import annotations

import json
import os
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from flows.place.connections import connect
from flows.place.pages import ALERTS
from flows.place.parts import shown
from flows.place.place import Asked, Standing, alerts_of, down, status, studies_of, up
from flows.prefect_server import HOST
from flows.stage_summaries import counted
from metadata.errors import UsageError

NOWHERE = "http://localhost/alerts"
"""The address in the notification block until somebody fills in the right one."""
STOPPED = 1
"""Exit code of ``status`` where something does not run."""


def show_up(root: Path, asked: Asked) -> None:
    """Start a place and print where to click."""
    standing = up(root, asked)
    console = _console()
    what = "started" if len(standing.started) == len(standing.parts) else "was running"
    again = f"; started again: {', '.join(standing.started)}" if standing.started and what == "was running" else ""
    console.print(f"The place in [bold]{escape(shown(standing.home.root))}[/bold] {what}{again}.\n")
    for connection in standing.connections:
        console.print(f"  {escape(connection.study.name)}: {escape(connection.sentence())}")
    console.print("\nWhere to click:")
    _places(console, standing)
    console.print("\nTo start a run: Deployments, the study, Run, Custom run. What runs: redcap-cdisc status. To stop:"
                  " redcap-cdisc down.")  # fmt: skip
    console.print("Everybody with an account on this machine can reach these pages.")


def show_deployed(studies: Path | None, notify: str) -> None:
    """Bring the deployments of studies to a Prefect server of one's own, and print where the records come from."""
    from flows.place.bootstrap import bootstrap

    if not os.environ.get("PREFECT_API_URL"):
        raise UsageError("set PREFECT_API_URL to the API of your Prefect server, such as http://localhost:4200/api")
    found = studies_of(str(studies) if studies else "")
    console = _console()
    for connection in bootstrap(lambda has: connect(found, (), {}, "", has), notify or NOWHERE):
        console.print(f"  {escape(connection.study.name)}: {escape(connection.sentence())}")


def show_down(root: Path) -> None:
    """Stop a place and print what ran."""
    ran = down(root)
    _console().print(f"stopped: {', '.join(ran)}" if ran else f"nothing runs in {escape(shown(root))}")


def show_status(root: Path, as_json: bool) -> int:
    """Print what runs; return 0 if all of a place does, 1 if not."""
    standing = status(root)
    whole = standing is not None and standing.whole
    if as_json:
        parts = standing.parts if standing else {}
        print(json.dumps({"whole": whole, "parts": parts, "prefect": standing.address if standing else ""}))  # noqa: T201
        return 0 if whole else STOPPED
    console = _console()
    if standing is None:
        console.print(f"there is no place in {escape(shown(root))}: start one with redcap-cdisc up")
        return STOPPED
    for name, runs in standing.parts.items():
        console.print(f"  {name:<8} {'runs' if runs else '[bold]does not run[/bold]'}")
    if whole:
        _places(console, standing)
    elif any(standing.parts.values()):
        console.print("redcap-cdisc up starts what is missing.")
    return 0 if whole else STOPPED


def _places(console: Console, standing: Standing) -> None:
    pages = f"http://{HOST}:{standing.choices.pages}/"
    count = alerts_of(standing)
    for what, where in (
        ("runs and schedules", f"{standing.address}/deployments"),
        ("builds", pages),
        (f"alerts ({counted(count, 'alert')})", f"{pages}{ALERTS}"),
    ):
        console.print(f"  {what:<22} {where}")


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True)
