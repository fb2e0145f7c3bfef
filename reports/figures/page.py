"""The pages of a figure: subjects that do not fit on one are shared out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from reports.figures.sheet import Sheet


@dataclass(frozen=True)
class Page:
    """One page.

    ``ground`` draws beneath a height of the sheet what it shares with other pages and returns where it ends; two pages
    that have the same ground have the same object. ``own`` then draws what this page alone has, for its ``subjects``.
    """

    ground: Callable[[Sheet, float], float]
    own: Callable[[Sheet], None] | None = None
    subjects: tuple[str, ...] = ()


def shares(count: int, most: int) -> list[tuple[int, int]]:
    """Where each page begins and ends if ``count`` subjects are shared out evenly, at most ``most`` on a page."""
    pages = max(1, -(-count // max(1, most)))
    edges = [count * page // pages for page in range(pages + 1)]
    return list(pairwise(edges))
