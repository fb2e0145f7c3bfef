import pandas as pd
import pytest

from metadata.errors import StudyError
from metadata.project import Project
from metadata.records import Records

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
