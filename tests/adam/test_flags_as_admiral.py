"""Flags and indicators against the expected values of admiral's own unit tests (pharmaverse/admiral, Apache 2.0)."""

import pytest

from adam.derivations.flags import FlagOne, OnTreatment, TreatmentEmergent
from adam.derivations.ranges import RangeIndicator
from metadata.condition import read_condition
from metadata.errors import StudyError
from tests.adam.trial import days, made_by, second, texts

EVENTS = [
    ("1", "2021-12-13T20:15", "2021-12-15T12:45", 1, 1, "", "", ""),
    ("1", "2021-12-14T20:15", "2021-12-14T22:00", 1, 3, "", "", ""),
    ("1", "2021-12-30T20:00", "2022-01-14T11:00", 1, 3, "", "Y", "Y"),
    ("1", "2021-12-31T20:15", "2022-01-01T01:23", 1, 1, "", "", ""),
    ("1", "2022-01-01T12:00", "2022-01-02T23:25", 3, 4, "Y", "Y", "Y"),
    ("1", "2022-05-10T11:00", "2022-05-10T13:05", 2, 2, "Y", "Y", "Y"),
    ("1", "2022-05-10T12:00", "2022-05-10T13:05", 2, 2, "Y", "Y", ""),
    ("1", "2022-05-11T11:00", "2022-05-11T13:05", 2, 2, "Y", "", ""),
    ("1", "", "", 3, 4, "Y", "Y", "Y"),
    ("1", "2021-12-30T09:00", "", 3, 4, "", "Y", "Y"),
    ("1", "2021-12-30T11:00", "", 3, 3, "", "", ""),
    ("1", "", "2022-01-04T09:00", 3, 4, "Y", "Y", "Y"),
    ("1", "", "2021-12-24T19:00", 3, 4, "", "", ""),
    ("1", "", "2022-06-04T09:00", 3, 4, "Y", "Y", "Y"),
    ("2", "", "2021-12-03T12:00", 1, 2, "", "", ""),
    ("2", "2021-12-01T12:00", "2021-12-03T12:00", 1, 2, "", "", ""),
    ("2", "2021-12-06T18:00", "", 1, 2, "", "", ""),
]
LINES = [
    ("1", "2021-12-13", "2021-12-15", 1, "1", ""),
    ("1", "2021-12-14", "2021-12-14", 3, "1", ""),
    ("1", "2021-12-30", "2022-01-14", 3, "2", ""),
    ("1", "2022-01-05", "2022-06-01", 1, "2", ""),
    ("1", "2022-01-10", "2022-01-11", 2, "2", "Y"),
    ("1", "2022-01-13", "2022-03-01", 1, "2", "Y"),
    ("1", "2022-01-01", "2022-01-02", 4, "3", "Y"),
    ("1", "2022-05-10", "2022-05-10", 2, "4", "Y"),
    ("1", "2022-05-10", "2022-05-10", 2, "4", "Y"),
    ("1", "2022-05-11", "2022-05-11", 2, "4", ""),
    ("1", "", "", 4, "5", "Y"),
    ("1", "2021-12-30", "", 4, "5", ""),
    ("1", "2021-12-30", "", 3, "5", ""),
    ("1", "", "2022-01-04", 4, "5", "Y"),
    ("1", "", "2021-12-24", 4, "5", ""),
    ("1", "", "2022-06-04", 4, "5", "Y"),
    ("2", "", "2021-12-03", 2, "1", ""),
    ("2", "2021-12-01", "2021-12-03", 2, "2", ""),
    ("2", "2021-12-06", "", 2, "3", ""),
]


def moments(texts_, timed):
    """Return datetimes as days, with or without the part of the day."""
    if not timed:
        return days(*(one[:10] for one in texts_))
    return [None if not one else second(one) / 86400 for one in texts_]


@pytest.mark.parametrize(
    ("parameters", "timed", "place"),
    [
        ({"days": None}, True, 5),
        ({"days": 10, "initial": "I", "worst": "W"}, False, 6),
        ({"days": 10, "initial": "I", "worst": "W"}, True, 7),
    ],
)
def test_treatment_emergence(tmp_path, parameters, timed, place):
    """test-derive_var_trtemfl.R, tests 1, 2 (time of treatment end ignored) and 4 (not ignored)."""
    treated = [row[0] == "1" for row in EVENTS]
    made = made_by(
        TreatmentEmergent(**parameters),
        tmp_path,
        ASTDT=moments([row[1] for row in EVENTS], timed),
        AENDT=moments([row[2] for row in EVENTS], timed),
        I=[float(row[3]) for row in EVENTS],
        W=[float(row[4]) for row in EVENTS],
        TRTSDT=moments(["2022-01-01T01:01" if one else "" for one in treated], timed),
        TRTEDT=moments(["2022-04-30T11:30" if one else "" for one in treated], timed),
    )
    assert texts(made["TRTEMFL"]) == [row[place] for row in EVENTS]


def test_treatment_emergence_of_events_in_several_lines(tmp_path):
    """test-derive_var_trtemfl.R, test 3 (group_var)."""
    word = TreatmentEmergent(days=10, worst="W", by=("USUBJID", "AEGRPID"))
    made = made_by(
        word,
        tmp_path,
        USUBJID=[row[0] for row in LINES],
        ASTDT=days(*(row[1] for row in LINES)),
        AENDT=days(*(row[2] for row in LINES)),
        W=[float(row[3]) for row in LINES],
        AEGRPID=[row[4] for row in LINES],
        TRTSDT=days(*("2022-01-01" if row[0] == "1" else "" for row in LINES)),
        TRTEDT=days(*("2022-04-30" if row[0] == "1" else "" for row in LINES)),
    )
    assert texts(made["TRTEMFL"]) == [row[5] for row in LINES]


@pytest.mark.parametrize("given", [{"worst": "W"}, {"initial": "I"}])
def test_worsening_needs_two_severities(given):
    """test-derive_var_trtemfl.R, tests 7 and 8."""
    with pytest.raises(StudyError, match="needs"):
        TreatmentEmergent(**given).check()


def test_a_missing_severity_is_worse_only_if_said_so(tmp_path):
    given = {"ASTDT": [1.0], "AENDT": [None], "TRTSDT": [5.0], "TRTEDT": [9.0], "I": [None], "W": [2.0]}
    word = TreatmentEmergent(initial="I", worst="W", unknown="worse")
    assert texts(made_by(word, tmp_path, **given)["TRTEMFL"]) == ["Y"]
    assert texts(made_by(TreatmentEmergent(initial="I", worst="W"), tmp_path, **given)["TRTEMFL"]) == [""]


ADMIRAL = {"skip_first_day": False, "days": 0, "undated": True}


@pytest.mark.parametrize(
    ("date", "end", "first", "last", "more", "expected"),
    [
        ("2021-01-01", "", "2021-01-02", "", {}, ""),  # test 1
        ("2021-01-01", "", "", "", {}, ""),  # test 2
        ("", "", "2020-01-01", "", {}, "Y"),  # test 3
        ("", "", "", "", {}, ""),
        ("2020-01-01", "", "2020-01-01", "", {}, "Y"),  # test 4
        ("2020-01-02", "", "2020-01-01", "", {}, "Y"),
        ("2019-12-13", "", "2020-01-01", "2020-02-01", {}, ""),  # test 6
        ("2020-01-01", "", "2020-01-01", "2020-02-01", {}, "Y"),
        ("2020-02-01", "", "2020-01-01", "2020-02-01", {}, "Y"),
        ("2020-02-02", "", "2020-01-01", "2020-02-01", {}, ""),
        ("2020-02-05", "", "2020-01-01", "2020-02-01", {"days": 5}, "Y"),  # test 7
        ("2020-02-10", "", "2020-01-01", "2020-02-01", {"days": 5}, ""),
        ("2019-04-30", "2019-03-15", "2020-01-01", "2020-03-01", {"days": 60}, ""),  # test 9
        ("", "2019-03-15", "2020-01-01", "2020-03-01", {"days": 60}, ""),
        ("", "2021-03-15", "2020-01-01", "2020-03-01", {"days": 60}, "Y"),  # test 10
        ("2019-04-30", "", "2020-01-01", "2020-03-01", {"days": 60}, ""),  # test 11
        ("2019-04-30", "", "2020-01-01", "2020-03-01", {"days": 60, "span": True}, "Y"),  # test 12
        ("2019-04-30", "2020-03-15", "2020-01-01", "2020-03-01", {"span": True}, "Y"),  # test 14
    ],
)
def test_on_treatment(tmp_path, date, end, first, last, more, expected):
    """test-derive_var_ontrtfl.R, by the numbers at the cases."""
    word = OnTreatment(end="E", **{**ADMIRAL, **more})
    made = made_by(word, tmp_path, ADT=days(date), E=days(end), TRTSDT=days(first), TRTEDT=days(last))
    assert texts(made["ONTRTFL"]) == [expected]


def test_on_treatment_but_before_the_dose(tmp_path):
    """test-derive_var_ontrtfl.R, test 5 (filter_pre_timepoint)."""
    word = OnTreatment(**ADMIRAL, before_dose=read_condition({"TPT": "PRE"}, {}, "before_dose"))
    start = days("2020-01-01", "2020-01-01")
    made = made_by(word, tmp_path, ADT=start, TRTSDT=start, TRTEDT=[None, None], TPT=["PRE", "POST"])
    assert texts(made["ONTRTFL"]) == ["", "Y"]


@pytest.mark.parametrize(
    ("value", "low", "high", "lowest", "highest", "expected"),
    [
        (70, 60, 100, 40, 110, "NORMAL"),  # test 1
        (57, 60, 100, 40, 110, "LOW"),
        (60, 60, 100, 40, 110, "NORMAL"),
        (102, 60, 80, 40, 90, "HIGH HIGH"),
        (109, 60, 100, 40, 110, "HIGH"),
        (100, 60, 100, 40, 110, "NORMAL"),
        (39, 60, 100, 40, 110, "LOW LOW"),
        (40, 60, 100, 40, 110, "LOW"),
        (102, 60, 80, None, None, "HIGH"),  # test 3
        (101, None, 100, None, 120, "HIGH"),  # test 5
        (123, None, 100, None, 120, "HIGH HIGH"),
        (102, 60, None, 40, None, "NORMAL"),
        (58, 60, None, 40, None, "LOW"),
        (39, None, 100, None, 120, "NORMAL"),
        (None, 60, 100, 40, 110, ""),  # test 6
        (1.1 * 100, 60, 110, None, None, "NORMAL"),  # test 7
        (50, None, None, None, None, ""),
    ],
)
def test_range_indicator(tmp_path, value, low, high, lowest, highest, expected):
    """test-derive_var_anrind.R, by the numbers at the cases."""
    word = RangeIndicator(outer_low="A1LO", outer_high="A1HI")
    made = made_by(word, tmp_path, AVAL=[value], ANRLO=[low], ANRHI=[high], A1LO=[lowest], A1HI=[highest])
    assert texts(made["ANRIND"]) == [expected]


def test_floating_noise_is_seen_with_17_digits(tmp_path):
    """test-derive_var_anrind.R, test 8 (signif_dig)."""
    made = made_by(RangeIndicator(digits=17), tmp_path, AVAL=[1.1 * 100], ANRLO=[60.0], ANRHI=[110.0])
    assert texts(made["ANRIND"]) == ["HIGH"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [(("AVISITN", "-AVAL"), ["Y", "", "Y", "Y", ""]), (("-AVISITN", "AVAL"), ["", "Y", "Y", "", "Y"])],
)
def test_extreme_flag(tmp_path, order, expected):
    """test-derive_var_extreme_flag.R, first and last observation of each group."""
    made = made_by(
        FlagOne(to="F", by=("USUBJID",), order=order),
        tmp_path,
        USUBJID=["1", "1", "2", "3", "3"],
        AVISITN=[1.0, 3, 2, 3, 3],
        AVAL=[12.0, 9, 42, 14, 10],
    )
    assert texts(made["F"]) == expected


def test_worst_flag(tmp_path):
    """test-derive_var_extreme_flag.R, worst flag: highest for PARAM01, latest of equal ones."""
    made = made_by(
        FlagOne(to="F", by=("USUBJID", "PARAMCD", "AVISIT"), order=("-AVAL", "-ADT")),
        tmp_path,
        USUBJID=["PAT01"] * 5,
        PARAMCD=["PARAM01"] * 5,
        AVISIT=["BASELINE", "BASELINE", "BASELINE", "WEEK 1", "WEEK 2"],
        ADT=days("2021-04-27", "2021-04-25", "2021-04-23", "2021-04-27", "2021-04-30"),
        AVAL=[15.0, 14, 15, 10, 12],
    )
    assert texts(made["F"]) == ["Y", "", "", "Y", "Y"]
