"""The floor beneath a stage that writes: as many bytes, plainly."""

from __future__ import annotations

import os
from pathlib import Path

BLOCK = 1 << 20


def write_plainly(path: Path, size: int) -> None:
    """Write ``size`` bytes in blocks and force them to disk."""
    block = b"x" * BLOCK
    with path.open("wb") as file:
        for start in range(0, size, BLOCK):
            file.write(block[: min(BLOCK, size - start)])
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
