"""The JSON Schema of declarations that are annotated dataclasses, for editors and for tests of other readers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import is_dataclass
from typing import Any, Literal, get_args, get_origin

from metadata.declaration import (
    PLAIN,
    alternatives,
    any_of,
    bare,
    has_notation,
    is_copied,
    limits_of,
    needed,
    one_of,
    optional,
    parameters,
)


def parameters_schema(declared: type) -> dict[str, Any]:
    """Return the closed JSON Schema of a dataclass; notations of their own are references into ``$defs``."""
    groups = [_only(group, one_of(declared)) for group in one_of(declared)]
    return {
        "type": "object",
        "properties": {name: schema_of(kind) for name, kind in parameters(declared).items()},
        "required": needed(declared),
        "additionalProperties": False,
        **({"oneOf": groups} if groups else {}),
        **({"anyOf": [{"required": list(group)} for group in any_of(declared)]} if any_of(declared) else {}),
    }


def _only(group: tuple[str, ...], groups: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
    """Return the schema that demands the keys of one group and forbids those of the others."""
    others = sorted({key for other in groups for key in other} - set(group))
    return {"required": list(group), **({"properties": dict.fromkeys(others, False)} if others else {})}


def definitions(notations: Iterable[Any]) -> dict[str, Any]:
    """Return the ``$defs`` of a document in which these notations occur."""
    return {kind.notation: kind.schema() for kind in notations}


def schema_of(kind: Any) -> dict[str, Any]:
    """Return the JSON Schema of a parameter."""
    if optional(kind):
        return {"anyOf": [*(schema_of(part) for part in alternatives(kind)), {"type": "null"}]}
    limits = {key: value for limit in limits_of(kind) for key, value in limit.schema().items()}
    return {**_bare_schema(bare(kind)), **limits}


def _bare_schema(kind: Any) -> dict[str, Any]:
    origin = get_origin(kind)
    if alternatives(kind):
        return {"anyOf": [schema_of(part) for part in alternatives(kind)]}
    if origin in SCHEMAS:
        return SCHEMAS[origin](kind)
    if has_notation(kind):
        return {"$ref": f"#/$defs/{kind.notation}"}
    if kind is Any:
        return {}
    if is_dataclass(kind):
        return parameters_schema(kind)  # type: ignore[arg-type]
    return dict(PLAIN[kind][2])


def _list_schema(kind: Any) -> dict[str, Any]:
    item = schema_of(get_args(kind)[0])
    return {"anyOf": [item, {"type": "array", "items": item}]}


def _entries_schema(kind: Any) -> dict[str, Any]:
    return {"type": "array", "items": schema_of(get_args(kind)[0])}


def _mapping_schema(kind: Any) -> dict[str, Any]:
    mapping = {"type": "object", "additionalProperties": schema_of(get_args(kind)[1])}
    names = {"type": "array", "items": schema_of(get_args(kind)[0])}
    return {"anyOf": [mapping, names]} if is_copied(kind) else mapping


SCHEMAS: dict[Any, Callable[[Any], dict[str, Any]]] = {
    Literal: lambda kind: {"enum": list(get_args(kind))},
    tuple: _list_schema,
    list: _entries_schema,
    dict: _mapping_schema,
}


def document_schema(declared: type, title: str, notations: Iterable[Any] = ()) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a file that a dataclass declares."""
    defs = definitions(notations)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"redcap-cdisc: {title}",
        **parameters_schema(declared),
        **({"$defs": defs} if defs else {}),
    }
