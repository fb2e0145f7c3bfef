"""A study of the forms that come with the software: ZIPs for REDCap, and the whole way from the API to SDTM."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.check import ERROR, problems_of
from flows.init import init_of_forms
from metadata.dictionary import USER_INTERFACE_HEADERS, Dictionary
from metadata.errors import UsageError
from metadata.project import Project
from redcap_sandbox.server import SandboxProject, create_app, serve
from sdtm.draft.bundled_forms import bundled_forms

TOKEN = "0123456789ABCDEF0123456789ABCDEF"
ALL = "dm,ae,cm,mh,vs,ex,ds,lb"
KEYS = ("record_id", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance")
Row = Callable[..., None]


SCREENING, LOGS = "screening_arm_1", "logs_arm_1"
VISITS = {
    SCREENING: "2024-01-06",
    "baseline_arm_1": "2024-01-10",
    "week_4_arm_1": "2024-02-07",
    "week_12_arm_1": "2024-04-03",
}


def first_subjects(row: Row) -> None:
    """Enter three subjects with visits, exposure, disposition and laboratory, two events and a medication."""
    signs = {
        "vspos": "1",
        "sysbp_vsorres": "130",
        "diabp_vsorres": "80",
        "pulse_vsorres": "70",
        "height_vsorres": "171",
    }
    blood = {
        "hgb_lborres": "13.2",
        "hgb_lborresu": "2",
        "hgb_lbornrlo": "12",
        "hgb_lbornrhi": "16",
        "k_lbstat___1": "1",
    }
    for record, sex in (("1", "F"), ("2", "M"), ("3", "F")):
        born = {"brthdat": "1980-01-01", "age": "44", "sex": sex, "ethnic": "2", "race___1": "1", "country": "ESP"}
        for event, date in VISITS.items():
            told = {
                "subjid": f"01-00{record}",
                "siteid": "01",
                "rficdat": "2024-01-05",
                "rfpendat": "2024-04-05",
                **born,
            }
            row(
                record,
                event,
                vsdat=date,
                lbdat=date,
                lbnam="Central",
                **signs,
                **blood,
                **(told if event == SCREENING else {}),
            )
        drug = {"extrt": "DRUG A", "exdose": "10", "exdosu": "1", "exdosfrm": "1", "exdosfrq": "1", "exroute": "1"}
        row(record, LOGS, "exposure", "1", exstdat="2024-01-10", exendat="2024-03-31", **drug)
        agreed = {"dscat": "1", "dsdecod": "1", "dsterm": "Informed consent obtained"}
        row(record, LOGS, "disposition", "1", dsstdat="2024-01-05", **agreed)
        row(record, LOGS, "disposition", "2", dscat="2", dsdecod="3", dsterm="Completed", dsstdat="2024-04-05")
    ended = {"aestdat": "2024-01-20", "aeongo": "0", "aeendat": "2024-01-22", "aesev": "1", "aeser": "N", "aeout": "1"}
    row("1", LOGS, "adverse_events", "1", aeterm="Bad headache", aedecod="Headache", aerel="2", aeacn="1", **ended)
    serious = {"aesdth": "N", "aeslife": "N", "aeshosp": "Y", "aesdisab": "N", "aescong": "N", "aesmie": "N"}
    fall = {
        "aestdat": "2024-02-20",
        "aeongo": "1",
        "aesev": "3",
        "aeser": "Y",
        "aerel": "1",
        "aeacn": "1",
        "aeout": "3",
    }
    row("1", LOGS, "adverse_events", "2", aeterm="Fall", aedecod="Fall", **fall, **serious)
    taken = {"cmdose": "500", "cmdosu": "1", "cmdosfrm": "1", "cmdosfrq": "6", "cmroute": "1", "cmongo": "1"}
    row("2", LOGS, "concomitant_medications", "1", cmtrt="Paracetamol", cmindc="Pain", cmstdat="2024-01-20", **taken)
    row("3", LOGS, "medical_history", "1", mhterm="Asthma", mhcat="General", mhstdat="2001-05-01", mhongo="1")


def write_records(folder: Path, enter: Callable[[Row], None]) -> None:
    """Write the records of a project as its flat export, all forms complete."""
    project = Project.read(folder)
    dictionary = project.dictionary
    columns = [column for form in dictionary.forms for column in dictionary.export_columns(form)]
    rows: list[dict[str, str]] = []

    def row(record: str, event: str, form: str = "", instance: str = "", **values: str) -> None:
        forms = [form] if form else project.forms_of(event)
        boxes = [one for name in forms for one in dictionary.form_fields(name) if one.type == "checkbox"]
        unticked = {column: "0" for one in boxes for column in one.columns}
        key = dict(zip(KEYS, (record, event, form, instance), strict=True))
        rows.append({**unticked, **key, **{f"{name}_complete": "2" for name in forms}, **values})

    enter(row)
    with (folder / "records_locked.csv").open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, [*KEYS, *columns], restval="")
        writer.writeheader()
        writer.writerows(rows)


def test_a_study_of_all_forms_goes_from_the_api_to_sdtm_without_a_finding(
    command: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, out = tmp_path / "mine", tmp_path / "out"
    assert command("init", study, "--forms", ALL).code == 0
    assert [problem for problem in problems_of(str(study)) if problem.severity == ERROR] == []
    write_records(study / "redcap", first_subjects)
    with serve(create_app({TOKEN: SandboxProject.read(study / "redcap", "locked")})) as address:
        monkeypatch.setenv("REDCAP_URL", f"{address}api/")
        monkeypatch.setenv("REDCAP_TOKEN", TOKEN)
        run = command("run", study, "--source", "api", "--until", "sdtm", "--out", out)
    assert run.code == 0, run.err
    verdict = json.loads((out / "validation" / "conformance.json").read_text(encoding="utf-8"))
    assert [one for one in verdict["findings"] if one["severity"] in ("error", "warning")] == []
    datasets = {path.stem for path in out.rglob("*.parquet")}
    assert {name.lower() for name in datasets} >= {
        "dm",
        "ae",
        "cm",
        "mh",
        "vs",
        "ex",
        "ds",
        "lb",
        "se",
        "sv",
        "ta",
        "ts",
        "tv",
    }


@pytest.mark.parametrize("name", ["dm", "ae", "cm", "mh", "vs", "ex", "ds", "lb"])
def test_the_zip_of_a_form_is_what_redcap_imports(name: str) -> None:
    one = bundled_forms()[name]
    with zipfile.ZipFile(io.BytesIO(one.instrument())) as archive:
        assert archive.namelist() == ["OriginID.txt", "instrument.csv"]
        rows = list(csv.DictReader(io.StringIO(archive.read("instrument.csv").decode())))
    assert list(rows[0]) == list(USER_INTERFACE_HEADERS)
    read = Dictionary.from_rows(rows)
    assert read.forms == [one.name]
    assert all(field.field_annotation.startswith(f"SDTM:{name.upper()}.") for field in read.fields.values())
    assert one.instrument() == one.instrument()


def test_some_forms_make_a_study_of_their_domains(tmp_path: Path) -> None:
    init_of_forms(tmp_path / "some", "vs,dm")
    assert {path.name for path in (tmp_path / "some" / "forms").iterdir()} == {"demographics.zip", "vital_signs.zip"}
    assert [problem for problem in problems_of(str(tmp_path / "some")) if problem.severity == ERROR] == []


@pytest.mark.parametrize(("names", "problem"), [("ae", "needs the form dm"), ("dm,ea", "there is no form 'ea'")])
def test_forms_that_make_no_study(names: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=problem):
        init_of_forms(tmp_path / "new", names)
    assert not (tmp_path / "new").exists()
