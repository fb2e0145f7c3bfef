"""What a study declares beside the mappings of its domains: design, summary, relations, comments, milestones."""

from __future__ import annotations

from typing import Any

import pytest

from metadata.errors import StudyError

EVENTS = """domain: AE
records:
  form: event
  variables:
    AETERM: {field: told}
    AEDECOD: {field: told}
    AESTDTC: {date: [from_y, from_m]}
"""
RELATIONS = "relations:\n  - {id: AEEX, from: {domain: AE, field: from_d}, to: {domain: EX, form: dose}}\n"
COMMENTS = """domain: CO
records:
  - {form: event, about: AE, where: {told: {missing: false}}, variables: {COVAL: {field: told}}}
"""
MILESTONES = """domain: SM
records:
  form: event
  where: {bad: 1}
  variables:
    MIDS: {ordinal: FALL, order: SMSTDTC}
    MIDSTYPE: {constant: BAD FALL}
    SMSTDTC: {date: [from_y, from_m, from_d]}
"""


def linked(small: Any, link: str) -> Any:
    small.write("ae", EVENTS)
    small.write("relations", RELATIONS)
    small.write("not_submitted", "status: S\nfields: {rec: R, bad: B, link_a: A, link_b: B}\n")
    small.subject()
    small.row("1", "log", "dose", "2", drug="2", amount="7", dose_st="2000-04-01", dose_en="2000-05-01")
    small.row("1", "log", "event", "1", told="Fall", from_y="2000", from_m="4", from_d=link)
    return small.tabulate()


def test_a_number_relates_two_records_by_their_sequence_numbers(small: Any) -> None:
    made = linked(small, "02").datasets
    relation = made["RELREC"].frame
    assert relation[["RDOMAIN", "IDVAR", "IDVARVAL", "RELTYPE", "RELID"]].to_numpy().tolist() == [
        ["AE", "AESEQ", "1", "", "AEEX1"],
        ["EX", "EXSEQ", "2", "", "AEEX1"],
    ]
    assert set(made["RELREC"].lineage["source_variable"].astype("str")) == {"from_d"}


def test_a_number_of_no_record_is_withheld_with_its_reason(small: Any) -> None:
    made = linked(small, "7")
    assert "RELREC" not in made.datasets
    assert made.withheld["field"].tolist() == ["from_d"]
    assert "no record of EX with this number" in made.withheld["reason"][0]


def test_a_missing_data_code_names_nothing_and_is_in_the_books(small: Any) -> None:
    made = linked(small, "UNK")
    assert "RELREC" not in made.datasets
    assert made.withheld.empty
    edges = made.datasets["AE"].lineage
    assert "from_d" in set(edges["source_variable"].astype("str"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("{id: A, from: {domain: AE, field: from_x}, to: {domain: EX, form: dose}}", "no field 'from_x'"),
        ("{id: A, from: {domain: AE, field: from_d}, to: {domain: EX, form: doze}}", "no form 'doze' (did you mean"),
        ("{id: A, from: {domain: XX, field: from_d}, to: {domain: EX, form: dose}}", "no mapping makes the domain XX"),
        (
            "{id: A, datasets: [{domain: AE, variable: AELNKD, type: ONE}, {domain: EX, variable: X, type: MANY}]}",
            "no variable AELNKD",
        ),
        ("{id: A, datasets: [{domain: AE, variable: AELNKID, type: ONE}]}", "must be a list of 2 or more"),
        ("{id: A, from: {domain: AE, field: from_d}}", "an entry of 'relations' needs 'from' and 'to' or 'datasets'"),
    ],
)
def test_a_relation_that_names_what_is_not_there_is_told_with_its_line(small: Any, wrong: str, said: str) -> None:
    small.write("ae", EVENTS)
    small.write("relations", f"relations:\n  - {wrong}\n")
    small.subject()
    with pytest.raises(StudyError) as caught:
        small.tabulate()
    assert said in str(caught.value)
    assert "relations.yaml, line 2" in str(caught.value)


def test_a_comment_leads_to_the_records_of_its_form_and_goes_on_in_further_variables(small: Any) -> None:
    small.write("co", COMMENTS)
    small.subject()
    text = " ".join(["word"] * 90)  # 449 characters
    small.row("1", "log", "event", "1", told=text, from_y="2000", bad="0", link_a="1", link_b="1")
    made = small.frame("CO").iloc[0]
    assert made[["RDOMAIN", "IDVAR", "IDVARVAL"]].tolist() == ["AE", "AESPID", "log_arm_1/event/1"]
    assert " ".join(made[["COVAL", "COVAL1", "COVAL2"]]) == text


def test_a_comment_whose_form_made_no_record_is_about_the_subject(small: Any) -> None:
    small.write("ae", EVENTS.replace("AEDECOD: {field: told}", "AEDECOD: {field: bad}"))
    small.write("co", COMMENTS)
    small.write("not_submitted", "status: S\nfields: {rec: R, from_d: D, link_a: A, link_b: B}\n")
    small.subject()
    small.row("1", "log", "event", "1", told="Fall", from_y="2000")  # AEDECOD is null: the record is withheld
    made = small.frame("CO")
    assert made[["COREF", "COVAL"]].to_numpy().tolist() == [["log_arm_1/event/1", "Fall"]]
    assert "RDOMAIN" not in made


def test_milestones_are_numbered_by_date_within_the_subject(small: Any) -> None:
    small.write("sm", MILESTONES)
    small.subject("1")
    small.subject("2")
    for record, instance, month, bad in (
        ("1", "1", "7", "1"),
        ("1", "2", "4", "1"),
        ("1", "3", "5", "0"),
        ("2", "1", "6", "1"),
    ):
        more = {"told": "Fall", "from_y": "2000", "from_m": month, "bad": bad, "link_a": "1", "link_b": "1"}
        small.row(record, "log", "event", instance, **more)
    made = small.frame("SM")
    found = sorted(zip(made["USUBJID"].str[-1], made["SMSTDTC"], made["MIDS"], strict=True))
    assert found == [("1", "2000-04", "FALL1"), ("1", "2000-07", "FALL2"), ("2", "2000-06", "FALL1")]


def test_the_summary_takes_values_from_the_study_and_its_subjects(small: Any) -> None:
    small.write(
        "ts",
        "domain: TS\nparameters:\n"
        "  - {paramcd: SSTDTC, earliest: DM.RFICDTC}\n"
        "  - {paramcd: ACTSUB, subjects: DM.RFXSTDTC}\n"
        "  - {paramcd: DCUTDTC, study: cutoff}\n"
        "  - {paramcd: RANDOM, value: 'N', codelist: NY}\n"
        "  - {paramcd: REGID, null_flavor: NA}\n",
    )
    small.subject("1", cons="2000-03-05")
    small.subject("2", cons="2000-03-02")
    small.subject("3", start="")
    made = small.frame("TS").set_index("TSPARMCD")
    assert made["TSVAL"].to_dict() == {
        "ACTSUB": "2",
        "DCUTDTC": "2001-12-31",
        "RANDOM": "N",
        "REGID": "",
        "SSTDTC": "2000-03-01",
    }
    assert made.loc["RANDOM", "TSVALCD"] == "C49487"
    assert made.loc["REGID", "TSVALNF"] == "NA"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("{paramcd: TITEL, value: x}", "not a term of TSPARMCD (did you mean 'TITLE'?)"),
        (
            "{paramcd: TITLE}",
            "an entry of 'parameters' needs 'value' or 'study' or 'earliest' or 'latest' or 'sub",
        ),
        ("{paramcd: TITLE, study: study.titel}", "study.yaml has no study.titel"),
        ("{paramcd: TBLIND, value: OPEN, codelist: TBLIND}", "'OPEN' is not a term of TBLIND"),
    ],
)
def test_a_parameter_that_does_not_fit_is_told_with_its_line(small: Any, wrong: str, said: str) -> None:
    small.write("ts", f"domain: TS\nparameters:\n  - {wrong}\n")
    small.subject()
    with pytest.raises(StudyError) as caught:
        small.tabulate()
    assert said in str(caught.value)
    assert "ts.yaml, line 3" in str(caught.value)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{IETESTCD: INCL01, IETEST: Adult}", "IECAT (Inclusion/Exclusion Category) is required"),
        ("{IETESTCD: INCL01, IETEST: Adult, IECAT: INCLUDED}", "'INCLUDED' is not a term of IECAT"),
        ("{IETESTCD: INCL01, IETEST: Adult, IECAT: INCLUSION, TIVER: 1}", "TI has no variable TIVER"),
    ],
)
def test_a_declared_row_that_does_not_fit_is_told_with_its_line(small: Any, row: str, said: str) -> None:
    small.write("ti", f"domain: TI\nrows:\n  - {row}\n")
    small.subject()
    with pytest.raises(StudyError) as caught:
        small.tabulate()
    assert said in str(caught.value)
    assert "ti.yaml, line 3" in str(caught.value)


def test_planned_visits_without_a_window_and_elements_without_a_rule_are_said_plainly(small: Any) -> None:
    small.subject()
    made = small.tabulate().datasets
    assert made["TV"].frame["TVSTRL"].tolist() == ["Study day 1", "Study day 30"]
    assert made["TE"].frame.set_index("ETCD")["TESTRL"]["SCRN"] == "Date/Time of Informed Consent"
    assert "TA" not in made  # study.yaml names no arm


def test_values_that_need_not_make_a_record_are_declared(small: Any) -> None:
    small.write(
        "ie",
        "domain: IE\nif_empty: omit\nrecords:\n  form: base\n  tests:\n"
        "    INCL01: {test: In the study, category: INCLUSION, result: {field: in_study, terms: {1: null, 0: 'N'}}}\n",
    )
    small.write("not_submitted", "status: S\nfields: {rec: R}\nwithout_record: {in_study: Met}\n")
    small.subject()
    made = small.tabulate()
    assert "IE" not in made.datasets
    assert ("base", "in_study", "Met") in made.not_submitted[["form", "field", "reason"]].itertuples(index=False)
    small.rows[0]["in_study"] = "0"
    assert small.frame("IE")[["IETESTCD", "IEORRES", "IESTRESC"]].to_numpy().tolist() == [["INCL01", "N", "N"]]
