"""Filters that select, and that say what they selected."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.condition import Condition, read_condition
from metadata.errors import StudyError
from metadata.frame_columns import FrameColumns
from metadata.yaml_source import load
from reports.results.selection import Selection

FRAME = pd.DataFrame(
    {
        "USUBJID": ["1", "2", "3", "4"],
        "SEX": ["F", "M", "", "F"],
        "GRADE": ["2", "1", "", "0"],
        "BASE": ["1", "1", "0", ""],
        "AGE": [30.0, 40.0, float("nan"), 50.0],
    }
)
ALL = Selection("ADSL", FrameColumns(FRAME))


@pytest.mark.parametrize(
    ("where", "subjects"),
    [
        ({"SEX": "F"}, ["1", "4"]),
        ({"SEX": ["F", "M"]}, ["1", "2", "4"]),
        ({"SEX": ["M"]}, ["2"]),
        ({"SEX": {"not": "F"}}, ["2", "3"]),
        ({"SEX": {"not": ["F", ""]}}, ["2"]),
        ({"AGE": 40}, ["2"]),
        ({"AGE": {"above": 30, "at_most": 50}}, ["2", "4"]),
        ({"AGE": {"at_least": 40}, "SEX": "F"}, ["4"]),
        ({"AGE": {"below": 40}}, ["1"]),
        ({"AGE": {"missing": True}}, ["3"]),
        ({"SEX": {"missing": False}}, ["1", "2", "4"]),
        ({"GRADE": {"at_most": "1"}}, ["2", "4"]),
        ({"GRADE": {"above": {"variable": "BASE"}}}, ["1"]),
        ([{"SEX": "M"}, {"AGE": {"above": 40}}], ["2", "4"]),
    ],
)
def test_the_filter_finds_the_rows_that_were_selected(where: object, subjects: list[str]) -> None:
    chosen = ALL.where(read_condition(where, None, "where"))
    assert chosen.subjects == subjects
    assert list(FRAME.query(chosen.filter)["USUBJID"]) == subjects


@given(st.text(alphabet="ab'\"\\ %", max_size=6).filter(bool))
def test_any_text_can_stand_in_a_filter(text: str) -> None:
    frame = pd.DataFrame({"USUBJID": ["1", "2"], "TERM": [text, "other"]})
    chosen = Selection("ADAE", FrameColumns(frame)).equal("TERM", text)
    assert list(frame.query(chosen.filter)["USUBJID"]) == ["1"]


def test_nobody_and_everybody() -> None:
    assert ALL.filter == ""
    nobody = ALL.of_subjects([])
    assert nobody.subjects == []
    assert FRAME.query(nobody.filter).empty


@given(st.sets(st.sampled_from(["1", "2", "3", "4", "not of this dataset"])))
def test_some_subjects_are_found_by_the_shorter_list(kept: set[str]) -> None:
    rows = ALL.equal("SEX", "F")
    chosen = rows.of_subjects(sorted(kept))
    assert chosen.subjects == sorted({"1", "4"} & kept)
    assert FRAME.query(chosen.filter)["USUBJID"].tolist() == chosen.subjects
    assert (chosen.filter == rows.filter) == (kept >= {"1", "4"})


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("where: {SEXX: F}", "line 1, key 'SEXX': ADSL has no variable SEXX (did you mean 'SEX'?)"),
        ("where: {GRADE: 2}", "line 1, key 'GRADE': ADSL.GRADE is text: write \"2\" in quotes"),
        ("where: {AGE: old}", "line 1, key 'AGE': ADSL.AGE is a number, 'old' is not"),
        ("where: {GRADE: {above: {variable: BSE}}}", "ADSL has no variable BSE (did you mean 'BASE'?)"),
    ],
)
def test_a_wrong_filter_says_where_it_stands(tmp_path, yaml: str, message: str) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "reports.yaml"
    file.write_text(yaml)
    node = load(file)
    with pytest.raises(StudyError) as error:
        ALL.where(Condition.read(node["where"], node, "where"))
    assert message in str(error.value)
