"""A table as RTF: widths counted in letters of a typeface of one width, heads that return on every page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from reports.layout.alignment import padded
from reports.layout.table import OutputTable, Row
from reports.rtf.pages import (
    LINE,
    ROW,
    ROW_SPACE,
    PagePiece,
    letters_of,
    lines_of,
)
from reports.rtf.text import escaped

# Twentieths of a point: the width of a landscape A4 page between its margins.
PAGE_WIDTH = 14570
# Half points, from what is read best to what is still legible.
SIZES = (18, 17, 16, 15, 14, 13)
# A letter of Courier is 0.6 of its size wide.
LETTER = 6
INDENT = 2
MOST_WORDS, MOST_STUB, MOST_HEAD, MOST_TREATMENT = 38, 64, 14, 24
# A treatment's number of subjects is printed beneath its name.
SIZE = " (N="
# Half points below which texts break lines rather than get smaller, and how much of their room they may lose for it.
READABLE, SQUEEZE = 16, 0.5
GAP = 2
# How many rows a page may end early for a heading.
NEAR = 12
RULE = "\\brdrs\\brdrw12 "


@dataclass(frozen=True)
class Grid:
    """Size of the letters in half points, and the right edge of each column in twips."""

    size: int
    edges: tuple[int, ...]


def pieces(shown: OutputTable, room: float) -> list[PagePiece]:
    """The table in pieces that each fit a page of ``room`` twips, with its caption and heads."""
    cells = _aligned(shown)
    grid = _grid(shown, cells)
    heads = _caption(shown, grid) + _spans(shown, grid) + _heads(shown, grid)
    body = iter(cells)
    texts = [[] if row.heading else next(body) for row in shown.rows]
    lines = _lines(shown, texts, grid)
    top = _head_height(shown, grid)
    made, first = [], 0
    for end in _breaks(shown.rows, [_height(count, grid) for count in lines], room - top):
        rows = [_heading(row, grid, last) if row.heading else _row(shown, row, own, grid, last)
                for row, own, last in _marked(shown.rows, texts, first, end)]  # fmt: skip
        made.append(PagePiece(heads + "".join(rows), top + sum(_height(count, grid) for count in lines[first:end])))
        first = end
    return made or [PagePiece(heads, top)]


def _marked(rows: Sequence[Row], texts: list[list[str]], first: int, end: int) -> Iterator[tuple[Row, list[str], bool]]:
    """The rows of one page with their cells; the last is marked, it has the rule."""
    for place in range(first, end):
        yield rows[place], texts[place], place == end - 1


def _height(lines: int, grid: Grid) -> float:
    return lines * LINE * grid.size + ROW_SPACE


def _lines(shown: OutputTable, texts: list[list[str]], grid: Grid) -> list[int]:
    """Lines that each row takes: those of its longest cell; a heading has the whole width."""
    letter = LETTER * grid.size
    letters, whole = letters_of(grid.edges, letter), (grid.edges[-1] - 100) // letter
    return [
        lines_of(row.label, (whole if row.heading else letters[0]) - row.indent * INDENT)
        if not own
        else max(lines_of(row.label, letters[0] - row.indent * INDENT), *map(lines_of, own, letters[1:]))
        for row, own in zip(shown.rows, texts, strict=True)
    ]


def _head_height(shown: OutputTable, grid: Grid) -> float:
    letters = letters_of(grid.edges, LETTER * grid.size)
    labels = [shown.stub, *(column.label for column in shown.columns)]
    heads = max(lines_of(label.partition(SIZE)[0], width) + (SIZE in label) for label, width in
                zip(labels, letters, strict=True))  # fmt: skip
    above = _height(1, grid) if shown.caption else 0
    if any(column.span for column in shown.columns):
        above += _height(max(lines_of(span, width) for span, width in _span_widths(shown, grid)), grid)
    return above + _height(heads, grid)


def _span_widths(shown: OutputTable, grid: Grid) -> Iterator[tuple[str, int]]:
    """Each head over several columns, and the letters that it has room for."""
    place = 0
    for span, same in groupby(column.span for column in shown.columns):
        start, place = grid.edges[place], place + len(list(same))
        yield span, int((grid.edges[place] - start - 100) // (LETTER * grid.size))


def _breaks(rows: Sequence[Row], heights: list[float], room: float) -> list[int]:
    """The numbers of the rows before which a page ends, and that of all.

    A page rather ends before a heading, if there is one near, than within what the heading is of.
    """
    found, first, used = [], 0, 0.0
    for number, height in enumerate(heights):
        if used and used + height > room:
            near = [place for place in range(max(first + 1, number - NEAR), number + 1) if rows[place].heading]
            end = near[-1] if near else number
            while end > first + 1 and rows[end - 1].heading:
                end -= 1
            found.append(end)
            first, used = end, sum(heights[end:number])
        used += height
    return [*found, len(rows)] if rows else []


def _aligned(shown: OutputTable) -> list[list[str]]:
    """The cells of the rows that have some, numbers aligned and filled up so that they can be centred."""
    body = [row for row in shown.rows if not row.heading]
    blocks, block = [], 0
    for row in shown.rows:
        block += row.heading
        blocks += [] if row.heading else [block]
    columns = []
    for place, column in enumerate(shown.columns):
        texts = [row.cells[place] for row in body]
        columns.append(texts if column.text else _filled(padded(texts, blocks)))
    return [list(cells) for cells in zip(*columns, strict=True)] if columns else [[] for _ in body]


def _filled(texts: list[str]) -> list[str]:
    widest = max((len(text) for text in texts), default=0)
    return [text.ljust(widest, "\u2007") if text else "" for text in texts]


def _grid(shown: OutputTable, cells: list[list[str]]) -> Grid:
    return fitted(*_widths(shown, cells))


def fitted(natural: list[int], least: list[int], largest: int = SIZES[0]) -> Grid:
    """The largest letters in which the columns fit; before they get too small, columns of text break lines.

    ``natural`` are the letters that each column wants, ``least`` those that it cannot do without; ``largest`` is the
    size in half points that is asked for.
    """
    squeezed = sum(least) + SQUEEZE * (sum(natural) - sum(least))
    for size in SIZES[SIZES.index(largest) :]:
        room = PAGE_WIDTH // (LETTER * size)
        if sum(natural) <= room or (size <= READABLE and squeezed <= room):
            return _laid(_shared(natural, least, room), size)
    return _laid(_shared(natural, least, PAGE_WIDTH // (LETTER * SIZES[-1])), SIZES[-1])


def _shared(natural: list[int], least: list[int], room: int) -> list[int]:
    """What each column wants; where that is too much, what it needs and its share of the rest."""
    wanted = sum(natural) - sum(least)
    spare = min(wanted, max(0, room - sum(least)))
    return [low + (high - low) * spare // max(1, wanted) for low, high in zip(least, natural, strict=True)]


def _laid(widths: list[int], size: int) -> Grid:
    """Edges in twips; a narrow table is stretched up to half as much again, never past the page."""
    unit = min(LETTER * size * 1.5, PAGE_WIDTH / sum(widths))
    edges, total = [], 0
    for width in widths:
        total += width
        edges.append(int(total * unit))
    return Grid(size, tuple(edges))


def _widths(shown: OutputTable, cells: list[list[str]]) -> tuple[list[int], list[int]]:
    """Letters that each column wants, and those it cannot do without."""
    stubs = [row.label for row in shown.rows if not (row.heading and shown.columns)] + [shown.stub]
    indents = max((row.indent for row in shown.rows), default=0) * INDENT
    natural = [min(max(map(len, stubs)) + indents, MOST_STUB) + GAP]
    least = [min(max(longest_word(text) for text in stubs) + indents, MOST_STUB) + GAP]
    for place, column in enumerate(shown.columns):
        texts = [row[place] for row in cells] or [""]
        widest = max(map(len, texts))
        head = _head_width(column.label)
        narrow = max(longest_word(text) for text in [*texts, column.label]) if column.text else max(widest, head)
        natural.append(max(head, min(widest, MOST_WORDS) if column.text else widest, narrow) + GAP)
        least.append(min(narrow, MOST_WORDS) + GAP)
    return natural, least


def _head_width(label: str) -> int:
    """Letters that a head wants: a treatment's name on one line if it can be, other heads in short lines."""
    name, size, _ = label.partition(SIZE)
    return max(longest_word(label), min(len(name), MOST_TREATMENT if size else MOST_HEAD))


def longest_word(text: str) -> int:
    """Letters of the longest part of a text that no line break divides."""
    return max(map(len, re.split(r"[ /\-]", text)), default=0)


def _line(cells: list[tuple[int, str, str]], head: bool = False) -> str:
    """One row: for each cell its right edge, its borders, and its paragraph."""
    start = ROW + ("\\trhdr" if head else "")
    places = "".join(f"{borders}\\clvertal{'b' if head else 't'}\\cellx{edge}" for edge, borders, _ in cells)
    return f"{start}{places}\n" + "".join(f"{text}\\cell\n" for _, _, text in cells) + "\\row\n"


def _paragraph(grid: Grid, text: str, how: str = "\\ql", bold: bool = False, indent: int = 0) -> str:
    left = f"\\li{indent * INDENT * LETTER * grid.size}" if indent else ""
    shown = escaped(text)
    return f"\\pard\\plain\\intbl{how}{left}\\f0\\fs{grid.size} " + (f"{{\\b {shown}}}" if bold else shown)


def _caption(shown: OutputTable, grid: Grid) -> str:
    if not shown.caption:
        return ""
    return _line([(grid.edges[-1], "", _paragraph(grid, shown.caption, bold=True))], head=True)


def _spans(shown: OutputTable, grid: Grid) -> str:
    """The heads over several columns, each with a rule beneath."""
    if not any(column.span for column in shown.columns):
        return ""
    top = "\\clbrdrt" + RULE
    cells, place = [(grid.edges[0], top, _paragraph(grid, ""))], 0
    for span, same in groupby(column.span for column in shown.columns):
        place += len(list(same))
        borders = top + ("\\clbrdrb" + RULE if span else "")
        cells.append((grid.edges[place], borders, _paragraph(grid, span, "\\qc", bold=True)))
    return _line(cells, head=True)


def _heads(shown: OutputTable, grid: Grid) -> str:
    spanned = any(column.span for column in shown.columns)
    borders = ("" if spanned else "\\clbrdrt" + RULE) + "\\clbrdrb" + RULE
    cells = [(grid.edges[0], borders, _paragraph(grid, shown.stub, bold=True))]
    for edge, column in zip(grid.edges[1:], shown.columns, strict=True):
        cells.append(
            (
                edge,
                borders,
                _paragraph(
                    grid, column.label.replace(SIZE, "\n" + SIZE.lstrip()), "\\ql" if column.text else "\\qc", bold=True
                ),
            )
        )
    return _line(cells, head=True)


def _heading(row: Row, grid: Grid, last: bool) -> str:
    """A line over the whole width that stays with the next one."""
    text = _paragraph(grid, row.label, "\\ql\\keepn", bold=True, indent=row.indent)
    return _line([(grid.edges[-1], "\\clbrdrb" + RULE if last else "", text)])


def _row(shown: OutputTable, row: Row, texts: list[str], grid: Grid, last: bool) -> str:
    borders = "\\clbrdrb" + RULE if last else ""
    cells = [(grid.edges[0], borders, _paragraph(grid, row.label, indent=row.indent))]
    for edge, column, text in zip(grid.edges[1:], shown.columns, texts, strict=True):
        cells.append((edge, borders, _paragraph(grid, text, "\\ql" if column.text else "\\qc")))
    return _line(cells)
