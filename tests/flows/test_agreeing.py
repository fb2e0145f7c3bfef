"""Agreeing with a draft: what is likely is no longer marked, what stands in for a value or is undecided stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.agreeing import agree
from flows.check import MARK
from flows.draft import draft
from flows.run_request import RunRequest
from flows.stages import open_snapshot, receive
from metadata.errors import UsageError

DICTIONARY = """field_name,form_name,field_type,field_label,select_choices_or_calculations,\
text_validation_type_or_show_slider_number,field_annotation
rec,start,text,Record,,,
icf_dt,start,text,Date of informed consent,,date_ymd,
sex,start,radio,Sex,"1, Female | 2, Male",,
weight,vitals,text,Weight (kg),,number,
pressure,vitals,text,Systolic,,number,
colour,other,radio,Colour,"1, Red | 2, Blue",,
dsdecod,end_of_study,radio,Status,"1, Completed | 2, Lost to follow-up",,
dsterm,end_of_study,text,Specify,,,
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    project = tmp_path / "redcap"
    project.mkdir()
    (project / "dictionary.csv").write_text(DICTIONARY, encoding="utf-8")
    complete = {f"{form}_complete": "2" for form in ("start", "vitals", "other", "end_of_study")}
    row = {"rec": "1", "icf_dt": "2024-01-05", "sex": "1", "weight": "60", "pressure": "120", "colour": "1"}
    row |= {"dsdecod": "1", "dsterm": "", **complete}
    (project / "records.csv").write_text(f"{','.join(row)}\n{','.join(row.values())}\n", encoding="utf-8")
    draft(project, tmp_path / "trial")
    return tmp_path / "trial"


def marks(study: Path, name: str) -> list[str]:
    text = (study / "sdtm" / f"{name}.yaml").read_text(encoding="utf-8")
    return [line.split(":")[0].strip() for line in text.splitlines() if f"# {MARK}" in line and ": " in line]


def test_agreed_is_with_what_is_likely_and_with_guesses_on_request(study: Path) -> None:
    assert "COUNTRY" in marks(study, "dm") and "RFSTDTC" in marks(study, "dm") and "SYSBP" in marks(study, "vs")
    assert agree(study, ["sdtm/vs.yaml"]) == {study / "sdtm" / "vs.yaml": 1}
    assert "SYSBP: {result: pressure}  # likely: its label says SYSBP" in (study / "sdtm" / "vs.yaml").read_text()
    agree(study)
    assert "RFSTDTC" in marks(study, "dm")
    agree(study, guesses=True)
    assert marks(study, "dm") == ["COUNTRY"]  # no form gives it
    assert marks(study, "not_submitted") == ["colour"]  # not decided


def test_a_file_that_is_not_there_is_named(command: Callable[..., Any], study: Path) -> None:
    result = command("agree", str(study), "vx")
    assert result.code == 2 and "has no sdtm/vx.yaml; there are dm, ds," in result.err
    with pytest.raises(UsageError, match="it is no study's folder"):
        agree(study / "redcap")


def test_a_disposition_without_a_text_has_the_term_of_its_status(study: Path) -> None:
    text = (study / "sdtm" / "ds.yaml").read_text(encoding="utf-8")
    assert "DSTERM: {first_of: [{field: dsterm}, {field: dsdecod}]}" in text


def test_a_study_without_doses_has_a_design(study: Path) -> None:
    made = {path.name for path in (study / "sdtm").iterdir()}
    assert {"ts.yaml", "ti.yaml", "se.yaml"} <= made
    assert "{etcd: OBS, element: Observation" in (study / "study.yaml").read_text(encoding="utf-8")


def test_another_cutoff_dates_the_same_records_anew(study: Path, tmp_path: Path) -> None:
    config = study / "study.yaml"

    def dated(cutoff: str) -> str:
        config.write_text(config.read_text(encoding="utf-8").replace("2999-12-31", cutoff), encoding="utf-8")
        request = RunRequest.of(str(study), str(study.parent / "redcap"), out=tmp_path / "out")
        return open_snapshot(request, receive(request)).snapshot.date

    assert (dated("2999-12-31"), dated("2024-06-30")) == ("2999-12-31", "2024-06-30")
