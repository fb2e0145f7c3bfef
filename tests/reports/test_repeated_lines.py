"""Lines that are declared alike print their own numbers, counted by hand from five subjects."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest

from metadata.dataset import Dataset
from metadata.errors import StudyError
from metadata.study import Study
from reports.compute import compute, write_csv
from reports.layout.table import OutputTable
from reports.results.builder import PUBLISHED
from reports.results.index import ResultsIndex, rows_by_output
from reports.results.specification import read_specification
from reports.templates import KEYS, TEMPLATES
from tests.reports.small_study import TRIAL, dataset, small_study

REPORTS = """
populations: {Everybody: {label: All subjects, flag: ITTFL}}
columns: {by: TRT01P, total: All}
outputs:
  - id: T1
    template: subject_counts
    title: Two lines of one label
    population: Everybody
    plan: all
    lines: [{label: Same, where: {SEX: F}, by: REASON}, {label: Same, where: {SEX: M}, by: REASON}]
    pairs:
      - {label: Same, dataset: ADVS, where: {PARAMCD: P}, visits: [Day 1, Day 8], condition: {AVAL: {above: 4}}}
      - {label: Same, dataset: ADVS, where: {PARAMCD: P}, visits: [Day 1, Day 8], condition: {AVAL: {above: 5}}}
  - id: T2
    template: mixed_summary
    title: One variable twice
    population: Everybody
    plan: all
    variables:
      - {variable: AGE, label: Age, decimals: 0}
      - {variable: AGE, label: Age, decimals: 2}
      - {variable: SEX, label: Sex, labels: {F: Woman}}
      - {variable: SEX, label: Sex, labels: {F: Female, M: Male}}
  - id: T3
    template: by_visit
    title: One value twice
    population: Everybody
    plan: all
    dataset: ADVS
    where: {PARAMCD: P}
    paramcd: P
    visits: {Day 1: Day 1}
    values: [{variable: AVAL, label: Value, decimals: 0}, {variable: AVAL, label: Value, decimals: 1}]
  - id: T4
    template: time_to_event
    title: Two endpoints of one label
    population: Everybody
    plan: all
    dataset: ADTTE
    unit: days
    endpoints:
      - {label: Same, where: {PARAMCD: ONE}, event: Attack}
      - {label: Same, where: {PARAMCD: TWO}, event: Attack}
  - id: T5
    template: incidence
    title: Two parts of one label
    population: Everybody
    plan: all
    dataset: ADAE
    term: AEDECOD
    parts:
      - {label: Same, any: Any event, where: {AESER: "Y"}}
      - {label: Same, any: Any event, where: {AESER: "N"}}
  - id: T6
    template: criterion_incidence
    title: Two schemes of one id
    population: Everybody
    plan: all
    dataset: ADVS
    where: {PARAMCD: P}
    baseline: {AVISIT: Day 1}
    after: {AVISIT: Day 8}
    schemes:
      - {id: high, label: Same, condition: {AVAL: {above: 4}}}
      - {id: high, label: Same, condition: {AVAL: {above: 6}}}
"""


@pytest.fixture
def trial(tmp_path: Path) -> Study:
    return small_study(tmp_path, TRIAL, REPORTS)


@pytest.fixture
def adam() -> dict[str, Dataset]:
    subjects = pd.DataFrame({"USUBJID": list("12345"), "ITTFL": "Y", "TRT01P": list("AAABB"), "TRT01PN": 1.0})
    subjects = subjects.assign(SEX=list("FFMFM"), REASON="Own wish", AGE=[20.0, 31, 42, 50, 60])
    values = pd.DataFrame({"USUBJID": list("12345") * 2, "PARAMCD": "P", "AVISIT": ["Day 1"] * 5 + ["Day 8"] * 5})
    values["AVAL"] = [1.0, 2, 6, 4, 5, 5, 7, 2, 9, 3]
    times = pd.DataFrame({"USUBJID": list("12345") * 2, "PARAMCD": ["ONE"] * 5 + ["TWO"] * 5})
    times["AVAL"], times["CNSR"] = 10.0, [0.0, 0, 1, 0, 1, 1, 1, 0, 1, 1]
    events = pd.DataFrame({"USUBJID": list("1124"), "AEDECOD": list("XYXX"), "AESER": list("YNNN")})
    frames = {"ADSL": subjects, "ADVS": values, "ADTTE": times, "ADAE": events}
    return {name: dataset(name, frame) for name, frame in frames.items()}


def rows(trial: Study, adam: dict[str, Dataset], name: str, part: int = 0) -> list[tuple[str, tuple[str, ...]]]:
    """Labels and cells of the columns A, B and All of one table of an output, headings left out."""
    results = compute(trial, adam)
    output = next(output for output in read_specification(trial, KEYS).outputs if output.id == name)
    table = TEMPLATES[output.template].layout(output, ResultsIndex(rows_by_output(results)[name])).tables[part]
    assert isinstance(table, OutputTable)
    return [(row.label, row.cells) for row in table.rows if not row.heading]


def test_two_lines_of_one_label_count_their_own_subjects(trial: Study, adam: dict[str, Dataset]) -> None:
    women, men = ("2 (66.7%)", "1 (50.0%)", "3 (60.0%)"), ("1 (33.3%)", "1 (50.0%)", "2 (40.0%)")
    shown = rows(trial, adam, "T1")
    assert shown == [("Same", women), ("Own wish", women), ("Same", men), ("Own wish", men)]


def test_two_pairs_of_one_label_have_their_own_fourfold_tables(trial: Study, adam: dict[str, Dataset]) -> None:
    """Above 4: on day 1 the third and fifth, on day 8 the others. Above 5: the third; the second and fourth."""
    everybody = [cells[1:6] for _, cells in rows(trial, adam, "T1", 1)[-2:]]
    assert everybody == [("5", "0", "2", "3", "0"), ("5", "0", "1", "2", "2")]


def test_one_variable_twice_is_printed_with_the_decimals_of_each_line(trial: Study, adam: dict[str, Dataset]) -> None:
    shown = rows(trial, adam, "T2")
    means = [cells[0] for label, cells in shown if "mean" in label.lower()]
    # 20, 31 and 42: mean 31, standard deviation 11; one decimal more than the line declares.
    assert means == ["31.0 (11.0)", "31.000 (11.000)"]
    counted = [(label, cells[0]) for label, cells in shown[-4:]]
    assert counted == [("Woman", "2 (66.7%)"), ("M", "1 (33.3%)"), ("Female", "2 (66.7%)"), ("Male", "1 (33.3%)")]


def test_one_value_twice_is_described_with_its_own_decimals(trial: Study, adam: dict[str, Dataset]) -> None:
    """Arm A on day 1: 1, 2 and 6, mean 3, standard deviation 2.6458."""
    cells = rows(trial, adam, "T3")[0][1]
    assert (cells[1], cells[6]) == ("3.0 (2.6)", "3.00 (2.65)")


def test_two_endpoints_of_one_label_have_their_own_events(trial: Study, adam: dict[str, Dataset]) -> None:
    events = [cells for label, cells in rows(trial, adam, "T4") if label.startswith("Attack")]
    assert events == [("2 (66.7%)", "1 (50.0%)", "3 (60.0%)"), ("1 (33.3%)", "0", "1 (20.0%)")]


def test_two_parts_of_one_label_have_their_own_terms(trial: Study, adam: dict[str, Dataset]) -> None:
    serious, others = (rows(trial, adam, "T5", part) for part in (0, 1))
    assert [(label, cells[-2:]) for label, cells in serious] == [
        ("Any event", ("1 (20.0%)", "1")),
        ("X", ("1 (20.0%)", "1")),
    ]
    assert [(label, cells[-2:]) for label, cells in others] == [
        ("Any event", ("3 (60.0%)", "3")),
        ("X", ("2 (40.0%)", "2")),
        ("Y", ("1 (20.0%)", "1")),
    ]


def test_two_schemes_of_one_id_have_their_own_counts(trial: Study, adam: dict[str, Dataset]) -> None:
    """After baseline above 4: the first, second and fourth; above 6: the second and the fourth."""
    counted = [cells[0] for label, cells in rows(trial, adam, "T6") if label == "Any after baseline"]
    assert counted[-2:] == ["3 (60.0%)", "2 (40.0%)"]


def test_every_result_is_found_by_what_the_file_says_of_it(
    trial: Study, adam: dict[str, Dataset], tmp_path: Path
) -> None:
    write_csv(compute(trial, adam), tmp_path / "results.csv")
    with (tmp_path / "results.csv").open(encoding="utf-8", newline="") as lines:
        found = list(csv.DictReader(lines))
    assert tuple(found[0]) == PUBLISHED
    keys = [
        tuple(row[name] for name in ("analysis", "group", "variable", "level", "subset", "statistic")) for row in found
    ]
    assert len(set(keys)) == len(keys)


def test_a_result_that_is_given_twice_is_refused(adam: dict[str, Dataset], tmp_path: Path) -> None:
    text = REPORTS.replace("    unit: days\n", "    unit: days\n    times: [10, 10]\n")
    number = text.splitlines().index("  - id: T4") + 1
    with pytest.raises(
        StudyError, match=rf"line {number}, key 'id': endpoint 1 of T4 gives 'estimate' of survival, 10"
    ):
        compute(small_study(tmp_path, TRIAL, text), adam)
