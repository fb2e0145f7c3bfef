"""CORE's report as findings, worked out by hand on a report with one of each kind."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from metadata.errors import OutsideError, UsageError
from metadata.study import Study
from validation.conformance.core import (
    CoreUnavailableError,
    core_findings,
    core_result,
    read_report,
    run_core,
)

ISSUE = {"core_id": "CORE-000024", "message": "AEBODSYS is not empty and AEBDSYCD is empty", "executability":
         "fully executable", "dataset": "AE", "USUBJID": "S-1", "row": 1, "SEQ": 1, "variables":
         ["AEBODSYS", "AEBDSYCD", "$of_core"], "values": ["HEART OF A PATIENT", "null"]}  # fmt: skip
BROKEN = {"core_id": "CORE-000929", "message": "rule evaluation error - evaluation dataset failed to build",
          "executability": "fully executable", "dataset": "AE", "USUBJID": "", "row": "", "SEQ": "", "variables": "",
          "values": "No such file"}  # fmt: skip
WHOLE = {**ISSUE, "core_id": "CORE-000328", "message": "SESTDY is not present", "dataset": "SE", "USUBJID": "",
         "row": "", "SEQ": "", "variables": ["SESTDY"], "executability": "partially executable"}  # fmt: skip


def rule(core_id: str, status: str, cdisc: str = "", fda: str = "") -> dict[str, str]:
    return {
        "core_id": core_id,
        "version": "1",
        "cdisc_rule_id": cdisc,
        "fda_rule_id": fda,
        "message": "",
        "status": status,
    }


REPORT: dict[str, Any] = {
    "Conformance_Details": {"CORE_Engine_Version": "0.17.1", "Standard": "SDTMIG", "Version": "V3.3"},
    "Dataset_Details": [{"filename": "AE", "length": 2}],
    "Issue_Summary": [],
    "Issue_Details": [ISSUE, {**ISSUE, "row": 2, "SEQ": 2}, BROKEN, WHOLE],
    "Rules_Report": [
        rule("CORE-000001", "SKIPPED"),
        rule("CORE-000024", "ISSUE REPORTED", "CG0082"),
        rule("CORE-000328", "ISSUE REPORTED", "", "FB3202"),
        rule("CORE-000929", "EXECUTION ERROR"),
    ],
}


def test_issues_are_findings_with_their_records_and_without_their_values() -> None:
    issue, whole, _ = core_findings(REPORT, with_define=False)
    assert (issue.rule, issue.dataset, issue.variable, issue.records) == ("CORE-000024", "AE", "AEBODSYS, AEBDSYCD", 2)
    assert issue.keys == ("USUBJID=S-1 AESEQ=1", "USUBJID=S-1 AESEQ=2") and issue.source == "CDISC CORE (CG0082)"
    assert (whole.rule, whole.records, whole.keys) == ("CORE-000328", 0, ())
    assert "in part only" in whole.detail and issue.detail == ""
    assert "PATIENT" not in json.dumps([one.as_dict() for one in core_findings(REPORT, False)])


def test_a_rule_that_needs_a_define_is_excused_only_without_one() -> None:
    assert [one.severity for one in core_findings(REPORT, with_define=False)] == ["error", "error", "note"]
    assert [one.severity for one in core_findings(REPORT, with_define=True)] == ["error", "error", "error"]


def test_an_explanation_for_a_rule_that_needs_a_define_is_stale_only_with_one(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(
        "study: {id: T}\nstandards: {sdtmig: '3.3', sdtm_ct: 2019-09-27}\nredcap: {}\ncutoff: 2001-12-31\nvisits: []\n"
    )
    (tmp_path / "conformance.yaml").write_text("explanations:\n- {rule: CORE-001081, dataset: CO, reason: because}\n")
    stale = [
        [one["rule"] for one in core_result(Study(tmp_path), REPORT, with_define)["findings"]].count(
            "explanation.stale"
        )
        for with_define in (False, True)
    ]
    assert stale == [0, 1]


def test_another_execution_error_is_an_error_even_where_the_rule_finds_issues_too() -> None:
    report = copy.deepcopy(REPORT)
    report["Issue_Details"].append({**BROKEN, "core_id": "CORE-000024", "dataset": "LB"})
    report["Rules_Report"][1]["status"] = "EXECUTION ERROR"
    found = [one for one in core_findings(report, with_define=False) if one.rule == "CORE-000024"]
    assert [(one.dataset, one.severity, one.records) for one in found] == [("AE", "error", 2), ("LB", "error", 0)]


def test_an_execution_error_without_a_row_is_an_error() -> None:
    report = copy.deepcopy(REPORT)
    report["Rules_Report"].append(rule("CORE-000777", "EXECUTION ERROR"))
    last = core_findings(report, with_define=False)[-2]
    assert (last.rule, last.severity, last.dataset) == ("CORE-000777", "error", "")


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"Issue_Details": []}', "not json"])
def test_a_file_that_is_no_report_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "core.json").write_text(text)
    with pytest.raises(OutsideError, match="not a JSON report of CORE"):
        read_report(tmp_path / "core.json")


def command(folder: Path, code: str) -> str:
    script = folder / "core command.py"
    script.write_text(code)
    return f"{sys.executable} '{script}'"


def test_the_command_gets_version_folder_define_and_report(tmp_path: Path) -> None:
    core = command(tmp_path, f"import json, sys\nr = {REPORT!r}\nr['asked'] = sys.argv[1:]\n"
                             "open(sys.argv[4], 'w').write(json.dumps(r))\n")  # fmt: skip
    report = run_core(core, "3.3", tmp_path, None, tmp_path / "new" / "core.json")
    assert report["asked"] == ["3.3", str(tmp_path), "-", str(tmp_path / "new" / "core.json")]


@pytest.mark.parametrize(
    ("code", "error", "said"),
    [
        ("raise SystemExit(0)", OutsideError, "wrote no report"),
        ("import sys; print('no Python 3.12 found', file=sys.stderr); sys.exit(69)", CoreUnavailableError, "code 69"),
        ("import sys; print('broken', file=sys.stderr); sys.exit(70)", OutsideError, "broken"),
    ],
)
def test_a_command_that_fails_is_named(code: str, error: type[OutsideError], said: str, tmp_path: Path) -> None:
    report = tmp_path / "core.json"
    report.write_text(json.dumps(REPORT))  # an older report is never taken for a new one
    with pytest.raises(error, match=said):
        run_core(command(tmp_path, code), "3.3", tmp_path, None, report)


def test_a_command_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be started"):
        run_core(str(tmp_path / "nothing"), "3.3", tmp_path, None, tmp_path / "core.json")
