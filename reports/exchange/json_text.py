"""JSON that can be read, searched and compared by line: each item of a list is on its own line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

ENCODER = json.JSONEncoder(ensure_ascii=False)


def item_a_line(content: Mapping[str, Any]) -> str:
    """The keys of ``content`` line by line, and the items of their lists."""
    return "{\n" + ",\n".join(f" {_text(key)}: {_member(value)}" for key, value in content.items()) + "\n}\n"


def _member(value: Any) -> str:
    return _lines(value) if isinstance(value, list) and value else _text(value)


def _lines(items: Iterable[Any]) -> str:
    return "[\n" + ",\n".join(f"  {_text(item)}" for item in items) + "\n ]"


def _text(value: Any) -> str:
    return ENCODER.encode(value)
