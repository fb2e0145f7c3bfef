"""Tables of several parameters, endpoints or records, counted by hand from five subjects."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from metadata.dataset import Dataset, DatasetMetadata
from metadata.errors import StudyError
from metadata.study import Study
from reports.compute import compute
from reports.layout.table import OutputTable
from reports.results.index import ResultsIndex, rows_by_output
from reports.results.specification import read_specification
from reports.templates import KEYS, TEMPLATES
from tests.reports.small_study import TRIAL

REPORTS = """
populations: {Everybody: {label: All subjects, flag: ITTFL}}
columns: {by: TRT01P, total: All}
outputs:
  - id: T1
    template: by_visit
    title: Values by visit
    population: Everybody
    plan: all
    dataset: ADVS
    where: {ANL01FL: "Y"}
    parameters: {SBP: {label: Systolic, decimals: 0}, TEMP: {label: Temperature, decimals: 1}}
    visits: {Day 1: Day 1, Day 8: Day 8}
    values: [{variable: AVAL, label: Value}, {variable: CHG, label: Change}]
    tests: [{test: sign, visits: [Day 1, Day 8]}]
  - id: T2
    template: mixed_summary
    title: Exposure
    population: Everybody
    plan: all
    dataset: ADVS
    variables:
      - {variable: SEX, dataset: ADSL, label: Sex, labels: {F: Female}}
      - {heading: Pressure}
      - {variable: AVAL, where: {PARAMCD: SBP, AVISIT: Day 8}, label: Value, decimals: 0}
      - {where: {PARAMCD: SBP, AVISIT: Day 8, AVAL: {above: 130}}, label: Above 130}
  - id: T3
    template: time_to_event
    title: Times
    population: Everybody
    plan: all
    dataset: ADTTE
    unit: days
    times: [10]
    endpoints:
      - {label: First, where: {PARAMCD: ONE}, event: Attack}
      - {label: Second, where: {PARAMCD: TWO}, event: Fall}
    log_rank: true
  - id: T4
    template: between_groups
    title: By status
    population: Everybody
    columns: {by: STATUS, labels: {"Y": Positive, "N": Negative}}
    plan: all
    lines: [{label: Women, kind: proportion, where: {SEX: F}}]
"""


@pytest.fixture
def trial(tmp_path: Path) -> Study:
    texts = {"study.yaml": TRIAL, "sap.md": "# Plan\n\n## All {#all}\n\nText.\n", "reports.yaml": REPORTS}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return Study(tmp_path)


def dataset(name: str, frame: pd.DataFrame) -> Dataset:
    return Dataset(DatasetMetadata(name, name, "", "", ("USUBJID",), ()), frame)


@pytest.fixture
def adam() -> dict[str, Dataset]:
    subjects = pd.DataFrame({"USUBJID": list("12345"), "ITTFL": "Y", "TRT01P": list("AAABB"), "TRT01PN": 1.0})
    subjects["SEX"], subjects["STATUS"] = list("FFMFM"), ["N", "Y", "N", "Y", None]
    values = pd.DataFrame(
        [
            ("1", "SBP", "Day 1", 120.0, None), ("1", "SBP", "Day 8", 131.0, 11.0),
            ("2", "SBP", "Day 1", 130.0, None), ("2", "SBP", "Day 8", 134.0, 4.0),
            ("3", "SBP", "Day 1", 140.0, None),
            ("4", "SBP", "Day 1", 110.0, None), ("4", "SBP", "Day 8", 108.0, -2.0),
            ("1", "TEMP", "Day 1", 36.5, None),
        ],
        columns=["USUBJID", "PARAMCD", "AVISIT", "AVAL", "CHG"],
    ).assign(ANL01FL="Y")  # fmt: skip
    times = pd.DataFrame({"USUBJID": list("12345") * 2, "PARAMCD": ["ONE"] * 5 + ["TWO"] * 5})
    times["AVAL"] = [5.0, 8, 20, 15, 20, 20, 20, 20, 20, 20]
    times["CNSR"] = [0.0, 0, 1, 0, 1, 1, 1, 1, 1, 1]
    return {name: dataset(name, frame) for name, frame in (("ADSL", subjects), ("ADVS", values), ("ADTTE", times))}


def table(trial: Study, adam: dict[str, Dataset], number: int, part: int = 0) -> OutputTable:
    results = compute(trial, adam)
    output = read_specification(trial, KEYS).outputs[number - 1]
    made = TEMPLATES[output.template].layout(output, ResultsIndex(rows_by_output(results)[output.id])).tables[part]
    assert isinstance(made, OutputTable)
    return made


def test_parameters_by_visit_and_treatment(trial: Study, adam: dict[str, Dataset]) -> None:
    rows = [(row.label, row.indent, row.heading, row.cells) for row in table(trial, adam, 1).rows]
    assert [row[:3] for row in rows[:7]] == [
        ("Systolic", 0, True), ("A (N=3)", 1, True), ("Day 1", 2, False), ("Day 8", 2, False), ("B (N=2)", 1, True),
        ("Day 1", 2, False), ("Day 8", 2, False),
    ]  # fmt: skip
    # Arm A: 120, 130 and 140 on day 1; 131 and 134 on day 8, changes 11 and 4 (mean 7.5, SD 4.95).
    assert rows[2][3][:5] == ("3", "130.0 (10.0)", "130.0", "120.0, 140.0", "120, 140")
    assert rows[3][3] == (
        "2", "132.5 (2.1)", "132.5", "131.0, 134.0", "131, 134", "2", "7.5 (4.9)", "7.5", "4.0, 11.0", "4, 11",
    )  # fmt: skip
    # Nobody's temperature was taken on day 8: no line. Its decimals are its own.
    temperature = rows[[row[0] for row in rows].index("Temperature") :]
    assert [row[0] for row in temperature] == [
        "Temperature",
        "A (N=3)",
        "Day 1",
        "B (N=2)",
        "Day 1",
        "All (N=5)",
        "Day 1",
    ]
    assert temperature[2][3][2] == "36.50"


def test_statistics_are_those_that_are_chosen_in_their_order(trial: Study, adam: dict[str, Dataset]) -> None:
    file = trial.folder / "reports.yaml"
    chosen = "show: [range, geometric_mean, n]"
    text = file.read_text().replace("label: Value, decimals: 0}", f"label: Value, decimals: 0, {chosen}}}")
    file.write_text(text.replace("{variable: AVAL, label: Value}", f"{{variable: AVAL, label: Value, {chosen}}}"))
    rows = table(trial, adam, 1).rows
    # Day 1 of arm A: 120, 130 and 140; geometric mean 129.74, variation of logs 7.71%. Changes keep the usual lines.
    assert rows[2].cells[:3] == ("120, 140", "129.7 (7.7)", "3") and len(rows[2].cells) == 3 + 5
    lines = [(row.label, row.cells) for row in table(trial, adam, 2).rows]
    at = [label for label, _ in lines].index("Min, max")
    assert [label for label, _ in lines[at : at + 3]] == ["Min, max", "Geometric mean (CV%)", "n"]
    assert lines[at + 1][1][0] == "132.5 (1.6)"


def test_each_parameter_is_tested_or_says_why_not(trial: Study, adam: dict[str, Dataset]) -> None:
    results = compute(trial, adam)
    tests = results[(results["statistic"] == "p_value") & (results["output"] == "T1") & (results["group"] == "All")]
    assert tests["subset"].tolist() == ["SBP", "TEMP"]
    # Two of three changes up: 2 * (1 + 3) / 8.
    assert tests["value"].iloc[0] == 1.0
    assert (tests["text"].iloc[1], tests["n"].iloc[1]) == ("NE", 0)
    assert tests["warning"].iloc[1].startswith("not estimable")
    labels = [row.label for row in table(trial, adam, 1, 1).rows]
    assert labels[:2] == ["Systolic, A", "Sign test (positive differences)"]


def test_characteristics_of_records_under_headings(trial: Study, adam: dict[str, Dataset]) -> None:
    rows = [(row.label, row.indent, row.cells) for row in table(trial, adam, 2).rows]
    assert rows[:4] == [
        ("Sex", 0, ()), ("Female", 1, ("2 (66.7%)", "1 (50.0%)", "3 (60.0%)")),
        ("M", 1, ("1 (33.3%)", "1 (50.0%)", "2 (40.0%)")), ("Pressure", 0, ()),
    ]  # fmt: skip
    assert rows[4:6] == [("Value", 1, ()), ("n", 2, ("2", "1", "3"))]
    assert rows[-1] == ("Above 130, n (%)", 1, ("2 (66.7%)", "0", "2 (40.0%)"))


def test_endpoints_over_time_each_with_its_test(trial: Study, adam: dict[str, Dataset]) -> None:
    rows = {(row.label, number): row.cells for number, row in enumerate(table(trial, adam, 3).rows)}
    labels = [label for label, _ in rows]
    assert labels[0] == "First"
    assert rows["Attack, n (%)", 2] == ("2 (66.7%)", "1 (50.0%)", "3 (60.0%)")
    free = next(cells for (label, _), cells in rows.items() if label.startswith("Free of it at 10 days"))
    assert [cell.split(" ")[0] for cell in free] == ["33.3", "100.0", "60.0"]
    second = labels.index("Second")
    assert rows["Fall, n (%)", second + 2] == ("0", "0", "0")
    assert labels.count("p-value, log-rank test") == 2
    counted = compute(trial, adam).query("output == 'T3' and variable == 'event' and statistic == 'count'")
    for row in counted.to_dict("records"):
        assert len(adam["ADTTE"].frame.query(row["filter"])) == row["value"]


def test_codes_head_columns_by_their_labels(trial: Study, adam: dict[str, Dataset]) -> None:
    made = table(trial, adam, 4)
    # Subject 5 has no status (missing as other readers leave it) and is in the column of all.
    assert [column.label for column in made.columns] == ["Positive (N=2)", "Negative (N=2)", "All (N=5)"]
    assert made.rows[1].cells == ("2/2 (100.0%)", "1/2 (50.0%)", "3/5 (60.0%)")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("    visits: {Day 1", "    paramcd: SBP\n    visits: {Day 1", "name one 'paramcd' or several 'parameters'"),
        ("    unit: days\n", "    unit: days\n    event: Attack\n", "name one 'event' or several 'endpoints'"),
        ("where: {SEX: F}}", "where: {SEX: F}, compare: [fisher]}", "the output names no 'reference' to compare with"),
    ],
)
def test_a_wrong_declaration_is_one_sentence(
    trial: Study, adam: dict[str, Dataset], before: str, after: str, said: str
) -> None:
    (trial.folder / "reports.yaml").write_text(REPORTS.replace(before, after, 1))
    with pytest.raises(StudyError) as error:
        compute(trial, adam)
    assert said in str(error.value)


EPISODES = """
populations: {Everybody: {label: All subjects, flag: ITTFL}}
outputs:
  - id: T1
    template: criterion_incidence
    title: Low values
    population: Everybody
    plan: all
    dataset: ADLB
    where: {PARAMCD: LYM}
    baseline: {ADY: 1}
    after: {ADY: {above: 1}}
    schemes: [{id: low, label: Below 10, condition: {AVAL: {below: 10}}}]
    day: ADY
  - id: T2
    template: by_visit
    title: Trend
    population: Everybody
    plan: all
    dataset: ADLB
    where: {PARAMCD: EDSS}
    paramcd: EDSS
    visits: {Baseline: Baseline, Month 1: Month 1, Month 2: Month 2}
    values: [{variable: AVAL, label: Value, decimals: 0}]
    tests:
      - {test: sign, visits: [Baseline, Month 2]}
      - {test: sign, visits: [Baseline, Month 2], carried: true}
"""


def test_first_episodes_and_values_carried_forward(trial: Study, adam: dict[str, Dataset]) -> None:
    (trial.folder / "reports.yaml").write_text(EPISODES)
    # 1: low on 10 and 20, recovered on 40 (30 days). 2: low on 15, recovered on 25 (10). 3: low on 30 to the end, 50
    # (censored at 20). 4 never low. 5: low on 10, and on 12 both low and not: recovered on 14 (4).
    low = [
        ("1", 10, 9), ("1", 20, 8), ("1", 40, 11), ("1", 60, 5), ("2", 15, 9), ("2", 25, 10), ("3", 20, 12),
        ("3", 30, 9), ("3", 50, 9), ("4", 10, 30), ("5", 10, 1), ("5", 12, 9), ("5", 12, 11), ("5", 14, 15),
    ]  # fmt: skip
    values = pd.DataFrame(low, columns=["USUBJID", "ADY", "AVAL"]).assign(PARAMCD="LYM", AVISIT="")
    visits: dict[str, list[float | None]] = {
        "Baseline": [1, 1, 1, 1, 1],
        "Month 1": [2, 2, None, 2, 0],
        "Month 2": [3, None, None, None, 2],
    }
    scores = pd.DataFrame(
        [(str(n + 1), 1, score, "EDSS", visit) for visit, column in visits.items() for n, score in enumerate(column)],
        columns=["USUBJID", "ADY", "AVAL", "PARAMCD", "AVISIT"],
    ).dropna()
    frame = pd.concat([values, scores], ignore_index=True).astype({"AVAL": float, "ADY": float})
    results = compute(trial, adam | {"ADLB": dataset("ADLB", frame)})
    lasted = row(results, level="Duration", statistic="estimate")
    # At risk 4: one recovers at 4, one at 10, then one censored at 20: one half is reached at 10, level until 30.
    assert (lasted["value"], lasted["n"]) == (20.0, 4)
    observed = row(results, variable="sign", level="Baseline, Month 2", statistic="p_value")
    carried = row(results, variable="sign", level="Baseline, Month 2 (LOCF)", statistic="p_value")
    assert (observed["n"], carried["n"]) == (2, 4)
    # Subjects 1, 2, 4 and 5 rise; 3 has nothing after baseline, which is not carried forward.
    assert carried["value"] == 2 / 2**4
    assert "last observation carried forward" in carried["method"]


def row(results: pd.DataFrame, **keys: str) -> pd.Series:
    found = results[(results[list(keys)] == pd.Series(keys)).all(axis=1)]
    assert len(found) == 1, keys
    return found.iloc[0]
