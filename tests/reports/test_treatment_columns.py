"""Treatment columns: each counts its own subjects, nobody is pooled under another name, an empty arm stays."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from metadata.dataset import Dataset
from metadata.errors import StudyError
from reports.compute import compute
from reports.html.pages import write
from reports.results.analysis_data import AnalysisData
from reports.results.specification import ReportSpecification, read_specification
from reports.templates import KEYS
from tests.reports.small_study import dataset, small_study

# ars_ldm 1.0 of CDISC (project/jsonschema of cdisc-org/analysis-results-standard, MIT licence).
SCHEMA = Path(__file__).parent / "ars_ldm.schema.json"
STUDY = """
study: {id: OTHER-06, title: A trial, synthetic: true}
standards: {sdtmig: '3.3', sdtm_ct: 2019-09-27}
redcap: {}
cutoff: 2024-06-30
visits: []
arms: [{armcd: D, arm: Drug}, {armcd: P, arm: Placebo}]
"""
REPORTS = """
populations: {Safety: {label: Safety, flag: SAFFL}}
columns: {by: TRT01A, total: All}
outputs:
  - id: T1
    template: subject_counts
    title: Women
    population: Safety
    plan: all
    lines: [{label: Women, where: {SEX: F}}]
  - id: T2
    template: between_groups
    title: Endpoints
    population: Safety
    plan: all
    reference: Placebo
    lines:
      - {label: Women, kind: proportion, where: {SEX: F}, compare: [newcombe, fisher]}
      - label: Age
        kind: value
        variable: AGE
        compare: [mean_difference, welch_t, rank_shift, rank_sum, mean_difference_equal_variances, equal_variances_t]
      - {label: Relapse, kind: time, dataset: ADTTE, unit: days, compare: [log_rank]}
      - label: Attacks
        kind: rate
        dataset: ADTTE
        rate: {time: AVAL, count: EVENTS, unit: Days}
        compare: [conditional_ratio, conditional_test, poisson_ratio, poisson_test]
  - id: T3
    template: incidence
    title: Events
    population: Safety
    plan: all
    dataset: ADAE
    any: Any event
    term: AEDECOD
    reference: Placebo
  - id: T4
    template: time_to_event
    title: Relapse
    population: Safety
    plan: all
    dataset: ADTTE
    unit: days
    event: Relapse
    log_rank: true
    show: [table, figure]
    x: {label: Days, ticks: [0, 5, 10]}
  - id: T5
    template: mixed_summary
    title: Age
    population: Safety
    plan: all
    variables: [{variable: AGE, label: Age}, {variable: SEX, label: Sex, labels: {F: Woman, M: Man}}]
"""


def datasets(treated: dict[str, str]) -> dict[str, Dataset]:
    """Ten subjects in the population, with their treatment."""
    names = [f"S{number:02d}" for number in range(1, 11)]
    subjects = pd.DataFrame({"USUBJID": names, "SAFFL": "Y", "SEX": list("FFFMMMMMFM")})
    subjects["TRT01A"] = [treated.get(name, "") for name in names]
    subjects["AGE"] = [float(20 + number) for number in range(10)]
    times = pd.DataFrame({"USUBJID": names, "AVAL": [float(number) for number in range(1, 11)], "CNSR": 0.0})
    times["EVENTS"] = [float(number % 3) for number in range(10)]
    events = pd.DataFrame({"USUBJID": names[::2], "AEDECOD": "HEADACHE"})
    frames = {"ADSL": subjects, "ADTTE": times, "ADAE": events}
    return {name: dataset(name, frame) for name, frame in frames.items()}


def drug(*numbers: int) -> dict[str, str]:
    return {f"S{number:02d}": "Drug" for number in numbers}


def sizes(results: pd.DataFrame, output: str) -> dict[str, float]:
    heads = results[(results["output"] == output) & (results["statistic"] == "N")]
    return dict(zip(heads["group"], heads["value"], strict=True))


def women(results: pd.DataFrame) -> dict[str, float]:
    counts = results[(results["output"] == "T1") & (results["statistic"] == "count")]
    return dict(zip(counts["group"], counts["value"], strict=True))


def test_subjects_without_a_treatment_are_not_pooled_under_an_arm(tmp_path: Path) -> None:
    """Eight are treated and two are not: S01 to S08, of whom three are women; S09 is the fourth woman."""
    trial = small_study(tmp_path, STUDY, REPORTS)
    adam = datasets(drug(*range(1, 9)))
    results = compute(trial, adam)
    for output in ("T1", "T2", "T3", "T4", "T5"):
        assert sizes(results, output) == {"Drug": 8, "Placebo": 0, "No TRT01A": 2, "All": 10}, output
    assert women(results) == {"Drug": 3, "Placebo": 0, "No TRT01A": 1, "All": 4}
    own = results[(results["output"] == "T1") & (results["statistic"] == "count")].set_index("group")["filter"]
    assert own["No TRT01A"] == "SAFFL == 'Y' and TRT01A == '' and SEX == 'F'"
    assert adam["ADSL"].frame.query(own["Drug"])["USUBJID"].tolist() == ["S01", "S02", "S03"]
    # Only treatments are compared with the reference.
    tested = results[results["statistic"].isin(["p_value"]) & results["output"].isin(["T2", "T3"])]
    assert set(tested["group"]) == {"Drug"}


def test_the_column_of_those_without_a_treatment_can_have_a_heading(tmp_path: Path) -> None:
    columns = 'columns: {by: TRT01A, labels: {Drug: Verum, "": Not treated}}\n    plan: all\n    lines: [{label: Women'
    trial = small_study(tmp_path, STUDY, REPORTS.replace("plan: all\n    lines: [{label: Women", columns, 1))
    results = compute(trial, datasets(drug(*range(1, 9))))
    assert women(results) == {"Verum": 3, "Placebo": 0, "Not treated": 1, "All": 4}


def test_one_arm_is_not_the_name_of_all_subjects(tmp_path: Path) -> None:
    study, reports = STUDY.replace(", {armcd: P, arm: Placebo}", ""), REPORTS.replace(": Placebo", ": Drug")
    results = compute(small_study(tmp_path, study, reports), datasets(drug(*range(1, 9))))
    assert sizes(results, "T1") == {"Drug": 8, "No TRT01A": 2, "All": 10}
    assert women(results) == {"Drug": 3, "No TRT01A": 1, "All": 4}


def test_one_arm_counts_its_own_subjects(tmp_path: Path) -> None:
    study, reports = STUDY.replace(", {armcd: P, arm: Placebo}", ""), REPORTS.replace(": Placebo", ": Drug")
    trial = small_study(tmp_path, study, reports)
    results = compute(trial, datasets(drug(*range(1, 11))))
    assert women(results) == {"Drug": 4}


@pytest.mark.parametrize("treated", [drug(*range(1, 11)), {}], ids=["one arm empty", "nobody treated"])
def test_an_arm_with_nobody_stays_and_its_comparisons_say_why_there_is_none(
    tmp_path: Path, treated: dict[str, str]
) -> None:
    trial = small_study(tmp_path, STUDY, REPORTS)
    adam = datasets(treated)
    results = compute(trial, adam)
    assert sizes(results, "T2")["Placebo"] == 0
    assert sizes(results, "T2")["Drug"] == len(treated)
    compared = results[results["statistic"].isin(["p_value"]) & results["output"].isin(["T2", "T3"])]
    assert len(compared) >= 7
    assert set(compared["text"]) == {"NE"}
    assert compared["warning"].str.startswith("not estimable").all()
    assert write(trial, results, tmp_path / "out", "2024-06-30", "id", adam)
    assert "Placebo (N=0)" in (tmp_path / "out" / "T2.html").read_text()


def test_an_empty_population_has_its_columns(tmp_path: Path) -> None:
    trial = small_study(tmp_path, STUDY, REPORTS)
    adam = datasets(drug(1, 2))
    adam["ADSL"] = dataset("ADSL", adam["ADSL"].frame.assign(SAFFL="N"))
    results = compute(trial, adam)
    assert sizes(results, "T1") == {"Drug": 0, "Placebo": 0, "All": 0}
    assert write(trial, results, tmp_path / "out", "2024-06-30", "id", adam)


@pytest.fixture(scope="module")
def specification(tmp_path_factory: pytest.TempPathFactory) -> ReportSpecification:
    return read_specification(small_study(tmp_path_factory.mktemp("columns"), STUDY, REPORTS), KEYS)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["Drug", "Placebo", ""]), max_size=10))
def test_each_subject_is_in_one_column_and_in_that_of_all(
    specification: ReportSpecification, treatments: list[str]
) -> None:
    names = [f"S{number:02d}" for number in range(1, len(treatments) + 1)]
    subjects = pd.DataFrame({"USUBJID": names, "SAFFL": "Y", "TRT01A": treatments}, dtype="str")
    analysis = AnalysisData(specification, {"ADSL": dataset("ADSL", subjects)})
    [output] = specification.outputs[:1]
    *columns, last = analysis.groups(output)
    found = {column.label: analysis.select(output, "ADSL", column).subjects for column in columns}
    expected = {"Drug": "Drug", "Placebo": "Placebo"} | ({"No TRT01A": ""} if "" in treatments else {})
    assert found == {
        label: [name for name, own in zip(names, treatments, strict=True) if own == value]
        for label, value in expected.items()
    }
    assert (last.label, analysis.select(output, "ADSL", last).subjects) == ("All", names)


def test_names_that_are_not_those_of_the_arms_get_no_empty_column(tmp_path: Path) -> None:
    trial = small_study(tmp_path, STUDY, REPORTS.replace("reference: Placebo", "reference: Low dose"))
    treated = {f"S{number:02d}": "Low dose" if number < 4 else "High dose" for number in range(1, 11)}
    assert sizes(compute(trial, datasets(treated)), "T1") == {"High dose": 7, "Low dose": 3, "All": 10}


def test_a_reference_that_no_treatment_has_is_refused(tmp_path: Path) -> None:
    trial = small_study(tmp_path, STUDY, REPORTS.replace("reference: Placebo", "reference: Plaecbo"))
    with pytest.raises(StudyError, match="there is no treatment 'Plaecbo'; treatments here are Drug, Placebo"):
        compute(trial, datasets(drug(1)))


def test_the_reporting_event_names_the_variable_of_each_column(tmp_path: Path) -> None:
    by_sex = "columns: {by: SEX, labels: {M: Men, F: Women}}\n    plan: all\n    variables"
    trial = small_study(tmp_path, STUDY, REPORTS.replace("plan: all\n    variables", by_sex, 1))
    adam = datasets(drug(*range(1, 9)))
    write(trial, compute(trial, adam), tmp_path / "out", "2024-06-30", "id", adam)
    event = json.loads((tmp_path / "out" / "ars.json").read_text())
    Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(event)
    found = {
        group["id"]: (group["name"], *(group["condition"][key] for key in ("variable", "comparator", "value")))
        for grouping in event["analysisGroupings"] for group in grouping["groups"]
    }  # fmt: skip
    assert found == {
        "AnlsGrouping_TRT01A_01": ("Drug", "TRT01A", "EQ", ["Drug"]),
        "AnlsGrouping_TRT01A_02": ("Placebo", "TRT01A", "EQ", ["Placebo"]),
        "AnlsGrouping_TRT01A_03": ("No TRT01A", "TRT01A", "EQ", [""]),
        "AnlsGrouping_SEX_01": ("Men", "SEX", "EQ", ["M"]),
        "AnlsGrouping_SEX_02": ("Women", "SEX", "EQ", ["F"]),
    }
    [age] = [one for one in event["analyses"] if one["id"] == "An_T5_AGE"]
    assert (age["dataset"], age["variable"]) == ("ADSL", "AGE")
    assert [one["groupingId"] for one in age["orderedGroupings"]] == ["AnlsGrouping_SEX"]
    columns = {group["groupId"] for result in age["results"] for group in result.get("resultGroups", [])}
    assert columns == {"AnlsGrouping_SEX_01", "AnlsGrouping_SEX_02"}
    variables = {one["variable"] for one in event["analyses"] if "variable" in one}
    assert variables <= {name for made in adam.values() for name in made.frame}


WITHIN = """
populations: {Safety: {label: Safety, flag: SAFFL}}
outputs:
  - id: T1
    template: subject_counts
    title: Hy's law
    population: Safety
    plan: all
    dataset: ADLB
    events: Records
    lines:
      - label: Both within 30 days
        where_each: [{PARAMCD: ALT, HIGH: "Y"}, {PARAMCD: BILI, HIGH: "Y"}]
        within_days: 30
"""


def test_days_are_counted_within_a_subject(tmp_path: Path) -> None:
    """S01 has bilirubin on day 20 and S02 on day 205: near them are ALT of day 1, and ALT of days 190 and 200.

    Day 200 of S01 and day 1 of S02 are near nothing of their own, though the other has a near record of those days.
    """
    rows = [
        ("S01", "ALT", 1.0), ("S01", "ALT", 200.0), ("S01", "BILI", 20.0),
        ("S02", "ALT", 1.0), ("S02", "ALT", 190.0), ("S02", "ALT", 200.0), ("S02", "BILI", 205.0),
        ("S03", "ALT", 1.0), ("S03", "BILI", 32.0),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["USUBJID", "PARAMCD", "ADT"]).assign(HIGH="Y")
    adam = {**datasets({}), "ADLB": dataset("ADLB", frame)}
    results = compute(small_study(tmp_path, STUDY, WITHIN), adam).set_index("statistic")
    assert results.loc["count", "value"] == 2
    assert results.loc["events", "value"] == 3
    found = frame.query(str(results.loc["events", "filter"]))
    assert found.index.tolist() == [0, 4, 5]
