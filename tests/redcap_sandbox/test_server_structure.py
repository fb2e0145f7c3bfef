import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from metadata.errors import OutsideError, UsageError
from redcap_sandbox.server import SandboxProject, create_app, serve
from tests.redcap_sandbox.small_projects import CLASSIC, LONGITUDINAL, OTHER_TOKEN, TOKEN, write


@pytest.fixture
def trial(tmp_path: Path) -> SandboxProject:
    return SandboxProject.read(write(tmp_path / "trial", LONGITUDINAL))


@pytest.fixture
def api(trial: SandboxProject, tmp_path: Path) -> TestClient:
    classic = SandboxProject.read(write(tmp_path / "classic", CLASSIC))
    return TestClient(create_app({TOKEN: trial, OTHER_TOKEN: classic}))


def post(api: TestClient, token: str = TOKEN, **data: str) -> Response:
    return api.post("/api/", data={"token": token, "format": "json", **data})


def test_version_is_plain_text(api: TestClient) -> None:
    answer = api.post("/api", data={"token": TOKEN.lower(), "content": "version"})
    assert (answer.status_code, answer.text) == (200, "15.2.1")


def test_project_is_one_object_with_integer_flags(api: TestClient) -> None:
    found = post(api, content="project").json()
    assert found["project_id"] == 52 and found["is_longitudinal"] == 1
    assert found["missing_data_codes"] == "UNK, Unknown | ND, Not done"
    rows = post(api, content="project", format="csv").text.splitlines()
    assert rows[1] == '52,"A small trial",1,1,0,"UNK, Unknown | ND, Not done"'


def test_metadata_has_18_columns_and_filters(api: TestClient) -> None:
    rows = post(api, content="metadata").json()
    assert [row["field_name"] for row in rows][:3] == ["study_id", "pname", "born"]
    assert len(rows) == 11 and all(len(row) == 18 for row in rows)
    named = post(api, content="metadata", fields="weight", **{"forms[0]": "ae"}).json()
    assert [row["field_name"] for row in named] == ["weight", "ae_term", "ae_sev"]


def test_export_names_split_checkboxes_and_leave_out_descriptive_fields(api: TestClient) -> None:
    rows = post(api, content="exportFieldNames").json()
    names = {row["export_field_name"]: (row["original_field_name"], row["choice_value"]) for row in rows}
    assert names["cb____9"] == ("cb", "-9")
    assert names["cb___aa"] == ("cb", "Aa")
    assert names["cb___1002_5"] == ("cb", "1002-5")
    assert names["twice"] == ("twice", "")
    assert "demo_complete" in names and "intro" not in names
    only = post(api, content="exportFieldNames", field="cb").json()
    assert [row["export_field_name"] for row in only] == ["cb____9", "cb___aa", "cb___1002_5"]


def test_bodies_end_as_recorded(api: TestClient) -> None:
    assert post(api, content="instrument", format="csv").text == (
        'instrument_name,instrument_label\ndemo,"Demographics"\nvitals,"Vital signs"\nae,"Adverse events"\n'
    )
    assert post(api, content="arm", format="csv").text == 'arm_num,name\n1,"Arm one"'
    mapping = post(api, content="formEventMapping", format="csv").text
    assert mapping.startswith("arm_num,unique_event_name,form\n1,scr_arm_1,demo\n") and not mapping.endswith("\n")


def test_events_have_integer_ids_and_follow_the_arms(api: TestClient) -> None:
    events = post(api, content="event").json()
    assert events[0] == {
        "event_name": "Screening",
        "arm_num": 1,
        "unique_event_name": "scr_arm_1",
        "custom_event_label": "",
        "event_id": 141,
    }
    assert post(api, content="event", **{"arms[0]": "2"}).json() == []
    assert post(api, content="arm").json() == [{"arm_num": 1, "name": "Arm one"}]


def test_repeating_setup_and_groups(api: TestClient) -> None:
    assert post(api, content="repeatingFormsEvents").json() == [
        {"event_name": "unsched_arm_1", "form_name": "", "custom_form_label": ""},
        {"event_name": "logs_arm_1", "form_name": "ae", "custom_form_label": "[ae_term]"},
    ]
    groups = post(api, content="dag").json()
    assert groups[1] == {
        "data_access_group_name": "The South",
        "unique_group_name": "south",
        "data_access_group_id": 2,
    }


def test_users_have_integer_rights_and_form_rights(api: TestClient) -> None:
    users = post(api, content="user").json()
    assert [user["username"] for user in users] == ["clerk", "doctor", "leaver", "owner", "statistician"]
    assert users[4]["design"] == 1
    assert users[4]["forms_export"] == {"demo": 2, "vitals": 0, "ae": 3}
    text = post(api, content="user", format="csv").text
    assert '"demo:2,vitals:0,ae:3"' in text


def test_log_is_newest_first_and_filters(api: TestClient) -> None:
    entries = post(api, content="log").json()
    assert [entry["timestamp"] for entry in entries] == sorted((entry["timestamp"] for entry in entries), reverse=True)
    assert [entry["record"] for entry in post(api, content="log", logtype="record_add").json()] == ["10", "2", "1"]
    assert [entry["record"] for entry in post(api, content="log", logtype="record", record="1").json()] == ["1", "1"]
    early = post(api, content="log", endTime="2001-02-02 08:00:59", beginTime="2001-01-02 00:00").json()
    assert [entry["record"] for entry in early] == ["2"]
    assert post(api, content="log", user="nobody").json() == []


def test_classic_projects_refuse_longitudinal_contents(api: TestClient) -> None:
    for content, what in (("event", "events"), ("arm", "arms"), ("formEventMapping", "form/event mappings")):
        answer = post(api, OTHER_TOKEN, content=content)
        assert answer.status_code == 400
        assert answer.json() == {"error": f"You cannot export {what} for classic projects"}
    answer = post(api, OTHER_TOKEN, content="repeatingFormsEvents")
    assert answer.status_code == 400 and "does not contain any repeating instruments and events" in answer.text


def test_unknown_token_is_403_in_the_form_that_was_asked_for(api: TestClient) -> None:
    text = "You do not have permissions to use the API"
    wrong = {"token": "0" * 32, "content": "record"}
    answer = api.post("/api/", data={**wrong, "format": "csv", "returnFormat": "json"})
    assert (answer.status_code, answer.text) == (403, f'{{"error":"{text}"}}')
    answer = api.post("/api/", data={**wrong, "format": "csv"})
    assert (answer.status_code, answer.text) == (403, f"ERROR: {text}")
    answer = api.post("/api/", data=wrong)
    assert answer.status_code == 403
    assert answer.text == f'<?xml version="1.0" encoding="UTF-8" ?><hash><error>{text}</error></hash>'
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    assert api.post("/api/", data={"content": "version"}).status_code == 403


def test_unknown_content_and_format_are_400(api: TestClient) -> None:
    answer = post(api, content="nonsense")
    assert answer.status_code == 400
    assert answer.json()["error"] == 'The value of the parameter "content" is not valid'
    assert post(api, content="metadata", format="yaml").status_code == 400
    assert "does not serve" in post(api, content="tableau").json()["error"]
    assert post(api, content="report", report_id="1").status_code == 400
    assert post(api, content="record", action="randomize").json()["error"] == (
        'The value of the parameter "action" is not valid'
    )


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"content": "record", "data": "[{}]"}, "You do not have API Import/Update privileges"),
        ({"content": "record", "action": "import"}, "You do not have API Import/Update privileges"),
        ({"content": "record", "action": "delete", "records[0]": "1"}, "You do not have Delete Record privileges"),
        ({"content": "arm", "action": "delete", "arms[0]": "1"}, "You do not have API Import/Update privileges"),
        ({"content": "file", "action": "import"}, "You do not have API Import/Update privileges"),
    ],
)
def test_writing_is_refused_without_the_right_for_it(trial: SandboxProject, data: dict[str, str], text: str) -> None:
    users = [user | {"record_delete": "0"} for user in trial.users]
    api = TestClient(create_app({TOKEN: replace(trial, users=users).as_user("statistician")}))
    answer = post(api, **data)
    assert (answer.status_code, answer.json()["error"]) == (403, text)


def test_rights_of_a_user_are_kept(trial: SandboxProject) -> None:
    people = {f"{number}" * 32: name for number, name in enumerate(["clerk", "statistician", "leaver"], start=1)}
    api = TestClient(create_app({token: trial.as_user(name) for token, name in people.items()}))
    clerk, statistician, leaver = people
    assert post(api, clerk, content="metadata").json() == {"error": "You do not have API Export privileges"}
    assert post(api, leaver, content="metadata").status_code == 403
    assert post(api, statistician, content="log").status_code == 403
    assert "Data Access Groups" in post(api, statistician, content="dag").json()["error"]
    assert post(api, statistician, content="user").status_code == 403
    with pytest.raises(UsageError, match="did you mean 'statistician'"):
        trial.as_user("statistican")


def test_web_pages_for_wrong_paths_and_methods(api: TestClient) -> None:
    for answer in (api.get("/api/"), api.get("/"), api.post("/redcap/", data={})):
        assert answer.status_code in (404, 405)
        assert answer.text.startswith("<!DOCTYPE html>")


def test_multipart_form_is_read(api: TestClient) -> None:
    answer = api.post("/api/", data={"token": TOKEN, "content": "version"}, files={"file": ("x.txt", b"x")})
    assert answer.text == "15.2.1"


def test_xml_can_be_parsed(api: TestClient) -> None:
    for content in ("project", "metadata", "exportFieldNames", "instrument", "event", "arm", "dag", "user", "log"):
        root = ElementTree.fromstring(post(api, content=content, format="xml").text.split("?>", 1)[1])
        assert len(root) > 0


def test_a_token_has_redcaps_form(trial: SandboxProject) -> None:
    with pytest.raises(UsageError, match="32 hexadecimal"):
        create_app({"short": trial})


def test_unknown_records_state_is_told(tmp_path: Path) -> None:
    write(tmp_path, LONGITUDINAL)
    with pytest.raises(UsageError, match="'locked' or 'as-entered'"):
        SandboxProject.read(tmp_path, "lockd")
    entered = SandboxProject.read(tmp_path, "as-entered").records.frame["ae_term"]
    assert "Hedache" in set(entered) and "Headache" not in set(entered)


def test_a_port_that_is_taken_is_told(trial: SandboxProject) -> None:
    app = create_app({TOKEN: trial})
    with serve(app) as address:
        port = int(address.rstrip("/").rpartition(":")[2])
        assert address.startswith("http://127.0.0.1:")
        with pytest.raises(OutsideError, match="choose another port"), serve(app, port):
            pass


def test_json_escapes_as_php_does(api: TestClient) -> None:
    body = post(api, content="record", **{"records[0]": "1", "fields[0]": "pname"}).text
    assert "N\\u00fa\\u00f1ez" in body
    assert json.loads(body)[0]["pname"] == "Núñez, Ana"
