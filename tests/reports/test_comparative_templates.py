"""Rates, times to event, comparisons of treatments and listings, worked by hand from twelve subjects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from metadata.dataset import Dataset, DatasetMetadata
from metadata.errors import StudyError
from metadata.study import Study
from reports.compute import compute
from reports.html.pages import write

STUDY = """
study: {id: OTHER-02, title: A trial of two drugs, synthetic: true}
standards: {sdtmig: '3.3', sdtm_ct: 2019-09-27}
redcap: {}
cutoff: 2024-06-30
visits: []
"""
PLAN = "# Plan\n\n## All {#all}\n\nText.\n"
REPORTS = """
populations:
  Everybody: {label: All subjects, flag: ENRLFL}
  Finishers: {label: Subjects who finished, flag: COMPLFL}
columns: {by: ARM, total: All}
outputs:
  - id: T1
    template: rates_by_period
    title: Attacks by year
    population: Everybody
    columns: {by: NONE}
    plan: all
    dataset: ADRATE
    period: APERIODC
    periods: {BEFORE: Year before, AFTER: Year after}
    rate: {time: PYRS, unit: Person-years}
    comparisons: &comparisons
      - {method: conditional, period: AFTER, reference: BEFORE}
      - {method: poisson, period: AFTER, reference: BEFORE}
      - {method: poisson_without_subjects, period: AFTER, reference: BEFORE, purpose: sensitivity}
      - {method: signed_rank, period: AFTER, reference: BEFORE, population: Finishers}
  - id: T2
    template: time_to_event
    title: Time to first attack
    population: Everybody
    plan: all
    dataset: ADTTE
    where: {PARAMCD: FIRST}
    unit: months
    unit_days: 30
    event: Attack
    times: [3, 9]
    log_rank: true
    show: [table, figure]
    x: {label: Months, ticks: [0, 3, 6, 9]}
  - id: T3
    template: between_groups
    title: Endpoints by treatment
    population: Everybody
    plan: all
    reference: Placebo
    lines:
      - {label: Improved, kind: proportion, where: {IMPROVED: "Y"}, compare: [newcombe, fisher]}
      - label: Score
        kind: value
        variable: SCORE
        decimals: 0
        compare: [mean_difference, welch_t, rank_shift, rank_sum, mean_difference_equal_variances, equal_variances_t]
      - {label: First attack, kind: time, dataset: ADTTE, where: {PARAMCD: FIRST}, unit: days, compare: [log_rank]}
      - label: Attacks after
        kind: rate
        dataset: ADRATE
        where: {APERIODC: AFTER}
        rate: {time: PYRS, unit: Person-years}
        compare: [conditional_ratio, conditional_test, poisson_ratio, poisson_test]
  - id: L1
    template: listing
    title: Attacks
    population: Everybody
    plan: all
    dataset: ADTTE
    where: {CNSR: 0}
    list:
      - {variable: USUBJID, label: Subject}
      - {variable: ARM, label: Treatment}
      - {variable: ADT, label: Date, show: date}
      - {variable: AVAL, label: Days, decimals: 0}
      - {variable: NOTE, label: Note, labels: {"-": none}}
    order: [ADT]
    page_by: {variable: ARM, label: Treatment}
  - id: L2
    template: listing
    title: Deaths
    population: Everybody
    plan: all
    dataset: ADTTE
    where: {PARAMCD: DEATH}
    list: [{variable: USUBJID, label: Subject}, {variable: ADT, label: Date, show: date}]
    order: [USUBJID]
    empty: Nobody died.
"""
SUBJECTS = [f"S{number:02d}" for number in range(1, 13)]


@pytest.fixture
def trial(tmp_path: Path) -> Study:
    for name, text in {"study.yaml": STUDY, "sap.md": PLAN, "reports.yaml": REPORTS}.items():
        (tmp_path / name).write_text(text)
    return Study(tmp_path)


def dataset(name: str, frame: pd.DataFrame) -> Dataset:
    return Dataset(DatasetMetadata(name, name, "", "", ("USUBJID",), ()), frame)


@pytest.fixture
def adam() -> dict[str, Dataset]:
    subjects = pd.DataFrame({"USUBJID": SUBJECTS, "ENRLFL": "Y", "ARM": ["Drug"] * 6 + ["Placebo"] * 6, "NONE": ""})
    subjects["COMPLFL"] = np.where(subjects.index < 10, "Y", "N")
    subjects["IMPROVED"] = list("YYYYYN") + list("YNNNNN")
    subjects["SCORE"] = [4.0, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, np.nan]
    before = pd.DataFrame({"USUBJID": SUBJECTS, "APERIODC": "BEFORE", "AVAL": [2.0] * 12, "PYRS": 1.0})
    after = before.assign(APERIODC="AFTER", AVAL=[0.0, 0, 1, 1, 1, 1, 1, 2, 2, 1, 1, 1], PYRS=[1.0] * 11 + [0.5])
    days = [60.0, 90, 120, 270, 270, 270, 30, 30, 60, 90, 150, 270]
    times = pd.DataFrame({"USUBJID": SUBJECTS, "PARAMCD": "FIRST", "AVAL": days, "ADT": [d + 14610 for d in days]})
    times["CNSR"] = [0.0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 1]
    times["NOTE"] = ["{\\b bold}", "-", "=1+1", *["-"] * 9]
    return {
        "ADSL": dataset("ADSL", subjects),
        "ADRATE": dataset("ADRATE", pd.concat([before, after], ignore_index=True)),
        "ADTTE": dataset("ADTTE", times),
    }


@pytest.fixture
def results(trial: Study, adam: dict[str, Dataset]) -> pd.DataFrame:
    return compute(trial, adam)


def one(results: pd.DataFrame, output: str, **keys: str) -> pd.Series:
    found = results[results["output"] == output]
    for column, value in keys.items():
        found = found[found[column] == value]
    assert len(found) == 1, found
    return found.iloc[0]


def test_rates_are_events_over_person_time(results: pd.DataFrame) -> None:
    after = {"variable": "rate", "level": "AFTER"}
    assert one(results, "T1", statistic="events", **after)["value"] == 12
    assert one(results, "T1", statistic="person_time", **after)["value"] == 11.5
    assert one(results, "T1", statistic="estimate", **after)["text"] == "1.043"
    # Ten subjects with one year and 11 events, one with two in half a year... all rates: 0 0 1 1 1 1 1 2 2 1 1 2.
    assert one(results, "T1", statistic="mean", **after)["value"] == pytest.approx(13 / 12)


def test_periods_are_compared_four_ways(results: pd.DataFrame) -> None:
    expected = (12 / 11.5) / 2
    for number in ("1", "3"):
        found = one(results, "T1", variable="comparison", level=number, statistic="estimate")
        assert found["value"] == pytest.approx(expected, rel=1e-6)
    ranks = one(results, "T1", variable="comparison", level="4", statistic="p_value")
    # Differences of the ten finishers: -2 -2 and six -1 and two 0, all one way: 2 of 2**8 sign patterns.
    assert ranks["value"] == pytest.approx(2 / 2**8)
    assert (ranks["n"], ranks["population"]) == (10, "Finishers")
    fixed = one(results, "T1", variable="comparison", level="2", statistic="p_value")
    assert "fixed subject effect" in fixed["method"]


def test_time_to_event_by_treatment(results: pd.DataFrame) -> None:
    drug = {"group": "Drug", "variable": "survival"}
    assert one(results, "T2", level="3", statistic="estimate", **drug)["value"] == pytest.approx(100 * 4 / 6)
    assert one(results, "T2", level="9", statistic="estimate", **drug)["value"] == pytest.approx(50)
    # Placebo: events at 1 1 2 3 5 months, the curve is level at one half from 2 to 3.
    median = one(results, "T2", group="Placebo", variable="quantile", level="50", statistic="estimate")
    assert median["value"] == 2.5
    assert one(results, "T2", group="Drug", variable="at_risk", level="6", statistic="count")["value"] == 3
    test = one(results, "T2", variable="log_rank", statistic="p_value")
    assert (test["n"], test["group"]) == (12, "All")


def test_treatments_are_compared_with_the_reference(results: pd.DataFrame) -> None:
    drug = {"group": "Drug"}
    assert one(results, "T3", variable="newcombe", statistic="estimate", **drug)["text"] == "66.7"
    # 2 * C(6,5) C(6,1) / C(12,6) + 2 * 1 / C(12,6), the tables with 5 and 6 on one side.
    assert one(results, "T3", variable="fisher", statistic="p_value", **drug)["value"] == pytest.approx(74 / 924)
    assert one(results, "T3", variable="mean_difference", statistic="estimate", **drug)["value"] == 3.5
    assert one(results, "T3", variable="rank_shift", statistic="estimate", **drug)["value"] == 3.5
    ranks = one(results, "T3", variable="rank_sum", statistic="p_value", **drug)
    assert (ranks["n"], ranks["warning"]) == (11, "")
    ratio = one(results, "T3", variable="conditional_ratio", statistic="estimate", **drug)
    assert ratio["value"] == pytest.approx((4 / 6) / (8 / 5.5))
    assert not ((results["output"] == "T3") & (results["group"] == "Placebo") & (results["variable"] == "fisher")).any()


def test_every_statistic_finds_its_rows_again(results: pd.DataFrame, adam: dict[str, Dataset]) -> None:
    for row in results[["dataset", "filter"]].drop_duplicates().to_dict("records"):
        frame = adam[row["dataset"]].frame
        assert len(frame.query(row["filter"]) if row["filter"] else frame) >= 0
    events = one(results, "T3", variable="time", group="Drug", statistic="count")
    # Of six followed three had an attack.
    assert len(adam["ADTTE"].frame.query(events["filter"])) == events["value"] == 3


def test_pages_show_rates_curves_and_records(
    trial: Study, results: pd.DataFrame, adam: dict[str, Dataset], tmp_path: Path
) -> None:
    write(trial, results, tmp_path / "out", "2024-06-30", "id", adam)
    listing = (tmp_path / "out" / "L1.html").read_text()
    assert listing.count("<table") == 2
    assert "Treatment: Drug" in listing
    assert "2000-03-01" in listing  # day 14610 + 60; 14610 is 2000-01-01
    assert listing.index("S01") < listing.index("S03")
    assert "Nobody died." in (tmp_path / "out" / "L2.html").read_text()
    assert "Rate ratio" in (tmp_path / "out" / "T1.html").read_text()
    assert (tmp_path / "out" / "T2.svg").read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("reference: Placebo", "reference: Plaecbo", "there is no treatment 'Plaecbo'"),
        ("compare: [log_rank]", "compare: [fisher]", "'fisher' compares no time; known are log_rank"),
        ("kind: value", "kind: rate", "a rate needs the key 'rate'"),
        ("period: AFTER, reference: BEFORE}", "period: LATER, reference: BEFORE}", "'LATER' is not among the periods"),
        ("{variable: NOTE,", "{variable: NOTES,", "neither ADTTE nor ADSL has a variable NOTES (did you mean 'NOTE'?)"),
    ],
)
def test_a_wrong_declaration_is_one_sentence(
    trial: Study, adam: dict[str, Dataset], before: str, after: str, said: str
) -> None:
    (trial.folder / "reports.yaml").write_text(REPORTS.replace(before, after, 1))
    with pytest.raises(StudyError) as error:
        compute(trial, adam)
    assert said in str(error.value)
    assert "line" in str(error.value)
