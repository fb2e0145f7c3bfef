"""Rows of tables and listings laid on printed pages by their height.

The typeface has one width, so that where a line breaks, and how high a row is, is known here. Programs that do not
repeat a table's heads by themselves show them on every page all the same.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# A line of Courier New is 1.133 of its size high; sizes are half points, heights twips.
LINE = 11.33
# A row stays on one page, with room above and beneath its lines; what that and a border add to its height.
ROW, ROW_SPACE = "\\trowd\\trgaph50\\trleft0\\trkeep\\trpaddt24\\trpaddft3\\trpaddb10\\trpaddfb3", 40
# The hyphen of a date or number does not break a line.
DATE, STAYS = re.compile(r"(?<=\d)-(?=\d)"), "\u2011"
# Between two tables on a page: a line of ten points.
APART, APART_HIGH = "\\pard\\plain\\fs20\\par\n", 230.0


@dataclass(frozen=True)
class PagePiece:
    """Rows that are printed on one page, with their heads, and their height in twips."""

    text: str
    height: float


def pages(tables: Iterable[Iterable[PagePiece]], room: float) -> Iterator[str]:
    """Yield the pieces of several tables on pages ``room`` twips high.

    A table that begins beneath another shares its page if its first piece fits there; any further piece begins a page.
    """
    page: list[str] = []
    left = 0.0
    for pieces in tables:
        for number, piece in enumerate(pieces):
            if number == 0 and page and piece.height + APART_HIGH <= left:
                page += [APART, piece.text]
                left -= piece.height + APART_HIGH
                continue
            if page:
                yield "".join(page)
            page, left = [piece.text], room - piece.height
    if page:
        yield "".join(page)


def lines_of(text: str, width: int) -> int:
    """Lines that a text takes on a line of ``width`` letters."""
    return 1 if len(text) <= width else len(textwrap.wrap(DATE.sub(STAYS, text), max(1, width)))


def letters_of(edges: tuple[int, ...], letter: float) -> list[int]:
    """Letters that a line of each column holds, between its margins; ``letter`` is the width of one."""
    starts = (0, *edges[:-1])
    return [max(1, int((end - start - 100) // letter)) for start, end in zip(starts, edges, strict=True)]
