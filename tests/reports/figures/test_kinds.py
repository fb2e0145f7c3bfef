"""What each kind of figure shows, read from its SVG: texts, marks, places, numbers beneath the axis."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

import pytest
from PIL import Image

from reports.figures.style import COLOURS, DASHES, curve_style, profile_style
from tests.reports.figures.small_figures import (
    drawn,
    mean_figure,
    profile_figure_of,
    step_figure,
    texts,
    timeline,
)

Place = tuple[float, float]


def paths(svg: str, colour: str, width: str = "") -> list[list[Place]]:
    """The lines of a colour (and width), each as its points."""
    found = [element for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("path")]
    styled = [element.get("d", "") for element in found if f"stroke: {colour.lower()}" in element.get("style", "")
              and "fill: none" in element.get("style", "") and width in element.get("style", "")]  # fmt: skip
    return [[(float(x), float(y)) for x, y in re.findall(r"[ML] (\S+) (\S+)", text)] for text in styled]


def uses(svg: str, colour: str, fill: str = "") -> list[Place]:
    """Where the marks of a colour are; hollow ones have another ``fill``."""
    found = [element for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("use")]
    style = f"fill: {(fill or colour).lower()}; stroke: {colour.lower()}"
    return [(float(element.get("x", "")), float(element.get("y", ""))) for element in found
            if element.get("style", "").startswith(style)]  # fmt: skip


def at(svg: str, text: str) -> Place:
    (element,) = [item for item in ElementTree.fromstring(svg).iter() if item.text == text]
    return float(element.get("x", "")), float(element.get("y", ""))


def test_courses_have_their_points_names_bands_and_limits() -> None:
    (picture,) = drawn(profile_figure_of())
    shown = texts(picture.svg)
    assert {"S1", "S2", "Median", "Low", "High", "Limit 1.5", "Day", "Titre", "Observed value", "Below a limit"} <= {
        *shown
    }
    ten = at(picture.svg, "10")
    (first,) = paths(picture.svg, COLOURS[0], "stroke-width: 1.4")
    heights = [y for _, y in first]
    # From 0 to 3 the axis is 440 high; 9 lies beyond it and is drawn at its edge.
    assert heights[0] - heights[1] == pytest.approx(440 * 2 / 3) and heights[0] - heights[2] == pytest.approx(440 / 3)
    assert first[1][0] == pytest.approx(ten[0])
    assert len(uses(picture.svg, COLOURS[0])) == 3
    assert len(uses(picture.svg, COLOURS[1], "#ffffff")) == len(uses(picture.svg, COLOURS[1])) == 1


def test_bands_differ_and_stay_within_the_axis() -> None:
    (picture,) = drawn(profile_figure_of())
    assert "fill: #f5f5f5" in picture.svg and "fill: #e8e8e8" in picture.svg
    image = Image.open(io.BytesIO(picture.png)).convert("RGB")
    x, y = (round(part * 1.5) for part in at(picture.svg, "Low"))
    assert image.getpixel((x + 100, y + 30)) == pytest.approx((0xF5,) * 3, abs=1)
    x, y = (round(part * 1.5) for part in at(picture.svg, "High"))
    assert image.getpixel((x + 100, y + 60)) == pytest.approx((0xE8,) * 3, abs=1)


def test_names_at_the_right_edge_and_where_a_line_ends_early() -> None:
    (picture,) = drawn(profile_figure_of())
    assert at(picture.svg, "S1")[0] == at(picture.svg, "Median")[0] == 920 - 118 + 34
    assert at(picture.svg, "S2")[0] < 500


def test_as_many_courses_as_styles_are_named_more_are_drawn_alike_and_counted() -> None:
    most = len(COLOURS) * len(DASHES)
    (picture,) = drawn(profile_figure_of(most))
    assert {f"S{number}" for number in range(1, most + 1)} <= set(texts(picture.svg))
    (picture,) = drawn(profile_figure_of(most + 1))
    shown = texts(picture.svg)
    assert f"Course of each of {most + 1} patients" in shown and "Median" in shown and "Below a limit" in shown
    assert not {f"S{number}" for number in range(1, most + 2)} & set(shown)
    assert len(paths(picture.svg, COLOURS[0], "stroke-opacity")) == most + 1
    assert len(uses(picture.svg, COLOURS[0], "#ffffff")) == 1 + 1  # the mark and its explanation


def test_styles_of_courses_differ() -> None:
    assert len({profile_style(position) for position in range(24)}) == 24
    assert len({curve_style(position)[1] for position in range(4)}) == 4


def test_dashes_are_as_long_as_they_are_said_to_be() -> None:
    (picture,) = drawn(step_figure())
    assert "stroke-dasharray: 8,3;" in picture.svg


def test_a_curve_falls_in_steps_and_the_number_at_risk_is_beneath() -> None:
    (picture,) = drawn(step_figure())
    (curve,) = paths(picture.svg, COLOURS[0], "stroke-width: 2")
    zero, two, four = (at(picture.svg, text)[0] for text in ("0.00", "2", "8"))
    top, middle = curve[0][1], curve[-1][1]
    assert [y for _, y in curve] == [top, top, middle, middle, middle]
    assert middle - top == pytest.approx(360 * 0.5 / 1.02)
    assert [x for x, _ in curve][1:3] == pytest.approx([two, two])
    assert curve[0][0] == pytest.approx(four) and zero < four
    shown = texts(picture.svg)
    start = shown.index("Number at risk")
    assert shown[start : start + 9] == ["Number at risk", "A", "8", "4", "0", "B", "7", "7", "6"]
    assert "Log-rank test: p = 0.5" in shown
    assert len(uses(picture.svg, COLOURS[0])) == 1


def test_a_curve_alone_has_no_name_and_its_numbers_are_beside_their_heading() -> None:
    (picture,) = drawn(step_figure(1))
    assert "A" not in texts(picture.svg)
    assert at(picture.svg, "8")[1] == at(picture.svg, "Number at risk")[1]


def test_means_have_intervals_marks_and_numbers() -> None:
    (picture,) = drawn(mean_figure())
    # From -10 to 10 the axis is 360 high: an interval of 2 is 36 high.
    errors = [path for path in paths(picture.svg, COLOURS[0], "stroke-width: 1.2") if len(path) == 2]
    assert [abs(path[0][1] - path[1][1]) for path in errors] == pytest.approx([36, 36])
    # A mean without an interval has no line and no caps of its own.
    other = [path for path in paths(picture.svg, COLOURS[1], "stroke-width: 1.2") if path]
    assert [abs(path[0][1] - path[1][1]) for path in other] == pytest.approx([36])
    shown = texts(picture.svg)
    start = shown.index("Number of subjects")
    assert shown[start : start + 7] == ["Number of subjects", "A & B", "12", "11", "C", "9", "1"]
    assert {"Baseline", "Week 4", "\N{MINUS SIGN}10"} <= set(shown)


def test_groups_of_means_are_beside_one_another() -> None:
    (picture,) = drawn(mean_figure())
    (first,), (second,) = (paths(picture.svg, colour, "stroke-width: 1.6") for colour in COLOURS[:2])
    assert [b[0] - a[0] for a, b in zip(first, second, strict=True)] == pytest.approx([7, 7])


def test_lanes_have_spans_and_marks_on_their_tracks() -> None:
    (picture,) = drawn(timeline())
    assert [text for text in texts(picture.svg) if text.startswith("X-")] == ["X-000", "X-001", "X-002"]
    (spans,) = [path for path in paths(picture.svg, COLOURS[0], "stroke-width: 7") if len(path) == 6]
    starts, ends = spans[::2], spans[1::2]
    # A lane of two tracks is 31 high; the axis ends with the last span, on day 7.
    assert [y for _, y in starts] == pytest.approx([starts[0][1] + 31 * lane for lane in range(3)])
    day = (ends[2][0] - starts[2][0]) / 6
    assert [end[0] - start[0] for start, end in zip(starts, ends, strict=True)] == pytest.approx(
        [4 * day, 5 * day, 6 * day]
    )
    attacks = uses(picture.svg, "#1a1f24", "#ffffff")[1:]  # the first one is in the legend
    assert [x for x, _ in attacks] == pytest.approx([starts[0][0] + 2 * day] * 3)
    assert [y for _, y in attacks] == pytest.approx([y + 11 for _, y in starts])


def test_a_span_of_one_day_is_still_seen() -> None:
    figure = timeline(1)
    short = figure.layers[0].__class__("Drug", 1, ((0, 2.0, 2.0),))
    (picture,) = drawn(figure.__class__("Day", (0, 1000), figure.subjects, (short,)))
    (span,) = [path for path in paths(picture.svg, COLOURS[0], "stroke-width: 7") if len(path) == 2]
    assert span[1][0] - span[0][0] == pytest.approx(2)
