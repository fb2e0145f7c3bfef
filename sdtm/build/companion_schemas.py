"""JSON Schemas of the files beside a study's domain mappings: not submitted, trial design, trial summary, relations."""

from __future__ import annotations

from typing import Any

from sdtm.build.relations import TYPES
from sdtm.domains.trial_summary import DOMAIN, MORE, SAYS
from sdtm.mapping.declared_rows import DECLARED
from sdtm.mapping.not_submitted import PARTS
from sdtm.operations.operation import NAME, TEXT

ONE_REASON = ("status", "descriptive", "calculated")


def _file(title: str, required: list[str], **properties: Any) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"redcap-cdisc: {title}",
        **_of(required, **properties),
    }


def _of(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


def not_submitted_schema() -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12): a reason, or a reason for each form or field."""
    reason = {"type": "string", "minLength": 1}
    each = {"type": "object", "additionalProperties": reason}
    parts = {part: reason if part in ONE_REASON else each for part in PARTS}
    return _file("what is not submitted, and why", [], **parts)


def rows_schema() -> dict[str, Any]:
    """Return the schema of a dataset of trial design that is written row by row (TI, TM)."""
    row = {"type": "object", "additionalProperties": {"type": ["string", "number", "null"]}}
    return _file(
        "a dataset of trial design",
        ["domain", "rows"],
        domain={"enum": [*DECLARED]},
        rows={"type": "array", "items": row},
    )


def summary_schema() -> dict[str, Any]:
    """Return the schema of the trial summary: each parameter has one of the ways to say its value."""
    entry = {
        **_of(["paramcd"], **dict.fromkeys((*MORE, *SAYS), TEXT)),
        "oneOf": [{"required": [key]} for key in SAYS],
    }
    return _file(
        "trial summary", ["parameters"], domain={"const": DOMAIN}, parameters={"type": "array", "items": entry}
    )


def relations_schema() -> dict[str, Any]:
    """Return the schema of relations.yaml: links by an instance's number, or by a shared variable."""
    shared = _of(["domain", "variable", "type"], domain=NAME, variable=NAME, type={"enum": [*TYPES]})
    relation = _of(
        ["id"],
        **{
            "from": _of(["domain", "field"], domain=NAME, field=NAME),
            "to": _of(["domain", "form"], domain=NAME, form=NAME),
        },
        id=NAME,
        datasets={"type": "array", "items": shared, "minItems": 2},
    )
    return _file(
        "relations between records and datasets", ["relations"], relations={"type": "array", "items": relation}
    )
