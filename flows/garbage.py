"""Cycles of objects are looked for less often while a build runs: its many short-lived tables form none that matter."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = (50_000, 20, 50)  # Python's own are 700, 10, 10 or 2000, 10, 0; looking costs a build a tenth of its time


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Leave out what was there before, look seldom for cycles among what comes, and set things back at the end."""
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()
