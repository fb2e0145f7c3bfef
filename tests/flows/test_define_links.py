"""The package's definitions: links of define.html lead to files, pages and places; key results are in results.csv."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree, html
from pypdf import PdfReader

pytestmark = pytest.mark.xdist_group("package")
ARM = "{http://www.cdisc.org/ns/arm/v1.0}"
FOLDERS = ("tabulations/sdtm", "analysis/adam/datasets")


@pytest.fixture(params=FOLDERS)
def folder(request: pytest.FixtureRequest, package: Path) -> Path:
    return package / "m5" / "datasets" / "spmsaza-synth" / request.param


def links(folder: Path) -> Iterator[str]:
    page = html.parse(folder / "define.html").getroot()
    places = {str(node.get("id")) for node in page.iter() if node.get("id")}
    for node in page.iter("a"):
        link = str(node.get("href"))
        if link.startswith("#"):
            assert link[1:] in places, link
        else:
            yield link


def test_every_link_leads_to_a_file_and_a_page_that_are_there(folder: Path) -> None:
    pages: dict[str, int] = {}
    for link in links(folder):
        name, _, place = link.partition("#")
        assert (folder / name).is_file(), link
        if place:
            pages.setdefault(name, len(PdfReader(folder / name).pages))
            kind, _, number = place.partition("=")
            assert kind == "page" and 1 <= int(number) <= pages[name], link
    assert pages


def test_the_page_shows_every_file_of_its_folder(folder: Path) -> None:
    shown = {link.partition("#")[0] for link in links(folder)}
    beside = {path.name for path in folder.iterdir() if path.suffix in (".xpt", ".pdf")}
    assert shown == beside


def test_key_results_are_in_the_results_data(package: Path) -> None:
    with (package / "reports" / "results.csv").open(encoding="utf-8", newline="") as lines:
        known = {(row["output"], row["analysis"]) for row in csv.DictReader(lines)}
    root = etree.parse(package / "m5/datasets/spmsaza-synth/analysis/adam/datasets/define.xml").getroot()
    displays = list(root.iter(f"{ARM}ResultDisplay"))
    assert len(displays) >= 10
    for display in displays:
        output = str(display.get("OID")).removeprefix("RD.")
        for result in display.iter(f"{ARM}AnalysisResult"):
            code = next(result.iter(f"{ARM}Code")).text or ""
            named = code.partition("\n")[0].removeprefix("# results.csv: ").split(", ")
            assert {(output, one) for one in named} <= known
