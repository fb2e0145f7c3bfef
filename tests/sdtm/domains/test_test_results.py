"""Findings: original and standard results, ranges, grades, tests not done, the last value before exposure."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from metadata.errors import StudyError


def results(frame: pd.DataFrame, test: str) -> pd.DataFrame:
    return frame[frame["LBTESTCD"] == test].reset_index(drop=True)


def look(small: Any, event: str = "start", date: str = "2000-03-10", **values: str) -> None:
    given = {"seen": date, "house": "1", **values}
    small.row("1", event, **given)


def test_a_decimal_comma_is_a_number_and_the_original_unit_is_kept(small: Any) -> None:
    small.subject()
    look(small, hb="11,8", hb_u="6")
    row = results(small.frame("LB"), "HGB").iloc[0]
    assert (row["LBORRES"], row["LBORRESU"]) == ("11.8", "g/dL")
    assert (row["LBSTRESC"], row["LBSTRESN"], row["LBSTRESU"]) == ("118", 118.0, "g/L")


def test_the_range_is_given_in_both_units_by_sex_and_laboratory(small: Any) -> None:
    small.subject(sexe="2")
    look(small, hb="118,0", hb_u="5")
    row = results(small.frame("LB"), "HGB").iloc[0]
    assert (row["LBORNRLO"], row["LBORNRHI"]) == ("120", "160")
    assert (row["LBSTNRLO"], row["LBSTNRHI"], row["LBNRIND"]) == (120.0, 160.0, "LOW")


def test_another_laboratory_has_no_range_and_no_indicator(small: Any) -> None:
    small.subject()
    look(small, hb="11,8", hb_u="6", house="2")
    row = results(small.frame("LB"), "HGB").iloc[0]
    assert (row["LBORNRLO"], row["LBNRIND"]) == ("", "")
    assert pd.isna(row["LBSTNRLO"])
    assert row["LBTOXGR"] == "0"


@pytest.mark.parametrize(
    ("stored", "indicator"), [("4000", "NORMAL"), ("3999", "LOW"), ("11000", "NORMAL"), ("11001", "HIGH")]
)
def test_limits_of_the_range_are_normal(small: Any, stored: str, indicator: str) -> None:
    small.subject()
    look(small, wc=stored, wc_u="2")
    assert results(small.frame("LB"), "WBC")["LBNRIND"].tolist() == [indicator]


@pytest.mark.parametrize(
    ("stored", "grade"), [("4000", "0"), ("3999", "1"), ("3000", "1"), ("2999", "2"), ("999", "4")]
)
def test_grades_are_those_of_the_converted_value(small: Any, stored: str, grade: str) -> None:
    small.subject()
    look(small, wc=stored, wc_u="2")
    row = results(small.frame("LB"), "WBC").iloc[0]
    assert (row["LBTOX"], row["LBTOXGR"]) == ("Leukocytes", grade)


def test_a_result_below_a_limit_is_text_with_no_number_and_no_grade(small: Any) -> None:
    small.subject()
    look(small, wc="<500", wc_u="2")
    row = results(small.frame("LB"), "WBC").iloc[0]
    assert (row["LBORRES"], row["LBSTRESC"], row["LBSTRESU"]) == ("<500", "<0.5", "10^9/L")
    assert pd.isna(row["LBSTRESN"])
    assert row["LBNRIND"] == "LOW"
    assert "LBTOXGR" not in row.index


def test_a_limit_that_does_not_decide_has_no_indicator(small: Any) -> None:
    small.subject()
    look(small, wc="<8000", wc_u="2")
    look(small, "month", "2000-04-10", wc=">500", wc_u="2")
    assert results(small.frame("LB"), "WBC")["LBNRIND"].tolist() == ["", ""]


def test_an_extreme_value_is_tabulated(small: Any) -> None:
    small.subject()
    look(small, wc="999999", wc_u="1")
    assert results(small.frame("LB"), "WBC")["LBSTRESN"].tolist() == [999999.0]


def test_a_number_without_a_unit_has_no_standard_result(small: Any) -> None:
    small.subject()
    look(small, wc="5000")
    row = results(small.frame("LB"), "WBC").iloc[0]
    assert (row["LBORRES"], row["LBSTRESC"], row["LBSTRESU"]) == ("5000", "", "")


def test_not_done_is_said_by_the_flag_or_by_a_missing_data_code(small: Any) -> None:
    small.subject()
    look(small, hb_nd___1="1", wc="ND")
    frame = small.frame("LB")
    assert frame[["LBTESTCD", "LBORRES", "LBSTAT", "LBREASND"]].to_numpy().tolist() == [
        ["HGB", "", "NOT DONE", ""],
        ["WBC", "", "NOT DONE", "NOT DONE"],
    ]


def test_a_blank_result_makes_no_record_and_its_unit_is_listed(small: Any) -> None:
    small.subject()
    look(small, hb="", hb_u="6", wc="5", wc_u="1")
    tabulation = small.tabulate()
    assert tabulation.datasets["LB"].frame["LBTESTCD"].tolist() == ["WBC"]
    assert tabulation.withheld[["field", "reason"]].to_numpy().tolist() == [
        ["hb_u", "HGB has neither a result nor a reason for none"]
    ]


def test_what_is_no_number_leaves_the_result_null(small: Any) -> None:
    small.subject()
    look(small, hb="12..5", hb_u="6")
    tabulation = small.tabulate()
    row = tabulation.datasets["LB"].frame.iloc[0]
    assert (row["LBORRES"], row["LBSTRESC"]) == ("", "")
    assert tabulation.withheld["field"].tolist() == ["hb"]


def test_the_last_value_before_the_first_dose_is_flagged(small: Any) -> None:
    small.subject(start="2000-03-10")
    look(small, "start", "2000-03-10", hb="12,5", hb_u="6", wc="5", wc_u="1")
    small.row("1", "other", "", "1", seen="2000-03-05", house="1", hb="12,0", hb_u="6", wc="6", wc_u="1")
    look(small, "month", "2000-03-11", hb="12,9", hb_u="6")
    frame = small.frame("LB")
    flags = results(frame, "HGB").set_index("LBDTC")["LBLOBXFL"].to_dict()
    assert flags == {"2000-03-05": "", "2000-03-10": "Y", "2000-03-11": ""}


def test_a_result_of_the_first_day_counts_only_at_a_predose_visit(small: Any) -> None:
    small.subject(start="2000-03-10")
    small.row("1", "other", "", "1", seen="2000-03-10", house="1", wc="6", wc_u="1")
    look(small, "month", "2000-03-09", wc="5", wc_u="1")
    flags = results(small.frame("LB"), "WBC").set_index("LBDTC")["LBLOBXFL"].to_dict()
    assert flags == {"2000-03-09": "Y", "2000-03-10": ""}


def test_a_test_not_done_is_never_the_last_value(small: Any) -> None:
    small.subject(start="2000-03-10")
    look(small, "start", "2000-03-10", hb_nd___1="1")
    small.row("1", "other", "", "1", seen="2000-03-05", house="1", hb="12,0", hb_u="6")
    flags = results(small.frame("LB"), "HGB").set_index("LBDTC")["LBLOBXFL"].to_dict()
    assert flags == {"2000-03-05": "Y", "2000-03-10": ""}


def test_the_test_name_is_decoded_from_its_code(small: Any) -> None:
    small.subject()
    look(small, hb="12,5", hb_u="6", wc="5", wc_u="1")
    assert small.frame("LB")["LBTEST"].tolist() == ["Hemoglobin", "Leukocytes"]


SCALES = """domain: QS
records:
  form: look
  variables: {QSDTC: {date: seen}}
  tests:
    PHQ0101: {result: wc, category: PHQ-9, codelists: {testcd: PHQ01TC, test: PHQ01TN}}
    BEFORE: {testcd: PAIN, test: Pain, category: SCALE, result: hb, variables: {QSTPTNUM: {constant: 1}}}
    AFTER: {testcd: PAIN, test: Pain, category: SCALE, result: house, variables: {QSTPTNUM: {constant: 2}}}
"""


def test_a_scale_of_the_sponsor_stands_beside_a_questionnaire_and_time_points_tell_its_results_apart(
    small: Any,
) -> None:
    small.write("qs", SCALES)
    terms = small.folder / "terminology.yaml"
    terms.write_text("extensions: {QSCAT: {SCALE: A visual analogue scale}}\n", encoding="utf-8")
    small.subject()
    small.row("1", "start", seen="2000-03-10", wc="2", hb="7", house="1")
    made = small.tabulate().datasets["QS"]
    variable = made.metadata.variable("QSTESTCD")
    assert (variable.codelist, dict(variable.terms)["PAIN"]) == (None, "Pain")
    assert "QSTPTNUM" in made.metadata.keys
    assert made.frame["QSTESTCD"].astype("str").tolist() == ["PAIN", "PAIN", "PHQ0101"]
    assert made.frame["QSTPTNUM"].fillna(0).tolist() == [1, 2, 0]


RHYTHM = """domain: LB
records:
  form: look
  tests:
    HCG: {result: {field: why, terms: {1: Negative, 2: WORD}}, standard_terms: {}}
"""


def test_a_result_in_words_has_the_codelists_own_term_as_its_standard_one(small: Any) -> None:
    small.write("lb", RHYTHM.replace("WORD", "Trace").replace("{}}", "{Trace: POSITIVE}}"))
    small.write("sv", "domain: SV\nkeys: [STUDYID, USUBJID, VISITNUM]\nrecords: {each: visit}\n")
    names = ("hb", "hb_u", "hb_nd", "wc", "wc_u", "house")
    small.write("not_submitted", "status: S\nfields: {rec: R, " + ", ".join(f"{name}: none" for name in names) + "}\n")
    small.subject()
    small.row("1", "start", seen="2000-03-10", why="1")
    small.row("1", "month", seen="2000-04-10", why="2")
    made = small.frame("LB")[["LBORRES", "LBSTRESC"]].to_numpy().tolist()
    assert made == [["Negative", "NEGATIVE"], ["Trace", "POSITIVE"]]


def test_a_result_in_words_without_a_standard_term_stops_the_check(small: Any) -> None:
    small.write("lb", RHYTHM.replace("WORD", "Dubious"))
    with pytest.raises(StudyError, match=r"'Dubious' is not a term of LBSTRESC .*terms to take instead go under stand"):
        small.tabulate()


CODED = """domain: LB
records:
  form: look
  tests:
    HCG: {result: wc, standard_coded: {file: coding.csv, column: TERM}}
"""


def test_a_result_in_free_words_has_the_term_of_the_studys_coding_or_is_asked_about(small: Any) -> None:
    small.write("lb", CODED)
    small.write("sv", "domain: SV\nkeys: [STUDYID, USUBJID, VISITNUM]\nrecords: {each: visit}\n")
    names = ("why", "hb", "hb_u", "hb_nd", "wc_u", "house")
    small.write("not_submitted", "status: S\nfields: {rec: R, " + ", ".join(f"{name}: none" for name in names) + "}\n")
    (small.folder / "coding.csv").write_text("REPORTED,TERM\nnegativo,NEGATIVE\n", encoding="utf-8")
    small.subject()
    small.row("1", "start", seen="2000-03-10", wc="Negativo ")
    small.row("1", "month", seen="2000-04-10", wc="dudoso")
    made = small.frame("LB")[["LBORRES", "LBSTRESC"]].to_numpy().tolist()
    assert made == [["Negativo", "NEGATIVE"], ["dudoso", ""]]
    assert [field for field, _ in asked(small)] == ["wc"]


def test_choices_are_standardised_by_terms_not_by_a_coding_file(small: Any) -> None:
    coded = "standard_coded: {file: coding.csv, column: TERM}"
    small.write("lb", RHYTHM.replace("WORD", "Trace").replace("standard_terms: {}", coded))
    (small.folder / "coding.csv").write_text("REPORTED,TERM\nNegative,NEGATIVE\n", encoding="utf-8")
    with pytest.raises(StudyError, match="only a result in free text is coded by a file"):
        small.tabulate()


def asked(small: Any) -> list[list[str]]:
    """Return field and reason of what is listed, without the unit and the laboratory."""
    withheld = small.tabulate().withheld
    return withheld.loc[withheld["field"].isin(["hb", "wc", "ph", "hb_nd"]), ["field", "reason"]].to_numpy().tolist()


NUMBER = "it is neither a number nor a limit such as <5"


@pytest.mark.parametrize(
    ("stored", "unit", "reason"),
    [
        ("5000", "", "it has no unit, so that it has no standard result"),
        ("<5000", "", "it has no unit, so that it has no standard result"),
        ("≤5000", "2", NUMBER),
        ("1,5", "2", NUMBER),
        ("1e3", "2", NUMBER),
        (">1e3", "2", NUMBER),
        ("Hemolyzed", "2", NUMBER),
        ("5-10", "2", NUMBER),
        ("<5000", "2", ""),
        ("<.5", "2", ""),
        (".5", "2", ""),
        ("5.", "2", ""),
        ("NEGATIVE", "2", ""),
    ],
)
def test_a_result_without_a_standard_result_is_asked_about(small: Any, stored: str, unit: str, reason: str) -> None:
    small.subject()
    look(small, wc=stored, wc_u=unit)
    row = results(small.frame("LB"), "WBC").iloc[0]
    assert (row["LBORRES"] == stored.replace("≤", "<=")) and (bool(row["LBSTRESC"]) is not bool(reason))
    found = asked(small)
    assert [field for field, _ in found] == ([] if not reason else ["wc"])
    assert all(said.startswith(reason) for _, said in found)


@pytest.mark.parametrize(
    ("stored", "standard"),
    [("≤5000", "<=5"), ("1500,5", "1.5005"), ("1e3", "1"), (">1e3", ">1"), ("<,5", "<0.0005")],
)
def test_results_in_other_forms_are_read_where_the_study_says_so(small: Any, stored: str, standard: str) -> None:
    path = small.folder / "sdtm" / "lb.yaml"
    forms = "also_read: [decimal_comma, exponent, symbols]\n"
    path.write_text(path.read_text() + forms, encoding="utf-8")
    small.subject()
    look(small, wc=stored, wc_u="2")
    row = results(small.frame("LB"), "WBC").iloc[0]
    assert (row["LBORRES"], row["LBSTRESC"]) == (stored.replace("≤", "<="), standard)
    assert asked(small) == []


def test_a_test_without_a_unit_is_not_asked_for_one(small: Any) -> None:
    path = small.folder / "redcap" / "dictionary.csv"
    path.write_text(path.read_text(encoding="utf-8") + "ph,look,text,pH,,number\n", encoding="utf-8")
    path = small.folder / "sdtm" / "lb.yaml"
    path.write_text(path.read_text() + "    PH: {result: ph}\n", encoding="utf-8")
    small.subject()
    look(small, ph="7.40")
    row = results(small.frame("LB"), "PH").iloc[0]
    assert (row["LBORRES"], row["LBSTRESC"], row["LBSTRESN"]) == ("7.40", "7.40", 7.4)
    assert asked(small) == []


@pytest.mark.parametrize(
    ("stored", "unit", "standard"),
    [
        ("12345678901234567", "1", "12345678901234567"),
        ("1234567890.12345", "1", "1234567890.12345"),
        ("1234567890.12345", "2", "1234567.89012345"),
        ("5.00", "1", "5.00"),
        ("5.00", "2", "0.005"),
    ],
)
def test_no_digit_of_a_result_is_lost(small: Any, stored: str, unit: str, standard: str) -> None:
    small.subject()
    look(small, wc=stored, wc_u=unit)
    row = results(small.frame("LB"), "WBC").iloc[0]
    assert (row["LBORRES"], row["LBSTRESC"], row["LBSTRESN"]) == (stored, standard, float(standard))


def test_a_study_can_declare_the_decimals_of_a_converted_result(small: Any) -> None:
    path = small.folder / "sdtm" / "lb.yaml"
    text = path.read_text().replace("unit_factors: {10^6/L: 0.001}", "unit_factors: {10^6/L: 0.001}, decimals: 2")
    path.write_text(text, encoding="utf-8")
    small.subject()
    look(small, wc="5678", wc_u="2")
    look(small, "month", wc="5.6785", wc_u="1")
    made = results(small.frame("LB"), "WBC")
    assert made["LBSTRESC"].tolist() == ["5.68", "5.6785"]
    assert made["LBSTRESN"].tolist() == [5.68, 5.6785]


def test_a_result_and_not_done_are_asked_about(small: Any) -> None:
    small.subject()
    look(small, hb="12,5", hb_u="6", hb_nd___1="1")
    row = results(small.frame("LB"), "HGB").iloc[0]
    assert (row["LBORRES"], row.get("LBSTAT", "")) == ("12.5", "")
    assert asked(small) == [["hb_nd", "there is a result, so that the test was done; LBSTAT is null"]]


def test_a_dose_with_more_digits_than_a_number_holds_is_asked_about(small: Any) -> None:
    small.subject()
    small.row("1", "log", "dose", "2", drug="2", amount="12345678901234567", dose_st="2000-04-01")
    small.row("1", "log", "dose", "3", drug="2", amount=".5", dose_st="2000-05-01")
    made = small.tabulate()
    assert made.datasets["EX"].frame["EXDOSE"].fillna(-1).tolist() == [5.0, -1.0, 0.5]
    assert made.withheld["field"].tolist() == ["amount"]
