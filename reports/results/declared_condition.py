"""The condition that a mapping of reports.yaml declares under a key such as ``where``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metadata.condition import EVERY_ROW, Condition


def declared_condition(node: Mapping[str, Any], key: str = "where") -> Condition:
    """Return the condition under ``key``, or that of every row where the key is left out.

    Raises StudyError with its place if it cannot be read.
    """
    return Condition.read(node[key], node, key) if key in node else EVERY_ROW
