"""Dates in free-text fields: what is read, what is refused, and that writing and reading agree."""

from __future__ import annotations

import datetime
from typing import get_args

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.text_dates import DateOrder, TextDate

DAY_FIRST = TextDate("dmy", ("UN", "??"))


def text(*words: str) -> pd.Series:
    return pd.Series(words, dtype="str")


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("05-03-2019", "2019-03-05"),
        ("5/3/2019", "2019-03-05"),
        (" 05.03.2019 ", "2019-03-05"),
        ("UN-03-2019", "2019-03"),
        ("un-un-2019", "2019"),
        ("??-??-2019", "2019"),
        ("05-UN-2019", "2019---05"),
        ("03/2019", "2019-03"),
        ("2019", "2019"),
        ("UN-UN-UN", ""),
        ("", ""),
    ],
)
def test_what_is_written_day_first_is_read(written: str, iso: str) -> None:
    assert DAY_FIRST.iso(text(written)).tolist() == [iso]
    assert DAY_FIRST.is_readable(text(written)).tolist() == [True]


@pytest.mark.parametrize(
    "written",
    ["31-02-2019", "03-25-2019", "2019-03-05", "05-03-19", "05-03", "March 2019", "XX-03-2019", "05-03-2019 x"],
)
def test_anything_else_is_refused_and_not_guessed(written: str) -> None:
    assert DAY_FIRST.is_readable(text(written)).tolist() == [False]
    assert DAY_FIRST.iso(text(written)).tolist() == [""]


@settings(deadline=None, max_examples=40)
@given(st.dates(datetime.date(1900, 1, 1), datetime.date(2100, 12, 31)), st.sampled_from(get_args(DateOrder)))
def test_what_is_written_in_an_order_is_read_back(day: datetime.date, order: DateOrder) -> None:
    written = TextDate(order, ("UN",))
    iso = day.isoformat()
    made = written.written(text(iso[:4]), text(iso[5:7]), text(iso[8:]))
    assert written.iso(made).tolist() == [iso]
    partial = written.written(text(iso[:4]), text(iso[5:7]), text(""))
    assert written.iso(partial).tolist() == [iso[:7]]
