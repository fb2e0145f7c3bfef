"""A finding of conformance: one rule, one dataset, one variable, and the records that break it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True)
class ConformanceFinding:
    """One row of the listing; ``records`` is 0 for a finding about a dataset as a whole.

    ``keys`` names the first records and holds no text of a patient; ``explained`` is the study's reason, or blank.
    """

    rule: str
    source: str
    dataset: str
    variable: str
    severity: str
    records: int
    keys: tuple[str, ...]
    sentence: str
    detail: str = ""
    explained: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {**asdict(self), "keys": list(self.keys)}


def unexplained(findings: list[ConformanceFinding]) -> list[ConformanceFinding]:
    """Return the findings without a reason, notes left out."""
    return [finding for finding in findings if not finding.explained and finding.severity != "note"]
