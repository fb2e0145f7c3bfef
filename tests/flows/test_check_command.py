"""redcap-cdisc check: all problems at once, each with its place and the nearest right name; exit codes; start-up."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flows.check import WAITING, CheckProblem, problems_of
from metadata.study import BUNDLED
from tests.bundled_studies import OF_RECORDS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A copy of a bundled study without its records."""
    folder = tmp_path / "trial"
    shutil.copytree(BUNDLED / "spms_aza", folder, ignore=shutil.ignore_patterns("synthetic", "records_*", "log*.csv"))
    return folder


def change(study: Path, file: str, old: str, new: str) -> tuple[str, int]:
    """Write ``new`` for ``old`` in a file; return the file as problems name it, and the line."""
    path = study / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) >= 1, f"{file} has no {old}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return f"trial/{file}", text[: text.index(old)].count("\n") + 1


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = "import sys; from flows.command_line import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", OF_RECORDS)
def test_the_bundled_studies_have_no_problems(name: str) -> None:
    assert problems_of(name) == []


SEEDED = [
    ("unknown field", "sdtm/ae.yaml", "AETERM: {field: ae_term}", "AETERM: {field: ae_trem}", "field", "ae_term"),
    ("field of another form", "sdtm/ae.yaml", "AESEV: {field: ae_sev}", "AESEV: {field: sex}", "field", ""),
    ("unknown operation", "sdtm/ae.yaml", "AESER: {field: ae_ser}", "AESER: {feild: ae_ser}", "feild", "field"),
    ("unknown variable", "sdtm/ae.yaml", "AETOXGR: {", "AETOXGRD: {", "AETOXGRD", "AETOXGR"),
    ("choice without a term", "sdtm/dm.yaml", "terms: {1: M, 2: F}", "terms: {1: M}", "terms", ""),
    ("term not in the codelist", "sdtm/ae.yaml", "5: FATAL", "5: FATALL", "5", "FATAL"),
    ("Required variable unmapped", "sdtm/ex.yaml", "EXTRT:", "EXLOT:", "EXTRT", ""),
    ("unknown test", "sdtm/lb.yaml", "  WBC: {category", "  WBCX: {category", "WBC", "WBCX"),
    ("key of a block", "sdtm/ex.yaml", "  form: exposure", "  from: exposure", "from", "form"),
    ("a check's form", "checks.yaml", "form: ae\n", "form: aee\n", "form", "ae"),
    ("an analysis dataset's word", "adam/adlb.yaml", "- baseline:", "- basline:", "basline", "baseline"),
    ("an output's template", "reports.yaml", "template: subject_counts", "template: subject_count", "template",
     "subject_counts"),
    ("a visit's event", "study.yaml", "event: w2_arm_1", "event: week2_arm_1", "event", "w2_arm_1"),
    ("a field that nobody uses", "sdtm/not_submitted.yaml", "  pat_name: Identifier\n", "", "pat_name", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "key", "near"), [row[1:] for row in SEEDED], ids=[row[0] for row in SEEDED]
)
def test_a_problem_is_found(study: Path, file: str, old: str, new: str, key: str, near: str) -> None:
    named, line = change(study, file, old, new)
    found = problems_of(str(study))
    own = [problem for problem in found if problem.file == named and problem.key in (key, "")]
    assert own, found
    if key != "pat_name":
        assert all(problem.line is not None for problem in own)
    assert any(problem.suggestion == near for problem in own), own
    if near and key != "WBC":
        assert line in [problem.line for problem in own]


def test_the_dosing_plan_speaks_the_language_of_the_mapping(study: Path) -> None:
    first = "  - {treatment: INTERFERON BETA-1B, arm: IFNBAZA, element: TRT"
    change(study, "study.yaml", "treatment: AZATHIOPRINE", "treatment: AZATHIOPRIN")
    change(study, "study.yaml", "unit: 10^6 IU", "unit: 10^6 IUs")
    change(study, "study.yaml", "[TID, BID, QD]", "[TID, BIDD]")
    found = {(one.key, one.suggestion) for one in problems_of(str(study))}
    assert found == {("treatment", "AZATHIOPRINE"), ("unit", "10^6 IU"), ("frequency", "BID")}
    change(study, "study.yaml", first, f"{first}, doses: [8], unit: 10^6 IU}}\n{first}")
    change(study, "study.yaml", "arm: IFNBAZA, element: TRT, doses: [50]", "arm: IFNBAZ, element: TR, doses: [-50]")
    found = {(one.key, one.suggestion) for one in problems_of(str(study)) if one.severity == "error"}
    assert found == {("doses", "")}, "a dose below zero is not read, so that nothing is held to it"
    change(study, "study.yaml", "[-50]", "[50]")
    found = {(one.key, one.suggestion) for one in problems_of(str(study))}
    assert found > {("arm", "IFNBAZA"), ("element", "TRT"), ("treatment", "")}


def test_all_problems_are_found_at_once(study: Path) -> None:
    places = [change(study, *row[1:4]) for row in SEEDED]
    found = problems_of(str(study))
    for (_, _, _, _, key, near), (file, _) in zip(SEEDED, places, strict=True):
        if key not in ("EXTRT", "WBC"):
            assert [item for item in found if item.file == file and item.key == key and item.suggestion == near], key
    assert found == sorted(found, key=lambda item: (item.file, item.line or 0, item.key, item.message))


def test_a_required_variable_names_the_block(study: Path) -> None:
    change(study, "sdtm/ae.yaml", "    AEDECOD: {", "    AEMODIFY: {")
    found = [problem for problem in problems_of(str(study)) if "AEDECOD" in problem.message]
    assert [problem.message for problem in found] == ["AEDECOD (Dictionary-Derived Term) is required: map it"]
    assert found[0].line == 4, "the block begins at its form"


def test_every_choice_without_a_term_is_named(study: Path) -> None:
    change(study, "sdtm/ae.yaml", "        5: FATAL\n        9: UNKNOWN\n", "")
    messages = [problem.message for problem in problems_of(str(study))]
    assert len(messages) == 2 and all("of field 'ae_out' has no term" in message for message in messages)


def test_a_file_that_is_no_yaml_does_not_hide_the_others(study: Path) -> None:
    change(study, "sdtm/ae.yaml", "domain: AE", "domain: [AE")
    change(study, "sdtm/dm.yaml", "{field: age}", "{field: aeg}")
    found = problems_of(str(study))
    assert {problem.file for problem in found} >= {"trial/sdtm/ae.yaml", "trial/sdtm/dm.yaml"}
    assert any(problem.message.startswith("not valid YAML") for problem in found)


def test_problems_for_programs(study: Path) -> None:
    change(study, "sdtm/ae.yaml", "AETERM: {field: ae_term}", "AETERM: {field: ae_trem}")
    done = run("check", str(study), "--json")
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout) == [
        {
            "severity": "error",
            "file": "trial/sdtm/ae.yaml",
            "line": 6,
            "key": "field",
            "message": "the dictionary has no field 'ae_trem' (did you mean 'ae_term'?)",
            "suggestion": "ae_term",
        }
    ]


def test_problems_to_read(study: Path) -> None:
    change(study, "sdtm/ae.yaml", "AETERM: {field: ae_term}", "AETERM: {field: ae_trem}")
    done = run("check", str(study))
    assert done.returncode == 1
    said = " ".join(done.stdout.split())  # lines are broken where the folder's name is long
    assert "trial/sdtm/ae.yaml" in said and "1 problem in 1 file" in said
    assert "did you mean 'ae_term'?" in said


def test_a_study_that_is_not_there_is_wrong_use() -> None:
    done = run("check", "spms_azaa", "--json")
    assert done.returncode == 2 and "did you mean 'spms_aza'?" in done.stderr and not done.stdout


def test_a_check_loads_no_heavy_library() -> None:
    program = (
        "import sys; from flows.check import problems_of; problems_of('spms_aza');"
        "print(*(name for name in ('pandas.core', 'scipy.special._ufuncs', 'pandera.api', 'PIL', 'matplotlib',"
        " 'prefect') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_problem_without_a_place() -> None:
    from metadata.errors import StudyError

    assert CheckProblem.of(StudyError("all wrong")) == CheckProblem("error", "", None, "", "all wrong", "")


def test_pin_and_draft_from_the_command_line(study: Path, tmp_path: Path) -> None:
    done = run("pin", str(study), "--json")
    made = json.loads(done.stdout)
    assert done.returncode == 0 and Path(made["file"]).parent == study / "terminology" and made["codelists"] > 20
    done = run("draft", str(study / "redcap"), "--out", str(tmp_path / "new"))
    assert done.returncode == 0 and "Next: redcap-cdisc check" in done.stdout
    assert run("draft", str(study / "redcap"), "--out", str(tmp_path / "new")).returncode == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "expect: distinct_count, variable: SITEID",
            "expect: distinct_cont, variable: SITEID",
            "'distinct_cont' is not one of row_count",
        ),
        (
            "expect: distinct_count, variable: SITEID",
            "expect: distinct_count, variable: SITEIDD",
            "no variable SITEIDD",
        ),
        ("  DM:\n", "  DMM:\n", "there is no dataset 'DMM'"),
    ],
)
def test_what_the_acceptance_expects_is_checked(study: Path, old: str, new: str, message: str) -> None:
    file, line = change(study, "acceptance.yaml", old, new)
    found = [problem for problem in problems_of(str(study)) if problem.file == file]
    assert [problem.line for problem in found] == [line]
    assert message in found[0].message


def test_a_study_id_that_could_be_a_path_is_refused(study: Path) -> None:
    file, line = change(study, "study.yaml", "id: SPMSAZA-SYNTH", "id: ../../evil")
    waiting, problem = problems_of(str(study))
    assert (waiting.file, waiting.severity, waiting.message) == (file, "warning", WAITING)
    assert (problem.file, problem.line, problem.key) == (file, line, "id")
    assert problem.message.startswith("must be letters and digits, with hyphens, points or blanks between")


def test_text_dates_are_of_fields_in_which_anything_can_be_written(study: Path) -> None:
    path = study / "study.yaml"
    path.write_text(path.read_text("utf-8") + "text_dates:\n  - {fields: [ae_trem, sex], order: dmy}\n", "utf-8")
    assert {problem.message for problem in problems_of(str(study))} >= {
        "the dictionary has no field 'ae_trem' (did you mean 'ae_term'?)",
        "the field 'sex' is not free text, but of the type radio",
    }
