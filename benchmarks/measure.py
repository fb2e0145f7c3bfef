"""Seconds and peak memory of the stages of one process."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
CLEAR, STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


@dataclass(frozen=True)
class Stage:
    """One measured stage: wall and processor seconds, peak memory of the process in MB."""

    name: str
    wall: float
    processor: float
    peak: float


class Stages:
    """A step of the pipeline that measures each stage, and keeps what the stages named in ``keep`` returned."""

    def __init__(self, keep: tuple[str, ...] = ()) -> None:
        self.measured: list[Stage] = []
        self.kept: dict[str, Any] = dict.fromkeys(keep)

    def __call__(self, name: str, function: Callable[..., T], *values: Any, **_: Any) -> T:
        """Call the function as the stage ``name`` and return what it returned."""
        _restart_peak()
        wall, processor = time.perf_counter(), time.process_time()
        result = function(*values)
        self.measured.append(Stage(name, time.perf_counter() - wall, time.process_time() - processor, _peak()))
        if name in self.kept:
            self.kept[name] = result
        return result

    def whole(self, rest: str, function: Callable[..., T], *values: Any) -> T:
        """Call the function, and keep as the stage ``rest`` what it took outside the stages that it ran."""
        wall, processor = time.perf_counter(), time.process_time()
        result = function(*values)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        wall -= sum(stage.wall for stage in self.measured)
        processor -= sum(stage.processor for stage in self.measured)
        self.measured.append(Stage(rest, wall, processor, _peak()))
        return result

    def as_list(self) -> list[dict[str, Any]]:
        """Return the measured stages for JSON."""
        return [asdict(stage) for stage in self.measured]


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
