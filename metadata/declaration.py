"""Declarations of a study as annotated dataclasses: each field is a key of the YAML, its annotation what may be there.

The same annotations check a file (here), say which variables a declaration names and in which role (``names_in``), and
give the JSON Schema that editors complete from (``declaration_schema``) and the tables of the docs
(``declaration_table``). A field's type is one of

- ``bool``, ``int``, ``float``, ``str`` or ``object`` (any of them),
- ``Literal["a", "b"]``, ``tuple[X, ...]`` (one or a list), ``dict[K, X]`` (a mapping), ``X | None`` (or null),
- another dataclass (a mapping with its keys), or a class with a notation of its own (``Notation``).

``Annotated[X, "role"]`` says that the text names something, e.g. a variable that is read.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    Protocol,
    Self,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from metadata.errors import Gather, nearest
from metadata.yaml_source import complain

Column = Annotated[str, "reads"]
"""A variable that is read."""
NewColumn = Annotated[str, "makes"]
"""A variable that is made."""
OrderColumn = Annotated[str, "orders"]
"""A variable to sort by; a leading - sorts descending."""
OtherColumn = Annotated[str, "other"]
"""A variable of another dataset."""

PLAIN: dict[Any, tuple[tuple[type, ...], str, dict[str, Any]]] = {
    bool: ((bool,), "true or false", {"type": "boolean"}),
    int: ((int, float), "a whole number", {"type": "integer"}),
    float: ((int, float), "a number", {"type": "number"}),
    str: ((str, int, float), "a text", {"type": ["string", "number"]}),
    object: ((str, int, float, bool), "a text, a number, or true or false", {"type": ["string", "number", "boolean"]}),
}
"""Plain types: what is accepted, what an error and the docs call it, and its JSON Schema."""

LARGEST = sys.float_info.max
Declared = TypeVar("Declared")


class Notation(Protocol):
    """A class that reads a notation of its own, such as a condition."""

    notation: ClassVar[str]
    """What the docs call it; also its name among the ``$defs`` of a JSON Schema."""

    @classmethod
    def read(cls, value: object, node: object, key: str) -> Self:
        """Read the value of ``key`` in ``node``; raises StudyError with its place."""
        ...

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """Return the JSON Schema, for the ``$defs`` of a document."""
        ...

    def names(self, role: str) -> Iterable[str]:
        """Return the names of one role."""
        ...


@cache
def parameters(declared: type) -> dict[str, Any]:
    """Return the annotations of a dataclass's fields by name, in their order."""
    hints = get_type_hints(declared, include_extras=True)
    return {field.name: hints[field.name] for field in fields(declared)}


def needed(declared: type) -> list[str]:
    """Return the parameters without a default."""
    return [f.name for f in fields(declared) if f.default is MISSING and f.default_factory is MISSING]


def read_parameters(declared: type[Declared], node: dict[str, Any], name: str) -> Declared:
    """Read one mapping into a dataclass; raises StudyError with file, line, key and the nearest name.

    ``name`` is what errors call the mapping.
    """
    kinds, values = parameters(declared), {}  # type: ignore[arg-type]
    with Gather() as gather:
        for key, value in node.items():
            with gather.part():
                if key not in kinds:
                    raise complain(node, key, f"'{name}' has no parameter '{key}'{nearest(key, kinds)}")
                values[key] = read_value(kinds[key], value, node, key)
        for key in needed(declared):
            with gather.part():
                if key not in node:
                    raise complain(node, None, f"'{name}' needs the parameter '{key}'")
    return declared(**values)


def read_value(kind: Any, value: Any, node: object, key: str) -> Any:
    """Read one value as ``kind``; raises StudyError that says what would be right."""
    if value is None and optional(kind):
        return None
    kind, origin = bare(kind), get_origin(bare(kind))
    if origin in READERS:
        return READERS[origin](kind, value, node, key)
    if has_notation(kind):
        return kind.read(value, node, key)
    if not is_dataclass(kind):
        return _read_plain(kind, value, node, key)
    if not isinstance(value, dict):
        raise complain(node, key, "must be a mapping")
    return read_parameters(kind, value, key)  # type: ignore[arg-type]


def has_notation(kind: Any) -> bool:
    """Return True for a class with a notation of its own."""
    return hasattr(kind, "notation")


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


def role_of(kind: Any) -> str:
    """Return the role of a name, or an empty text."""
    return get_args(kind)[1] if get_origin(kind) is Annotated else ""


def is_copied(mapping: Any) -> bool:
    """Return True for a mapping of names to names, which may be written as a list where both are the same."""
    return all(role_of(part) for part in get_args(mapping))


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
    if isinstance(value, list) and is_copied(kind):
        return {item: item for item in (read_value(key_kind, item, node, key) for item in value)}
    if not isinstance(value, dict):
        raise complain(node, key, "must be a mapping")
    return {read_value(key_kind, k, node, key): read_value(value_kind, v, value, str(k)) for k, v in value.items()}


def _read_plain(kind: Any, value: Any, node: object, key: str) -> Any:
    accepted, meant, _ = PLAIN[kind]
    if not isinstance(value, accepted) or (isinstance(value, bool) and bool not in accepted):
        raise complain(node, key, f"must be {meant}, not {value!r}")
    if isinstance(value, int | float) and not abs(value) <= LARGEST:
        raise complain(node, key, "must be a number that a dataset can hold")
    if kind is int and isinstance(value, float) and not value.is_integer():
        raise complain(node, key, f"must be {meant}, not {value!r}")
    return value if kind is object else kind(value)


READERS: dict[Any, Callable[[Any, Any, object, str], Any]] = {
    Literal: _read_literal,
    tuple: _read_list,
    dict: _read_mapping,
}


def names_in(kind: Any, value: Any, role: str) -> Iterator[str]:
    """Yield the names of one role that a parameter's value holds."""
    origin = get_origin(kind)
    if value is None:
        return
    if origin is Annotated:
        if role_of(kind) == role:
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
    elif has_notation(kind):
        yield from value.names(role)
    elif is_dataclass(kind):
        for name, inner in parameters(kind).items():  # type: ignore[arg-type]
            yield from names_in(inner, getattr(value, name), role)
