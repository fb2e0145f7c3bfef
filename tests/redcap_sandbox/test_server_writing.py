"""Writing records through the API: what is stored, what is refused, what the log says."""

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.dictionary import Field
from redcap_sandbox.record_order import natural, next_name
from redcap_sandbox.server import SandboxProject, create_app
from redcap_sandbox.value_checks import iso_date, problem_of
from tests.redcap_sandbox.small_projects import CLASSIC, LONGITUDINAL, OTHER_TOKEN, TOKEN, write

NOW = datetime(2002, 5, 6, 7, 8, 9)


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> tuple[SandboxProject, SandboxProject]:
    folder: Path = tmp_path_factory.mktemp("projects")
    trial = SandboxProject.read(write(folder / "trial", LONGITUDINAL))
    return trial, SandboxProject.read(write(folder / "classic", CLASSIC))


@pytest.fixture
def api(projects: tuple[SandboxProject, SandboxProject]) -> TestClient:
    trial, classic = (replace(one, clock=lambda: NOW) for one in projects)
    return TestClient(create_app({TOKEN: trial, OTHER_TOKEN: classic, "D" * 32: trial.as_user("doctor")}))


def post(api: TestClient, token: str = TOKEN, **data: str) -> Response:
    return api.post("/api/", data={"token": token, "content": "record", "format": "json", **data})


def write_rows(api: TestClient, data: str, token: str = TOKEN, **more: str) -> Response:
    return post(api, token, data=data, **more)


def value(api: TestClient, record: str, field: str, place: int = 0, token: str = TOKEN) -> str:
    rows = post(api, token, **{"records[0]": record, "fields[0]": field}).json()
    return str(rows[place][field])


def newest(api: TestClient, count: int = 1) -> list[tuple[str, str, str]]:
    entries = post(api, content="log").json()[:count]
    return [(entry["action"], entry["details"], entry["record"]) for entry in entries]


def test_a_record_is_made_changed_and_counted_once(api: TestClient) -> None:
    rows = (
        '[{"study_id":"3","redcap_event_name":"scr_arm_1","pname":"Ada"},{"study_id":3,"redcap_event_name":"m1_arm_1"}]'
    )
    assert write_rows(api, rows).json() == {"count": 1}
    found = post(api, **{"records[0]": "3"}).json()
    assert [row["redcap_event_name"] for row in found] == ["scr_arm_1", "m1_arm_1"]
    assert (found[0]["pname"], found[0]["cb____9"], found[0]["demo_complete"]) == ("Ada", "0", "0")
    assert (found[0]["weight"], found[0]["vitals_complete"], found[1]["vitals_complete"]) == ("", "", "0")
    assert newest(api) == [("Create record (API) 3", "study_id = '3', pname = 'Ada'", "3")]
    assert [row["study_id"] for row in post(api, fields="study_id").json()].index("3") == 6, "between 2 and 10"


def test_blanks_erase_only_when_asked(api: TestClient) -> None:
    row = '[{"study_id":"1","redcap_event_name":"scr_arm_1","pname":"","smoker":"0"}]'
    write_rows(api, row)
    assert (value(api, "1", "pname"), value(api, "1", "smoker")) == ("Núñez, Ana", "0")
    assert newest(api) == [("Update record (API) 1", "smoker = '0'", "1")]
    write_rows(api, row, overwriteBehavior="overwrite")
    assert value(api, "1", "story") == 'He said "no"\nand left', "a column that was not posted stays"
    assert post(api, **{"records[0]": "1", "fields[0]": "study_id", "fields[1]": "pname"}).json()[0]["pname"] == ""
    before = post(api, content="log").json()
    assert write_rows(api, row, overwriteBehavior="overwrite").json() == {"count": 1}
    assert post(api, content="log").json() == before, "what does not change is not logged"


def test_calculated_fields_follow_and_are_never_imported(api: TestClient) -> None:
    write_rows(api, '[{"study_id":"2","redcap_event_name":"m1_arm_1","weight":"60,5","twice":"7"}]')
    assert value(api, "2", "twice") == "121"
    assert newest(api, 2) == [
        ("Update record (Auto calculation) 2", "twice = '121'", "2"),
        ("Update record (API) 2", "weight = '60,5'", "2"),
    ]


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("json", '[{"study_id":"2","redcap_event_name":"scr_arm_1","born":"02/03/1950","cb____9":1}]'),
        ("csv", "study_id,redcap_event_name,born,cb____9\n2,scr_arm_1,02/03/1950,1\n"),
        (
            "xml",
            "<records><item><study_id>2</study_id><redcap_event_name>scr_arm_1</redcap_event_name>"
            "<born><![CDATA[02/03/1950]]></born><cb____9>1</cb____9></item></records>",
        ),
    ],
)
def test_every_format_and_order_of_dates(api: TestClient, kind: str, data: str) -> None:
    for order, expected in (("DMY", "1950-03-02"), ("MDY", "1950-02-03")):
        answer = write_rows(api, data, format=kind, dateFormat=order, returnFormat="json")
        assert answer.json() == {"count": 1}
        assert value(api, "2", "born") == expected
    assert post(api, **{"records[0]": "2", "fields[0]": "cb"}).json()[0]["cb____9"] == "1"
    assert "could not be validated" in write_rows(api, data, format=kind, returnFormat="json").json()["error"]


def test_records_of_a_document(api: TestClient) -> None:
    document = post(api, format="odm").text
    assert document.startswith("<?xml") and "<Study " not in document
    everything, log = post(api).text, post(api, content="log").text
    assert write_rows(api, document, format="odm", returnFormat="json").json() == {"count": 3}
    assert (post(api).text, post(api, content="log").text) == (everything, log)
    changed = document.replace("Headache", "Migraine").replace('SubjectKey="10"', 'SubjectKey="11"')
    assert write_rows(api, changed, format="odm", overwriteBehavior="overwrite", returnFormat="json").status_code == 200
    assert newest(api, 2) == [
        ("Create record (API) 11", "study_id = '11', pname = 'Poe', born = '1948-01-01', smoker = 'ND', story = '=1+1',"
         " demo_complete = '1'", "11"),
        ("Update record (API) 1", "ae_term = 'Migraine'", "1"),
    ]  # fmt: skip
    assert write_rows(api, "<ODM", format="odm", returnFormat="json").status_code == 400


def test_rows_of_values(api: TestClient) -> None:
    rows = (
        '[{"record":"2","redcap_event_name":"scr_arm_1","field_name":"pname","value":"Li"},'
        '{"record":"2","redcap_event_name":"scr_arm_1","field_name":"cb","value":"1002-5"},'
        '{"record":"2","redcap_event_name":"scr_arm_1","field_name":"cb___aa","value":"0"}]'
    )
    assert write_rows(api, rows, type="eav").json() == {"count": 1}
    boxes = post(api, **{"records[0]": "2", "fields[0]": "cb"}).json()[0]
    assert (value(api, "2", "pname"), boxes["cb___1002_5"], boxes["cb___aa"]) == ("Li", "1", "0")
    assert newest(api) == [("Update record (API) 2", "pname = 'Li', cb(Aa) = unchecked, cb(1002-5) = checked", "2")]


def test_new_instances_are_counted_on(api: TestClient) -> None:
    row = (
        '{"study_id":"1","redcap_event_name":"logs_arm_1","redcap_repeat_instrument":"ae",'
        '"redcap_repeat_instance":"new"'
    )
    assert write_rows(api, f'[{row},"ae_term":"A"}},{row},"ae_term":"B"}}]').json() == {"count": 1}
    terms = post(api, **{"records[0]": "1", "forms[0]": "ae", "fields[0]": "study_id"}).json()
    assert [(row["redcap_repeat_instance"], row["ae_term"]) for row in terms if row["ae_term"]] == [
        *((1, "Headache"), (2, "x]]>y"), (3, "A"), (4, "B")),
    ]
    assert newest(api)[0][1] == "[instance = 4], ae_term = 'B'"


REFUSED = [
    ({"nope": "1", "also": "2"}, "The following fields were not found in the project as real data fields: nope, also"),
    ({"smoker": "2"}, '"1","smoker","2","The value is not a valid category for smoker"'),
    ({"cb___aa": "7"}, '"1","cb___aa","7","A checkbox option may only have the values 0 and 1"'),
    (
        {"weight": "1"},
        '"1","weight","1","This field (\'weight\') exists on an instrument that is not designated for the event named'
        " 'Screening (Arm 1: Arm one)'. You are not allowed to import data for this field into this event.\"",
    ),
    ({"redcap_event_name": "m1_arm_1", "weight": "1.5"}, "does not follow the expected format. Please try again."),
    ({"redcap_event_name": "logs_arm_1", "ae_term": "x"}, "exists on a Repeating Instrument named 'ae'."),
    ({"redcap_event_name": "nowhere"}, "not a unique event name"),
    ({"redcap_repeat_instrument": "demo"}, "redcap_repeat_instrument must be the unique form name of a Repeating"),
    ({"redcap_repeat_instance": "3"}, "redcap_repeat_instance cannot have a value since this instrument or event"),
    ({"redcap_data_access_group": "west"}, "not a unique group name"),
]


@pytest.mark.parametrize(("cells", "text"), REFUSED)
def test_what_does_not_fit_is_refused_whole(api: TestClient, cells: dict[str, str], text: str) -> None:
    before = post(api).json()
    rows = [{"study_id": "2", "pname": "not stored"}, {"study_id": "1", **cells}]
    answer = write_rows(api, json.dumps(rows))
    assert answer.status_code == 400 and text in answer.json()["error"]
    assert post(api).json() == before


def test_a_missing_data_code_fits_any_field(api: TestClient) -> None:
    write_rows(api, '[{"study_id":"2","redcap_event_name":"scr_arm_1","smoker":"ND","born":"UNK","cb___unk":"1"}]')
    row = post(api, **{"records[0]": "2"}).json()[0]
    assert (row["smoker"], row["born"], row["cb___unk"]) == ("ND", "UNK", "1")
    assert (row["cb____9"], row["cb___aa"]) == ("", ""), "a code leaves the options blank"


def test_answers_in_every_form(api: TestClient) -> None:
    csv = "study_id\n2\n10\n"
    for more, expected in (
        ({"returnFormat": "csv"}, "2"),
        ({"returnFormat": "xml"}, '<?xml version="1.0" encoding="UTF-8" ?><count>2</count>'),
        ({"returnFormat": "json", "returnContent": "ids"}, '["2","10"]'),
        ({"returnContent": "ids"}, "id\n2\n10\n"),
        ({"returnContent": "nothing"}, ""),
    ):
        assert write_rows(api, csv, format="csv", **more).text == expected
    numbered = write_rows(api, csv, format="csv", returnFormat="json", forceAutoNumber="true", returnContent="auto_ids")
    assert numbered.json() == ["11,2", "12,10"]
    assert post(api, content="generateNextRecordName").text == "13"


def test_a_user_in_a_group_writes_in_his_group_only(api: TestClient) -> None:
    doctor = "D" * 32
    assert write_rows(api, '[{"study_id":"2"}]', doctor).json()["error"].startswith("You do not have API Import")
    rights = '[{"username":"doctor","api_import":"1"}]'
    assert post(api, content="user", data=rights).text == "1"
    assert write_rows(api, '[{"study_id":"2","pname":"x"}]', doctor).json() == {"count": 1}
    assert "does not belong to your Data Access Group" in write_rows(api, '[{"study_id":"1"}]', doctor).json()["error"]
    moved = '[{"study_id":"2","redcap_data_access_group":"north"}]'
    assert "another Data Access Group than your own" in write_rows(api, moved, doctor).json()["error"]
    assert post(api, doctor, content="generateNextRecordName").text == "2-1"
    assert write_rows(api, '[{"study_id":"2-1"}]', doctor).json() == {"count": 1}
    group = post(api, exportDataAccessGroups="true", **{"records[0]": "2-1"}).json()[0]["redcap_data_access_group"]
    assert group == "south"


def test_a_record_moves_to_another_group(api: TestClient) -> None:
    assert write_rows(api, '[{"study_id":"1","redcap_data_access_group":"south"}]').json() == {"count": 1}
    rows = post(api, exportDataAccessGroups="true", **{"records[0]": "1"}).json()
    assert {row["redcap_data_access_group"] for row in rows} == {"south"} and len(rows) == 6
    details = "Assign record to Data Access Group (redcap_data_access_group = 'south')"
    assert newest(api) == [("Update record (API) 1", details, "1")]


def test_records_are_deleted_whole_or_in_part(api: TestClient) -> None:
    form = {"records[0]": "1", "instrument": "ae", "event": "logs_arm_1", "repeat_instance": "1"}
    assert post(api, action="delete", **form).text == "1"
    terms = post(api, **{"records[0]": "1", "forms[0]": "ae"}).json()
    assert [row["ae_term"] for row in terms] == ["x]]>y"]
    assert post(api, action="delete", event="m1_arm_1", **{"records[0]": "1"}).text == "1"
    assert "m1_arm_1" not in {row["redcap_event_name"] for row in post(api, **{"records[0]": "1"}).json()}
    assert post(api, action="delete", instrument="demo", event="scr_arm_1", **{"records[0]": "2"}).text == "1"
    assert post(api, action="delete", format="csv", **{"records[0]": "1", "records[1]": "10"}).text == "2"
    assert {row["study_id"] for row in post(api).json()} == {"2"}
    assert newest(api, 2) == [("Delete record (API) 10", "", "10"), ("Delete record (API) 1", "", "1")]
    missing = post(api, action="delete", **{"records[0]": "2", "records[1]": "1"})
    assert missing.json()["error"].endswith("The following records do not exist: 1")
    assert len(post(api).json()) == 1


def test_a_record_gets_another_name(api: TestClient) -> None:
    old = post(api, **{"records[0]": "2"}).json()
    assert post(api, action="rename", record="2", new_record_name="20").text == "1"
    assert post(api, **{"records[0]": "20"}).json() == [row | {"study_id": "20"} for row in old]
    assert post(api, **{"records[0]": "2"}).json() == []
    assert post(api, action="rename", record="20", new_record_name="1").status_code == 400
    assert newest(api) == [("Update record (API) 20", "study_id = '20'", "20")]


def test_the_range_of_time_sees_what_was_written(api: TestClient) -> None:
    since = {"dateRangeBegin": "2002-05-06 00:00:00", "fields": "study_id"}
    assert post(api, **since).json() == []
    write_rows(api, '[{"study_id":"10","redcap_event_name":"scr_arm_1","smoker":"1"}]')
    assert {row["study_id"] for row in post(api, **since).json()} == {"10"}


@pytest.mark.parametrize(
    ("token", "kind", "shape"),
    [(TOKEN, "json", "flat"), (TOKEN, "csv", "eav"), (TOKEN, "xml", "flat"), (OTHER_TOKEN, "csv", "flat")],
)
def test_what_is_exported_can_be_imported_and_changes_nothing(
    api: TestClient, token: str, kind: str, shape: str
) -> None:
    asked = {"format": kind, "type": shape, "exportDataAccessGroups": "true"}
    exported, log = post(api, token, **asked).text, post(api, token, content="log").text
    answer = write_rows(api, exported, token, format=kind, type=shape, overwriteBehavior="overwrite")
    assert answer.status_code == 200, answer.text
    assert post(api, token, **asked).text == exported
    assert post(api, token, content="log").text == log


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12).map(str.strip)


@settings(max_examples=10, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["1", "2", "3", "07", "a-1"]), st.lists(TEXT, min_size=1, max_size=3), max_size=4)
)
def test_any_text_comes_back_as_it_was_written(
    projects: tuple[SandboxProject, ...], values: dict[str, list[str]]
) -> None:
    import json

    api = TestClient(create_app({TOKEN: projects[0]}))
    rows = [
        {"study_id": name, "redcap_event_name": "logs_arm_1", "redcap_repeat_instrument": "ae",
         "redcap_repeat_instance": str(number), "ae_term": text}
        for name, texts in values.items() for number, text in enumerate(texts, start=5)
    ]  # fmt: skip
    assert write_rows(api, json.dumps(rows)).status_code == 200
    found = post(api, **{"forms[0]": "ae", "fields[0]": "study_id"}).json()
    kept = {(row["study_id"], row["redcap_repeat_instance"]): row["ae_term"] for row in found}
    assert {key: text for key, text in kept.items() if key[1] and key[1] >= 5} == {
        (name, number): text for name, texts in values.items() for number, text in enumerate(texts, start=5)
    }


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("date_mdy", "2024-02-29", "2023-02-29"),
        ("datetime_dmy", "2024-02-29 10:05", "2024-02-29"),
        ("datetime_seconds_ymd", "2024-02-29 10:05:01", "2024-02-29 10:05"),
        ("time", "23:59", "24:00"),
        ("integer", "-3", "3.0"),
        ("number", "1e3", "1,5"),
        ("number_1dp", "22.0", "22"),
        ("number_2dp_comma_decimal", "1,25", "1.25"),
        ("email", "a@b.org", "a@b"),
        ("alpha_only", "abc", "ab1"),
        ("a_type_of_the_site", "anything", ""),
    ],
)
def test_validation_types(kind: str, good: str, bad: str) -> None:
    field = Field("f", "form", field_type="text", text_validation_type_or_show_slider_number=kind)
    assert problem_of(field, "", good, {}) == ""
    assert not bad or "expected format" in problem_of(field, "", bad, {})


def test_dates_of_each_order() -> None:
    field = Field("f", "form", field_type="text", text_validation_type_or_show_slider_number="datetime_seconds_dmy")
    assert iso_date(field, "3/2/2024 10:05", "DMY") == "2024-02-03 10:05:00"
    assert iso_date(field, "02-03-24", "MDY") == "2024-02-03"
    assert iso_date(field, "2024-2-3", "YMD") == "2024-02-03"
    assert iso_date(field, "soon", "YMD") == "soon"


def test_names_in_order_and_the_next_one() -> None:
    assert sorted(["10", "2", "b-10", "b-9", "A"], key=natural) == ["2", "10", "A", "b-9", "b-10"]
    assert (next_name(["1", "x", "9", "2-40"]), next_name(["2-40", "9"], "2"), next_name([])) == ("10", "2-41", "1")
