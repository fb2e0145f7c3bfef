import calendar
from datetime import date, timedelta

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from metadata.iso8601 import (
    day_bounds,
    from_parts,
    from_sas_days,
    is_complete,
    is_valid,
    study_day,
    to_sas_days,
)

days = st.dates(date(1900, 1, 1), date(2100, 12, 31))


def text(*values: str) -> pd.Series:
    return pd.Series(values, dtype="str")


def test_parts_unknown_on_the_right_are_cut() -> None:
    made = from_parts(
        text("2001", "2001", "2001", "UNK", ""), text("3", "03", "UNK", "3", ""), text("5", "UNK", "", "", "")
    )
    assert made.tolist() == ["2001-03-05", "2001-03", "2001", "--03", ""]


def test_a_known_day_after_an_unknown_month_keeps_its_place() -> None:
    assert from_parts(text("2001"), text("NA"), text("15")).tolist() == ["2001---15"]


def test_bounds_of_partial_dates() -> None:
    first, last = day_bounds(text("2000", "2000-02", "2000-02-10", "2001-02-29", "2001---15", "UNK", ""))
    assert first.astype(str).tolist() == ["2000-01-01", "2000-02-01", "2000-02-10", "NaT", "NaT", "NaT", "NaT"]
    assert last.astype(str).tolist() == ["2000-12-31", "2000-02-29", "2000-02-10", "NaT", "NaT", "NaT", "NaT"]


def test_valid_and_complete() -> None:
    dates = text("2001", "2001-02-29", "2000-02-29", "2001-13", "", "31/12/2001", "2001---15", "2001-04-05T10:30")
    assert is_valid(dates).tolist() == [True, False, True, False, True, False, True, True]
    assert is_complete(dates).tolist() == [False, False, True, False, False, False, False, True]


def test_study_day_has_no_day_zero_and_needs_both_dates() -> None:
    made = study_day(text("2001-01-01", "2000-12-31", "2001-01-10", "2001-01"), text(*["2001-01-01"] * 4))
    assert made.tolist()[:3] == [1, -1, 10] and np.isnan(made.iloc[3])


@given(days, days)
def test_study_day_counts_days(day: date, reference: date) -> None:
    made = study_day(text(day.isoformat()), text(reference.isoformat())).iloc[0]
    assert made != 0
    assert reference + timedelta(days=int(made) - (1 if made > 0 else 0)) == day


@given(days)
def test_parts_of_a_day_give_the_day_back(day: date) -> None:
    made = from_parts(text(str(day.year)), text(str(day.month)), text(str(day.day)))
    assert made.tolist() == [day.isoformat()]
    assert is_complete(made).all()


@given(st.integers(1900, 2100), st.integers(1, 12))
def test_a_month_ends_where_the_calendar_says(year: int, month: int) -> None:
    first, last = day_bounds(text(f"{year}-{month:02}"))
    length = calendar.monthrange(year, month)[1]
    assert (last[0] - first[0]).astype(int) == length - 1


@given(days)
def test_sas_days_count_from_1960(day: date) -> None:
    number = to_sas_days(np.array([day], "datetime64[D]"))
    assert number[0] == (day - date(1960, 1, 1)).days
    assert from_sas_days(number)[0] == np.datetime64(day)
