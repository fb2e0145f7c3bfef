"""The output templates on another study, each expectation counted by hand from six invented subjects."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from metadata.dataset import Dataset, DatasetMetadata
from metadata.study import Study
from reports.compute import compute
from reports.html.pages import write

STUDY = """
study: {id: OTHER-01, title: Another trial}
standards: {sdtmig: '3.3', sdtm_ct: 2019-09-27}
redcap: {}
cutoff: 2024-06-30
visits: []
"""
PLAN = "# Plan\n\n## All {#all}\n\nText.\n"
REPORTS = """
populations: {Everybody: {label: All subjects, flag: ENRLFL}}
outputs:
  - id: T1
    template: mixed_summary
    title: Characteristics
    population: Everybody
    plan: all
    variables:
      - {variable: RACE, label: Race, labels: {A: Race A, B: Race B, C: Race C}}
      - {variable: WEIGHT, label: Weight (kg), decimals: 1}
  - id: T2
    template: grade_shift
    title: Grades
    population: Everybody
    plan: all
    dataset: ADLB
    where: {AFTER: "Y"}
    parameters: {PLAT: Platelets}
    grades: ["0", "1", "2"]
  - id: T3
    template: criterion_incidence
    title: Low platelets
    population: Everybody
    plan: all
    dataset: ADLB
    where: {PARAMCD: PLAT}
    baseline: {AFTER: "N"}
    after: {AFTER: "Y"}
    schemes: [{id: low, label: Below 100, condition: {AVAL: {below: 100}}}]
  - id: F1
    template: profile_figure
    title: Platelets
    population: Everybody
    plan: all
    dataset: ADLB
    subject: USUBJID
    where: {PARAMCD: PLAT}
    x: {variable: ADY, label: Day, ticks: [0, 10]}
    y: {variable: AVAL, label: Platelets, ticks: [0, 200]}
    median: {visits: {Visit 2: 8}}
"""


@pytest.fixture
def other(tmp_path: Path) -> Study:
    for name, text in {"study.yaml": STUDY, "sap.md": PLAN, "reports.yaml": REPORTS}.items():
        (tmp_path / name).write_text(text)
    return Study(tmp_path)


def dataset(name: str, frame: pd.DataFrame) -> Dataset:
    return Dataset(DatasetMetadata(name, name, "", "", ("USUBJID",), ()), frame)


@pytest.fixture
def adam() -> dict[str, Dataset]:
    subjects = pd.DataFrame(
        {
            "USUBJID": list("123456"),
            "ENRLFL": list("YYYYYN"),
            "RACE": ["A", "A", "B", "X", "", "A"],
            "WEIGHT": [60.0, 70.5, float("nan"), 80.0, 90.0, 1.0],
        }
    )
    # Baseline 90 counts as low: subject 1 was low before; 2 became low; 3 never; 4 has no baseline; 5 none after.
    platelets = pd.DataFrame(
        [
            ("1", "N", 1, 90.0, "1", "1", "Visit 1"),
            ("1", "Y", 8, 80.0, "1", "1", "Visit 2"),
            ("2", "N", 1, 150.0, "0", "0", "Visit 1"),
            ("2", "Y", 8, 60.0, "2", "0", "Visit 2"),
            ("2", "Y", 9, 120.0, "0", "0", ""),
            ("3", "N", 1, 150.0, "0", "0", "Visit 1"),
            ("3", "Y", 8, 140.0, "0", "0", "Visit 2"),
            ("4", "Y", 8, 70.0, "2", "", "Visit 2"),
            ("5", "N", 1, 150.0, "0", "0", "Visit 1"),
            ("6", "Y", 8, 10.0, "2", "0", "Visit 2"),
        ],
        columns=["USUBJID", "AFTER", "ADY", "AVAL", "ATOXGR", "BTOXGR", "AVISIT"],
    ).assign(PARAMCD="PLAT")
    return {"ADSL": dataset("ADSL", subjects), "ADLB": dataset("ADLB", platelets)}


@pytest.fixture
def results(other: Study, adam: dict[str, Dataset]) -> pd.DataFrame:
    return compute(other, adam)


def counts(results: pd.DataFrame, output: str, variable: str) -> dict[str, int]:
    rows = results[
        (results["output"] == output) & (results["variable"] == variable) & (results["statistic"] == "count")
    ]
    return {level: int(value) for level, value in zip(rows["level"], rows["value"], strict=True)}


def test_undeclared_and_missing_categories_are_counted_too(results: pd.DataFrame) -> None:
    assert counts(results, "T1", "RACE") == {"A": 2, "B": 1, "C": 0, "X": 1, "Missing": 1}


def test_numbers_are_described_without_the_missing(results: pd.DataFrame) -> None:
    weights = results[results["variable"] == "WEIGHT"].set_index("statistic")["text"]
    # 60, 70.5, 80, 90: mean 75.125, quartiles 65.25 and 85.
    assert weights[["n", "mean", "median", "q1", "q3", "min", "max"]].tolist() == [
        "4", "75.13", "75.25", "65.25", "85.00", "60.0", "90.0",
    ]  # fmt: skip


def test_shift_keeps_subjects_without_a_baseline_grade_apart(results: pd.DataFrame) -> None:
    found = {level: count for level, count in counts(results, "T2", "PLAT").items() if count}
    assert found == {
        "0 to 0": 1, "0 to 2": 1, "0 to Total": 2, "0 to Worsened": 1, "1 to 1": 1, "1 to Total": 1,
        "Not graded to 2": 1, "Not graded to Total": 1, "Total to 0": 1, "Total to 1": 1, "Total to 2": 2,
        "Total to Total": 4, "Total to Worsened": 1,
    }  # fmt: skip


def test_emergent_is_met_after_and_known_not_to_be_met_before(results: pd.DataFrame) -> None:
    assert counts(results, "T3", "low") == {"Met at baseline": 1, "Any after baseline": 3, "Treatment-emergent": 1}
    assessed = results[(results["output"] == "T3") & (results["level"] == "Any after baseline")]
    assert set(assessed["n"]) == {4}


def test_a_figure_is_drawn_from_the_results_alone(other: Study, results: pd.DataFrame, tmp_path: Path) -> None:
    own = results[results["output"] == "F1"]
    assert len(own[own["statistic"] == "value"]) == 9
    # 80, 60, 140 and 70 at visit 2: median 75.
    assert own[own["statistic"] == "median"]["value"].tolist() == [75]
    files = write(other, results, tmp_path / "out", "2024-06-30", "id")
    assert (tmp_path / "out" / "F1.svg") in files


def test_real_patients_are_not_called_synthetic(other: Study, results: pd.DataFrame, tmp_path: Path) -> None:
    write(other, results, tmp_path / "out", "2024-06-30", "id")
    text = "".join(page.read_text() for page in (tmp_path / "out").glob("*.html"))
    assert "ynthetic" not in text
    assert "OTHER-01" in text
