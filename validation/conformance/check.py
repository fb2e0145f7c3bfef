"""Our own rules over the final SDTM datasets: every finding with its explanation, as JSON and as a page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from metadata.dataset import Dataset
from metadata.study import Study
from metadata.terminology import Terminology
from validation.conformance.explanations import explain, is_core, read_explanations
from validation.conformance.finding import Finding, unexplained
from validation.conformance.rule import RULES, Hit, Rule
from validation.conformance.tabulations import Tabulations

SHOWN_KEYS = 5
SUBJECTS = ("structure", "values", "timing", "visits", "findings", "units", "subjects", "events", "links")
for subject in SUBJECTS:
    import_module(f"validation.conformance.{subject}")


def find(
    study: Study, datasets: Mapping[str, Dataset], terminology: Terminology, rules: Iterable[Rule] = RULES.values()
) -> list[Finding]:
    """Return what rules (all of them, unless some are given) find in the datasets, rule by rule, unexplained."""
    data = Tabulations(study, datasets, terminology)
    return [_finding(data, rule, hit) for rule in rules for hit in rule.check(data) if hit.is_found]


def _finding(data: Tabulations, rule: Rule, hit: Hit) -> Finding:
    places: tuple[str, ...] = hit.places[:SHOWN_KEYS]
    count = len(hit.places)
    if hit.rows is not None:
        count = int(hit.rows.sum())
        places = tuple(data.domains[hit.dataset].keys_of(np.flatnonzero(hit.rows)[:SHOWN_KEYS]))
    return Finding(
        rule.id, rule.source, hit.dataset, hit.variable, rule.severity, count, places, rule.sentence, hit.detail
    )


def conformance(
    study: Study, datasets: Mapping[str, Dataset], terminology: Terminology | None = None
) -> dict[str, Any]:
    """Return the result of our rules as plain data, the same from run to run.

    Keys: study, standard, terminology, datasets (name and records), rules (id, sentence, source, severity, findings),
    findings (see finding.Finding) and counts (rules, findings, explained, unexplained). Raises StudyError if
    conformance.yaml is not fit.
    """
    terminology = terminology or Terminology.open(study)
    declared = [entry for entry in read_explanations(study, RULES) if not is_core(entry.rule)]
    findings = explain(find(study, datasets, terminology), declared)
    return {
        "study": study.studyid,
        "standard": f"SDTMIG {study.standards['sdtmig']}",
        "terminology": terminology.package,
        "engine": "redcap-cdisc",
        "datasets": [{"dataset": name, "records": len(one.frame)} for name, one in datasets.items()],
        "counts": {"rules": len(RULES), **counts(findings)},
        "findings": [finding.as_dict() for finding in findings],
        "rules": [_judged(rule, findings) for rule in RULES.values()],
    }


def counts(findings: list[Finding]) -> dict[str, int]:
    """Count findings: all, those that a reason explains, and those that it does not, notes left out."""
    explained = sum(bool(finding.explained) for finding in findings)
    return {"findings": len(findings), "explained": explained, "unexplained": len(unexplained(findings))}


def _judged(rule: Rule, findings: list[Finding]) -> dict[str, Any]:
    found = sum(finding.rule == rule.id for finding in findings)
    said = {"rule": rule.id, "sentence": rule.sentence, "source": rule.source, "severity": rule.severity}
    return {**said, "findings": found}


def write_json(result: Mapping[str, Any], path: Path) -> None:
    """Write a result as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
