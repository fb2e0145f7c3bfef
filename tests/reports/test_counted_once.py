"""Nobody counts twice in a summary, nor in a column whose number of subjects is without him."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from metadata.errors import StudyError
from reports.compute import compute
from tests.reports.small_study import TRIAL, dataset, small_study

REPORTS = """
populations: {Everybody: {label: All subjects, flag: ITTFL}}
columns: {by: TRT01P, total: All}
outputs:
  - {id: T1, title: x, population: Everybody, plan: all, %s}
"""
Frames = dict[str, pd.DataFrame]
BY_VISIT = """template: by_visit, dataset: ADVS, paramcd: P, visits: {Day 1: Day 1},
    values: [{variable: AVAL, label: Value, decimals: 1}]"""
BETWEEN = """template: between_groups, reference: B,
    lines: [{label: Value, kind: value, dataset: ADVS, variable: AVAL, compare: [mean_difference]}]"""
MIXED = "template: mixed_summary, dataset: ADVS, variables: [{variable: AVAL, label: Value}]"
MEANS = """template: mean_figure, dataset: ADVS, variable: AVAL, visits: {Day 1: 1, Day 8: 8},
    x: {label: Visit}, y: {label: Value, ticks: [0, 9]}"""
EVENTS = "template: incidence, dataset: ADAE, term: AEDECOD, any: Any event"
TIMES = "template: time_to_event, dataset: ADTTE, unit: days, event: Attack"

OF_MEN = "where: {AGE: {above: 30}}, denominator: {SEX: M}"
COUNTS = f"template: subject_counts, lines: [{{label: Old men, {OF_MEN}}}]"
SHARES = f"template: between_groups, reference: B, lines: [{{label: Old men, kind: proportion, {OF_MEN}}}]"
RATES = """template: between_groups, reference: B,
    lines: [{label: Attacks, kind: rate, dataset: ADTTE, rate: {time: AVAL, count: EVENTS, unit: Days}}]"""


def frames() -> Frames:
    subjects = pd.DataFrame({"USUBJID": list("1234"), "ITTFL": "Y", "TRT01P": list("AABB"), "SEX": "M"})
    subjects["AGE"] = [40.0, 20, 50, 60]
    values = pd.DataFrame({"USUBJID": list("1234"), "PARAMCD": "P", "AVISIT": "Day 1", "AVAL": [1.0, 2, 3, 4]})
    events = pd.DataFrame({"USUBJID": list("113"), "AEDECOD": "X", "TRT01P": list("AAB"), "ITTFL": "Y"})
    times = pd.DataFrame({"USUBJID": list("1234"), "AVAL": [1.0, 2, 3, 4], "CNSR": 0.0, "EVENTS": 1.0})
    return {"ADSL": subjects, "ADVS": values, "ADAE": events, "ADTTE": times}


def repeated(given: Frames) -> None:
    given["ADVS"] = pd.concat([given["ADVS"], given["ADVS"].iloc[:1].assign(AVAL=99.0)], ignore_index=True)


def other_arm(given: Frames) -> None:
    given["ADAE"].loc[0, "TRT01P"] = "B"


def other_population(given: Frames) -> None:
    given["ADSL"].loc[0, "ITTFL"] = "N"


def stranger(given: Frames) -> None:
    given["ADAE"].loc[0, "USUBJID"] = "9"


def without_time(given: Frames) -> None:
    given["ADTTE"].loc[0, "AVAL"] = 0.0


def woman(given: Frames) -> None:
    given["ADSL"].loc[0, "SEX"] = "F"


def negative(given: Frames) -> None:
    given["ADTTE"].loc[0, "AVAL"] = -1.0


@pytest.mark.parametrize(
    "output",
    [
        BY_VISIT + ", every_record: true",
        MIXED.replace("label: Value}", "label: Value, every_record: true}"),
    ],
)
def test_each_record_counts_where_the_study_says_so(tmp_path: Path, output: str) -> None:
    given = frames()
    repeated(given)
    study = small_study(tmp_path, TRIAL, REPORTS % output)
    made = compute(study, {name: dataset(name, frame) for name, frame in given.items()})
    counted = made[(made["statistic"] == "n") & (made["group"] == "All")]
    assert counted["value"].tolist() == [5]


@pytest.mark.parametrize(
    ("output", "change", "message"),
    [
        (BY_VISIT, repeated, "ADVS: 1 has two records at Day 1, which would count twice"),
        (BETWEEN, repeated, "ADVS: 1 has two records, which would count twice"),
        (MIXED, repeated, "ADVS: 1 has two records, which would count twice"),
        (MEANS, repeated, "ADVS: 1 has two records, which would count twice"),
        (EVENTS, other_arm, "ADAE: TRT01P of 1 is 'B', in ADSL it is 'A'"),
        (EVENTS, other_population, "ADAE: ITTFL of 1 is 'Y', in ADSL it is 'N'"),
        (EVENTS, stranger, "ADAE: 9 is not in ADSL"),
        (COUNTS, woman, "ADSL: 1 counted subject\\(s\\) are not among those of 'denominator', the first 1"),
        (SHARES, woman, "ADSL: 1 counted subject\\(s\\) are not among those of 'denominator', the first 1"),
        (RATES, without_time, "ADTTE: a record has events \\(EVENTS\\) and no person-time \\(AVAL\\)"),
        (TIMES, negative, "ADTTE: 1 has a time below zero"),
    ],
)
def test_what_would_count_wrongly_is_refused(
    tmp_path: Path, output: str, change: Callable[[Frames], None], message: str
) -> None:
    study, given = small_study(tmp_path, TRIAL, REPORTS % output), frames()
    assert len(compute(study, {name: dataset(name, frame) for name, frame in given.items()}))
    change(given)
    with pytest.raises(StudyError, match=message):
        compute(study, {name: dataset(name, frame) for name, frame in given.items()})
