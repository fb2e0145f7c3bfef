"""One output as an RTF document: its title and footnotes on every page, pages numbered x of y, the same bytes each run.

The writer is our own: rtflite 2.6 writes braces, backslashes and accented letters of the data as they are, so that a
term could end the document or be lost.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from reports.rtf_table import PAGE_WIDTH, table
from reports.rtf_text import escaped
from reports.table import Table

# A4 landscape in twips.
PAGE = "\\paperw16838\\paperh11906\\landscape\\margl1134\\margr1134\\margt1700\\margb1134\\headery567\\footery500"
FONTS = "{\\fonttbl{\\f0\\fmodern\\fcharset0\\fprq1 Courier New;}{\\f1\\fswiss\\fcharset0\\fprq2 Arial;}}"
SMALL = 15
# A paragraph of the running heads and footnotes; tables have the typeface of one width.
PLAIN = "\\pard\\plain\\f1"
# Twips that a picture may take.
MOST_WIDE, MOST_HIGH = 13400, 7400


@dataclass(frozen=True)
class Sheet:
    """What stands around an output's tables and figures on every page."""

    number: str
    title: str
    population: str
    study: str
    data: str
    notice: str
    notes: tuple[str, ...]


def document(sheet: Sheet, tables: list[Table], pictures: list[bytes]) -> str:
    """The whole document, in ASCII; ``pictures`` are PNG files.

    A table after a picture begins a page, and so does each table of a listing.
    """
    parts = [_picture(png) for png in pictures]
    for position, shown in enumerate(tables):
        breaks = shown.listing or position == 0
        apart = "\\pard\\page\\fs2\\par\n" if breaks else "\\pard\\fs14\\par\n"
        parts.append((apart if position or pictures else "") + table(shown))
    return "".join(
        [
            f"{{\\rtf1\\ansi\\ansicpg1252\\uc1\\deff0\\deflang1033{FONTS}\n",
            f"{{\\info{{\\title {escaped(_heading(sheet))}}}}}\n",
            f"{PAGE}\\sectd\\lndscpsxn\n{_header(sheet)}{_footer(sheet)}",
            *parts,
            # A document ends in a paragraph; this one is too low to begin a page.
            "\\pard\\plain\\sl-1\\slmult0\\fs2\\par\n}\n",
        ]
    )


def _heading(sheet: Sheet) -> str:
    return f"{sheet.number} {sheet.title}"


def _header(sheet: Sheet) -> str:
    pages = "Page {\\field{\\*\\fldinst PAGE}{\\fldrslt 1}} of {\\field{\\*\\fldinst NUMPAGES}{\\fldrslt 1}}"
    right = f"\\tqr\\tx{PAGE_WIDTH}"
    lines = [
        f"{PLAIN}{right}\\fs{SMALL} {escaped(sheet.study)}\\tab {pages}\\par\n",
        f"{PLAIN}{right}\\fs{SMALL} {escaped(sheet.data)}\\tab {escaped(sheet.notice)}\\par\n",
        f"{PLAIN}\\qc\\sb120\\fs20{{\\b {escaped(sheet.number)}}}\\par\n",
        f"{PLAIN}\\qc\\fs20{{\\b {escaped(sheet.title)}}}\\par\n",
        f"{PLAIN}\\qc\\sa120\\fs18 {escaped(sheet.population)}\\par\n",
    ]
    return "{\\header\n" + "".join(lines) + "}\n"


def _footer(sheet: Sheet) -> str:
    lines = [f"{PLAIN}\\fs{SMALL} {escaped(note)}\\par\n" for note in sheet.notes]
    return "{\\footer\n\\pard\\brdrt\\brdrs\\brdrw8\\fs4\\par\n" + "".join(lines) + "}\n"


def _picture(png: bytes) -> str:
    """A PNG in the middle of the page, as large as it may be."""
    wide, high = struct.unpack(">II", png[16:24])
    scale = min(MOST_WIDE / wide, MOST_HIGH / high)
    goal = f"\\picwgoal{int(wide * scale)}\\pichgoal{int(high * scale)}"
    text = png.hex()
    lines = "\n".join(text[start : start + 128] for start in range(0, len(text), 128))
    return f"\\pard\\qc{{\\pict\\pngblip\\picw{wide}\\pich{high}{goal}\n{lines}}}\\par\n"
