from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given as generated
from hypothesis import strategies as st

from metadata.condition import read_condition
from metadata.errors import StudyError
from metadata.frame_columns import FrameColumns
from metadata.variable_kind import DATE, DATETIME
from metadata.yaml_source import load
from tests.adam.trial import columns


def holds(wanted, **given):
    made = columns(**given)
    return list(read_condition(wanted, {}, "when").holds(made, len(next(iter(given.values())))))


def test_all_of_a_mapping_and_any_of_a_list():
    given = {"A": ["x", "x", "y"], "V": [1.0, 3.0, 3.0]}
    assert holds({"A": "x", "V": {"above": 2}}, **given) == [False, True, False]
    assert holds([{"A": "y"}, {"V": {"at_most": 1}}], **given) == [True, False, True]


def test_comparisons_with_missing_values_never_hold_but_not_and_missing_do():
    given = {"V": [1.0, None, 2.0], "A": ["", "N", "Y"]}
    assert holds({"V": {"below": 5}}, **given) == [True, False, True]
    assert holds({"V": {"missing": True}}, **given) == [False, True, False]
    assert holds({"A": {"not": "Y"}}, **given) == [True, True, False]
    assert holds({"A": {"missing": False}}, **given) == [False, True, True]


def test_limits_belong_to_at_least_and_at_most_only():
    given = {"V": [1.0, 1.5, 2.0]}
    assert holds({"V": {"at_least": 1.5}}, **given) == [False, True, True]
    assert holds({"V": {"above": 1.5}}, **given) == [False, False, True]
    assert holds({"V": {"at_most": 1.5}}, **given) == [True, True, False]
    assert holds({"V": {"below": 1.5}}, **given) == [True, False, False]


def test_another_variable_with_an_offset():
    given = {"D": [10.0, 41.0, 40.0], "E": [10.0, 10.0, 10.0]}
    assert holds({"D": {"above": {"variable": "E", "plus": 30}}}, **given) == [False, True, False]
    assert holds({"D": {"at_most": {"variable": "E"}}}, **given) == [True, False, False]
    assert read_condition({"D": {"above": {"variable": "E", "plus": 30}}}, {}, "w").reads == ("D", "E")


def test_it_says_itself():
    said = str(read_condition([{"A": ["x", "y"], "V": {"below": 1.5}}, {"B": {"missing": False}}], {}, "w"))
    assert said == "A is x or y and V is below 1.5, or B is not missing"


def test_unknown_test_names_place_and_nearest(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("when:\n  AVAL:\n    belw: 1\n")
    node = load(path, "a.yaml")
    with pytest.raises(StudyError, match=r"a.yaml, line 3, key 'belw': .*did you mean 'below'"):
        read_condition(node["when"], node, "when")


def test_days_bound_dates_and_whole_days_of_datetimes():
    declared = {"D": {"from": "1960-01-02", "to": "1960-01-03"}}
    condition = read_condition(declared, declared, "where")
    days = pd.DataFrame({"D": [0.0, 1.0, 2.0, 3.0, np.nan]})
    moments = pd.DataFrame({"D": [86399.0, 86400.0, 259199.5, 259200.0, np.nan]})
    for frame, kind in ((days, DATE), (moments, DATETIME)):
        found = condition.holds(FrameColumns(frame, {"D": kind}), 5).tolist()
        assert found == [False, True, True, False, False]
    assert str(condition) == "D is on or after 1960-01-02 and D is on or before 1960-01-03"


@generated(
    days=st.lists(st.integers(-400, 400), min_size=1, max_size=20), bound=st.dates(date(1959, 1, 1), date(1961, 1, 1))
)
def test_a_day_divides_all_dates_and_its_datetimes_go_with_it(days, bound):
    first = {"D": {"from": bound.isoformat()}}
    last = {"D": {"to": (bound - timedelta(days=1)).isoformat()}}
    dates, moments = np.array(days, float), np.array(days, float) * 86400 + 43200.25
    for values, kind in ((dates, DATE), (moments, DATETIME)):
        columns = FrameColumns(pd.DataFrame({"D": values}), {"D": kind})
        after, before = (read_condition(one, one, "w").holds(columns, len(days)) for one in (first, last))
        assert (after ^ before).all()
        assert after.tolist() == [date(1960, 1, 1) + timedelta(days=one) >= bound for one in days]


@pytest.mark.parametrize(
    ("declared", "kind", "said"),
    [
        ({"D": {"from": "2019-02-30"}}, DATE, "'2019-02-30' is no day: write it as 2019-01-31"),
        ({"D": {"to": "2019-02"}}, DATE, "'2019-02' is no day"),
        ({"D": {"to": 20190201}}, DATE, "'20190201' is no day"),
        ({"D": {"from": "2019-01-01"}}, "Char", "is text: 'from' takes numeric dates and datetimes; texts of ISO 8601"),
        ({"D": {"from": "2019-01-01"}}, "Num", "is a number: 'from' takes numeric dates"),
        ({"D": {"at_least": 21550}}, DATE, "say {from: 2019-01-01}"),
    ],
)
def test_days_that_do_not_fit(declared, kind, said):
    with pytest.raises(StudyError) as caught:
        read_condition(declared, declared, "where").check({"D": kind}, "ADLB")
    assert said in str(caught.value)
