"""Quotes in CSV cells, doubled by RFC 4180 or written by PHP, which leaves a quote after a backslash as it is.

``say \\"hi\\" ok`` is the cell ``"say \\""hi\\"" ok"`` by RFC 4180 and ``"say \\"hi\\" ok"`` by PHP's fputcsv.
A file is written in one of the two ways, and in the other its quotes do not fit together or a row gets another number
of cells than the header has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from metadata.errors import StudyError

ESCAPED_OR_DOUBLED = re.compile(r'\\"|""')
MOST_STEPS = 100_000  # of one row; a real row takes about as many as it has cells
Cells = list[str]


def doubled_quotes(text: str, delimiter: str, file: str | Path) -> str:
    """Return CSV text with every quote inside a cell doubled, whichever way it was written.

    Raises StudyError if the text has a quote after a backslash and can be read in neither way, or in both ways with
    different results.
    """
    if "\\" not in text or '\\"' not in text:  # one sign is found in a fraction of the time of two
        return text
    readings = [_rewritten(text, delimiter, php) for php in (False, True)]
    found = list(dict.fromkeys(reading for reading in readings if reading is not None))
    if not found:
        raise StudyError("the file is not CSV: its quotes do not fit together after a backslash", file)
    if len(found) > 1:
        raise StudyError("the file has a quote after a backslash that can be read in two ways", file)
    return found[0]


def _rewritten(text: str, delimiter: str, php: bool) -> str | None:
    """Return the text with doubled quotes if it is CSV of one kind, else None; rows without a quote stay."""
    position, size, pieces = 0, 0, []
    quote = text.find('"')
    while position < len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end + 1
        if 0 <= quote < end:
            row = _one_row(text, position, delimiter, php, size)
            if row is None:
                return None
            cells, end = row
            size = size or len(cells)
            after = end + 2 if text.startswith("\r\n", end) else end + 1
            pieces.append(delimiter.join(cells) + text[end:after])
            end = min(after, len(text))
            quote = text.find('"', end)
        else:
            pieces.append(text[position:end])
            size = size or text.count(delimiter, position, end) + 1
        position = end
    return "".join(pieces)


def _one_row(text: str, start: int, delimiter: str, php: bool, size: int) -> tuple[Cells, int] | None:
    """Return the cells of the row and where it ends, if it can be read in one way only.

    ``size`` is how many cells it has, 0 if any number will do.
    """
    rows = _rows(text, start, delimiter, php, size)
    first = next(rows, None)
    return first if first is not None and next(rows, None) is None else None


def _rows(text: str, start: int, delimiter: str, php: bool, size: int) -> Iterator[tuple[Cells, int]]:
    """Yield each way to read the row that begins at ``start``."""
    cells: Cells = []
    open_cells = [_cells(text, start, delimiter, php)]
    for _ in range(MOST_STEPS):
        cell = next(open_cells[-1], None)
        if cell is None:
            open_cells.pop()
            if not open_cells:
                return
            cells.pop()
            continue
        written, end = cell
        if text.startswith(delimiter, end):
            if not size or len(cells) + 1 < size:
                cells.append(written)
                open_cells.append(_cells(text, end + len(delimiter), delimiter, php))
        elif not size or len(cells) + 1 == size:
            yield [*cells, written], end


def _cells(text: str, start: int, delimiter: str, php: bool) -> Iterator[tuple[str, int]]:
    """Yield each way to read the cell that begins at ``start``: how it is written with doubled quotes, and its end."""
    if not text.startswith('"', start):
        ends = [place for sign in (delimiter, "\r\n", "\n") if (place := text.find(sign, start)) >= 0]
        end = min(ends, default=len(text))
        if '"' not in text[start:end]:
            yield text[start:end], end
        return
    place = text.find('"', start + 1)
    while place >= 0:
        escaped = php and place > start + 1 and text[place - 1] == "\\"
        doubled = text.startswith('"', place + 1) and not escaped
        if not doubled and _ends(text, place + 1, delimiter):
            yield f'"{_doubled(text[start + 1 : place], php)}"', place + 1
        if not escaped and not doubled:
            return
        place = text.find('"', place + (2 if doubled else 1))


def _ends(text: str, place: int, delimiter: str) -> bool:
    return place >= len(text) or text.startswith((delimiter, "\n", "\r\n"), place)


def _doubled(content: str, php: bool) -> str:
    if not php:
        return content
    return ESCAPED_OR_DOUBLED.sub(lambda found: '\\""' if found[0][0] == "\\" else '""', content)
