"""The parameters of declarations that are annotated dataclasses, as tables of the docs (Markdown)."""

from __future__ import annotations

import inspect
import types
from collections.abc import Collection
from dataclasses import MISSING, fields, is_dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from metadata.declaration import (
    PLAIN,
    alternatives,
    bare,
    has_notation,
    key_of,
    limits_of,
    needed,
    optional,
    parameters,
    role_of,
)

ROLES = {
    "reads": "variable",
    "makes": "new variable",
    "orders": "variable to sort by (- before it: descending)",
    "other": "variable of the other dataset",
    "logic": "REDCap logic",
    "operand": "field or [event][field]",
    "field": "field",
    "form": "form",
    "parameter": "a PARAMCD that the records have",
}
NAMES = {kind: meant.removeprefix("a ") for kind, (_, meant, _) in PLAIN.items()}


def parameter_table(declared: type, but: Collection[str] = ()) -> str:
    """Return the table of a dataclass's parameters, needed ones first, without those in ``but``."""
    rows = ["| parameter | is | default |", "|---|---|---|"]
    required = needed(declared)
    defaults = {key_of(one.name): one for one in fields(declared)}
    ordered = [*required, *(name for name in parameters(declared) if name not in required)]
    for name in (name for name in ordered if name not in but):
        default = "**needed**" if name in required else _default(defaults[name])
        rows.append(f"| `{name}` | {in_words(parameters(declared)[name])} | {default} |")
    return "\n".join(rows)


def part_tables(declared: type) -> list[str]:
    """Return a table for each dataclass that the parameters consist of, outer ones first, with what the part is."""
    return [
        f"*{part.__name__}.* {(inspect.getdoc(part) or '').replace('``', '`')}\n\n{parameter_table(part)}"
        for part in _inner(declared)
    ]


def in_words(kind: Any) -> str:
    """Return what a parameter may be, as text."""
    if optional(kind):
        return " or ".join(in_words(part) for part in alternatives(kind)) + ", or null"
    if alternatives(kind):
        return " or ".join(in_words(part) for part in alternatives(kind))
    ways = {
        Annotated: lambda: _role(*get_args(kind)) if role_of(kind) else _limited(kind),
        Literal: lambda: " or ".join(f"`{value}`" for value in get_args(kind)),
        list: lambda: f"list, each {in_words(get_args(kind)[0])}",
        tuple: lambda: f"one or a list, each {in_words(get_args(kind)[0])}",
        dict: lambda: f"mapping: {in_words(get_args(kind)[0])} to {in_words(get_args(kind)[1])}",
        None: lambda: kind.notation if has_notation(kind) else NAMES.get(kind) or str(kind.__name__),
    }
    return ways[get_origin(kind)]()


def _limited(kind: Any) -> str:
    """Return what a limited value is; of a list also what its entries are."""
    meant, origin = limits_of(kind)[0].meant.removeprefix("a "), get_origin(bare(kind))
    if origin is tuple:
        return in_words(bare(kind))
    return f"{meant}, each {in_words(get_args(bare(kind))[0])}" if origin is list else meant


def _role(kind: Any, role: str, *marks: Any) -> str:
    """Return what a name is; a mark says more of it, such as the kinds that a variable may have."""
    if has_notation(kind) and role == "other":
        return f"{kind.notation} on the other dataset"
    return ROLES[role].replace("variable", " ".join([*map(str, marks), "variable"]), 1)


def _inner(declared: type) -> list[type]:
    found: list[type] = []
    for kind in parameters(declared).values():
        for part in _parts(kind):
            found += [one for one in [part, *_inner(part)] if one not in found]
    return found


def _parts(kind: Any) -> list[type]:
    if get_origin(kind) in (Union, types.UnionType, Annotated, tuple, list, dict):
        return [part for argument in get_args(kind) for part in _parts(argument)]
    return [kind] if isinstance(kind, type) and is_dataclass(kind) and not has_notation(kind) else []


def _default(field: Any) -> str:
    value = field.default if field.default is not MISSING else field.default_factory()
    if value is None or value in ("", (), {}, []):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    shown_value = (
        ", ".join(map(str, value)) if isinstance(value, tuple) else f"{value:g}" if isinstance(value, float) else value
    )
    return f"`{shown_value}`"
