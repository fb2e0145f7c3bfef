"""A trial thirty times as large: the whole build from the API, with nothing lost, unexplained or left out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as parquet
import pytest

from flows.pipeline import build
from flows.progress import StagePrinter
from flows.run_request import RunRequest
from metadata.study import Study
from redcap_sandbox.generator import write
from redcap_sandbox.server import SandboxProject, create_app, serve

pytestmark = [pytest.mark.soak, pytest.mark.xdist_group("many patients")]
STUDY, PATIENTS, DECLARED = "spms_aza", 300, 10
TOKEN = "5CA1AB1E" * 4
WITHOUT_RECORDS = shutil.ignore_patterns("records_*", "log*.csv")


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exports of so many generated patients, of whom the declared ones are the first."""
    folder, study = tmp_path_factory.mktemp("generated") / "redcap", Study.open(STUDY)
    shutil.copytree(study.path("redcap"), folder, ignore=WITHOUT_RECORDS)
    write(study, folder, PATIENTS)
    return folder


@pytest.fixture(scope="module")
def package(exports: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of them, by all the processes that a large study has."""
    out = tmp_path_factory.mktemp("package") / STUDY
    served = {TOKEN: SandboxProject.read(exports, "locked")}
    with pytest.MonkeyPatch.context() as environment, serve(create_app(served)) as address:
        environment.setenv("REDCAP_URL", f"{address}api/")
        environment.setenv("REDCAP_TOKEN", TOKEN)
        build(RunRequest.of(STUDY, out=out), StagePrinter(quiet=True))
    return out


def dataset(package: Path, name: str) -> pd.DataFrame:
    frame: pd.DataFrame = parquet.read_table(next(package.glob(f"parquet/*/{name}.parquet"))).to_pandas()
    return frame


def judged(package: Path, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((package / "validation" / f"{name}.json").read_text(encoding="utf-8"))
    return content


def test_every_patient_is_a_subject(package: Path, exports: Path) -> None:
    records = pd.read_csv(exports / "records_locked.csv", dtype="str", keep_default_na=False)
    enrolled = records["record_id"].unique()
    assert len(enrolled) == PATIENTS
    subjects = dataset(package, "dm")
    assert sorted(subjects["USUBJID"].str.rpartition("-")[2]) == sorted(enrolled)
    assert subjects["USUBJID"].is_unique
    assert sorted(dataset(package, "adsl")["USUBJID"]) == sorted(subjects["USUBJID"])
    for path in package.glob("parquet/*/*.parquet"):
        if "USUBJID" in parquet.read_schema(path).names:
            assert set(dataset(package, path.stem)["USUBJID"]) <= {*subjects["USUBJID"], ""}, path.name


def test_every_adverse_event_is_a_record(package: Path, exports: Path) -> None:
    records = pd.read_csv(exports / "records_locked.csv", dtype="str", keep_default_na=False)
    collected = records[records["ae_term"] != ""].groupby("record_id").size()
    submitted = dataset(package, "ae").groupby("USUBJID").size()
    submitted.index = submitted.index.str.rpartition("-").get_level_values(2)
    assert submitted.to_dict() == collected.to_dict()


def test_values_are_reconciled(package: Path) -> None:
    counted = pd.read_csv(package / "validation" / "reconciliation.csv")
    assert (counted["received"] == counted["tabulated"] + counted["not_submitted"] + counted["withheld"]).all()
    assert counted["withheld"].sum() == 0
    assert counted["tabulated"].sum() > 5000 * PATIENTS // DECLARED


def test_nothing_is_left_unexplained(package: Path) -> None:
    found = judged(package, "conformance")
    assert found["counts"]["unexplained"] == 0, [one for one in found["findings"] if not one["explained"]]
    assert found["counts"]["explained"] > 0


def test_every_expectation_is_met_or_declared_of_the_published_patients(package: Path) -> None:
    result = judged(package, "acceptance")
    entries = [entry for one in result["datasets"] for entry in one["expectations"]]
    assert [entry for entry in entries if entry["met"] is False] == []
    left = [entry["observed"] for entry in entries if entry["met"] is None]
    reason = f"not judged: it is declared of {DECLARED} records, and the snapshot has {PATIENTS}"
    assert left == [reason] * result["not_judged"]
    assert result["met"] + len(left) == result["expectations"] and len(left) < result["met"] / 10


def test_the_second_derivation_agrees(package: Path) -> None:
    checked = judged(package, "second_derivation")
    assert (checked["counts"]["endpoints"], checked["counts"]["differences"], checked["counts"]["empty"]) == (16, 0, 0)
    assert checked["counts"]["values"] > 200 * PATIENTS


def test_every_declared_output_and_dataset_is_there(package: Path) -> None:
    outputs = [output["id"] for output in Study.open(STUDY).read_yaml("reports.yaml")["outputs"]]
    results = pd.read_csv(package / "reports" / "results.csv", dtype="str", keep_default_na=False)
    assert len(outputs) > 40
    for output in outputs:
        for kind in ("html", "rtf"):
            assert (package / "reports" / f"{output}.{kind}").stat().st_size > 1000, output
        if output.startswith("F"):
            assert (package / "reports" / f"{output}.svg").is_file(), output
        if not output.startswith("L"):
            assert (results["output"] == output).any(), output
    transported = {path.stem for path in package.glob("m5/**/*.xpt")}
    assert transported == {path.stem for path in package.glob("parquet/*/*.parquet")}
    assert transported == {path.stem for path in package.glob("lineage/*.parquet")}
    assert {"dm", "ae", "lb", "qs", "adsl", "adlb", "adtte"} <= transported
    assert len(transported) == 56
