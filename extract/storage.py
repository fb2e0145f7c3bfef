"""The folder of a snapshot: written under another name and renamed, for its owner only, verified when opened."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metadata.errors import OutsideError

MANIFEST = "snapshot.json"
UNFINISHED = ".taking-"
FOLDER_MODE, FILE_MODE = 0o700, 0o600


def store(folder: Path, files: Mapping[str, bytes], manifest: Mapping[str, Any]) -> bool:
    """Write ``files`` and their manifest as ``folder``; returns False if it exists already and was left as it is.

    All is written to another folder first, which is renamed when complete, so that no one finds half a snapshot. Raises
    OutsideError if the disk refuses.
    """
    failure = ""
    try:
        return _store(folder, files, manifest)
    except OSError as error:
        failure = f"the snapshot cannot be written to {folder.parent}: {error.strerror or error}"
    raise OutsideError(failure)


def _store(folder: Path, files: Mapping[str, bytes], manifest: Mapping[str, Any]) -> bool:
    folder.parent.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
    _sweep(folder.parent)
    if folder.exists():
        return False
    aside = folder.parent / f"{UNFINISHED}{os.getpid()}-{folder.name}"
    aside.mkdir(mode=FOLDER_MODE)
    try:
        listed = {name: {"size": len(body), "sha256": _sha256(body)} for name, body in sorted(files.items())}
        for name, body in files.items():
            _write(aside / name, body)
        _write(aside / MANIFEST, json_bytes({**manifest, "files": listed}))
        aside.rename(folder)
    except OSError:
        shutil.rmtree(aside, ignore_errors=True)
        if folder.is_dir():
            return False  # another run took the same content meanwhile
        raise
    return True


def _write(path: Path, body: bytes) -> None:
    path.parent.mkdir(exist_ok=True, mode=FOLDER_MODE)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())


def _sweep(parent: Path) -> None:
    """Remove the unfinished folders of runs that were killed: they hold patients' data too."""
    for left in parent.glob(f"{UNFINISHED}*"):
        owner = left.name.removeprefix(UNFINISHED).partition("-")[0]
        if owner.isdigit() and int(owner) != os.getpid() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(left, ignore_errors=True)


def verified(folder: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return manifest and files of a snapshot; raises OutsideError naming the first file that is not as stored."""
    manifest = _manifest(folder)
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {MANIFEST}
    if found - set(manifest["files"]) and set(manifest["files"]) - found:
        raise _damaged(folder, f"{MANIFEST} lists other files")
    files: dict[str, bytes] = {}
    for name, expected in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            raise _damaged(folder, f"{name} is missing")
        files[name] = path.read_bytes()
        if _sha256(files[name]) != expected["sha256"]:
            raise _damaged(folder, f"{name} is not as it was stored")
    if found - set(files):
        raise OutsideError(f"the snapshot {folder} is damaged: {min(found - set(files))} does not belong to it")
    return manifest, files


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


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
