"""JSON that can be read, searched and compared by line: each item of a list is on its own line.

It comes in pieces, for there may be more of it than memory should hold twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

ENCODER = json.JSONEncoder(ensure_ascii=False)


class Encoded(str):
    """An item that is JSON already: many small texts take less memory than what they say."""


def encoded(value: Any) -> Encoded:
    """Return a value as JSON."""
    return Encoded(ENCODER.encode(value))


def item_a_line(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys of ``content`` line by line, and the items of their lists."""
    yield "{\n"
    before = " "
    for key, value in content.items():
        yield f"{before}{_text(key)}: "
        yield from _member(value)
        before = ",\n "
    yield "\n}\n"


def _member(value: Any) -> Iterator[str]:
    if not isinstance(value, list) or not value:
        yield _text(value)
        return
    yield "[\n"
    yield from _lines(value)
    yield "\n ]"


def _lines(items: Iterable[Any]) -> Iterator[str]:
    before = "  "
    for item in items:
        yield before
        yield _text(item)
        before = ",\n  "


def _text(value: Any) -> str:
    return value if isinstance(value, Encoded) else encoded(value)
