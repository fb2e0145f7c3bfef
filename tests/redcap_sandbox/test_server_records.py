import csv
import io
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from httpx import Response
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.project import Project
from metadata.records import Records
from metadata.records_csv import read_csv
from redcap_sandbox.rendering import render_table
from redcap_sandbox.server import SandboxProject, create_app
from tests.redcap_sandbox.small_projects import CLASSIC, LONGITUDINAL, OTHER_TOKEN, RECORDS, TOKEN, write

KEYS = ["study_id", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"]


@pytest.fixture
def trial(tmp_path: Path) -> SandboxProject:
    return SandboxProject.read(write(tmp_path / "trial", LONGITUDINAL))


@pytest.fixture
def api(trial: SandboxProject) -> TestClient:
    return TestClient(create_app({TOKEN: trial}))


def post(api: TestClient, token: str = TOKEN, **data: str) -> Response:
    return api.post("/api/", data={"token": token, "content": "record", "format": "json", **data})


def as_user(trial: SandboxProject, name: str) -> TestClient:
    return TestClient(create_app({TOKEN: trial.as_user(name)}))


def columns(answer: Response) -> list[str]:
    return list(answer.json()[0])


def test_csv_is_what_the_folder_holds(api: TestClient) -> None:
    answer = post(api, format="csv", exportDataAccessGroups="TRUE")
    head, rest = answer.text.split("\n", 1)
    assert head + "\n" == RECORDS.split("\n", 1)[0] + "\n"
    assert rest.startswith('1,scr_arm_1,,,north,"Núñez, Ana",1950-12-31,1,0,1,1,"He said ""no""\nand left",2,,,,,,\n')
    assert answer.text.endswith("\n") and answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text == RECORDS


def test_json_instance_is_integer_or_blank_and_all_else_text(api: TestClient) -> None:
    rows = post(api).json()
    assert "redcap_data_access_group" not in rows[0]
    assert rows[0]["redcap_repeat_instance"] == ""
    assert rows[3]["redcap_repeat_instance"] == 2 and rows[3]["redcap_repeat_instrument"] == ""
    assert rows[4]["redcap_repeat_instrument"] == "ae" and rows[4]["ae_sev"] == "2"
    others = {type(value) for row in rows for name, value in row.items() if name != "redcap_repeat_instance"}
    assert others == {str}


def test_xml_is_cdata_and_holds_any_text(api: TestClient) -> None:
    text = post(api, format="xml").text
    assert text.startswith(
        '<?xml version="1.0" encoding="UTF-8" ?><records><item><study_id><![CDATA[1]]></study_id>'
        "<redcap_event_name><![CDATA[scr_arm_1]]>"
    )
    items = list(ElementTree.fromstring(text.split("?>", 1)[1]))
    assert len(items) == 9
    assert items[0].findtext("story") == 'He said "no"\nand left'
    assert items[5].findtext("ae_term") == "x]]>y"


@pytest.mark.parametrize(
    "named",
    [
        {"fields[0]": "study_id", "fields[1]": "smoker"},
        {"fields[1]": "study_id", "fields[2]": "smoker"},
        {"fields": "study_id, smoker"},
    ],
)
def test_lists_come_in_every_shape(api: TestClient, named: dict[str, str]) -> None:
    answer = post(api, **named)
    assert columns(answer) == [*KEYS, "smoker"]
    assert len(answer.json()) == 7  # the rows of the repeating form have nothing to say


def test_lists_with_empty_brackets(api: TestClient) -> None:
    body = f"token={TOKEN}&content=record&format=json&fields[]=study_id&fields[]=weight&records[]=1&records[]=2"
    answer = api.post("/api/", content=body, headers={"content-type": "application/x-www-form-urlencoded"})
    assert columns(answer) == [*KEYS, "weight"]
    assert {row["study_id"] for row in answer.json()} == {"1", "2"}


@pytest.mark.parametrize("yes", ["true", "True", "TRUE", "1"])
@pytest.mark.parametrize("no", ["false", "False", "FALSE", "0", ""])
def test_booleans_come_in_every_form(api: TestClient, yes: str, no: str) -> None:
    assert "redcap_data_access_group" in columns(post(api, exportDataAccessGroups=yes))
    assert "redcap_data_access_group" not in columns(post(api, exportDataAccessGroups=no))


def test_a_boolean_that_is_none_is_refused(api: TestClient) -> None:
    assert post(api, exportDataAccessGroups="perhaps").status_code == 400


def test_fields_without_the_id_bring_no_keys(api: TestClient) -> None:
    rows = post(api, fields="weight,twice").json()
    assert rows == [
        {"weight": "70,5", "twice": "141"},
        {"weight": "UNK", "twice": ""},
        {"weight": "71", "twice": "142"},
    ]


def test_forms_choose_columns_and_repeating_rows(api: TestClient) -> None:
    rows = post(api, **{"forms[0]": "ae", "fields[0]": "study_id"}).json()
    assert list(rows[0]) == [*KEYS, "ae_term", "ae_sev", "ae_complete"]
    assert [row["ae_term"] for row in rows if row["redcap_repeat_instrument"]] == ["Headache", "x]]>y"]
    assert post(api, forms="ae").json()[0] == {"ae_term": "Headache", "ae_sev": "2", "ae_complete": "2"}


def test_status_and_descriptive_names_are_accepted_in_fields(api: TestClient) -> None:
    assert columns(post(api, fields="study_id,intro,demo_complete")) == [*KEYS, "demo_complete"]


def test_records_and_events_choose_rows(api: TestClient) -> None:
    rows = post(api, records="10,2,none", events="scr_arm_1").json()
    assert [(row["study_id"], row["redcap_event_name"]) for row in rows] == [("2", "scr_arm_1"), ("10", "scr_arm_1")]
    assert post(api, records="none").json() == []


def test_unknown_names_are_400_and_told(api: TestClient) -> None:
    told = {
        "fields": ("x,study_id,y", "'x', 'y'"),
        "forms": ("demo,nope", "'nope'"),
        "events": ("later_arm_1", "'later_arm_1'"),
    }
    for name, (given_names, bad) in told.items():
        answer = post(api, **{name: given_names})
        assert answer.status_code == 400
        assert answer.json()["error"] == f'The following values in the parameter "{name}" are not valid: {bad}'
    assert post(api, fields="redcap_event_name").status_code == 400


def test_empty_results(api: TestClient) -> None:
    assert post(api, records="none").text == "[]"
    assert post(api, records="none", format="csv").text == "\n"
    assert post(api, records="none", format="xml").text == (
        '<?xml version="1.0" encoding="UTF-8" ?><records></records>'
    )


def test_labels_replace_codes_events_and_headers(api: TestClient) -> None:
    answer = post(
        api, format="csv", rawOrLabel="label", rawOrLabelHeaders="label", exportDataAccessGroups="1", records="1"
    )
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[0][:8] == [
        "Study ID",
        "Event Name",
        "Repeat Instrument",
        "Repeat Instance",
        "Data Access Group",
        "Name",
        "Date of birth",
        "Signs (choice=Unknown, or so)",
    ]
    assert rows[0].count("Complete?") == 3
    first = dict(zip(rows[0], rows[1], strict=True))
    assert first["Event Name"] == "Screening" and first["Data Access Group"] == "The North"
    assert first["Signs (choice=Unknown, or so)"] == "Checked" and first["Signs (choice=Letter)"] == "Unchecked"
    assert first["Smoker"] == "Yes"
    raw = post(api, rawOrLabel="label", records="1").json()
    assert raw[0]["demo_complete"] == "Complete" and raw[1]["vitals_complete"] == "Complete"
    assert raw[2]["weight"] == "Unknown" and raw[4]["redcap_repeat_instrument"] == "Adverse events"
    assert raw[4]["ae_sev"] == "Severe"


def test_checkbox_labels(api: TestClient) -> None:
    row = post(api, rawOrLabel="label", exportCheckboxLabel="true", records="1").json()[0]
    assert (row["cb____9"], row["cb___aa"]) == ("Unknown, or so", "")
    assert post(api, exportCheckboxLabel="true", records="1").json()[0]["cb____9"] == "1"


def test_eav_has_stored_values_only(api: TestClient) -> None:
    rows = post(api, type="eav", records="1", events="scr_arm_1").json()
    assert set(rows[0]) == {*(KEYS[1:]), "record", "field_name", "value"}
    found = {(row["field_name"], row["value"]) for row in rows}
    assert found == {
        ("study_id", "1"),
        ("pname", "Núñez, Ana"),
        ("born", "1950-12-31"),
        ("cb", "-9"),
        ("cb", "1002-5"),
        ("smoker", "1"),
        ("story", 'He said "no"\nand left'),
        ("demo_complete", "2"),
    }
    ticked = [row for row in post(api, type="eav", rawOrLabel="label").json() if row["field_name"] == "cb"]
    assert [row["value"] for row in ticked] == ["Unknown, or so", "Code", "Letter"]


def test_eav_shows_a_status_of_zero_only_where_the_form_holds_something(api: TestClient) -> None:
    rows = post(api, type="eav", records="1,2", fields="vitals_complete,demo_complete").json()
    zero = [(row["record"], row["redcap_event_name"], row["field_name"]) for row in rows if row["value"] == "0"]
    assert zero == [("1", "unsched_arm_1", "vitals_complete"), ("2", "scr_arm_1", "demo_complete")]


def test_gray_form_status_can_be_blank(api: TestClient) -> None:
    asked = {"records": "2", "fields": "study_id,vitals_complete"}
    plain = {row["redcap_event_name"]: row["vitals_complete"] for row in post(api, **asked).json()}
    assert plain["m1_arm_1"] == "0"
    blank = {
        row["redcap_event_name"]: row["vitals_complete"]
        for row in post(api, exportBlankForGrayFormStatus="true", **asked).json()
    }
    assert blank["m1_arm_1"] == ""


@pytest.mark.parametrize(("name", "delimiter"), [("tab", "\t"), (";", ";"), ("|", "|"), ("^", "^"), ("", ",")])
def test_csv_delimiters(api: TestClient, name: str, delimiter: str) -> None:
    text = post(api, format="csv", csvDelimiter=name).text
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    assert rows[0][:2] == ["study_id", "redcap_event_name"] and len({len(row) for row in rows}) == 1
    assert rows[1][4] == "Núñez, Ana"


def test_other_delimiters_are_refused(api: TestClient) -> None:
    assert post(api, format="csv", csvDelimiter="#").status_code == 400


@pytest.mark.parametrize(
    ("bounds", "names"),
    [
        ({"dateRangeBegin": "2001-03-01 00:00:00"}, {"1"}),
        ({"dateRangeBegin": "2001-02-02 08:00:00", "dateRangeEnd": "2001-02-03 08:00:00"}, {"2", "10"}),
        ({"dateRangeEnd": "2001-01-31 00:00:00"}, {"1"}),
        ({"dateRangeBegin": "2002-01-01 00:00:00"}, set()),
    ],
)
def test_date_range_gives_whole_records_by_the_log(api: TestClient, bounds: dict[str, str], names: set[str]) -> None:
    assert {row["study_id"] for row in post(api, **bounds).json()} == names


@pytest.mark.parametrize(
    "given_parameter",
    [{"decimalCharacter": ";"}, {"combineCheckboxOptions": "true"}, {"type": "long"}],
)
def test_what_is_not_carried_out_is_refused(api: TestClient, given_parameter: dict[str, str]) -> None:
    answer = post(api, **given_parameter)
    assert answer.status_code == 400 and next(iter(given_parameter)) in answer.json()["error"]


@pytest.mark.parametrize(
    ("logic", "rows"),
    [
        ("[smoker] = '1'", [("1", "scr_arm_1")]),
        ("[twice] > 141", [("1", "unsched_arm_1")]),
        ("[scr_arm_1][pname] = 'Lee'", [("2", "scr_arm_1"), ("2", "m1_arm_1")]),
        ("[record-dag-name] = 'south' and [pname] <> 'Lee' and [pname] <> \"\"", [("10", "scr_arm_1")]),
        ("[ae_sev] = 1", [("1", "logs_arm_1")]),
        ("[smoker] = 'x'", []),
    ],
)
def test_logic_keeps_the_rows_that_it_is_true_of(api: TestClient, logic: str, rows: list[tuple[str, str]]) -> None:
    found = post(api, filterLogic=logic).json()
    assert [(row["study_id"], row["redcap_event_name"]) for row in found] == rows


@pytest.mark.parametrize("logic", ["[smoker] =", "[nope] = 1", "nope([smoker])"])
def test_logic_that_cannot_be_carried_out_is_refused(api: TestClient, logic: str) -> None:
    answer = post(api, filterLogic=logic)
    assert answer.status_code == 400 and "filter logic" in answer.json()["error"]


def test_numbers_with_another_decimal_character(api: TestClient) -> None:
    def weights(**more: str) -> list[str]:
        return [row["weight"] for row in post(api, fields="weight", **more).json()]

    assert (weights(), weights(decimalCharacter=".")) == (["70,5", "UNK", "71"], ["70.5", "UNK", "71"])


def test_unknown_parameters_are_ignored(api: TestClient) -> None:
    assert len(post(api, eventName="label", action="export", exportSurveyFields="True").json()) == 9


def test_a_user_in_a_group_sees_its_records_without_the_group_column(trial: SandboxProject) -> None:
    doctor = as_user(trial, "doctor")
    rows = post(doctor, exportDataAccessGroups="true").json()
    assert {row["study_id"] for row in rows} == {"2", "10"}
    assert "redcap_data_access_group" not in rows[0]
    assert [entry["record"] for entry in post(doctor, content="log").json()] == ["10", "2"]


def test_form_rights_take_columns_away(trial: SandboxProject) -> None:
    # demo is de-identified (2), vitals closed (0), ae without identifiers (3)
    reader = as_user(trial, "statistician")
    assert columns(post(reader)) == [
        *KEYS, "cb____9", "cb___aa", "cb___1002_5", "smoker", "demo_complete", "ae_term", "ae_sev", "ae_complete",
    ]  # fmt: skip
    assert len(post(reader, content="metadata").json()) == 11
    names = {row["original_field_name"] for row in post(reader, content="exportFieldNames").json()}
    assert "study_id" in names and not names & {"pname", "born", "story", "weight", "vitals_complete"}
    assert columns(post(reader, fields="study_id,pname,weight")) == KEYS


def test_record_names_that_are_identifiers_are_hashed(tmp_path: Path) -> None:
    classic = SandboxProject.read(write(tmp_path, CLASSIC))
    api = TestClient(create_app({TOKEN: classic.as_user("reader"), OTHER_TOKEN: classic}))
    hidden = [row["id"] for row in post(api).json()]
    assert len(set(hidden)) == 2 and all(len(name) == 32 for name in hidden)
    assert post(api, OTHER_TOKEN).json() == [
        {"id": "1", "height": "180", "agree": "1", "base_complete": "2"},
        {"id": "2", "height": "", "agree": "0", "base_complete": "0"},
    ]


def test_missing_data_code_on_a_checkbox_is_a_column_only_where_used(tmp_path: Path) -> None:
    head, body = RECORDS.split("\n", 1)
    lines = [f"{head.replace('cb___1002_5', 'cb___1002_5,cb___unk')}"]
    frame = read_csv(RECORDS.encode(), "records")
    frame.insert(list(frame).index("cb___1002_5") + 1, "cb___unk", ["1", *[""] * 8])
    write(tmp_path, {**LONGITUDINAL, "records_locked.csv": frame.to_csv(index=False)})
    api = TestClient(create_app({TOKEN: SandboxProject.read(tmp_path)}))
    assert columns(post(api, exportDataAccessGroups="1")) == lines[0].split(",") and body
    assert ("cb", "UNK") in {(row["field_name"], row["value"]) for row in post(api, type="eav").json()}


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=("Cs",)), max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5), st.sampled_from([",", ";", "\t", "|", "^"]))
def test_csv_round_trip(rows: list[tuple[str, str]], delimiter: str) -> None:
    frame = pd.DataFrame([("1", *row) for row in rows], columns=["id", "a", "b"], dtype="str")
    text = render_table(frame, "csv", delimiter=delimiter)
    back = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    assert back == [["id", "a", "b"], *[["1", *row] for row in rows]]
    pd.testing.assert_frame_equal(read_csv(text.encode(), "x"), frame)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(TEXT, st.sampled_from(["", "1", "2"]), st.booleans()), min_size=1, max_size=4))
def test_eav_holds_what_flat_holds(rows: list[tuple[str, str, bool]]) -> None:
    project = Project.from_payloads(
        {
            "project_info": {"is_longitudinal": "0"},
            "dictionary": [
                {"field_name": "id", "form_name": "f", "field_type": "text"},
                {"field_name": "t", "form_name": "f", "field_type": "notes"},
                {
                    "field_name": "r",
                    "form_name": "f",
                    "field_type": "radio",
                    "select_choices_or_calculations": "1, A|2, B",
                },
                {
                    "field_name": "c",
                    "form_name": "f",
                    "field_type": "checkbox",
                    "select_choices_or_calculations": "-1, X",
                },
            ],
        }
    )
    frame = pd.DataFrame(
        {
            "id": [str(number) for number in range(len(rows))],
            "t": [text for text, _, _ in rows],
            "r": [code for _, code, _ in rows],
            "c____1": np.where([ticked for _, _, ticked in rows], "1", "0"),
            "f_complete": "2",
        },
        dtype="str",
    )
    api = TestClient(create_app({TOKEN: SandboxProject(project, Records.from_frame(project, frame))}))
    found = {(row["record"], row["field_name"], row["value"]) for row in post(api, type="eav").json()}
    expected = set()
    for number, (text, code, ticked) in enumerate(rows):
        values = {"id": str(number), "t": text, "r": code, "c": "-1" if ticked else "", "f_complete": "2"}
        expected |= {(str(number), name, value) for name, value in values.items() if value}
    assert found == expected
