from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adam.derivations.windows import (
    Bounds,
    Schedule,
    Windows,
    cut,
)
from metadata.condition import read_condition
from metadata.errors import StudyError
from tests.adam.trial import columns, context, numbers, texts


def windowed(tmp_path, on, **settings):
    word = Windows(schedules=(Schedule(("SCREENING", "BASELINE", "WEEK 2", "MONTH 3")),), **settings)
    made = columns(ADY=on, PARAMCD=["P"] * len(on))
    return word.derive(made, len(on), context(tmp_path)).columns


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


def test_a_day_midway_belongs_to_the_visit_that_the_tie_rule_says(tmp_path):
    # Baseline 1 and week 2 (elapsed 0 and 14) are cut by treatment start; week 2 and month 3 (14, 90) meet at 52.
    # Screening and baseline (-14, 0) meet at -7.
    days = [-8, -7, -6, 52, 53, 54]
    assert texts(windowed(tmp_path, days)["AVISIT"]) == [
        *["Screening", "Baseline", "Baseline"],
        *["Week 2", "Month 3", "Month 3"],
    ]
    assert texts(windowed(tmp_path, days, tie="earlier")["AVISIT"]) == [
        *["Screening", "Screening", "Baseline"],
        *["Week 2", "Week 2", "Month 3"],
    ]


def test_planned_windows_leave_days_out(tmp_path):
    # Screening day -14 with 7 days either way, baseline day 1, week 2 day 15 with 3, month 3 day 91 with 7.
    days = [-22, -21, -7, -6, 1, 2, 11, 12, 18, 19, 84, 98, 99]
    made = windowed(tmp_path, days, bounds="planned")
    assert texts(made["AVISIT"]) == [
        *["", "Screening", "Screening", "", "Baseline", "", "", "Week 2", "Week 2", "", "Month 3", "Month 3", ""]
    ]
    assert numbers(made["AWLO"])[1:5] == [-21, -21, None, 1]
    assert numbers(made["AWHI"])[7:12] == [18, 18, None, 98, 98]


def test_bounds_of_single_visits_and_overlapping_windows(tmp_path):
    # Week 2 is made to reach from day 2 to 60, month 3 to begin on day 46: days 46 to 60 lie in both.
    bounds = {"WEEK 2": Bounds(2, 60), "MONTH 3": Bounds(46)}
    days = [2, 45, 52, 53, 54, 60, 61, 500]
    later = windowed(tmp_path, days, bounds="planned", visit_bounds=bounds)
    assert texts(later["AVISIT"]) == [*["Week 2"] * 3, *["Month 3"] * 5]
    earlier = windowed(tmp_path, days, bounds="planned", visit_bounds=bounds, tie="earlier")
    assert texts(earlier["AVISIT"]) == [*["Week 2"] * 4, *["Month 3"] * 4]
    with pytest.raises(StudyError, match="visit_bounds are given for 'WEEK 3', which no schedule has"):
        Windows(schedules=(Schedule(("WEEK 2",)),), bounds="planned", visit_bounds={"WEEK 3": Bounds(1)}).check()
    with pytest.raises(StudyError, match="write 'bounds: planned'"):
        Windows(schedules=(Schedule(("WEEK 2",)),), visit_bounds={"WEEK 2": Bounds(1)}).check()


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


def test_a_parameter_without_a_schedule_is_refused(tmp_path):
    """Its records would have no visit, and be in no table by visit."""
    word = Windows(schedules=(Schedule(("BASELINE",), paramcd=("P",)),))
    given_ = columns(ADY=[1.0, 2], PARAMCD=["P", "Q"])
    with pytest.raises(StudyError, match="no schedule is of PARAMCD Q: add one"):
        word.derive(given_, 2, context(tmp_path))
    narrowed = replace(word, when=read_condition({"PARAMCD": "P"}, {}, "when"))
    assert texts(narrowed.derive(given_, 2, context(tmp_path)).columns["AVISIT"]) == ["Baseline", ""]
