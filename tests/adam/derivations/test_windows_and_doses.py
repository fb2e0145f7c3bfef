"""Summaries in a window, single doses, several baselines, planned times, flags around a record, by hand or searched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adam.build.table import AnalysisTable
from adam.derivations.basetypes import BasetypeRecords
from adam.derivations.datetimes import DatetimeOf
from adam.derivations.nominal_time import NominalTime
from adam.derivations.relative_flag import RelativeFlag
from adam.derivations.single_doses import SingleDoses
from adam.derivations.window_summary import WindowSummary
from metadata.condition import read_condition
from metadata.errors import StudyError
from metadata.frame_columns import FrameColumns
from metadata.variable_kind import DATE
from tests.adam.trial import columns, context, dataset, numbers, texts

DAY = 14619.0
"""2000-01-10."""


def table_of(values: dict[str, list[object]]) -> AnalysisTable:
    """A dataset in the making with these columns."""
    frame = pd.DataFrame(values)
    table = AnalysisTable(FrameColumns(frame), np.arange(len(frame)), dict.fromkeys(("S", "E"), DATE))
    for name in values:
        table.columns[name]
    return table


def test_a_window_counts_both_its_ends(tmp_path: Path) -> None:
    doses = dataset(
        "EX", USUBJID=["A"] * 4 + ["B"], EXDT=[DAY - 7, DAY - 8, DAY, DAY + 1, DAY], DOSE=[1.0, 10, 100, 1000, 5]
    )
    word = WindowSummary(
        dataset="EX", other_date="EXDT", first_day=-7, last_day=0, function="sum", source="DOSE", to="D"
    )
    given_ = columns(USUBJID=["A", "A", "B", "C"], ADT=[DAY, None, DAY + 8, DAY])
    made = word.derive(given_, 4, context(tmp_path, doses))
    assert numbers(made.columns["D"]) == [101, None, None, None]
    [edge] = made.edges
    assert (list(edge.row), list(edge.source_row)) == ([0, 0], [0, 2])
    count = WindowSummary(dataset="EX", other_date="EXDT", first_day=-7, last_day=0, function="count", to="N")
    assert numbers(count.derive(given_, 4, context(tmp_path, doses)).columns["N"]) == [2, None, 0, 0]
    with pytest.raises(StudyError, match="the window ends on day -1, before it begins on day 0"):
        WindowSummary(dataset="EX", other_date="EXDT", first_day=0, last_day=-1, function="count", to="N").check()


EVENTS = st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 12)), max_size=10)


@given(EVENTS, EVENTS, st.integers(-4, 4), st.integers(0, 5))
def test_windows_as_a_plain_search_finds_them(tmp_path_factory, mine, theirs, first, width) -> None:  # type: ignore[no-untyped-def]
    theirs = [*theirs, ("Z", 0)]
    there = dataset("EX", USUBJID=[who for who, _ in theirs], EXDT=[DAY + day for _, day in theirs])
    word = WindowSummary(
        dataset="EX", other_date="EXDT", first_day=first, last_day=first + width, function="count", to="N"
    )
    asked = columns(USUBJID=[who for who, _ in mine] + ["Z"], ADT=[DAY + day for _, day in mine] + [DAY + 99])
    found = numbers(word.derive(asked, len(mine) + 1, context(tmp_path_factory.mktemp("s"), there)).columns["N"])
    searched = [
        sum(who == other and day + first <= on <= day + first + width for other, on in theirs) for who, day in mine
    ]
    assert found == [*searched, 0]


def doses(**more: object) -> dict[str, list[object]]:
    return {"USUBJID": ["A", "B", "C"], "S": [DAY, DAY, DAY], "E": [DAY + 2, DAY + 30, DAY + 1],
            "F": ["QD", "Q2W", "BID"], **more}  # type: ignore[dict-item]  # fmt: skip


def test_each_dose_is_a_record_of_its_day(tmp_path: Path) -> None:
    table = table_of(doses())
    table.apply(SingleDoses(start="S", end="E", frequency="F"), context(tmp_path))
    found = sorted(
        zip(
            texts(table.columns["USUBJID"]),
            numbers(table.columns["ADT"]),
            numbers(table.columns["ADOSEN"]),
            strict=True,
        )
    )
    assert found == [
        ("A", DAY, 1), ("A", DAY + 1, 2), ("A", DAY + 2, 3),
        ("B", DAY, 1), ("B", DAY + 14, 2), ("B", DAY + 28, 3),
        ("C", DAY, 1), ("C", DAY, 2), ("C", DAY + 1, 3), ("C", DAY + 1, 4),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"F": ["QD", "Q2W", "NOW AND THEN"]}, "F is 'NOW AND THEN'.*; say in every_days how many days apart"),
        ({"E": [DAY, None, DAY]}, r"1 record\(s\) have no S or no E"),
        ({"E": [DAY, DAY - 1, DAY]}, r"E lies before S in 1 record\(s\)"),
    ],
)
def test_a_dose_that_cannot_be_counted_is_refused(change: dict[str, object], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=sentence):
        SingleDoses(start="S", end="E", frequency="F").add(columns(**doses(**change)), 3, context(tmp_path))


def test_records_of_several_baselines_are_repeated(tmp_path: Path) -> None:
    table = table_of({"EPOCH": ["RUN-IN", "TREATMENT", "AFTER"], "AVAL": [1.0, 2, 3]})
    types = {
        "TRIAL": read_condition({"EPOCH": ["RUN-IN", "TREATMENT"]}, {}, "types"),
        "PERIOD": read_condition({"EPOCH": "TREATMENT"}, {}, "types"),
    }
    table.apply(BasetypeRecords(types=types), context(tmp_path))
    assert numbers(table.columns["AVAL"]) == [1, 2, 3, 2]
    assert texts(table.columns["BASETYPE"]) == ["TRIAL", "TRIAL", "", "PERIOD"]


def test_planned_times_of_days_and_time_points(tmp_path: Path) -> None:
    points = ["PREDOSE", "Pre-dose", "30 MIN POSTDOSE", "4H POST-DOSE", "0-6 HOURS AFTER DOSE", "", "Morning"]
    word = NominalTime(source="D", timepoint="T", to="N", hours={"Morning": 8.0})
    made = word.derive(columns(D=[1.0, 2, 1, 1, 8, -1, 1], T=points), 7, context(tmp_path))
    assert numbers(made.columns["N"]) == [0, 24, 0.5, 4, 174, -24, 8]
    with pytest.raises(StudyError, match="T is 'Morning', of which no time is known"):
        NominalTime(source="D", timepoint="T", to="N").derive(columns(D=[1.0], T=["Morning"]), 1, context(tmp_path))
    with pytest.raises(StudyError, match="there is no day 0"):
        NominalTime(source="D", to="N").derive(columns(D=[0.0]), 1, context(tmp_path))


def flagged(tmp_path: Path, **more: object) -> list[str]:
    word = RelativeFlag(
        to="F",
        by=("USUBJID",),
        order=("N",),
        condition=read_condition({"V": "PD"}, {}, "condition"),
        **more,  # type: ignore[arg-type]
    )
    given_ = columns(USUBJID=list("AAAAB"), N=[1.0, 2, 3, 4, 1], V=["SD", "PD", "SD", "PD", "SD"])
    return texts(word.derive(given_, 5, context(tmp_path)).columns["F"])


def test_records_before_and_after_the_first_and_last(tmp_path: Path) -> None:
    assert flagged(tmp_path) == ["Y", "", "", "", "Y"]
    assert flagged(tmp_path, inclusive=True, without="missing") == ["Y", "Y", "", "", ""]
    assert flagged(tmp_path, side="after", without="missing") == ["", "", "Y", "Y", ""]
    assert flagged(tmp_path, mode="last", without="missing") == ["Y", "Y", "Y", "", ""]
    word = RelativeFlag(to="F", by=("USUBJID",), order=("N",), condition=read_condition({"V": "PD"}, {}, "condition"))
    with pytest.raises(StudyError, match="add a variable to 'order' that tells them apart"):
        word.derive(columns(USUBJID=["A", "A"], N=[1.0, 1], V=["SD", "PD"]), 2, context(tmp_path))


def test_a_date_becomes_a_moment(tmp_path: Path) -> None:
    given_ = columns(D=[DAY, DAY, None], T=[3600.0, None, 60])
    made = DatetimeOf(source="D", clock="T", to="M", time="last", to_time_flag="F").derive(given_, 3, context(tmp_path))
    assert numbers(made.columns["M"]) == [DAY * 86400 + 3600, DAY * 86400 + 86399, None]
    assert texts(made.columns["F"]) == ["", "H", ""]
