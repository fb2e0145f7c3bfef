"""The pages of a package in a browser as wide as a desk and as a phone: whole, readable, linked to what is there."""

from __future__ import annotations

import csv
import os
import re
import shutil
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.flows.conftest import EXPORTS, STUDY, Answer
from tests.validation.small_study import enrol, exam, records, study
from validation.queries.history import followed
from validation.queries.listing import query_listing
from validation.queries.page import write_page

pytestmark = pytest.mark.xdist_group("package")
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
SIZES = {"desk": (1280, 900), "phone": (375, 812)}
FILTER = re.compile(r"[a-z]+=")
SAMPLE = ("reports/index.html",)
WIDER_TEXT = "* { letter-spacing: .12em !important; word-spacing: .16em !important; line-height: 1.5 !important }"
"""The text spacing of WCAG 2.1, 1.4.12: what fits with it also fits in the fonts of another machine."""

KINDS = (
    *("reports/T*.html", "reports/F*.html", "reports/L*.html", "reports/plan.html", "index.html", "**/define.html"),
    "browse/records.html",
    *("validation/queries.html", "validation/queries_by_site/*.html"),
    *("validation/conformance.html", "validation/acceptance.html"),
    "validation/second_derivation.html",
)


def installed_browser() -> str:
    """The browser that is installed; without one tests are skipped aloud, and fail in continuous integration."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        message = f"no browser: none of {', '.join(PROGRAMS)} is installed; the pages were NOT looked at"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        warnings.warn(message, stacklevel=1)
        pytest.skip(message)
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed_browser())
        yield browser
        browser.close()


@pytest.fixture(params=SIZES)
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    width, height = SIZES[request.param]
    page = browser.new_page(viewport={"width": width, "height": height})
    yield page
    page.close()


@pytest.mark.parametrize("kind", [*SAMPLE, *(pytest.param(kind, marks=pytest.mark.soak) for kind in KINDS)])
def test_pages_are_whole(kind: str, page: Page, package: Path) -> None:
    paths = sorted(package.glob(kind))
    assert paths, f"the package has no {kind}"
    width = page.viewport_size["width"] if page.viewport_size else 0
    for path in paths:
        _assert_whole(page, path)
        if path == paths[0] or (width > 1000 and not path.name.startswith("L")):  # listings are long, and alike
            found = [(one["id"], one["nodes"][0]["html"]) for one in Axe().run(page).response["violations"]]
            assert not found, f"{path.name}: axe found {found}"


@pytest.mark.soak
def test_queries_are_filtered_by_the_address_and_what_is_shown_is_exported(page: Page, tmp_path: Path) -> None:
    made, data = study(tmp_path), records(enrol(sex="=cmd()"), exam(count="x"), enrol("2", sex="8"))
    listing = followed(made, data, query_listing(made, data), "2001-12-31")
    listing["age_days"] = range(5, 5 + 14 * len(listing), 14)
    write_page(made, data.project, listing, tmp_path / "queries.html", "2001-12-31")
    address = (tmp_path / "queries.html").as_uri()
    page.goto(f"{address}#form=Enrolment")
    shown = page.locator("table.queries tbody tr:visible")
    assert shown.count() == 2
    with page.expect_download() as download:
        page.get_by_text("Export what is shown").click()
    download.value.save_as(tmp_path / "shown.csv")
    with (tmp_path / "shown.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["Record"], row["Form"], row["Value"]) for row in rows] == [
        ("1", "Enrolment", "'=cmd()"), ("2", "Enrolment", "8"),
    ]  # fmt: skip
    page.get_by_label("Text").fill("=cmd")
    assert shown.count() == 1
    assert page.url.endswith("#form=Enrolment&text=%3Dcmd")
    page.goto(f"{address}#sort=-age&age=8+to+30+days")
    assert [row.get_attribute("data-days") for row in shown.all()] == ["19"]
    page.locator("select[name=age]").select_option("")
    assert [row.get_attribute("data-days") for row in shown.all()] == ["33", "19", "5"]
    page.get_by_label("Sort by").select_option("value")
    assert page.url.endswith("#sort=value")
    values = [row.get_attribute("data-days") for row in shown.all()]
    page.get_by_label("Sort by").select_option("-value")
    assert [row.get_attribute("data-days") for row in shown.all()] == values[::-1] != values
    if page.get_by_role("button", name="Age").is_visible():  # not on a phone
        page.get_by_role("button", name="Age").click()
        page.get_by_role("button", name="Age").click()
        assert [row.get_attribute("data-days") for row in shown.all()] == ["33", "19", "5"]
    page.goto(f"{address}#severity=none")
    assert shown.count() == page.locator("table.queries tbody tr").count() == 3


@pytest.mark.soak
def test_a_safety_report_is_whole(page: Page, command: Callable[..., Answer], tmp_path: Path) -> None:
    done = command("monitor", STUDY, "--source", EXPORTS, "--as-of", "1999-06-12", "--out", tmp_path / "safety")
    assert done.code == 0, done.err
    _assert_whole(page, tmp_path / "safety" / "report.html")
    assert page.locator("figure svg").count() > 0
    assert page.get_by_role("heading", name="Open alerts").is_visible()


def _assert_whole(page: Page, path: Path) -> None:
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("requestfailed", lambda request: problems.append(request.url))
    page.goto(path.as_uri())
    assert not problems, f"{path.name}: {problems}"
    assert page.title().strip(), f"{path.name} has no title"
    headings = [text.strip() for text in page.locator("h1").all_inner_texts()]
    assert len(headings) == 1 and headings[0], f"{path.name}: main headings are {headings}"
    broken = [link for link in _links(page) if not _leads_somewhere(link)]
    assert not broken, f"{path.name} links to nothing: {broken}"
    for style in ("/* as it is */", WIDER_TEXT):
        page.add_style_tag(content=style)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{path.name} is {wide} pixels wider than the window with the style {style!r}"


def _links(page: Page) -> list[str]:
    """Return the addresses of all links and pictures within the package, as the browser understands them."""
    found = page.evaluate("[...document.querySelectorAll('a[href], img[src]')].map(one => one.href || one.src)")
    return sorted({link for link in found if link.startswith("file:")})


def _leads_somewhere(link: str) -> bool:
    address, place = urldefrag(link)
    path = Path(unquote(urlsplit(address).path))
    if not path.is_file():
        return False
    if not place or path.suffix == ".pdf":
        return not place or place.startswith(("page=", "nameddest="))
    if path.name == "records.html":
        return _is_on_the_records_page(path.parent, place)
    if FILTER.match(place):  # what the page is to show, as its form names it
        name, value = (unquote(part) for part in place.split("&")[0].split("=", 1))
        form = path.read_text(encoding="utf-8").split(f'<select name="{name}">')[1].split("</select>")[0]
        return f"<option>{value}</option>" in unescape(form)
    return f'id="{unquote(place)}"' in path.read_text(encoding="utf-8")


def _is_on_the_records_page(folder: Path, place: str) -> bool:
    """Whether what an address asks of the page of records is there: a table, the results of an output, a cell."""
    asked = dict(part.split("=", 1) for part in unquote(place).split("&"))
    if "table" in asked:
        return f'{{"name":"{asked["table"]}","label":' in _text(folder / "tables.js")
    if "cell" in asked:
        output, number = asked["cell"].split("/")
        return f'"number": {number},' in _text(folder.parent / "reports" / "cells" / f"{output}.json")
    return (folder / "results" / f"{asked.get('output', asked.get('result', '')).split('/')[0]}.js").is_file()


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
