"""A listing as RTF: rows laid on pages by their height, so that a page begins with the whole of what its records share.

The typeface has one width, so that where a line breaks, and how high a row is, is known here.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from reports.alignment import padded
from reports.listing_page import changes
from reports.rtf_table import GAP, LETTER, MOST_WORDS, RULE, Grid, fitted, longest_word
from reports.rtf_text import escaped
from reports.table import Column, Listing

# A line of Courier New is 1.133 of its size high; sizes are half points, heights twips.
LINE = 11.33
# Room above and beneath the lines of a row, with its border.
ROW_SPACE = 40
ROW = "\\trowd\\trgaph50\\trleft0\\trkeep\\trpaddt24\\trpaddft3\\trpaddb10\\trpaddfb3"
# The hyphen of a date or number does not break a line.
DATE, STAYS = re.compile(r"(?<=\d)-(?=\d)"), "\u2011"
LARGEST = 16
THIN = "\\brdrs\\brdrw5 "


@dataclass(frozen=True)
class Piece:
    """Rows that stand together on a page, with their heads, and how high they are in twips."""

    text: str
    height: float


def pages(listings: Sequence[Listing], room: float) -> list[str]:
    """The listings on pages ``room`` twips high; one that fits beneath the one before shares its page."""
    made: list[str] = []
    left = 0.0
    for shown in listings:
        for number, piece in enumerate(_pieces(shown, room)):
            if number == 0 and made and piece.height + LINE * 20 <= left:
                made[-1] += f"\\pard\\fs20\\par\n{piece.text}"
                left -= piece.height + LINE * 20
            else:
                made.append(piece.text)
                left = room - piece.height
    return made


def _pieces(shown: Listing, room: float) -> list[Piece]:
    texts = [list(column) if head.text else padded_once(column) for head, column in
             zip(shown.columns, shown.texts, strict=True)]  # fmt: skip
    grid = fitted(*_widths(shown.columns, texts), LARGEST)
    letters = _letters(grid)
    heads, top = _heads(shown, grid, letters)
    if not shown.size:
        return [Piece(heads + _empty(shown, grid), top + _height(1, grid))]
    lines = _lines(texts, letters)
    changed = changes(shown)
    made, first = [], 0
    for last in _breaks(lines, grid, room - top):
        body = _body(texts, [[True, *column[first + 1 : last]] for column in changed], grid, first, last)
        made.append(Piece(heads + body, top + sum(_height(count, grid) for count in lines[first:last])))
        first = last
    return made


def _breaks(lines: list[int], grid: Grid, room: float) -> list[int]:
    """The numbers of the records before which a page ends, and that of all."""
    found, used = [], 0.0
    for number, count in enumerate(lines):
        height = _height(count, grid)
        if used and used + height > room:
            found.append(number)
            used = 0.0
        used += height
    return [*found, len(lines)]


def _height(lines: int, grid: Grid) -> float:
    return lines * LINE * grid.size + ROW_SPACE


def _letters(grid: Grid) -> list[int]:
    """Letters that a line of each column holds."""
    starts = (0, *grid.edges[:-1])
    return [max(1, (end - start - 100) // (LETTER * grid.size)) for start, end in zip(starts, grid.edges, strict=True)]


def _lines(texts: list[list[str]], letters: list[int]) -> list[int]:
    """Lines that each record takes: those of its longest cell."""
    columns = []
    for column, width in zip(texts, letters, strict=True):
        needed = {text: lines_of(text, width) for text in set(column)}
        columns.append([needed[text] for text in column])
    return [max(counts) for counts in zip(*columns, strict=True)]


def _unbroken(text: str) -> int:
    """Letters of the longest part that no line break divides: a date is one."""
    return longest_word(DATE.sub(STAYS, text))


def lines_of(text: str, width: int) -> int:
    """Lines that a text takes where ``width`` letters stand beside one another."""
    return 1 if len(text) <= width else len(textwrap.wrap(DATE.sub(STAYS, text), width))


def padded_once(texts: Sequence[str]) -> list[str]:
    """A column of numbers with their points beneath one another, each distinct text padded once."""
    distinct = list(dict.fromkeys(texts))
    made = dict(zip(distinct, padded(distinct), strict=True))
    return [made[text] for text in texts]


def _widths(columns: Sequence[Column], texts: list[list[str]]) -> tuple[list[int], list[int]]:
    """Letters that each column wants, and those it cannot do without."""
    natural, least = [], []
    for column, cells in zip(columns, texts, strict=True):
        distinct = set(cells) or {""}
        widest, head = max(map(len, distinct)), longest_word(column.label)
        narrow = max(head, *map(_unbroken, distinct)) if column.text else max(widest, head)
        natural.append(max(narrow, min(widest, MOST_WORDS) if column.text else widest) + GAP)
        least.append(min(narrow, MOST_WORDS) + GAP)
    return natural, least


def _definition(grid: Grid, borders: str, head: bool = False, edges: Sequence[int] | None = None) -> str:
    start = ROW + ("\\trhdr" if head else "")
    low = "b" if head else "t"
    return start + "".join(f"{borders}\\clvertal{low}\\cellx{edge}" for edge in edges or grid.edges) + "\n"


def _paragraph(grid: Grid, bold: bool = False) -> str:
    weight = "\\b " if bold else " "
    return f"\\pard\\plain\\intbl\\ql\\f0\\fs{grid.size}{weight}"


def _heads(shown: Listing, grid: Grid, letters: list[int]) -> tuple[str, float]:
    """The caption and the heads of the columns, and their height."""
    labels = [column.label for column in shown.columns]
    height = _height(max(lines_of(label, width) for label, width in zip(labels, letters, strict=True)), grid)
    text = _definition(grid, f"\\clbrdrt{RULE}\\clbrdrb{RULE}", head=True) + _paragraph(grid, bold=True)
    text += "".join(f"{escaped(label)}\\cell\n" for label in labels) + "\\row\n"
    if not shown.caption:
        return text, height
    caption = _definition(grid, "", head=True, edges=grid.edges[-1:]) + _paragraph(grid, bold=True)
    return f"{caption}{escaped(shown.caption)}\\cell\n\\row\n{text}", height + _height(1, grid)


def _empty(shown: Listing, grid: Grid) -> str:
    row = _definition(grid, f"\\clbrdrb{RULE}", edges=grid.edges[-1:])
    return f"{row}{_paragraph(grid)}{escaped(shown.empty)}\\cell\n\\row\n"


def _body(texts: list[list[str]], changed: list[list[bool]], grid: Grid, first: int, last: int) -> str:
    """Rows of one page; the first says what it shares with those before it, the last has the rule."""
    columns = []
    for place, column in enumerate(texts):
        page = column[first:last]
        known = {text: f"{escaped(DATE.sub(STAYS, text))}\\cell\n" for text in set(page)}
        new = changed[place] if place < len(changed) else [True] * len(page)
        columns.append([known[text] if seen else "\\cell\n" for text, seen in zip(page, new, strict=True)])
    starts = _starts(grid, [False, *changed[0][1:]] if changed else [False] * (last - first))
    paragraph = _paragraph(grid)
    return "".join(f"{start}{paragraph}{cells}\\row\n" for start, cells in
                   zip(starts, map("".join, zip(*columns, strict=True)), strict=True))  # fmt: skip


def _starts(grid: Grid, ruled: list[bool]) -> list[str]:
    """The definition of each row: a thin rule above a new group, a thick one beneath the last."""
    plain, above = _definition(grid, ""), _definition(grid, f"\\clbrdrt{THIN}")
    starts = [above if rule else plain for rule in ruled]
    starts[-1] = _definition(grid, (f"\\clbrdrt{THIN}" if ruled[-1] else "") + f"\\clbrdrb{RULE}")
    return starts
