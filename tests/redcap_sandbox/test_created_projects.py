"""Projects made by a super token and written to with PyCap: set-up, people, files, surveys, reports, the log."""

import io
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import redcap
import requests
from lxml import etree
from pypdf import PdfReader

from extract.odm.document import parse_document
from extract.odm.structure import structure_of
from metadata.records import Records
from redcap_sandbox.creation import created
from redcap_sandbox.people import new_role
from redcap_sandbox.project import Report, SandboxProject
from redcap_sandbox.project_xml import ProjectExtras, project_xml
from redcap_sandbox.request import ApiError, ApiRequest
from redcap_sandbox.server import create_app, serve
from tests.redcap_sandbox.small_projects import LONGITUDINAL, write

SUPER = "5" * 64
NOW = datetime(2002, 5, 6, 7, 8, 9)
GIVEN = '<?xml version="1.0" encoding="UTF-8" ?><item><project_title>Made</project_title><purpose>0</purpose></item>'


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> SandboxProject:
    """The longitudinal project with a file field, a survey, a report and a role."""
    files = LONGITUDINAL | {
        "dictionary.csv": LONGITUDINAL["dictionary.csv"] + "scan,ae,,file,Scan,,,,,,,,,,,,,\n",
        "events.csv": LONGITUDINAL["events.csv"].replace(",144\n", ",144\nEnd,2,end_arm_2,,145\n"),
        "project_info.csv": LONGITUDINAL["project_info.csv"].replace(",1,1,0,", ",1,1,1,"),
    }
    named = {file: re.sub(r"\b(north|south)\b", r"the_\1", text) for file, text in files.items()}
    served = SandboxProject.read(write(tmp_path_factory.mktemp("source"), named))
    frame = served.records.frame.assign(demo_timestamp="")
    frame.loc[0, "demo_timestamp"] = "2001-01-01 08:00:00"
    role = new_role(served, "U-ABCDEFGHJK") | {"role_label": "Reader", "forms": "demo:2,vitals:0,ae:1"}
    report = Report(1, "Severe events", ("study_id", "ae_term"), "[ae_sev] = '2'")
    made = replace(served, surveys=("demo",), roles=[role], reports=(report,))
    return replace(made, records=Records.from_frame(made.project, frame))


@pytest.fixture(scope="module")
def document(source: SandboxProject) -> str:
    extras = ProjectExtras(tuple(source.roles), source.surveys, source.reports)
    return project_xml(source.project, source.records.frame, source.version, extras)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serve(create_app({}, super_tokens=(SUPER,), clock=lambda: NOW, version="16.1.0")) as base:
        yield base


def create(address: str, odm: str = "", token: str = SUPER) -> str:
    data = {"token": token, "content": "project", "format": "xml", "data": GIVEN, "odm": odm}
    return requests.post(f"{address}api/", data=data, timeout=30).text[-32:]


@pytest.fixture
def project(address: str, document: str) -> redcap.Project:
    made = redcap.Project(f"{address}api/", create(address, document))
    owner = made.export_users()[0] | {"record_delete": 1, "record_rename": 1}
    assert made.import_users([owner]) == 1
    return made


def test_a_project_made_of_xml_is_that_project(project: redcap.Project, source: SandboxProject) -> None:
    info = project.export_project_info()
    assert (info["project_title"], info["purpose"], info["is_longitudinal"]) == ("Made", 0, 1)
    assert info["missing_data_codes"] == "UNK, Unknown | ND, Not done"
    assert [row["field_name"] for row in project.export_metadata()] == list(source.project.dictionary.fields)
    assert [row["unique_event_name"] for row in project.export_events()] == source.project.event_names
    assert len({row["event_id"] for row in project.export_events()}) == 5
    assert project.export_repeating_instruments_events()[1]["form_name"] == "ae"
    rows = project.export_records(format_type="csv", export_data_access_groups=True, export_survey_fields=True)
    lines = rows.splitlines()
    assert lines[0].startswith(
        "study_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,redcap_data_access_group,"
        "redcap_survey_identifier,demo_timestamp,pname,"
    )
    assert lines[1].startswith('1,scr_arm_1,,,the_north,,"2001-01-01 08:00:00","Núñez, Ana",1950-12-31,')
    labelled = project.export_records(
        format_type="csv", raw_or_label_headers="label", export_survey_fields=True, raw_or_label="label"
    ).splitlines()
    assert labelled[0].startswith('"Study ID","Event Name","Repeat Instrument","Repeat Instance","Survey Identifier",')
    assert '"Survey Timestamp",Name,' in labelled[0] and '"2001-01-01 08:00:00"' in labelled[1]
    values = project.export_records(record_type="eav", export_survey_fields=True)
    assert [row["value"] for row in values if row["field_name"] == "demo_timestamp"] == ["2001-01-01 08:00:00"]
    found = project.export_records()
    old = source.records.frame
    assert [row["ae_term"] for row in found if row["ae_term"]] == [term for term in old["ae_term"] if term]
    assert len(found) == len(old) - 1, "a row in which nothing was touched is not in the XML"
    assert {row["twice"] for row in found} == {""}, "calculated when a record is saved next"


def test_its_own_xml_makes_the_same_project_again(address: str, project: redcap.Project) -> None:
    def xml(one: redcap.Project) -> str:
        asked = {"token": one.token, "content": "project_xml", "exportDataAccessGroups": "true"}
        return requests.post(one.url, data=asked | {"exportSurveyFields": "true"}, timeout=30).text

    again = redcap.Project(project.url, create(address, xml(project)))
    assert xml(again) == xml(project)
    assert structure_of(parse_document(xml(again).encode(), "x"), "x") is not None
    assert again.export_user_roles()[0]["forms"] == {"demo": 2, "vitals": 0, "ae": 1}


def test_only_a_super_token_makes_projects(address: str) -> None:
    assert create(address, token="6" * 64).endswith("use the API</error></hash>")
    asked = {"token": SUPER, "content": "record"}
    assert requests.post(f"{address}api/", data=asked, timeout=30).status_code == 400
    tokens = {create(address), create(address)}
    assert len(tokens) == 2
    for token in tokens:
        made = redcap.Project(f"{address}api/", token)
        assert (made.def_field, made.export_records(), made.is_longitudinal) == ("record_id", [], False)
        assert made.import_records([{"record_id": "a"}]) == {"count": 1}


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"data": "{}"}, "project_title"),
        ({"data": '{"project_title": "x"}'}, "purpose"),
        ({"odm": "<ODM"}, "could not be read"),
        ({"odm": '<!DOCTYPE x [<!ENTITY a "b">]><ODM/>'}, "entities"),
        ({"odm": '<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3"/>'}, "no metadata"),
    ],
)
def test_what_makes_no_project_is_refused(values: dict[str, str], text: str) -> None:
    given = {"format": "json", "data": '{"project_title": "x", "purpose": "0"}'} | values
    with pytest.raises(ApiError) as refused:
        created(ApiRequest(given), 1, lambda: NOW, "16.1.0")
    assert text in refused.value.text


def test_a_group_that_the_xml_does_not_have_is_refused(document: str) -> None:
    odm = document.replace('Value="the_north"', 'Value="nowhere"')
    with pytest.raises(ApiError) as refused:
        created(ApiRequest({"format": "xml", "data": GIVEN, "odm": odm}), 1, lambda: NOW, "16.1.0")
    assert "'nowhere'" in refused.value.text and "record '1'" in refused.value.text


def test_arms_and_events(project: redcap.Project) -> None:
    assert project.import_arms([{"arm_num": 3, "name": "Third"}, {"arm_num": 1, "name": "First"}]) == 2
    assert [arm["arm_num"] for arm in project.export_arms()] == [1, 2], "an arm without events is not listed"
    assert project.import_events([{"event_name": "A very long name of an event", "arm_num": "3"}] * 2) == 2
    assert [event["unique_event_name"] for event in project.export_events(arms=["3"])] == [
        *("a_very_long_name_o_arm_3", "a_very_long_name_ob_arm_3"),
    ]
    assert project.export_arms()[0] == {"arm_num": 1, "name": "First"}
    assert project.delete_events(["a_very_long_name_o_arm_3"]) == 1
    assert project.delete_arms(["3"]) == 1
    assert [event["arm_num"] for event in project.export_events()] == [1, 1, 1, 1, 2]
    mapping = project.export_instrument_event_mappings()
    assert project.import_instrument_event_mappings(mapping[:2]) == 2
    assert project.export_instrument_event_mappings() == mapping[:2]
    assert {row["redcap_event_name"] for row in project.export_records(forms=["vitals"])} >= {"m1_arm_1"}
    for refused in (
        lambda: project.import_events([{"event_name": "x", "arm_num": "9"}]),
        lambda: project.delete_arms(["9"]),
        lambda: project.import_instrument_event_mappings([{"arm_num": 1, "unique_event_name": "no", "form": "ae"}]),
    ):
        with pytest.raises(redcap.RedcapError):
            refused()


def test_another_dictionary(project: redcap.Project) -> None:
    rows = project.export_metadata()
    kept = [row for row in rows if row["field_name"] != "smoker"]
    new = kept[0] | {"field_name": "extra", "form_name": "more_things"}
    assert project.import_metadata([*kept, new]) == len(kept) + 1
    assert project.export_instruments()[-1] == {"instrument_name": "more_things", "instrument_label": "More Things"}
    first = project.export_records(records=["1"])[0]
    assert "smoker" not in first and first["pname"] == "Núñez, Ana"
    with pytest.raises(redcap.RedcapError, match="defined twice"):
        project.import_metadata([*kept, kept[1]])


def test_what_repeats(project: redcap.Project) -> None:
    assert project.import_repeating_instruments_events([{"event_name": "unsched_arm_1", "form_name": ""}]) == 1
    assert {row["redcap_repeat_instrument"] for row in project.export_records()} == {""}
    assert project.import_repeating_instruments_events([]) == 0
    with pytest.raises(redcap.RedcapError, match="does not contain any repeating"):
        project.export_repeating_instruments_events()
    assert "redcap_repeat_instance" not in project.export_records()[0]


def test_users_roles_and_groups(project: redcap.Project) -> None:
    name = "someone@example.org"
    assert project.import_users([{"username": name, "api_export": 1, "forms_export": {"demo": 1}}]) == 1
    assert project.import_user_roles([{"role_label": "Editor", "design": 1}]) == 1
    role = project.export_user_roles()[-1]
    assert (role["role_label"], role["design"], role["forms"]["demo"]) == ("Editor", "1", 0)
    given = {"username": name, "unique_role_name": role["unique_role_name"]}
    assert project.import_user_role_assignment([given]) == 1
    user = next(one for one in project.export_users() if one["username"] == name)
    assert (user["design"], user["api_export"]) == (1, 0), "the role's rights take the place of his own"
    assert project.delete_user_roles([role["unique_role_name"]]) == 1
    assert project.import_dags([{"data_access_group_name": "The far, far west!", "unique_group_name": ""}]) == 1
    group = project.export_dags()[-1]
    assert group["unique_group_name"] == "the_far_far_west"
    assert project.import_user_dag_assignment([{"username": name, "redcap_data_access_group": "the_north"}]) == 1
    user = next(one for one in project.export_users() if one["username"] == name)
    assert (user["data_access_group"], user["data_access_group_label"], user["api_export"]) == (
        "the_north",
        "The North",
        1,
    )
    assert project.delete_dags(["the_north"]) == 1
    assert {row["redcap_data_access_group"] for row in project.export_user_dag_assignment()} == {""}
    rows = project.export_records(fields=["study_id"], export_data_access_groups=True)
    assert {row["study_id"]: row["redcap_data_access_group"] for row in rows} == {
        "1": "",
        "2": "the_south",
        "10": "the_south",
    }
    assert project.delete_users([name]) == 1
    with pytest.raises(redcap.RedcapError):
        project.delete_users([name])


def test_a_user_changes_his_group(project: redcap.Project) -> None:
    assert project.switch_dag("the_south") == "1"
    assert {row["study_id"] for row in project.export_records()} == {"2", "10"}
    with pytest.raises(redcap.RedcapError):
        project.export_dags()


def test_files_of_fields(project: redcap.Project) -> None:
    place: dict[str, Any] = {"record": "1", "field": "scan", "event": "logs_arm_1", "repeat_instance": 2}
    content = bytes(range(256)) * 40
    assert project.import_file(file_name="ct.bin", file_object=io.BytesIO(content), **place) == [{}]
    found, headers = project.export_file(**place)
    assert (found, headers["name"]) == (content, "ct.bin")
    rows = project.export_records(records=["1"], forms=["ae"])
    assert [row["scan"] for row in rows if row["ae_term"]] == ["", "ct.bin"]
    cells = project.export_records(records=["1"], fields=["scan"], record_type="eav")
    assert [row["value"] for row in cells if row["field_name"] == "scan"] == ["1"]
    details = [entry["details"] for entry in project.export_logging(log_type="record_edit")]
    assert "[instance = 2], scan = 'ct.bin'" in details
    xml = requests.post(
        project.url, data={"token": project.token, "content": "project_xml", "exportFiles": "true"}, timeout=30
    ).content
    made = created(
        ApiRequest({"format": "xml", "data": GIVEN, "odm": xml.decode()}), 1, lambda: NOW, project_version(project)
    )
    assert [file.content for file in made.files.values()] == [content]
    gone = {"token": project.token, "content": "file", "action": "delete", **{k: str(v) for k, v in place.items()}}
    assert requests.post(project.url, data=gone, timeout=30).text == ""
    for missing in ({"repeat_instance": 1}, {}, {"record": "77"}, {"event": "scr_arm_1"}):
        with pytest.raises(redcap.RedcapError):
            project.export_file(**(place | missing))


def project_version(project: redcap.Project) -> str:
    return str(project.export_version())


def test_the_file_repository(project: redcap.Project) -> None:
    folder = project.create_folder_in_repository("Plans")[0]["folder_id"]
    inner = project.create_folder_in_repository("Old", folder_id=folder)[0]["folder_id"]
    project.import_file_into_repository("sap.txt", io.BytesIO(b"plan"), folder_id=inner)
    assert [one["name"] for one in project.export_file_repository()] == ["Plans"]
    listed = project.export_file_repository(folder_id=inner)
    assert [(one["name"], one["folder_id"]) for one in listed] == [("sap.txt", "")]
    assert project.export_file_from_repository(listed[0]["doc_id"])[0] == b"plan"
    project.delete_file_from_repository(listed[0]["doc_id"])
    assert project.export_file_repository(folder_id=inner) == []
    with pytest.raises(redcap.RedcapError, match="folder_id=99 does not exist"):
        project.export_file_repository(folder_id=99)


def test_surveys(address: str, project: redcap.Project) -> None:
    place = {"record": "1", "instrument": "demo", "event": "scr_arm_1"}
    link = project.export_survey_link(**place)
    assert link.startswith(f"{address}surveys/?s=") and link == project.export_survey_link(**place)
    assert project.export_survey_queue_link(record="1").startswith(f"{address}surveys/?sq=")
    assert len(project.export_survey_access_code(**place)) == 9
    assert len(project.export_survey_return_code(**place)) == 8
    listed = project.export_survey_participant_list(instrument="demo", event="scr_arm_1")
    assert [(one["record"], one["response_status"]) for one in listed] == [("1", 2), ("2", 0), ("10", 0)]
    assert listed[0]["survey_link"] == link
    for wrong in ({"record": "9"}, {"instrument": "ae"}, {"event": "m1_arm_1"}):
        with pytest.raises(redcap.RedcapError):
            project.export_survey_link(**(place | wrong))


def test_a_report_has_its_fields_and_its_condition(project: redcap.Project) -> None:
    number = requests.post(project.url, data={"token": project.token, "content": "project"}, timeout=30)
    first = int(etree.fromstring(number.content).findtext("project_id") or 0) * 1000 + 1
    rows = project.export_report(report_id=str(first))
    assert [(row["study_id"], row["ae_term"]) for row in rows] == [("1", "Headache")]
    with pytest.raises(redcap.RedcapError):
        project.export_report(report_id="1")


def test_forms_as_pdf(project: redcap.Project) -> None:
    def text(content: bytes) -> str:
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)

    blank, headers = project.export_pdf(instrument="demo")
    assert "Date of birth" in text(blank) and "Núñez" not in text(blank) and headers["name"] == "demo.pdf"
    filled = project.export_pdf(record="1", event="scr_arm_1")[0]
    assert "Name: Núñez, Ana" in text(filled) and "Signs: Unknown, or so, Code" in text(filled)
    assert filled == project.export_pdf(record="1", event="scr_arm_1")[0]
    assert "Headache" in text(project.export_pdf(all_records=True)[0])


def test_the_log_says_what_was_done(project: redcap.Project) -> None:
    assert project.def_field == "study_id", "which reads the dictionary"
    project.import_records([{"study_id": "4", "pname": "Ada"}])
    project.export_records()
    actions = [(entry["action"], entry["details"]) for entry in project.export_logging()]
    assert actions[:2] == [
        ("Data export (API) ", "Export record (API)"),
        ("Create record (API) 4", "study_id = '4', pname = 'Ada'"),
    ]
    assert actions[-2:] == [
        ("Manage/Design ", "Create project using REDCap XML file (API)"),
        ("Add user site_admin", "user = 'site_admin'"),
    ]
    assert {entry["timestamp"] for entry in project.export_logging()} == {"2002-05-06 07:08"}
    assert len(project.export_logging(log_type="record", record="4")) == 1
    assert project.export_logging(begin_time=datetime(2002, 5, 6, 7, 9)) == []


def test_the_same_requests_get_the_same_answers(document: str, tmp_path: Path) -> None:
    def answers() -> list[str]:
        with serve(create_app({}, super_tokens=(SUPER,), clock=lambda: NOW)) as base:
            token = create(base, document)
            made = redcap.Project(f"{base}api/", token)
            made.import_user_roles([{"role_label": "x"}])
            made.import_records([{"study_id": "new"}], force_auto_number=True)
            parts = [token, str(made.export_user_roles()), str(made.export_records()), str(made.export_logging())]
            return [*parts, made.export_survey_queue_link(record="1").removeprefix(base)]

    assert answers() == answers()


def test_requests_at_the_same_time_lose_nothing(address: str, document: str) -> None:
    url, token = f"{address}api/", create(address, document)
    asked = {"token": token, "format": "json", "returnFormat": "json"}

    def write_one(number: int) -> str:
        if number % 3 == 0:
            return requests.post(url, data=asked | {"content": "version"}, timeout=30).text
        if number % 3 == 1:
            return requests.post(url, data=asked | {"content": "arm"}, timeout=30).text
        data = f'[{{"study_id":"n{number}"}}]'
        return requests.post(url, data=asked | {"content": "record", "data": data}, timeout=30).text

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(write_one, range(30)))
    assert answers[2::3] == ['{"count":1}'] * 10
    log = redcap.Project(url, token).export_logging()
    assert sum(entry["details"] == "Export arms (API)" for entry in log) == 10
    assert sum(entry["details"] == "Export version (API)" for entry in log) == 10
    assert sum(entry["action"].startswith("Create record (API) n") for entry in log) == 10
