"""The grammar of the derivation language: what parameters may be, read with their places, and as JSON Schema.

A word's parameters are the annotated fields of its dataclass. The same annotations check a file, say which variables a
derivation reads and makes (so that the order is computed), and generate the schema that editors complete from.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from adam.language.condition import Condition, read_condition
from metadata.errors import Gather, nearest
from metadata.yaml_source import complain

Column = Annotated[str, "reads"]
"""A variable that the derivation reads."""
NewColumn = Annotated[str, "makes"]
"""A variable that the derivation makes."""
OrderColumn = Annotated[str, "orders"]
"""A variable to sort by; a leading - sorts descending."""
OtherColumn = Annotated[str, "other"]
"""A variable of another dataset."""

PLAIN: dict[Any, tuple[tuple[type, ...], str, dict[str, Any]]] = {
    bool: ((bool,), "true or false", {"type": "boolean"}),
    int: ((int,), "a whole number", {"type": "integer"}),
    float: ((int, float), "a number", {"type": "number"}),
    str: ((str, int, float), "a text", {"type": ["string", "number"]}),
    object: ((str, int, float, bool), "a text, a number, or true or false", {"type": ["string", "number", "boolean"]}),
}


@cache
def parameters(word: type) -> dict[str, Any]:
    """Return the annotations of a word's parameters, in order; common ones last."""
    hints = get_type_hints(word, include_extras=True)
    return {field.name: hints[field.name] for field in fields(word)}


def needed(word: type) -> list[str]:
    """Return the parameters without a default."""
    return [f.name for f in fields(word) if f.default is MISSING and f.default_factory is MISSING]


def read_parameters(word: type, node: dict[str, Any], name: str) -> Any:
    """Read one mapping into the dataclass ``word``; raises StudyError with file, line, key and the nearest name."""
    kinds, values = parameters(word), {}
    with Gather() as gather:
        for key, value in node.items():
            with gather.part():
                if key not in kinds:
                    raise complain(node, key, f"'{name}' has no parameter '{key}'{nearest(key, kinds)}")
                values[key] = read_value(kinds[key], value, node, key)
        for key in needed(word):
            with gather.part():
                if key not in node:
                    raise complain(node, None, f"'{name}' needs the parameter '{key}'")
    return word(**values)


def read_value(kind: Any, value: Any, node: object, key: str) -> Any:
    """Read one value as ``kind``; raises StudyError that says what would be right."""
    if value is None and optional(kind):
        return None
    kind, origin = bare(kind), get_origin(bare(kind))
    if origin in READERS:
        return READERS[origin](kind, value, node, key)
    if kind is Condition:
        return read_condition(value, node, key)
    if not is_dataclass(kind):
        return _read_plain(kind, value, node, key)
    if not isinstance(value, dict):
        raise complain(node, key, "must be a mapping")
    return read_parameters(kind, value, key)  # type: ignore[arg-type]


def bare(kind: Any) -> Any:
    """Return a type without its role and without its alternative None."""
    if get_origin(kind) is Annotated:
        return bare(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        return bare(next(part for part in get_args(kind) if part is not type(None)))
    return kind


def optional(kind: Any) -> bool:
    """Return True for a parameter that may be left without a value (``null``)."""
    return get_origin(kind) in (Union, types.UnionType) and type(None) in get_args(kind)


def _read_list(kind: Any, value: Any, node: object, key: str) -> tuple[Any, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(read_value(get_args(kind)[0], item, node, key) for item in items)


def _read_literal(kind: Any, value: Any, node: object, key: str) -> Any:
    choices = get_args(kind)
    if value not in choices:
        words = [str(choice) for choice in choices]
        raise complain(node, key, f"'{value}' is none of {', '.join(words)}{nearest(str(value), words)}")
    return value


def _read_mapping(kind: Any, value: Any, node: object, key: str) -> dict[Any, Any]:
    key_kind, value_kind = get_args(kind)
    if isinstance(value, list) and _role(key_kind) and _role(value_kind):
        value = {item: item for item in value}
    if not isinstance(value, dict):
        raise complain(node, key, "must be a mapping")
    return {read_value(key_kind, k, node, key): read_value(value_kind, v, value, str(k)) for k, v in value.items()}


def _read_plain(kind: Any, value: Any, node: object, key: str) -> Any:
    accepted, meant, _ = PLAIN[kind]
    if not isinstance(value, accepted) or (isinstance(value, bool) and bool not in accepted):
        raise complain(node, key, f"must be {meant}, not {value!r}")
    return value if kind is object else kind(value)


READERS: dict[Any, Callable[[Any, Any, object, str], Any]] = {
    Literal: _read_literal,
    tuple: _read_list,
    dict: _read_mapping,
}


def _role(kind: Any) -> str:
    return get_args(kind)[1] if get_origin(kind) is Annotated else ""


def names_in(kind: Any, value: Any, role: str) -> Iterator[str]:
    """Yield the variables of one role (reads, makes, orders) that a parameter's value names."""
    origin = get_origin(kind)
    if value is None:
        return
    if origin is Annotated:
        if _role(kind) == role:
            yield value
    elif origin in (Union, types.UnionType):
        yield from names_in(next(part for part in get_args(kind) if part is not type(None)), value, role)
    elif origin is tuple:
        for item in value:
            yield from names_in(get_args(kind)[0], item, role)
    elif origin is dict:
        for one, other in value.items():
            yield from names_in(get_args(kind)[0], one, role)
            yield from names_in(get_args(kind)[1], other, role)
    elif kind is Condition and role == "reads":
        yield from value.reads
    elif is_dataclass(kind):
        for name, inner in parameters(kind).items():  # type: ignore[arg-type]
            yield from names_in(inner, getattr(value, name), role)


def schema_of(kind: Any) -> dict[str, Any]:
    """Return the JSON Schema of a parameter."""
    if optional(kind):
        return {"anyOf": [schema_of(bare(kind)), {"type": "null"}]}
    kind, origin = bare(kind), get_origin(bare(kind))
    if origin in SCHEMAS:
        return SCHEMAS[origin](kind)
    if kind is Condition:
        return {"$ref": "#/$defs/condition"}
    if is_dataclass(kind):
        return parameters_schema(kind)  # type: ignore[arg-type]
    return dict(PLAIN[kind][2])


def _list_schema(kind: Any) -> dict[str, Any]:
    item = schema_of(get_args(kind)[0])
    return {"anyOf": [item, {"type": "array", "items": item}]}


def _mapping_schema(kind: Any) -> dict[str, Any]:
    key_kind, value_kind = get_args(kind)
    mapping = {"type": "object", "additionalProperties": schema_of(value_kind)}
    if _role(key_kind) and _role(value_kind):
        return {"anyOf": [mapping, {"type": "array", "items": {"type": "string"}}]}
    return mapping


SCHEMAS: dict[Any, Callable[[Any], dict[str, Any]]] = {
    Literal: lambda kind: {"enum": list(get_args(kind))},
    tuple: _list_schema,
    dict: _mapping_schema,
}


def parameters_schema(word: type) -> dict[str, Any]:
    """Return the JSON Schema of a word's parameters."""
    return {
        "type": "object",
        "properties": {name: schema_of(kind) for name, kind in parameters(word).items()},
        "required": needed(word),
        "additionalProperties": False,
    }
