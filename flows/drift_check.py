"""Whether a study's project in REDCap is still the one that was mapped, as a Prefect flow; no record is read."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")

from prefect import flow
from prefect.artifacts import create_table_artifact

from flows.error_messages import NeutralError, neutral
from flows.place.connections import key_of
from flows.place.environment import study_at
from metadata.study import Study


@flow(name="drift-check", flow_run_name="{study} drift", persist_result=False, log_prints=False)
def drift_check(study: str) -> dict[str, int]:
    """Compare the project in REDCap with the one that was mapped; returns how many changes are of each severity.

    Raises NeutralError where a line of the mapping breaks, and where REDCap could not be asked.

    Args:
        study: The study whose project is compared.
    """
    return neutral(_check, study)


def _check(study: str) -> dict[str, int]:
    from extract.drift import stops_build
    from flows.drift import changes_against, counted_by_severity
    from flows.project_structure import structure_of_study

    opened = Study.open(study_at(study))
    changes = changes_against(opened, structure_of_study(opened))
    rows: list[dict[str, Any]] = [
        {name: row[name] for name in ("severity", "part", "finding", "touches")} for row in changes.to_dict("records")
    ]
    create_table_artifact(rows, f"{key_of(opened.name)}-drift", "Changes since the project was mapped")
    if stops_build(changes):
        first = next(row for row in rows if row["severity"] == "error")
        line = first["touches"].splitlines()[0] if first["touches"] else "no line"
        raise NeutralError(f"the project changed, and a build would stop: {first['finding']} ({line})", 1)
    return counted_by_severity(changes)
