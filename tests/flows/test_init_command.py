"""A study begun from a project, wherever that is, passes the check and builds with the project's data."""

from __future__ import annotations

import csv
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.check import ERROR, problems_of
from flows.mapping_progress import MappingProgress, progress_of
from flows.project_structure import API, find_structure, structure_from
from metadata.errors import UsageError
from metadata.project import Project
from metadata.study import BUNDLED
from redcap_sandbox.project import SandboxProject
from redcap_sandbox.project_xml import project_xml

EXPORTS = BUNDLED / "hta_duo" / "redcap"
WEB_NAMES = {"dictionary": "DataDictionary_2026-01-02", "records_locked": "DATA_2026-01-02_1001"}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A ZIP of a project's exports under the names that REDCap's pages give them, without what these do not give."""
    path = tmp_path / "Hta.zip"
    with zipfile.ZipFile(path, "w") as target:
        for name, shown in WEB_NAMES.items():
            target.write(EXPORTS / f"{name}.csv", f"Hta_{shown}.csv")
    return path


def test_a_study_begun_from_a_zip_builds_with_its_data(command: Callable[..., Any], archive: Path) -> None:
    study, out = archive.parent / "mine", archive.parent / "out"
    made = command("init", str(study), "--from", str(archive))
    assert made.code == 0, made.err
    assert "sdtm/dm.yaml  " in made.out and " TODO\n" in made.out and "fields placed (" in made.out
    assert [problem for problem in problems_of(str(study)) if problem.severity == ERROR] == []
    run = command("run", str(study), "--source", str(archive), "--until", "sdtm", "--out", str(out))
    assert run.code in (0, 4), run.err  # 4: built, and not accepted as long as marks are open
    subjects = {path.stem for path in out.rglob("*.parquet")}
    assert {"dm", "ae", "cm", "vs", "lb"} <= {name.lower() for name in subjects}


def test_the_api_gives_the_structure_that_the_exports_give(sandbox: Callable[..., str]) -> None:
    sandbox()
    asked = Project.from_payloads(structure_from(API))
    theirs = Project.read(BUNDLED / "spms_aza" / "redcap")
    assert asked.dictionary.fields == theirs.dictionary.fields
    assert asked.repeating_forms == theirs.repeating_forms
    assert asked.event_names == theirs.event_names


def test_the_api_needs_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDCAP_URL", raising=False)
    with pytest.raises(UsageError, match="the environment variable REDCAP_URL is not set"):
        structure_from(API)


def test_repeating_forms_are_seen_in_the_records_where_the_exports_do_not_say_so(tmp_path: Path) -> None:
    for name in ("dictionary", "records_locked"):
        shutil.copyfile(EXPORTS / f"{name}.csv", tmp_path / f"{name}.csv")
    with (EXPORTS / "repeating.csv").open(encoding="utf-8-sig", newline="") as source:
        theirs = {row["form_name"] for row in csv.DictReader(source)}
    assert {row["form_name"] for row in structure_from(str(tmp_path))["repeating"]} == theirs


def test_the_bar_is_as_long_as_the_share() -> None:
    assert str(MappingProgress(fields=10, placed=5, marks=1, terms=2, required=3)) == (
        "[###############---------------] 5 of 10 fields placed (50 %)\n"
        "to decide: 1 marks; terms open: 2; Required variables missing: 3"
    )
    assert str(MappingProgress(fields=3, placed=2, marks=0, terms=0, required=0)).startswith(
        "[####################----"
    )


def test_the_progress_of_a_finished_study_is_whole() -> None:
    found = progress_of("hta_duo", problems_of("hta_duo"))
    assert found is not None and found.share == 1 and (found.marks, found.terms, found.required) == (0, 0, 0)


def test_a_folder_with_the_project_s_xml_is_read_from_it_and_the_rest_is_named(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    served = SandboxProject.read(EXPORTS)
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "project.xml").write_text(project_xml(served.project, None, served.version), encoding="utf-8")
    shutil.copyfile(EXPORTS / "dictionary.csv", folder / "dictionary.csv")
    (folder / "event.csv").write_text("event_name,arm_num\n", encoding="utf-8")
    found = find_structure(str(folder))
    assert (found.read, found.left) == (("project.xml",), ("dictionary.csv", "event.csv"))
    assert found.structure == structure_from(str(folder / "project.xml"))
    made = command("init", str(tmp_path / "mine"), "--from", str(folder))
    assert made.code == 0, made.err
    assert "Read: project.xml\nNot read: dictionary.csv, event.csv (the project's XML has the whole" in made.out
    archive = Path(shutil.make_archive(str(tmp_path / "zipped"), "zip", folder))
    assert find_structure(str(archive)) == found
    shutil.copyfile(folder / "project.xml", folder / "older.xml")
    with pytest.raises(UsageError, match=r"has 2 XMLs of projects, older.xml, project.xml: give the one that is meant"):
        find_structure(str(folder))


def test_a_file_of_another_name_is_named_as_not_read(tmp_path: Path) -> None:
    shutil.copyfile(EXPORTS / "dictionary.csv", tmp_path / "dictionary.csv")
    (tmp_path / "event.csv").write_text("event_name,arm_num\n", encoding="utf-8")
    (tmp_path / "define.xml").write_text("<a/>", encoding="utf-8")
    found = find_structure(str(tmp_path))
    assert (found.read, found.left) == (("dictionary.csv",), ("define.xml", "event.csv"))
    read, left = found.sentences()
    assert read == "Read: dictionary.csv"
    assert left.startswith("Not read: define.xml, event.csv (read would be a project's XML, project_info.csv, ")
    assert " arms.csv, events.csv, " in left
