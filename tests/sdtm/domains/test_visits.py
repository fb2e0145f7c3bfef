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


def test_a_visit_at_which_no_form_asks_for_a_date_took_place_if_it_has_values(small: Any) -> None:
    path = small.folder / "redcap" / "form_event_mapping.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("1,month_arm_1,look\n", "1,month_arm_1,call\n"), encoding="utf-8")
    path = small.folder / "redcap" / "dictionary.csv"
    path.write_text(path.read_text(encoding="utf-8") + "hb2,call,text,Haemoglobin,,number\n", encoding="utf-8")
    lab = (
        (small.folder / "sdtm" / "lb.yaml").read_text(encoding="utf-8").replace("records:\n  form", "records:\n- form")
    )
    head, tail = lab.split("- form", 1)
    more = "\n- {form: call, tests: {HGB: {result: hb2, unit: {constant: g/L}, standard_unit: g/L}}}\n"
    small.write("lb", f"{head}- form{tail.rstrip()}{more}")
    small.subject()
    small.subject("2")
    small.row("1", "month", hb2="130")
    small.row("2", "month")
    visits = small.frame("SV")
    assert visits[["USUBJID", "VISITNUM", "SVSTDTC", "SVENDTC"]].to_numpy().tolist() == [
        ["SMALL-01-1", 1.0, "2000-03-01", "2000-03-01"],
        ["SMALL-01-1", 2.0, "", ""],
        ["SMALL-01-2", 1.0, "2000-03-01", "2000-03-01"],
    ]
    assert small.frame("LB")["VISITNUM"].tolist() == [2.0]


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


def with_plan(small: Any, *visits: str) -> None:
    """Let other visits be planned, of events that nothing is recorded at."""
    path = small.folder / "study.yaml"
    text = path.read_text()
    rows = "".join(f"  - {visit}\n" for visit in visits)
    path.write_text(text.replace("  - {visit: UNSCHEDULED", f"{rows}  - {{visit: UNSCHEDULED"))


def test_an_unscheduled_visit_never_has_the_number_of_a_planned_one(small: Any) -> None:
    with_plan(small, "{visitnum: 1.1, visit: PHONE, event: phone, day: 8}", "{visitnum: 1.15, visit: FAX, event: fax}")
    small.subject(cons="2000-03-01")
    for instance, date in (("1", "2000-03-15"), ("2", "2000-03-20")):
        small.row("1", "other", "", instance, seen=date, why="1", wc="5", wc_u="1", house="1")
    assert small.frame("SV")["VISITNUM"].tolist() == [1.0, 1.01, 1.02]
    assert small.frame("LB")["VISITNUM"].tolist() == [1.01, 1.02]


def test_a_visit_before_a_plan_that_starts_at_zero_comes_before_it(small: Any) -> None:
    with_plan(small, "{visitnum: 0, visit: CALL, event: call, day: -8}")
    small.subject(cons="2000-03-01")
    small.row("1", "other", "", "1", seen="2000-02-01", why="1")
    assert small.frame("SV")["VISITNUM"].tolist() == [-0.9, 1.0]


def with_number(small: Any) -> None:
    """Let the form of visits hold the number of the visit."""
    path = small.folder / "redcap" / "dictionary.csv"
    path.write_text(path.read_text(encoding="utf-8") + "visit_no,look,text,Visit,,number\n", encoding="utf-8")
    path = small.folder / "sdtm" / "sv.yaml"
    path.write_text(path.read_text() + "    VISITNUM: {lookup: visit_no, match: visit}\n", encoding="utf-8")


def test_a_study_may_take_the_number_from_a_field(small: Any) -> None:
    with_number(small)
    small.subject(cons="2000-03-01")
    small.row("1", "start", visit_no="1")
    for instance, date, number in (("1", "2000-03-15", "1.5"), ("2", "2000-03-20", ""), ("3", "2000-03-21", "")):
        small.row("1", "other", "", instance, seen=date, wc="5", wc_u="1", house="1", visit_no=number)
    made = small.tabulate()
    frame = small.frame("SV")
    assert frame[["VISITNUM", "VISIT"]].to_numpy().tolist() == [
        [1.0, "START"], [1.1, "UNSCHEDULED 1.1"], [1.2, "UNSCHEDULED 1.2"], [1.5, "UNSCHEDULED 1.5"],
    ]  # fmt: skip
    assert made.withheld.empty
    assert small.frame("LB").set_index("LBDTC")["VISITNUM"].to_dict() == {
        "2000-03-15": 1.5, "2000-03-20": 1.1, "2000-03-21": 1.2,
    }  # fmt: skip


def test_numbers_by_date_pass_by_those_of_a_field(small: Any) -> None:
    with_number(small)
    small.subject(cons="2000-03-01")
    for instance, date, number in (("1", "2000-03-15", "1.1"), ("2", "2000-03-20", "")):
        small.row("1", "other", "", instance, seen=date, visit_no=number, why="1")
    assert small.frame("SV")["VISITNUM"].tolist() == [1.0, 1.01, 1.1]


def test_a_number_that_another_visit_has_is_asked_about_with_that_visit(small: Any) -> None:
    with_number(small)
    small.subject(cons="2000-03-01")
    small.row("1", "month", seen="2000-04-02", visit_no="3")
    for instance, date, number in (("1", "2000-03-15", "2"), ("2", "2000-03-20", "1.5"), ("3", "2000-03-21", "1.5")):
        small.row("1", "other", "", instance, seen=date, visit_no=number, why="1")
    made = small.tabulate()
    assert small.frame("SV")["VISITNUM"].tolist() == [1.0, 1.1, 1.2, 1.5, 2.0]
    assert made.withheld[["source_row", "field", "reason"]].to_numpy().tolist() == [
        [2, "visit_no", "the visit has another VISITNUM in study.yaml"],
        [3, "visit_no", "VISITNUM 2 is planned for the visit MONTH"],
        [5, "visit_no", "an earlier visit of the subject has the same VISITNUM"],
    ]
