"""Text for RTF: no character of the data can become a control word, and none outside ASCII is written as a byte."""

from __future__ import annotations

import re

SPECIAL = re.compile(r"[\\{}]|[^\x20-\x7e]")
# Figure spaces align cells; in a typeface of one width a space that never breaks does the same.
SPACES = {"\u2007": "\\~", "\u2011": "\\_", "\u00a0": "\\~", "\t": " ", "\n": "\\line ", "\r": ""}


def escaped(text: str) -> str:
    """``text`` as RTF writes it: ``{`` as ``\\{``, a letter beyond ASCII as UTF-16 units with ``?`` to fall back on."""
    return SPECIAL.sub(lambda found: _character(found[0]), text)


def _character(character: str) -> str:
    if character in SPACES:
        return SPACES[character]
    if character in "\\{}":
        return "\\" + character
    if ord(character) < 0x20:
        return " "
    units = character.encode("utf-16-le")
    numbers = [int.from_bytes(units[i : i + 2], "little", signed=True) for i in range(0, len(units), 2)]
    return "".join(f"\\u{number}?" for number in numbers)
