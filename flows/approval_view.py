"""What somebody looks at before approving: what differs from the last release, what is open, what is in the way."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from publish.comparison import DatasetComparison
    from release.approvers import Kind
    from release.releasing import Candidate
    from release.standing import Standing


@dataclass(frozen=True)
class Differences:
    """What differs from the last release: counts of each dataset that does, findings, and other files, by name."""

    version: str
    datasets: tuple[dict[str, Any], ...]
    findings: tuple[dict[str, Any], ...]
    only_before: tuple[str, ...]
    only_now: tuple[str, ...]
    files: tuple[str, ...]


@dataclass(frozen=True)
class ApprovalView:
    """Where a package stands, and its differences from the last release, None if there is none."""

    candidate: Candidate
    standing: Standing
    differences: Differences | None

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        found = self.standing
        return {
            "package": str(self.candidate.package),
            "manifest": self.candidate.subject,
            "strength": self.candidate.approvers.strength,
            "builders": list(found.builders),
            "approvals": [{"name": one.name, "role": one.role, "time": one.time} for one in found.approvals],
            "open": [asdict(point) for point in found.opened],
            "waived": [{**asdict(point), "by": one.name, "reason": one.reason} for point, one in found.waived],
            "obstacles": list(found.obstacles),
            "differences": asdict(self.differences) if self.differences else None,
        }


def view(candidate: Candidate, releases: Path, kind: Kind) -> ApprovalView:
    """Return what is to be looked at; raises UsageError for a log or a release that is not right."""
    return ApprovalView(candidate, candidate.standing(kind), differences(candidate, releases))


def differences(candidate: Candidate, releases: Path) -> Differences | None:
    """Compare a package with the last release of its study; None if nothing was released yet."""
    from publish.comparison import Tolerances
    from publish.comparison_folders import compare_places
    from release.releasing import PACKAGE, versions

    before = versions(releases, candidate.study)
    if not before:
        return None
    version = before[-1][0]
    last = releases / candidate.study.name / version / PACKAGE
    found = compare_places(last, candidate.package.resolve(), [], Tolerances())
    return Differences(
        version,
        tuple(_counts(one) for one in found.datasets if not one.equal),
        tuple({**vars(one), "kind": one.kind} for one in found.findings),
        found.only_first,
        found.only_second,
        found.files,
    )


def _counts(found: DatasetComparison) -> dict[str, Any]:
    return {
        "dataset": found.name,
        "rows before": found.sizes[0],
        "rows now": found.sizes[1],
        "added": len(found.rows_second),
        "changed": found.changed,
        "gone": len(found.rows_first),
        "variables": len(found.only_first) + len(found.only_second),
        "attributes": len(found.attributes),
    }
