"""The workbook of queries: every query once and once at its site, texts as texts, links only to the web."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from lxml import etree

from tests.validation.small_study import enrol, exam, records, study
from validation.queries import workbook
from validation.queries.history import LISTED, followed
from validation.queries.listing import query_listing
from validation.queries.workbook import write_workbook

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def sheets(path: Path) -> dict[str, list[list[str]]]:
    """The cells of each sheet as a spreadsheet shows them, read without the library that wrote them."""
    with zipfile.ZipFile(path) as archive:
        root = {name: etree.fromstring(archive.read(name)) for name in archive.namelist() if name.endswith(".xml")}
    texts = ["".join(one.itertext()) for one in root["xl/sharedStrings.xml"].iter(f"{SHEET}si")]
    names = [str(one.get("name")) for one in root["xl/workbook.xml"].iter(f"{SHEET}sheet")]
    made = {}
    for number, name in enumerate(names, start=1):
        sheet = root[f"xl/worksheets/sheet{number}.xml"]
        assert not list(sheet.iter(f"{SHEET}f"))  # a formula
        made[name] = [_row(row, texts) for row in sheet.iter(f"{SHEET}row")]
    return made


def _row(row: etree._Element, texts: list[str]) -> list[str]:
    """The cells up to the last that is written, with those between that are blank."""
    cells = {ord(re.sub(r"\d", "", str(cell.get("r")))) - ord("A"): _shown(cell, texts) for cell in row}
    return [cells.get(place, "") for place in range(max(cells) + 1)] if cells else []


def _shown(cell: etree._Element, texts: list[str]) -> str:
    value = cell.findtext(f"{SHEET}v") or ""
    return texts[int(value)] if cell.get("t") == "s" else value


def listing(*values: str, link: str = "https://redcap.example.org/x") -> pd.DataFrame:
    shared = {**dict.fromkeys(LISTED, ""), "record": "1", "link": link, "status": "open", "site": "north"}
    rows = [shared | {"query_id": str(number), "value": value} for number, value in enumerate(values)]
    return pd.DataFrame(rows, columns=list(LISTED), dtype="str").assign(age_days=0)


def test_every_query_is_there_and_at_its_site(tmp_path: Path) -> None:
    made, data = (
        study(tmp_path),
        records(enrol(sex="7"), exam(count="x"), enrol("2", sex="8", redcap_data_access_group="")),
    )
    found = followed(made, data, query_listing(made, data), "2001-12-31")
    write_workbook(made, found, tmp_path / "a.xlsx", "2001-12-31")
    got = sheets(tmp_path / "a.xlsx")
    assert list(got) == ["Counts", "Queries", "No data access group", "North & South"]
    assert got["Queries"][0] == list(LISTED)
    ids = {name: [row[0] for row in rows[1:]] for name, rows in got.items()}
    assert ids["Queries"] == found["query_id"].tolist()
    assert sorted(ids["North & South"] + ids["No data access group"]) == sorted(ids["Queries"])
    assert "Synthetic data" in got["Counts"][1][0]
    counted = {row[0]: row[-1] for row in got["Counts"] if len(row) > 1}
    assert counted["error"] == str((found["severity"] == "error").sum())
    assert counted["North & South"] == str(len(ids["North & South"]))
    before = (tmp_path / "a.xlsx").read_bytes()
    write_workbook(made, found, tmp_path / "a.xlsx", "2001-12-31")
    assert (tmp_path / "a.xlsx").read_bytes() == before


def test_texts_stay_texts_and_only_the_web_is_linked(tmp_path: Path) -> None:
    odd = listing("=1+1", "007", "1e5", "+a", "\n=x", "https://a.b", "é<&>")
    write_workbook(study(tmp_path), odd, tmp_path / "a.xlsx", "2001-12-31")
    at = LISTED.index("value")
    assert [row[at] for row in sheets(tmp_path / "a.xlsx")["Queries"][1:]] == odd["value"].tolist()
    relations = zipfile.ZipFile(tmp_path / "a.xlsx").read("xl/worksheets/_rels/sheet2.xml.rels").decode()
    assert relations.count("https://redcap.example.org/x") == len(odd)
    write_workbook(study(tmp_path), listing("a", link="file:///etc/x"), tmp_path / "b.xlsx", "2001-12-31")
    assert "xl/worksheets/_rels/sheet2.xml.rels" not in zipfile.ZipFile(tmp_path / "b.xlsx").namelist()


def test_what_a_sheet_cannot_hold_goes_on_or_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 2)
    long = listing("a" * 40_000, "b", "c")
    write_workbook(study(tmp_path), long, tmp_path / "a.xlsx", "2001-12-31")
    got = sheets(tmp_path / "a.xlsx")
    assert list(got) == ["Counts", "Queries", "Queries 2"]
    assert [len(got[name]) for name in ("Queries", "Queries 2")] == [3, 2]
    assert got["Queries"][1][LISTED.index("value")].endswith("the whole text is in queries.csv)")


def test_no_queries_make_a_workbook_without_rows(tmp_path: Path) -> None:
    write_workbook(study(tmp_path), listing(), tmp_path / "a.xlsx", "2001-12-31")
    assert sheets(tmp_path / "a.xlsx")["Queries"] == [list(LISTED)]


def test_many_queries_are_not_written_a_second_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = listing("a", "b").assign(site=["north", "south"])
    monkeypatch.setattr(workbook, "MOST_TWICE", 1)
    write_workbook(study(tmp_path), both, tmp_path / "a.xlsx", "2001-12-31")
    got = sheets(tmp_path / "a.xlsx")
    assert list(got) == ["Counts", "Queries"]
    assert workbook.ELSEWHERE in [row[0] for row in got["Counts"] if row]
