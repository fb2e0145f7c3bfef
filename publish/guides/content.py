"""What a guide is made of: headings, paragraphs, lists, tables and the figure of traceability."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Heading:
    """A numbered heading: ``3.4 Subject Domains`` is of level 2. ``name`` is what links lead to."""

    text: str
    level: int
    name: str = ""


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; with ``href`` a link to a file in the guide's folder, or to a heading's name after ``#``."""

    text: str
    href: str = ""


@dataclass(frozen=True)
class Table:
    """A table: header, rows of texts, and the share of the page that each column has.

    The first cell of a row is a link where ``links`` has a heading's name for its text.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    shares: tuple[float, ...]
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class BoxDiagram:
    """Boxes in the order of the data, an arrow from each to the next, with a sentence below each."""

    boxes: tuple[tuple[str, str], ...]


Block = Heading | Paragraph | Table | BoxDiagram


def table(
    header: Sequence[str], rows: Iterable[Sequence[object]], shares: Sequence[float], none: str, **more: object
) -> Block:
    """Return a table, or the sentence ``none`` in its place if it has no rows."""
    made = tuple(tuple(str(cell) for cell in row) for row in rows)
    if not made:
        return Paragraph(none)
    return Table(tuple(header), made, tuple(shares), **more)  # type: ignore[arg-type]


def paragraphs(texts: Iterable[str]) -> list[Block]:
    """Return each text as a paragraph."""
    return [Paragraph(text) for text in texts]
