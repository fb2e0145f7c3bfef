"""Listings: columns from several places, tests side by side, parts, and what cannot be listed is refused."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from metadata.dataset import Dataset
from metadata.errors import StudyError
from metadata.study import Study
from reports.compute import compute
from reports.layout.table import Listing
from reports.results.analysis_data import AnalysisData
from reports.results.specification import read_specification
from reports.templates import KEYS
from reports.templates.listing import show
from tests.reports.small_study import dataset, small_study

STUDY = """
study: {id: OTHER-03, title: A trial, synthetic: true}
standards: {sdtmig: '3.3', sdtm_ct: 2019-09-27}
redcap: {}
cutoff: 2024-06-30
visits: []
"""
REPORTS = """
populations: {Everybody: {label: All subjects, flag: ENRLFL}}
outputs:
  - id: L1
    template: listing
    title: Tests
    population: Everybody
    plan: all
    dataset: QS
    list:
      - {variable: SUBJID, label: Subject}
      - {variable: VISIT, label: Visit, show: sentence}
    across:
      variable: [QSSTRESC, QSREASND]
      columns:
        - {label: First, where: {QSTESTCD: ONE}, show: number}
        - {label: Second, where: {QSTESTCD: TWO}, labels: {OTHER: Other reason}}
        - {label: Rater, where: {QSTESTCD: ONE}, variable: QSRATER}
    by: [SUBJID]
    order: [SUBJID, VISITNUM]
  - id: L2
    template: listing
    title: Doses
    population: Everybody
    plan: all
    parts:
      - caption: Taken
        dataset: EX
        list: [{variable: SUBJID, label: Subject}, {variable: [EXDOSE, EXDOSU], label: Dose}]
        order: [SUBJID]
      - caption: Deaths
        dataset: ADSL
        where: {DTHFL: "Y"}
        list: [{variable: SUBJID, label: Subject}]
        order: [SUBJID]
        empty: No subject died.
"""


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return small_study(tmp_path, STUDY, REPORTS)


@pytest.fixture
def datasets() -> dict[str, Dataset]:
    """Subject 3 is outside of the population; at visit 2 of subject 1 the second test was not done."""
    frames = {
        "ADSL": pd.DataFrame({"USUBJID": ["X-1", "X-2", "X-3"], "SUBJID": ["1", "2", "3"],
                              "ENRLFL": ["Y", "Y", "N"], "DTHFL": ""}),
        "QS": pd.DataFrame(
            [("X-2", 1.0, "ONE", "7", "", "WEEK 1", 1.0), ("X-1", 3.0, "TWO", "", "OTHER", "WEEK 2", 2.0),
             ("X-1", 1.0, "ONE", "10.5", "", "WEEK 1", 1.0), ("X-1", 2.0, "TWO", "4", "", "WEEK 1", 1.0),
             ("X-3", 1.0, "ONE", "9", "", "WEEK 1", 1.0)],
            columns=["USUBJID", "QSSEQ", "QSTESTCD", "QSSTRESC", "QSREASND", "VISIT", "VISITNUM"],
        ),
        "SUPPQS": pd.DataFrame({"USUBJID": ["X-1", "X-2", "X-3"], "IDVAR": "QSSEQ", "IDVARVAL": "1",
                                "QNAM": "QSRATER", "QVAL": ["AB", "CD", "EF"]}),
        "EX": pd.DataFrame({"USUBJID": ["X-2", "X-1"], "EXDOSE": [50.0, 12.5], "EXDOSU": ["mg", "mg"]}),
    }  # fmt: skip
    return {name: dataset(name, frame) for name, frame in frames.items()}


def listings(study: Study, datasets: dict[str, Dataset], place: int) -> list[Listing]:
    specification = read_specification(study, KEYS)
    tables = show(AnalysisData(specification, datasets), specification.outputs[place]).tables
    return [table for table in tables if isinstance(table, Listing)]


def test_tests_stand_side_by_side_with_reasons_and_qualifiers(study: Study, datasets: dict[str, Dataset]) -> None:
    (shown,) = listings(study, datasets, 0)
    assert [column.label for column in shown.columns] == ["Subject", "Visit", "First", "Second", "Rater"]
    assert [column.text for column in shown.columns] == [True, True, False, True, True]
    assert list(zip(*shown.texts, strict=True)) == [
        ("1", "Week 1", "10.5", "4", "AB"), ("1", "Week 2", "", "Other reason", ""), ("2", "Week 1", "7", "", "CD"),
    ]  # fmt: skip
    assert shown.grouped == 1


def test_parts_have_their_own_datasets_and_an_empty_one_says_so(study: Study, datasets: dict[str, Dataset]) -> None:
    taken, deaths = listings(study, datasets, 1)
    assert (taken.caption, taken.texts) == ("Taken", (("1", "2"), ("12.5 mg", "50 mg")))
    assert (deaths.size, deaths.empty) == (0, "No subject died.")


def test_the_results_count_records_by_dataset(study: Study, datasets: dict[str, Dataset]) -> None:
    results = compute(study, datasets)
    counts = results[results["statistic"] == "events"][["output", "dataset", "value", "n"]]
    assert counts.to_numpy().tolist() == [
        ["L1", "QS", 4, 2], ["L1", "SUPPQS", 2, 2], ["L2", "EX", 2, 2], ["L2", "ADSL", 0, 0],
    ]  # fmt: skip


def test_two_records_for_one_cell_are_refused(study: Study, datasets: dict[str, Dataset]) -> None:
    frame = datasets["QS"].frame
    twice = dataset("QS", pd.concat([frame, frame.iloc[[2]].assign(QSSEQ=9.0)], ignore_index=True))
    with pytest.raises(StudyError, match="two records of QS for one line of the listing: USUBJID X-1"):
        listings(study, {**datasets, "QS": twice}, 0)


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("by: [SUBJID]", "by: [VISIT]", "the first columns of the list are SUBJID: group by those"),
        ("variable: QSRATER", "variable: QSRATRE", "neither QS nor ADSL has a variable QSRATRE"),
        ("plan: all\n    parts:", "plan: all\n    order: [SUBJID]\n    parts:", "has this key in each of its parts"),
        ("dataset: QS", "dataset: QX", "there is no dataset 'QX'"),
    ],
)
def test_mistakes_are_one_sentence(
    study: Study, datasets: dict[str, Dataset], was: str, becomes: str, said: str
) -> None:
    (study.folder / "reports.yaml").write_text(REPORTS.replace(was, becomes))
    with pytest.raises(StudyError) as error:
        compute(Study(study.folder), datasets)
    assert said in str(error.value)
    assert "reports.yaml, line " in str(error.value)
