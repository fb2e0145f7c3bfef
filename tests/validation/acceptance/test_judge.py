"""The acceptance suite: what it asks, what it tells, and that its result is the same from run to run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from metadata.dataset import Dataset, DatasetMetadata, Variable
from metadata.errors import StudyError
from metadata.study import Study
from tests.validation.small_study import edges, study
from validation.acceptance.judge import accept, write_json, write_page
from validation.acceptance.rules import check_acceptance, declared_rules

VARIABLES = (
    Variable("USUBJID", "Subject", "Char", core="Req"),
    Variable("SEX", "Sex", "Char", core="Req"),
    Variable("AGE", "Age", "Num"),
    Variable("START", "Start", "Char"),
    Variable("END", "End", "Char"),
)
DECLARED = """
datasets:
  DM:
    - {expect: row_count, value: 3}
    - {expect: row_count, value: 2, where: {SEX: F}}
    - {expect: row_count, value: 1, where: {SEX: F}}
    - {expect: distinct_count, variable: SEX, value: 2}
    - {expect: between, variable: AGE, low: 18, high: 65}
    - {expect: between, variable: AGE, low: 18, high: 60}
    - {expect: median_between, variable: AGE, low: 44, high: 46}
    - {expect: values_in, variable: SEX, values: [F]}
    - {expect: not_null, variable: START}
    - {expect: matches, variable: USUBJID, pattern: "^[AB]$"}
    - {expect: ordered, first: START, then: END}
    - {expect: values_from, variable: USUBJID, dataset: DM}
  ADSL:
    - {expect: row_count, value: 3}
"""
MET = [True, True, False, True, True, False, True, False, False, False, True, True]


def dm() -> Dataset:
    frame = pd.DataFrame(
        {
            "USUBJID": ["A", "B", "C"],
            "SEX": ["F", "F", "M"],
            "AGE": [30.0, 45.0, 61.0],
            "START": ["2000-01-01", "2000-01-01", ""],
            "END": ["2000-01-01", "2000-01-02", "1999-01-01"],
        }
    ).astype(dict.fromkeys(("USUBJID", "SEX", "START", "END"), "str"))
    metadata = DatasetMetadata("DM", "Demographics", "Special Purpose", "One record", ("USUBJID",), VARIABLES)
    return Dataset(metadata, frame, edges(np.arange(3), "*", "REDCAP", np.arange(3), "*"))


def declare(folder: Path, text: str) -> Study:
    made = study(folder)
    (folder / "acceptance.yaml").write_text(text, encoding="utf-8")
    return made


def test_declared_and_derived_expectations_are_judged(tmp_path: Path) -> None:
    made = declare(tmp_path, DECLARED)
    result = accept(made, {"DM": dm()})
    first, second = result["datasets"]
    rules = [(rule.sentence, met) for rule, met in zip(declared_rules(made, {"DM": dm()})[:12], MET, strict=True)]
    judged = [(entry["sentence"], entry["met"]) for entry in first["expectations"] if entry["source"] == "study"]
    assert sorted(judged) == sorted(rules)
    derived = [entry for entry in first["expectations"] if entry["source"] == "metadata"]
    assert [entry["met"] for entry in derived] == [True] * 4
    assert second == {
        "dataset": "ADSL",
        "rows": 0,
        "expectations": [
            {
                "sentence": "there are 3 rows",
                "source": "study",
                "expectation": "ExpectTableRowCountToEqual",
                "where": {},
                "met": False,
                "observed": "the dataset was not made",
            }
        ],
    }
    assert (result["success"], result["expectations"], result["met"]) == (False, 17, 4 + sum(MET))


def test_the_result_is_the_same_from_run_to_run_and_says_what_was_seen(tmp_path: Path) -> None:
    made = declare(tmp_path, DECLARED)
    for name in ("one", "two"):
        result = accept(made, {"DM": dm()})
        write_json(result, tmp_path / f"{name}.json")
        write_page(made, result, tmp_path / f"{name}.html", "2001-12-31")
    for kind in ("json", "html"):
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()
    entries = json.loads((tmp_path / "one.json").read_text(encoding="utf-8"))["datasets"][0]["expectations"]
    [seen] = [entry for entry in entries if entry["sentence"] == "SEX is one of F"]
    assert (seen["unexpected_count"], seen["unexpected"]) == (1, ["M"])
    page = (tmp_path / "one.html").read_text(encoding="utf-8")
    assert "not met" in page
    assert "http" not in page.replace("http-equiv", "")


def test_missing_texts_are_null_to_the_suite(tmp_path: Path) -> None:
    result = accept(declare(tmp_path, "datasets: {DM: [{expect: not_null, variable: START}]}"), {"DM": dm()})
    [entry] = [entry for entry in result["datasets"][0]["expectations"] if entry["source"] == "study"]
    assert (entry["met"], entry["unexpected_count"]) == (False, 1)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("{expect: row_counts, value: 3}", "did you mean 'row_count'?"),
        ("{expect: row_count}", "needs the key 'value'"),
        ("{expect: row_count, value: 3, colum: X}", "'row_count' has no key 'colum'"),
        ("{expect: not_null, variable: STRT}", "DM has no variable STRT (did you mean 'START'?)"),
        ("{expect: row_count, value: 3, where: {SX: F}}", "DM has no variable SX"),
        ("{expect: matches, variable: SEX, pattern: '('}", "must be a regular expression, not '('"),
    ],
)
def test_mistakes_name_the_line(tmp_path: Path, rule: str, said: str) -> None:
    made = declare(tmp_path, f"datasets:\n  DM:\n    - {rule}\n")
    with pytest.raises(StudyError) as caught:
        declared_rules(made, {"DM": dm()})
    assert said in str(caught.value)
    assert "acceptance.yaml, line 3" in str(caught.value)


def test_the_bundled_study_declares_the_published_counts() -> None:
    rules = {rule.sentence for rule in declared_rules(Study.open("spms_aza"), {}) if rule.dataset in ("DM", "DS")}
    assert {
        "there are 10 rows",
        "where SEX is F, there are 6 rows",
        "where DSDECOD is COMPLETED, there are 8 rows",
    } <= rules


def judged(folder: Path, rule: str) -> tuple[bool, object]:
    """Whether an expectation on DM is met, and what was observed."""
    result = accept(declare(folder, f"datasets: {{DM: [{rule}]}}"), {"DM": dm()})
    [entry] = [entry for entry in result["datasets"][0]["expectations"] if entry["source"] == "study"]
    return entry["met"], entry["observed"]


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ("{AGE: {above: 40}}", 2),  # these three selected no row and counted as met
        ("{SEX: [F, M]}", 3),
        ("{AGE: 45}", 1),
        ("{AGE: {at_least: 30, below: 61}}", 2),
        ("{SEX: {not: F}}", 1),
        ("{END: {above: {variable: START}}, START: {missing: false}}", 1),
        ("{START: {missing: true}}", 1),
        ('{START: ""}', 1),
        ("[{SEX: M}, {AGE: 30}]", 2),
    ],
)
def test_rows_are_chosen_by_the_language_of_conditions(tmp_path: Path, where: str, rows: int) -> None:
    assert judged(tmp_path, f"{{expect: row_count, value: {rows}, where: {where}}}") == (True, rows)
    assert judged(tmp_path, f"{{expect: row_count, value: {rows + 1}, where: {where}}}") == (False, rows)


@pytest.mark.parametrize(
    ("rule", "met", "observed"),
    [
        ("expect: between, variable: AGE, low: 0, high: 1, where: {AGE: {above: 90}}", False, "no row is looked at"),
        ("expect: values_in, variable: SEX, values: [X], where: {SEX: U}", False, "no row is looked at"),
        ("expect: not_null, variable: SEX, where: {SEX: U}", False, "no row is looked at"),
        ("expect: row_count, value: 0, where: {SEX: U}", False, "no row is looked at"),
        ("expect: row_count, value: 0, where: {SEX: U}, may_be_empty: true", True, 0),
        ("expect: row_count, value: 1, where: {SEX: U}, may_be_empty: true", False, 0),
        ("expect: not_null, variable: SEX, where: {SEX: U}, may_be_empty: true", True, None),
        ("expect: mean_between, variable: AGE, low: 0, high: 9, where: {SEX: U}, may_be_empty: true", True,
         "no row is looked at"),
    ],
)  # fmt: skip
def test_what_looks_at_no_row_is_not_met_unless_it_may_be_empty(
    tmp_path: Path, rule: str, met: bool, observed: object
) -> None:
    assert judged(tmp_path, f"{{{rule}}}") == (met, observed)


def test_a_dataset_without_rows_meets_only_its_metadata(tmp_path: Path) -> None:
    empty = Dataset(dm().metadata, dm().frame.iloc[:0])
    result = accept(declare(tmp_path, "datasets: {DM: [{expect: not_null, variable: SEX}]}"), {"DM": empty})
    assert {entry["source"]: entry["met"] for entry in result["datasets"][0]["expectations"]} == {
        "metadata": True,
        "study": False,
    }


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("{AGE: {abov: 1}}", "key 'abov': 'abov' is not a test (did you mean 'above'?)"),
        ('{AGE: "45"}', "key 'AGE': DM.AGE is a number, '45' is not"),
        ("{SEX: 1}", "key 'SEX': DM.SEX is text: write \"1\" in quotes"),
        ("{SEX: {above: 1}}", "key 'above': DM.SEX holds text; a number is needed to compare with 1"),
        ("{AGE: {above: {variable: SEX}}}", "key 'above': DM.AGE is a number, DM.SEX is text: they cannot be compared"),
        ("{AGE: {above: {variable: AG}}}", "DM has no variable AG (did you mean 'AGE'?)"),
        ("{SEX: true}", "key 'SEX': a variable never has the value true or false"),
    ],
)
def test_a_condition_that_cannot_hold_is_refused_before_data(tmp_path: Path, where: str, said: str) -> None:
    made = declare(tmp_path, f"datasets:\n  DM:\n    - {{expect: not_null, variable: SEX, where: {where}}}\n")
    found = check_acceptance(made, {"DM": dm().metadata.kinds})
    assert [said in str(error) for error in found] == [True]
    assert "acceptance.yaml, line 3" in str(found[0])


def test_what_is_declared_of_other_records_is_listed_as_not_judged(tmp_path: Path) -> None:
    rules = "{expect: row_count, value: 4, of_records: 5}, {expect: row_count, value: 3, of_records: 3}"
    made = declare(tmp_path, f"datasets: {{DM: [{rules}]}}")
    for records, met, observed in ((3, None, "not judged: it is declared of 5 records, and the snapshot has 3"),
                                   (5, False, 3), (None, False, 3)):  # fmt: skip
        result = accept(made, {"DM": dm()}, records=records)
        entries = {entry["sentence"]: entry for entry in result["datasets"][0]["expectations"]}
        entry = entries["there are 4 rows"]
        assert (entry["met"], entry["observed"]) == (met, observed)
        assert result["not_judged"] == {3: 1, 5: 1, None: 0}[records]
        judged = result["expectations"] - result["not_judged"]
        assert result["success"] is (result["met"] == judged) is (records == 3)
    write_page(made, accept(made, {"DM": dm()}, records=1200), tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<b>2</b>not judged" in page and "declared of 5 records, and the snapshot has 1,200" in page
    assert page.count('badge warning">not judged') == 2


def test_great_expectations_is_imported_only_when_it_judges() -> None:
    said = "import sys, validation.acceptance.judge; print('great_expectations' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
