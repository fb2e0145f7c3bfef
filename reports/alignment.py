"""Decimal points under one another: cells padded with figure spaces, which are as wide as a digit."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

NUMBER = re.compile(r"([<>-]?)(\d+)((?:\.\d+)?)")
FIGURE_SPACE = "\u2007"
PUNCTUATION_SPACE = "\u2008"
SIGNS = {"-": "\u2212", "<": "<", ">": ">"}


def aligned(cells: list[str]) -> list[Markup]:
    """One column as HTML: the first numbers share a decimal point, and cells of one shape share all of theirs."""
    shapes = [NUMBER.sub("#", cell) for cell in cells]
    first = max((_whole(cell)[0] for cell in cells if _whole(cell)), default=0)
    return [_padded(cell, first, _widths([c for c, s in zip(cells, shapes, strict=True) if s == shape]))
            for cell, shape in zip(cells, shapes, strict=True)]  # fmt: skip


def _whole(cell: str) -> list[int]:
    """Width of each number's sign and whole part."""
    return [len(sign) + len(whole) for sign, whole, _ in NUMBER.findall(cell)]


def _widths(same: list[str]) -> list[tuple[int, int]]:
    """For each number of cells of one shape: the widest whole part and the widest fraction."""
    numbers = [NUMBER.findall(cell) for cell in same]
    return [
        (max(len(sign) + len(whole) for sign, whole, _ in place), max(len(fraction) for *_, fraction in place))
        for place in zip(*numbers, strict=True)
    ]


def _padded(cell: str, first: int, widths: list[tuple[int, int]]) -> Markup:
    pieces, end, last = [], 0, len(widths) - 1
    for position, match in enumerate(NUMBER.finditer(cell)):
        sign, whole, fraction = match.groups()
        room = (first if position == 0 else widths[position][0]) - len(sign) - len(whole)
        trailing = _blank(widths[position][1] - len(fraction), fraction) if position < last else ""
        pieces += [escape(cell[end : match.start()]), FIGURE_SPACE * room, _sign(sign), whole, fraction, trailing]
        end = match.end()
    return Markup("").join([*pieces, escape(cell[end:])])


def _blank(missing: int, fraction: str) -> str:
    """Room for absent decimals, with a narrow space for an absent point."""
    return FIGURE_SPACE * missing if fraction or not missing else PUNCTUATION_SPACE + FIGURE_SPACE * (missing - 1)


def _sign(sign: str) -> Markup:
    return Markup('<span class="sign">{}</span>').format(SIGNS[sign]) if sign else Markup("")
