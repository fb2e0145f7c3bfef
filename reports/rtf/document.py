"""One output as an RTF document: its title and footnotes on every page, pages numbered x of y, the same bytes each run.

The writer is our own: rtflite 2.6 writes braces, backslashes and accented letters of the data as they are, so that a
term could end the document or be lost.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reports.layout.table import Listing, OutputTable
from reports.rtf import listing, table
from reports.rtf.pages import PagePiece, pages
from reports.rtf.table import PAGE_WIDTH
from reports.rtf.text import escaped

# A4 landscape in twips.
PAGE_HIGH, MARGIN_TOP, MARGIN_BOTTOM, HEAD_FROM, FOOT_FROM = 11906, 1700, 1134, 567, 500
PAGE = (
    f"\\paperw16838\\paperh{PAGE_HIGH}\\landscape\\margl1134\\margr1134\\margt{MARGIN_TOP}\\margb{MARGIN_BOTTOM}"
    f"\\headery{HEAD_FROM}\\footery{FOOT_FROM}"
)
# Arial in twips: how high a line of the running heads and of the title is, and how wide a letter is, at most.
SMALL_LINE, TITLE_LINE, SMALL_LETTER, TITLE_LETTER = 176, 234, 80, 120
# Programs differ a little in the height of a row; a page that ends early is better than one row on a page of its own.
SAFE = 0.97
# A page break needs a line of its own; on a full page there is room for a low one only.
NEW_PAGE = "\\pard\\plain\\sl-20\\slmult0\\fs2\\page\\par\n"
FONTS = "{\\fonttbl{\\f0\\fmodern\\fcharset0\\fprq1 Courier New;}{\\f1\\fswiss\\fcharset0\\fprq2 Arial;}}"
SMALL = 15
# A paragraph of the running heads and footnotes; tables have the typeface of one width.
PLAIN = "\\pard\\plain\\f1"
# Twips that a picture may take.
MOST_WIDE, MOST_HIGH = 13400, 7400


@dataclass(frozen=True)
class PageFrame:
    """What is printed around an output's tables and figures on every page."""

    number: str
    title: str
    population: str
    study: str
    data: str
    notice: str
    notes: tuple[str, ...]


def document(frame: PageFrame, tables: Iterable[OutputTable | Listing], pictures: Sequence[bytes]) -> Iterator[str]:
    """Yield the document from its beginning to its end, page by page, in ASCII; ``pictures`` are PNG files.

    Each picture begins a page, and so does a table after one. A listing may have more pages than memory holds.
    """
    yield f"{{\\rtf1\\ansi\\ansicpg1252\\uc1\\deff0\\deflang1033{FONTS}\n"
    yield f"{{\\info{{\\title {escaped(_heading(frame))}}}}}\n"
    yield f"{PAGE}\\sectd\\lndscpsxn\n{_header(frame)}{_footer(frame)}"
    for position, png in enumerate(pictures):
        yield NEW_PAGE * bool(position) + _picture(png)
    room = _room(frame)
    for position, page in enumerate(pages((_pieces(shown, room) for shown in tables), room)):
        yield NEW_PAGE * bool(position or pictures) + page
    # A document ends in a paragraph; this one is too low to begin a page.
    yield "\\pard\\plain\\sl-1\\slmult0\\fs2\\par\n}\n"


def _pieces(shown: OutputTable | Listing, room: float) -> Iterable[PagePiece]:
    return table.pieces(shown, room) if isinstance(shown, OutputTable) else listing.pieces(shown, room)


def _room(frame: PageFrame) -> float:
    """Twips between the running heads and the footnotes, for rows whose breaks are set here."""
    titles = _lines_of(frame.title, TITLE_LETTER)
    head = max(MARGIN_TOP, HEAD_FROM + 2 * SMALL_LINE + 120 + (titles + 1) * TITLE_LINE + 340)
    notes = sum(_lines_of(note, SMALL_LETTER) for note in frame.notes)
    foot = max(MARGIN_BOTTOM, FOOT_FROM + 60 + notes * SMALL_LINE)
    return (PAGE_HIGH - head - foot) * SAFE


def _lines_of(text: str, letter: float) -> int:
    return -(-int(len(text) * letter) // PAGE_WIDTH) or 1


def _heading(frame: PageFrame) -> str:
    return f"{frame.number} {frame.title}"


def _header(frame: PageFrame) -> str:
    pages = "Page {\\field{\\*\\fldinst PAGE}{\\fldrslt 1}} of {\\field{\\*\\fldinst NUMPAGES}{\\fldrslt 1}}"
    right = f"\\tqr\\tx{PAGE_WIDTH}"
    lines = [
        f"{PLAIN}{right}\\fs{SMALL} {escaped(frame.study)}\\tab {pages}\\par\n",
        f"{PLAIN}{right}\\fs{SMALL} {escaped(frame.data)}\\tab {escaped(frame.notice)}\\par\n",
        f"{PLAIN}\\qc\\sb120\\fs20{{\\b {escaped(frame.number)}}}\\par\n",
        f"{PLAIN}\\qc\\fs20{{\\b {escaped(frame.title)}}}\\par\n",
        f"{PLAIN}\\qc\\sa120\\fs18 {escaped(frame.population)}\\par\n",
    ]
    return "{\\header\n" + "".join(lines) + "}\n"


def _footer(frame: PageFrame) -> str:
    lines = [f"{PLAIN}\\fs{SMALL} {escaped(note)}\\par\n" for note in frame.notes]
    return "{\\footer\n\\pard\\brdrt\\brdrs\\brdrw8\\fs4\\par\n" + "".join(lines) + "}\n"


def _picture(png: bytes) -> str:
    """A PNG in the middle of the page, as large as it may be."""
    wide, high = struct.unpack(">II", png[16:24])
    scale = min(MOST_WIDE / wide, MOST_HIGH / high)
    goal = f"\\picwgoal{int(wide * scale)}\\pichgoal{int(high * scale)}"
    text = png.hex()
    lines = "\n".join(text[start : start + 128] for start in range(0, len(text), 128))
    return f"\\pard\\qc{{\\pict\\pngblip\\picw{wide}\\pich{high}{goal}\n{lines}}}\\par\n"
