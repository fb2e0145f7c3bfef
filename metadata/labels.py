"""Labels of forms, fields and choices as plain text: REDCap's may hold HTML."""

from __future__ import annotations

import html
import re

BREAK = re.compile(r"<\s*(?:br|/p|/div|/li|/tr|/h\d)\b[^>]*>", re.IGNORECASE)
TAG = re.compile(r"</?[A-Za-z][^<>]*>")


def plain_label(label: str) -> str:
    """Return a label without its tags, entities resolved and white space in single blanks."""
    text = html.unescape(TAG.sub("", BREAK.sub(" ", label)))
    return re.sub(r"\s+", " ", text).strip()
