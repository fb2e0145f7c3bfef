"""The studies that come with the software, by API and from their own exports."""

from pathlib import Path

import pytest

from extract.api import take
from extract.client import Client
from extract.connection import Patience
from extract.drift import compare
from extract.exports import snapshot_of
from extract.snapshot import open_snapshot
from metadata.records import Records
from metadata.study import Study
from redcap_sandbox.server import SandboxProject, create_app, serve
from tests.bundled_studies import OF_RECORDS

TOKEN = "C0FFEE00" * 4


@pytest.mark.parametrize("name", OF_RECORDS)
@pytest.mark.parametrize("state", ["locked", "as-entered"])
def test_api_and_exports_give_one_snapshot(name: str, state: str, tmp_path: Path) -> None:
    study = Study.open(name)
    with serve(create_app({TOKEN: SandboxProject.read(study.path("redcap"), state)})) as address:
        by_api = take(study, Client(address, TOKEN, Patience(pause=0)), tmp_path / "api")
    by_files = snapshot_of(study, study.path("redcap"), tmp_path / "files", state)
    assert by_api.name == by_files.name
    identifiers = open_snapshot(by_api).snapshot.blanked
    opened, other = (open_snapshot(path).keeping(identifiers) for path in (by_api, by_files))
    assert opened.date == other.date and opened.event_ids == other.event_ids
    assert opened.records.frame.equals(other.records.frame)
    stored = Records.read(study.project(), study.path("redcap") / f"records_{state.replace('-', '_')}.csv").frame
    assert opened.records.frame[list(stored)].equals(stored)
    assert len(compare(study.project(), opened.project, opened.not_exported)) == 0


def test_each_state_of_the_records_is_dated_by_its_own_log(tmp_path: Path) -> None:
    study = Study.open("spms_aza")
    taken = {state: snapshot_of(study, study.path("redcap"), tmp_path, state) for state in ("as-entered", "locked")}
    dates = {state: open_snapshot(folder).snapshot.date for state, folder in taken.items()}
    assert dates == {"as-entered": "2001-06-23", "locked": "2001-11-05"}
