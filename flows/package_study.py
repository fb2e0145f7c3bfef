"""Of which study a package is."""

from __future__ import annotations

import json
from pathlib import Path

from metadata.errors import UsageError
from metadata.study import Study


def known_study(folder: Path, name: str | None) -> Study | None:
    """Return the study that is named, or the bundled one whose package it is, or None: the package is others'."""
    return Study.open(name) if name else _bundled(folder)


def study_of(folder: Path, name: str | None) -> Study:
    """Return the study that is named, or the bundled one whose package it is; raises UsageError if it is neither."""
    found = known_study(folder, name)
    if found is None:
        raise UsageError("which study is it? Name it, or give its folder, with --study")
    return found


def _bundled(folder: Path) -> Study | None:
    from publish.manifest import FILE

    manifest = folder / FILE
    if not manifest.is_file():
        return None
    try:
        studyid = json.loads(manifest.read_text(encoding="utf-8"))["study"]
    except (ValueError, KeyError, TypeError):
        return None  # another software's
    return next((study for study in map(Study.open, Study.bundled()) if study.studyid == studyid), None)
