"""The JSON Schema of checks.yaml, made from the registered kinds, so that editors can complete and check the file."""

from __future__ import annotations

from typing import Any

from metadata.project import Project
from validation.checks.declaration import (
    DICTIONARY_SEVERITIES,
    MODES,
    NEEDED_KEYS,
    SEVERITIES,
)
from validation.checks.kind import KINDS

TEXT: dict[str, Any] = {"type": "string"}
TEXTS: dict[str, Any] = {"type": "array", "items": TEXT, "minItems": 1}
NUMBER: dict[str, Any] = {"type": "number"}
PARAMETERS: dict[str, dict[str, Any]] = {
    "expression": {**TEXT, "description": "a REDCap expression"},
    "operand": {**TEXT, "description": "field, [field], [event][field], or instance"},
    "operands": TEXTS,
    "date": {"anyOf": [TEXT, {**TEXTS, "maxItems": 3}], "description": "a date field, or fields of year, month, day"},
    "field": TEXT,
    "fields": TEXTS,
    "forms": TEXTS,
    "number": NUMBER,
    "numbers": {"type": "array", "items": NUMBER, "minItems": 1},
    "flag": {"type": "boolean"},
    "pattern": {**TEXT, "format": "regex"},
    "unit_factors": {"type": "object", "additionalProperties": NUMBER},
    "rows": {
        "type": "object",
        "required": ["form"],
        "properties": {"form": TEXT, "field": TEXT, "key": TEXT, "when_logic": TEXT, "mode": {"enum": list(MODES)}},
        "additionalProperties": False,
    },
}


def checks_schema(project: Project | None = None) -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12); with a project, forms are those of its dictionary."""
    severity = {"enum": list(SEVERITIES)}
    rules = dict.fromkeys(DICTIONARY_SEVERITIES, severity)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Checks of a study's raw data",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "definitions": {"type": "object", "description": "anchors for values that several checks share"},
            "severities": {"type": "object", "properties": rules, "additionalProperties": False},
            "checks": {
                "type": "array",
                "items": {"oneOf": [_kind(name, project) for name in KINDS]},
            },
        },
    }


def _kind(name: str, project: Project | None) -> dict[str, Any]:
    """Return the schema of the checks of one kind; a check with ``for_each`` may leave parameters to its items."""
    kind = KINDS[name]
    forms = {"enum": list(project.dictionary.forms)} if project else TEXT
    own = {"id": TEXT, "kind": {"const": name}, "severity": {"enum": list(SEVERITIES)}, "form": forms, "field": TEXT}
    own |= dict.fromkeys(("problem", "expected", "when_logic"), TEXT)
    own["for_each"] = {"type": ["array", "object"]}
    parameters = {key: PARAMETERS[parameter.type] for key, parameter in kind.parameters.items()}
    needed = [key for key, parameter in kind.parameters.items() if parameter.required]
    return {
        "type": "object",
        "description": kind.words,
        "properties": {**own, **parameters},
        "required": list(NEEDED_KEYS),
        "anyOf": [{"required": needed}, {"required": ["for_each"]}],
        "additionalProperties": False,
    }
