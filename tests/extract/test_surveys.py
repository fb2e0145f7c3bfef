"""Surveys: when each was answered comes with the records, who answered never leaves the snapshot."""

from __future__ import annotations

from pathlib import Path

import pytest

from extract.api import take
from extract.client import Client
from extract.connection import Patience
from extract.exports import snapshot_of
from extract.snapshot import open_snapshot
from metadata.study import Study
from redcap_sandbox.project import SandboxProject
from redcap_sandbox.server import create_app, serve
from tests.redcap_sandbox.small_projects import CLASSIC, STUDY, TOKEN, write

FILES = CLASSIC | {
    "project_info.csv": CLASSIC["project_info.csv"].replace("7,Classic,0,0,0,", "7,Classic,0,0,1,"),
    "records.csv": (
        "id,redcap_survey_identifier,base_timestamp,height,agree,base_complete\n"
        "1,ana@example.org,2001-02-03 10:11,180,1,2\n2,,[not completed],,0,0\n"
    ),
}


@pytest.fixture
def study(tmp_path: Path) -> Study:
    write(tmp_path / "study", {"study.yaml": STUDY})
    write(tmp_path / "study" / "redcap", FILES)
    return Study.open(tmp_path / "study")


def test_times_come_by_api_as_in_an_export(study: Study, tmp_path: Path) -> None:
    project = SandboxProject.read(study.path("redcap"))
    with serve(create_app({TOKEN: project})) as address:
        taken = take(study, Client(address, TOKEN, Patience(pause=0)), tmp_path / "api")
    records = open_snapshot(taken).snapshot.records.frame
    assert list(records["base_timestamp"]) == ["2001-02-03 10:11", "[not completed]"]
    assert set(records["redcap_survey_identifier"]) == {""}
    assert taken.name == snapshot_of(study, study.path("redcap"), tmp_path / "exports").name


def test_a_project_without_surveys_is_not_asked_for_them(tmp_path: Path) -> None:
    write(tmp_path / "study", {"study.yaml": STUDY})
    write(tmp_path / "study" / "redcap", CLASSIC)
    study = Study.open(tmp_path / "study")
    with serve(create_app({TOKEN: SandboxProject.read(study.path("redcap"))})) as address:
        taken = take(study, Client(address, TOKEN, Patience(pause=0)), tmp_path / "api")
    names = open_snapshot(taken).snapshot.records.table.names
    assert not [name for name in names if "survey" in name or "timestamp" in name]
