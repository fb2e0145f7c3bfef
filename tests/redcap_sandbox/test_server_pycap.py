"""PyCap as others use it, against the running server."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import redcap

from redcap_sandbox.server import SandboxProject, create_app, serve
from tests.redcap_sandbox.small_projects import CLASSIC, LONGITUDINAL, OTHER_TOKEN, TOKEN, write


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    trial = SandboxProject.read(write(tmp_path / "trial", LONGITUDINAL))
    classic = SandboxProject.read(write(tmp_path / "classic", CLASSIC))
    with serve(create_app({TOKEN: trial, OTHER_TOKEN: classic})) as base:
        yield f"{base}api/"


def test_structure(address: str) -> None:
    trial, classic = redcap.Project(address, TOKEN), redcap.Project(address, OTHER_TOKEN)
    assert str(trial.export_version()) == "15.2.1"
    assert (trial.is_longitudinal, classic.is_longitudinal) == (True, False)
    assert trial.def_field == "study_id" and set(trial.forms) == {"demo", "vitals", "ae"}
    assert trial.export_project_info()["project_id"] == 52
    assert [event["event_id"] for event in trial.export_events(arms=["1"])] == [141, 142, 143, 144]
    assert list(trial.export_instruments(format_type="df")["instrument_name"]) == ["demo", "vitals", "ae"]
    assert len(trial.export_field_names(format_type="df")) == 15
    assert len(trial.export_users()) == 5
    assert [entry["record"] for entry in trial.export_logging(log_type="record_edit")] == ["1"]
    assert trial.export_logging(begin_time=datetime(2002, 1, 1)) == []


def test_records(address: str) -> None:
    trial = redcap.Project(address, TOKEN)
    frame = trial.export_records(format_type="df", export_data_access_groups=True)
    assert frame.index.names == ["study_id", "redcap_event_name"] and len(frame) == 9
    assert frame.loc[(1, "scr_arm_1"), "story"] == 'He said "no"\nand left'
    assert trial.export_records(records=["7"]) == []
    rows = trial.export_records(forms=["ae"], events=["logs_arm_1"], raw_or_label="label")
    assert [row["ae_sev"] for row in rows] == ["Severe", "Mild"] and rows[0]["redcap_repeat_instance"] == 1
    since = trial.export_records(fields=["study_id"], date_begin=datetime(2001, 3, 1))
    assert {row["study_id"] for row in since} == {"1"}
    assert "<field_name><![CDATA[weight]]>" in trial.export_records(format_type="xml", record_type="eav")


def test_errors_are_redcaps(address: str) -> None:
    trial = redcap.Project(address, TOKEN)
    for refused in (
        lambda: trial.export_records(fields=["nope"]),
        lambda: trial.export_records(filter_logic="[weight] >", format_type="csv"),
        lambda: trial.import_records([{"study_id": "1", "nope": "1"}]),
        lambda: trial.import_records("study_id,ae_sev\n1,3\n", import_format="csv", return_format_type="csv"),
        lambda: trial.delete_records(["7"]),
        lambda: trial.delete_events(["nope_arm_1"]),
        lambda: redcap.Project(address, OTHER_TOKEN).export_repeating_instruments_events(),
        lambda: redcap.Project(address, "0" * 32).export_version(),
    ):
        with pytest.raises(redcap.RedcapError):
            refused()
    assert len(trial.export_records()) == 9
