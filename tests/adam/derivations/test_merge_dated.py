"""The last record before a date, or the first after it: worked out by hand, and against a plain search."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adam.derivations.merge_dated import MergeDated
from metadata.condition import read_condition
from metadata.errors import StudyError
from tests.adam.trial import columns, context, dataset, numbers, texts

DOSES = {
    "USUBJID": ["A", "A", "A", "B"],
    "EXSTDTC": ["2000-01-10", "2000-01-20", "2000-01", "2000-01-15"],
    "EXDOSE": [50.0, 100, 75, 25],
    "EXSEQ": [1.0, 2, 3, 1],
}
DAY = 14619.0
"""2000-01-10."""


def word(**more):
    return MergeDated(dataset="EX", other_date="EXSTDTC", date="ADT", variables={"LDOSE": "EXDOSE"}, **more)


def merged(tmp_path, made, dates, **doses):
    rows = len(dates)
    outcome = made.derive(
        columns(USUBJID=["A"] * (rows - 1) + ["B"], ADT=dates),
        rows,
        context(tmp_path, dataset("EX", **(DOSES | doses))),
    )
    return numbers(outcome.columns["LDOSE"]), outcome.edges[0]


def test_the_last_on_or_before_and_the_first_on_or_after(tmp_path):
    dates = [DAY - 1, DAY, DAY + 9, DAY + 10, DAY + 99, None, DAY]
    found, edge = merged(tmp_path, word(), dates)
    assert found == [None, 50, 50, 100, 100, None, None]
    assert list(edge.row) == [1, 2, 3, 4] and list(edge.source_row) == [0, 0, 1, 1]
    assert merged(tmp_path, word(mode="first"), dates)[0] == [50, 50, 100, 100, None, None, 25]


def test_the_day_itself_may_be_left_out_and_the_distance_limited(tmp_path):
    dates = [DAY, DAY + 10, DAY + 12, DAY + 13, DAY]
    assert merged(tmp_path, word(same_day=False), dates)[0] == [None, 50, 100, 100, None]
    assert merged(tmp_path, word(days=2), dates)[0] == [50, 100, 100, None, None]
    assert merged(tmp_path, word(mode="first", same_day=False, days=10), dates)[0] == [100, None, None, None, 25]


def test_records_of_one_day_are_told_apart_or_refused(tmp_path):
    same = {"EXSTDTC": ["2000-01-10"] * 4}
    with pytest.raises(StudyError, match="EX has several records of one day for the same USUBJID that differ"):
        merged(tmp_path, word(), [DAY, DAY], **same)
    assert merged(tmp_path, word(order=("EXSEQ",)), [DAY, DAY], **same)[0] == [75, 25]
    assert merged(tmp_path, word(order=("EXSEQ",), mode="first"), [DAY, DAY], **same)[0] == [50, 25]
    equal = same | {"EXDOSE": [50.0, 50, 50, 25]}
    assert merged(tmp_path, word(), [DAY, DAY], **equal)[0] == [50, 25]
    narrowed = word(where=read_condition({"EXSEQ": 2}, {}, "where"))
    assert merged(tmp_path, narrowed, [DAY, DAY], **same)[0] == [100, None]


@given(
    doses=st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 20)), min_size=1, max_size=8, unique=True),
    dates=st.lists(st.tuples(st.sampled_from("ABC"), st.integers(-2, 22)), min_size=1, max_size=8),
    mode=st.sampled_from(["last", "first"]), same_day=st.booleans(), days=st.sampled_from([None, 0, 3]),
)  # fmt: skip
def test_it_finds_what_a_plain_search_finds(tmp_path_factory, doses, dates, mode, same_day, days):
    made = MergeDated(dataset="ADEX", other_date="ASTDT", date="ADT", variables={"LAST": "MARK"}, mode=mode,
                      same_day=same_day, days=days)  # fmt: skip
    marks = [f"{subject}{when}" for subject, when in doses]
    other = dataset("ADEX", USUBJID=[one for one, _ in doses], ASTDT=[float(when) for _, when in doses], MARK=marks)
    outcome = made.derive(
        columns(USUBJID=[one for one, _ in dates], ADT=[float(when) for _, when in dates]), len(dates),
        context(tmp_path_factory.mktemp("trial"), other),
    )  # fmt: skip
    expected = []
    for subject, when in dates:
        side = [
            at for who, at in doses
            if who == subject and (at <= when if mode == "last" else at >= when) and (same_day or at != when)
            and (days is None or abs(at - when) <= days)
        ]  # fmt: skip
        chosen = (max if mode == "last" else min)(side, default=None)
        expected.append("" if chosen is None else f"{subject}{chosen}")
    assert texts(outcome.columns["LAST"]) == expected
