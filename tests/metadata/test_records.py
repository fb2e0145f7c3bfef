import pandas as pd
import pytest

from metadata.errors import StudyError
from metadata.project import Project
from metadata.records import Records
from metadata.records_csv import read_csv

DICTIONARY = [
    {"field_name": "id", "form_name": "visit", "field_type": "text"},
    {"field_name": "weight", "form_name": "visit", "field_type": "text"},
    {
        "field_name": "sign",
        "form_name": "visit",
        "field_type": "checkbox",
        "select_choices_or_calculations": "1, A | 2, B",
    },
    {"field_name": "term", "form_name": "event", "field_type": "text"},
]


@pytest.fixture
def project() -> Project:
    return Project.from_payloads(
        {
            "dictionary": DICTIONARY,
            "project_info": {"is_longitudinal": 1, "missing_data_codes": "UNK, Unknown | ND, Not done"},
            "events": [{"unique_event_name": "m1_arm_1"}, {"unique_event_name": "logs_arm_1"}],
            "form_event_mapping": [
                {"unique_event_name": "m1_arm_1", "form": "visit"},
                {"unique_event_name": "logs_arm_1", "form": "event"},
            ],
            "repeating": [{"event_name": "logs_arm_1", "form_name": "event", "custom_form_label": ""}],
        }
    )


def flat(**rows: list[str]) -> pd.DataFrame:
    blank = [""] * len(next(iter(rows.values())))
    columns = ["id", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"]
    columns += ["weight", "sign___1", "sign___2", "visit_complete", "term", "event_complete"]
    return pd.DataFrame({column: rows.get(column, blank) for column in columns}, dtype="str")


def test_structure_comes_from_mapping_and_repeating_setup(project: Project) -> None:
    assert project.longitudinal
    assert project.designated("m1_arm_1", "visit") and not project.designated("m1_arm_1", "event")
    assert project.repeats("logs_arm_1", "event") and not project.event_repeats("logs_arm_1")
    assert project.missing_codes == {"UNK": "Unknown", "ND": "Not done"}


def test_a_form_has_a_row_where_it_holds_a_stored_value(project: Project) -> None:
    frame = flat(
        id=["1", "1", "1", "2"],
        redcap_event_name=["m1_arm_1", "logs_arm_1", "logs_arm_1", "m1_arm_1"],
        redcap_repeat_instrument=["", "event", "event", ""],
        redcap_repeat_instance=["", "1", "2", ""],
        weight=["70", "", "", ""],
        sign___1=["0", "", "", "0"],
        sign___2=["0", "", "", "0"],
        visit_complete=["2", "", "", "0"],
        term=["", "Nausea", "Rash", ""],
        event_complete=["0", "0", "2", "0"],
    )
    records = Records.from_frame(project, frame)
    assert records.rows_of("visit").tolist() == [0]
    assert records.rows_of("event").tolist() == [1, 2]
    assert records.column("term").to_pylist() == ["", "Nausea", "Rash", ""]


def test_a_value_where_the_form_is_not_designated_is_not_lost(project: Project) -> None:
    frame = flat(id=["1"], redcap_event_name=["logs_arm_1"], weight=["70"])
    assert Records.from_frame(project, frame).rows_of("visit").tolist() == [0]


def test_a_value_on_the_row_of_another_repeating_form_is_none_of_the_form(project: Project) -> None:
    frame = flat(id=["1"], redcap_event_name=["logs_arm_1"], redcap_repeat_instrument=["event"], weight=["70"])
    assert Records.from_frame(project, frame).rows_of("visit").tolist() == []


def test_an_unknown_column_is_refused_with_the_nearest_name(project: Project) -> None:
    with pytest.raises(StudyError, match=r"column 'wieght'.*did you mean 'weight'"):
        Records.from_frame(project, flat(id=["1"]).assign(wieght="1"))


def test_blanks_are_empty_texts_never_missing(project: Project) -> None:
    frame = Records.from_frame(project, pd.DataFrame({"id": ["1"], "weight": [None]})).frame
    assert frame["weight"].tolist() == [""] and frame["redcap_event_name"].tolist() == [""]


def test_a_byte_of_another_encoding_is_named_and_can_be_settled() -> None:
    content = "id,weight,term\n1,70,caf\u00e9\n2,,".encode() + b"a\xa0b\n"
    with pytest.raises(StudyError, match=r"field 'term' of record '2' is not UTF-8 here \(byte 0xA0\).*encoding: wind"):
        read_csv(content, "records.csv")
    frame = read_csv(content, "records.csv", "windows-1252")
    assert frame["term"].tolist() == ["caf\u00e9", "a\u00a0b"]
    with pytest.raises(StudyError, match=r"record '2' is not UTF-8 and not windows-1252 here \(byte 0x81\)"):
        read_csv(content.replace(b"\xa0", b"\x81"), "records.csv", "windows-1252")


def test_missing_data_codes_add_columns_to_checkboxes_only() -> None:
    """-99 of field race is race____99, and 9.1 is race___9_1: what is neither letter nor digit becomes a low line."""
    race = {"field_name": "race", "form_name": "f", "field_type": "checkbox", "select_choices_or_calculations": "1, A"}
    info = {"missing_data_codes": "-99, Unknown | 9.1, Refused"}
    project = Project.from_payloads({"dictionary": [DICTIONARY[0], race], "project_info": info})
    assert project.missing_code_columns == {"race____99": "race", "race___9_1": "race"}
    frame = pd.DataFrame({"id": ["1"], "race___1": ["0"], "race____99": ["1"], "race___9_1": ["0"]})
    assert Records.from_frame(project, frame).frame["race____99"].tolist() == ["1"]
    with pytest.raises(StudyError, match="column 'id____99'"):
        Records.from_frame(project, frame.assign(id____99="1"))


def test_survey_columns_are_taken(project: Project) -> None:
    answered = {"redcap_survey_identifier": ["a"], "visit_timestamp": ["2001-01-01 10:00"]}
    frame = pd.DataFrame({"id": ["1"], **answered, "event_timestamp": ["[not completed]"]})
    taken = Records.from_frame(project, frame).frame
    assert taken["visit_timestamp"].tolist() == ["2001-01-01 10:00"]
    with pytest.raises(StudyError, match="column 'other_timestamp'"):
        Records.from_frame(project, frame.assign(other_timestamp=""))
