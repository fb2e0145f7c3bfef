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
from validation.conformance.package_facts import PackageFacts
from validation.conformance.rule import EVERYTHING_OF_A_BUILD, NEEDED, RULES, ConformanceRule, Hit
from validation.conformance.sdtm_datasets import SdtmDatasets

SHOWN_KEYS = 5
load_modules(validation.conformance.rules)
Judged = SdtmDatasets | AnalysisDatasets | PackageFacts


def find(
    study: Study,
    datasets: Mapping[str, Dataset],
    terminology: Terminology,
    rules: Iterable[ConformanceRule] = RULES.values(),
    adam: Mapping[str, Dataset] | None = None,
    package: PackageFacts | None = None,
    given: frozenset[str] = EVERYTHING_OF_A_BUILD,
    stopped: dict[str, str] | None = None,
) -> list[ConformanceFinding]:
    """Return what rules (all of them, unless some are given) find in the datasets, rule by rule, unexplained.

    ``datasets`` are those of SDTM. Without ``adam`` the rules of the analysis datasets are left out, without
    ``package`` those of the files. ``given`` is what the rules may rely on (see ``rule.NEEDED``). Datasets of
    others may be of any shape: with ``stopped``, a rule that cannot go on is put there with the reason, and not raised.
    """
    given |= _planned(study)
    tabulations = SdtmDatasets(study, datasets, terminology)
    data: dict[str, Judged] = {"sdtm": tabulations} if datasets or adam is None else {}
    if adam is not None:
        data["adam"] = AnalysisDatasets(study, adam, tabulations)
    if package is not None:
        data["package"] = package
    judged = ((data[rule.standard], rule) for rule in rules if rule.standard in data and set(rule.needs) <= given)
    return [
        _finding(held, rule, hit, given) for held, rule in judged for hit in _hits(rule, held, stopped) if hit.is_found
    ]


def _planned(study: Study) -> frozenset[str]:
    """Return what rules may rely on because the study declares it: not every study does."""
    return frozenset({"dosing"} if study.dosing else ())


def _hits(rule: ConformanceRule, data: Judged, stopped: dict[str, str] | None) -> list[Hit]:
    try:
        return list(rule.check(data))
    except Exception as error:
        if stopped is None:
            raise
        stopped[rule.id] = f"data of a shape that it knows ({type(error).__name__})"
        return []


def _finding(data: Judged, rule: ConformanceRule, hit: Hit, given: frozenset[str]) -> ConformanceFinding:
    places: tuple[str, ...] = hit.places[:SHOWN_KEYS]
    count = len(hit.places)
    if hit.rows is not None:
        count = int(hit.rows.sum())
        places = tuple(data.domains[hit.dataset].keys_of(np.flatnonzero(hit.rows)[:SHOWN_KEYS]))
    is_dated = rule.severity == "error" and bool(rule.version) and rule.version not in given
    severity = hit.severity or ("warning" if is_dated else rule.severity)
    return ConformanceFinding(
        rule.id, rule.source, hit.dataset, hit.variable, severity, count, places, rule.sentence, hit.detail
    )


def conformance(
    study: Study,
    datasets: Mapping[str, Dataset],
    terminology: Terminology | None = None,
    adam: Mapping[str, Dataset] | None = None,
    package: PackageFacts | None = None,
    given: frozenset[str] = EVERYTHING_OF_A_BUILD,
) -> dict[str, Any]:
    """Return the result of our rules as plain data, the same from run to run.

    Keys: study, standard, terminology, datasets (name and records), rules (id, sentence, source, severity, what they
    cover, findings, and why one was not judged), findings (see finding.Finding) and counts (rules, findings, explained,
    unexplained). Raises StudyError if conformance.yaml is not fit.
    """
    terminology, given = terminology or Terminology.open(study), given | _planned(study)
    asked = {"sdtm": bool(datasets) or adam is None, "adam": adam is not None, "package": package is not None}
    rules = [rule for rule in RULES.values() if asked[rule.standard]]
    judged = {rule.id for rule in rules if set(rule.needs) <= given}
    declared = [entry for entry in read_explanations(study, RULES) if entry.rule in judged]
    rows = {name: len(one.frame) for name, one in {**datasets, **(adam or {})}.items()}
    stopped: dict[str, str] | None = None if package is None else {}
    found = find(study, datasets, terminology, rules, adam, package, given, stopped)
    findings = explain(found, declared, rows)
    judged -= set(stopped or {})
    return {
        "study": study.studyid,
        "standard": _standards(study, adam is not None),
        "terminology": _packages(study, terminology, adam is not None),
        "engine": "redcap-cdisc",
        "datasets": [{"dataset": name, "records": count} for name, count in rows.items()],
        "counts": {"rules": len(judged), "not_judged": len(rules) - len(judged), **counts(findings)},
        "findings": [finding.as_dict() for finding in findings],
        "rules": [_judged(rule, findings, given, stopped or {}) for rule in rules],
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


def _judged(
    rule: ConformanceRule, findings: list[ConformanceFinding], given: frozenset[str], stopped: Mapping[str, str]
) -> dict[str, Any]:
    found = sum(finding.rule == rule.id for finding in findings)
    described = {"rule": rule.id, "sentence": rule.sentence, "source": rule.source, "severity": rule.severity}
    lacking = [NEEDED[need] for need in rule.needs if need not in given]
    lacking += [stopped[rule.id]] if rule.id in stopped else []
    return {**described, "covers": rule.covers, "findings": found, "not_judged": ", ".join(lacking)}


def write_json(result: Mapping[str, Any], path: Path) -> None:
    """Write a result as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
