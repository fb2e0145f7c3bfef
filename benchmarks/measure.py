"""Seconds and peak memory of the stages of one process."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
CLEAR, STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


@dataclass(frozen=True)
class Stage:
    """One measured stage: rows that came of it, wall and processor seconds, peak memory of the process in MB."""

    name: str
    rows: int
    seconds: float
    processor: float
    peak: float


def _restart_peak() -> None:
    """Let the peak start anew, where the system can (Linux); elsewhere it is the peak since the start."""
    try:
        CLEAR.write_text("5", "ascii")
    except OSError:
        return


def _peak() -> float:
    if STATUS.is_file():
        line = next(line for line in STATUS.read_text("ascii").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


@dataclass
class Stages:
    """The stages of one process, in order."""

    made: list[Stage] = field(default_factory=list)

    def run(self, name: str, function: Callable[[], T], rows: Callable[[T], int] = lambda _: 0) -> T:
        """Call ``function`` as the stage ``name`` and return what it returned."""
        _restart_peak()
        wall, processor = time.perf_counter(), time.process_time()
        result = function()
        self.made.append(
            Stage(name, rows(result), time.perf_counter() - wall, time.process_time() - processor, _peak())
        )
        return result

    def as_list(self) -> list[dict[str, Any]]:
        """Return the stages for JSON."""
        return [asdict(stage) for stage in self.made]
