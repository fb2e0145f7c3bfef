"""What is received before a snapshot is complete: on the disk as it comes, so that memory holds one answer.

A run that is killed, or whose server fails, leaves the folder, and the next run for the same purpose goes on there:
each batch has the list of its records that were proven whole. A lock, which ends with its process however that ends,
keeps two runs apart.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from extract.storage import UNFINISHED, prepare, refusals, sha256, write
from metadata.errors import OutsideError

RECEIVING = ".receiving-"
BEGUN, LOCK = "begun", "lock"


class ServerFailure(OutsideError):
    """The server or the way to it failed; what came before is as good as it was."""


class Received:
    """The answers of one extraction, kept in a folder below ``parent``; ``purpose`` names what is read, and from where.

    To be used as a context. At its end the files are removed, except after a ServerFailure or where the process was
    killed: the next one of the same purpose then finds them (``resumed``). ``begun`` is when the first of these runs
    began, by the server's clock in UTC. Raises OutsideError if the disk refuses.
    """

    def __init__(self, parent: Path, purpose: str, begun: datetime) -> None:
        self.parent, self.purpose, self.begun = parent, purpose, begun
        self.paths: list[Path] = []
        self._folder: Path | None = None
        self._lock = -1
        self._earlier: dict[Path, list[str]] = {}
        self._proven = False

    def __enter__(self) -> Received:
        with refusals(self.parent):
            prepare(self.parent)
            self._folder = self._locked(self.parent / f"{RECEIVING}{self.purpose}")
            if self._folder is None:  # another process is at it: this one begins anew, in a folder that nobody resumes
                self._folder = Path(tempfile.mkdtemp(prefix=f"{UNFINISHED}{os.getpid()}-", dir=self.parent))
            else:
                self._sweep()
                self._resume()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        left = kind is not None and issubclass(kind, ServerFailure) and self._lock >= 0
        left = left and (self._proven or self.resumed)
        if self._folder and not left:
            shutil.rmtree(self._folder, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)

    @property
    def resumed(self) -> bool:
        """Whether an earlier run left something."""
        return bool(self._earlier)

    def earlier(self) -> Iterator[tuple[list[str], bytes]]:
        """Yield what earlier runs left, in its order: names of records that came whole, and the answer they are in."""
        for path, names in self._earlier.items():
            yield names, path.read_bytes()

    def add(self, body: bytes) -> None:
        """Keep an answer."""
        assert self._folder, "the context was not entered"
        path = self._folder / f"{int(self.paths[-1].name) + 1 if self.paths else 1:04}"
        with refusals(self.parent):
            write(path, body)
        self.paths.append(path)

    def prove(self, names: Sequence[str]) -> None:
        """Note which records of the answer that was kept last came whole."""
        path = self.paths[-1]
        noted = {"sha256": sha256(path), "records": list(names)}
        with refusals(self.parent):
            write(path.with_suffix(".json"), json.dumps(noted).encode())
        self._proven = True

    def _locked(self, folder: Path) -> Path | None:
        """Return the folder, locked for this process, or None if another one has it."""
        folder.mkdir(mode=0o700, exist_ok=True)
        self._lock = _lock(folder)
        return folder if self._lock >= 0 else None

    def _resume(self) -> None:
        """Take up what an earlier run left; an answer that was not proven before it ended counts as not received."""
        assert self._folder
        begun = self._folder / BEGUN
        try:
            self.begun = datetime.fromisoformat(begun.read_text())
            lists = {path.with_suffix(""): _read_names(path) for path in sorted(self._folder.glob("*.json"))}
        except (OSError, ValueError):
            lists = {}
        self._earlier = {path: names for path, names in lists.items() if names}
        self.paths = list(self._earlier)
        kept = {LOCK, *(name for path in self.paths for name in (path.name, f"{path.name}.json"))}
        for path in self._folder.iterdir():
            if path.name not in (*kept, *([BEGUN] if self.paths else [])):
                path.unlink()
        if not self.paths:
            write(begun, self.begun.isoformat().encode())

    def _sweep(self) -> None:
        """Remove what runs for another purpose left, for instance before the structure changed: no run resumes it."""
        for left in self.parent.glob(f"{RECEIVING}*"):
            if left != self._folder and (lock := _lock(left)) >= 0:
                shutil.rmtree(left, ignore_errors=True)
                os.close(lock)


def _read_names(path: Path) -> list[str]:
    """Return the records that an answer has whole; none if it or the note of it was not written to its end."""
    try:
        noted = json.loads(path.read_bytes())
        return list(map(str, noted["records"])) if noted["sha256"] == sha256(path.with_suffix("")) else []
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _lock(folder: Path) -> int:
    """Return the descriptor of a folder's lock, -1 if another process holds it."""
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return -1
    return descriptor
