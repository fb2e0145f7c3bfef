"""The generator over a classic project: forms stand for visits, forms filled alike, days of the patients' own."""

from __future__ import annotations

from pathlib import Path

import pytest

from metadata.errors import StudyError
from metadata.study import Study
from redcap_sandbox.generated import Generated, generate
from redcap_sandbox.generator import write

FILES = {
    "study.yaml": """
study: {id: CLASSIC}
standards: {sdtmig: "3.3", sdtm_ct: 2019-09-27}
redcap: {base_url: "https://redcap.example.org/"}
cutoff: 2020-12-31
text_dates: [{fields: [began], order: mdy, unknown: [UK]}]
visits:
  - {visitnum: 1, visit: FIRST, event: v1, day: 1, window: [0, 0], forms: [start, check_v1]}
  - {visitnum: 2, visit: SECOND, event: v2, day: 29, window: [-5, 5], forms: [check_v2]}
""",
    "redcap/dictionary.csv": """field_name,form_name,field_type,field_label,select_choices_or_calculations,\
text_validation_type_or_show_slider_number,branching_logic
pid,start,text,Patient,,,
sex,start,radio,Sex,"1, F | 2, M",,
seen_v1,check_v1,text,Date,,date_dmy,
pain_v1,check_v1,text,Pain,,integer,
womb_v1,check_v1,yesno,Pregnant,,,[sex] = '1'
seen_v2,check_v2,text,Date,,date_dmy,
pain_v2,check_v2,text,Pain,,integer,
womb_v2,check_v2,yesno,Pregnant,,,[sex] = '1'
less,check_v2,calc,Less,[pain_v1] - [pain_v2],,
left,bye,text,Left,,date_dmy,
hurt,falls,text,Hurt,,,
began,falls,text,Began,,,
""",
    "redcap/project_info.csv": "project_id,is_longitudinal,missing_data_codes\n9,0,\n",
    "redcap/repeating.csv": "event_name,form_name,custom_form_label\n,falls,\n",
    "synthetic/generator.yaml": """
seed: 7
patients:
  id: who
  group: place
  tables: [people.csv]
  further:
    {name: "z{}", without: [A-1, A-3], count_within: place, texts: {number: "{place}-{count:02d}", text: "of {name}"}}
visits:
  first_day: day1
  spread: 0
  missed: missed
  moments: {end: {day: end, forms: [bye]}}
for_each: {check: [v1, v2]}
courses: {falls: falls.csv}
log: {users: {x: nurse, y: nurse}, days_after: 0, hour: 8, minutes: 1, cleaner: boss, cleaning_starts: 2020-11-01,
  cleaning_minutes: 1}
""",
    "synthetic/people.csv": (
        "who,place,day1,sex,missed,end,number,text\nA-1,y,2020-03-02,1,,@v2,y-01,a\n"
        "A-2,x,2020-03-03,2,v2,40,x-01,b\nA-3,x,2020-03-04,2,,,x-02,c\n"
    ),
    "synthetic/falls.csv": "who,start,hurt\nA-1,10,arm\nA-1,20~d,leg\nA-2,2019,leg\n",
    "synthetic/planted.yaml": "[]\n",
    "synthetic/forms/start.yaml": "sex: {take: sex}\n",
    "synthetic/forms/check.yaml": (
        'seen_{each}: {date: visit}\npain_{each}: {formula: "if([_day] < 5, 8, 3)"}\nwomb_{each}: {value: 0}\n'
    ),
    "synthetic/forms/bye.yaml": "left: {date: visit}\n",
    "synthetic/forms/falls.yaml": "began: {text_date: start}\n",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Generated:
    folder = tmp_path_factory.mktemp("studies") / "classic"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text.lstrip("\n"), encoding="utf-8")
    return generate(Study.open(folder))


def test_the_visits_of_a_record_stand_in_one_row(made: Generated) -> None:
    rows = made.locked[made.locked["redcap_repeat_instrument"] == ""].set_index("pid")
    assert list(rows.index) == ["A-1", "A-2", "A-3"]
    columns = ["seen_v1", "pain_v1", "seen_v2", "pain_v2", "less", "left"]
    assert rows.loc["A-1", columns].tolist() == ["2020-03-02", "8", "2020-03-30", "3", "5", "2020-03-30"]
    assert rows.loc["A-2", columns].tolist() == ["2020-03-03", "8", "", "", "", "2020-04-11"]  # missed the second visit
    assert rows.loc["A-3", "left"] == ""


def test_branching_sees_the_other_forms_of_the_record(made: Generated) -> None:
    rows = made.locked[made.locked["redcap_repeat_instrument"] == ""].set_index("pid")
    assert rows["womb_v1"].tolist() == ["0", "", ""]


def test_text_dates_are_written_as_the_study_says(made: Generated) -> None:
    falls = made.locked[made.locked["redcap_repeat_instrument"] == "falls"]
    assert falls["began"].tolist() == ["03-11-2020", "03-UK-2020", "UK-UK-2019"]


def test_files_have_no_column_of_events(made: Generated, tmp_path: Path) -> None:
    for path in write(made.world.study, tmp_path):
        assert "redcap_event_name" not in path.read_text(encoding="utf-8").split("\n", 1)[0], path.name


def test_further_patients_follow_those_who_may_be_followed_and_are_numbered_within_their_group(made: Generated) -> None:
    patients = generate(made.world.study, 6).world.patients
    assert patients["who"].tolist() == ["A-1", "A-2", "A-3", "z4", "z5", "z6"]
    assert patients["template"].tolist() == [0, 1, 2, 1, 1, 1]
    assert patients["number"].tolist() == ["y-01", "x-01", "x-02", "x-03", "x-04", "x-05"]
    assert patients["text"].tolist() == ["a", "b", "c", "of z4", "of z5", "of z6"]


def test_an_unknown_patient_whom_nobody_follows_is_refused(tmp_path: Path) -> None:
    for name, text in FILES.items():
        path = tmp_path / "classic" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("without: [A-1", "without: [A-9"), encoding="utf-8")
    with pytest.raises(StudyError, match="'without' names a patient who is not declared: A-9"):
        generate(Study(tmp_path / "classic"), 6)
