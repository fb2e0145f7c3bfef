"""The second derivation as one self-contained page: differences first, then what was compared with what."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metadata.study import Study
from validation.queries.page import environment

TEMPLATE = "second_derivation.html.jinja"
SHOWN = 50


def write_page(study: Study, result: Mapping[str, Any], path: Path, date: str = "") -> None:
    """Write a result as HTML; ``date`` is the snapshot's. The first ``SHOWN`` differences of an endpoint are shown."""
    counts = result["counts"]
    context = {
        "title": str(study.config["study"].get("short_title") or study.config["study"].get("title") or study.name),
        "study": study.studyid,
        "synthetic": study.is_synthetic,
        "date": date,
        "result": {**result, "endpoints": [_described(endpoint) for endpoint in result["endpoints"]]},
        "differences": [
            _differences(endpoint, result["findings"]) for endpoint in result["endpoints"] if _differs(endpoint)
        ],
        "cards": [
            {"name": "note", "label": "endpoints", "count": counts["endpoints"]},
            {"name": "note", "label": "values compared", "count": counts["values"]},
            {
                "name": "failed" if counts["differences"] else "passed",
                "label": "differences",
                "count": counts["differences"],
            },
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(environment().get_template(TEMPLATE).render(context), encoding="utf-8", newline="\n")


def _differs(endpoint: Mapping[str, Any]) -> bool:
    return bool(endpoint["differences"])


def _described(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    """Return an endpoint with its state and its filter in words."""
    where = [
        f"{name} is {' or '.join(value or 'missing' for value in values)}" for name, values in endpoint["where"].items()
    ]
    state = {"name": "answered", "label": "agrees"}
    if _differs(endpoint):
        state = {"name": "error", "label": "differs"}
    elif not endpoint["records"]:
        state = {"name": "warning", "label": "no records"}
    return {**endpoint, "state": state, "shown_where": ", ".join(where)}


def _differences(endpoint: Mapping[str, Any], findings: list[Mapping[str, Any]]) -> tuple[str, list[Any], int]:
    found = [finding for finding in findings if finding["endpoint"] == endpoint["id"]]
    return endpoint["title"], found[:SHOWN], max(0, len(found) - SHOWN)
