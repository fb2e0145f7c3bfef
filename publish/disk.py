"""Files that are either complete or absent, and disk errors as one sentence."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from metadata.errors import OutsideError

PARTIAL = ".partial"
BLOCK = 1 << 20


DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)


@contextmanager
def outside(doing: str) -> Iterator[None]:
    """Turn an OSError (disk full, no permission, read-only) into an OutsideError that names what was being done."""
    try:
        yield
    except OSError as error:
        raise OutsideError(f"cannot {doing}: {error.strerror or error}") from error


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file next to ``path`` that replaces it when the block ends without an error.

    An existing file is not touched until then, nor if the block fails. A package is forced to disk as a whole
    (``sync_tree``) before it counts, not file by file. Raises OutsideError.
    """
    partial = path.with_name(path.name + PARTIAL)
    try:
        with outside(f"write {path}"), partial.open("wb") as file:
            yield file
        with outside(f"write {path}"):
            partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def write_bytes(path: Path, content: bytes) -> None:
    """Write a whole file; raises OutsideError."""
    with replacing(path) as file:
        file.write(content)


def sync_tree(folder: Path) -> None:
    """Force every file and folder below ``folder``, and itself, to disk; raises OutsideError."""
    with outside(f"write {folder}"):
        for path in (*sorted(folder.rglob("*")), folder, folder.parent):
            if not path.is_symlink():
                sync(path)


def sync(path: Path) -> None:
    """Force one file, or the names in one folder, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; raises OutsideError."""
    digest = hashlib.sha256()
    with outside(f"read {path}"), path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
