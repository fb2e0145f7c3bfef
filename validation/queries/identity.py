"""The id of a query: what it asks about, hashed, so that the same question keeps its id from run to run."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

ID_LENGTH = 12
ASKED = ("rule", "record", "event", "form", "instance", "field", "value")
"""Columns of the listing that make the id, after the study."""


def query_id(studyid: str, asked: Sequence[str]) -> str:
    """Return 12 hexadecimal digits of SHA-256 over the study and the texts of ``ASKED``."""
    return hashlib.sha256("|".join([studyid, *asked]).encode()).hexdigest()[:ID_LENGTH]
