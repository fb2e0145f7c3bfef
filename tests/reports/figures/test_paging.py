"""Figures that grow with the number of subjects have pages: each subject once, files named by page."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from reports.figures import timeline as timelines
from reports.figures.page import shares
from tests.reports.figures.small_figures import drawn, texts, timeline


@given(st.integers(1, 3000), st.integers(1, 60))
def test_pages_hold_each_subject_once_evenly_and_no_more_than_fit(count: int, most: int) -> None:
    found = shares(count, most)
    assert [place for first, end in found for place in range(first, end)] == list(range(count))
    sizes = {end - first for first, end in found}
    assert max(sizes) <= most and max(sizes) - min(sizes) <= 1
    assert len(found) == -(-count // most)


def test_no_subject_is_still_a_page() -> None:
    assert shares(0, 10) == [(0, 0)]
    (picture,) = drawn(timeline(0))
    assert "Drug" in texts(picture.svg)


def test_each_subject_has_a_lane_on_one_page_with_its_own_spans() -> None:
    pages = drawn(timeline(100))
    assert len(pages) == -(-100 // int(timelines.HIGHEST // 31))
    shown = [text for page in pages for text in texts(page.svg) if text.startswith("X-")]
    assert shown == [f"X-{number:03d}" for number in range(100)]
    ends = [float(x) for page in pages for x in re.findall(r"L (\S+) \S+(?=\s+M|$)", _spans(page.svg))]
    assert len(ends) == 100
    steps = {round(after - before, 3) for before, after in pairwise(ends)}
    assert max(steps) - min(steps) < 0.01  # each is a day longer than the one before, on the same axis


def _spans(svg: str) -> str:
    (path,) = [path for path, style in re.findall(r'<path d="([^"]*)" style="([^"]*)"', svg)
               if "stroke-width: 7" in style]  # fmt: skip
    return path.strip()


def test_pages_say_which_they_are() -> None:
    pages = drawn(timeline(100))
    count = len(pages)
    assert pages[0].part.startswith(f"Page 1 of {count}: X-000 to X-0")
    assert pages[-1].part.endswith("to X-099")
    for page in pages:
        assert page.part in texts(page.bare_svg)
    assert drawn(timeline(3))[0].part == ""


def test_no_page_is_higher_than_a_sheet_holds() -> None:
    for count in (23, 24, 100):
        heights = [float(re.findall(r'viewBox="0 0 920 (\d+)"', page.svg)[0]) for page in drawn(timeline(count))]
        assert max(heights) < timelines.HIGHEST + 250
