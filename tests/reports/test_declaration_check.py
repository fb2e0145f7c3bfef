"""What outputs name is held against the datasets without data: datasets, variables, their kinds, and conditions."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.declaration_check import check_reports
from tests.reports.small_study import TRIAL, small_study

REPORTS = """
populations: {Everybody: {label: All subjects, flag: ITTFL}}
columns: {by: TRT01P}
outputs:
  - id: T1
    template: subject_counts
    title: Counts
    population: Everybody
    plan: all
    where: {AGE: {above: 17}}
    lines:
      - {label: Women, where: {SEX: F}, by: REASON}
      - {label: Men, where_each: [{SEX: M}, {AGE: 40}]}
  - id: T2
    template: by_visit
    title: Visits
    population: Everybody
    plan: all
    dataset: ADVS
    visits: {Day 1: Day 1, Day 8: Day 8}
    parameters: {P: {label: Pulse, decimals: 0}}
    values: [{variable: AVAL, label: Value}]
    tests: [{test: sign, visits: [Day 1, Day 8]}]
  - id: T3
    template: between_groups
    title: Endpoints
    population: Everybody
    plan: all
    lines:
      - {label: Time, kind: time, dataset: ADTTE, unit: days}
      - {label: Women, kind: proportion, where: {SEX: F}, denominator: {AGE: {missing: false}}}
  - id: T4
    template: mixed_summary
    title: Subjects
    population: Everybody
    plan: all
    variables: [{variable: AGE, label: Age}, {variable: SEX, label: Sex, labels: {F: Woman}}]
  - id: L1
    template: listing
    title: Values
    population: Everybody
    plan: all
    dataset: ADVS
    list: [{variable: USUBJID, label: Subject}, {variable: [SEX, AVAL], label: Sex and value}]
    order: [USUBJID, AVISIT]
"""
SUBJECTS = {
    "USUBJID": "Char",
    "ITTFL": "Char",
    "TRT01P": "Char",
    "SEX": "Char",
    "REASON": "",
    "AGE": "Num",
    "BASE": "Num",
    "DAY": "date",
}
DATASETS = {
    "ADSL": SUBJECTS,
    "ADVS": {"USUBJID": "Char", "PARAMCD": "Char", "AVISIT": "Char", "AVAL": "Num", "AVALC": "Char", "ADT": "date"},
    "ADTTE": {"USUBJID": "Char", "AVAL": "Num", "CNSR": "Num"},
    "ADXX": {},
}


def test_what_the_datasets_have_is_taken(tmp_path: Path) -> None:
    assert check_reports(small_study(tmp_path, TRIAL, REPORTS), DATASETS) == []


def test_a_dataset_of_which_nothing_is_known_may_have_any_variable(tmp_path: Path) -> None:
    unknown: dict[str, dict[str, str]] = {name: {} for name in DATASETS}
    assert check_reports(small_study(tmp_path, TRIAL, REPORTS.replace("SEX", "SEXX")), unknown) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("flag: ITTFL", "flag: ITTFLX", "key 'flag': ADSL has no variable ITTFLX (did you mean 'ITTFL'?)"),
        ("by: TRT01P", "by: AGE", "key 'by': ADSL.AGE is a number: columns are made by texts"),
        ("by: TRT01P", "by: TRT01", "key 'by': ADSL has no variable TRT01 (did you mean 'TRT01P'?)"),
        ("{AGE: {above: 17}}", "{AGEE: {above: 17}}", "key 'AGEE': ADSL has no variable AGEE (did you mean 'AGE'?)"),
        ("{SEX: F}, by", "{SEX: 1}, by", 'key \'SEX\': ADSL.SEX is text: write "1" in quotes'),
        ("by: REASON", "by: RESON", "key 'by': ADSL has no variable RESON (did you mean 'REASON'?)"),
        ("{AGE: 40}", "{AGE: old}", "key 'AGE': ADSL.AGE is a number, 'old' is not"),
        ("{SEX: M}", "{SEX: {above: SEX}}", "'SEX' is a text here; write {variable: SEX} to compare with the variable"),
        ("dataset: ADVS\n    v", "dataset: ADVSS\n    v", "there is no dataset 'ADVSS' (did you mean 'ADVS'?)"),
        ("values: [{variable: AVAL,", "values: [{variable: AVALC,", "ADVS.AVALC is text: a number is needed"),
        ("values: [{variable: AVAL,", "values: [{variable: ADT,", "ADVS.ADT is a date, of which there is no mean"),
        ("{variable: AGE, label: Age}", "{variable: SEX, label: Sex}", "ADSL.SEX is text, of which there is no mean"),
        ("{variable: AGE, label: Age}", "{variable: DAY, label: Day}", "ADSL.DAY is a date, of which there is no mean"),
        ("dataset: ADTTE", "dataset: ADVS", "ADVS has no variable CNSR"),
        ("{label: Women, where: {SEX: F}, by", "{label: Women, dataset: ADVS, where: {PARAMCD: P}, by",
         "key 'AGE': ADVS has no variable AGE"),
        ("dataset: ADVS\n    visits", "dataset: ADTTE\n    visits", "ADTTE has no variable PARAMCD"),
        ("{AGE: {missing: false}}", "{AG: {missing: false}}", "key 'AG': ADSL has no variable AG (did you mean"),
        ("values: [{variable: AVAL, label: Value}]\n", "values: [{variable: AVAL, label: Value}]\n    paramcd: P\n",
         "name one 'paramcd' or several 'parameters'"),
        ("visits: [Day 1, Day 8]}]", "visits: [Day 1, Day 9]}]", "'Day 9' is not among the visits of T2"),
        ("{test: sign,", "{test: sign, population: Everyone,", "there is no population 'Everyone'"),
        ("kind: proportion,", "kind: proportion, compare: [welch_t],", "the output names no 'reference'"),
        ("order: [USUBJID, AVISIT]", "order: [USUBJID, AVISIT]\n    by: [AVISIT]", "group by those"),
        ("[SEX, AVAL]", "[SEXX, AVAL]", "key 'variable': neither ADVS nor ADSL has a variable SEXX"),
    ],
)  # fmt: skip
def test_a_slip_is_named_with_its_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in REPORTS
    found = [
        str(error) for error in check_reports(small_study(tmp_path, TRIAL, REPORTS.replace(old, new, 1)), DATASETS)
    ]
    assert any(said in one and "reports.yaml, line " in one for one in found), found
