"""Drawing a figure as SVG and PNG, title, population and footnotes in the picture, the same bytes on every run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from reports.figures.files import Ground, Picture
from reports.figures.labels import wrapped
from reports.figures.library import settings
from reports.figures.marks import line
from reports.figures.page import Page
from reports.figures.sheet import AROUND, MARGIN, WIDE, Sheet
from reports.figures.style import LABEL, NOTE, RULE, SMALL, SOFT, TITLE
from reports.layout.figure import Figure


@dataclass(frozen=True)
class Captions:
    """What a picture that is taken out of its page still says."""

    title: str
    population: str
    notes: tuple[str, ...]


def draw(figure: Figure, captions: Captions) -> Iterator[Picture]:
    """Draw a figure beneath its title and population and above its footnotes: a picture a page."""
    pages: list[Page] = import_module(figure.drawn_by).pages(figure)
    begun: dict[Any, tuple[Sheet, Ground, float]] = {}
    for number, page in enumerate(pages, start=1):
        with settings(f"page {number}"):
            if page.ground not in begun:
                begun[page.ground] = _begun(page, captions, several=len(pages) > 1)
            sheet, ground, top = begun[page.ground]
            part = ""
            if len(pages) > 1:
                part = f"Page {number} of {len(pages)}: {page.subjects[0]} to {page.subjects[-1]}"
                sheet.text(MARGIN, top + SMALL, part, SMALL, colour=SOFT)
            if page.own:
                page.own(sheet)
            picture = ground.picture(number, part)
        yield picture


def _begun(page: Page, captions: Captions, several: bool) -> tuple[Sheet, Ground, float]:
    """A sheet with all that pages share, drawn, and from where there is room to say which page it is."""
    sheet = Sheet()
    top = _head(sheet, captions)
    bottom = page.ground(sheet, top + 1.5 * SMALL * several)
    sheet.finish(_foot(sheet, captions, bottom))
    return sheet, Ground(sheet.drawing, top, bottom), top


def _head(sheet: Sheet, captions: Captions) -> float:
    y = 8.0
    for text in wrapped(captions.title, WIDE - 2 * MARGIN, TITLE, bold=True):
        y += TITLE + 5
        sheet.text(MARGIN, y - 4, text, TITLE, bold=True, part=AROUND)
    sheet.text(MARGIN, y + LABEL + 1, captions.population, LABEL, colour=SOFT, part=AROUND)
    return y + LABEL + 10


def _foot(sheet: Sheet, captions: Captions, bottom: float) -> float:
    y = bottom + 8
    line(sheet.paper, [MARGIN, WIDE - MARGIN], [y, y], RULE, 0.9)
    y += 4
    for note in captions.notes:
        for text in wrapped(note, WIDE - 2 * MARGIN, NOTE):
            y += NOTE + 4
            sheet.text(MARGIN, y, text, NOTE, colour=SOFT, part=AROUND)
    return 2 * round(y / 2 + 5)  # whole dots
