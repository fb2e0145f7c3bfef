"""The pages of a figure: subjects that do not fit on one are shared out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from reports.figures.sheet import Sheet


@dataclass(frozen=True)
class Page:
    """One page: ``draw`` draws it beneath a height of the sheet and returns where it ends.

    ``subjects`` are those of this page, in their order, where a figure shares them out.
    """

    draw: Callable[[Sheet, float], float]
    subjects: tuple[str, ...] = ()


def shares(count: int, most: int) -> list[tuple[int, int]]:
    """Where each page begins and ends if ``count`` subjects are shared out evenly, at most ``most`` on a page."""
    pages = max(1, -(-count // max(1, most)))
    edges = [count * page // pages for page in range(pages + 1)]
    return list(pairwise(edges))
