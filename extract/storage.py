"""The folder of a snapshot: written under another name and renamed, for its owner only, verified when opened."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from metadata.errors import OutsideError

MANIFEST = "snapshot.json"
UNFINISHED = ".taking-"
FOLDER_MODE, FILE_MODE = 0o700, 0o600
Content = bytes | Path | Callable[[BinaryIO], None]
"""A file's bytes, a file to be copied, which may be larger than memory, or what writes the file."""


def store(folder: Path, files: Mapping[str, Content], manifest: Mapping[str, Any]) -> bool:
    """Write ``files`` and their manifest as ``folder``; returns False if it exists already and was left as it is.

    All is written to another folder first, which is renamed when complete, so that no one finds half a snapshot. Raises
    OutsideError if the disk refuses.
    """
    with refusals(folder.parent):
        stored = _store(folder, files, manifest)
    return stored


@contextmanager
def refusals(parent: Path) -> Iterator[None]:
    """Turn an error of the disk into one sentence, raised outside its handler: no value of a patient hangs on to it."""
    failure = ""
    try:
        yield
    except OSError as error:
        failure = f"the snapshot cannot be written to {parent}: {error.strerror or error}"
    if failure:
        raise OutsideError(failure)


def prepare(parent: Path) -> None:
    """Make the folder of a study's snapshots, and remove what killed runs left in it."""
    parent.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
    _sweep(parent)


def _store(folder: Path, files: Mapping[str, Content], manifest: Mapping[str, Any]) -> bool:
    prepare(folder.parent)
    if folder.exists():
        return False
    aside = folder.parent / f"{UNFINISHED}{os.getpid()}-{folder.name}"
    aside.mkdir(mode=FOLDER_MODE)
    try:
        for name, content in files.items():
            write(aside / name, content)
        listed = {name: _described(aside / name) for name in sorted(files)}
        write(aside / MANIFEST, json_bytes({**manifest, "files": listed}))
        aside.rename(folder)
    except OSError:
        shutil.rmtree(aside, ignore_errors=True)
        if folder.is_dir():
            return False  # another run took the same content meanwhile
        raise
    return True


def _described(path: Path) -> dict[str, Any]:
    return {"size": path.stat().st_size, "sha256": sha256(path)}


def write(path: Path, content: Content) -> None:
    """Write a new file for its owner only, to the disk itself."""
    path.parent.mkdir(exist_ok=True, mode=FOLDER_MODE)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        if isinstance(content, bytes):
            file.write(content)
        elif isinstance(content, Path):
            with content.open("rb") as source:
                shutil.copyfileobj(source, file)
        else:
            content(file)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, content: bytes) -> None:
    """Write a file in place of the one there is, whole or not at all; raises OutsideError if the disk refuses."""
    with refusals(path.parent):
        aside = path.with_name(f"{path.name}.{os.getpid()}")
        aside.unlink(missing_ok=True)
        write(aside, content)
        aside.replace(path)


def _sweep(parent: Path) -> None:
    """Remove the unfinished folders of runs that were killed: they hold patients' data too."""
    for left in parent.glob(f"{UNFINISHED}*"):
        owner = left.name.removeprefix(UNFINISHED).partition("-")[0]
        if owner.isdigit() and int(owner) != os.getpid() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(left, ignore_errors=True)


def verified(folder: Path) -> dict[str, Any]:
    """Return the manifest of a snapshot; raises OutsideError naming the first of its files that is not as stored."""
    manifest = _manifest(folder)
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {MANIFEST}
    if found - set(manifest["files"]) and set(manifest["files"]) - found:
        raise _damaged(folder, f"{MANIFEST} lists other files")
    for name, expected in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            raise _damaged(folder, f"{name} is missing")
        if sha256(path) != expected["sha256"]:
            raise _damaged(folder, f"{name} is not as it was stored")
    strange = found - set(manifest["files"])
    if strange:
        raise OutsideError(f"the snapshot {folder} is damaged: {min(strange)} does not belong to it")
    return manifest


def _damaged(folder: Path, problem: str) -> OutsideError:
    return OutsideError(f"the snapshot {folder} is damaged: {problem}; take it again")


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise OutsideError(f"{folder} is not a snapshot: it has no {MANIFEST}")
    try:
        manifest = json.loads(path.read_bytes())
        complete = isinstance(manifest["files"], dict) and manifest["id"] == folder.resolve().name
    except (ValueError, KeyError, TypeError):
        complete = False
    if not complete:
        raise _damaged(folder, f"{MANIFEST} is not as it was stored")
    return dict(manifest)


def json_bytes(value: object) -> bytes:
    """Return a value as indented JSON."""
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
