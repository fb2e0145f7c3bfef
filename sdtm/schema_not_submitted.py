"""The JSON Schema of sdtm/not_submitted.yaml, for editors."""

from __future__ import annotations

from typing import Any

from sdtm.submitted import PARTS

ONE_REASON = ("status", "descriptive", "calculated")


def not_submitted_schema() -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12): a reason, or a reason for each form or field."""
    reason = {"type": "string", "minLength": 1}
    each = {"type": "object", "additionalProperties": reason}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "redcap-cdisc: what is not submitted, and why",
        "type": "object",
        "properties": {part: reason if part in ONE_REASON else each for part in PARTS},
        "additionalProperties": False,
    }
