"""The user's own CDISC CORE: its command is run, and its JSON report read as findings like ours.

The command is called as ``COMMAND VERSION DATA_DIR DEFINE OUT.json`` with ``-`` for no define.xml; it writes CORE's
JSON report (keys Conformance_Details, Dataset_Details, Issue_Summary, Issue_Details, Rules_Report) and ends with 0
whatever the report says.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from metadata.errors import OutsideError, UsageError
from metadata.study import Study
from validation.conformance.check import SHOWN_KEYS, counts
from validation.conformance.explanations import explain, is_core, read_explanations
from validation.conformance.finding import ConformanceFinding
from validation.conformance.rule import RULES

NO_DEFINE = "-"
# Rules that read define.xml whatever is asked, and so always fail where there is none.
FAIL_WITHOUT_DEFINE = ("CORE-000929", "CORE-001081")
PARTS = ("Conformance_Details", "Issue_Summary", "Issue_Details", "Rules_Report")
FAILED, SKIPPED = "EXECUTION ERROR", "SKIPPED"
ENGINE_FAILURE = ("rule evaluation error", "rule execution error")
PARTIAL = "partially executable"
VARIABLE = re.compile(r"(?:[A-Z0-9]+\.)?[A-Z][A-Z0-9]*")  # others are names of CORE's own
NO_PYTHON = 69
REPORT_LIMIT = 600


class CoreUnavailableError(OutsideError):
    """CORE cannot run on this machine, for want of the Python it needs (exit code 69 of the command)."""


def run_core(command: str, version: str, folder: Path, define: Path | None, report: Path) -> dict[str, Any]:
    """Run the user's CORE over a folder of transport files and return its report.

    Raises UsageError if the command cannot be started, CoreUnavailableError if it says that CORE cannot be installed
    here, and OutsideError if it fails or leaves no report.
    """
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    words = [*shlex.split(command), version, str(folder), str(define or NO_DEFINE), str(report)]
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")  # noqa: S603 the user's own command
    except OSError as error:
        raise UsageError(f"--core {command}: it cannot be started ({error.strerror})") from None
    if done.returncode:
        message = (done.stderr.strip().splitlines() or ["it said nothing"])[-1][:REPORT_LIMIT]
        kind = CoreUnavailableError if done.returncode == NO_PYTHON else OutsideError
        raise kind(f"CORE did not run (exit code {done.returncode}): {message}")
    return read_report(report)


def read_report(path: Path) -> dict[str, Any]:
    """Read CORE's JSON report; raises OutsideError if it is not such a report."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise OutsideError(f"CORE wrote no report to {path}") from None
    except (ValueError, OSError):
        raise OutsideError(f"{path} is not a JSON report of CORE") from None
    if not isinstance(content, dict) or any(part not in content for part in PARTS):
        raise OutsideError(f"{path} is not a JSON report of CORE: it lacks one of {', '.join(PARTS)}")
    return content


def core_findings(report: Mapping[str, Any], with_define: bool) -> list[ConformanceFinding]:
    """Return the issues and execution errors of a report as findings, one a rule, dataset and message.

    Execution errors of rules that cannot run without define.xml are notes when there is none.
    """
    details: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for item in report["Issue_Details"]:
        details.setdefault((str(item["core_id"]), str(item["dataset"]), str(item["message"])), []).append(item)
    sources = {str(one["core_id"]): _source(one) for one in report["Rules_Report"]}
    made = [
        _finding(rule, dataset, message, items, sources.get(rule, "CDISC CORE"))
        for (rule, dataset, message), items in details.items()
        if not _is_error(items[0])
    ]
    failed = [str(one["core_id"]) for one in report["Rules_Report"] if one["status"] == FAILED]
    errors = [item for item in report["Issue_Details"] if _is_error(item)]
    for rule in failed:
        own = [item for item in errors if str(item["core_id"]) == rule]
        made.append(_error(rule, own, sources[rule], with_define))
    return sorted(made, key=lambda one: (one.rule, one.dataset, one.sentence))


def _source(described: Mapping[str, Any]) -> str:
    named = [str(described.get(key) or "") for key in ("cdisc_rule_id", "fda_rule_id")]
    return f"CDISC CORE ({', '.join(name for name in named if name)})" if any(named) else "CDISC CORE"


def _is_error(item: Mapping[str, Any]) -> bool:
    """Return True for a row that tells of the engine's own failure."""
    return str(item["message"]).startswith(ENGINE_FAILURE) and not item.get("variables")


def _finding(
    rule: str, dataset: str, message: str, items: Sequence[Mapping[str, Any]], source: str
) -> ConformanceFinding:
    named = dict.fromkeys(str(name) for item in items for name in item.get("variables") or [])
    variables = [name for name in named if VARIABLE.fullmatch(name)]
    keys = tuple(filter(None, (_key(item) for item in items[:SHOWN_KEYS])))
    doubtful = str(items[0].get("executability", "")).startswith(PARTIAL)
    detail = "CORE can judge this rule in part only and may report too much." if doubtful else ""
    whole = not any(str(item.get("row") or "") for item in items)
    return ConformanceFinding(
        rule, source, dataset, ", ".join(variables), "error", 0 if whole else len(items), keys, message, detail
    )


def _key(item: Mapping[str, Any]) -> str:
    """Return subject and sequence number of a row, or its number; never its values."""
    subject, sequence, row = (str(item.get(name) or "") for name in ("USUBJID", "SEQ", "row"))
    if not subject:
        return f"row {row}" if row else ""
    return f"USUBJID={subject} {item['dataset'][:2]}SEQ={sequence}" if sequence else f"USUBJID={subject} row {row}"


def _error(rule: str, items: Sequence[Mapping[str, Any]], source: str, with_define: bool) -> ConformanceFinding:
    datasets = ", ".join(dict.fromkeys(str(item["dataset"]) for item in items))
    excused = rule in FAIL_WITHOUT_DEFINE and not with_define
    sentence = "CORE could not run the rule." + (" It needs a define.xml." if excused else "")
    cause = str(items[0]["message"]) if items else "The report does not say why."
    return ConformanceFinding(rule, source, datasets, "", "note" if excused else "error", 0, (), sentence, cause)


def core_result(study: Study, report: Mapping[str, Any], with_define: bool) -> dict[str, Any]:
    """Return what CORE found, with the study's explanations, in the form of check.conformance."""
    declared = [entry for entry in read_explanations(study, RULES) if is_core(entry.rule)]
    if not with_define:  # what needs a define.xml cannot be found, so its explanation is not stale
        declared = [entry for entry in declared if entry.rule not in FAIL_WITHOUT_DEFINE]
    datasets = report.get("Dataset_Details") or []
    rows = {str(one.get("filename")): int(one.get("length") or 0) for one in datasets}
    findings = explain(core_findings(report, with_define), declared, rows)
    about = report["Conformance_Details"]
    status = [str(one["status"]) for one in report["Rules_Report"]]
    ran = {"rules": len(status), "skipped": status.count(SKIPPED), "execution_errors": status.count(FAILED)}
    return {
        "study": study.studyid,
        "standard": f"{about.get('Standard', '')} {str(about.get('Version') or '').removeprefix('V')}".strip(),
        "terminology": str(about.get("CT_Version") or ""),
        "engine": f"CDISC CORE {about.get('CORE_Engine_Version', '')}".strip(),
        "datasets": [{"dataset": name, "records": count} for name, count in rows.items()],
        "counts": {**ran, **counts(findings)},
        "findings": [finding.as_dict() for finding in findings],
        "rules": [],
    }
