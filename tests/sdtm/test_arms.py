"""A project with two arms: one visit has an event in each, and treatments follow one another in either order."""

from __future__ import annotations

from typing import Any

import pytest

from flows.check import problems_of
from metadata.errors import StudyError
from metadata.study import Study

EVENTS = """event_name,arm_num,unique_event_name
Start,1,start_arm_1
Month,1,month_arm_1
Log,1,log_arm_1
Start,2,start_arm_2
Month,2,month_arm_2
Log,2,log_arm_2
"""
FORMS = {"start": ("base", "look"), "month": ("look", "last"), "log": ("event", "dose")}
STUDY = """study: {id: SMALL}
standards: {sdtm: "1.7", sdtmig: "3.3", sdtm_ct: 2019-09-27}
redcap: {}
cutoff: 2001-12-31
identity: {subject: subj, site: {north: "01"}}
elements:
  - {etcd: SCRN, element: Screening, epoch: SCREENING, start: RFICDTC}
  - {etcd: A1, element: First A, epoch: TREATMENT, start: {earliest: EX.EXSTDTC, where: {EXTRT: A}}, arm: AB, rule: R}
  - {etcd: B2, element: Then B, epoch: FOLLOW-UP, start: {earliest: EX.EXSTDTC, where: {EXTRT: B}}, arm: AB, rule: R}
  - {etcd: B1, element: First B, epoch: TREATMENT, start: {earliest: EX.EXSTDTC, where: {EXTRT: B}}, arm: BA, rule: R}
  - {etcd: A2, element: Then A, epoch: FOLLOW-UP, start: {earliest: EX.EXSTDTC, where: {EXTRT: A}}, arm: BA, rule: R}
arms: [{armcd: AB, arm: First A then B}, {armcd: BA, arm: First B then A}]
visits:
  - {visitnum: 1, visit: START, event: [start_arm_1, start_arm_2], day: 1}
  - {visitnum: 2, visit: MONTH, event: [month_arm_1, month_arm_2], day: 30}
"""
SUBJECTS = """domain: DM
keys: [STUDYID, USUBJID]
records:
  each: subject
  variables:
    RFICDTC: {date: cons}
    SEX: {field: sexe, terms: {1: M, 2: F}}
    COUNTRY: {constant: ESP}
    RFPENDTC: {date: end_dt}
    RFXSTDTC: {earliest: EX.EXSTDTC}
    RFSTDTC: {earliest: EX.EXSTDTC}
    ARMCD: {constant: AB, when: {in_study: 1}}
    ACTARMCD: {field: years, terms: {1: AB, 2: BA}}
"""


@pytest.fixture
def crossed(small: Any) -> Any:
    """The small study in two arms; the sequence stands in the field ``years``."""
    pairs = [f"{arm},{event}_arm_{arm},{form}" for arm in (1, 2) for event, forms in FORMS.items() for form in forms]
    files = {
        "redcap/events.csv": EVENTS,
        "redcap/form_event_mapping.csv": "\n".join(["arm_num,unique_event_name,form", *pairs]) + "\n",
        "redcap/repeating.csv": "event_name,form_name,custom_form_label\n"
        + "".join(f"log_arm_{arm},{form},\n" for arm in (1, 2) for form in FORMS["log"]),
        "study.yaml": STUDY,
    }
    for name, body in files.items():
        (small.folder / name).write_text(body, encoding="utf-8")
    small.write("dm", SUBJECTS)
    dictionary = small.folder / "redcap" / "dictionary.csv"
    text = dictionary.read_text(encoding="utf-8")
    sequence = 'years,base,radio,Sequence,"1, AB | 2, BA",'
    dictionary.write_text(text.replace("years,base,text,Age,,integer", sequence), encoding="utf-8")
    small.write("not_submitted", "status: S\nfields: {rec: R, origin: not asked}\n")
    return small


def person(crossed: Any, record: str, arm: str, first: str, then: str) -> None:
    key = {"redcap_data_access_group": "north", "rec": record}
    base = {"subj": record, "cons": "2000-03-01", "sexe": "2", "years": arm, "in_study": "1", "seen": "2000-03-02"}
    dose = {"redcap_event_name": f"log_arm_{arm}", "redcap_repeat_instrument": "dose", "amount": "5"}
    crossed.rows += [
        {**key, "redcap_event_name": f"start_arm_{arm}", **base},
        {**key, "redcap_event_name": f"month_arm_{arm}", "seen": "2000-04-02", "end_dt": "2000-06-01"},
        {**key, **dose, "redcap_repeat_instance": "1", "drug": first, "dose_st": "2000-03-10"},
        {**key, **dose, "redcap_repeat_instance": "2", "drug": then, "dose_st": "2000-04-10"},
    ]


def test_the_check_takes_a_visit_in_both_arms_and_fields_of_a_form_that_each_arm_fills_once(crossed: Any) -> None:
    assert [problem.message for problem in problems_of(str(crossed.folder))] == []


def test_a_visit_has_its_number_in_either_arm(crossed: Any) -> None:
    person(crossed, "1", "1", "1", "2")
    person(crossed, "2", "2", "2", "1")
    visits = crossed.frame("SV")[["USUBJID", "VISITNUM", "VISIT", "SVSTDTC"]]
    assert visits.to_numpy().tolist() == [
        ["SMALL-01-1", 1.0, "START", "2000-03-01"],
        ["SMALL-01-1", 2.0, "MONTH", "2000-04-02"],
        ["SMALL-01-2", 1.0, "START", "2000-03-01"],
        ["SMALL-01-2", 2.0, "MONTH", "2000-04-02"],
    ]


def test_elements_start_at_the_first_dose_of_a_treatment_in_the_order_of_the_arm(crossed: Any) -> None:
    person(crossed, "1", "1", "1", "2")
    person(crossed, "2", "2", "2", "1")
    made = crossed.tabulate()
    elements = made.datasets["SE"].frame
    assert elements[["USUBJID", "ETCD", "TAETORD", "SESTDTC", "SEENDTC"]].astype("str").to_numpy().tolist() == [
        ["SMALL-01-1", "SCRN", "1.0", "2000-03-01", "2000-03-10"],
        ["SMALL-01-1", "A1", "2.0", "2000-03-10", "2000-04-10"],
        ["SMALL-01-1", "B2", "3.0", "2000-04-10", "2000-06-01"],
        ["SMALL-01-2", "SCRN", "1.0", "2000-03-01", "2000-03-10"],
        ["SMALL-01-2", "B1", "2.0", "2000-03-10", "2000-04-10"],
        ["SMALL-01-2", "A2", "3.0", "2000-04-10", "2000-06-01"],
    ]
    doses = made.datasets["EX"].frame
    assert doses[["EXTRT", "EPOCH"]].astype("str").to_numpy().tolist() == [
        ["A", "TREATMENT"],
        ["B", "FOLLOW-UP"],
        ["A", "FOLLOW-UP"],
        ["B", "TREATMENT"],
    ]


def test_an_arm_has_the_name_that_the_study_gives_its_code(crossed: Any) -> None:
    person(crossed, "1", "1", "1", "2")
    person(crossed, "2", "2", "2", "1")
    subjects = crossed.frame("DM")[["ARMCD", "ARM", "ACTARMCD", "ACTARM"]]
    assert subjects.to_numpy().tolist() == [
        ["AB", "First A then B", "AB", "First A then B"],
        ["AB", "First A then B", "BA", "First B then A"],
    ]


def test_an_element_on_the_way_of_two_arms_stands_once_in_te(crossed: Any) -> None:
    path = crossed.folder / "study.yaml"
    text = path.read_text(encoding="utf-8")
    same = text.replace("etcd: B1, element: First B", "etcd: B2, element: Then B")
    path.write_text(same, encoding="utf-8")
    person(crossed, "1", "1", "1", "2")
    made = crossed.tabulate().datasets
    assert made["TE"].frame["ETCD"].astype("str").tolist() == ["A1", "A2", "B2", "SCRN"]
    assert made["TA"].frame[made["TA"].frame["ETCD"] == "B2"][["ARMCD", "TAETORD"]].to_numpy().tolist() == [
        ["AB", 3.0],
        ["BA", 2.0],
    ]
    path.write_text(same.replace("element: Then B", "element: Later B", 1), encoding="utf-8")
    said = "the element B2 is there twice, with another description of element"
    assert said in [problem.message for problem in problems_of(str(crossed.folder))]


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("RFXSTDT", "DM has no variable RFXSTDT (did you mean 'RFXSTDTC'?)"),
        ("{earliest: EX.EXSTDT}", "EX has no variable EXSTDT (did you mean 'EXSTDTC'?)"),
        ("{first: EX.EXSTDTC}", "'start' needs 'earliest' or 'latest'"),
    ],
)
def test_a_start_that_is_none_is_named(small: Any, start: str, said: str) -> None:
    path = small.folder / "study.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("start: RFXSTDTC", f"start: {start}"), encoding="utf-8")
    errors = [problem for problem in problems_of(str(small.folder)) if problem.severity == "error"]
    found = [problem for problem in errors if not problem.message.startswith("TESTRL")]
    assert {problem.line for problem in found} == {8} and said in [problem.message for problem in found]


def test_an_event_that_is_of_two_visits_is_named(crossed: Any) -> None:
    path = crossed.folder / "study.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("event: [month_arm_1, month_arm_2]", "event: [month_arm_1, start_arm_2]"))
    assert "the event 'start_arm_2' is that of two visits" in [one.message for one in problems_of(str(crossed.folder))]


def test_events_of_one_arm_do_not_exclude_each_other(small: Any) -> None:
    small.write("dm", SUBJECTS)
    forms = small.folder / "redcap" / "form_event_mapping.csv"
    forms.write_text(forms.read_text(encoding="utf-8") + "1,start_arm_1,last\n", encoding="utf-8")
    with pytest.raises(StudyError, match="'last' is filled in 2 events, start_arm_1, month_arm_1: say which"):
        small.tabulate()
    assert Study.open(small.folder).project().in_different_arms(["start_arm_1", "month_arm_1"]) is False


def test_the_arm_of_redcap_gives_the_arm_of_the_subject_and_of_each_record(crossed: Any) -> None:
    crossed.write(
        "dm",
        SUBJECTS.replace(
            "{constant: AB, when: {in_study: 1}}", "{redcap: arm, terms: {1: AB, 2: BA}, when: {in_study: 1}}"
        ),
    )
    person(crossed, "1", "1", "1", "2")
    person(crossed, "2", "2", "2", "1")
    assert problems_of(str(crossed.folder)) == []
    made = crossed.frame("DM")
    assert made[["SUBJID", "ARMCD", "ARM"]].to_numpy().tolist() == [
        ["1", "AB", "First A then B"],
        ["2", "BA", "First B then A"],
    ]


def test_a_record_in_several_arms_has_no_arm_and_is_asked_about(crossed: Any) -> None:
    crossed.write(
        "dm",
        SUBJECTS.replace(
            "{constant: AB, when: {in_study: 1}}", "{redcap: arm, terms: {1: AB, 2: BA}, when: {in_study: 1}}"
        ),
    )
    person(crossed, "1", "1", "1", "2")
    crossed.rows.append({"rec": "1", "redcap_event_name": "month_arm_2", "seen": "2000-04-05"})
    made = crossed.tabulate()
    assert made.datasets["DM"].frame["ARMCD"].astype("str").tolist() == [""]
    reasons = made.withheld.loc[made.withheld["field"] == "rec", "reason"]
    assert any("in events of several arms" in reason for reason in reasons)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ("{1: AB}", "arm '2' (Arm 2) has no term"),
        ("{1: AB, 2: BA, 3: X}", "the project has no arm '3'; it has 1 (Arm 1), 2 (Arm 2)"),
        ("{1: AB, 2: BX}", "ARMCD 'BX' is not one of the arms of study.yaml"),
    ],
)
def test_the_terms_of_the_arms_of_redcap_are_those_of_the_project(crossed: Any, terms: str, said: str) -> None:
    declared = f"{{redcap: arm, terms: {terms}, when: {{in_study: 1}}}}"
    crossed.write("dm", SUBJECTS.replace("{constant: AB, when: {in_study: 1}}", declared))
    assert any(said in problem.message and problem.line for problem in problems_of(str(crossed.folder)))
