"""What a run says at its end, and what stops a package: subjects who are not in DM, a DM without subjects."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from flows.run_request import RunResult
from tests.flows.conftest import ROOT, Answer

Command = Callable[..., Answer]
DUO = ROOT / "mappings" / "hta_duo"


def exports(folder: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Path:
    """Copy the exports of the second study and change its locked records."""
    copy = folder / "redcap"
    shutil.copytree(DUO / "redcap", copy)
    path = copy / "records_locked.csv"
    records = pd.read_csv(path, dtype="str", keep_default_na=False)
    change(records).to_csv(path, index=False, lineterminator="\n")
    return copy


def without(field: str, *records: int) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return the change that blanks a field, in some rows or in all."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        rows = frame.index[frame[field] != ""]
        frame.loc[rows[list(records)] if records else rows, field] = ""
        return frame

    return change


def test_a_subject_who_is_not_in_dm_stops_a_release_and_is_listed(command: Command, tmp_path: Path) -> None:
    source, out = exports(tmp_path, without("sexo", 0)), tmp_path / "out" / "hta_duo"
    answer = command("run", "hta_duo", "--source", source, "--out", out)
    answer.assert_one_sentence(1, "has no record in DM", "rows of it are withheld", "Nothing was published")
    assert not out.exists()
    folder = out.with_name("hta_duo.stopped")
    lost = pd.read_csv(folder / "without_subject.csv", dtype={"record": "str"})
    assert {"VS", "LB", "SV"} <= set(lost["domain"])
    assert lost["record"].nunique() == 1
    withheld = pd.read_csv(folder / "withheld.csv", dtype="str")
    asked = pd.read_csv(folder / "queries.csv", dtype="str")
    assert len(withheld) > 20
    wanted = asked[(asked["rule"] == "tabulation.withheld") & (asked["status"] == "open")]
    assert set(withheld["field"]) <= {*wanted["field"], "redcap_data_access_group"}


def test_a_subject_who_is_not_in_dm_is_left_out_of_datasets_alone(command: Command, tmp_path: Path) -> None:
    source = exports(tmp_path, without("sexo", 0))
    answer = command("run", "hta_duo", "--source", source, "--out", tmp_path / "out", "--until", "sdtm", "--json")
    assert answer.code == 0
    assert (tmp_path / "out" / "validation" / "without_subject.csv").is_file()


def test_a_dm_without_subjects_stops_the_build(command: Command, tmp_path: Path) -> None:
    source = exports(tmp_path, without("sexo"))
    answer = command("run", "hta_duo", "--source", source, "--out", tmp_path / "out", "--until", "sdtm")
    answer.assert_one_sentence(1, "DM has no subject although the project has", "SEX is required and has no value")


def test_a_conformance_error_is_part_of_the_verdict(command: Command, tmp_path: Path) -> None:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame.index[frame["ae_fin"] != ""][0], "ae_fin"] = "01-01-2000"
        return frame

    source = exports(tmp_path, change)
    for format_ in ((), ("--json",)):
        answer = command("run", "hta_duo", "--source", source, "--out", tmp_path / "o", "--until", "sdtm", *format_)
        assert answer.code == 4
        if format_:
            told = json.loads(answer.out)
            assert told["accepted"] is False
            assert told["conformance"]["errors"] == 1
        else:
            assert "NOT ACCEPTED: 1 conformance error not explained (conformance.html)" in answer.out


@pytest.mark.parametrize(
    ("met", "errors", "verdict"),
    [
        (40, 0, ""),
        (38, 0, "; NOT ACCEPTED: 2 of 40 expectations not met (acceptance.html)"),
        (40, 1, "; NOT ACCEPTED: 1 conformance error not explained (conformance.html)"),
        (39, 2, "; NOT ACCEPTED: 1 of 40 expectations not met (acceptance.html);"
                " 2 conformance errors not explained (conformance.html)"),
    ],
)  # fmt: skip
def test_what_speaks_against_a_package_is_said_at_its_end(met: int, errors: int, verdict: str) -> None:
    result = RunResult("trial", "package", Path("snapshot"), "0", "2001-12-31", Path("build/trial"))
    result.acceptance = {"expectations": 75, "met": met, "not_judged": 35}
    result.conformance = {"unexplained": errors, "errors": errors}
    assert result.sentence() == f"package of trial: build/trial{verdict}"
    assert result.as_dict()["accepted"] is not bool(verdict)
    assert result.exit_code == (4 if verdict else 0)


def test_an_answer_to_nothing_is_part_of_the_verdict_with_its_line(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "hta_duo"
    shutil.copytree(DUO, folder)
    with (folder / "answers.csv").open("a", encoding="utf-8") as file:
        file.write("ffffffffffff,Yes,Site,2019-12-04\n")
    answer = command("run", folder, "--source", folder / "redcap", "--out", tmp_path / "out", "--until", "sdtm")
    assert answer.code == 4
    assert "NOT ACCEPTED: answers.csv has ids that no query has: ffffffffffff (line 5)" in answer.out
