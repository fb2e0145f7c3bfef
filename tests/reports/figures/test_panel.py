"""Axes map data to places, worked out by hand; names break and stay apart."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.dates import DateFormatter, MonthLocator

from reports.figures.files import Ground
from reports.figures.labels import along, free_place, shortened, text_width, wrapped
from reports.figures.library import settings
from reports.figures.panel import Panel
from reports.figures.sheet import Entry, Sheet
from reports.figures.style import COLOURS, INK
from tests.reports.figures.small_figures import texts


def panel(y: tuple[float, float] = (0, 8)) -> Panel:
    with settings("test"):
        return Sheet().panel(10, 20, 50, 40, (0, 5), y)


def test_axes_map_data_to_places() -> None:
    assert panel().places([0, 5, 2.5], [0, 8, 2]).tolist() == [[10, 60], [60, 20], [35, 50]]
    assert panel().places([0], [99])[0, 1] == 20  # what lies outside stays in the frame
    assert panel().across(10) == 1


def test_an_axis_that_counts_downwards() -> None:
    assert panel((8, 0)).places([0, 0], [0, 99]).tolist() == [[10, 20], [10, 60]]


def test_other_scales_have_places_too() -> None:
    shown = panel((1, 100))
    shown.axes.set_yscale("log")
    shown.axes.set_ylim(1, 100)
    assert shown.places([0], [10])[0, 1] == pytest.approx(40)


def test_the_picture_has_the_axes_where_they_are_said_to_be() -> None:
    with settings("test"):
        sheet = Sheet()
        shown = sheet.panel(92, 50, 460, 100, (0, 5), (0, 8))
        sheet.finish(200)
    box = shown.axes.get_position()
    assert (box.x0, box.x1, box.y0, box.y1) == pytest.approx((0.1, 0.6, 0.25, 0.75))


def test_ticks_beyond_the_axis_are_left_out_and_minus_is_a_minus() -> None:
    shown = panel((-1, 8))
    shown.ticks((0, 5), (-2, -1, 4, 9))
    assert [label.get_text() for label in shown.axes.get_yticklabels()] == ["\N{MINUS SIGN}1", "4"]
    assert [label.get_text() for label in shown.axes.get_xticklabels()] == ["0", "5"]


def test_titles_break_between_words() -> None:
    assert wrapped("one two three", 60, 13) == ["one two", "three"]


def test_a_name_is_cut_where_the_margin_ends() -> None:
    assert shortened("short", 100, 12) == "short"
    cut = shortened("a name that is much too long", 100, 12)
    assert cut.endswith("\N{HORIZONTAL ELLIPSIS}") and cut.startswith("a name")
    assert text_width(cut, 12) <= 100 < text_width(cut[:-1] + "mm", 12)


def test_width_grows_with_size_and_weight() -> None:
    assert text_width("abc", 24) == pytest.approx(2 * text_width("abc", 12), rel=0.03)
    assert text_width("abc", 12, bold=True) > text_width("abc", 12)


def test_a_name_goes_where_no_line_runs() -> None:
    taken = along([np.array([[0.0, 50.0], [100.0, 50.0]]), np.array([[100.0, 50.0], [200.0, 60.0]])])
    left, base = free_place(taken, (100, 50), 40)
    covered = taken[(taken[:, 0] > left) & (taken[:, 0] < left + 40)][:, 1]
    assert len(covered) and ((covered > base + 1) | (covered < base - 9)).all()
    assert free_place(np.empty((0, 2)), (100, 50), 40) == pytest.approx((107, 50 + 12 * 0.36 + 5))


def test_a_legend_takes_as_many_rows_as_it_needs() -> None:
    with settings("test"):
        sheet = Sheet()
        entries = [Entry(f"Entry {number}", "#0072B2") for number in range(6)]
        assert sheet.legend(entries[:1], 10, 20, 200) == 19
        assert sheet.legend(entries, 10, 20, 200) == 57
    assert [text.get_text() for text in sheet.paper.texts][1:] == [entry.label for entry in entries]
    assert max(text.get_position()[0] + text_width(text.get_text(), 12) for text in sheet.paper.texts) <= 200


def test_what_matplotlib_draws_by_itself_has_the_palette_and_stays_in_place() -> None:
    """Other kinds of figures, such as boxes and lines over a calendar, take matplotlib's own drawing."""
    with settings("test"):
        sheet = Sheet()
        boxes = sheet.panel(80, 40, 300, 100, (0, 3), (-5, 12), "Group", "Change")
        drawn = boxes.axes.boxplot([[1, 2, 3], [4, 5, 6]], positions=[1, 2], tick_labels=["A", "B"])
        days = sheet.panel(480, 40, 300, 100, (19723, 20088), (0, 10), "Date")
        days.axes.xaxis.set_major_locator(MonthLocator(bymonth=(1, 7)))
        days.axes.xaxis.set_major_formatter(DateFormatter("%Y-%m-%d"))
        lines = [days.axes.plot([19723, 20088], [level, level])[0] for level in range(3)]
        sheet.finish(200)
        shown = texts(Ground(sheet.drawing, 0, 200).picture().svg)
    assert [line.get_color() for line in lines] == list(COLOURS[:3])
    assert {line.get_color() for line in (*drawn["boxes"], *drawn["whiskers"])} == {INK}
    assert {"A", "B", "Change", "Group", "Date", "2024-01-01", "2024-07-01"} <= set(shown)
    assert boxes.places([1], [12]).tolist() == [[180, 40]]
