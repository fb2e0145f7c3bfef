"""Verifying a package: each file that its manifest names is hashed again, and each other file is named.

The manifest is not trusted: it names no file outside the package, nothing is followed through a symbolic link inside
it, and its own hash, the package's id and its summary of the conformance follow from what it says and what lies there.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from metadata.errors import UsageError
from publish import manifest
from publish.disk import outside, sha256

CHANGED, MISSING, ADDED = "changed", "missing", "added"
WRONG = "manifest"
PHRASE = {CHANGED: "was changed", MISSING: "is missing", ADDED: "is not in the manifest"}
HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Finding:
    """A file that is not as the manifest says; ``expected`` and ``found`` are SHA-256 or blank.

    ``place`` says where a changed file differs from what it was, blank where that cannot be known.
    """

    path: str
    kind: str
    sentence: str
    expected: str = ""
    found: str = ""
    place: str = ""


@dataclass(frozen=True)
class Verification:
    """What was found in a package, how many files were hashed, and the hashes by which packages are compared."""

    package: str
    files: int
    findings: tuple[Finding, ...]
    same_everywhere: str
    sha256: str

    @property
    def intact(self) -> bool:
        """True if every byte is as the manifest says."""
        return not self.findings


def verify(folder: Path, expected_seal: str = "") -> Verification:
    """Hash all files of a package again; ``expected_seal`` is the manifest's hash as it was kept elsewhere.

    Raises UsageError for a folder that is not a package, OutsideError if a file cannot be read.
    """
    root = folder.resolve()
    content = read_manifest(root)
    entries, found = _named(content["files"])
    found += _manifest(root, content, expected_seal)
    present = _present(root)
    differing = [one for path, entry in entries.items() if (one := _compare(root, path, entry, present))]
    intact = set(entries) - {one.path for one in differing}
    found += [_placed(root, one, intact) for one in differing]
    found += [_added(root, path) for path in sorted(present - set(entries) - {manifest.FILE})]
    order = sorted(found, key=lambda one: (one.kind != WRONG, one.path, one.kind))
    return Verification(
        str(content["package"]), len(entries), tuple(order), str(content[manifest.SAME]), manifest.seal(content)
    )


def changed(folder: Path) -> list[tuple[str, str]] | None:
    """Return the files of a package that are not as its manifest says, each with what is wrong; None without one.

    Raises UsageError for a manifest that cannot be read, OutsideError if the disk fails.
    """
    if not (folder / manifest.FILE).is_file():
        return None
    return [(one.path, PHRASE.get(one.kind, one.sentence)) for one in verify(folder).findings]


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a package; raises UsageError if there is none or it is not one of this software."""
    path = folder / manifest.FILE
    if not path.is_file() or path.is_symlink():
        raise UsageError(f"{folder} is not a package: it has no {manifest.FILE}")
    with outside(f"read {path}"):
        stored = path.read_bytes()
    try:
        content = json.loads(stored)
        wrong = _missing_part(content)
    except (ValueError, RecursionError) as error:
        wrong = f"it is not JSON ({error})"
    if wrong:
        raise UsageError(f"{path} is not a manifest of redcap-cdisc: {wrong}")
    return dict(content)


def _missing_part(content: Any) -> str:
    """Return what a manifest lacks, or blank."""
    if not isinstance(content, dict):
        return "it is not an object"
    texts = ("package", manifest.SAME, manifest.SEAL)
    lacking = [name for name in texts if not isinstance(content.get(name), str)]
    lacking += [name for name in ("snapshot", "options", "versions") if not isinstance(content.get(name), dict)]
    lacking += [name for name in ("inputs", "files") if not _is_entries(content.get(name))]
    return f"'{lacking[0]}' is missing or of another kind" if lacking else ""


def _is_entries(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, dict)
        and isinstance(one.get("path"), str)
        and isinstance(one.get("size"), int)
        and isinstance(one.get("sha256"), str)
        and HASH.fullmatch(one["sha256"])
        for one in value
    )


def _named(files: list[dict[str, Any]]) -> tuple[dict[str, dict[str, Any]], list[Finding]]:
    """Return the entries by path, and the names that are refused: outside the package, or named twice."""
    entries: dict[str, dict[str, Any]] = {}
    found = []
    for entry in files:
        path = entry["path"]
        if not is_inside(path):
            found.append(Finding(path, WRONG, "the manifest names a path outside the package; it was not opened"))
        elif path in entries:
            found.append(Finding(path, WRONG, "the manifest names the file twice"))
        else:
            entries[path] = entry
    return entries, found


def is_inside(path: str) -> bool:
    """Return True for a relative path in its plain form, which no part leads out of the folder it starts from."""
    plain = PurePosixPath(path)
    parts = path.split("/")
    return not plain.is_absolute() and not ({"", ".", ".."} & set(parts)) and "\\" not in path and "\0" not in path


def _manifest(root: Path, content: dict[str, Any], expected_seal: str) -> list[Finding]:
    """Return what does not follow: the manifest's own hashes, the package's id, the summary of the conformance."""
    made = manifest.seal(content)
    found = []
    if content[manifest.SEAL] != made:
        found.append(_wrong("the manifest was changed after it was written", content[manifest.SEAL], made))
    if expected_seal and expected_seal != made:
        found.append(_wrong("the manifest is not the one whose hash was given", expected_seal, made))
    same = manifest.same_everywhere(content)
    if content[manifest.SAME] != same:
        found.append(_wrong(f"'{manifest.SAME}' does not follow from the files", content[manifest.SAME], same))
    version = str(content["versions"].get(manifest.DISTRIBUTION, ""))
    made = manifest.id_of(str(content["snapshot"].get("id", "")), version, content["options"], content["inputs"])
    if content["package"] != made:
        found.append(_wrong("the package's id does not follow from its inputs", content["package"], made))
    return found + _conformance(root, content)


def _conformance(root: Path, content: dict[str, Any]) -> list[Finding]:
    place = root / manifest.CONFORMANCE
    try:
        there = manifest.conformance(root) if _is_own(root, place) else None
    except (ValueError, KeyError, TypeError):
        there = {}
    if content.get("conformance") == there:
        return []
    return [_wrong(f"the summary of the conformance is not that of {manifest.CONFORMANCE}", "", "")]


def _wrong(sentence: str, expected: str, found: str) -> Finding:
    return Finding(manifest.FILE, WRONG, sentence, expected, found)


def _present(root: Path) -> set[str]:
    """Return all files and links below ``root``; links are not followed."""
    with outside(f"read {root}"):
        return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_symlink() or not path.is_dir()}


def _compare(root: Path, path: str, entry: dict[str, Any], present: set[str]) -> Finding | None:
    expected = entry["sha256"]
    if path not in present:
        return Finding(path, MISSING, "the file is not there", expected)
    place = root / path
    if not _is_own(root, place):
        return Finding(path, CHANGED, "it is not an ordinary file of the package but a link or a device", expected)
    made, size = sha256(place), place.stat().st_size
    if (made, size) == (expected, entry["size"]):
        return None
    sizes = "" if size == entry["size"] else f", of {size:,} bytes instead of {entry['size']:,}"
    return Finding(path, CHANGED, f"the file has other bytes{sizes}", expected, made)


def _placed(root: Path, finding: Finding, intact: set[str]) -> Finding:
    """Return a changed file's finding with the place where it differs, as far as it can be known."""
    if finding.kind != CHANGED or not finding.found:
        return finding
    from publish.changed_place import place_of_change  # reads datasets, whose libraries an intact package does not need

    return replace(finding, place=place_of_change(root, finding.path, intact))


def _is_own(root: Path, place: Path) -> bool:
    """Return True for an ordinary file that no symbolic link leads to."""
    return place.is_file() and not place.is_symlink() and place.resolve().is_relative_to(root)


def _added(root: Path, path: str) -> Finding:
    place = root / path
    made = sha256(place) if _is_own(root, place) else ""
    return Finding(path, ADDED, "the manifest does not name the file", "", made)
