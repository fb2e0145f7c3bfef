"""The generator over another study, declared in a few lines: nothing in it belongs to the bundled one."""

from __future__ import annotations

from pathlib import Path

import pytest

from metadata.study import Study
from redcap_sandbox.generated import Generated, generate

DICTIONARY = """field_name,form_name,field_type,field_label,select_choices_or_calculations,\
text_validation_type_or_show_slider_number,branching_logic
pid,start,text,Patient,,,
since,start,text,Date,,date_ymd,
smokes,start,yesno,Smokes,,,
packs,start,text,Packs a day,,number_1dp,[smokes] = '1'
seen,check,text,Date,,date_ymd,
pain,check,text,Pain,,integer,
less,check,calc,Less pain than at first,[first_arm_1][pain] - [pain],,
fall_y,falls,text,Year,,integer,
fall_m,falls,text,Month,,integer,
hurt,falls,checkbox,Hurt,"a, Arm | b, Leg",,
"""
FILES = {
    "study.yaml": """
study: {id: TWO}
standards: {sdtmig: "3.3", sdtm_ct: 2019-09-27}
redcap: {base_url: "https://redcap.example.org/"}
cutoff: 2020-12-31
visits:
  - {visitnum: 1, visit: FIRST, event: first_arm_1, day: 1, window: [0, 0]}
  - {visitnum: 2, visit: SECOND, event: second_arm_1, day: 29, window: [-5, 5]}
""",
    "redcap/dictionary.csv": DICTIONARY,
    "redcap/project_info.csv": "project_id,is_longitudinal,missing_data_codes\n9,1,\n",
    "redcap/events.csv": "unique_event_name\nfirst_arm_1\nsecond_arm_1\n",
    "redcap/form_event_mapping.csv": (
        "arm_num,unique_event_name,form\n1,first_arm_1,start\n1,first_arm_1,check\n1,second_arm_1,check\n"
        "1,second_arm_1,falls\n"
    ),
    "redcap/repeating.csv": "event_name,form_name,custom_form_label\nsecond_arm_1,falls,\n",
    "synthetic/generator.yaml": """
seed: 7
patients:
  {id: who, group: place, tables: [people.csv], further: {name: "z{}", vary: {level: {shift: 1, min: 0, max: 9}}}}
visits: {first_day: day1, spread: 0.9}
courses: {falls: falls.csv}
log: {users: {x: nurse}, days_after: 0, hour: 8, minutes: 1, cleaner: boss, cleaning_starts: 2020-11-01,
  cleaning_minutes: 1}
""",
    "synthetic/people.csv": "who,place,day1,level,smoker\nza,x,2020-03-02,6,1\nzb,x,2020-03-03,4,0\n",
    "synthetic/falls.csv": "who,day_of_fall,where\nzb,10,a;b\nzb,20~d,\nza,-3,b\n",
    "synthetic/planted.yaml": "[]\n",
    "synthetic/forms/start.yaml": "since: {date: visit}\nsmokes: {take: smoker}\npacks: {uniform: [0.5, 2]}\n",
    "synthetic/forms/check.yaml": (
        "seen: {date: visit}\npain: {formula: 'if([_event] = \"first_arm_1\", [level], [level] - 2)', min: 0}\n"
    ),
    "synthetic/forms/falls.yaml": "fall: {parts: day_of_fall}\nhurt: {ticks: where}\n",
}


@pytest.fixture
def made(tmp_path: Path) -> Generated:
    for name, text in FILES.items():
        path = tmp_path / "two" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return generate(Study.open(tmp_path / "two"), 5)


def test_rows_and_values_follow_from_the_declarations(made: Generated) -> None:
    rows = made.locked.set_index(["pid", "redcap_event_name", "redcap_repeat_instance"])
    assert rows.loc["za"].index.tolist() == [("first_arm_1", ""), ("second_arm_1", ""), ("second_arm_1", "1")]
    assert rows.loc[("za", "first_arm_1", ""), ["since", "seen", "smokes", "pain", "less"]].tolist() == [
        *("2020-03-02", "2020-03-02", "1", "6", "0"),
    ]
    assert 0.5 <= float(rows.loc[("za", "first_arm_1", ""), "packs"]) <= 2
    assert rows.loc[("zb", "first_arm_1", ""), "packs"] == ""  # hidden: does not smoke
    assert rows.loc[("zb", "second_arm_1", ""), ["pain", "less", "since"]].tolist() == ["2", "2", ""]
    assert "2020-03-25" <= rows.loc[("zb", "second_arm_1", ""), "seen"] <= "2020-04-05"


def test_courses_become_instances_with_partial_dates_and_no_day_zero(made: Generated) -> None:
    falls = made.locked[made.locked["redcap_repeat_instrument"] == "falls"]
    columns = ["redcap_repeat_instance", "fall_y", "fall_m", "hurt___a", "hurt___b"]
    assert falls.loc[falls["pid"] == "zb", columns].to_numpy().tolist() == [
        ["1", "2020", "3", "1", "1"],
        ["2", "2020", "3", "0", "0"],
    ]
    assert falls.loc[falls["pid"] == "za", "fall_m"].tolist() == ["2"]  # day -3 of 2 March is 28 February


def test_further_patients_are_named_and_vary(made: Generated) -> None:
    names = list(dict.fromkeys(made.locked["pid"]))
    assert names == ["za", "zb", "z3", "z4", "z5"]
    first = made.locked[made.locked["redcap_event_name"] == "first_arm_1"]
    assert first["pain"].astype(int).between(0, 9).all()
