"""The unique names that REDCap makes of the names people give: events, data access groups, roles."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from unicodedata import normalize

LONGEST = 18
"""Letters of a unique name before its arm or a number."""


def slug(name: str) -> str:
    """Return a name in small letters, digits and underlines, at most 18 of them."""
    plain = normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:LONGEST].rstrip("_")


def event_name(name: str, arm: str, taken: Collection[str]) -> str:
    """Return the unique name of an event; a second one of that name gets a letter."""
    return _free(slug(name), f"_arm_{arm}", taken)


def group_name(name: str, taken: Collection[str]) -> str:
    """Return the unique name of a data access group; a second one of that name gets a letter."""
    return _free(slug(name), "", taken)


def _free(head: str, tail: str, taken: Collection[str]) -> str:
    candidates = (f"{head}{letter}{tail}" for letter in ["", *"bcdefghijklmnopqrstuvwxyz"])
    return next((name for name in candidates if name not in taken), f"{head}_{len(taken)}{tail}")


def code_of(length: int, *parts: object) -> str:
    """Return a code of capital letters and digits that always follows from the parts: a role, a survey's address."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    letters = "ABCDEFGHJKLMNPRTWXY347789"
    return "".join(letters[byte % len(letters)] for byte in digest)[:length]
