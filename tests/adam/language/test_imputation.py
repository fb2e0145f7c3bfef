"""Imputation of events' dates as an adverse event dataset declares it: by hand, and what must always hold."""

from datetime import date as calendar

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from adam.derivations.dates import Date
from adam.derivations.datetimes import DateTime
from adam.language.imputation import partial_dates
from tests.adam.trial import columns, context, day, days, numbers, texts

START = Date(source="STDTC", to="ASTDT", to_flag="ASTDTF", impute="first", prefer="TRTSDT", end="ENDTC",
             not_after=("DTHDT",))  # fmt: skip
END = Date(source="ENDTC", to="AENDT", to_flag="AENDTF", impute="last", not_before=("ASTDT",), not_after=("DTHDT",))
CUTOFF = "2001-12-31"


def event(tmp_path, start, end="", treatment="2000-05-10", death=""):
    """Return start, end and their flags of one event."""
    made = columns(STDTC=[start], ENDTC=[end], TRTSDT=days(treatment), DTHDT=days(death))
    where = context(tmp_path, cutoff=CUTOFF)
    made |= START.derive(made, 1, where).columns
    made |= END.derive(made, 1, where).columns
    flags = texts(made["ASTDTF"])[0] + "/" + texts(made["AENDTF"])[0]
    dates = [None if np.isnan(made[name][0]) else str(np.datetime64("1960-01-01") + int(made[name][0]))
             for name in ("ASTDT", "AENDT")]  # fmt: skip
    return *dates, flags


def test_starts_and_ends_by_hand(tmp_path):
    """Treatment begins on 10 May 2000, data are cut off on 31 December 2001."""
    cases = {
        ("2000-05", "2000-05-20"): ("2000-05-10", "2000-05-20", "D/"),
        ("2000-05", "2000-05-10"): ("2000-05-10", "2000-05-10", "D/"),
        ("2000-05", "2000-05-09"): ("2000-05-01", "2000-05-09", "D/"),
        ("2000-05", "2000-05"): ("2000-05-10", "2000-05-31", "D/D"),
        ("2000-05", "2000-04"): (None, "2000-04-30", "/D"),  # the end precedes all that the start may be
        ("2000", "2000-03"): ("2000-01-01", "2000-03-31", "M/D"),
        ("2000", "2000"): ("2000-05-10", "2000-12-31", "M/M"),
        ("1999", ""): ("1999-01-01", None, "M/"),
        ("2001", "2001"): ("2001-01-01", "2001-12-31", "M/M"),
        ("2001-12-20", "2002-01"): ("2001-12-20", None, "/"),  # an end after the cut-off is not known
        ("2000-06-15", "2000-06"): ("2000-06-15", "2000-06-30", "/D"),
        ("", "2000-06"): (None, "2000-06-30", "/D"),
        ("2000---15", "2000"): ("2000-05-10", "2000-12-31", "M/M"),
    }
    assert {given: event(tmp_path, *given) for given in cases} == cases


def test_death_limits_both(tmp_path):
    assert event(tmp_path, "2000-05", "2000", death="2000-05-20") == ("2000-05-10", "2000-05-20", "D/M")
    assert event(tmp_path, "2000-05", "", death="2000-05-05") == ("2000-05-05", None, "D/")
    assert event(tmp_path, "2000-06", "", death="2000-05-20") == (None, None, "/")


def test_limits_that_leave_no_day(tmp_path):
    """An end that would have to lie after the start and before death, which is before the start, is not imputed."""
    assert event(tmp_path, "2000-06-15", "2000-06", death="2000-06-10") == ("2000-06-15", None, "/")


def test_never_treated(tmp_path):
    assert event(tmp_path, "2000-05", "2000-05-20", treatment="") == ("2000-05-01", "2000-05-20", "D/")


years = st.integers(1999, 2002).map(str)
months = st.tuples(years, st.integers(1, 12)).map(lambda part: f"{part[0]}-{part[1]:02d}")
whole = st.dates(np.datetime64("1999-01-01").item(), np.datetime64("2002-12-31").item()).map(str)
partial = st.one_of(years, months, whole, st.just(""), years.map(lambda year: f"{year}---15"))
dates = st.one_of(st.none(), st.integers(int(day("1999-01-01")), int(day("2002-12-31"))).map(float))
events = st.lists(st.tuples(partial, partial, dates, dates), min_size=1, max_size=6)


@settings(max_examples=200, deadline=None)
@given(events)
def test_what_holds_of_every_imputed_date(tmp_path_factory, rows):
    made = columns(STDTC=[row[0] for row in rows] + [""], ENDTC=[row[1] for row in rows] + [""],
                   TRTSDT=[row[2] for row in rows] + [None], DTHDT=[row[3] for row in rows] + [None])  # fmt: skip
    where = context(tmp_path_factory.mktemp("study"), cutoff=CUTOFF)
    made |= START.derive(made, len(rows) + 1, where).columns
    made |= END.derive(made, len(rows) + 1, where).columns
    known = {name: partial_dates(made[name], name) for name in ("STDTC", "ENDTC")}
    for text, date, flag in (("STDTC", "ASTDT", "ASTDTF"), ("ENDTC", "AENDT", "AENDTF")):
        part = known[text]
        for row, value in enumerate(numbers(made[date])):
            level = texts(made[flag])[row]
            assert (level != "") == (value is not None and part.precision[row] < 3)
            if value is None:
                continue
            assert part.first[row] <= value <= part.last[row]
            assert level == {3: "", 2: "D", 1: "M"}[part.precision[row]]
            if level:
                assert value <= day(CUTOFF)
                assert not value > made["DTHDT"][row]
                if date == "ASTDT":
                    assert not value > known["ENDTC"].last[row]
                    _check_treatment(value, part, row, made)
                else:
                    assert not value < made["ASTDT"][row] or made["ASTDT"][row] > part.last[row]


def _check_treatment(value, part, row, made):
    """A start that may be that of treatment is, unless the event ended, the patient died or data end before."""
    treatment = made["TRTSDT"][row]
    limits = [partial_dates(made["ENDTC"], "ENDTC").last[row], made["DTHDT"][row], day(CUTOFF)]
    if part.first[row] <= treatment <= part.last[row] and not any(limit < treatment for limit in limits):
        assert value == treatment


moments = st.one_of(
    partial, st.tuples(whole, st.sampled_from(["T10", "T10:30", "T10:30:15", "T-:15", "T23:59"])).map("".join)
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(moments, dates), min_size=1, max_size=5), st.sampled_from(["first", "last"]))
def test_what_holds_of_every_imputed_datetime(tmp_path_factory, rows, how):
    word = DateTime(source="DTC", to="DTM", to_flag="DF", to_time_flag="TF", impute=how, time=how, not_after=("LIMIT",))
    made = columns(DTC=[row[0] for row in rows] + [""], LIMIT=[row[1] and row[1] * 86400 for row in rows] + [None])
    part = partial_dates(made["DTC"], "DTC")
    made |= word.derive(made, len(rows) + 1, context(tmp_path_factory.mktemp("study"), cutoff=CUTOFF)).columns
    for row, value in enumerate(numbers(made["DTM"])):
        date_flag, time_flag = texts(made["DF"])[row], texts(made["TF"])[row]
        if value is None:
            assert (date_flag, time_flag) == ("", "")
            continue
        assert part.first[row] <= value // 86400 <= part.last[row]
        assert date_flag == {3: "", 2: "D", 1: "M"}[part.precision[row]]
        if date_flag:
            assert time_flag == "H"
            assert value // 86400 <= day(CUTOFF)
        if date_flag or (time_flag and made["LIMIT"][row] >= part.last[row] * 86400 + 86399):
            assert not value > made["LIMIT"][row]


def test_an_interval_is_imputed_between_its_ends(tmp_path):
    """What its ends have in common is known: the month of the first, the year of the second, nothing of the last."""
    given_ = columns(S=["2003-12-15T10:00/2003-12-16", "2003-11-20/2003-12-05", "2003-12-20/2004-01-05"])
    there = context(tmp_path, cutoff="2099-12-31")
    for impute, expected in (
        ("first", ("2003-12-15", "2003-11-20", "")),
        ("last", ("2003-12-16", "2003-12-05", "")),
        ("middle", ("2003-12-15", "2003-11-20", "")),
    ):
        made = Date(source="S", to="D", to_flag="F", impute=impute).derive(given_, 3, there).columns
        assert numbers(made["D"]) == days(*expected)
        assert texts(made["F"]) == ["D", "M", ""]


DAYS = st.dates(calendar(2000, 1, 1), calendar(2004, 12, 31))


@given(DAYS, DAYS, st.sampled_from(["first", "middle", "last"]))
def test_an_imputed_day_lies_in_its_interval(tmp_path_factory, one, other, impute):
    first, last = sorted([one, other])
    there = context(tmp_path_factory.mktemp("study"), cutoff="2099-12-31")
    word = Date(source="S", to="D", impute=impute)
    [made] = numbers(word.derive(columns(S=[f"{first}/{last}"]), 1, there).columns["D"])
    assert made is None or day(str(first)) <= made <= day(str(last))
    assert (made is None) == (first.year != last.year)
