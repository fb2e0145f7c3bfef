"""Text that XPT can hold: ASCII by a declared table, at most 200 bytes, the rest continued in SUPP--."""

from __future__ import annotations

import csv
import itertools
from dataclasses import dataclass
from functools import cache

import numpy as np

from metadata.coded_text import CodedText
from metadata.standards import FOLDER

LIMIT = 200


@cache
def table_of_characters() -> dict[str, str]:
    """Return the declared transliteration: character to ASCII (metadata/standards/transliteration.csv)."""
    with (FOLDER / "transliteration.csv").open(encoding="utf-8", newline="") as lines:
        return {chr(int(row["code_point"], 16)): row["ascii"] for row in csv.DictReader(lines)}


def is_plain(value: str) -> bool:
    """Return True for printable ASCII only."""
    return value.isascii() and value.isprintable()


def transliterated(value: str) -> tuple[str, str]:
    """Return the text in printable ASCII, and the characters (U+XXXX) that the table does not know."""
    known = table_of_characters()
    unknown = {char for char in value if not is_plain(char) and char not in known}
    made = "".join(known.get(char, char) for char in value)
    return " ".join(made.split()), " ".join(sorted(f"U+{ord(char):04X}" for char in unknown))


@dataclass(frozen=True)
class TextChange:
    """One text that was written otherwise: variable, as stored, as tabulated, number of records."""

    variable: str
    original: str
    transliterated: str
    records: int


def unwritable(values: CodedText) -> dict[int, str]:
    """Return the code of each text with characters that the table lacks, and these characters (U+XXXX)."""
    unknown = {code: transliterated(word)[1] for code, word in enumerate(values.texts) if not is_plain(word)}
    return {code: characters for code, characters in unknown.items() if characters}


def written_plain(values: CodedText, name: str) -> tuple[CodedText, list[TextChange]]:
    """Return the texts in printable ASCII, and what was written otherwise; errors name the variable ``name``."""
    if all(map(is_plain, values.texts)):
        return values, []
    ordered = values.in_order()
    made = [text if is_plain(text) else transliterated(text)[0] for text in ordered.texts]
    counts = np.bincount(ordered.codes, minlength=len(made)).tolist()
    changes = [
        TextChange(name, text, written, count)
        for text, written, count in zip(ordered.texts, made, counts, strict=True)
        if text != written
    ]
    return CodedText.of_codes(ordered.codes, made), changes


def chunks(value: str, limit: int = LIMIT) -> list[str]:
    """Split a text into pieces of at most ``limit`` bytes at the last blank that fits, a longer word where it must."""
    parts = []
    rest = value
    while len(rest) > limit:
        cut = rest.rfind(" ", 1, limit + 1)
        parts.append(rest[:cut] if cut > 0 else rest[:limit])
        rest = rest[cut + 1 :] if cut > 0 else rest[limit:]
    return [*parts, rest]


def split_long(values: CodedText) -> list[CodedText]:
    """Return the texts cut to the limit, then their continuations, each over the same rows."""
    if max(map(len, values.texts)) <= LIMIT:
        return [values]
    held = values.in_use()
    parts = itertools.zip_longest(*map(chunks, held.texts), fillvalue="")
    return [CodedText.of_codes(held.codes, part) for part in parts]


def continued_name(name: str, number: int) -> str:
    """Return the QNAM of a continuation: the variable's name and a digit, cut to 8 characters (SDTMIG 4.5.3.2)."""
    digits = str(number)
    return name[: 8 - len(digits)] + digits
