"""The manifest: every file of a package with its size and hash, and all that the package was made from.

What depends on the versions of installed libraries (figures, PDF, parquet, compressed files) is marked and kept
apart: ``same_everywhere`` is a hash over the rest, equal for the same inputs on any machine and any supported Python.
``sha256`` is a hash over the whole manifest; kept elsewhere, it proves a package unchanged.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata as installed
from pathlib import Path
from typing import Any

from metadata.other_sources import FOLDER
from metadata.study import Study
from publish.disk import BLOCK, outside, sha256, write_bytes

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
    "xlsxwriter",
)
SOURCE_FOLDERS = ("redcap", FOLDER, "synthetic")  # the snapshot's id covers records, structure and other files
FILE = "manifest.json"
CONFORMANCE = "validation/conformance.json"
INSTALLED, SAME, SEAL = "installed", "same_everywhere", "sha256"
DRAWN = ("matplotlib", "numpy", "pillow")
DEPENDING = {
    ".dsjc": ("zlib",),
    ".parquet": ("pyarrow",),
    ".pdf": ("pillow", "reportlab"),
    ".png": DRAWN,
    ".svg": DRAWN,
    ".xlsx": ("xlsxwriter", "zlib"),
}
"""Libraries whose version may change the bytes of a file, though not what it says."""
NAMING = {
    "acceptance.json": ("great-expectations",),
    "acceptance.html": ("great-expectations",),
    "adrg.pdf": SHAPING,
    "csdrg.pdf": SHAPING,
}
"""Files that name the versions."""
PICTURES = {".rtf": (rb"\pngblip",), ".html": (b"<svg", b"data:image/")}
"""What shows that a document has a drawn picture inside."""


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
    entries = _entries(inputs.study.folder, study_files(inputs.study))
    return id_of(inputs.snapshot_id, software_version(), inputs.options, entries)


def id_of(snapshot: str, version: str, options: Mapping[str, str], entries: Sequence[Mapping[str, Any]]) -> str:
    """Return the id that follows from a snapshot's id, the software's version, options and the study's files."""
    parts = [snapshot, version]
    parts += [f"{name}={value}" for name, value in sorted(options.items())]
    parts += [f"{entry['path']} {entry['sha256']}" for entry in entries]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def write(folder: Path, inputs: Inputs) -> None:
    """Write ``manifest.json`` over all other files below ``folder``; raises OutsideError."""
    with outside(f"read {folder}"):
        files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / FILE)
    content = {**describe(inputs), "conformance": conformance(folder), "files": _marked(folder, files)}
    content[SAME] = same_everywhere(content)
    content[SEAL] = seal(content)
    write_bytes(folder / FILE, as_bytes(content))


def as_bytes(content: Mapping[str, Any]) -> bytes:
    """Return the manifest as it is written."""
    return (json.dumps(content, indent=2, ensure_ascii=True) + "\n").encode()


def same_everywhere(content: Mapping[str, Any]) -> str:
    """Return the hash over all in a manifest that no installed library's version changes."""
    rest = {name: value for name, value in content.items() if name not in (INSTALLED, SAME, SEAL)}
    rest["files"] = [entry for entry in content["files"] if "depends_on" not in entry]
    return _hash(rest)


def seal(content: Mapping[str, Any]) -> str:
    """Return the hash over a whole manifest."""
    return _hash({name: value for name, value in content.items() if name != SEAL})


def _hash(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def _version(name: str) -> str:
    return zlib.ZLIB_RUNTIME_VERSION if name == "zlib" else installed.version(name)


def conformance(folder: Path) -> dict[str, Any] | None:
    """Return what the conformance rules found in the package, as counts; None if it was not judged."""
    path = folder / CONFORMANCE
    if not path.is_file():
        return None
    with outside(f"read {path}"):
        judged = json.loads(path.read_text("utf-8"))
    left: dict[str, int] = {}
    for finding in judged["findings"]:
        if not finding["explained"]:
            left[finding["severity"]] = left.get(finding["severity"], 0) + 1
    counts = {name: judged[name] for name in ("standard", "terminology")}
    return {**counts, **judged["counts"], "unexplained_by_severity": dict(sorted(left.items()))}


def describe(inputs: Inputs) -> dict[str, Any]:
    """Return what the package is and what it was made from, in a fixed order and without time or machine."""
    study, files = inputs.study, study_files(inputs.study)
    entries = _entries(study.folder, files)
    return {
        "study": study.studyid,
        "synthetic": study.is_synthetic,
        **({"blinding": study.blinding} if study.blinding else {}),
        "package": package_id(inputs),
        "snapshot": {"id": inputs.snapshot_id, "date": inputs.snapshot_date},
        "part": study.part,
        "options": dict(sorted(inputs.options.items())),
        "standards": dict(sorted(study.standards.items())),
        "versions": {DISTRIBUTION: software_version()},
        INSTALLED: {name: _version(name) for name in (*SHAPING, "zlib")},
        "study_code": [entry["path"] for entry in entries if entry["path"].endswith(".py")],
        "inputs": entries,
    }


def _entries(root: Path, files: list[Path]) -> list[dict[str, Any]]:
    with outside(f"read {root}"):
        return [
            {"path": path.relative_to(root).as_posix(), "size": path.stat().st_size, "sha256": sha256(path)}
            for path in files
        ]


def _marked(root: Path, files: list[Path]) -> list[dict[str, Any]]:
    """Return the entries of files; those whose bytes depend on installed libraries name them."""
    entries = _entries(root, files)
    for path, entry in zip(files, entries, strict=True):
        libraries = NAMING.get(path.name) or DEPENDING.get(path.suffix) or (DRAWN if _has_picture(path) else ())
        if libraries:
            entry["depends_on"] = list(libraries)
    return entries


def _has_picture(path: Path) -> bool:
    marks = PICTURES.get(path.suffix, ())
    if not marks:
        return False
    end = b""
    with outside(f"read {path}"), path.open("rb") as file:
        while block := file.read(BLOCK):  # a listing may be larger than memory
            part = end + block
            if any(mark in part for mark in marks):
                return True
            end = part[1 - max(map(len, marks)) :]  # a mark may lie across two blocks
    return False
