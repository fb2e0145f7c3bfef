"""The second derivation as one self-contained page: differences first, then what was compared with what."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metadata.study import Study
from validation.pages.page import write_study_page

SHOWN = 50


def write_page(study: Study, result: Mapping[str, Any], path: Path, date: str = "") -> None:
    """Write a result as HTML; ``date`` is the snapshot's. The first ``SHOWN`` differences of an endpoint are shown."""
    counts = result["counts"]
    endpoints, found = result["endpoints"], counts["differences"]
    cards = [
        {"name": "note", "label": "endpoints", "count": counts["endpoints"]},
        {"name": "note", "label": "values compared", "count": counts["values"]},
        {"name": "failed" if found else "passed", "label": "differences", "count": found},
    ]
    write_study_page(
        study,
        "second_derivation",
        path,
        date,
        result={**result, "endpoints": [_with_state(endpoint) for endpoint in endpoints]},
        differences=[_differences(endpoint, result["findings"]) for endpoint in endpoints if _differs(endpoint)],
        cards=cards,
    )


def _differs(endpoint: Mapping[str, Any]) -> bool:
    return bool(endpoint["differences"])


def _with_state(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    """Return an endpoint with its state."""
    state = {"name": "answered", "label": "agrees"}
    if _differs(endpoint):
        state = {"name": "error", "label": "differs"}
    elif not endpoint["records"]:
        state = {"name": "warning", "label": "no records"}
    return {**endpoint, "state": state}


def _differences(endpoint: Mapping[str, Any], findings: list[Mapping[str, Any]]) -> tuple[str, list[Any], int]:
    found = [finding for finding in findings if finding["endpoint"] == endpoint["id"]]
    return endpoint["title"], found[:SHOWN], max(0, len(found) - SHOWN)
