"""JSON Schemas of a study's files, made from the engine, so that editors complete and check them while one types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FILES = {
    "study": ("study.yaml",),
    "terminology": ("terminology.yaml",),
    "sdtm": ("sdtm/*.yaml",),
    "not_submitted": ("sdtm/not_submitted.yaml",),
    "trial_design": ("sdtm/ti.yaml", "sdtm/tm.yaml"),
    "trial_summary": ("sdtm/ts.yaml",),
    "relations": ("sdtm/relations.yaml",),
    "checks": ("checks.yaml",),
    "adam": ("adam/*.yaml",),
    "reports": ("reports.yaml",),
    "verify": ("verify/verify.yaml",),
    "acceptance": ("acceptance.yaml",),
    "conformance": ("conformance.yaml",),
    "guides": ("guides.yaml",),
    "approvers": ("approvers.yaml",),
    "monitoring": ("monitoring.yaml",),
}
"""Which files of a study's folder each schema is for."""


def schemas() -> dict[str, dict[str, Any]]:
    """Return the schema (JSON Schema 2020-12) of each kind of file."""
    from adam.build.schema import document
    from metadata.study_declaration import study_schema, terminology_schema
    from monitoring.declaration import monitoring_schema
    from publish.guides.texts import guides_schema
    from release.approvers import approvers_schema
    from reports.schema import reports_schema
    from sdtm.build.relations import relations_schema
    from sdtm.domains.trial_summary import summary_schema
    from sdtm.mapping.declared_rows import rows_schema
    from sdtm.mapping.not_submitted import not_submitted_schema
    from sdtm.mapping.schema import mapping_schema
    from validation.acceptance.rules import acceptance_schema
    from validation.checks.schema import checks_schema
    from validation.conformance.explanations import conformance_schema
    from validation.second_derivation.declaration import verify_schema

    return {
        "study": study_schema(),
        "terminology": terminology_schema(),
        "sdtm": mapping_schema(),
        "not_submitted": not_submitted_schema(),
        "trial_design": rows_schema(),
        "trial_summary": summary_schema(),
        "relations": relations_schema(),
        "checks": checks_schema(),
        "adam": document(),
        "reports": reports_schema(),
        "verify": verify_schema(),
        "acceptance": acceptance_schema(),
        "conformance": conformance_schema(),
        "guides": guides_schema(),
        "approvers": approvers_schema(),
        "monitoring": monitoring_schema(),
    }


def write_schemas(folder: Path) -> None:
    """Write each schema to ``<folder>/<kind>.schema.json`` and say how an editor finds it."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind, schema in schemas().items():
        path = folder / f"{kind}.schema.json"
        path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"{path}  for {', '.join(FILES[kind])}")  # noqa: T201
    first = folder.resolve() / "sdtm.mapping.schema.json"
    print(f"First line of a mapping file for YAML editors:\n# yaml-language-server: $schema={first}")  # noqa: T201
