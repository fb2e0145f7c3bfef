"""What two packages' conformance findings differ in: those that are new, gone, or about another number of records."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metadata.errors import UsageError
from publish.disk import outside
from publish.manifest import CONFORMANCE

Key = tuple[str, str, str]


@dataclass(frozen=True)
class FindingDifference:
    """A finding of one rule about a variable; ``first`` and ``second`` are records, None where it was not found."""

    rule: str
    dataset: str
    variable: str
    severity: str
    sentence: str
    first: int | None
    second: int | None

    @property
    def kind(self) -> str:
        """What became of it from the first package to the second."""
        return "new" if self.first is None else "gone" if self.second is None else "changed"


def compare_findings(first: Path, second: Path) -> tuple[FindingDifference, ...]:
    """Return the findings that differ between two packages; none where one of them was not judged.

    Raises UsageError for a conformance.json that cannot be read, OutsideError if the disk fails.
    """
    if not all((package / CONFORMANCE).is_file() for package in (first, second)):
        return ()
    one, two = _findings(first / CONFORMANCE), _findings(second / CONFORMANCE)
    found = []
    for key in sorted({*one, *two}):
        finding = two.get(key) or one[key]
        counts = [side[key]["records"] if key in side else None for side in (one, two)]
        if counts[0] != counts[1]:
            found.append(FindingDifference(*key, str(finding["severity"]), str(finding["sentence"]), *counts))
    return tuple(found)


def _findings(path: Path) -> dict[Key, dict[str, Any]]:
    """Return the findings by rule, dataset and variable; records of several that share all three are added."""
    with outside(f"read {path}"):
        text = path.read_text("utf-8")
    made: dict[Key, dict[str, Any]] = {}
    try:
        for one in json.loads(text)["findings"]:
            key = str(one["rule"]), str(one["dataset"]), str(one["variable"])
            before = made.get(key, {"records": 0})["records"]
            made[key] = {**one, "records": before + int(one["records"] or 0)}
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{path} is not the result of a conformance check") from None
    return made
