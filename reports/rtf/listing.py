"""A listing as RTF: each page begins with the heads and with the whole of what its records share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from reports.layout.alignment import MANY, padded
from reports.layout.table import Listing, TableColumn
from reports.rtf.pages import (
    DATE,
    LINE,
    ROW,
    ROW_SPACE,
    STAYS,
    PagePiece,
    letters_of,
    lines_of,
)
from reports.rtf.table import (
    GAP,
    LETTER,
    MOST_WORDS,
    RULE,
    Grid,
    fitted,
    longest_word,
)
from reports.rtf.text import escaped

LARGEST = 16
THIN = "\\brdrs\\brdrw5 "


def pieces(shown: Listing, room: float) -> list[PagePiece]:
    """The listing in pieces that each fit a page of ``room`` twips, with its heads."""
    texts = [list(column) if head.text else padded_once(column) for head, column in
             zip(shown.columns, shown.texts, strict=True)]  # fmt: skip
    grid = fitted(*_widths(shown.columns, texts), LARGEST)
    letters = letters_of(grid.edges, LETTER * grid.size)
    heads, top = _heads(shown, grid, letters)
    if not shown.size:
        return [PagePiece(heads + _empty(shown, grid), top + _height(1, grid))]
    lines = _lines(texts, letters)
    changed = shown.changes()
    made, first = [], 0
    for last in _breaks(lines, grid, room - top):
        body = _body(texts, [[True, *column[first + 1 : last]] for column in changed], grid, first, last)
        made.append(PagePiece(heads + body, top + sum(_height(count, grid) for count in lines[first:last])))
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


def _lines(texts: list[list[str]], letters: list[int]) -> list[int]:
    """Lines that each record takes: those of its longest cell."""
    columns = []
    for column, width in zip(texts, letters, strict=True):
        needed = {text: lines_of(text, width) for text in set(column)}
        columns.append([needed[text] for text in column])
    return [max(counts) for counts in zip(*columns, strict=True)]


@lru_cache(maxsize=MANY)
def _unbroken(text: str) -> int:
    """Letters of the longest part that no line break divides: a date is one."""
    return longest_word(DATE.sub(STAYS, text))


@lru_cache(maxsize=MANY)
def _cell(text: str) -> str:
    """A cell of the body."""
    return f"{escaped(DATE.sub(STAYS, text))}\\cell\n"


def padded_once(texts: Sequence[str]) -> list[str]:
    """A column of numbers with their points beneath one another, each distinct text padded once."""
    distinct = list(dict.fromkeys(texts))
    made = dict(zip(distinct, padded(distinct), strict=True))
    return [made[text] for text in texts]


def _widths(columns: Sequence[TableColumn], texts: list[list[str]]) -> tuple[list[int], list[int]]:
    """Letters that each column wants, and those it cannot do without."""
    natural, least = [], []
    for column, cells in zip(columns, texts, strict=True):
        distinct = set(cells) or {""}
        widest, head = max(map(len, distinct)), longest_word(column.label)
        narrow = max(head, *map(_unbroken, distinct))
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
    """Rows of one page; the first repeats the values that it shares with those before it, the last has the rule."""
    columns: list[Iterable[str]] = []
    for place, column in enumerate(texts):
        page = column[first:last]
        cells: Iterable[str] = map(_cell, page)
        if place < len(changed):
            cells = (cell if new else "\\cell\n" for cell, new in zip(cells, changed[place], strict=True))
        columns.append(cells)
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
