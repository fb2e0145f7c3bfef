"""The processes of a place: each carries the place's folder in its environment, and so do those that it starts.

So a part is found again, and its children with it, after the part that started them has gone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import psutil

from flows.place.environment import PLACE
from flows.place.home import Home

PART = "REDCAP_CDISC_PART"
"""The name of the part that a process is, or was started by."""
RUN = "PREFECT__FLOW_RUN_ID"
"""Prefect's name for the variable that says which flow run a process executes."""
PATIENCE = 15.0


def start(home: Home, part: str, module: Sequence[str], environment: Mapping[str, str]) -> None:
    """Start ``python -m module...`` as a part of the place, in its own session; what it prints goes to its log."""
    marked = {**os.environ, **environment, PLACE: str(home.root), PART: part}
    with home.log(part).open("ab") as log:
        home.log(part).chmod(0o600)
        subprocess.Popen(  # noqa: S603  our own interpreter and modules
            [sys.executable, "-P", "-m", *module],
            env=marked,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def members(home: Home, part: str = "") -> list[psutil.Process]:
    """Return the processes of a place, or those of one part and its children, in the order in which they began."""
    found = []
    for process in psutil.process_iter():
        carried = _environment(process)
        if carried.get(PLACE) == str(home.root) and process.pid != os.getpid() and part in ("", carried.get(PART)):
            found.append(process)
    return sorted(found, key=_begun)


def head(home: Home, part: str) -> psutil.Process | None:
    """Return the process of a part: the first of those that carry its name and were not started by one of these."""
    own = members(home, part)
    numbers = {process.pid for process in own}
    heads = [one for one in own if _parent(one) not in numbers and not _environment(one).get(RUN)]
    return heads[0] if heads else None


def runs(home: Home) -> set[str]:
    """Return the ids of the flow runs that some process of the place executes."""
    return {found for process in members(home) if (found := _environment(process).get(RUN))}


def stop(processes: Iterable[psutil.Process]) -> None:
    """End processes and wait for them: asked first, then killed."""
    waiting = list(processes)
    for process in waiting:
        _signal(process, psutil.Process.terminate)
    _, left = psutil.wait_procs(waiting, timeout=PATIENCE)
    for process in left:
        _signal(process, psutil.Process.kill)
    psutil.wait_procs(left, timeout=PATIENCE)


def _signal(process: psutil.Process, how: object) -> None:
    try:
        how(process)  # type: ignore[operator]
    except psutil.NoSuchProcess:
        return


def _environment(process: psutil.Process) -> dict[str, str]:
    """Return a process's environment; empty for one of another user, and for one that has ended."""
    try:
        return {} if process.status() == psutil.STATUS_ZOMBIE else process.environ()
    except (psutil.Error, OSError):
        return {}


def _begun(process: psutil.Process) -> float:
    try:
        return process.create_time()
    except psutil.Error:
        return 0.0


def _parent(process: psutil.Process) -> int:
    try:
        return process.ppid()
    except psutil.Error:
        return 0


def log_end(path: Path, lines: int = 3) -> str:
    """Return the last lines of a log in one, for a sentence."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return " / ".join(line.strip() for line in text.splitlines()[-lines:] if line.strip())
