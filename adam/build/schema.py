"""The JSON Schema of an analysis dataset's file, generated from the derivations, for editors and for checks."""

from __future__ import annotations

import inspect
from typing import Any

from adam.build.specification import Header, ListedVariable
from adam.language.derivation import DERIVATIONS
from metadata.condition import Condition
from metadata.declaration_schema import definitions, parameters_schema


def document() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of ``adam/<dataset>.yaml``."""
    header = parameters_schema(Header)
    derivations = [_derivation(name) for name in sorted(DERIVATIONS)]
    properties = {
        **header["properties"],
        "derivations": {"type": "array", "items": {"oneOf": derivations}},
        "variables": {
            "type": "object",
            "additionalProperties": {"anyOf": [{"type": "null"}, parameters_schema(ListedVariable)]},
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Analysis dataset",
        "type": "object",
        "properties": properties,
        "required": [*header["required"], "derivations", "variables"],
        "additionalProperties": False,
        "$defs": definitions([Condition]),
    }


def _derivation(name: str) -> dict[str, Any]:
    parameters = parameters_schema(DERIVATIONS[name])
    if DERIVATIONS[name].adds_rows:
        del parameters["properties"]["when"]
    return {
        "type": "object",
        "properties": {name: {"description": inspect.getdoc(DERIVATIONS[name]), **parameters}},
        "required": [name],
        "additionalProperties": False,
    }
