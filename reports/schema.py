"""The JSON Schema of reports.yaml, made from the output templates, for editors."""

from __future__ import annotations

from typing import Any

from metadata.condition import Condition
from metadata.declaration_schema import document_schema, parameters_schema
from reports.results.specification import ReportsFile
from reports.templates import KEYS


def reports_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12): an output has the keys of its template and no others."""
    made = document_schema(ReportsFile, "tables, figures and listings of a study", [Condition])
    schemas = {name: parameters_schema(keys) for name, keys in sorted(KEYS.items())}
    made["properties"]["outputs"]["items"] = {
        "oneOf": [
            {**schema, "properties": {**schema["properties"], "template": {"const": name}}}
            for name, schema in schemas.items()
        ]
    }
    return made
