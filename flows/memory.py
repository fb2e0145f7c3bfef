"""Python's collector runs seldom, and memory that a stage has freed goes back to the system."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = (50_000, 20, 50)
"""Thresholds of the collector; Python's own cost a build or a check a tenth of its time."""


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """Let the collector run seldom meanwhile."""
    usual = gc.get_threshold()
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def give_back() -> None:
    """Return freed memory to the system where the C library is glibc, which keeps it between what is still in use.

    After the stages of a large study that is a third of what the process has; other systems return it by themselves.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
