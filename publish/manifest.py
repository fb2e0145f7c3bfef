"""The manifest: every file of a package with its size and hash, and all that the package was made from."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata as installed
from pathlib import Path
from typing import Any

from metadata.errors import UsageError
from metadata.study import Study
from publish.disk import outside, sha256, write_bytes

DISTRIBUTION = "redcap-cdisc"
SHAPING = (
    "duckdb",
    "great-expectations",
    "jinja2",
    "lxml",
    "matplotlib",
    "numpy",
    "odmlib",
    "pandas",
    "pandera",
    "pillow",
    "pyarrow",
    "pyreadstat",
    "reportlab",
    "scipy",
)
SOURCE_FOLDERS = ("redcap", "synthetic")  # the snapshot's id covers the records and the project's structure
FILE = "manifest.json"


@dataclass(frozen=True)
class Inputs:
    """What a package is made from; ``options`` are choices of the command line that change it, such as a cut-off."""

    study: Study
    snapshot_id: str
    snapshot_date: str
    options: Mapping[str, str] = field(default_factory=dict)


def software_version() -> str:
    """Return the version of this software, installed or run from its repository."""
    try:
        return installed.version(DISTRIBUTION)
    except installed.PackageNotFoundError:
        project = Path(__file__).resolve().parent.parent / "pyproject.toml"
        return str(tomllib.loads(project.read_text("utf-8"))["project"]["version"])


def study_files(study: Study) -> list[Path]:
    """Return the files of a study's folder that shape the package, in order of their paths."""
    with outside(f"read {study.folder}"):
        files = [path for path in study.folder.rglob("*") if path.is_file()]
    return sorted(path for path in files if _shapes(path.relative_to(study.folder)))


def _shapes(path: Path) -> bool:
    hidden = any(part.startswith((".", "__")) for part in path.parts)
    return not hidden and path.parts[0] not in SOURCE_FOLDERS and not path.name.endswith(("~", ".pyc"))


def package_id(inputs: Inputs) -> str:
    """Return the id of the package: 16 hexadecimal digits over snapshot, study's files, options and software."""
    parts = [inputs.snapshot_id, software_version()]
    parts += [f"{name}={value}" for name, value in sorted(inputs.options.items())]
    parts += [
        f"{entry['path']} {entry['sha256']}" for entry in _entries(inputs.study.folder, study_files(inputs.study))
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def write(folder: Path, inputs: Inputs) -> None:
    """Write ``manifest.json`` over all other files below ``folder``; raises OutsideError."""
    with outside(f"read {folder}"):
        files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / FILE)
    content = {**describe(inputs), "files": _entries(folder, files)}
    write_bytes(folder / FILE, (json.dumps(content, indent=2, ensure_ascii=True) + "\n").encode())


def describe(inputs: Inputs) -> dict[str, Any]:
    """Return what the package is and what it was made from, in a fixed order and without time or machine."""
    study, files = inputs.study, study_files(inputs.study)
    entries = _entries(study.folder, files)
    return {
        "study": study.studyid,
        "synthetic": study.is_synthetic,
        "package": package_id(inputs),
        "snapshot": {"id": inputs.snapshot_id, "date": inputs.snapshot_date},
        "part": study.part,
        "options": dict(sorted(inputs.options.items())),
        "standards": dict(sorted(study.standards.items())),
        "versions": {DISTRIBUTION: software_version(), **{name: installed.version(name) for name in SHAPING}},
        "study_code": [entry["path"] for entry in entries if entry["path"].endswith(".py")],
        "inputs": entries,
    }


def _entries(root: Path, files: list[Path]) -> list[dict[str, Any]]:
    with outside(f"read {root}"):
        return [
            {"path": path.relative_to(root).as_posix(), "size": path.stat().st_size, "sha256": sha256(path)}
            for path in files
        ]


def changed(folder: Path) -> list[tuple[str, str]] | None:
    """Return the files of a package that are not as its manifest says, each with what is wrong; None without one.

    Raises UsageError for a manifest that is none, OutsideError if the disk fails.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        entries = {str(one["path"]): one for one in json.loads(path.read_bytes())["files"]}
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{path} is not the manifest of a package") from None
    with outside(f"read {folder}"):
        there = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file()}
        found = [(name, "is missing") for name in entries if name not in there]
        found += [(name, "is not in the manifest") for name in there if name not in entries and name != FILE]
        found += [
            (name, "was changed") for name, file in there.items() if name in entries and _differs(file, entries[name])
        ]
    return sorted(found)


def _differs(file: Path, entry: Mapping[str, Any]) -> bool:
    return file.stat().st_size != entry["size"] or sha256(file) != entry["sha256"]
