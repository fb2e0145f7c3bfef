"""The cells of an output that show results: by what a reader calls them, and with the rows of the results data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import count

from reports.layout.table import Listing, OutputTable
from reports.results.index import ResultText, Rows

FOLDER = "cells"
BETWEEN = " / "


@dataclass(frozen=True)
class TableCell:
    """A cell: its number in the output, where it is, its text, and the positions of its results among the output's.

    ``row`` is the label of the line after those of the headings above it, ``column`` the head after that above it.
    """

    number: int
    table: str
    row: str
    column: str
    text: str
    results: tuple[int, ...]


def table_cells(tables: Sequence[OutputTable | Listing], own: Rows) -> list[TableCell]:
    """Return the cells that show results, in reading order; ``own`` are the results of the output."""
    position = {id(row): place for place, row in enumerate(own)}
    numbers = count(1)
    return [
        TableCell(next(numbers), table.caption, row, column, text, tuple(position[id(one)] for one in text.rows))
        for table in tables
        if isinstance(table, OutputTable)
        for row, column, text in _shown(table)
    ]


def _shown(table: OutputTable) -> Iterator[tuple[str, str, ResultText]]:
    """Yield the cells of a table that show results, with the labels of their lines and columns."""
    above: dict[int, str] = {}
    for row in table.rows:
        above = {indent: label for indent, label in above.items() if indent < row.indent}
        if row.heading:
            above[row.indent] = row.label
        label = BETWEEN.join([*above.values(), row.label])
        for column, text in zip(table.columns, row.cells, strict=False):
            if isinstance(text, ResultText) and text.rows and text:
                yield label, BETWEEN.join(filter(None, (column.span, column.label))), text


def cells_file(cells: Sequence[TableCell]) -> str:
    """Return the cells as JSON, one a line."""
    lines = (json.dumps(asdict(cell), ensure_ascii=False) for cell in cells)
    return "[\n" + ",\n".join(lines) + "\n]\n"
