"""From a number of a table to the form in REDCap, in a browser, by clicks and keys; and what axe-core finds."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from flows.pipeline import build
from flows.progress import StagePrinter
from flows.run_request import RunRequest
from metadata.dictionary import Dictionary
from metadata.study import BUNDLED
from publish.result_cells import read_cells, read_results
from tests.flows.test_pages_in_a_browser import SIZES, WIDER_TEXT, installed_browser

pytestmark = [pytest.mark.soak, pytest.mark.xdist_group("records")]
STUDIES = ("spms_aza", "hta_duo")
NUMBERS = 10
VIEWS = (
    "", "#table=ADSL", "#table=ADLB&sort=-AVAL&by=PARAMCD&test=is&value=ALT&page=2", "#table=DM&row=2",
    "#table=ADSL&row=1", "#table=AE&row=3", "#output=F1", "#cell=T14.1.2/2", "#table=NOTHING",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed_browser())
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=STUDIES)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(request.param, tmp_path_factory.mktemp(request.param), False)


def made(study: str, folder: Path, summaries: bool) -> Path:
    request = RunRequest.of(study, source=str(BUNDLED / study / "redcap"), out=folder / study, summaries=summaries)
    build(request, StagePrinter(quiet=True))
    return folder / study


def asked_nothing_outside(page: Page) -> list[str]:
    """Note what a page asks for outside its folder, and what goes wrong on it."""
    problems: list[str] = []
    page.on("request", lambda request: None if request.url.startswith("file:") else problems.append(request.url))
    page.on("requestfailed", lambda request: problems.append(request.url))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    return problems


def shown(page: Page) -> Page:
    page.wait_for_selector("main:not([aria-busy])")
    return page


def test_ten_numbers_lead_to_their_forms(built: Path, browser: Browser) -> None:
    """Each is clicked through to a form, and every record and value on the way is compared with the files."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    problems = asked_nothing_outside(page)
    results, followed = read_results(built), list[str]()
    for output, cells in read_cells(built / "reports").items():
        own = results[results["output"] == output].reset_index(drop=True)
        middle = cells[len(cells) // 2 :]
        cell = next((cell for cell in middle if len(followed) < NUMBERS and _can_be_followed(built, own, cell)), None)
        if cell:
            _follow(page, built, output, cell, own)
            followed.append(output)
    assert len(followed) == NUMBERS
    assert problems == []
    page.close()


def _can_be_followed(built: Path, own: pd.DataFrame, cell: dict[str, object]) -> bool:
    """Whether a cell's first result was computed from collected records."""
    first = own.loc[cell["results"][0]]  # type: ignore[index]
    return first["dataset"] != "results" and len(_records(built, first)) > 0


def _records(built: Path, result: pd.Series) -> pd.DataFrame:
    [path] = built.glob(f"parquet/*/{result['dataset'].lower()}.parquet")
    frame = pd.read_parquet(path)
    return frame.query(result["filter"]) if result["filter"] else frame


def _follow(page: Page, built: Path, output: str, cell: dict[str, object], own: pd.DataFrame) -> None:
    page.goto((built / "reports" / f"{output}.html").as_uri())
    link = page.locator(f'a.cell[href$="#cell={output}/{cell["number"]}"]')
    assert re.sub(r"\s", "", link.inner_text()).replace("\N{MINUS SIGN}", "-") == re.sub(r"\s", "", str(cell["text"]))
    link.click()
    shown(page)
    expected = _records(built, own.loc[cell["results"][0]])  # type: ignore[index]
    assert page.locator("main p[role=status]").inner_text().split()[0] == f"{len(expected):,}"
    names = page.locator("main table.records tbody th a").all_inner_texts()
    assert names == [f"Record {row + 1}" for row in expected.index[:50]]
    page.locator("main table.records tbody th a").first.click()
    for _ in range(6):  # from dataset to dataset, the first record each
        shown(page)
        if page.locator("main a.open").count():
            break
        page.locator(
            "main h2:has-text('Made from SDTM') + .scroll a, main h2:has-text('Made from') + .scroll a"
        ).first.click()
        page.wait_for_timeout(50)
    _compare_with_export(page, built.name)


def _compare_with_export(page: Page, study: str) -> None:
    """Compare the fields on the page, and the addresses of the forms, with the exported records."""
    folder = BUNDLED / study / "redcap"
    with (folder / "records_locked.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    identifier = next(iter(rows[0]))
    compared = 0
    for number, opens in enumerate(page.locator("main a.open").all()):
        address = str(opens.get_attribute("href"))
        record = re.search(r"[?&]id=([^&]+)", address)[1]  # type: ignore[index]
        form = re.search(r"&page=([^&]+)", address)[1]  # type: ignore[index]
        mine = [row for row in rows if row[identifier] == record]
        table = page.locator("main p:has(a.open) + .scroll").nth(number)
        for line in table.locator("tbody tr").all():
            field, value = line.locator("th").inner_text(), line.locator("td").nth(1).inner_text()
            raw = re.sub(r" \(.*\)$", "", value.replace("blank", "") if value == "blank" else value)
            stored = {row[field] for row in mine if field in row}
            if not stored or value == "an identifier, not shown":
                continue
            assert raw in stored or value in stored, (record, form, field, value)
            compared += 1
    assert compared


def test_it_is_whole_on_a_desk_and_a_phone_and_axe_finds_nothing(built: Path, browser: Browser) -> None:
    axe = Axe()
    for width, height in (*SIZES.values(), (375, 812)):
        page = browser.new_page(viewport={"width": width, "height": height})
        pages = [f"browse/records.html{view}" for view in VIEWS]
        for name in ("index.html", "reports/index.html", "reports/T14.1.2.html", "reports/plan.html", *pages):
            problems = asked_nothing_outside(page)
            page.goto("about:blank")
            page.goto(f"{built.as_uri()}/{name}")
            shown(page)
            assert page.locator("h1").count() == 1 and page.locator("h1").inner_text().strip()
            found = axe.run(page).response["violations"]
            assert not found, (name, [(one["id"], one["nodes"][0]["html"]) for one in found])
            page.add_style_tag(content=WIDER_TEXT)
            assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name
            assert [one for one in problems if "NOTHING" not in one] == []
        page.close()


def test_no_column_is_one_letter_wide_on_a_phone(built: Path, browser: Browser) -> None:
    """A word that is longer than its column would be broken letter by letter: no cell of text is so narrow."""
    page = browser.new_page(viewport={"width": 375, "height": 812})
    for view in VIEWS[:-1]:
        page.goto("about:blank")
        page.goto(f"{(built / 'browse' / 'records.html').as_uri()}{view}")
        shown(page)
        narrow = page.evaluate(
            "[...document.querySelectorAll('td, th')].filter(one => one.textContent.trim().length > 3"
            " && one.getBoundingClientRect().width > 0 && one.getBoundingClientRect().width < 24).length"
        )
        assert narrow == 0, view
    page.close()


def test_records_are_sorted_and_filtered_by_the_keyboard(built: Path, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    ages = pd.read_parquet(built / "parquet" / "adam" / "adsl.parquet")["AGE"]
    page.goto(f"{(built / 'browse' / 'records.html').as_uri()}#table=ADSL")
    shown(page)
    page.get_by_label("Show").select_option("AGE")
    page.get_by_label("that").select_option("at_least")
    page.get_by_label("value").fill("50")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("at_least"))
    shown(page)
    assert page.locator("p[role=status]").inner_text().startswith(f"{int((ages >= 50).sum())} record")
    assert page.evaluate("document.activeElement.tagName") == "H1"
    page.get_by_role("link", name="AGE", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("sort=AGE"))
    shown(page)
    place = page.locator("table.records thead th[aria-sort=ascending]").evaluate("one => one.cellIndex")
    cells = page.locator(f"table.records tbody td:nth-child({place + 1})").all_inner_texts()
    assert [float(cell) for cell in cells] == sorted(ages[ages >= 50])[:50]
    page.close()


def test_every_filter_selects_the_same_records_as_in_the_terminal(built: Path, browser: Browser) -> None:
    """The page judges the conditions of results.csv as pandas does."""
    page = browser.new_page()
    results = read_results(built)
    results = results[results["dataset"] != "results"]
    results["position"] = results.groupby("output").cumcount() + 1
    asked = results.drop_duplicates(["dataset", "filter"]).iloc[:: max(1, len(results) // 2000)].head(60)
    for one in asked.itertuples():
        page.goto("about:blank")
        page.goto(f"{(built / 'browse' / 'records.html').as_uri()}#result={one.output}/{one.position}")
        shown(page)
        expected = len(_records(built, pd.Series(one._asdict())))
        assert page.locator("p[role=status]").inner_text().split()[0] == f"{expected:,}", one
    page.close()


@pytest.mark.parametrize("study", STUDIES)
def test_summaries_show_no_patient(study: str, tmp_path: Path, browser: Browser) -> None:
    """No page that the first one leads to, and no script, has a subject's number, a record's name or an identifier."""
    folder = made(study, tmp_path, True)
    assert not (folder / "browse").exists()
    subjects = pd.read_parquet(folder / "parquet" / "sdtm" / "dm.parquet")
    secrets = {*subjects["USUBJID"], *subjects["SUBJID"]} | identifiers(study)
    waiting, pages = ["index.html"], set[str]()
    page = browser.new_page()
    while waiting:
        name = waiting.pop()
        if name in pages:
            continue
        pages.add(name)
        page.goto((folder / name).as_uri())
        text = (folder / name).read_text("utf-8")
        assert not [secret for secret in secrets if re.search(rf"(?<![\w.]){re.escape(secret)}(?!\w)", text)], name
        for link in page.evaluate(
            "[...document.querySelectorAll('a[href], img[src], script[src]')].map(one => one.href || one.src)"
        ):
            path = link.split("#")[0].removeprefix(f"{folder.as_uri()}/")
            assert path == name or (folder / path).is_file(), (name, link)
            if path.endswith((".html", ".js")):
                waiting.append(path)
            else:
                assert path == name or path.endswith((".rtf", ".svg", ".png")), (name, link)
    assert len(pages) > 15
    page.close()


def identifiers(study: str) -> set[str]:
    """Return the values of identifiers that are long enough to be told from others."""
    folder = BUNDLED / study / "redcap"
    fields = [
        field.name for field in Dictionary.read_csv(folder / "dictionary.csv").fields.values() if field.is_identifier
    ]
    with (folder / "records_locked.csv").open(encoding="utf-8", newline="") as file:
        return {row[name] for row in csv.DictReader(file) for name in fields if len(row[name]) > 3}


def test_identifiers_are_on_no_page(built: Path) -> None:
    secrets = identifiers(built.name)
    assert secrets
    for path in [built / "index.html", *(built / "browse").rglob("*.js"), *(built / "reports").glob("*.html")]:
        held = {json.dumps(secret, ensure_ascii=False)[1:-1] for secret in secrets}
        text = path.read_text("utf-8")
        assert not [one for one in held if re.search(rf'["> ]{re.escape(one)}["< ]', text)], path.name
