"""The folder of releases: a package enters it approved, whole and once, by one rename.

``releases/<study>/<version>/`` holds ``package/``, beside it its log ``package.approvals.jsonl`` as it was at the
release, ``approvers.yaml``, and ``release.json``, which has the hash of the log's last record and what the approvals
are worth.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metadata.errors import StudyError, UsageError
from metadata.study import Study
from publish.disk import outside, sha256, sync, sync_tree, write_bytes
from publish.lock import Lock
from publish.manifest import SEAL
from publish.verification import read_manifest, verify
from release.approvers import FILE, MEANT, ApproversFile, Kind, read_approvers
from release.log import LogRecord, head_of, log_of, read_log
from release.open_points import open_points
from release.recording import Decision, record
from release.standing import Standing, standing

PACKAGE, RELEASE = "package", "release.json"
VERSION = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z._-]{0,38}[0-9A-Za-z])?")


@dataclass(frozen=True)
class Candidate:
    """A package that may become a release, with its study: ``subject`` is its manifest's hash."""

    package: Path
    study: Study
    subject: str
    approvers: ApproversFile
    log: Path

    @classmethod
    def of(cls, package: Path, study: Study) -> Candidate:
        """Read a package; raises UsageError for another study's, StudyError for one that is not as it was built."""
        content = read_manifest(package.resolve())
        _refuse_others(content, study)
        if (package.absolute().parent / RELEASE).is_file():
            raise UsageError(
                f"{package} is in a release already, which nobody changes; name the package it was made from"
            )
        found = verify(package)
        if not found.intact:
            raise StudyError(
                f"the package is not as it was built: {found.findings[0].path}: {found.findings[0].sentence}"
            )
        return cls(package, study, found.sha256, read_approvers(study), log_of(package))

    def standing(self, kind: Kind) -> Standing:
        """Return where it stands; raises UsageError for a log that is not right."""
        return standing(read_log(self.log), open_points(self.package), self.subject, self.approvers, kind)

    def record(self, decision: Decision) -> LogRecord:
        """Add a decision about this package to its log; raises UsageError for one that makes no sense, OutsideError."""
        self.approvers.acting(decision.name, decision.role)
        if decision.meaning in ("approved", "waived"):
            opened = {point.id for point in self.standing("interim").opened}
            if decision.meaning == "approved" and opened:
                problem = "are neither resolved nor waived; an approval comes after the waivers"
                raise UsageError(f"it cannot be approved yet: {len(opened)} open queries or findings {problem}")
            if decision.meaning == "waived" and decision.item not in opened:
                raise UsageError(f"'{decision.item}' is no open query, finding or expectation of this package")
        return record(self.log, self.study.studyid, self.subject, decision, self.approvers)


def _refuse_others(content: dict[str, Any], study: Study) -> None:
    """Raise UsageError if a package is not of this study with these approvers."""
    if content.get("study") != study.studyid:
        raise UsageError(
            f"the package is of the study {content.get('study')}, not {study.studyid}: name it with --study"
        )
    built = {one["path"]: one["sha256"] for one in content["inputs"]}
    if built.get(FILE) != (sha256(study.path(FILE)) if study.path(FILE).is_file() else None):
        raise UsageError(f"the study's {FILE} is not the one that the package was built with: build it again")


@dataclass(frozen=True)
class Order:
    """What is to be released: the version, its kind, who releases it in which role and why, and the person's key.

    With a key the release is signed, and that it supersedes the one before. A flow that releases once all have approved
    has no person's key: it records both, and what stands for them are the approvals, which are signed.
    """

    version: str
    kind: Kind
    name: str
    role: str
    reason: str
    key: Path | None = None


def versions(releases: Path, study: Study) -> list[tuple[str, dict[str, Any]]]:
    """Return the releases of a study, the oldest first; raises UsageError for a release.json that is none."""
    found = []
    for path in sorted((releases / study.name).glob(f"[!.]*/{RELEASE}")):
        with outside(f"read {path}"):
            text = path.read_text("utf-8")
        try:
            content = json.loads(text)
            found.append((int(content["number"]), str(content["version"]), content))
        except (ValueError, KeyError, TypeError):
            raise UsageError(f"{path} is not of a release") from None
    return [(version, content) for _, version, content in sorted(found, key=lambda one: one[0])]


def release(candidate: Candidate, releases: Path, order: Order) -> Path:
    """Copy an approved package into the folder of releases and return the release's folder.

    Raises UsageError for a version that is taken, StudyError if anything is in the way, OutsideError. Killed at any
    moment, it leaves no release or a whole one.
    """
    if not VERSION.fullmatch(order.version):
        raise UsageError(f"'{order.version}' is no version: letters, digits, and . _ - between them, at most 40")
    folder = releases / candidate.study.name
    with outside(f"write to {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
    lock = Lock(folder / ".lock", str(folder))
    lock.take()
    try:
        return _release(candidate, releases, folder, order)
    finally:
        lock.release()


def _release(candidate: Candidate, releases: Path, folder: Path, order: Order) -> Path:
    final, partial = folder / order.version, folder / ".releasing"
    if final.exists():
        raise UsageError(f"{final} is there already: a version is released once; give the next one")
    before = versions(releases, candidate.study)
    found = candidate.standing(order.kind)
    if found.obstacles:
        raise StudyError(f"it is not released: {'; '.join(found.obstacles)}")
    with outside(f"write to {folder}"):
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(candidate.package.resolve(), partial / PACKAGE)
    if verify(partial / PACKAGE, candidate.subject).findings:
        raise StudyError("the package changed while it was copied, so that it is not what was approved")
    _record_release(candidate, order, before)
    records = read_log(candidate.log)
    write_bytes(log_of(partial / PACKAGE), candidate.log.read_bytes())
    write_bytes(partial / FILE, candidate.study.path(FILE).read_bytes())
    content = describe(candidate, order, found, records, before)
    write_bytes(partial / RELEASE, (json.dumps(content, indent=2) + "\n").encode())
    sync_tree(partial)
    with outside(f"write to {final}"):
        partial.rename(final)
        sync(folder)
    return final


def _record_release(candidate: Candidate, order: Order, before: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Record the release, and that it supersedes the one before; what a killed release recorded is there already."""
    wanted: list[tuple[Any, str, str]] = [("released", released_as(order.version, order.kind), candidate.subject)]
    if before:
        wanted.append(("superseded", before[-1][0], str(before[-1][1]["manifest"])))
    there = {(one.meaning, one.item, one.subject) for one in read_log(candidate.log)}
    for meaning, item, subject in wanted:
        if (meaning, item, subject) not in there:
            decision = Decision(order.name, order.role, meaning, order.reason, item, order.key)
            record(candidate.log, candidate.study.studyid, subject, decision, candidate.approvers)


def released_as(version: str, kind: str) -> str:
    """Return what the record of a release names as its item."""
    return f"{version} {kind}"


def describe(
    candidate: Candidate,
    order: Order,
    found: Standing,
    records: Sequence[LogRecord],
    before: Sequence[tuple[str, dict[str, Any]]],
) -> dict[str, Any]:
    """Return what release.json says."""
    content = read_manifest(candidate.package.resolve())
    last = before[-1] if before else None
    return {
        "study": candidate.study.studyid,
        "number": last[1]["number"] + 1 if last else 1,
        "version": order.version,
        "kind": order.kind,
        "package": content["package"],
        "manifest": content[SEAL],
        "strength": candidate.approvers.strength,
        "meaning": MEANT[candidate.approvers.strength],
        "approvals": [_shown(one) for one in found.approvals],
        "waivers": [_shown(waiver) for _, waiver in found.waived],
        "supersedes": {"version": last[0], "manifest": last[1]["manifest"]} if last else None,
        "log": {"records": len(records), "head": head_of(records)},
    }


def _shown(one: LogRecord) -> dict[str, Any]:
    names = ("number", "name", "role", "meaning", "item", "reason", "time", "strength")
    return {name: getattr(one, name) for name in names}
