"""sap.pdf: the analysis plan of a study, in the folder of its analysis datasets, with the page of each section."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metadata.study import Study
from publish.define_documents import PLAN
from publish.disk import write_bytes
from publish.pdf.fonts import BOLD, REGULAR, register, width

if TYPE_CHECKING:
    from markdown_it.token import Token
    from reportlab.lib.styles import ParagraphStyle

NAMED = re.compile(r"^(?P<title>.*?)\s*\{#(?P<id>[a-z0-9-]+)\}$")
MARGIN, SIZE, CELL = 54, 9.5, 8.0
WIDEST = 170.0  # points that the text of a cell may ask for before it is broken
TAGS = {"strong_open": "<b>", "strong_close": "</b>", "softbreak": " ", "hardbreak": "<br/>"}


def write(study: Study, folder: Path) -> dict[str, int]:
    """Write the plan that study.yaml names as sap.pdf into ``folder``, and return the page of each section by its id.

    Nothing is written for a study without a plan. The bytes are the same for the same plan. Raises OutsideError.
    """
    file = study.declared.study.analysis_plan
    if not study.path(file).is_file():
        return {}
    content, pages = render(study.read_text(file), study.studyid, study.notice)
    write_bytes(folder / PLAN.file, content)
    return pages


def render(text: str, studyid: str, notice: str) -> tuple[bytes, dict[str, int]]:
    """Return a plan in Markdown as PDF, and the page of each section by its id.

    Each page is headed by the study's id and its notice. A heading that ends in an id, ``{#edss}``, is a section, which
    has a bookmark.
    """
    from markdown_it import MarkdownIt
    from reportlab.lib.pagesizes import A4
    from reportlab.platypus import SimpleDocTemplate

    register()
    tokens = MarkdownIt("commonmark", {"html": False}).enable("table").parse(text)
    head = " \N{EN DASH} ".join(filter(None, (studyid, PLAN.title, notice)))

    pages: dict[str, int] = {}

    class PlanDocument(SimpleDocTemplate):
        """Keeps the page of each section, and lists it as a bookmark."""

        def afterFlowable(self, flowable: Any) -> None:
            place = getattr(flowable, "place", None)
            if place:
                pages[place] = self.page
                self.canv.bookmarkPage(place)
                self.canv.addOutlineEntry(flowable.title, place, flowable.level)

    def on_page(canvas: Any, document: Any) -> None:
        canvas.setFont(REGULAR, 7.5)
        canvas.drawString(MARGIN, A4[1] - 34, head)
        canvas.drawRightString(A4[0] - MARGIN, 30, str(document.page))

    content = BytesIO()
    document = PlanDocument(
        content, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN, bottomMargin=MARGIN,
        title=f"{studyid}, {PLAN.title}", author=studyid, invariant=1, lang="en",
        initialFontName=REGULAR,
    )  # fmt: skip
    document.build(list(_flowables(tokens)), onFirstPage=on_page, onLaterPages=on_page)
    return content.getvalue(), pages


def _style(size: float, bold: bool = False, before: float = 0, indent: float = 0) -> ParagraphStyle:
    from reportlab.lib.styles import ParagraphStyle

    return ParagraphStyle(
        "text", fontName=BOLD if bold else REGULAR, fontSize=size, leading=size * 1.35, spaceBefore=before,
        spaceAfter=4, leftIndent=indent, bulletIndent=max(indent - 10, 0), bulletFontName=REGULAR,
    )  # fmt: skip


def _flowables(tokens: Sequence[Token]) -> Iterator[Any]:
    """Yield what is printed, in order: headings, paragraphs, items of lists, tables, code."""
    from reportlab.platypus import Paragraph, Preformatted

    depth, position = 0, 0
    ordered: list[bool] = []
    while position < len(tokens):
        token = tokens[position]
        if token.type in ("bullet_list_open", "ordered_list_open"):
            depth, ordered = depth + 1, [*ordered, token.type == "ordered_list_open"]
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            depth, ordered = depth - 1, ordered[:-1]
        elif token.type == "heading_open":
            yield _heading(tokens[position + 1], int(token.tag[1:]))
            position += 2
        elif token.type == "table_open":
            end = next(at for at in range(position, len(tokens)) if tokens[at].type == "table_close")
            yield _table(tokens[position:end])
            position = end
        elif token.type in ("fence", "code_block"):
            yield Preformatted(token.content, _style(CELL, indent=10))
        elif token.type == "inline":
            first = depth and tokens[position - 2].type == "list_item_open"
            mark = (f"{tokens[position - 2].info}." if ordered[-1] else "\N{BULLET}") if first else None
            yield Paragraph(_markup(token), _style(SIZE, indent=14.0 * depth), bulletText=mark)
        position += 1


def _heading(inline: Token, level: int) -> Any:
    """Return a heading with its place: its own id, else none."""
    from reportlab.platypus import Paragraph

    named = NAMED.match(inline.content)
    title = named["title"] if named else inline.content
    made = Paragraph(escape(title), _style({1: 15.0, 2: 12.0}.get(level, 10.5), bold=True, before=12))
    made.keepWithNext = 1
    if named:
        made.place, made.title, made.level = named["id"], title, 0
    return made


def _markup(inline: Token) -> str:
    """Return the text of an inline token in reportlab's markup; what it has no sign for is its text alone."""
    return "".join(TAGS.get(part.type, escape(part.content)) for part in inline.children or ())


def _table(tokens: Sequence[Token]) -> Any:
    from reportlab.lib.colors import grey
    from reportlab.lib.pagesizes import A4
    from reportlab.platypus import Paragraph, Table

    rows: list[list[Token]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(token)
    widths = _widths([[one.content for one in row] for row in rows], A4[0] - 2 * MARGIN)
    cells = [[Paragraph(_markup(one), _style(CELL, bold=not at)) for one in row] for at, row in enumerate(rows)]
    made = Table(cells, colWidths=widths, repeatRows=1, hAlign="LEFT", spaceBefore=4, spaceAfter=8)
    made.setStyle([("LINEBELOW", (0, 0), (-1, -1), 0.3, grey), ("VALIGN", (0, 0), (-1, -1), "TOP"),
                   ("FONT", (0, 0), (-1, -1), REGULAR, CELL),
                   ("LEFTPADDING", (0, 0), (-1, -1), 2), ("RIGHTPADDING", (0, 0), (-1, -1), 6)])  # fmt: skip
    return made


def _widths(rows: Sequence[Sequence[str]], room: float) -> list[float]:
    """Return the widths of columns: no word is broken where there is room, the rest is shared by what texts ask."""
    columns = list(zip(*rows, strict=True))
    least = [max(width(word, BOLD, CELL) for text in own for word in (text.split() or [""])) + 12 for own in columns]
    asked = [max(width(text, REGULAR, CELL) for text in own) + 12 for own in columns]
    asked = [max(min(one, WIDEST), low) for one, low in zip(asked, least, strict=True)]
    if sum(asked) <= room:
        return asked
    if sum(least) >= room:
        return [one * room / sum(least) for one in least]
    share = (room - sum(least)) / (sum(asked) - sum(least))
    return [low + (one - low) * share for one, low in zip(asked, least, strict=True)]
