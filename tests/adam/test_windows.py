import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adam.windows import Schedule, Windows, cut
from metadata.errors import StudyError
from tests.adam.trial import columns, context, numbers, texts


def windowed(tmp_path, days, **settings):
    word = Windows(schedules=(Schedule(("SCREENING", "BASELINE", "WEEK 2", "MONTH 3")),), **settings)
    made = columns(ADY=days, PARAMCD=["P"] * len(days))
    return word.derive(made, len(days), context(tmp_path)).columns


def test_bounds_by_hand(tmp_path):
    # Screening -14 and baseline 1 (elapsed -14 and 0): middle -7, which belongs to the later. Week 2 (elapsed 14) and
    # month 3 (elapsed 90): middle 52 elapsed, day 53, belongs to month 3. Baseline ends with day 1.
    days = [-20, -8, -7, -1, 1, 2, 15, 52, 53, 91, 500]
    result = windowed(tmp_path, days)
    assert texts(result["AVISIT"]) == [
        *["Screening"] * 2,
        *["Baseline"] * 3,
        *["Week 2"] * 3,
        *["Month 3"] * 3,
    ]
    assert numbers(result["AVISITN"])[0] == 1
    assert numbers(result["AWLO"]) == [None, None, -7, -7, -7, 2, 2, 2, 53, 53, 53]
    assert numbers(result["AWHI"]) == [-8, -8, 1, 1, 1, 52, 52, 52, None, None, None]
    assert numbers(result["AWTARGET"])[2:6] == [1, 1, 1, 15]
    assert numbers(result["AWTDIFF"]) == [6, 6, 7, 1, 0, 13, 0, 37, 38, 0, 409]


def test_a_record_without_a_day_has_no_visit(tmp_path):
    result = windowed(tmp_path, [None, 1.0])
    assert texts(result["AVISIT"]) == ["", "Baseline"]
    assert texts(result["AWU"]) == ["", "DAYS"]


def test_each_parameter_has_its_own_schedule(tmp_path):
    word = Windows(schedules=(Schedule(("BASELINE", "MONTH 3"), ("Q",)), Schedule(("BASELINE", "WEEK 2", "MONTH 3"))))
    made = columns(ADY=[20.0, 20.0], PARAMCD=["P", "Q"])
    assert texts(word.derive(made, 2, context(tmp_path)).columns["AVISIT"]) == ["Week 2", "Month 3"]


def test_a_visit_without_a_planned_day_is_refused(tmp_path):
    word = Windows(schedules=(Schedule(("BASELIN",)),))
    with pytest.raises(StudyError, match="did you mean 'BASELINE'"):
        word.derive(columns(ADY=[1.0], PARAMCD=["P"]), 1, context(tmp_path))


targets = st.lists(st.integers(-60, 800).filter(bool), min_size=1, max_size=8, unique=True)


@given(targets, st.integers(-100, 1000).filter(bool))
def test_every_day_lies_in_exactly_one_window(days, day):
    windows = cut([(str(target), index, target) for index, target in enumerate(days)], 1)
    assert sum(window.low <= day <= window.high for window in windows) == 1
    assert windows[0].low == -np.inf
    assert windows[-1].high == np.inf


@given(targets.filter(lambda days: all(day > 1 for day in days)), st.integers(2, 1000))
def test_after_baseline_the_window_is_that_of_the_nearest_target_and_the_later_of_two(days, day):
    windows = cut([(str(target), index, target) for index, target in enumerate(days)], 1)
    chosen = next(window.target for window in windows if window.low <= day <= window.high)
    nearest = min(abs(target - day) for target in days)
    assert chosen == max(target for target in days if abs(target - day) == nearest)


@given(targets, st.integers(-100, 1000).filter(bool))
def test_no_day_after_treatment_start_is_in_a_window_planned_before(days, day):
    windows = cut([(str(target), index, target) for index, target in enumerate([*days, 900, 1])], 1)
    window = next(window for window in windows if window.low <= day <= window.high)
    assert (window.target <= 1) == (day <= 1)
