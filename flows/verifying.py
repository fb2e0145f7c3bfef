"""Showing whether a package is as it was built: each changed, missing or added file with its hashes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from flows.stage_summaries import counted
from metadata.errors import UsageError

if TYPE_CHECKING:
    from publish.verification import Verification


def show_verification(package: Path, sha256: str, as_json: bool) -> int:
    """Print what is not as the manifest says; return 0 if every byte is, else 1."""
    from publish.verification import HASH, verify

    if sha256 and not HASH.fullmatch(sha256):
        raise UsageError(f"'{sha256}' is not a SHA-256: 64 digits and letters a to f")
    found = verify(package, sha256)
    if as_json:
        content = {"package": found.package, "intact": found.intact, "files": found.files,
                   "same_everywhere": found.same_everywhere, "sha256": found.sha256,
                   "findings": [vars(one) for one in found.findings]}  # fmt: skip
        print(json.dumps(content, indent=2))  # noqa: T201
    else:
        _print(Console(highlight=False, soft_wrap=True), found)
    return 0 if found.intact else 1


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
