"""What was given is held to the dosing plan of study.yaml, where there is one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from metadata.study import Study
from metadata.terminology import Terminology
from tests.validation.seeding import Datasets, again, records_by_place, seed, without
from validation.conformance.check import conformance, find
from validation.conformance.rule import EVERYTHING_OF_A_BUILD, RULES

DOSING = [one for one in RULES.values() if "dosing" in one.needs]
Change = Callable[[Datasets], Datasets]
SEEDS: list[tuple[str, str, str, str, Change]] = [
    ("exposure.plan", "EX", "EXTRT", "error", lambda d: seed(d, "EX", "EXTRT", "METHOTREXATE")),
    ("exposure.plan", "EX", "EXTRT", "error", lambda d: seed(d, "DM", "ACTARMCD", "OTHER")),
    ("exposure.plan", "EX", "EXDOSU", "error", lambda d: seed(d, "EX", "EXDOSU", "g", EXTRT="AZATHIOPRINE")),
    ("exposure.planned_dose", "EX", "EXDOSE", "error", lambda d: seed(d, "EX", "EXDOSE", 0.0)),
    ("exposure.planned_dose", "EX", "EXDOSE", "warning", lambda d: seed(d, "EX", "EXDOSE", 500.0)),
    ("exposure.planned_way", "EX", "EXDOSFRQ", "warning", lambda d: seed(d, "EX", "EXDOSFRQ", "QM")),
    ("exposure.planned_way", "EX", "EXROUTE", "warning", lambda d: seed(d, "EX", "EXROUTE", "TOPICAL")),
    ("exposure.planned_way", "EX", "EXDOSFRM", "warning", lambda d: seed(d, "EX", "EXDOSFRM", "CAPSULE")),
    ("exposure.planned_way", "EX", "EPOCH", "warning", lambda d: seed(d, "EX", "EPOCH", "SCREENING")),
    (
        "exposure.planned_missing",
        "DM",
        "ACTARMCD",
        "warning",
        lambda d: without(d, "EX", USUBJID="SPMSAZA-SYNTH-01-001", EXTRT="AZATHIOPRINE"),
    ),
    ("summary.dosing", "TS", "TSVAL", "error", lambda d: seed(d, "TS", "TSVAL", "80", TSPARMCD="DOSE")),
    ("summary.dosing", "TS", "TSVAL", "error", lambda d: seed(d, "TS", "TSVAL", "g", TSPARMCD="DOSU")),
]


@pytest.mark.parametrize(("rule", "dataset", "variable", "severity", "change"), SEEDS)
def test_what_was_not_planned_is_found(
    rule: str,
    dataset: str,
    variable: str,
    severity: str,
    change: Change,
    study: Study,
    terminology: Terminology,
    sdtm: Datasets,
) -> None:
    assert records_by_place(study, sdtm, terminology, rule) == {}
    found = find(study, change(sdtm), terminology, [RULES[rule]])
    assert (dataset, variable, severity) in {(one.dataset, one.variable, one.severity) for one in found}


def test_a_dose_that_is_not_given_is_an_error(study: Study, terminology: Terminology, sdtm: Datasets) -> None:
    changed = seed(sdtm, "EX", "EXDOSE", float("nan"))
    assert records_by_place(study, changed, terminology, "exposure.given") == {("EX", "EXDOSE"): 1}


def test_a_subject_without_an_actual_arm_may_have_any_planned_treatment(
    study: Study, terminology: Terminology, sdtm: Datasets
) -> None:
    changed = seed(sdtm, "DM", "ACTARMCD", "", SUBJID="01-001")
    assert [one.rule for one in find(study, changed, terminology, DOSING)] == []
    changed = seed(changed, "EX", "EXTRT", "METHOTREXATE", USUBJID="SPMSAZA-SYNTH-01-001")
    assert {one.rule for one in find(study, changed, terminology, DOSING)} == {"exposure.plan"}


def test_without_a_plan_the_rules_are_not_judged(
    study: Study, terminology: Terminology, sdtm: Datasets, tmp_path: Path
) -> None:
    text = (study.folder / "study.yaml").read_text(encoding="utf-8")
    start, end = text.index("dosing:"), text.index("# day: planned")
    (tmp_path / "study.yaml").write_text(text[:start] + text[end:], encoding="utf-8")
    changed = seed(again(sdtm, "EX", EXTRT="METHOTREXATE"), "EX", "EXDOSU", "g")
    result = conformance(Study(tmp_path), changed, terminology, given=EVERYTHING_OF_A_BUILD - {"study"})
    said = {one["rule"]: one["not_judged"] for one in result["rules"]}
    assert {said[one.id] for one in DOSING} == {"a dosing plan (dosing) in study.yaml"}


def test_a_treatment_of_several_elements_is_held_to_that_of_its_epoch(
    study: Study, terminology: Terminology, sdtm: Datasets, tmp_path: Path
) -> None:
    """A dose of the follow-up is none of the treatment's."""
    text = (study.folder / "study.yaml").read_text(encoding="utf-8")
    later = "  - {treatment: AZATHIOPRINE, element: FU, doses: [25], unit: mg}\n\n# day: planned"
    (tmp_path / "study.yaml").write_text(text.replace("\n# day: planned", later, 1), encoding="utf-8")
    low = seed(sdtm, "EX", "EXDOSE", 25.0, EXTRT="AZATHIOPRINE")
    assert records_by_place(Study(tmp_path), low, terminology, "exposure.planned_dose") == {("EX", "EXDOSE"): 1}
    later_on = seed(low, "EX", "EPOCH", "FOLLOW-UP", EXTRT="AZATHIOPRINE")
    assert records_by_place(Study(tmp_path), later_on, terminology, "exposure.planned_dose") == {}
    assert records_by_place(Study(tmp_path), later_on, terminology, "exposure.planned_way") == {}
