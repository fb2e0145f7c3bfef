"""Decimal points under one another: cells padded with figure spaces, which are as wide as a digit."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import repeat

from markupsafe import Markup, escape

# Distinct texts whose form is kept: the pages of one listing have the same numbers and texts again and again.
MANY = 1 << 16
NUMBER = re.compile(r"([<>-]?)(\d+)((?:\.\d+)?)")
SIGNED = re.compile(r"([<>-])(?=\d)")
FIGURE_SPACE = "\u2007"
# A minus before a number in a sentence, not a hyphen within a word or a date.
MINUS = re.compile(r"(?<![\w.])-(?=\d)")
SIGNS = {"-": "\u2212", "<": "<", ">": ">"}
SIGN_MARKUP = {sign: f'<span class="sign">{escape(shown)}</span>' for sign, shown in SIGNS.items()}


def aligned(cells: list[str], blocks: list[int] | None = None) -> list[Markup]:
    """One column as HTML, padded (see ``padded``)."""
    return [_signed(cell) for cell in padded(cells, blocks)]


def padded(cells: list[str], blocks: list[int] | None = None) -> list[str]:
    """One column as text: first numbers share a decimal point, and so do numbers in brackets in cells of one shape.

    ``blocks`` numbers the part of the table that each cell is in; brackets are aligned within a part only.
    """
    return list(_padded_column(tuple(cells), tuple(blocks or [0] * len(cells))))


@lru_cache(maxsize=MANY)
def _padded_column(cells: tuple[str, ...], parts: tuple[int, ...]) -> tuple[str, ...]:
    """A column of a table is padded once for all the files that show it."""
    found = list(zip(parts, map(_numbers, cells), strict=True))
    kinds = dict.fromkeys(found)  # few, however many cells there are
    first = max((whole[0] for _, (_, whole) in kinds if whole), default=0)
    same: dict[tuple[int, str], list[tuple[int, ...]]] = {}
    for part, (shape, whole) in kinds:
        same.setdefault((part, shape), []).append(whole)
    widths = {shape: tuple(map(max, zip(*alike, strict=True))) for shape, alike in same.items()}
    width_of = {(part, numbers): widths[part, numbers[0]] for part, numbers in kinds}
    return tuple(map(_padded, cells, repeat(first), map(width_of.__getitem__, found)))


@lru_cache(maxsize=MANY)
def _numbers(cell: str) -> tuple[str, tuple[int, ...]]:
    """Return a cell's shape, the same whatever its numbers, and the width of each number's sign and whole part."""
    wholes = tuple(len(sign) + len(whole) for sign, whole, _ in NUMBER.findall(cell))
    return NUMBER.sub("#", cell) if wholes else cell, wholes


@lru_cache(maxsize=MANY)
def _padded(cell: str, first: int, widths: tuple[int, ...]) -> str:
    pieces, end = [], 0
    for position, match in enumerate(NUMBER.finditer(cell)):
        sign, whole, _ = match.groups()
        before = cell[end : match.start()]
        room = first if match.start() == 0 else widths[position] if before.endswith(("(", "/")) else 0
        pieces += [before, FIGURE_SPACE * (room - len(sign) - len(whole)), match[0]]
        end = match.end()
    return "".join([*pieces, cell[end:]])


@lru_cache(maxsize=MANY)
def _signed(text: str) -> Markup:
    """Text with each sign as wide as a digit."""
    pieces = SIGNED.split(text)
    if len(pieces) == 1:
        return escape(text)
    for place in range(1, len(pieces), 2):
        pieces[place] = SIGN_MARKUP[pieces[place]]
    pieces[::2] = [str(escape(piece)) for piece in pieces[::2]]
    return Markup("".join(pieces))  # noqa: S704 all texts escaped


@lru_cache(maxsize=MANY)
def text_cell(text: str) -> Markup:
    """A cell of text, with true minus signs."""
    return escape(MINUS.sub(SIGNS["-"], text))
