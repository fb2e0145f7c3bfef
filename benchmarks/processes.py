"""Processor time and peak memory of a process together with the processes that it starts."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

PROCESSES = Path("/proc")
INTERVAL = 0.05  # seconds between two looks at the memory
PAGE = resource.getpagesize() / (1 << 20)


@dataclass(frozen=True)
class Usage:
    """Wall and processor seconds of a process and all that it started, their peak memory in MB, and what it printed."""

    wall: float
    processor: float
    peak: float
    output: str


def watch(command: list[str]) -> Usage:
    """Run a command to its end and return its usage; raises CalledProcessError if it fails.

    The memory is the largest sum over the processes of the command that were there at once, seen every 0.05 s; where
    there is no /proc it is the peak of the largest of them.
    """
    started, peak = time.perf_counter(), 0.0
    with tempfile.TemporaryFile() as printed, subprocess.Popen(command, stdout=printed) as process:
        while True:
            finished, status, used = os.wait4(process.pid, os.WNOHANG)
            if finished:
                break
            peak = max(peak, sum(map(_resident, _family(process.pid))))
            time.sleep(INTERVAL)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        output = printed.read().decode()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, output)
    largest = used.ru_maxrss / (1 << (20 if sys.platform == "darwin" else 10))
    return Usage(wall, used.ru_utime + used.ru_stime, max(peak, largest), output)


def _family(process: int) -> list[int]:
    """Return a process and all that it started and that are still there."""
    found = [process]
    for one in found:
        for children in (PROCESSES / str(one) / "task").glob("*/children"):
            try:
                found += map(int, children.read_text("ascii").split())
            except OSError:  # it has ended meanwhile
                continue
    return found


def _resident(process: int) -> float:
    try:
        return int((PROCESSES / str(process) / "statm").read_text("ascii").split()[1]) * PAGE
    except OSError:
        return 0.0
