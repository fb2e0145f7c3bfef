"""What a change of a project touches: the lines that name it, what is made of it, and how bad that is."""

import csv
import io
import json
import re
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from extract.drift import stops_build
from flows.command_line import application
from flows.drift import drift_of
from metadata.project import Project
from metadata.study import Study

FOLDER = Path("mappings/spms_aza")
OWN = (FOLDER / "redcap" / "dictionary.csv").read_text()


def changed(*replaced: tuple[str, str], without: tuple[str, ...] = ()) -> str:
    """Return the study's dictionary with texts replaced and fields left out."""
    text = OWN
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    rows = [row for row in csv.reader(io.StringIO(text)) if row[0] not in without]
    sink = io.StringIO()
    csv.writer(sink, lineterminator="\n").writerows(rows)
    return sink.getvalue()


DICTIONARY = changed(
    ("1, Mild | 2, Moderate", "1, Mild | 2, Middling"),
    ("5, Fatal | 9, Unknown", "5, Fatal | 7, Pending | 9, Unknown"),
    ("3, Not recovered | ", ""),
    ("Findings,,", "What was found,,"),
    without=("lym", "ae_st_y", "mon_txt"),
)


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    rows = list(csv.DictReader(io.StringIO(DICTIONARY)))
    own = Project.read(FOLDER / "redcap")
    names = ("instruments", "arms", "events", "repeating", "dags")
    payloads = {name: getattr(own, name) for name in names} | {"form_event_mapping": own.form_events}
    project = Project.from_payloads({**payloads, "project_info": own.info, "dictionary": rows})
    return drift_of(Study.open("spms_aza"), project)


def of(found: pd.DataFrame, start: str) -> dict[str, str]:
    row = found[found["finding"].str.startswith(start)]
    assert len(row) == 1, found["finding"].tolist()
    return {str(name): str(value) for name, value in row.iloc[0].items()}


def lines(pattern: str, *files: str) -> set[str]:
    """Return the places whose text matches, outside comments, as a person would search for them."""
    places = set()
    for path in (path for file in files for path in FOLDER.glob(file)):
        for number, text in enumerate(path.read_text().splitlines(), 1):
            if re.search(pattern, text.partition(" #")[0]) and not text.startswith("#"):
                places.add(f"spms_aza/{path.relative_to(FOLDER)}:{number}")
    return places


def test_a_field_that_is_gone_touches_each_line_that_names_it(found: pd.DataFrame) -> None:
    row = of(found, "field 'ae_st_y' of form 'ae' is gone")
    touched = {line.split()[0] for line in row["touches"].splitlines()}
    named = lines(r"\bae_st_y\b", "sdtm/*.yaml", "checks.yaml", "study.yaml")
    assert row["severity"] == "error" and len(named) > 1
    assert {one for one in touched if not re.search("adam|reports|acceptance", one)} == named


def test_a_field_that_is_gone_touches_what_is_made_of_it(found: pd.DataFrame) -> None:
    row = of(found, "field 'lym' of form 'labs_hem' is gone")
    touched = {line.split()[0] for line in row["touches"].splitlines()}
    assert lines(r"result: lym\b", "sdtm/lb.yaml") <= touched and len(lines(r"result: lym\b", "sdtm/lb.yaml")) == 1
    assert lines(r"^      lym: {.*high: 20}", "checks.yaml") & touched, "an item of for_each"
    assert lines(r"\bLYM\b", "adam/adlb.yaml") <= touched and lines(r"\bLYM\b", "reports.yaml") <= touched


def test_a_code_with_another_label_touches_what_comes_of_its_field(found: pd.DataFrame) -> None:
    row = of(found, "code '2' of field 'ae_sev' meant 'Moderate' and now means 'Middling'")
    assert row["severity"] == "error"
    assert [line.split()[1] for line in row["touches"].splitlines()][:1] == ["AESEV"]
    assert lines(r"\bAESEV\b", "adam/adae.yaml", "reports.yaml") <= {
        one.split()[0] for one in row["touches"].split("\n")
    }


def test_a_code_that_is_gone_touches_its_own_line(found: pd.DataFrame) -> None:
    row = of(found, "code '3' (Not recovered) of field 'ae_out' is gone")
    own = min(lines("3: NOT RECOVERED/NOT RESOLVED", "sdtm/ae.yaml"))
    assert row["severity"] == "error" and own in row["touches"]


def test_a_new_code_without_a_term_is_a_warning(found: pd.DataFrame) -> None:
    row = of(found, "code '7' (Pending) of field 'ae_out' is new")
    assert row["severity"] == "warning" and row["finding"].endswith("these lines have no term for it")
    assert "spms_aza/sdtm/ae.yaml" in row["touches"]


def test_what_nothing_reads_stops_nothing(found: pd.DataFrame) -> None:
    row = of(found, "field 'mon_txt' of form 'monitoring' is gone; nothing reads it")
    assert row["severity"] == "warning" and row["touches"] == ""
    assert stops_build(found) and not stops_build(found[found["item"] == "mon_txt"])


def test_the_command_says_whether_a_build_would_stop(tmp_path: Path) -> None:
    path, archive = tmp_path / "Changed_DataDictionary_2026-11-30.csv", tmp_path / "changed.zip"
    path.write_text(DICTIONARY)
    run = CliRunner().invoke(application, ["drift", "spms_aza", "--against", str(path)])
    assert run.exit_code == 1 and "spms_aza/sdtm/lb.yaml" in run.output and "a build would stop" in run.output
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr(path.name, changed(without=("mon_txt",)))
    run = CliRunner().invoke(application, ["drift", "spms_aza", "--against", str(archive), "--json"])
    assert run.exit_code == 0, run.output
    (row,) = json.loads(run.stdout)
    assert (row["severity"], row["touches"]) == ("warning", [])


def test_the_studys_own_project_has_not_changed() -> None:
    run = CliRunner().invoke(application, ["drift", "hta_duo", "--against", "mappings/hta_duo/redcap"])
    assert run.exit_code == 0 and run.output.startswith("0 changes"), run.output


def test_a_field_of_a_block_that_is_written_once_for_several_visits_is_named(tmp_path: Path) -> None:
    own = (Path("mappings/hta_duo/redcap") / "dictionary.csv").read_text()
    (tmp_path / "d.csv").write_text("".join(line for line in own.splitlines(True) if not line.startswith("pas_s8,")))
    run = CliRunner().invoke(application, ["drift", "hta_duo", "--against", str(tmp_path / "d.csv"), "--json"])
    rows = {row["item"]: row for row in json.loads(run.output)}
    number = 1 + (Path("mappings/hta_duo/sdtm/vs.yaml").read_text()).splitlines().index(
        '      SYSBP: {result: "pas_{each}", unit: {constant: mmHg}}'
    )
    assert rows["pas_s8"]["severity"] == "error" and f"hta_duo/sdtm/vs.yaml:{number} SYSBP" in rows["pas_s8"]["touches"]
