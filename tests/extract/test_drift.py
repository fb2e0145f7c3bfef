from pathlib import Path

import pandas as pd
import pytest

from extract.drift import compare, stops_build
from metadata.project import Project
from tests.redcap_sandbox.small_projects import CLASSIC, LONGITUDINAL, write


def drift(tmp_path: Path, name: str, old: str, new: str) -> pd.DataFrame:
    """Compare the small trial with itself after one replacement in one of its files."""
    assert old in LONGITUDINAL[name]
    before = Project.read(write(tmp_path / "before", LONGITUDINAL))
    changed = {**LONGITUDINAL, name: LONGITUDINAL[name].replace(old, new)}
    return compare(before, Project.read(write(tmp_path / "after", changed)))


def test_no_change_is_no_finding(tmp_path: Path) -> None:
    project = Project.read(write(tmp_path, LONGITUDINAL))
    found = compare(project, project)
    assert len(found) == 0 and not stops_build(found)
    assert list(found.columns) == ["severity", "part", "item", "finding", "code"]


@pytest.mark.parametrize(
    ("file", "old", "new", "severity", "sentence"),
    [
        ("dictionary.csv", "Weight (kg)", "Weight (lb)", "warning",
         "the label of field 'weight' was 'Weight (kg)' and is now 'Weight (lb)'"),
        ("dictionary.csv", "twice,vitals", "thrice,vitals", "error", "field 'twice' of form 'vitals' is gone"),
        ("dictionary.csv", "twice,vitals", "thrice,vitals", "info", "field 'thrice' is new on form 'vitals'"),
        ("dictionary.csv", "2, Severe", "2, Severe | 3, Fatal", "info", "code '3' (Fatal) of field 'ae_sev' is new"),
        ("dictionary.csv", "2, Severe", "2, Moderate", "error",
         "code '2' of field 'ae_sev' meant 'Severe' and now means 'Moderate'"),
        ("dictionary.csv", "Aa, Letter | ", "", "error", "code 'Aa' (Letter) of field 'cb' is gone"),
        ("dictionary.csv", "smoker,demo,,yesno", "smoker,demo,,text", "error",
         "the type of field 'smoker' was 'yesno' and is now 'text'"),
        ("dictionary.csv", "date_dmy", "date_mdy", "error",
         "the validation of field 'born' was 'date_dmy' and is now 'date_mdy'"),
        ("dictionary.csv", "[weight]*2", "[weight]*3", "error",
         "the calculation of field 'twice' was '[weight]*2' and is now '[weight]*3'"),
        ("dictionary.csv", "study_id,demo", "subject,demo", "error",
         "the record-id field was 'study_id' and is now 'subject'"),
        ("events.csv", "m1_arm_1", "month_1_arm_1", "error", "event 'm1_arm_1' is gone, or has another name"),
        ("events.csv", "Month 1", "Month one", "warning",
         "the label of event 'm1_arm_1' was 'Month 1' and is now 'Month one'"),
        ("form_event_mapping.csv", "1,m1_arm_1,vitals\n", "", "error",
         "form 'vitals' is no longer designated for event 'm1_arm_1'"),
        ("repeating.csv", "unsched_arm_1,,\n", "unsched_arm_1,,\nm1_arm_1,vitals,\n", "error",
         "form 'vitals' in event 'm1_arm_1' now repeats"),
        ("repeating.csv", "unsched_arm_1,,\n", "", "error", "event 'unsched_arm_1' no longer repeats"),
        ("project_info.csv", "ND, Not done", "ND, No data", "error",
         "code 'ND' of the missing-data codes meant 'Not done' and now means 'No data'"),
        ("dags.csv", "The South,south", "The South,sur", "error",
         "data access group 'south' is gone, or has another name"),
        ("instruments.csv", "Vital signs", "Vitals", "warning",
         "the label of form 'vitals' was 'Vital signs' and is now 'Vitals'"),
    ],
)  # fmt: skip
def test_each_change_has_its_severity(
    tmp_path: Path, file: str, old: str, new: str, severity: str, sentence: str
) -> None:
    found = drift(tmp_path, file, old, new)
    assert (severity, sentence) in set(zip(found["severity"], found["finding"], strict=True))
    assert stops_build(found) == (found["severity"] == "error").any()
    order = found["severity"].map(["error", "warning", "info"].index)
    assert order.is_monotonic_increasing


def test_server_ids_and_titles_are_no_drift(tmp_path: Path) -> None:
    assert len(drift(tmp_path, "events.csv", ",141", ",999")) == 0
    assert len(drift(tmp_path / "x", "project_info.csv", "A small trial", "A smaller trial")) == 0


def test_line_breaks_that_downloads_flatten_are_no_drift(tmp_path: Path) -> None:
    assert len(drift(tmp_path, "dictionary.csv", "Date of birth", '"Date  of\nbirth"')) == 0


def test_another_kind_of_project(tmp_path: Path) -> None:
    before = Project.read(write(tmp_path / "a", LONGITUDINAL))
    found = compare(before, Project.read(write(tmp_path / "b", CLASSIC)))
    assert "the project was longitudinal and is now classic" in set(found["finding"])


def test_rights_are_not_mistaken_for_changes(tmp_path: Path) -> None:
    project = Project.read(write(tmp_path, LONGITUDINAL))
    found = compare(project, project, {"weight", "pname"})
    assert dict(zip(found["item"], found["severity"], strict=True)) == {"weight": "error", "pname": "info"}
    assert found["finding"].str.contains("may not be exported by the token's user").all()
