"""Decimal points are in one vertical line."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from reports.figures.labels import spread
from reports.layout.alignment import FIGURE_SPACE, aligned, text_cell


def plain(cell: str) -> str:
    """The cell as wide as it looks: a sign takes a digit's width."""
    return re.sub("<[^>]*>", "", cell).replace("&lt;", "<").replace("&gt;", ">")


def test_points_counts_and_brackets() -> None:
    cells = [plain(cell) for cell in aligned(["8 (80.0%)", "10 (100.0%)", "-4.75 (0.86)", "", "NE"])]
    space = FIGURE_SPACE
    assert cells == [f"{space}8 ({space}80.0%)", "10 (100.0%)", "\u22124.75 (0.86)", "", "NE"]


@given(st.lists(st.decimals(-999, 999, places=2).map(str), min_size=1, max_size=8))
def test_every_first_point_is_at_one_place_and_no_digit_is_lost(cells: list[str]) -> None:
    shown = [plain(cell) for cell in aligned(cells)]
    assert len({cell.index(".") for cell in shown}) == 1
    assert [cell.replace(FIGURE_SPACE, "").replace("\u2212", "-") for cell in shown] == cells


def test_words_get_a_minus_and_keep_hyphens() -> None:
    assert text_cell("median -1.25, 2001-12-31, IFNB-1b <x>") == "median \u22121.25, 2001-12-31, IFNB-1b &lt;x&gt;"


@given(st.lists(st.floats(0, 1), max_size=12))
def test_end_labels_keep_order_and_distance(heights: list[float]) -> None:
    placed = spread(heights, 0.03)
    ordered = sorted(range(len(heights)), key=lambda i: (heights[i], i))
    steps = [placed[after] - placed[before] for before, after in pairwise(ordered)]
    assert all(step >= 0.03 - 1e-9 for step in steps)


def test_a_label_alone_stays_where_its_line_ends() -> None:
    assert spread([0.2, 0.8], 0.03) == [0.2, 0.8]
