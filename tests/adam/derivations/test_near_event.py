"""Records near an event, and dates of study days: worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adam.derivations.near_event import NearEvent, last_event
from adam.derivations.periods import DayDate
from metadata.condition import read_condition
from metadata.errors import StudyError
from tests.adam.trial import columns, context, dataset, numbers, texts

RELAPSES = {"USUBJID": ["A", "A", "B", "C"], "ASTDT": [100.0, 300.0, 100.0, None], "ANL01FL": ["Y", "Y", "", "Y"]}


def near(tmp_path, **more):
    word = NearEvent(
        dataset="ADCE", event_date="ASTDT", to="RELWINFL", where=read_condition({"ANL01FL": "Y"}, {}, "where"), **more
    )
    days = [99.0, 100, 130, 131, 299, 330, None]
    made = columns(USUBJID=["A"] * 7 + ["B", "C", "D"], ADT=[*days, 100.0, 100.0, 100.0])
    outcome = word.derive(made, 10, context(tmp_path, dataset("ADCE", **RELAPSES)))
    return texts(outcome.columns["RELWINFL"]), outcome.edges[0]


def test_the_event_and_the_days_after_it_count(tmp_path):
    flags, edge = near(tmp_path)
    # A's relapses began on days 100 and 300; B's does not count, C's has no date, D had none.
    assert flags == ["", "Y", "Y", "", "", "Y", "", "", "", ""]
    assert list(edge.row) == [1, 2, 5] and list(edge.source_row) == [0, 0, 1]


def test_days_before_an_event_count_if_asked_for(tmp_path):
    flags, edge = near(tmp_path, after=0, before=1)
    assert flags == ["Y", "Y", "", "", "Y", "", "", "", "", ""]
    assert list(edge.source_row) == [0, 0, 1]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(-50, 50)), max_size=12),
    st.lists(st.tuples(st.integers(0, 3), st.integers(-50, 50)), max_size=12),
)
def test_the_last_event_is_that_of_the_same_group_on_or_before_the_day(days, events):
    group, day = (np.array([one[at] for one in days], float) for at in (0, 1))
    event_group, event_day = (np.array([one[at] for one in events], float) for at in (0, 1))
    found = last_event(group.astype(int), day, event_group.astype(int), event_day)
    for place, (mine, when) in enumerate(days):
        before = [other for subject, other in events if subject == mine and other <= when]
        assert (found[place] >= 0) == bool(before)
        if before:
            assert event_day[found[place]] == max(before) and event_group[found[place]] == mine


def test_a_study_day_is_a_date_and_there_is_no_day_0(tmp_path):
    made = columns(TRTSDT=[1000.0, None])
    for day, wanted in ((1, 1000.0), (365, 1364.0), (-1, 999.0), (-365, 635.0)):
        word = DayDate(reference="TRTSDT", day=day, to="ADT")
        assert numbers(word.derive(made, 2, context(tmp_path)).columns["ADT"]) == [wanted, None]
    with pytest.raises(StudyError, match="no day 0"):
        DayDate(reference="TRTSDT", day=0, to="ADT").check()
