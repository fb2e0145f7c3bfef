"""Pages of the annotated CRF: rows one below the other on the left, their annotations next to them on the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from publish.crf.annotations import Annotation, Key
from publish.crf.rows import FORM_WIDTH, FormColumn, FormRow
from publish.pdf.fonts import BOLD, REGULAR, width, wrapped

PAGE_WIDTH, PAGE_HEIGHT = 595.0, 842.0
LEFT, TOP, BOTTOM = 40.0, 786.0, 50.0
NOTES_LEFT = LEFT + FORM_WIDTH + 10.0
NOTES_WIDTH = PAGE_WIDTH - NOTES_LEFT - 20.0
TITLE_LINE, PADDING, SPACE = 12.0, 3.0, 2.5
NOTE_SIZE, DOMAIN_SIZE = 7.0, 9.0
KEPT = 60.0
"""A row that is split leaves at least so many points of it on a page; less is left blank."""


@dataclass(frozen=True)
class Box:
    """A frame with text: left, bottom, right, top in points of the page."""

    text: str
    lines: tuple[str, ...]
    domain: str
    left: float
    bottom: float
    right: float
    top: float
    is_domain: bool = False
    is_note: bool = False

    @property
    def size(self) -> float:
        """Size of the text in points."""
        return DOMAIN_SIZE if self.is_domain else NOTE_SIZE


@dataclass(frozen=True)
class Placed:
    """A row, or a part of one, whose top is at ``top`` of the page."""

    row: FormRow
    top: float
    height: float


@dataclass
class FormPage:
    """One page of a form: its rows and the frames next to them; ``keys`` are what the page's annotations name."""

    form: str
    title: str
    about: tuple[str, ...] = ()
    placed: list[Placed] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    keys: dict[Key, None] = field(default_factory=dict)


def pages_of(
    form: str, title: str, about: Sequence[str], rows: Sequence[FormRow], domains: Mapping[str, str]
) -> list[FormPage]:
    """Return the pages of a form; ``about`` is printed below its title, ``domains`` the labels of its domains."""
    lines = tuple(part for paragraph in about for part in wrapped(paragraph, REGULAR, 7.0, FORM_WIDTH))
    first = FormPage(form, title, lines)
    top = TOP
    for name, label in domains.items():
        box = _box(f"{name} = {label}", name, top, is_domain=True)
        first.boxes.append(box)
        top = box.bottom - SPACE
    flow = _Flow(first, min(top, TOP - TITLE_LINE - 10.0 * len(lines)) - 4.0)
    for number, row in enumerate(rows):
        follower = rows[number + 1] if row.is_header and number + 1 < len(rows) else None
        flow.add(row, follower)
    return flow.pages


class _Flow:
    """Puts rows on pages, from the top to the bottom."""

    def __init__(self, page: FormPage, top: float) -> None:
        self.pages, self.top = [page], top

    def add(self, row: FormRow, follower: FormRow | None) -> None:
        """Put a row on this page or the next; a header stays with the row that follows."""
        needed = _height(row) + (_height(follower) if follower else 0.0)
        if self.top - needed < BOTTOM and needed <= TOP - BOTTOM - 2 * TITLE_LINE:
            self._turn()
        while self.top - _height(row) < BOTTOM:
            if self.top - BOTTOM < KEPT:
                self._turn()
                continue
            first, row = _split(row, self.top - BOTTOM)
            self._put(first)
            self._turn()
        self._put(row)

    def _turn(self) -> None:
        last = self.pages[-1]
        self.pages.append(FormPage(last.form, last.title))
        self.top = TOP - TITLE_LINE - 4.0

    def _put(self, row: FormRow) -> None:
        page, height = self.pages[-1], _height(row)
        page.placed.append(Placed(row, self.top, height))
        page.boxes += _boxes(row, self.top)
        page.keys.update(dict.fromkeys(key for one in row.annotations for key in one.keys))
        self.top -= height


def _height(row: FormRow) -> float:
    form = max((column.height for column in row.columns), default=0.0) + 2 * PADDING
    boxes = _boxes(row, 0.0)
    return max(form, -min((box.bottom for box in boxes), default=0.0) + SPACE)


def _boxes(row: FormRow, top: float) -> list[Box]:
    """Return the frames of a row's annotations: that of a choice next to it, none over another."""
    made: list[Box] = []
    for found in sorted(row.annotations, key=lambda one: _offset(row, one)):
        start = top - _offset(row, found)
        made.append(_box(found.text, found.domain, min([start, *(box.bottom - SPACE for box in made)]), found.is_note))
    return made


def _offset(row: FormRow, found: Annotation) -> float:
    """Return how far below the top of its row an annotation begins."""
    for column in row.columns if found.options else ():
        below = PADDING
        for line in column.lines:
            if line.option in found.options and line.option and not line.is_centred:
                return below - 1.0
            below += line.height
    return 1.0


def _box(text: str, domain: str, top: float, is_note: bool = False, is_domain: bool = False) -> Box:
    font, size = (BOLD, DOMAIN_SIZE) if is_domain else (REGULAR, NOTE_SIZE)
    lines = wrapped(text, font, size, NOTES_WIDTH - 8.0)
    right = NOTES_LEFT + max(width(line, font, size) for line in lines) + 8.0
    bottom = top - len(lines) * (size + 1.5) - 3.0
    return Box(text, lines, domain, NOTES_LEFT, bottom, right, top, is_domain, is_note)


def _split(row: FormRow, room: float) -> tuple[FormRow, FormRow]:
    """Split a row that is higher than a page: lines and annotations that fit, and the others."""
    first, rest = [], []
    for column in row.columns:
        count = _fitting([line.height for line in column.lines], room - 2 * PADDING)
        first.append(FormColumn(column.left, column.width, column.lines[:count]))
        rest.append(FormColumn(column.left, column.width, column.lines[count:]))
    count = _fitting([box.top - box.bottom + SPACE for box in _boxes(row, 0.0)], room - 2 * SPACE)
    ordered = sorted(row.annotations, key=lambda one: _offset(row, one))
    plain = [replace(one, options=()) for one in ordered]
    return (
        FormRow(tuple(first), tuple(plain[:count]), row.is_header),
        FormRow(tuple(rest), tuple(plain[count:]), row.is_header),
    )


def _fitting(heights: Sequence[float], room: float) -> int:
    """Return how many of some heights fit, the first at least."""
    used = 0.0
    for count, height in enumerate(heights):
        used += height
        if used > room and count:
            return count
    return len(heights)
