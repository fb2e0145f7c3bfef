"""Files beside REDCap: every row is in the records once or asked about, and what is no such file is one sentence."""

from __future__ import annotations

import datetime
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as some

from extract.exports import snapshot_of
from extract.other_sources import read_source
from extract.snapshot import open_snapshot
from flows.check import problems_of
from metadata.errors import StudyError
from metadata.records import REPEAT_INSTRUMENT
from metadata.study import Study
from metadata.terminology import Terminology
from sdtm.build.study_mapping import read_mapping
from sdtm.build.tabulate import tabulate
from tests.flows.test_other_sources_page import write
from validation.queries.listing import query_listing, with_withheld

HEADER = ["Accession", "Patient", "Visit", "Drawn", "HGB", "Kit"]
ROW = ["A-1", "007", "V1", "2024-03-01", "131", "K"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "parts")


def central(folder: Path, *rows: list[str], header: list[str] | None = None) -> Study:
    frame = pd.DataFrame(list(rows), columns=header or HEADER)
    frame.to_csv(folder / "sources" / "central.csv", index=False)
    return Study.open(folder)


def workbook(folder: Path, fill: Callable[[Any, Any], object]) -> Study:
    text = (folder / "study.yaml").read_text("utf-8")
    (folder / "study.yaml").write_text(text.replace("central.csv", "central.xlsx"), "utf-8")
    with xlsxwriter.Workbook(str(folder / "sources" / "central.xlsx")) as book:
        fill(book, book.add_worksheet("Results"))
    return Study.open(folder)


def read(study: Study) -> pd.DataFrame:
    assert study.declared.sources
    return read_source(study, study.declared.sources["central"]).frame()


SUBJECTS = some.sampled_from(["007", " 008", "099", "", "7"])
VISITS = some.sampled_from(["V1", "V2 ", "V9", ""])
VALUES = some.sampled_from(["131", "0.10", "<5", "", "abc", "=1+1", "1,5"])
DATES = some.sampled_from(["2024-03-01", "2024-02-30", "", "March"])


@settings(max_examples=12, deadline=None)
@given(some.lists(some.tuples(SUBJECTS, VISITS, DATES, VALUES), max_size=8))
def test_no_row_is_lost_or_counted_twice_without_a_query(rows: list[tuple[str, str, str, str]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        made = central(write(Path(name) / "parts"), *([f"A-{n}", *row, "K"] for n, row in enumerate(rows)))
        _balance(made, rows, Path(name) / "snapshots")


def _balance(study: Study, rows: list[tuple[str, str, str, str]], root: Path) -> None:
    stored = open_snapshot(snapshot_of(study, study.folder / "redcap", root)).with_sources(study)
    records = stored.snapshot.records
    assert records.other
    own = records.table.where(REPEAT_INSTRUMENT, {"central": True}, False)
    placed = records.other.file_row[own].tolist()
    tabulation = tabulate(read_mapping(study, records.project, Terminology.open(study)), records)
    queries = with_withheld(study, records, query_listing(study, records), tabulation.withheld)
    asked = queries[queries["rule"].str.startswith("source.")]["value"].tolist()
    assert sorted([f"A-{number - 2}" for number in placed] + asked) == sorted(f"A-{n}" for n in range(len(rows)))
    right = [n for n, (subject, visit, *_) in enumerate(rows) if subject.strip() in ("007", "008")
             and visit.strip() in ("V1", "V2")]  # fmt: skip
    assert sorted(number - 2 for number in placed) == right
    lineage = tabulation.datasets["LB"].lineage
    results = lineage[(lineage["variable"] == "LBORRES") & (lineage["source"] == "REDCAP")]
    tabulated = records.other.file_row[results["source_row"].to_numpy()].tolist()
    assert len(set(tabulated)) == len(tabulated)
    open_ones = queries[(queries["status"] == "open") & (queries["field"] == "cen_hb")]["instance"].tolist()
    for number in placed:
        value = rows[number - 2][3]
        assert not value or number in tabulated or f"A-{number - 2}" in open_ones, value


def test_a_workbook_and_a_csv_are_the_same_table(folder: Path) -> None:
    rows = [ROW, ["A-2", "008", "V2", "2024-03-02", "0.1", ""], ["7", "008", "V2", "", "140", ""]]
    from_csv = read(central(folder, *rows))

    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, HEADER)
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for place, row in enumerate(rows, start=1):
            for column, text in enumerate(row):
                if text.replace(".", "").isdigit() and text != "007" and text != "008":
                    sheet.write_number(place, column, float(text))
                elif text.startswith("2024"):
                    sheet.write_datetime(place, column, datetime.datetime.fromisoformat(text), day)
                elif text:
                    sheet.write_string(place, column, text)

    assert read(workbook(folder, fill)).equals(from_csv)


@pytest.mark.parametrize(
    ("rows", "header", "words"),
    [
        ([ROW[:5]], HEADER[:5], "line 1: the column 'Kit' is missing"),
        ([[*ROW, "x"]], [*HEADER, "Hgb"], "line 1: study.yaml does not declare the column 'Hgb'"),
        ([ROW[:5]], [*HEADER[:4], "HBG"], r"declare the column 'HBG' \(did you mean 'HGB'\?\)"),
        ([ROW, ["A-2", *ROW[1:]], ROW], None, "line 4: the row has the key of row 2 \\(Accession: A-1\\)"),
        ([[" ", *ROW[1:]]], None, r"line 2: the row has no key \(Accession\)"),
    ],
)
def test_a_file_that_is_not_as_declared_is_refused(
    folder: Path, rows: list[list[str]], header: list[str] | None, words: str
) -> None:
    with pytest.raises(StudyError, match=words):
        read(central(folder, *rows, header=header))
    assert [problem.severity for problem in problems_of(str(folder))] == ["error"]


def head(fill: Callable[[Any, Any], object]) -> Callable[[Any, Any], None]:
    def filled(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, ROW)
        fill(book, sheet)

    return filled


@pytest.mark.parametrize(
    ("fill", "words"),
    [
        (head(lambda _, sheet: sheet.write_formula("E2", "=1+1", None, 2)), "line 2: the cell E2 holds a formula"),
        (head(lambda _, sheet: sheet.write_formula("E2", "=1/0", None, "#DIV/0!")), "the cell E2 holds a formula"),
        (head(lambda book, _: book.add_worksheet("More")), r"several sheets: .* \(Results, More\)"),
        (head(lambda _, sheet: sheet.write("H2", "x")), "line 2: the row has a cell in a column without a name"),
        (lambda _, sheet: sheet.write("A2", "x"), "the file is empty: it needs a header"),
    ],
)
def test_a_workbook_that_cannot_be_read_without_a_guess_is_refused(
    folder: Path, fill: Callable[[Any, Any], object], words: str
) -> None:
    with pytest.raises(StudyError, match=words):
        read(workbook(folder, fill))


def test_a_workbook_with_entities_or_none_at_all_is_refused(folder: Path) -> None:
    made = workbook(folder, head(lambda *_: None))
    path = folder / "sources" / "central.xlsx"
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/sharedStrings.xml"
    parts[name] = parts[name].replace(b"<sst", b'<!DOCTYPE a [<!ENTITY b "c">]><sst', 1)
    with zipfile.ZipFile(path, "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    with pytest.raises(StudyError, match="declares a document type or entities"):
        read(made)
    path.write_bytes(b"no ZIP")
    with pytest.raises(StudyError, match="not a workbook"):
        read(made)
    path.unlink()
    with pytest.raises(StudyError, match="the file does not exist"):
        read(made)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("V2: month_1_arm_1", "V2: month1_arm_1", "no event 'month1_arm_1' (did you mean 'month_1_arm_1'?)"),
        ("    event: logs_arm_1 ", "    # ", "name the event of all rows, or under visit the column that tells it"),
        ("key: [Accession]", "key: [Acession]", "no field is made from the column 'Acession'"),
        ("saf_term:", "ae_text:", "the project has a field 'ae_text'"),
        ("saf_term:", "Saf:", "'Saf' is not a name: small letters, digits and _, a letter first"),
        ("  safety:", "  events:", "the project has a form 'events'"),
        ("subject: patient", "subject: patient\n    subject_field: sbj", "no field 'sbj' (did you mean 'subj'?)"),
        ("{Kit: The", '{Kit: "", Visit: The', "the column 'Visit' is read: it cannot be ignored as well"),
        ("kind: number", "kind: numeric", "numeric"),
        ("sources/central.csv", "sources/central.txt", "the path of a .csv or .xlsx file in the study's folder"),
        ('0: "No"}', '"a,b": "No"}', "holds | or a comma"),
    ],
)
def test_a_declaration_that_does_not_fit_is_named(folder: Path, old: str, new: str, words: str) -> None:
    text = (folder / "study.yaml").read_text("utf-8")
    assert old in text
    (folder / "study.yaml").write_text(text.replace(old, new), "utf-8")
    found = problems_of(str(folder))
    assert any(words in problem.message for problem in found), [problem.message for problem in found]


def test_in_a_part_of_a_study_rows_of_other_groups_are_left_out_and_counted(folder: Path) -> None:
    study = central(folder, ROW, ["A-2", "099", *ROW[2:]])
    study.group = "madrid"
    stored = open_snapshot(snapshot_of(study, folder / "redcap", folder.parent / "snapshots")).with_sources(study)
    assert stored.snapshot.warnings == ("1 row(s) of 'central' are of subjects outside this group",)
    assert stored.snapshot.records.other is not None
    assert stored.snapshot.records.other.unplaced.empty


def test_an_identifier_of_a_file_stays_out(folder: Path) -> None:
    text = (folder / "study.yaml").read_text("utf-8")
    (folder / "study.yaml").write_text(text.replace("label: Accession number", "label: A, identifier: true"), "utf-8")
    study = central(folder, ROW)
    stored = open_snapshot(snapshot_of(study, folder / "redcap", folder.parent / "snapshots")).with_sources(study)
    assert stored.snapshot.blanked == {"cen_acc"}
    assert stored.snapshot.records.table.distinct("cen_acc") == [""]
    assert "A-1" in stored.keeping(["cen_acc"]).records.table.distinct("cen_acc")


def test_a_snapshot_without_a_declared_source_is_taken_again(folder: Path) -> None:
    text = (folder / "study.yaml").read_text("utf-8")
    before = text.split("sources:")[0]
    (folder / "study.yaml").write_text(before, "utf-8")
    taken = snapshot_of(Study.open(folder), folder / "redcap", folder.parent / "snapshots")
    (folder / "study.yaml").write_text(text, "utf-8")
    with pytest.raises(StudyError, match="the snapshot lacks the source 'central' of study"):
        open_snapshot(taken).with_sources(Study.open(folder))
    whole = snapshot_of(Study.open(folder), folder / "redcap", folder.parent / "snapshots")
    assert whole.name != taken.name
    (folder / "study.yaml").write_text(before, "utf-8")
    warned = open_snapshot(whole).with_sources(Study.open(folder)).snapshot.warnings
    assert warned == tuple(
        f"the snapshot has the source '{name}', which study.yaml does not declare"
        for name in ("central", "list", "safety")
    )


def test_a_row_of_a_list_by_subject_is_asked_about_at_its_first_field(folder: Path) -> None:
    (folder / "sources" / "list.csv").write_text("number,patient,arm\nR1,007,A\nR2,077,P\n", "utf-8")
    study = central(folder, ROW)
    stored = open_snapshot(snapshot_of(study, folder / "redcap", folder.parent / "snapshots")).with_sources(study)
    assert stored.snapshot.records.other
    unplaced = stored.snapshot.records.other.unplaced
    assert unplaced[["form", "field", "value"]].to_numpy().tolist() == [["list", "list_no", "077"]]
    (folder / "sources" / "list.csv").write_text("number,patient,arm\nR1,007,A\nR2, 007,P\n", "utf-8")
    with pytest.raises(StudyError, match=r"row 2 \(patient: 007\)"):
        snapshot_of(study, folder / "redcap", folder.parent / "snapshots")
