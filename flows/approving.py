"""Approving and releasing on the command line: what matters is shown first, then the decision is recorded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.approval_view import ApprovalView, Differences, view
from flows.package_study import study_of
from metadata.errors import UsageError
from publish.disk import outside

if TYPE_CHECKING:
    from release.approvers import Kind
    from release.log import LogRecord
    from release.recording import Decision
    from release.releasing import Candidate

SHOWN_FILES = 10


@dataclass(frozen=True)
class Looked:
    """Which package is looked at: of which study, before which folder of releases, for which kind of release."""

    package: Path
    study: str | None
    releases: Path
    kind: Kind


def show_approval(looked: Looked, decision: Decision | None, as_json: bool) -> int:
    """Show where a package stands, then record the decision, if there is one; returns the exit code."""
    from release.releasing import Candidate

    candidate = Candidate.of(looked.package, study_of(looked.package, looked.study))
    seen = view(candidate, looked.releases, looked.kind)
    if decision and decision.meaning == "approved":
        refuse_unknown_answers(candidate)
    if not as_json:
        _print(Console(highlight=False, soft_wrap=True), seen, looked.kind)
    made = candidate.record(decision) if decision else None
    if as_json:
        said = {**seen.as_dict(), "recorded": vars(made) if made else None}
        print(json.dumps(said, indent=2, ensure_ascii=False))  # noqa: T201
    elif made:
        print_record(made, candidate.log)
    return 0


def decision_of(
    name: str | None, role: str | None, meaning: str | None, reason: str | None, item: str | None, key: Path | None
) -> Decision | None:
    """Return what was typed as a decision, None if nothing was; raises UsageError for a part of one."""
    from release.recording import Decision

    given = {"--name": name, "--role": role, "--meaning": meaning, "--reason": reason}
    if not any((*given.values(), item, key)):
        return None
    lacking = [option for option, text in given.items() if text is None]
    if lacking:
        raise UsageError(f"a decision has a name, a role, a meaning and a reason: {', '.join(lacking)} is missing")
    if (meaning == "waived") != bool(item):
        raise UsageError(
            "--item names the query, finding or expectation that is waived, and belongs to --meaning waived"
        )
    return Decision(name or "", role or "", meaning, reason or "", item or "", key)  # type: ignore[arg-type]


def refuse_unknown_answers(candidate: Candidate) -> None:
    """Raise UsageError if the study's answers.csv answers what was never asked: somebody's answer went nowhere."""
    import pandas as pd

    from release.open_points import QUERIES
    from validation.queries.listing import unused_answers

    path = candidate.package / QUERIES
    with outside(f"read {path}"):
        listed = pd.read_csv(path, dtype="str", keep_default_na=False)
    unknown = unused_answers(candidate.study, listed)[1]
    if unknown:
        problem = f"answers.csv has ids that no query has: {', '.join(unknown)}"
        raise UsageError(f"{problem}; correct or remove them and build again")


def show_release(
    looked: Looked, version: str, by: tuple[str, str, str], key: Path | None, as_json: bool
) -> int:  # fmt: skip
    """Release an approved package and say where it is; ``by`` are name, role and reason, ``key`` the person's own.

    Raises UsageError where the study asks for signatures and there is no key.
    """
    from release.approvers import SIGNATURE
    from release.releasing import RELEASE, Candidate, Order, release

    candidate = Candidate.of(looked.package, study_of(looked.package, looked.study))
    if candidate.approvers.strength == SIGNATURE and key is None:
        raise UsageError("the study asks for signatures (approvers.yaml): give your private key with --key")
    refuse_unknown_answers(candidate)
    folder = release(candidate, looked.releases, Order(version, looked.kind, *by, key))
    content: dict[str, Any] = json.loads((folder / RELEASE).read_text("utf-8"))
    if as_json:
        print(json.dumps({"folder": str(folder), **content}, indent=2))  # noqa: T201
        return 0
    console = Console(highlight=False, soft_wrap=True)
    before = f", which supersedes {content['supersedes']['version']}" if content["supersedes"] else ""
    console.print(Text(f"{content['kind'].capitalize()} release {version} of {content['study']}{before}: {folder}"))
    console.print(Text(content["meaning"]))
    console.print(
        Text(f"Keep elsewhere: manifest {content['manifest']}\n                log      {content['log']['head']}")
    )
    return 0


def print_record(made: LogRecord, log: Path) -> None:
    """Say where a decision was recorded, and what that is worth."""
    from release.approvers import MEANT, RECORD, SIGNATURE

    console = Console(highlight=False, soft_wrap=True)
    strength = MEANT[SIGNATURE if made.strength == SIGNATURE else RECORD]
    console.print(Text(f"Recorded in {log}, line {made.number}: {made.meaning} by {made.name} ({made.role})."))
    console.print(Text(strength))


def _print(console: Console, seen: ApprovalView, kind: str) -> None:
    found = seen.standing
    console.print(Text(f"Manifest {seen.candidate.subject}", style="bold"))
    _print_differences(console, seen.differences)
    if found.opened:
        heads = ("Open", "Severity", "What")
        _print_table(console, heads, [(point.id, point.severity, point.sentence) for point in found.opened])
    if found.waived:
        rows = [(point.id, waiver.name, waiver.reason) for point, waiver in found.waived]
        _print_table(console, ("Waived", "By", "Reason"), rows)
    for one in found.approvals:
        console.print(Text(f"Approved by {one.name} ({one.role}), {one.time}: {one.reason}"))
    for sentence in found.obstacles:
        console.print(Text(f"In the way of the {kind} release: {sentence}", style="red"))
    if not found.obstacles:
        console.print(Text(f"Nothing is in the way of the {kind} release.", style="green"))


def _print_differences(console: Console, found: Differences | None) -> None:
    if found is None:
        console.print(Text("Nothing was released before."))
        return
    console.print(Text(f"Differences from release {found.version}:"))
    if found.datasets:
        _print_table(console, tuple(found.datasets[0]), [tuple(map(str, one.values())) for one in found.datasets])
    if found.findings:
        rows = [(one["rule"], f"{one['dataset']} {one['variable']}", one["kind"]) for one in found.findings]
        _print_table(console, ("Finding", "Where", ""), rows)
    for title, names in (
        ("Gone", found.only_before),
        ("New", found.only_now),
        ("Other files that differ", found.files),
    ):
        if names:
            more = f" and {len(names) - SHOWN_FILES} more" if len(names) > SHOWN_FILES else ""
            console.print(Text(f"{title}: {', '.join(names[:SHOWN_FILES])}{more}"))
    if not any((found.datasets, found.findings, found.only_before, found.only_now, found.files)):
        console.print(Text("none"))


def _print_table(console: Console, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in heads:
        table.add_column(head.capitalize(), overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)
