"""Writing the terminology that a study uses into its folder, and what another package would change."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from metadata.errors import UsageError


def show_pin(name: str, as_json: bool) -> None:
    """Pin a study's codelists and say what was written."""
    from metadata.study import Study
    from sdtm.build.pinned_codelists import pin

    study = Study.open(name)
    path, count = pin(study)
    if as_json:
        print(json.dumps({"file": str(path), "codelists": count}))  # noqa: T201
    else:
        print(f"{path}: {count} codelists")  # noqa: T201


def show_move(name: str, package: Path | None, release: str, as_json: bool) -> None:
    """Write the codelists of another package next to those pinned, and list what it changes; raises UsageError."""
    from metadata.study import Study
    from sdtm.build.terminology_move import pin_newer

    if package is None or not release:
        raise UsageError("another package needs both --package FILE and --release YYYY-MM-DD")
    move = pin_newer(Study.open(name), package, release)
    if as_json:
        print(json.dumps({**asdict(move), "path": str(move.path)}, indent=2))  # noqa: T201
        return
    print(f"{move.path}: {move.codelists} codelists, {len(move.changes)} changes for this study")  # noqa: T201
    for change in move.changes:
        print(f"  {change.codelist}{f' {change.term!r}' if change.term else ''}: {change.change}")  # noqa: T201
    for problem in move.problems:
        print(f"  check would say: {problem}")  # noqa: T201
    print(f"To move, write standards: {{sdtm_ct: {release}}} in study.yaml and run check.")  # noqa: T201
