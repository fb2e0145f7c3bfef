"""Telling a person what a run does, stage by stage, on standard error."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

from rich.console import Console

from flows import stage_summaries

T = TypeVar("T")
WIDTH = 22
TOLD: ContextVar[bool] = ContextVar("TOLD", default=False)  # a flow tells only where a person watches it


class Teller:
    """A step that calls the stage and tells its name, what came of it and how long it took."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.seconds: dict[str, float] = {}
        self._console = Console(stderr=True, highlight=False)

    def __call__(
        self, name: str, function: Callable[..., T], *values: Any, fact: Callable[[T], str] = stage_summaries.nothing
    ) -> T:
        """Run one stage."""
        started = time.perf_counter()
        made = function(*values)
        self.tell(name, fact(made), time.perf_counter() - started)
        return made

    def tell(self, name: str, fact: str, seconds: float) -> None:
        """Print one line."""
        self.seconds[name] = round(seconds, 3)
        if not self.quiet:
            self._console.print(f"  {name:<{WIDTH}} [dim]{seconds:6.2f} s[/dim]  {fact}", soft_wrap=True)
