"""Where names and lines of text go: how wide they are, where they break, how they stay apart."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties

from reports.figures.style import MIDDLE, SMALL

Point = tuple[float, float]
Points = np.ndarray[Any, np.dtype[Any]]


@cache
def _ruler() -> RendererAgg:
    return RendererAgg(1, 1, 72)


@cache
def text_width(text: str, size: float, bold: bool = False) -> float:
    """How wide a line of text is, in hundredths of an inch."""
    letters = FontProperties(size=size, weight="bold" if bold else "normal")
    return _ruler().get_text_width_height_descent(text, letters, ismath=False)[0]


def wrapped(text: str, width: float, size: float, bold: bool = False) -> list[str]:
    """The text in lines of at most ``width``."""
    lines: list[list[str]] = [[]]
    left = width
    for word in text.split():
        # Each word is measured once, with the blank after it, whatever the lines that it is in.
        room = text_width(f"{word} |", size, bold) - text_width("|", size, bold)
        if lines[-1] and text_width(word, size, bold) > left:
            lines.append([])
            left = width
        lines[-1].append(word)
        left -= room
    return [" ".join(parts) for parts in lines]


def shortened(text: str, width: float, size: float) -> str:
    """The text as far as ``width`` holds it, with dots where it is cut."""
    while text_width(text, size) > width:
        text = text[:-2].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
    return text


def spread(heights: list[float], room: float) -> list[float]:
    """Heights at least ``room`` apart, in their order: what is too close forms a block about its own middle."""
    order = sorted(range(len(heights)), key=lambda position: (heights[position], position))
    blocks: list[list[float]] = []
    for position in order:
        blocks.append([heights[position], 1.0])
        while len(blocks) > 1 and blocks[-1][0] - blocks[-2][0] < room * (blocks[-1][1] + blocks[-2][1]) / 2:
            (upper, many), (lower, few) = blocks.pop(), blocks.pop()
            blocks.append([(upper * many + lower * few) / (many + few), many + few])
    apart = [middle + room * (step - (many - 1) / 2) for middle, many in blocks for step in range(int(many))]
    return [height for _, height in sorted(zip(order, apart, strict=True))]


def along(lines: Sequence[Points]) -> Points:
    """Places along all lines, close enough to one another to tell what a name would cover."""
    steps = np.linspace(0, 1, 40)[:, None, None]
    parts = [(line[:-1] + (line[1:] - line[:-1]) * steps).reshape(-1, 2) for line in lines if len(line) > 1]
    return np.concatenate([np.empty((0, 2)), *parts])


def free_place(taken: Points, end: Point, width: float) -> Point:
    """The place at the end of a line where its name covers least: right of it, above or beneath, near before far."""
    (x, y), covered = end, []
    for down in (5.0, -8.0, 14.0, -18.0, 24.0, -28.0):
        left, base = x + 7, y + SMALL * MIDDLE + down
        inside = (abs(taken[:, 0] - left - width / 2) < width / 2 + 2) & (abs(taken[:, 1] - base + 4) < 8)
        covered.append((int(inside.sum()), abs(down), left, base))
    _, _, left, base = min(covered)
    return left, base
