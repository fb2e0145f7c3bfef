"""The JSON Schema of the mapping files, generated from the registered operations, and the check against it."""

from __future__ import annotations

from functools import cache
from typing import Any

import jsonschema

import sdtm.operations
from metadata.condition import condition_schema
from metadata.errors import Gather, StudyError, nearest
from metadata.registration import load_modules
from metadata.yaml_source import LocatedDict, complain
from sdtm.operations.operation import (
    CONDITION,
    EXTRA,
    NAME,
    NAMES,
    RECORD_WORDS,
    TABLE_WORDS,
    TERMS,
    TEXT,
)

load_modules(sdtm.operations)
OPERATIONS = {"type": "object", "additionalProperties": {"$ref": "#/$defs/operation"}}
NOT_DONE = {
    "anyOf": [
        NAME,
        {
            "type": "object",
            "required": ["field"],
            "properties": {"field": NAME, "code": TEXT},
            "additionalProperties": False,
        },
    ]
}
FACTOR = {"type": "number", "exclusiveMinimum": 0}
SHIFTED = {
    "type": "object",
    "required": ["add"],
    "properties": {"add": {"type": "number"}, "factor": FACTOR},
    "additionalProperties": False,
}
TEST = {
    "testcd": NAME,
    "test": NAME,
    "result": {"anyOf": [NAME, {"$ref": "#/$defs/operation"}]},
    "unit": {"anyOf": [NAME, {"$ref": "#/$defs/operation"}]},
    "reason": {"anyOf": [NAME, {"$ref": "#/$defs/operation"}]},
    "not_done": NOT_DONE,
    "category": NAME,
    "subcategory": NAME,
    "specimen": NAME,
    "method": NAME,
    "location": NAME,
    "standard_unit": NAME,
    "unit_factors": {"type": "object", "additionalProperties": {"anyOf": [FACTOR, SHIFTED]}},
    "where": CONDITION,
    "codelists": {"type": "object", "properties": {"testcd": NAME, "test": NAME}, "additionalProperties": False},
    "label_without": NAME,
    "standard": {"enum": ["code", "result"]},
    "standard_terms": TERMS,
    "toxicity": NAME,
    "toxicity_terms": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0, "maximum": 5}},
    "variables": OPERATIONS,
}
TESTS = {
    "type": "object",
    "additionalProperties": {"type": "object", "properties": TEST, "additionalProperties": False},
}
DATES = {
    "type": "object",
    "properties": {"except": NAMES, "events": NAMES},
    "additionalProperties": False,
}
BLOCK = {
    "form": NAME,
    "each": NAME,
    "for_each": NAMES,
    "events": NAMES,
    "where": CONDITION,
    "variables": OPERATIONS,
    "supplemental": OPERATIONS,
    "tests": TESTS,
    "dates": DATES,
    "about": NAME,
}


@cache
def mapping_schema(strict: bool = True) -> dict[str, Any]:
    """Return the JSON Schema of a domain's mapping file (draft 2020-12), for editors and for the check.

    Without ``strict``, unknown keys of the file and of its blocks fit.
    """
    block = {"type": "object", "properties": BLOCK, "additionalProperties": not strict}
    properties = {
        "domain": {"type": "string", "pattern": "^[A-Z][A-Z0-9]{1,7}$"},
        "records": {"anyOf": [block, {"type": "array", "items": block, "minItems": 1}]},
        "variables": OPERATIONS,
        "tests": TESTS,
        "codelists": {"type": "object", "properties": {"testcd": NAME, "test": NAME}, "additionalProperties": False},
        "unit_terms": TERMS,
        "keys": NAMES,
        "toxicity": NAME,
        "reason_not_done": NAME,
        "if_empty": {"enum": ["omit", "keep"]},
        "ranges": {
            "type": "object",
            "required": ["file", "laboratory"],
            "properties": {"file": NAME, "laboratory": NAME},
            "additionalProperties": False,
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "redcap-cdisc: mapping of one SDTM domain",
        "type": "object",
        "required": ["domain", "records"],
        "properties": properties,
        "additionalProperties": not strict,
        "$defs": {
            "condition": condition_schema(),
            "operation": {"anyOf": [_of(kind) for kind in {**RECORD_WORDS, **TABLE_WORDS}.values()]},
        },
    }


def _of(kind: Any) -> dict[str, Any]:
    summary = (kind.__doc__ or "").strip().split("\n")[0]
    extra = {"label": NAME, "qorig": NAME, "qeval": NAME, "tests": NAMES}
    assert set(extra) == set(EXTRA)
    parts = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/operation"}}
    own = {key: parts if key in ("first_of", "concat") else value for key, value in kind.schema.items()}
    return {
        "type": "object",
        "description": summary,
        "required": [kind.word, *kind.needed],
        "properties": {**own, **extra},
        "additionalProperties": False,
    }


def check_structure(body: Any, file: str, gather: Gather) -> None:
    """Find, with file, line, key and the nearest valid key, what does not fit the schema.

    Unknown keys are gathered; a file of another shape cannot be read further, which is a StudyError. What an operation
    may hold is left to the operation, whose errors are more exact.
    """
    if not isinstance(body, LocatedDict):
        raise StudyError("a mapping file starts with domain: and records:", file)
    schema = {**mapping_schema(strict=False), "$defs": {"condition": True, "operation": True}}
    records = body.get("records")
    blocks = [
        block for block in (records if isinstance(records, list) else [records]) if isinstance(block, LocatedDict)
    ]
    _known_keys(body, schema["properties"], gather)
    for block in blocks:
        _known_keys(block, BLOCK, gather)
    shape = Gather()
    _fits(body, schema, shape)
    if shape.found:
        with gather:
            gather.found += shape.found


def _known_keys(node: LocatedDict, known: Any, gather: Gather) -> None:
    for key in node:
        with gather.part():
            if key not in known:
                raise complain(node, key, f"there is no such key here{nearest(key, known)}")


def _fits(body: LocatedDict, schema: dict[str, Any], gather: Gather) -> None:
    """Find every place that does not fit the schema; of the alternatives of one place, the nearest speaks."""
    for error in jsonschema.Draft202012Validator(schema).iter_errors(body):
        worst = jsonschema.exceptions.best_match([error])
        node, key = _locate(body, list(worst.absolute_path))
        with gather.part():
            raise complain(node, key, f"{worst.message}, which does not fit the mapping language")


def _locate(body: Any, path: list[Any]) -> tuple[Any, Any]:
    node, key = body, None
    for step in path:
        if key is not None:
            node = node[key]
        key = step
    return node, key
