"""Declarations of a study as annotated dataclasses: each field is a key of the YAML, its annotation what may be there.

The same annotations check a file (here), say which variables a declaration names and in which role (``names_in``), and
give the JSON Schema that editors complete from (``declaration_schema``) and the tables of the docs
(``declaration_table``). A field's type is one of

- ``bool``, ``int``, ``float``, ``str``, ``object`` (any of them) or ``Any`` (anything),
- ``Literal["a", "b"]``, ``tuple[X, ...]`` (one or a list), ``list[X]`` (a list; both with at least
  one entry, unless ``Annotated[list[X], Entries(0)]``), ``dict[K, X]`` (a mapping),
- ``X | None`` (or null, unless None is the default, which says that the key was left out), ``X | Y`` of types that YAML
  writes differently (a text or a number, a text or a mapping),
- another dataclass (a mapping with its keys), or a class with a notation of its own (``Notation``).

``Annotated[X, "role"]`` says that the text, or a notation of its own, names something in that role, e.g. a variable
that is read; ``Annotated[X, Limit(0, 6)]`` limits the values (``declaration_limits``). A field whose key is a
keyword of Python ends in an underscore (``from_``). ``one_of`` of a dataclass holds groups of keys of which exactly one
must be given, ``any_of`` groups of which at least one must be complete. A field of the type ``Place`` is not a key: it
holds the mapping that was read, so that later errors can name its line.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache, wraps
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    NamedTuple,
    Protocol,
    Self,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from metadata.declaration_limits import Entries, ValueLimit
from metadata.errors import Gather, StudyError
from metadata.schema_errors import (
    FILE,
    entry_of,
    entry_twice,
    key_errors,
    none_of,
    quoted,
    value_phrase,
    wrong_type,
)
from metadata.yaml_source import complain

Column = Annotated[str, "reads"]
"""A variable that is read."""
NewColumn = Annotated[str, "makes"]
"""A variable that is made."""
OrderColumn = Annotated[str, "orders"]
"""A variable to sort by; a leading - sorts descending."""
OtherColumn = Annotated[str, "other"]
"""A variable of another dataset."""
Place = Annotated[Any, "place"]
"""The mapping that was read; declared as ``field(default=None, compare=False, repr=False)``."""

PLAIN: dict[Any, tuple[tuple[type, ...], str, dict[str, Any]]] = {
    bool: ((bool,), "true or false", {"type": "boolean"}),
    int: ((int, float), "a whole number", {"type": "integer"}),
    float: ((int, float), "a number", {"type": "number"}),
    str: ((str, int, float), "a text", {"type": ["string", "number"]}),
    object: ((str, int, float, bool), "a text, a number, or true or false", {"type": ["string", "number", "boolean"]}),
}
"""Plain types: what is accepted, what an error and the docs call it, and its JSON Schema."""

LARGEST = sys.float_info.max
T = TypeVar("T")
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


def once_a_kind(function: Callable[[Any], T]) -> Callable[[Any], T]:
    """Let a function of an annotation be called once for each object.

    Not once for all that are equal: ``Literal["a", "b"]`` equals ``Literal["b", "a"]``, and so do unions.
    """
    known: dict[int, tuple[Any, T]] = {}  # with the annotation itself, so that its id stays its own

    def cached(kind: Any) -> T:
        found = known.get(id(kind))
        if found is None:
            found = known[id(kind)] = kind, function(kind)
        return found[1]

    return wraps(function)(cached)


def parameters(declared: type) -> dict[str, Any]:
    """Return the annotations of a dataclass's keys, in their order."""
    return _parameters(declared)  # type: ignore[arg-type]


@cache
def _parameters(declared: Any) -> dict[str, Any]:
    hints = annotations_of(declared)
    return {key_of(one.name): _written(one, hints[one.name]) for one in fields(declared) if hints[one.name] != Place}


@cache
def annotations_of(declared: Any) -> dict[str, Any]:
    """Return the annotation of each field; Python reads the texts that they are again each time it is asked."""
    return get_type_hints(declared, include_extras=True)


def _written(key: Field[Any], kind: Any) -> Any:
    """Return what may be written: where None only says that a key was left out, null may not."""
    return Union[tuple(alternatives(kind))] if key.default is None and optional(kind) else kind  # noqa: UP007 made here


def key_of(name: str) -> str:
    """Return the key of a field: its name without the underscore after a keyword of Python."""
    return name.removesuffix("_")


def needed(declared: type) -> list[str]:
    """Return the parameters without a default."""
    return [key_of(f.name) for f in fields(declared) if f.default is MISSING and f.default_factory is MISSING]


def one_of(declared: type) -> tuple[tuple[str, ...], ...]:
    """Return the groups of keys of which exactly one must be given."""
    return tuple(getattr(declared, "one_of", ()))


def any_of(declared: type) -> tuple[tuple[str, ...], ...]:
    """Return the groups of keys of which at least one must be given."""
    return tuple(getattr(declared, "any_of", ()))


def read_parameters(declared: type[Declared], node: dict[str, Any], owner: str) -> Declared:
    """Read one mapping into a dataclass; raises StudyError with file, line, key and the nearest name.

    ``owner`` is what errors call the mapping (see ``schema_errors``).
    """
    kinds, values = parameters(declared), {}
    with Gather() as gather:
        gather.found += key_errors(node, kinds, needed(declared), owner)
        gather.found += _group_errors(declared, node, owner)
        for key, value in node.items():
            with gather.part():
                if key in kinds:
                    values[key] = read_value(kinds[key], value, node, key)
    given = {one.name: values[key_of(one.name)] for one in fields(declared) if key_of(one.name) in values}  # type: ignore[arg-type]
    places = {name: node for name, hint in annotations_of(declared).items() if hint == Place}  # type: ignore[arg-type]
    return declared(**given, **places)


def _group_errors(declared: type, node: dict[str, Any], owner: str) -> list[StudyError]:
    """Return the error if not one of the groups of keys is given."""
    ways = any_of(declared)
    if ways and not any(all(key in node for key in group) for group in ways):
        return [complain(node, None, f"{owner} needs {_in_words(ways)}")]
    groups = one_of(declared)
    given = [group for group in groups if all(key in node for key in group)]
    named = {key for group in groups for key in group if key in node}
    if not groups or (len(given) == 1 and named <= set(given[0])):
        return []
    return [complain(node, None, f"{owner} needs {_in_words(groups)}{', and not both' if given else ''}")]


def _in_words(groups: tuple[tuple[str, ...], ...]) -> str:
    return " or ".join(" and ".join(map(quoted, group)) for group in groups)


def read_value(kind: Any, value: Any, node: object, key: str, owner: str = "") -> Any:
    """Read one value as ``kind``; raises StudyError that says what would be right.

    ``owner`` is what errors call the value if it is a mapping; its key unless given.
    """
    if value is None and optional(kind):
        return None
    made = _read_bare(bare(kind), value, node, key, owner or quoted(key))
    for limit in limits_of(kind):
        if (limit.of_text and not isinstance(value, str)) or not limit.allows(made):
            raise limit.error(node, key, value)
    return made


def _read_bare(kind: Any, value: Any, node: object, key: str, owner: str) -> Any:
    origin = get_origin(kind)
    if origin in READERS:
        return READERS[origin](kind, value, node, key)
    if has_notation(kind):
        return kind.read(value, node, key)
    if kind is Any:
        return value
    if not is_dataclass(kind):
        return _read_plain(kind, value, node, key)
    if not isinstance(value, dict):
        raise wrong_type(node, key, value, "a mapping")
    return read_parameters(kind, value, owner)  # type: ignore[arg-type]


@once_a_kind
def limits_of(kind: Any) -> list[ValueLimit]:
    """Return the limits of a type's values."""
    if len(alternatives(kind)) == 1:
        return limits_of(alternatives(kind)[0])
    limits = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
    found = [one for one in limits if isinstance(one, ValueLimit)]
    return found or ([Entries(1)] if get_origin(bare(kind)) in (list, tuple) else [])


def has_notation(kind: Any) -> bool:
    """Return True for a class with a notation of its own."""
    return hasattr(kind, "notation")


@once_a_kind
def bare(kind: Any) -> Any:
    """Return a type without its role and without its alternative None."""
    if get_origin(kind) is Annotated:
        return bare(get_args(kind)[0])
    return bare(alternatives(kind)[0]) if len(alternatives(kind)) == 1 else kind


@once_a_kind
def alternatives(kind: Any) -> tuple[Any, ...]:
    """Return the types of ``X | Y | None`` but None; of any other type no alternative."""
    if get_origin(kind) not in (Union, types.UnionType):
        return ()
    return tuple(part for part in get_args(kind) if part is not type(None))


@once_a_kind
def optional(kind: Any) -> bool:
    """Return True for a parameter that may be left without a value (``null``)."""
    return bool(alternatives(kind)) and type(None) in get_args(kind)


@once_a_kind
def role_of(kind: Any) -> str:
    """Return the role of a name, or an empty text."""
    roles = [one for one in get_args(kind)[1:] if isinstance(one, str)] if get_origin(kind) is Annotated else []
    return roles[0] if roles else ""


def is_copied(mapping: Any) -> bool:
    """Return True for a mapping of names to names, which may be written as a list where both are the same."""
    return all(role_of(part) for part in get_args(mapping))


def _read_list(kind: Any, value: Any, node: object, key: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        return (read_value(get_args(kind)[0], value, node, key),)
    made = []
    with Gather() as gather:
        for place, item in enumerate(value):
            with gather.part():
                if isinstance(item, str | dict) and item in value[:place]:
                    raise entry_twice(value, place, key)
                made.append(read_value(get_args(kind)[0], item, node, key, entry_of(key)))
    return tuple(made)


def _read_entries(kind: Any, value: Any, node: object, key: str) -> list[Any]:
    if not isinstance(value, list):
        raise wrong_type(node, key, value, "a list")
    return list(_read_list(kind, value, node, key))


def _read_literal(kind: Any, value: Any, node: object, key: str) -> Any:
    choices = get_args(kind)
    if value not in choices:
        raise none_of(node, key, value, choices)
    return value


def _read_mapping(kind: Any, value: Any, node: object, key: str) -> dict[Any, Any]:
    key_kind, value_kind = get_args(kind)
    if isinstance(value, list) and is_copied(kind):
        return {item: item for item in (read_value(key_kind, item, node, key) for item in value)}
    if not isinstance(value, dict):
        raise wrong_type(node, key, value, "a mapping")
    made = {}
    with Gather() as gather:
        for name, inner in value.items():
            with gather.part():
                made[read_value(key_kind, name, value, str(name))] = read_value(value_kind, inner, value, str(name))
    return made


def _read_plain(kind: Any, value: Any, node: object, key: str) -> Any:
    accepted, meant, _ = PLAIN[kind]
    if not isinstance(value, accepted) or (isinstance(value, bool) and bool not in accepted):
        raise wrong_type(node, key, value, meant)
    if isinstance(value, int | float) and not abs(value) <= LARGEST:
        raise complain(node, key, "must be a number that a dataset can hold")
    if kind is int and isinstance(value, float) and not value.is_integer():
        raise wrong_type(node, key, value, meant)
    return value if kind is object else kind(value)


def _read_alternative(kind: Any, value: Any, node: object, key: str) -> Any:
    """Read a value as the one of several types that it is written as."""
    found = [part for part in alternatives(kind) if _written_as(part, value)]
    if not found and isinstance(value, int | float) and not isinstance(value, bool):
        found = [part for part in alternatives(kind) if bare(part) is str]
    if not found:
        meant = " or ".join(_meant(part) for part in alternatives(kind))
        raise wrong_type(node, key, value, meant)
    return read_value(found[0], value, node, key)


def _written_as(kind: Any, value: Any) -> bool:
    kind, origin = bare(kind), get_origin(bare(kind))
    if origin is Literal:
        return value in get_args(kind)
    if kind in PLAIN:
        exact = {str: str, float: (int, float), int: int, bool: bool}.get(kind, PLAIN[kind][0])
        return isinstance(value, exact) and (isinstance(value, bool) <= (kind in (bool, object)))  # type: ignore[arg-type]
    return isinstance(value, list if origin in (tuple, list) else dict) or has_notation(kind)


def _meant(kind: Any) -> str:
    kind = bare(kind)
    if get_origin(kind) is Literal:
        return " or ".join(map(str, get_args(kind)))
    if kind in PLAIN:
        return PLAIN[kind][1]
    return str(kind.notation) if has_notation(kind) else "a list" if get_origin(kind) in (tuple, list) else "a mapping"


READERS: dict[Any, Callable[[Any, Any, object, str], Any]] = {
    Literal: _read_literal,
    tuple: _read_list,
    list: _read_entries,
    dict: _read_mapping,
    Union: _read_alternative,
    types.UnionType: _read_alternative,
}


def names_in(kind: Any, value: Any, role: str) -> Iterator[str]:
    """Yield the names of one role that a parameter's value holds."""
    if value is None:
        return
    if role_of(kind):
        named = value.names("reads") if has_notation(bare(kind)) else (value,)
        yield from named if role == role_of(kind) else ()
    elif has_notation(kind):
        yield from value.names(role)
    else:
        for part, inner in _parts(kind, value):
            yield from names_in(part, inner, role)


class MarkedName(NamedTuple):
    """A name in a declaration: its role, the further marks of its annotation, and the dataclass that names it."""

    name: str
    role: str
    marks: tuple[Any, ...]
    owner: Any


def marked_names(kind: Any, value: Any, owner: Any = None) -> Iterator[MarkedName]:
    """Yield the names in a parameter's value; a value with its own notation (a condition) is left out.

    ``owner`` is the dataclass that has the parameter; a part of it that names something itself takes its place.
    """
    if value is None or has_notation(bare(kind)):
        return
    if role_of(kind):
        marks = tuple(one for one in get_args(kind)[1:] if not isinstance(one, str))
        yield MarkedName(value, role_of(kind), marks, owner)
        return
    inner = value if is_dataclass(kind) else owner
    for part, held in _parts(kind, value):
        yield from marked_names(part, held, inner)


def _parts(kind: Any, value: Any) -> list[tuple[Any, Any]]:
    """Return types and values of which a value consists."""
    if get_origin(kind) is Annotated:  # a list with limits
        return _parts(get_args(kind)[0], value)
    origin, arguments = get_origin(kind), get_args(kind)
    if alternatives(kind):
        return [(part, value) for part in alternatives(kind) if _is_of(part, value)]
    if origin in (tuple, list):
        return [(arguments[0], item) for item in value]
    if origin is dict:
        return [pair for one, other in value.items() for pair in zip(arguments, (one, other), strict=True)]
    if is_dataclass(kind):
        kinds = parameters(type(value))
        named = {key_of(one.name): getattr(value, one.name) for one in fields(kind)}
        return [(inner, named[name]) for name, inner in kinds.items()]
    return []


def _is_of(kind: Any, value: Any) -> bool:
    """Return True for a value that was read as ``kind``."""
    kind = bare(kind)
    return value in get_args(kind) if get_origin(kind) is Literal else isinstance(value, get_origin(kind) or kind)


def read_document(declared: type[Declared], body: object, file: str) -> Declared:
    """Read a whole file into a dataclass; raises StudyError with line, key and the nearest name."""
    if not isinstance(body, dict):
        raise StudyError(f"{FILE} must be a mapping, not {value_phrase(body)}", file)
    return read_parameters(declared, body, FILE)
