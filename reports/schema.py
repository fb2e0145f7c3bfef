"""The JSON Schema of reports.yaml, made from the output templates, for editors."""

from __future__ import annotations

from typing import Any

from reports.results.specification import document
from reports.templates import PARAMETERS


def reports_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12): an output has the parameters of its template and no others."""
    made = document()
    outputs = [
        {**parameters.schema, "properties": {**parameters.schema["properties"], "template": {"const": name}}}
        for name, parameters in sorted(PARAMETERS.items())
    ]
    properties = {**made["properties"], "outputs": {"type": "array", "minItems": 1, "items": {"oneOf": outputs}}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "redcap-cdisc: tables, figures and listings of a study",
        **made,
        "properties": properties,
    }
