"""The command over a package, with a small CORE of the test's own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from metadata.study import Study
from publish import xpt
from tests.flows.conftest import Answer
from tests.publish.examples import adverse_events

ROOT = Path(__file__).resolve().parents[2]
STUDY = """study: {id: TEST-1, title: A test, synthetic: true}
standards: {sdtmig: "3.3", sdtm_ct: 2019-09-27}
redcap: {}
cutoff: 2001-12-31
visits: []
"""
EXPLANATION = "explanations:\n- {rule: CORE-000024, dataset: AE, reason: The sponsor's own dictionary has no codes.}\n"
FAKE = """import json, sys
version, folder, define, out = sys.argv[1:]
assert (version, define) == ("3.3", "-"), sys.argv
issue = {"core_id": "CORE-000024", "message": "AEBDSYCD is empty", "executability": "fully executable",
         "dataset": "AE", "USUBJID": "S-1", "row": 1, "SEQ": 1, "variables": ["AEBDSYCD"], "values": ["null"]}
rules = [{"core_id": "CORE-000024", "status": "ISSUE REPORTED"}]
json.dump({"Conformance_Details": {"Standard": "SDTMIG", "Version": "V3.3", "CORE_Engine_Version": "0.17.1"},
           "Dataset_Details": [], "Issue_Summary": [], "Issue_Details": [issue], "Rules_Report": rules}, open(out, "w"))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "study.yaml").write_text(STUDY)
    (tmp_path / "core.py").write_text(FAKE)
    datasets = tmp_path / "package" / "m5" / "datasets" / "test-1" / "tabulations" / "sdtm"
    datasets.mkdir(parents=True)
    xpt.write(adverse_events(), datasets / "ae.xpt", date(2001, 12, 31), "sdtm")
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from flows.command_line import main; main()", "conformance", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={"PATH": "", "COLUMNS": "200"})


def with_core(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    core = f"{sys.executable} {folder / 'core.py'}"
    return run(folder, str(folder / "package"), "--core", core, "--study", str(folder / "study"), *arguments)


def test_what_is_not_explained_is_listed_and_ends_with_1(folder: Path) -> None:
    done = with_core(folder)
    assert done.returncode == 1 and done.stderr == ""
    assert "CORE-000024  AEBDSYCD is empty\n              AE.AEBDSYCD  1 record\n" in done.stdout
    assert "CDISC CORE 0.17.1, SDTMIG 3.3: 1 rule, 1 finding, 0 explained, 1 not explained" in done.stdout


def test_what_is_explained_lies_beside_the_package(folder: Path) -> None:
    (folder / "study" / "conformance.yaml").write_text(EXPLANATION)
    done = with_core(folder)
    assert (
        done.stderr == ""
        and "1 finding, 1 explained" in done.stdout
        and "The sponsor's own dictionary has no codes." in done.stdout
    )
    made = {path.name for path in (folder / "package.core").iterdir()}
    assert made == {"core.json", "conformance.json", "conformance.html"}


def test_a_stale_explanation_ends_with_1(folder: Path) -> None:
    (folder / "study" / "conformance.yaml").write_text(EXPLANATION + "- {rule: CORE-000025, dataset: AE, reason: x}\n")
    done = with_core(folder)
    assert done.returncode == 1 and "explanation.stale" in done.stdout and "CORE-000025" in done.stdout


def test_json_is_for_programs(folder: Path) -> None:
    content = json.loads(with_core(folder, "--json").stdout)
    errors = [one["rule"] for one in content["ours"]["findings"] if one["severity"] == "error"]
    assert content["unexplained"] == len(errors) + 1 and "subject.once" in errors
    assert [one["rule"] for one in content["core"]["findings"]] == ["CORE-000024"]


def test_a_package_of_others_is_judged_without_their_study(folder: Path) -> None:
    (folder / "package" / "manifest.json").write_text('{"made by": "another software"}')
    done = run(folder, str(folder / "package"))
    assert (done.returncode, done.stderr) == (1, "")
    assert "held to SDTMIG 3.3" in done.stdout and "error     subject.once  " in done.stdout
    assert (
        "not judged without the study tagging file of the eCTD backbone, which lies outside m5: rejection.1735"
        in done.stdout
    )


def judged(command: Callable[..., Answer], *arguments: object) -> list[dict[str, Any]]:
    """The errors that are found and not explained."""
    answer = command("conformance", *arguments, "--json")
    found = [one for one in json.loads(answer.out)["ours"]["findings"] if one["severity"] == "error"]
    left = [one for one in found if not one["explained"]]
    assert answer.code == int(bool(left)) and answer.err == ""
    return left


def test_our_own_package_is_judged_now_and_a_changed_byte_is_found(
    package: Path, tmp_path: Path, command: Callable[..., Answer]
) -> None:
    copy = tmp_path / "package"
    shutil.copytree(package, copy)
    (copy / "validation" / "conformance.json").write_text("{}")  # what was found before is not looked at
    found = {(one["rule"], one["dataset"]) for one in judged(command, copy)}
    assert found == {("file.manifest", "CONFORMANCE"), ("file.manifest", "MANIFEST")}
    path = next(copy.glob("m5/datasets/*/tabulations/sdtm/dm.xpt"))
    content = path.read_bytes()
    changed = content.replace(b"YEARS", b"YEARZ", 1)
    assert changed != content
    path.write_bytes(changed)
    (copy / "manifest.json").unlink()
    after = {(one["rule"], one["dataset"], one["variable"]) for one in judged(command, copy, "--study", "spms_aza")}
    assert ("term.codelist", "DM", "AGEU") in after


@pytest.mark.parametrize("suffix", ["parquet", "json"])
def test_other_forms_are_judged_as_well(
    package: Path, tmp_path: Path, command: Callable[..., Answer], suffix: str
) -> None:
    shutil.copytree(package / "parquet" / "sdtm", tmp_path / "sdtm")
    if suffix == "json":
        for path in (tmp_path / "sdtm").glob("*.parquet"):
            write_dataset_json(path)
            path.unlink()
    found = judged(command, tmp_path / "sdtm", "--study", "spms_aza")
    assert found == []


def write_dataset_json(path: Path) -> None:
    from publish.comparison_tables import read_table

    table = read_table(path)
    columns = [
        {"name": name, "label": one.label, "dataType": "string" if one.type == "Char" else "double"}
        for name, one in table.variables.items()
    ]
    rows = table.frame.astype("object").where(table.frame.notna(), None).to_numpy().tolist()
    about = {"datasetJSONVersion": "1.1.0", "records": len(rows), "name": table.name, "label": table.label}
    path.with_suffix(".json").write_text(json.dumps({**about, "columns": columns, "rows": rows}))


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["{}/study"], "holds no datasets"),
        (["{}/study", "--core", "true", "--study", "{}/study"], "neither a package nor a folder of transport files"),
        (["{}/package", "--core", "true"], "which study is it?"),
        (["{}/package", "--core", "{}/absent", "--study", "{}/study"], "it cannot be started"),
        (["{}/package", "--core", "true", "--study", "{}/study", "--define", "{}/absent"], "the file does not exist"),
        (
            ["{}/package", "--core", "true", "--study", "{}/study", "--out", "{}/package/x"],
            "does not belong in the package",
        ),
    ],
)
def test_wrong_use_is_one_sentence(arguments: list[str], part: str, folder: Path) -> None:
    done = run(folder, *(argument.replace("{}", str(folder)) for argument in arguments))
    assert done.returncode == 2 and part in done.stderr and "Traceback" not in done.stderr


def test_a_core_that_cannot_run_ends_with_3(folder: Path) -> None:
    (folder / "core.py").write_text("import sys; print('no Python 3.12 found', file=sys.stderr); sys.exit(69)")
    done = with_core(folder)
    assert done.returncode == 3 and "exit code 69" in done.stderr and "no Python 3.12" in done.stderr


def test_bundled_explanations_are_well_formed() -> None:
    from validation.conformance.check import RULES
    from validation.conformance.explanations import read_explanations

    for name in Study.bundled():
        for entry in read_explanations(Study.open(name), RULES):
            assert len(entry.reason) > 40, (
                f"{name}: {entry.rule} in {entry.dataset} has no reason that a reviewer could use"
            )
