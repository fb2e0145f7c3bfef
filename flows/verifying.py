"""Showing whether a package is as it was built: each changed, missing or added file with its hashes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from flows.stage_summaries import counted
from metadata.errors import UsageError

if TYPE_CHECKING:
    from publish.verification import Verification
    from release.verification import ApprovalCheck


def show_verification(package: Path, sha256: str, study: str | None, head: str, as_json: bool) -> int:
    """Print what is not as the manifest or the approval log says; return 0 if all is, else 1."""
    from flows.package_study import known_study
    from publish.verification import HASH, verify
    from release.verification import check_approvals

    if sha256 and not HASH.fullmatch(sha256):
        raise UsageError(f"'{sha256}' is not a SHA-256: 64 digits and letters a to f")
    found = verify(package, sha256)
    approvals = check_approvals(package, found.sha256, known_study(package, study), head)
    if as_json:
        content = {"package": found.package, "intact": found.intact, "files": found.files,
                   "same_everywhere": found.same_everywhere, "sha256": found.sha256,
                   "findings": [vars(one) for one in found.findings],
                   "approvals": _as_dict(approvals) if approvals else None}  # fmt: skip
        print(json.dumps(content, indent=2))  # noqa: T201
    else:
        console = Console(highlight=False, soft_wrap=True)
        _print(console, found)
        if approvals:
            _print_approvals(console, approvals)
    return 0 if found.intact and not (approvals and approvals.findings) else 1


def _as_dict(found: ApprovalCheck) -> dict[str, Any]:
    records = [{**vars(one)} for one in found.about]
    return {"log": str(found.log), "records": found.records, "head": found.head, "about_this_package": records,
            "findings": list(found.findings)}  # fmt: skip


def _print_approvals(console: Console, found: ApprovalCheck) -> None:
    """Print the records about this package, and what is wrong; of a record without signature nothing is proved."""
    for one in found.about:
        how = "signed" if one.strength == "signature" else "recorded, not proved"
        what = f" {one.item}" if one.item else ""
        console.print(Text(f"{one.time}  {one.meaning}{what} by {one.name} ({one.role}), {how}: {one.reason}"))
    for sentence in found.findings:
        console.print(Text(f"approvals {sentence}", style="red"))
    if not found.findings:
        console.print(Text(f"The approval log is whole as far as it goes: {counted(found.records, 'record')}."))
    console.print(Text(f"head of the log {found.head}"))


def _print(console: Console, found: Verification) -> None:
    for one in found.findings:
        console.print(Text(f"{one.kind:<9}{one.path}: {one.sentence}", style="red"))
        if one.place:
            console.print(Text(f"         {one.place}"))
        if one.expected:
            console.print(Text(f"         expected {one.expected}"))
        if one.found:
            console.print(Text(f"         found    {one.found}"))
    what = counted(found.files, "file")
    if found.intact:
        console.print(Text(f"Package {found.package}: {what} as they were built."))
    else:
        console.print(Text(f"Package {found.package}: {counted(len(found.findings), 'difference')}, {what} named."))
    console.print(Text(f"sha256          {found.sha256}\nsame everywhere {found.same_everywhere}"))
