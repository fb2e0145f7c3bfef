"""Pictures say what they show, need no other file, and are the same bytes twice; SVG and PNG have the same things."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

import pytest
from PIL import Image

import reports.templates  # noqa: F401 brings the kinds that a template draws itself
from reports.figures import marks
from reports.figures.files import Ground
from reports.figures.library import settings
from reports.figures.sheet import Sheet
from reports.figures.style import COLOURS
from reports.layout.figure import Figure
from tests.reports.figures.small_figures import FIGURES, drawn, texts

WHITE = (255, 255, 255)


@pytest.mark.parametrize("name", FIGURES)
def test_a_picture_stands_alone_and_is_the_same_twice(name: str) -> None:
    pages = drawn(FIGURES[name])
    assert pages == drawn(FIGURES[name])
    for picture in pages:
        shown = {"Title <b> \N{EN DASH} Synthetic data", "All subjects (N = 3)", "Source: ADSL."}
        assert shown <= set(texts(picture.svg))
        assert "Synthetic" not in picture.bare_svg and "Source" not in picture.bare_svg
        assert set(texts(picture.svg)) - shown == set(texts(picture.bare_svg))
        whole, bare = (Image.open(io.BytesIO(data)) for data in (picture.png, picture.bare_png))
        height = float(re.findall(r'viewBox="0 0 920 ([\d.]+)"', picture.svg)[0])
        assert whole.size == (1380, round(height * 1.5))
        assert bare.width == 1380 and bare.height < whole.height
        assert whole.getpixel((0, 0)) == 0 and whole.convert("RGB").getpixel((0, 0)) == WHITE


@pytest.mark.parametrize("name", FIGURES)
def test_the_bare_picture_is_a_part_of_the_whole(name: str) -> None:
    for picture in drawn(FIGURES[name]):
        _, top, width, height = map(float, re.findall(r'viewBox="([^"]+)"', picture.bare_svg)[0].split())
        whole, bare = (Image.open(io.BytesIO(data)).convert("RGB") for data in (picture.png, picture.bare_png))
        assert width == 920
        first, last = round(top * 1.5), round((top + height) * 1.5)
        assert whole.crop((0, first, 1380, last)).tobytes() == bare.tobytes()


@pytest.mark.parametrize("name", FIGURES)
def test_no_time_no_program_no_style_for_a_whole_page(name: str) -> None:
    for picture in drawn(FIGURES[name]):
        assert picture.svg.startswith("<svg") and picture.bare_svg.startswith("<svg")
        for word in ("matplotlib", "<style", "<metadata", "DOCTYPE", "font-family:"):
            assert word.lower() not in picture.svg.lower()
        assert set(Image.open(io.BytesIO(picture.png)).info) <= {"dpi"}
        assert Image.open(io.BytesIO(picture.png)).info["dpi"] == pytest.approx((150, 150), abs=0.1)


def test_identifiers_of_pages_differ_and_those_that_are_used_exist() -> None:
    pages = drawn(FIGURES["timeline of pages"])
    made = [set(re.findall(r' id="([^"]+)"', page.svg)) for page in pages]
    assert all(made) and sum(map(len, made)) == len(set().union(*made))
    for page, known in zip(pages, made, strict=True):
        assert set(re.findall(r'(?:xlink:href="|url\()#([^")]+)', page.svg)) == known


def test_each_kind_of_figure_is_drawn() -> None:
    assert set(Figure.__subclasses__()) == {type(figure) for figure in FIGURES.values()}


def test_svg_and_png_have_the_same_things() -> None:
    with settings("test"):
        sheet = Sheet()
        marks.line(sheet.paper, [10, 20], [15, 15], "#0072B2", 10)
        marks.line(sheet.paper, [0, 40], [30, 30], "#D55E00", 2)
        marks.marks(sheet.paper, [30], [10], "square", 6, "#009E73")
        sheet.text(2, 8, "a & b $x$", 6)
        sheet.finish(40)
        picture = Ground(sheet.drawing, 0, 40).picture()
    assert texts(picture.svg) == ["a & b $x$"]
    assert "a &amp; b $x$" in picture.svg
    paths = [element.get("d", "").split() for element in ElementTree.fromstring(picture.svg).iter()
             if "fill: none" in element.get("style", "")]  # fmt: skip
    assert paths == [["M", "10", "15", "L", "20", "15"], ["M", "0", "30", "L", "40", "30"]]
    image = Image.open(io.BytesIO(picture.png)).convert("RGB")
    assert image.getpixel((22, 22)) == (0, 0x72, 0xB2)
    assert image.getpixel((30, 45)) == (0xD5, 0x5E, 0)
    assert image.getpixel((45, 15)) == (0, 0x9E, 0x73)
    assert image.getpixel((5, 50)) == WHITE


@pytest.mark.parametrize("count", [6, 200])
def test_all_colours_are_in_the_file(count: int) -> None:
    """Few colours are kept by a palette that holds them, many by a file of all colours."""
    colours = [*COLOURS, *(f"#{red:02x}{255 - red:02x}80" for red in range(count - 6))]
    with settings("test"):
        sheet = Sheet()
        for row, colour in enumerate(colours):
            marks.line(sheet.paper, [10, 20], [10 * row + 5] * 2, colour, 8)
        sheet.finish(10 * count)
        image = Image.open(io.BytesIO(Ground(sheet.drawing, 0, 10).picture().png))
    assert image.mode == ("P" if count == 6 else "RGB")
    found = [image.convert("RGB").getpixel((22, 15 * row + 7)) for row in range(count)]
    assert found == [tuple(bytes.fromhex(colour[1:])) for colour in colours]


def test_what_is_drawn_above_a_ground_is_drawn_as_if_at_once() -> None:
    """A page that shares its ground, and a second one after it, look as if each were drawn alone."""
    with settings("test"):
        shared = Sheet()
        marks.line(shared.paper, [0, 900], [30, 30], "#D55E00", 6)
        shared.finish(80)
        ground = Ground(shared.drawing, 0, 80)
        for number, place in enumerate((20, 50), start=1):
            alone = Sheet()
            marks.line(alone.paper, [0, 900], [30, 30], "#D55E00", 6)
            alone.finish(80)
            for sheet in (shared, alone):
                marks.marks(sheet.paper, [place], [30], "circle", 8, "#009E73")
                sheet.text(place, 60, f"Page {number}")
            page, whole = ground.picture(number), Ground(alone.drawing, 0, 80).picture()
            assert page.png == whole.png
            assert texts(page.svg) == texts(whole.svg) == [f"Page {number}"]
            drawn = [sorted(re.findall(r'(?: d| x|<use [^>]*y)="([^"]+)"', svg)) for svg in (page.svg, whole.svg)]
            assert drawn[0] == drawn[1]
