import calendar
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.coded_text import CodedText
from metadata.iso8601 import (
    day_bounds,
    from_parts,
    from_sas_days,
    is_date,
    is_full,
    time_parts,
    to_sas_days,
)

days = st.dates(date(1900, 1, 1), date(2100, 12, 31))


def text(*values: str) -> pd.Series:
    return pd.Series(values, dtype="str")


@pytest.mark.parametrize(
    ("parts", "made"),
    [
        (("2001", "3", "5"), "2001-03-05"),
        (("2001", "03", "UNK"), "2001-03"),
        (("2001", "UNK", ""), "2001"),
        (("UNK", "3", ""), "--03"),
        (("", "", "5"), "----05"),
        (("2001", "NA", "15"), "2001---15"),
        ((" 2001", "0", "00"), "2001"),
        (("", "", ""), ""),
        (("٢٠٠١", "3", "5"), "--03-05"),
    ],
)
def test_an_unknown_part_is_cut_on_the_right_and_keeps_its_place_elsewhere(parts: list[str], made: str) -> None:
    assert from_parts(*parts) == made


def test_bounds_of_partial_dates() -> None:
    first, last = day_bounds(text("2000", "2000-02", "2000-02-10", "2001-02-29", "2001---15", "UNK", ""))
    assert first.astype(str).tolist() == ["2000-01-01", "2000-02-01", "2000-02-10", "NaT", "NaT", "NaT", "NaT"]
    assert last.astype(str).tolist() == ["2000-12-31", "2000-02-29", "2000-02-10", "NaT", "NaT", "NaT", "NaT"]


def test_valid_and_complete() -> None:
    dates = text("2001", "2001-02-29", "2000-02-29", "2001-13", "", "31/12/2001", "2001---15", "2001-04-05T10:30")
    assert CodedText.of_series(dates).test(is_date).tolist() == [True, False, True, False, True, False, True, True]
    assert CodedText.of_series(dates).test(is_full).tolist() == [False, False, True, False, False, False, False, True]
    odd = text("--03-15", "----05", "0000-01-01", "2001-00", "2001-1-1", "٢٠٠١", "2001-02-03T1030", "2001-02-03\n")
    assert CodedText.of_series(odd).test(is_date).tolist() == [True, True, *[False] * 6]


@given(days)
def test_parts_of_a_day_give_the_day_back(day: date) -> None:
    made = from_parts(str(day.year), str(day.month), str(day.day))
    assert made == day.isoformat()
    assert is_full(made)


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


@pytest.mark.parametrize(
    ("moment", "parts"),
    [
        ("2001-02-03T10", (10, None, None)),
        ("2001-02-03T10:30", (10, 30, None)),
        ("2001-02-03T23:59:59", (23, 59, 59)),
        ("2001-02-03T10:30:15.25", (10, 30, 15.25)),
        ("2001-02-03T10:30:15,5", (10, 30, 15.5)),
        ("2001-02-03T10:30:15Z", (10, 30, 15)),
        ("2001-02-03T10:30:15+02:00", (10, 30, 15)),
        ("2001-02-03T10:30-0500", (10, 30, None)),
        ("2001-02-03T-:15", (None, 15, None)),
        ("2001-02-03T13:-:17", (13, None, 17)),
        ("-----T07:15", (7, 15, None)),
        ("2001-02--T07:15", (7, 15, None)),
    ],
)
def test_a_time_of_day_is_read_as_the_clock_showed_it(moment: str, parts: tuple[float | None, ...]) -> None:
    assert is_date(moment)
    assert [None if np.isnan(part) else part for part in time_parts(moment)] == list(parts)


@pytest.mark.parametrize(
    "moment",
    ["2001-02-03T25:61", "2001-02-03T24:00", "2001-02-03T10:60", "2001-02-03T10:30:60", "2001-02-03T", "T10:30",
     "2001-02-30T10:30", "2001-13-01T10:30", "2001-02-03 10:30", "2001-02-03T10:30+15:00", "0024-01-01", "1582-12-31"],
)  # fmt: skip
def test_what_the_clock_or_the_calendar_does_not_have_is_no_date(moment: str) -> None:
    assert not is_date(moment)


def test_an_interval_of_uncertainty_has_the_bounds_of_its_ends() -> None:
    first, last = day_bounds(text("2003-12-15T10:00/2003-12-16", "2003-12-16/2003-12-15", "2003-12-15/x"))
    assert first.astype(str).tolist() == ["2003-12-15", "NaT", "NaT"]
    assert last.astype(str).tolist() == ["2003-12-16", "NaT", "NaT"]


@given(st.text(st.sampled_from("0123456789-T:Z+/ ,.é٣"), max_size=20))
def test_whatever_is_a_date_is_blank_or_has_a_day_a_month_or_a_time(candidate: str) -> None:
    if is_date(candidate) and candidate:
        first, _ = day_bounds(text(candidate))
        known = not np.isnat(first[0]) or candidate.startswith("-") or "--" in candidate
        assert known
        assert candidate.isascii()
