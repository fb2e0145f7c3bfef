"""The result of our rules, or of CORE, as one self-contained page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metadata.study import Study
from validation.conformance.explanations import STALE
from validation.pages.page import write_study_page


def write_page(study: Study, result: Mapping[str, Any], path: Path, date: str = "") -> None:
    """Write a result as HTML; ``date`` is the snapshot's, blank where it is not known."""
    counts = result["counts"]
    left = counts["unexplained"]
    shown = [_shown(finding) for finding in result["findings"]]
    parts = [
        ("Not explained", [one for one in shown if not one["explained"] and one["severity"] != "note"]),
        ("Explained", [one for one in shown if one["explained"]]),
        ("Notes", [one for one in shown if not one["explained"] and one["severity"] == "note"]),
    ]
    cards = [
        {"name": "note", "label": "rules", "count": counts["rules"]},
        {"name": "failed" if left else "passed", "label": "findings not explained", "count": left},
        {"name": "answered", "label": "findings explained", "count": counts["explained"]},
    ]
    shown_parts = [(name, part) for name, part in parts if part]
    write_study_page(study, "conformance", path, date, result=result, stale=STALE, parts=shown_parts, cards=cards)


def _shown(finding: Mapping[str, Any]) -> dict[str, Any]:
    """Return a finding with the number of records that are not named."""
    more = int(finding["records"]) - len(finding["keys"])
    return {**finding, "more": more}
