"""Our own rules over the final SDTM and analysis datasets: each finding with its reason, as JSON and as a page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import validation.conformance.rules
from metadata.dataset import Dataset
from metadata.registration import load_modules
from metadata.study import Study
from metadata.terminology import Terminology
from validation.conformance.adam_datasets import AnalysisDatasets
from validation.conformance.explanations import explain, read_explanations
from validation.conformance.finding import ConformanceFinding, unexplained
from validation.conformance.rule import RULES, ConformanceRule, Hit
from validation.conformance.sdtm_datasets import SdtmDatasets

SHOWN_KEYS = 5
load_modules(validation.conformance.rules)


def find(
    study: Study,
    datasets: Mapping[str, Dataset],
    terminology: Terminology,
    rules: Iterable[ConformanceRule] = RULES.values(),
    adam: Mapping[str, Dataset] | None = None,
) -> list[ConformanceFinding]:
    """Return what rules (all of them, unless some are given) find in the datasets, rule by rule, unexplained.

    ``datasets`` are those of SDTM. Without ``adam`` the rules of the analysis datasets are left out.
    """
    tabulations = SdtmDatasets(study, datasets, terminology)
    data: dict[str, SdtmDatasets | AnalysisDatasets] = {"sdtm": tabulations}
    if adam is not None:
        data["adam"] = AnalysisDatasets(study, adam, tabulations)
    judged = ((data[rule.standard], rule) for rule in rules if rule.standard in data)
    return [_finding(held, rule, hit) for held, rule in judged for hit in rule.check(held) if hit.is_found]


def _finding(data: SdtmDatasets | AnalysisDatasets, rule: ConformanceRule, hit: Hit) -> ConformanceFinding:
    places: tuple[str, ...] = hit.places[:SHOWN_KEYS]
    count = len(hit.places)
    if hit.rows is not None:
        count = int(hit.rows.sum())
        places = tuple(data.domains[hit.dataset].keys_of(np.flatnonzero(hit.rows)[:SHOWN_KEYS]))
    return ConformanceFinding(
        rule.id, rule.source, hit.dataset, hit.variable, rule.severity, count, places, rule.sentence, hit.detail
    )


def conformance(
    study: Study,
    datasets: Mapping[str, Dataset],
    terminology: Terminology | None = None,
    adam: Mapping[str, Dataset] | None = None,
) -> dict[str, Any]:
    """Return the result of our rules as plain data, the same from run to run.

    Keys: study, standard, terminology, datasets (name and records), rules (id, sentence, source, severity, findings),
    findings (see finding.Finding) and counts (rules, findings, explained, unexplained). Raises StudyError if
    conformance.yaml is not fit.
    """
    terminology = terminology or Terminology.open(study)
    rules = [rule for rule in RULES.values() if rule.standard == "sdtm" or adam is not None]
    judged = {rule.id for rule in rules}
    declared = [entry for entry in read_explanations(study, RULES) if entry.rule in judged]
    rows = {name: len(one.frame) for name, one in {**datasets, **(adam or {})}.items()}
    findings = explain(find(study, datasets, terminology, rules, adam), declared, rows)
    return {
        "study": study.studyid,
        "standard": _standards(study, adam is not None),
        "terminology": _packages(study, terminology, adam is not None),
        "engine": "redcap-cdisc",
        "datasets": [{"dataset": name, "records": count} for name, count in rows.items()],
        "counts": {"rules": len(rules), **counts(findings)},
        "findings": [finding.as_dict() for finding in findings],
        "rules": [_judged(rule, findings) for rule in rules],
    }


def _standards(study: Study, analysed: bool) -> str:
    """Return the guides against which the datasets were judged."""
    guides = {"SDTMIG": "sdtmig", **({"ADaMIG": "adamig", "OCCDS": "occds"} if analysed else {})}
    return ", ".join(f"{name} {study.standards[key]}" for name, key in guides.items() if key in study.standards)


def _packages(study: Study, terminology: Terminology, analysed: bool) -> str:
    """Return the terminology packages to which coded values were held."""
    version = study.standards.get("adam_ct") if analysed else None
    return ", ".join([terminology.package, *([f"adam-ct-{version}"] if version else [])])


def counts(findings: list[ConformanceFinding]) -> dict[str, int]:
    """Count findings: all, those that a reason explains, and those that it does not, notes left out."""
    explained = sum(bool(finding.explained) for finding in findings)
    return {"findings": len(findings), "explained": explained, "unexplained": len(unexplained(findings))}


def _judged(rule: ConformanceRule, findings: list[ConformanceFinding]) -> dict[str, Any]:
    found = sum(finding.rule == rule.id for finding in findings)
    said = {"rule": rule.id, "sentence": rule.sentence, "source": rule.source, "severity": rule.severity}
    return {**said, "findings": found}


def write_json(result: Mapping[str, Any], path: Path) -> None:
    """Write a result as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
