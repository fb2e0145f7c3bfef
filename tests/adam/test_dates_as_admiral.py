"""Dates and datetimes against the expected values of admiral's own unit tests.

The values are those of pharmaverse/admiral (Apache 2.0), tests/testthat; each test names file and tests.
"""

import numpy as np
import pytest

from adam.derivations.dates import Date, Duration, StudyDay
from adam.derivations.datetimes import DateOf, DateTime, TimeOf
from metadata.errors import StudyError
from tests.adam.trial import day, days, made_by, numbers, second, texts

DATES = ["2019-07-18", "--07-18", "2019", "2019-07--", "2019---07"]
TIMES = [
    "2019-07-18T15:25:40.243",
    "2019-07-18T15:25:40",
    "2019-07-18T15:25",
    "2019-07-18",
    "2019-02",
    "2019",
    "2019---07",
    "2003-12-15T-:15:18",
    "2003-12-15T13:-:19",
    "2020-07--T00:00",
]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, ("2019-07-18", "", "", "", "")),
        ({"impute": "first"}, ("2019-07-18", "", "2019-01-01", "2019-07-01", "2019-01-01")),
        ({"impute": "last", "highest": "day"}, ("2019-07-18", "", "", "2019-07-31", "")),
        ({"impute": "last", "preserve": True}, ("2019-07-18", "", "2019-12-31", "2019-07-31", "2019-12-07")),
        ({"impute": "middle"}, ("2019-07-18", "", "2019-06-30", "2019-07-15", "2019-06-30")),
    ],
)
def test_dates(tmp_path, parameters, expected):
    """test-derive_vars_dt.R, tests 1 to 5 (impute_dtc_dt)."""
    word = Date(source="S", to="D", **parameters)
    assert numbers(made_by(word, tmp_path, S=DATES)["D"]) == days(*expected)


def test_limits_of_dates(tmp_path):
    """test-derive_vars_dt.R, tests 6 and 7: min_dates with first, max_dates with last, up to the year."""
    given = {"S": DATES, "A": days(*["2019-07-06"] * 5), "B": days(*["2019-06-06"] * 5)}
    first = Date(source="S", to="D", impute="first", highest="year", not_before=("A", "B"))
    assert numbers(made_by(first, tmp_path, **given)["D"]) == days("2019-07-18", *["2019-07-06"] * 4)
    last = Date(source="S", to="D", impute="last", highest="year", not_after=("A", "B"), limits="compatible")
    expected = days("2019-07-18", "2019-06-06", "2019-06-06", "2019-07-06", "2019-06-06")
    assert numbers(made_by(last, tmp_path, **given)["D"]) == expected


def test_a_limit_that_rules_out_all_that_is_known(tmp_path):
    """Where admiral passes over such a limit, the default here imputes nothing: never after end, death, cut-off."""
    word = Date(source="S", to="D", impute="last", not_after=("B",))
    assert numbers(made_by(word, tmp_path, S=["2019-07"], B=days("2019-06-06"))["D"]) == [None]


def test_flags_of_dates(tmp_path):
    """test-derive_vars_dt.R, test 14 (compute_dtf) with limits that give each date, and test 18."""
    given = ["2019-07-18", "2019-02", "2019", "2019---07", "2019---06T00:00", "2019----T00:00", "2019-06--T00:00",
             "--06-06T00:00", "-----T00:00"]  # fmt: skip
    word = Date(source="S", to="D", to_flag="F", impute="first", highest="year", not_before=("A",))
    made = made_by(word, tmp_path, S=given, A=days(*["2019-01-01"] * 9))
    assert texts(made["F"]) == ["", "D", "M", "M", "M", "M", "D", "Y", "Y"]
    word = Date(source="S", to="D", to_flag="F", impute="first")
    made = made_by(word, tmp_path, S=["2019-07-18T15:25:40", "2019-07-18", "2019-02", "2019", "2019---07"])
    assert numbers(made["D"]) == days("2019-07-18", "2019-07-18", "2019-02-01", "2019-01-01", "2019-01-01")
    assert texts(made["F"]) == ["", "", "D", "M", "M"]


@pytest.mark.parametrize(
    ("impute", "limits", "expected"),
    [
        ("last", {"not_after": ("E",)}, "2022-01-31"),
        ("first", {"not_before": ("S",)}, "2022-01-01"),
        ("first", {"not_before": ("S",), "not_after": ("E",)}, "2022-01-01"),
        ("last", {"not_before": ("S",), "not_after": ("E",)}, "2022-01-31"),
    ],
)
def test_wholly_unknown_dates(tmp_path, impute, limits, expected):
    """test-derive_vars_dt.R, tests 20, 22 and 25; nothing is imputed where the limit is missing as well."""
    word = Date(source="V", to="D", to_flag="F", impute=impute, highest="year", **limits)
    made = made_by(word, tmp_path, V=["", ""], S=days("2022-01-01", ""), E=days("2022-01-31", ""))
    assert numbers(made["D"]) == days(expected, "")
    assert texts(made["F"]) == ["Y", ""]


def test_a_year_comes_from_somewhere():
    """test-derive_vars_dt.R, test 24: an error without limits."""
    with pytest.raises(StudyError, match="highest: year needs prefer, not_before or not_after"):
        Date(source="V", to="D", impute="first", highest="year").check()


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, ["15:25:40", "15:25:00", "00:00:00", "", "", "", "12-15T00:00:00", "12-15T13:00:00", ""]),
        (
            {"highest_time": "minute", "time": "last"},
            ["15:25:40", "15:25:59", "", "", "", "", "", "12-15T13:59:59", ""],
        ),
        (
            {"impute": "first"},
            ["15:25:40", "15:25:00", "00:00:00", "2019-02-01T00:00:00", "2019-01-01T00:00:00", "2019-01-01T00:00:00",
             "12-15T00:00:00", "12-15T13:00:00", "2020-07-01T00:00:00"],
        ),
        (
            {"impute": "last", "highest": "day", "time": "last"},
            ["15:25:40", "15:25:59", "23:59:59", "2019-02-28T23:59:59", "", "", "12-15T23:59:59", "12-15T13:59:59",
             "2020-07-31T23:59:59"],
        ),
        (
            {"impute": "last", "time": "last", "preserve": True},
            ["15:25:40", "15:25:59", "23:59:59", "2019-02-28T23:59:59", "2019-12-31T23:59:59", "2019-12-07T23:59:59",
             "12-15T23:15:18", "12-15T13:59:19", "2020-07-31T00:00:59"],
        ),
        (
            {"highest_time": "second", "time": "last"},
            ["15:25:40", "15:25:59", "", "", "", "", "", "", ""],
        ),
        (
            {"impute": "middle", "time": "first"},
            ["15:25:40", "15:25:00", "00:00:00", "2019-02-15T00:00:00", "2019-06-30T00:00:00", "2019-06-30T00:00:00",
             "12-15T00:00:00", "12-15T13:00:00", "2020-07-15T00:00:00"],
        ),
    ],
)  # fmt: skip
def test_datetimes(tmp_path, parameters, expected):
    """test-derive_vars_dtm.R, tests 1 to 7 (impute_dtc_dtm)."""
    whole = {8: "2019-07-18T", 14: "2003-"}
    moments = [second(whole.get(len(one), "") + one) for one in expected]
    made = numbers(made_by(DateTime(source="S", to="M", **parameters), tmp_path, S=TIMES)["M"])
    assert made == [second("2019-07-18T15:25:40.243"), *moments]


def test_limits_of_datetimes(tmp_path):
    """test-derive_vars_dtm.R, tests 9 and 10."""
    first = DateTime(source="S", to="M", impute="first", highest="year", not_before=("A", "B"))
    made = made_by(
        first, tmp_path, S=["2020-12", "2020-11", ""],
        A=[second("2020-12-06T12:12:12"), None, None], B=[second("2020-11-11T11:11:11")] * 3,
    )  # fmt: skip
    assert numbers(made["M"]) == [second(one) for one in ("2020-12-06T12:12:12", *["2020-11-11T11:11:11"] * 2)]
    last = DateTime(source="S", to="M", impute="last", time="last", highest="year", not_after=("A", "B"))
    made = made_by(
        last, tmp_path, S=["2020-12", "2020-11", "", "2020-02-02"],
        A=[second("2020-12-06T12:12:12"), None, second("2020-09-13T08:30:00"), None],
        B=[None, second("2020-11-11T23:59:59"), None, second("2020-02-02T23:59:59")],
    )  # fmt: skip
    assert numbers(made["M"]) == [
        second(one)
        for one in ("2020-12-06T12:12:12", "2020-11-11T23:59:59", "2020-09-13T08:30:00", "2020-02-02T23:59:59")
    ]


def test_flags_of_datetimes(tmp_path):
    """test-derive_vars_dtm.R, tests 24, 25 and 26."""
    given = ["2019-07-18T15:25:40", "2019-07-18T15:25", "2019-07-18T15", "2019-07-18", "2019-02", "2019", "2019---07"]
    word = DateTime(source="S", to="M", to_flag="DF", to_time_flag="TF", impute="first")
    made = made_by(word, tmp_path, S=given)
    assert texts(made["DF"]) == ["", "", "", "", "D", "M", "M"]
    assert texts(made["TF"]) == ["", "S", "M", "H", "H", "H", "H"]
    made = made_by(DateTime(source="S", to="M", to_time_flag="TF"), tmp_path, S=given)
    assert texts(made["TF"]) == ["", "S", "M", "H", "", "", ""]
    word = DateTime(source="S", to="M", to_time_flag="TF", flag_seconds=False)
    assert texts(made_by(word, tmp_path, S=["2020-11-11T11:11", "2020-11-11T11"])["TF"]) == ["", "M"]


def test_date_and_time_of_a_datetime(tmp_path):
    moment = [second("1959-12-31T06:30:00"), second("2019-07-18T23:59:59"), None]
    assert numbers(made_by(DateOf(source="M", to="D"), tmp_path, M=moment)["D"]) == days("1959-12-31", "2019-07-18", "")
    assert numbers(made_by(TimeOf(source="M", to="T"), tmp_path, M=moment)["T"]) == [23400, 86399, None]


def test_study_days(tmp_path):
    """test-derive_vars_dy.R, test 2."""
    dates = ["2014-01-17", "2014-01-18", "2014-01-15", "2014-01-20", "2014-02-01", "2014-03-01", "2014-05-01"]
    word = StudyDay(date="D", reference="R", to="DY")
    made = made_by(word, tmp_path, D=days(*dates), R=days(*["2014-01-17"] * 7))
    assert numbers(made["DY"]) == [1, 2, -2, 4, 16, 44, 105]


@pytest.mark.parametrize(
    ("start", "end", "parameters", "expected"),
    [
        ("2020-12-06", "2020-12-24", {}, 19),
        ("1984-09-06", "2020-02-24", {"unit": "years", "inclusive": False, "truncate": True}, 35),
        ("1984-09-06", "2020-02-24", {"unit": "months", "inclusive": False, "truncate": True}, 425),
        ("2020-02-03", "2020-02-24", {"unit": "weeks", "inclusive": False, "truncate": True}, 3),
        ("2000-02-01", "2000-03-01", {"unit": "months", "inclusive": False}, 29 / (365.25 / 12)),
        ("2000-02-01", "2001-02-01", {"unit": "years", "inclusive": False}, 366 / 365.25),
        ("2000-02-01", "2000-03-01", {"unit": "months", "inclusive": False, "calendar": True}, 1),
        ("2000-02-01", "2001-02-01", {"unit": "years", "inclusive": False, "calendar": True}, 1),
    ],
)
def test_durations(tmp_path, start, end, parameters, expected):
    """test-compute_duration.R, tests 1, 3, 5, 7, 13 and 14."""
    made = made_by(Duration(start="S", end="E", to="N", **parameters), tmp_path, S=[day(start)], E=[day(end)])
    assert numbers(made["N"]) == pytest.approx([expected])


@pytest.mark.parametrize(
    ("start", "end", "unit", "expected"),
    [
        ("2020-12-06T15:00:00", "2020-12-24T09:00:00", "days", 17.75),
        ("2020-12-06T09:00:00", "2020-12-06T13:30:00", "hours", 4.5),
        ("2020-12-06T13:00:00", "2020-12-06T13:30:00", "minutes", 30),
        ("2020-12-06T13:30:00", "2020-12-06T13:30:29", "seconds", 29),
    ],
)
def test_durations_of_datetimes(tmp_path, start, end, unit, expected):
    """test-compute_duration.R, tests 2, 8, 9 and 11."""
    word = Duration(start="S", end="E", to="N", unit=unit, datetimes=True, to_unit="U")
    made = made_by(word, tmp_path, S=[second(start), None], E=[second(end), 0.0])
    assert numbers(made["N"]) == pytest.approx([expected, None])
    assert texts(made["U"]) == [unit.upper(), ""]


def test_calendar_durations_have_parts_and_may_be_negative(tmp_path):
    """31 January to 29 February 2000 is a month (the month's last day); 15 of 29 days of February are left over."""
    word = Duration(start="S", end="E", to="N", unit="months", inclusive=False, calendar=True)
    starts = ["2000-01-31", "2000-01-01", "2000-03-01", ""]
    ends = ["2000-02-29", "2000-02-16", "2000-02-01", "2000-02-01"]
    assert numbers(made_by(word, tmp_path, S=days(*starts), E=days(*ends))["N"]) == pytest.approx(
        [1, 1 + 15 / 29, -1, None]
    )
    with pytest.raises(StudyError, match="calendar counts months or years"):
        Duration(start="S", end="E", to="N", calendar=True).check()


def test_no_day_is_added_where_the_end_precedes_the_start(tmp_path):
    """admiral's compute_duration: add_one only if the duration is not negative."""
    word = Duration(start="S", end="E", to="N")
    assert numbers(made_by(word, tmp_path, S=[10.0, 10.0, np.nan], E=[8.0, 10.0, 1.0])["N"]) == [-2, 1, None]
