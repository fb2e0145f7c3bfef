"""Builds and snapshots that nothing needs any more, found by the rule of ``flows.clean_up``, and removed."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from metadata.errors import OutsideError
from publish.lock import Lock
from publish.manifest import FILE as MANIFEST
from publish.manifest import seal
from publish.verification import read_manifest
from release.log import log_of, read_log

BUILD_ID = re.compile(r"[0-9a-f]{16}")


def remove_old_builds(root: Path, keep: int) -> list[Path]:
    """Remove builds of packages in ``root`` but the current one of each and the ``keep`` newest besides.

    A package at which a build is at work is left alone, and so is one that waits for approval: its log says that it was
    built to be released, and neither that it was released nor that it was rejected. Returns what was removed.
    """
    removed: list[Path] = []
    for store in sorted(root.glob("*.d")):
        link = store.with_suffix("")
        lock = Lock(store / ".lock", str(link))
        with suppress(OutsideError):
            lock.take()
            try:
                removed += _remove(_old_builds(store, link, keep))
            finally:
                lock.release()
    return removed


def _old_builds(store: Path, link: Path, keep: int) -> list[Path]:
    current = link.resolve()
    found = [path for path in store.iterdir() if BUILD_ID.fullmatch(path.name) and path.resolve() != current]
    old = sorted(found, key=lambda path: (path.stat().st_mtime, path.name), reverse=True)[keep:]
    waiting = _waiting(link) if old else set()
    return [path for path in old if seal(read_manifest(path)) not in waiting] if waiting else old


def _waiting(link: Path) -> set[str]:
    """Return the hashes of the manifests that wait for approval; raises UsageError for a log that is not right."""
    subjects: dict[str, set[str]] = {}
    for one in read_log(log_of(link)):
        subjects.setdefault(one.meaning, set()).add(one.subject)
    none = set[str]()
    return subjects.get("built", none) - subjects.get("released", none) - subjects.get("rejected", none)


def remove_old_snapshots(root: Path, before: datetime) -> list[Path]:
    """Remove snapshots that were taken before a time and that nothing in ``root`` needs; returns their folders.

    Needed are those of which a build was made that is still there, released or not, the one from which the next
    extraction of a study begins, and the newest of each study.
    """
    needed = {*_of_builds(root)}
    removed: list[Path] = []
    for study in sorted(path for path in (root / "snapshots").glob("*") if path.is_dir()):
        taken = [path for path in study.iterdir() if path.is_dir() and not path.name.startswith(".")]
        newest = max(taken, key=lambda path: path.stat().st_mtime, default=None)
        kept = {*needed, *_of_extractions(study / "extractions.json")}
        old = [path for path in taken if path.name not in kept and path != newest]
        removed += _remove([path for path in sorted(old) if path.stat().st_mtime < before.timestamp()])
    return removed


def _of_builds(root: Path) -> Iterator[str]:
    """Yield the ids of the snapshots that manifests name: those of builds, and of all that was released."""
    for pattern in (f"*/{MANIFEST}", f"*.d/*/{MANIFEST}", f"releases/**/{MANIFEST}"):
        for path in root.glob(pattern):
            with suppress(ValueError, KeyError, TypeError):  # the manifest of something else
                yield str(json.loads(path.read_text(encoding="utf-8"))["snapshot"]["id"])


def _of_extractions(path: Path) -> list[str]:
    try:
        noted = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [str(one.get("snapshot")) for one in noted.values()]


def _remove(folders: list[Path]) -> list[Path]:
    """Remove folders so that none is ever seen half removed."""
    for folder in folders:
        gone = folder.with_name(f".removed-{folder.name}")
        folder.rename(gone)
        shutil.rmtree(gone)
    return folders
