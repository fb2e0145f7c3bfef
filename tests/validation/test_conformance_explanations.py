"""Explanations of a study: what they match, what is stale, and what is said of one that does not fit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from metadata.errors import StudyError
from metadata.study import Study
from validation.conformance.check import write_json
from validation.conformance.explanations import (
    STALE,
    Explanation,
    explain,
    read_explanations,
)
from validation.conformance.finding import ConformanceFinding, unexplained
from validation.conformance.page import write_page

KNOWN = ("visit.date", "term.codelist")


def finding(
    rule: str = "visit.date", dataset: str = "LB", variable: str = "LBDTC", records: int = 3, **more: str
) -> ConformanceFinding:
    severity = more.get("severity", "error")
    return ConformanceFinding(
        rule, "SDTMIG 3.3", dataset, variable, severity, records, ("USUBJID=1 LBSEQ=2",), "It must hold."
    )


@pytest.fixture
def study(tmp_path: Path) -> Study:
    (tmp_path / "study.yaml").write_text(
        "study: {id: TEST-1, title: A <test>, synthetic: true}\nstandards: {sdtmig: '3.3', sdtm_ct: 2019-09-27}\n"
        "redcap: {}\ncutoff: 2001-12-31\nvisits: []\n"
    )
    return Study(tmp_path)


def write(study: Study, text: str) -> None:
    (study.folder / "conformance.yaml").write_text(text)


def test_a_study_without_the_file_explains_nothing(study: Study) -> None:
    assert read_explanations(study, KNOWN) == []


def test_lists_of_rules_and_datasets_are_one_explanation_each(study: Study) -> None:
    write(study, "explanations:\n- {rule: [visit.date, CORE-000123], dataset: [LB, VS], reason: because}\n")
    made = read_explanations(study, KNOWN)
    assert [(one.rule, one.dataset) for one in made] == [
        ("visit.date", "LB"), ("visit.date", "VS"), ("CORE-000123", "LB"), ("CORE-000123", "VS")]  # fmt: skip
    assert made[0] == Explanation("visit.date", "LB", "", None, "because")


@pytest.mark.parametrize(
    ("entry", "explained"),
    [
        (Explanation("visit.date", "LB", "", None, "why"), True),
        (Explanation("visit.date", "LB", "LBDTC", 3, "why"), True),
        (Explanation("visit.date", "LB", "LBENDTC", None, "why"), False),
        (Explanation("visit.date", "VS", "", None, "why"), False),
        (Explanation("term.codelist", "LB", "", None, "why"), False),
    ],
)
def test_an_explanation_fits_rule_dataset_variable_and_number(entry: Explanation, explained: bool) -> None:
    made = explain([finding()], [entry])
    assert made[0].explained == ("why" if explained else "")
    assert [one.rule for one in made[1:]] == ([] if explained else [STALE])
    assert len(unexplained(made)) == (0 if explained else 2)


def test_a_finding_of_more_records_than_its_explanation_covers_says_so_and_is_one_finding() -> None:
    (made,) = explain([finding()], [Explanation("visit.date", "LB", "LBDTC", 2, "why")])
    assert (made.rule, made.explained) == ("visit.date", "")
    assert made.detail == "The explanation in conformance.yaml covers at most 2 records, and 3 are found."


@pytest.mark.parametrize(
    ("records", "share", "rows", "explained"),
    [
        (None, 0.1, 30, True),  # 3 of 30
        (None, 0.1, 29, False),  # 2 of 29
        (3, 0.1, 10, True),  # 3 of any number, or a tenth
        (2, 0.1, 10, False),
        (2, 0.1, 40, True),
        (None, 0.1, 0, False),  # a dataset that is not there
    ],
)
def test_a_share_of_the_records_may_be_explained(records: int | None, share: float, rows: int, explained: bool) -> None:
    entry = Explanation("visit.date", "LB", "", records, "why", share)
    made = explain([finding()], [entry], {"LB": rows, "VS": 900})
    assert [one.explained for one in made] == ["why" if explained else ""]


def test_a_finding_of_several_variables_is_explained_by_one_of_them() -> None:
    made = explain([finding(variable="AETERM, AESOC")], [Explanation("visit.date", "LB", "AESOC", None, "why")])
    assert [one.explained for one in made] == ["why"]


def test_notes_need_no_explanation() -> None:
    assert unexplained([finding(severity="note")]) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("explanations: {}\n", "key 'explanations': must be a list, not a mapping"),
        ("explanations:\n- visit.date\n", "key 'explanations': must be a mapping, not 'visit.date'"),
        ("explanations:\n- {rule: visit.date, dataset: LB}\n", "an entry of 'explanations' needs the key 'reason'"),
        (
            "explanations:\n- {rule: visit.date, dataset: LB, reason: ' '}\n",
            "key 'reason': must be a text that is not blank, not ' '",
        ),
        ("explanations:\n- {rule: visit.dat, dataset: LB, reason: x}\n", "did you mean 'visit.date'?"),
        ("explanations:\n- {rule: visit.date, data: LB, reason: x}\n", "did you mean 'dataset'?"),
        (
            "explanations:\n- {rule: visit.date, dataset: LB, records: none, reason: x}\n",
            "must be a whole number, not 'none'",
        ),
        ("explanations:\n- {rule: visit.date, dataset: LB, records: 0, reason: x}\n", "must be a number from 1, not 0"),
        ("explanations:\n- {rule: visit.date, dataset: LB, share: 0, reason: x}\n", "must be a number above 0, not 0"),
        ("explanations:\n- {rule: visit.date, dataset: LB, share: 2, reason: x}\n", "must be a number up to 1, not 2"),
    ],
)
def test_an_explanation_that_does_not_fit_is_named_by_file_and_line(text: str, said: str, study: Study) -> None:
    write(study, text)
    with pytest.raises(StudyError) as told:
        read_explanations(study, KNOWN)
    assert said in str(told.value) and "conformance.yaml, line" in str(told.value)


def test_a_dataset_that_the_study_does_not_make_is_named(study: Study) -> None:
    write(study, "explanations:\n- {rule: visit.date, dataset: LBX, reason: x}\n")
    with pytest.raises(StudyError, match=r"line 2, key 'dataset': there is no dataset 'LBX' \(did you mean 'LB'\?\)"):
        read_explanations(study, KNOWN, {"LB": {}, "VS": {}})


def test_the_page_shows_each_finding_escaped_and_says_synthetic(study: Study, tmp_path: Path) -> None:
    made = explain(
        [finding(), finding("term.codelist")], [Explanation("term.codelist", "LB", "", None, "a <b> reason")]
    )
    result = {
        "study": "TEST-1", "standard": "SDTMIG 3.3", "terminology": "", "engine": "redcap-cdisc",
        "datasets": [{"dataset": "LB", "records": 12345}],
        "counts": {"rules": 2, "findings": 2, "explained": 1, "unexplained": 1},
        "findings": [one.as_dict() for one in made], "rules": [],
    }  # fmt: skip
    write_page(study, result, tmp_path / "page.html", "2001-11-05")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Synthetic data" in page and "A &lt;test&gt;" in page and "a &lt;b&gt; reason" in page
    assert '"Liberation Sans"' in page  # the style sheet itself is not escaped
    assert "USUBJID=1 LBSEQ=2" in page and "and 2 more" in page and "12,345 records" in page
    assert "http" not in page.replace("http-equiv", "")
    write_json(result, tmp_path / "one.json")
    write_json(json.loads((tmp_path / "one.json").read_text()), tmp_path / "two.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
