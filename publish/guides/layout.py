"""Pages of a guide, by reportlab: loaded only where a guide is made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from io import BytesIO
from typing import Any

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, LongTable, PageBreak, PageTemplate, Spacer, TableStyle
from reportlab.platypus import Paragraph as Text
from reportlab.platypus.tableofcontents import TableOfContents

from publish.guides.content import Block, BoxDiagram, Heading, Paragraph, Table
from publish.pdf.fonts import BOLD, REGULAR, register, unshown, width, wrapped

MARGIN, WIDTH, HEIGHT = 54.0, 595.0, 842.0
BODY = WIDTH - 2 * MARGIN
SIZES = {1: 13.0, 2: 10.5, 3: 9.0}
IN_CONTENTS = 2
"""Headings down to this level are in the table of contents; deeper ones are bookmarks only."""
LINK, GREY, LINE, RED = HexColor("#1f4e8c"), HexColor("#555555"), HexColor("#c8ced6"), HexColor("#b00000")
HEAD = HexColor("#e4eaf1")
TEXT = ParagraphStyle("text", fontName=REGULAR, fontSize=8.5, leading=12, spaceAfter=5)
CELL = ParagraphStyle("cell", fontName=REGULAR, fontSize=7, leading=9)
CELLS: list[tuple[Any, ...]] = [
    ("FONT", (0, 0), (-1, -1), REGULAR, CELL.fontSize, CELL.leading),
    ("GRID", (0, 0), (-1, -1), 0.4, LINE),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("TOPPADDING", (0, 0), (-1, -1), 2),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ("LEFTPADDING", (0, 0), (-1, -1), 4),
    ("RIGHTPADDING", (0, 0), (-1, -1), 4),
]
MOST_LINES = 60  # of a row, which is not split between pages
MOST_LETTERS = 20
BOX_HEIGHT, BOX_GAP = 50.0, 22.0


def layout(title: str, studyid: str, subtitle: str, notice: str, blocks: Sequence[Block]) -> bytes:
    """Return a document with a title page that holds the table of contents, the same bytes for the same blocks."""
    register()
    stream = BytesIO()
    document = _Guide(stream, f"{studyid}: {title}", notice)
    contents = TableOfContents(dotsMinLevel=0)
    contents.levelStyles = [
        ParagraphStyle("first", fontName=BOLD, fontSize=8.5, leading=13),
        ParagraphStyle("second", fontName=REGULAR, fontSize=8, leading=11, leftIndent=14),
    ]
    head = ParagraphStyle("head", fontName=BOLD, fontSize=18, leading=24)
    story: list[Flowable] = [Text(escape(title), head), Text(escape(f"{studyid}. {subtitle}"), TEXT)]
    if notice:
        story.append(Text(escape(f"{notice}."), ParagraphStyle("notice", parent=TEXT, textColor=RED)))
    if letters := unshown([title, subtitle, *(text for block in blocks for text in _texts(block))]):
        points = ", ".join(f"U+{ord(letter):04X}" for letter in letters[:MOST_LETTERS])
        more = f" and {len(letters) - MOST_LETTERS} more" if len(letters) > MOST_LETTERS else ""
        story.append(Text(f"The font of this document lacks letters that show as boxes: {points}{more}.", TEXT))
    story += [Spacer(1, 12), contents, PageBreak()]
    for block in blocks:
        story += _flowables(block)
    document.multiBuild(story)
    return stream.getvalue()


def _texts(block: Block) -> Iterator[str]:
    """Yield all texts of a block."""
    if isinstance(block, BoxDiagram):
        yield from (text for box in block.boxes for text in box)
    elif isinstance(block, Table):
        yield from (*block.header, *(cell for row in block.rows for cell in row))
    else:
        yield block.text


class _Guide(BaseDocTemplate):
    """Pages with header and footer; headings become bookmarks and entries of the table of contents."""

    def __init__(self, stream: BytesIO, title: str, notice: str) -> None:
        super().__init__(stream, pagesize=(WIDTH, HEIGHT), invariant=1, title=title, subject=notice or title, lang="en")
        self.heading, self.notice = title, notice
        frame = Frame(MARGIN, MARGIN, BODY, HEIGHT - 2 * MARGIN - 10, 0, 0, 0, 0)
        self.addPageTemplates(PageTemplate("page", [frame], onPage=self._around))

    def _around(self, canvas: Canvas, _: BaseDocTemplate) -> None:
        canvas.saveState()
        canvas.setFont(REGULAR, 7)
        canvas.setFillColor(GREY)
        canvas.drawString(MARGIN, HEIGHT - 36, self.heading)
        canvas.drawRightString(WIDTH - MARGIN, 30, f"Page {canvas.getPageNumber()}")
        canvas.setFillColor(RED)
        canvas.drawRightString(WIDTH - MARGIN, HEIGHT - 36, self.notice)
        canvas.restoreState()
        if canvas.getPageNumber() == 1:
            canvas.showOutline()

    def afterFlowable(self, flowable: Flowable) -> None:
        """Note a heading."""
        heading = getattr(flowable, "heading", None)
        if heading is None:
            return
        name = heading.name or heading.text
        self.canv.bookmarkPage(name, fit="XYZ", top=self.frame._y + flowable.height + 12, left=0)
        self.canv.addOutlineEntry(heading.text, name, heading.level - 1, closed=heading.level > 1)
        if heading.level <= IN_CONTENTS:
            self.notify("TOCEntry", (heading.level - 1, escape(heading.text), self.page, name))


def _flowables(block: Block) -> list[Flowable]:
    if isinstance(block, Heading):
        return [_heading(block)]
    if isinstance(block, Paragraph):
        return [Text(_linked(escape(block.text), block.href), TEXT)]
    if isinstance(block, BoxDiagram):
        return [_Boxes(block), Spacer(1, 8)]
    return [_table(block), Spacer(1, 8)]


def _heading(block: Heading) -> Flowable:
    size = SIZES[block.level]
    style = ParagraphStyle(
        f"heading{block.level}", fontName=BOLD, fontSize=size, leading=size + 4, spaceBefore=size, spaceAfter=4,
        keepWithNext=1,
    )  # fmt: skip
    made = Text(escape(block.text), style)
    made.heading = block
    return made


def _linked(text: str, href: str) -> str:
    return f'<a href="{escape(href)}" color="#1f4e8c">{text}</a>' if href else text


def _table(block: Table) -> Flowable:
    """Return a table that may be split between rows; its header, or else its first column, is bold.

    Cells are texts in lines, which are drawn many times faster than paragraphs; a link needs one.
    """
    links, has_header = dict(block.links), any(block.header)
    widths = [share * BODY for share in block.shares]
    fonts = [REGULAR if has_header else BOLD, *[REGULAR] * (len(widths) - 1)]
    rows: list[list[str | Flowable]] = []
    if has_header:
        rows += _rows(block.header, widths, [BOLD] * len(widths))
    for row in block.rows:
        made = _rows(row, widths, fonts)
        if row[0] in links:
            made[0][0] = Text(_linked(escape(row[0]), f"#{links[row[0]]}"), CELL)
        rows += made
    bold = ((0, 0), (-1, 0)) if has_header else ((0, 0), (0, -1))
    table = LongTable(rows, widths, repeatRows=int(has_header))
    table.setStyle(TableStyle([*CELLS, ("FONTNAME", *bold, BOLD), ("BACKGROUND", *bold, HEAD)]))
    return table


def _rows(cells: Sequence[str], widths: Sequence[float], fonts: Sequence[str]) -> list[list[str | Flowable]]:
    """Return one row, or several if a cell has more lines than a page holds."""
    lines = [
        wrapped(cell, font, CELL.fontSize, room - 8) for cell, room, font in zip(cells, widths, fonts, strict=True)
    ]
    most = max(map(len, lines))
    return [["\n".join(each[start : start + MOST_LINES]) for each in lines] for start in range(0, most, MOST_LINES)]


class _Boxes(Flowable):
    """The figure: boxes from left to right with arrows between them."""

    def __init__(self, figure: BoxDiagram) -> None:
        super().__init__()
        self.figure = figure
        self.width, self.height = BODY, BOX_HEIGHT + 6

    def draw(self) -> None:
        """Draw boxes and arrows."""
        canvas, count = self.canv, len(self.figure.boxes)
        wide = (BODY - BOX_GAP * (count - 1)) / count
        for number, (name, caption) in enumerate(self.figure.boxes):
            left = number * (wide + BOX_GAP)
            canvas.setFillColor(HEAD)
            canvas.setStrokeColor(LINK)
            canvas.rect(left, 0, wide, BOX_HEIGHT, stroke=1, fill=1)
            self._middle(name, left + wide / 2, BOX_HEIGHT - 13, BOLD, 9, Color(0, 0, 0))
            for line, text in enumerate(wrapped(caption, REGULAR, 6.2, wide - 6)):
                self._middle(text, left + wide / 2, BOX_HEIGHT - 24 - 8 * line, REGULAR, 6.2, GREY)
            if number < count - 1:
                self._arrow(left + wide, left + wide + BOX_GAP, BOX_HEIGHT / 2)

    def _middle(self, text: str, x: float, y: float, font: str, size: float, colour: Color) -> None:
        self.canv.setFillColor(colour)
        self.canv.setFont(font, size)
        self.canv.drawString(x - width(text, font, size) / 2, y, text)

    def _arrow(self, start: float, end: float, y: float) -> None:
        canvas = self.canv
        canvas.line(start + 2, y, end - 2, y)
        canvas.line(end - 7, y + 3, end - 2, y)
        canvas.line(end - 7, y - 3, end - 2, y)
