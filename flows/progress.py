"""The progress of a run, stage by stage, on standard error."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

from rich.console import Console

from flows import stage_summaries

T = TypeVar("T")
WIDTH = 22
PROGRESS_SHOWN: ContextVar[bool] = ContextVar("PROGRESS_SHOWN", default=False)  # a flow prints only for a person


class StagePrinter:
    """Runs stages, and prints for each its name, how long it took and a summary of its result."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.seconds: dict[str, float] = {}
        self._console = Console(stderr=True, highlight=False)

    def __call__(
        self, name: str, function: Callable[..., T], *values: Any, summary: Callable[[T], str] = stage_summaries.nothing
    ) -> T:
        """Run one stage."""
        started = time.perf_counter()
        result = function(*values)
        self.report(name, summary(result), time.perf_counter() - started)
        return result

    def report(self, name: str, summary: str, seconds: float) -> None:
        """Print one line."""
        self.seconds[name] = round(seconds, 3)
        if not self.quiet:
            self._console.print(f"  {name:<{WIDTH}} [dim]{seconds:6.2f} s[/dim]  {summary}", soft_wrap=True)
