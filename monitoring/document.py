"""The safety report as a PDF, by reportlab: loaded only where one is made."""

from __future__ import annotations

from html import escape
from io import BytesIO

from PIL import Image as Picture
from reportlab.lib.colors import HexColor
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    Image,
    KeepTogether,
    LongTable,
    PageTemplate,
    Paragraph,
    Spacer,
    TableStyle,
)

from monitoring.report import Report
from publish.pdf.fonts import BOLD, REGULAR, register

WIDTH, HEIGHT, MARGIN = 842.0, 595.0, 40.0
BODY = WIDTH - 2 * MARGIN
RULE, SOFT, RED = HexColor("#c8ced6"), HexColor("#5b6670"), HexColor("#a4262c")
TEXT = ParagraphStyle("text", fontName=REGULAR, fontSize=8, leading=10.5, spaceAfter=3)
CELL = ParagraphStyle("cell", fontName=REGULAR, fontSize=7, leading=9)
HEAD = ParagraphStyle("head", fontName=BOLD, fontSize=10, leading=13, spaceBefore=8, spaceAfter=3, keepWithNext=1)
TITLE = ParagraphStyle("title", fontName=BOLD, fontSize=13, leading=17)
WARN = ParagraphStyle("warn", parent=TEXT, textColor=RED)
ALERTS = {"subject": ("Subject", 8), "label": ("What", 24), "about": ("", 10), "level": ("Level", 9),
          "opened": ("Opened", 9), "until": ("Acknowledge by", 12), "waits": ("", 8), "findings": ("Findings", 8),
          "alert": ("Alert", 12)}  # fmt: skip
DUE = {"subject": ("Subject", 8), "label": ("What", 34), "due": ("Due", 9), "missing": ("Lacking", 49)}
ANSWERED = {"subject": ("Subject", 8), "label": ("What", 22), "level": ("Level", 8), "opened": ("Opened", 9),
            "acknowledged_on": ("On", 9), "by": ("By", 16), "action": ("Action", 28)}  # fmt: skip
PLAN = {"label": ("Line", 36), "source": ("Source", 64)}
HIGHEST = HEIGHT - 2 * MARGIN - 40


def document(report: Report) -> bytes:
    """Return the report as a PDF, the same bytes for the same report."""
    register()
    head, stream = report.head, BytesIO()
    title = f"Safety report {head['as_of']}: {head['title']}"
    made = BaseDocTemplate(
        stream, pagesize=(WIDTH, HEIGHT), invariant=1, title=title, subject=head["notice"], lang="en"
    )
    frame = Frame(MARGIN, MARGIN, BODY, HEIGHT - 2 * MARGIN, 0, 0, 0, 0)

    def around(canvas: Canvas, _: BaseDocTemplate) -> None:
        canvas.setFont(REGULAR, 7)
        canvas.setFillColor(SOFT)
        canvas.drawString(
            MARGIN, 24, f"{head['study']}, {head['as_of']}, snapshot {head['snapshot']}. {head['notice']}"
        )
        canvas.drawRightString(WIDTH - MARGIN, 24, f"Page {canvas.getPageNumber()}")

    made.addPageTemplates(PageTemplate("page", [frame], onPage=around))
    made.build(_story(report, title))
    return stream.getvalue()


def _story(report: Report, title: str) -> list[Flowable]:
    head = report.head
    cards = ". ".join(f"{card['label'].capitalize()}: {card['count']:,}" for card in report.cards)
    story: list[Flowable] = [Paragraph(escape(title), TITLE)]
    story += [Paragraph(escape(f"{text}."), WARN) for text in (head["notice"], head["status"]) if text]
    about = f"Judged on {head['as_of']}; records as entered, their newest change on {head['date']}. {cards}."
    story.append(Paragraph(escape(about), TEXT))
    for heading, rows, columns in (
        ("Open alerts", report.alerts, ALERTS),
        ("Overdue", report.overdue, DUE),
        ("Due in 30 days", report.soon, DUE),
        ("Acknowledged", report.answered, ANSWERED),
        ("The plan", report.rules, PLAN),
    ):
        story.append(Paragraph(heading, HEAD))
        story.append(_table(rows, columns) if rows else Paragraph("None.", TEXT))
    for profile in report.profiles:
        heading = Paragraph(escape(f"Subject {profile['subject']}"), HEAD)
        story.append(KeepTogether([heading, _picture(profile["png"]), Spacer(1, 4)]))
    return story


def _table(rows: list[dict[str, str]], columns: dict[str, tuple[str, int]]) -> LongTable:
    cells = [[Paragraph(escape(row[name]), CELL) for name in columns] for row in rows]
    heads = [Paragraph(f"<b>{escape(label)}</b>", CELL) for label, _ in columns.values()]
    style = TableStyle([
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE), ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0), ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ])  # fmt: skip
    whole = sum(share for _, share in columns.values())
    widths = [BODY * share / whole for _, share in columns.values()]
    return LongTable([heads, *cells], widths, style=style, repeatRows=1)


def _picture(png: bytes) -> Image:
    with Picture.open(BytesIO(png)) as opened:
        wide, high = opened.size
    scale = min(BODY / wide, HIGHEST / high)
    return Image(BytesIO(png), wide * scale, high * scale)
