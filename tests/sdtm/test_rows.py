"""Laboratory results as rows: one test an instance, told by a dropdown, with its unit and limits on the form."""

from __future__ import annotations

from typing import Any

import pytest

from flows.check import problems_of

DICTIONARY = """rec,base,text,Record,,
subj,base,text,Subject,,
cons,base,text,Consent,,date_ymd
sexe,base,radio,Sex,"1, Man | 2, Woman",
sample,lab,text,Sample,,date_ymd
which,lab,dropdown,Test,"1, Haemoglobin | 2, Creatinine | 3, Temperature | 9, Other",
value,lab,text,Result,,
unit,lab,dropdown,Unit,"1, g/L | 2, g/dL | 3, umol/L | 4, F",
low,lab,text,Lower limit,,number
high,lab,text,Upper limit,,number
missed,lab,yesno,Not done?,,
"""
LAB = """domain: LB
unit_terms: {1: g/L, 2: g/dL, 3: umol/L, 4: F}
records:
  form: lab
  variables: {LBDTC: {date: sample}, LBORNRLO: {field: low}, LBORNRHI: {field: high}}
  tests:
    HGB:
      {where: {which: 1}, result: value, unit: unit, standard_unit: g/L, unit_factors: {g/dL: 10}, not_done: missed}
    CREAT:
      {where: {which: 2}, result: value, unit: unit, standard_unit: umol/L, not_done: {field: missed, code: 1}}
"""
TEMPERATURE = (
    "    TEMP: {where: {which: 3}, testcd: HGB, result: value, unit: unit, standard_unit: C, unit_factors: FROM}\n"
)
SUBJECTS = """domain: DM
keys: [STUDYID, USUBJID]
records:
  each: subject
  variables:
    RFSTDTC: {date: cons}
    RFXSTDTC: {date: cons}
    SEX: {field: sexe, terms: {1: M, 2: F}}
    COUNTRY: {constant: ESP}
"""


@pytest.fixture
def rows(small: Any) -> Any:
    """The small study with a repeating form of results, one test an instance."""
    header = (small.folder / "redcap" / "dictionary.csv").read_text(encoding="utf-8").split("\n", 1)[0]
    files = {
        "dictionary": f"{header}\n{DICTIONARY}",
        "form_event_mapping": "arm_num,unique_event_name,form\n1,start_arm_1,base\n1,start_arm_1,lab\n",
        "repeating": "event_name,form_name,custom_form_label\nstart_arm_1,lab,\n",
    }
    for name, body in files.items():
        (small.folder / "redcap" / f"{name}.csv").write_text(body, encoding="utf-8")
    for name in ("ae", "ex", "se"):
        (small.folder / "sdtm" / f"{name}.yaml").unlink()
    config = small.folder / "study.yaml"
    text = config.read_text(encoding="utf-8")
    before, after = text.index("elements:"), text.index("visits:")
    config.write_text(text[:before] + text[after:].split("  - {visitnum: 2")[0], encoding="utf-8")
    small.write("dm", SUBJECTS)
    small.write("sv", "domain: SV\nkeys: [STUDYID, USUBJID, VISITNUM]\nrecords: {each: visit}\n")
    small.write("lb", LAB)
    small.row("1", "start", subj="01-1", cons="2000-03-01", sexe="2")
    return small


def result(rows: Any, instance: int, **values: str) -> None:
    rows.row("1", "start", "lab", str(instance), sample="2000-03-01", **values)


def test_a_row_becomes_a_record_of_the_test_that_its_dropdown_names(rows: Any) -> None:
    assert problems_of(str(rows.folder)) == []
    result(rows, 1, which="1", value="13", unit="2", low="12", high="16")
    result(rows, 2, which="2", value="110", unit="3", low="45", high="84")
    result(rows, 3, which="2", missed="1")
    names = ["LBTESTCD", "LBORRES", "LBORRESU", "LBSTRESN", "LBSTRESU", "LBSTNRLO", "LBSTNRHI", "LBNRIND", "LBSTAT"]
    made = rows.frame("LB")[names].fillna(-1)
    assert made.to_numpy().tolist() == [
        ["CREAT", "110", "umol/L", 110.0, "umol/L", 45.0, 84.0, "HIGH", ""],
        ["CREAT", "", "", -1.0, "", -1.0, -1.0, "", "NOT DONE"],
        ["HGB", "13", "g/dL", 130.0, "g/L", 120.0, 160.0, "NORMAL", ""],
    ]


def test_a_unit_of_another_test_is_kept_and_asked_about(rows: Any) -> None:
    result(rows, 1, which="1", value="130", unit="3")
    made = rows.tabulate()
    record = made.datasets["LB"].frame.iloc[0]
    assert (record["LBORRES"], record["LBORRESU"], record["LBSTRESN"] > 0) == ("130", "umol/L", False)
    reasons = made.withheld[made.withheld["field"] == "unit"]["reason"].tolist()
    assert reasons == ["no factor from this unit to g/L is declared for HGB; LBSTRESU is null"]


def test_a_row_of_no_declared_test_is_asked_about(rows: Any) -> None:
    result(rows, 1, which="9", value="5", unit="1")
    made = rows.tabulate()
    assert made.datasets["LB"].frame.empty
    listed = made.withheld[made.withheld["reason"] == "no test is declared for this row"]
    assert sorted(listed["field"]) == ["unit", "value", "which"]


def test_a_unit_with_another_zero_has_a_number_to_be_added_first(rows: Any) -> None:
    rows.write("lb", LAB + TEMPERATURE.replace("FROM", "{F: {add: -32, factor: 0.5555555555555556}}"))
    assert problems_of(str(rows.folder)) == []
    result(rows, 1, which="3", value="98.6", unit="4", low="95", high="99.5")
    made = rows.frame("LB")[["LBORRES", "LBORRESU", "LBSTRESC", "LBSTRESU", "LBSTNRLO", "LBSTNRHI", "LBNRIND"]]
    assert made.to_numpy().tolist() == [["98.6", "F", "37", "C", 35.0, 37.5, "NORMAL"]]


@pytest.mark.parametrize(
    ("factors", "said"),
    [
        ("{F: {add: -32, factor: 0}}", "must be a number above 0, not 0"),
        ("{F: {add: freezing}}", "must be a number, not 'freezing'"),
        ("{K: 1}", "TEMP has no factor from any unit of the form to C: declare it under unit_factors"),
    ],
)
def test_a_conversion_that_is_none_is_named(rows: Any, factors: str, said: str) -> None:
    rows.write("lb", LAB + TEMPERATURE.replace("FROM", factors))
    found = [one for one in problems_of(str(rows.folder)) if one.file.endswith("lb.yaml")]
    assert len(found) == 1
    assert found[0].message.startswith(said)
