"""The JSON Schema of checks.yaml, made from the registered kinds, so that editors can complete and check the file."""

from __future__ import annotations

from typing import Any

from metadata.declaration_schema import document_schema, parameters_schema
from metadata.project import Project
from validation.checks.declaration import DICTIONARY_SEVERITIES, FOR_EACH, ChecksFile
from validation.checks.kind import KINDS


def checks_schema(project: Project | None = None) -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12); with a project, forms are those of its dictionary."""
    made = document_schema(ChecksFile, "checks of a study's raw data")
    severity = made["properties"]["severities"]["additionalProperties"]
    made["properties"]["severities"] = {
        "type": "object",
        "properties": dict.fromkeys(DICTIONARY_SEVERITIES, severity),
        "additionalProperties": False,
    }
    made["properties"]["checks"]["items"] = {"oneOf": [_kind(name, project) for name in KINDS]}
    return made


def _kind(name: str, project: Project | None) -> dict[str, Any]:
    """Return the schema of the checks of one kind; a check with ``for_each`` may leave keys to its items."""
    made = parameters_schema(KINDS[name])
    own: dict[str, Any] = {"kind": {"const": name}, FOR_EACH: {"type": ["array", "object"]}}
    if project:
        own["form"] = {"enum": list(project.dictionary.forms)}
    needed = made["required"]
    return {
        **made,
        "description": KINDS[name].purpose(),
        "properties": {**made["properties"], **own},
        "required": ["kind"],
        "anyOf": [{"required": needed}, {"required": [FOR_EACH]}],
    }
