"""Verifying the approvals of a package: the chain of its log, each signature, and that they are about its manifest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metadata.errors import RedcapCdiscError, UsageError
from metadata.study import Study
from metadata.yaml_source import load
from publish.disk import outside, sha256
from publish.verification import read_manifest
from release.approvers import FILE, ApproversFile, approvers_of, read_approvers
from release.log import HASH, LogRecord, head_of, log_of, read_log
from release.open_points import open_points
from release.releasing import RELEASE, released_as
from release.standing import standing, wrong_record


@dataclass(frozen=True)
class ApprovalCheck:
    """What was found in the log of a package; ``findings`` are sentences, none if all is right.

    ``head`` is the hash of the last record, to be kept elsewhere. ``about`` are the records about this manifest.
    """

    log: Path
    records: int
    head: str
    about: tuple[LogRecord, ...]
    findings: tuple[str, ...]


def check_approvals(package: Path, subject: str, study: Study | None, head: str = "") -> ApprovalCheck | None:
    """Check the log beside a package whose manifest has the hash ``subject``; None if there is neither log nor release.

    ``head`` is the hash of the last record as it was kept elsewhere. A release brings its approvers; of another package
    ``study`` has them. Raises UsageError for a head that is no hash, OutsideError.
    """
    if head and not HASH.fullmatch(head):
        raise UsageError(f"'{head}' is not a SHA-256: 64 digits and letters a to f")
    log, released = log_of(package), package.absolute().parent / RELEASE
    if not log.exists() and not released.is_file() and not head:
        return None
    try:
        records = read_log(log)
    except UsageError as error:
        return ApprovalCheck(log, 0, "", (), (str(error),))
    found = []
    if head and head != head_of(records) and head not in {one.hash for one in records}:
        found.append(f"{log}: no record has the hash that was kept: the log was cut or is another one")
    about = tuple(one for one in records if one.subject == subject)
    try:
        approvers = _approvers(package, released, study)
        found += [f"{log}, line {one.number}: {problem}" for one in about if (problem := wrong_record(one, approvers))]
        if released.is_file() and not found:
            found += _release_findings(package, released, subject, records, approvers)
    except (RedcapCdiscError, ValueError, KeyError, TypeError) as error:
        found.append(str(error) if isinstance(error, RedcapCdiscError) else f"{released} is not of a release")
    return ApprovalCheck(log, len(records), head_of(records), about, tuple(found))


def _approvers(package: Path, released: Path, study: Study | None) -> ApproversFile:
    """Return the approvers that the package was built with; raises UsageError if they cannot be known."""
    built = {one["path"]: one["sha256"] for one in read_manifest(package.resolve())["inputs"]}
    if released.is_file():
        path = released.with_name(FILE)
        if not path.is_file() or sha256(path) != built.get(FILE):
            raise UsageError(f"{path} is not the one that the package was built with")
        return approvers_of(load(path), str(path))
    if study is None:
        raise UsageError("the names and signatures were not checked: say with --study which study it is")
    read = read_approvers(study)
    if sha256(study.path(FILE)) != built.get(FILE):
        raise UsageError(f"the names and signatures were not checked: the study's {FILE} is not that of the build")
    return read


def _release_findings(
    package: Path, released: Path, subject: str, records: list[LogRecord], approvers: ApproversFile
) -> list[str]:
    """Return what in release.json does not follow from the log and the package."""
    with outside(f"read {released}"):
        content: dict[str, Any] = json.loads(released.read_text("utf-8"))
    found = []
    if content["manifest"] != subject:
        found.append(f"{released} names another manifest")
    if (content["log"]["records"], content["log"]["head"]) != (len(records), head_of(records)):
        found.append(
            f"{released.with_name(log_of(package).name)} does not end as {RELEASE} says: it was cut or added to"
        )
    item = released_as(content["version"], content["kind"])
    if not any((one.meaning, one.item, one.subject) == ("released", item, subject) for one in records):
        found.append(f"no record says that it was released as {item}")
    stands = standing(records, open_points(package), subject, approvers, content["kind"])
    found += [f"it is not approved: {sentence}" for sentence in stands.obstacles]
    told = [one["number"] for one in content["approvals"]], [one["number"] for one in content["waivers"]]
    made = [one.number for one in stands.approvals], [waiver.number for _, waiver in stands.waived]
    if told != made or content["strength"] != approvers.strength:
        found.append(f"{released} does not say what the log says")
    return found
