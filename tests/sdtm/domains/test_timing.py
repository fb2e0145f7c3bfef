"""Dates as collected, and study days."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from metadata.coded_text import CodedText
from sdtm.columns.table import DomainTable
from sdtm.domains.timing import study_days
from sdtm.operations.dates import CollectedDate

DAYS = st.dates(date(1950, 1, 1), date(2050, 12, 31))


def collected(year: str, month: str, day: str) -> str:
    """What the operation date makes of three fields."""
    parts = [CodedText.constant(part, 1) for part in (year, month, day)]
    return CollectedDate._parts(parts, 1).array()[0]


@given(DAYS, st.integers(1, 3))
def test_parts_make_the_date_cut_where_they_are_unknown(day: date, known: int) -> None:
    parts = [str(day.year), str(day.month), str(day.day)]
    given_parts = [part if number < known else "" for number, part in enumerate(parts)]
    assert collected(*given_parts) == day.isoformat()[: (4, 7, 10)[known - 1]]


def tables(dates: list[str], start: str) -> tuple[DomainTable, DomainTable]:
    """Return a table with dates of one subject and its DM."""
    table, subjects = DomainTable("AE", len(dates)), DomainTable("DM", 1)
    table.put("USUBJID", CodedText.constant("S", len(dates)))
    table.put("AESTDTC", CodedText.of_codes(np.arange(len(dates)), dates))
    subjects.put("USUBJID", CodedText.constant("S", 1))
    subjects.put("RFSTDTC", CodedText.constant(start, 1))
    return table, subjects


@given(DAYS, st.integers(-3000, 3000))
def test_there_is_no_day_zero(start: date, distance: int) -> None:
    table, subjects = tables([(start + timedelta(days=distance)).isoformat()], start.isoformat())
    day = study_days(table, subjects, "AESTDTC")[0]
    assert day == (distance + 1 if distance >= 0 else distance)
    assert day != 0


def test_partial_and_missing_dates_have_no_day() -> None:
    table, subjects = tables(["2000-03", "", "2000-03-05T10:30"], "2000-03-05")
    days = study_days(table, subjects, "AESTDTC")
    assert np.isnan(days[:2]).all()
    assert days[2] == 1
    table, subjects = tables(["2000-03-05"], "2000-03")
    assert np.isnan(study_days(table, subjects, "AESTDTC")).all()


def test_time_is_added_to_complete_dates_only() -> None:
    texts = {"d": CodedText.of_codes(np.arange(3), ["2000-03-05", "2000-03-05", ""])}
    texts["t"] = CodedText.of_codes(np.arange(3), ["10:30", "25:00", "09:00"])
    source = SimpleNamespace(text=lambda name: (texts[name], None))
    made = CollectedDate.__new__(CollectedDate)
    made.time = "t"
    values, _, problem = made._timed(texts["d"], source)  # type: ignore[arg-type]
    assert values.array().tolist() == ["2000-03-05T10:30", "2000-03-05", ""]
    assert problem.rows.tolist() == [False, True, True]


def test_a_result_of_the_morning_is_before_a_dose_of_the_afternoon(small: Any) -> None:
    dictionary = small.folder / "redcap" / "dictionary.csv"
    text = dictionary.read_text(encoding="utf-8")
    for field, form in (("seen", "look"), ("dose_st", "dose")):
        text = text.replace(f"{field},{form},text,Date,,date_ymd", f"{field},{form},text,Date,,datetime_ymd")
        text = text.replace(f"{field},{form},text,From,,date_ymd", f"{field},{form},text,From,,datetime_ymd")
    dictionary.write_text(text, encoding="utf-8")
    small.subject(start="2000-03-10 14:00")
    for instance, moment in (("1", "2000-03-10 13:05"), ("2", "2000-03-10 09:05"), ("3", "2000-03-10 15:00")):
        small.row("1", "other", "", instance, seen=moment, wc="5", wc_u="1", house="1")
    made = small.frame("LB")[["LBDTC", "LBLOBXFL"]].to_numpy().tolist()
    assert sorted(made) == [["2000-03-10T09:05", ""], ["2000-03-10T13:05", "Y"], ["2000-03-10T15:00", ""]]
