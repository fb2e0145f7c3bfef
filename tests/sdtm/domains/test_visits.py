"""Visits: their dates, and the numbers of unscheduled ones."""

from __future__ import annotations

from typing import Any


def test_a_visit_lasts_from_the_earliest_to_the_latest_date_on_its_forms(small: Any) -> None:
    small.subject(cons="2000-03-01")
    small.row("1", "start", seen="2000-03-04")
    small.row("1", "month", seen="2000-04-02", end_dt="2001-01-01")
    frame = small.frame("SV")
    assert frame[["VISITNUM", "VISIT", "SVSTDTC", "SVENDTC"]].to_numpy().tolist() == [
        [1.0, "START", "2000-03-01", "2000-03-04"],
        [2.0, "MONTH", "2000-04-02", "2000-04-02"],
    ]


def test_unscheduled_visits_are_numbered_by_date_after_the_planned_one_before(small: Any) -> None:
    small.subject(cons="2000-03-01")
    small.row("1", "month", seen="2000-04-02")
    for instance, date in (("1", "2000-05-05"), ("2", "2000-03-20"), ("3", "2000-03-15"), ("4", "2000-02-01")):
        small.row("1", "other", "", instance, seen=date, why="1", wc="5", wc_u="1", house="1")
    frame = small.frame("SV")
    assert frame[["VISITNUM", "VISIT", "SVSTDTC"]].to_numpy().tolist() == [
        [0.1, "UNSCHEDULED 0.1", "2000-02-01"],
        [1.0, "START", "2000-03-01"],
        [1.1, "UNSCHEDULED 1.1", "2000-03-15"],
        [1.2, "UNSCHEDULED 1.2", "2000-03-20"],
        [2.0, "MONTH", "2000-04-02"],
        [2.1, "UNSCHEDULED 2.1", "2000-05-05"],
    ]
    assert frame["SVUPDES"].tolist() == ["Fall", "", "Fall", "Fall", "", "Fall"]
    assert frame["VISITDY"].isna().tolist() == [True, False, True, True, False, True]
    results = small.frame("LB").set_index("LBDTC")["VISITNUM"].to_dict()
    assert results == {"2000-02-01": 0.1, "2000-03-15": 1.1, "2000-03-20": 1.2, "2000-05-05": 2.1}


def test_more_than_nine_unscheduled_visits_stay_apart(small: Any) -> None:
    small.subject(cons="2000-03-01")
    for number in range(1, 12):
        small.row("1", "other", "", str(number), seen=f"2000-03-{number + 10}")
    numbers = small.frame("SV")["VISITNUM"].tolist()
    assert numbers == sorted(set(numbers))
    assert numbers[1:3] == [1.01, 1.02]


def test_a_visit_without_a_date_did_not_take_place(small: Any) -> None:
    small.subject()
    small.row("1", "month", seen="ND", house="1")
    assert small.frame("SV")["VISITNUM"].tolist() == [1.0]


def test_a_field_of_date_and_time_gives_both_to_a_record_and_its_day_to_the_visit(small: Any) -> None:
    dictionary = small.folder / "redcap" / "dictionary.csv"
    text = dictionary.read_text(encoding="utf-8")
    dictionary.write_text(text.replace("seen,look,text,Date,,date_ymd", "seen,look,text,Date,,datetime_mdy"))
    small.subject(cons="2000-03-01")
    for instance, moment in (("1", "2000-03-20 09:05"), ("2", "2000-03-21 24:05"), ("3", "ND")):
        small.row("1", "other", "", instance, seen=moment, why="1", wc="5", wc_u="1", house="1")
    made = small.tabulate()
    assert made.datasets["LB"].frame["LBDTC"].astype("str").tolist() == ["", "2000-03-20T09:05", ""]
    assert made.datasets["SV"].frame["SVSTDTC"].astype("str").tolist() == ["2000-03-01", "2000-03-20", "2000-03-21"]
