"""One build at a time: a lock that ends with its process, however it ends."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from metadata.errors import OutsideError
from publish.disk import outside


class Lock:
    """An exclusive lock on a file, which holds the number of the process that has it."""

    def __init__(self, path: Path, what: str) -> None:
        self.path, self.what = path, what
        self._descriptor: int | None = None

    def take(self) -> None:
        """Take the lock at once; raises OutsideError, naming the other process, if it is taken."""
        with outside(f"lock {self.path}"):
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            with outside(f"lock {self.path}"):
                self._lock(descriptor)
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def _lock(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(descriptor, 20, 0).decode("ascii", "replace") or "unknown"
            raise OutsideError(
                f"another build (process {owner}) is writing {self.what}; wait until it ends, or choose another --out"
            ) from None

    def release(self) -> None:
        """Give the lock back; nothing happens if it was not taken."""
        if self._descriptor is not None:
            with suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None
