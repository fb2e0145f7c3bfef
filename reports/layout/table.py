"""A table before it has a format: heads, rows and cells of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import ne, or_

from reports.layout.figure import Figure


@dataclass(frozen=True)
class Row:
    """One line; ``heading`` lines have no cells of their own, ``indent`` counts levels."""

    label: str
    cells: tuple[str, ...] = ()
    indent: int = 0
    heading: bool = False
    # For tables that print a link, such as to the output a number comes from.
    link: str = ""


@dataclass(frozen=True)
class TableColumn:
    """Head of a column; neighbours with the same ``span`` share a head above. ``text`` columns hold text."""

    label: str
    span: str = ""
    text: bool = False


@dataclass(frozen=True)
class OutputTable:
    """Columns over rows; ``stub`` heads the row labels."""

    stub: str
    columns: tuple[TableColumn, ...]
    rows: tuple[Row, ...]
    caption: str = ""


@dataclass(frozen=True)
class Listing:
    """Records, their texts by column.

    The first ``grouped`` columns are printed where they change, and again at the head of a page. ``empty`` is
    printed where there are no records.
    """

    columns: tuple[TableColumn, ...]
    texts: tuple[tuple[str, ...], ...]
    caption: str = ""
    grouped: int = 0
    empty: str = ""

    @property
    def size(self) -> int:
        """Number of records."""
        return len(self.texts[0]) if self.texts else 0

    def changes(self) -> list[list[bool]]:
        """For each grouped column, whether a record differs from the one before in it or in a column to its left."""
        found: list[list[bool]] = []
        before = [True] + [False] * (self.size - 1)
        for texts in self.texts[: self.grouped]:
            differs = [True, *map(ne, texts[1:], texts)]
            before = list(map(or_, before, differs))
            found.append(before)
        return found


@dataclass(frozen=True)
class OutputLayout:
    """What one output's page shows."""

    tables: Sequence[OutputTable | Listing] = ()
    figures: Sequence[Figure] = ()
