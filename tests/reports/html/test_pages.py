"""Pages: complete, self-contained, safe, aligned, and the same bytes on every run."""

from __future__ import annotations

import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

from metadata.dataset import Dataset
from metadata.study import Study
from reports.compute import compute
from reports.html.pages import write


@pytest.fixture(scope="module")
def results(study: Study, adam: dict[str, Dataset]) -> pd.DataFrame:
    return compute(study, adam)


@pytest.fixture(scope="module")
def folder(study: Study, results: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reports")
    write(study, results, path, "2001-12-31", "abc")
    return path


def hashes(files: list[Path]) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_the_same_bytes_twice(study: Study, results: pd.DataFrame, tmp_path: Path) -> None:
    first = write(study, results, tmp_path / "a", "2001-12-31", "abc")
    second = write(study, results, tmp_path / "b", "2001-12-31", "abc")
    assert hashes(first) == hashes(second)
    assert {file.suffix for file in first} == {".html", ".rtf", ".svg", ".png", ".csv", ".json"}


class Links(HTMLParser):
    """Collects what a page points to and what it defines."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.loaded: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "a" and found.get("href"):
            self.targets.append(str(found["href"]))
        if tag in ("img", "script", "link", "iframe") or "src" in found:
            self.loaded.append(tag)
        if found.get("id"):
            self.ids.add(str(found["id"]))


def parsed(page: Path) -> Links:
    links = Links()
    links.feed(page.read_text())
    return links


def test_pages_load_nothing_and_links_lead_somewhere(folder: Path) -> None:
    pages = {page.name: parsed(page) for page in folder.glob("*.html")}
    for name, page in pages.items():
        assert page.loaded == [], name
        for target in page.targets:
            file, _, section = target.partition("#")
            assert (folder / file).exists(), (name, target)
            assert not section or section in pages[file].ids, (name, target)


def test_every_output_says_synthetic_population_source_and_plan(folder: Path) -> None:
    outputs = [page for page in folder.glob("*.html") if page.name not in ("index.html", "plan.html")]
    assert len(outputs) == 17
    index = (folder / "index.html").read_text()
    for page in outputs:
        text = page.read_text()
        heading = re.search(r"<h1>(.*?)</h1>", text, re.S)
        assert heading and "Synthetic data" in heading[1]
        assert "Data cut-off 2001-12-31" in text
        assert "Source: " in text
        assert 'href="plan.html#' in text
        assert f'href="{page.name}"' in index


def test_scheme_is_named_in_the_lymphopenia_titles(folder: Path) -> None:
    for name in ("T14.3.6", "F4"):
        heading = re.search(r"<h1>(.*?)</h1>", (folder / f"{name}.html").read_text(), re.S)
        assert heading and "NCI-CTC version 1" in heading[1] and "label" in heading[1]


def test_printed_cells_are_the_results(folder: Path, results: pd.DataFrame) -> None:
    text = re.sub("<[^>]*>|\u2007", "", (folder / "T14.2.2.html").read_text()).replace("\u2212", "-")
    own = results[(results["output"] == "T14.2.2") & (results["statistic"] == "p_value")]
    assert len(own) == 9
    for value in own["text"]:
        assert value.replace("<", "&lt;") in text or value in text


def test_no_p_value_without_n_and_no_percentage_without_count(results: pd.DataFrame) -> None:
    tests = results[(results["statistic"] == "p_value") & results["value"].notna()]
    assert (tests["n"] > 0).all()
    assert (tests["method"] != "").all()
    key = ["output", "analysis", "group", "subset", "variable", "level"]
    percents = results[results["statistic"] == "percent"][key]
    counts = results[results["statistic"] == "count"][key]
    assert len(percents.merge(counts, on=key)) == len(percents)


def test_figures_stand_alone(folder: Path) -> None:
    for name in ("F1", "F4"):
        svg = (folder / f"{name}.svg").read_text()
        assert ElementTree.fromstring(svg).tag.endswith("svg")
        assert "Synthetic data" in svg and "Source: " in svg
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_text_from_data_is_escaped(study: Study, adam: dict[str, Dataset], tmp_path: Path) -> None:
    events = adam["ADAE"].frame.replace({"AEDECOD": {"Headache": "<script>alert(1)</script>"}})
    hostile = {**adam, "ADAE": Dataset(adam["ADAE"].metadata, events)}
    write(study, compute(study, hostile), tmp_path, "2001-12-31", "abc")
    text = (tmp_path / "T14.3.2.html").read_text()
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
