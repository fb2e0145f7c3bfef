"""Whatever is posted gets an answer of REDCap's kind: never a page of a broken server."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from redcap_sandbox.contents import READS, TABLES
from redcap_sandbox.server import SandboxProject, create_app
from redcap_sandbox.writing import WRITES
from tests.redcap_sandbox.small_projects import CLASSIC, LONGITUDINAL, OTHER_TOKEN, TOKEN, write

CONTENTS = sorted({*TABLES, *READS, *(content for content, _ in WRITES)})
ACTIONS = ["", "export", "import", "delete", "rename", "list", "switch", "createFolder", "nonsense"]
NAMES = [
    "1",
    "2",
    "10",
    "new",
    "scr_arm_1",
    "logs_arm_1",
    "demo",
    "ae",
    "study_id",
    "cb",
    "ae_term",
    "1.5",
    "-1",
    "é",
    "",
]
KEYS = [
    "record",
    "event",
    "instrument",
    "field",
    "repeat_instance",
    "arm",
    "dag",
    "folder_id",
    "doc_id",
    "name",
    "report_id",
    "new_record_name",
    "records[0]",
    "fields[0]",
    "forms[0]",
    "events[0]",
    "arms[0]",
    "dags[0]",
    "users[0]",
    "roles[0]",
]
CHOICES = {
    "format": ["json", "csv", "xml", "odm", "yaml", ""],
    "returnFormat": ["json", "csv", "xml", ""],
    "type": ["flat", "eav"],
    "overwriteBehavior": ["normal", "overwrite", "other"],
    "returnContent": ["count", "ids", "auto_ids", "nothing"],
    "dateFormat": ["YMD", "DMY", "MDY"],
    "forceAutoNumber": ["true", "false"],
    "override": ["1", "0"],
    "exportSurveyFields": ["true", "maybe"],
    "rawOrLabel": ["raw", "label"],
    "csvDelimiter": [",", ";", "tab", "x"],
    "filterLogic": ["", "[smoker] = 1", "[nope]", "((", "[ae_sev] = '1'"],
}
COLUMNS = [
    "study_id",
    "id",
    "redcap_event_name",
    "redcap_repeat_instrument",
    "redcap_repeat_instance",
    "pname",
    "born",
    "weight",
    "cb___aa",
    "record",
    "field_name",
    "value",
    "username",
    "forms",
    "unique_role_name",
    "role_label",
    "arm_num",
    "name",
    "event_name",
    "unique_event_name",
    "form",
    "form_name",
    "field_type",
    "data_access_group_name",
    "unique_group_name",
    "redcap_data_access_group",
    "project_title",
    "data_access_group",
    "demo_complete",
]
VALUES = st.sampled_from([*NAMES, None, 3, 1.5, True, {"demo": 1}, [], "scr_arm_1", "north", "2024-02-30", "m1_arm_1"])
ROWS = st.lists(st.dictionaries(st.sampled_from(COLUMNS), VALUES, max_size=6), max_size=3)
BROKEN = [
    "",
    "{",
    "[]",
    "a,b\n1,2,3\n",
    "<ODM",
    "<!DOCTYPE a><a/>",
    "[[1]]",
    "null",
    '"x"',
    "study_id\n\x00\n",
    'a\n"b\n',
]
WHOLE = ["study_id\n5\n", "<records><item><study_id>9</study_id></item></records>"]
POSTED = st.one_of(st.none(), ROWS.map(json.dumps), st.sampled_from(BROKEN + WHOLE))
REQUESTS = st.builds(
    lambda named, chosen, data: {**named, **chosen, **({} if data is None else {"data": data})},
    st.dictionaries(st.sampled_from(KEYS), st.sampled_from(NAMES), max_size=4),
    st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in CHOICES.items()}),
    POSTED,
)


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SandboxProject]:
    folder: Path = tmp_path_factory.mktemp("projects")
    trial = SandboxProject.read(write(folder / "trial", LONGITUDINAL))
    return {TOKEN: trial, OTHER_TOKEN: SandboxProject.read(write(folder / "classic", CLASSIC))}


@settings(
    max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.generate, Phase.shrink)
)
@given(
    st.lists(
        st.tuples(st.sampled_from([TOKEN, OTHER_TOKEN]), st.sampled_from(CONTENTS), st.sampled_from(ACTIONS), REQUESTS),
        min_size=1,
        max_size=3,
    )
)
def test_every_request_is_answered(
    projects: dict[str, SandboxProject], asked: list[tuple[str, str, str, dict[str, str]]]
) -> None:
    api = TestClient(create_app(projects))
    for token, content, action, given_values in asked:
        data = {"token": token, "content": content, "action": action, **given_values}
        answer = api.post("/api/", data=data)
        assert answer.status_code in (200, 400, 403), answer.text
        if answer.status_code != 200:
            told = given_values.get("returnFormat") or given_values.get("format")
            check_error(answer.text, told if told in ("json", "csv") else "xml")
    for token in projects:  # and the project can still be exported
        for content in ("record", "project_xml"):
            answer = api.post("/api/", data={"token": token, "content": content, "format": "json"})
            assert answer.status_code == 200, answer.text


def check_error(text: str, kind: str) -> None:
    if kind == "json":
        assert list(json.loads(text)) == ["error"]
    elif kind == "csv":
        assert text.startswith("ERROR: ")
    else:
        assert ElementTree.fromstring(text.split("?>", 1)[1]).findtext("error")
