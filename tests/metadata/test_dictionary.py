from pathlib import Path

import pytest

from metadata.dictionary import Dictionary, Field, checkbox_column, parse_choices
from metadata.errors import StudyError


@pytest.mark.parametrize(
    ("code", "column"),
    [("1", "f___1"), ("-9", "f____9"), ("Aa", "f___aa"), ("1002-5", "f___1002_5"), ("0", "f___0")],
)
def test_checkbox_columns_follow_redcaps_rule(code: str, column: str) -> None:
    assert checkbox_column("f", code) == column


def test_choice_labels_keep_their_commas() -> None:
    assert parse_choices("1, Yes, often | 0, No|-9, <b>Unknown</b>") == {
        "1": "Yes, often",
        "0": "No",
        "-9": "<b>Unknown</b>",
    }


def test_yesno_and_truefalse_have_redcaps_choices() -> None:
    assert Field("a", "f", field_type="yesno").choices == {"1": "Yes", "0": "No"}
    assert Field("a", "f", field_type="truefalse").choices == {"1": "True", "0": "False"}


def test_columns_of_an_export() -> None:
    dictionary = Dictionary(
        [
            Field("id", "start"),
            Field("note", "start", field_type="descriptive"),
            Field("race", "start", field_type="checkbox", select_choices_or_calculations="1, A | 2, B"),
            Field("age", "start", text_validation_type_or_show_slider_number="integer"),
        ]
    )
    assert dictionary.record_id == "id"
    assert dictionary.export_columns("start") == ["race___1", "race___2", "age", "start_complete"]
    assert dictionary.column_field["race___2"] == "race"


def test_dictionary_downloaded_from_the_user_interface(tmp_path: Path) -> None:
    path = tmp_path / "dictionary.csv"
    header = '"Variable / Field Name";"Form Name";"Field Type";"Required Field?";"Field Annotation"\r\n'
    path.write_bytes(b"\xef\xbb\xbf" + (header + "id;one;text;;\r\nage;one;text;y;@NOMISSING @HIDDEN\r\n").encode())
    age = Dictionary.read_csv(path).field("age")
    assert age.is_required and age.no_missing and age.form == "one"


def test_a_field_that_stands_twice_is_refused() -> None:
    with pytest.raises(StudyError, match=r"field 'a' is defined twice"):
        Dictionary([Field("a", "f"), Field("a", "f")])


def test_an_unknown_field_gets_the_nearest_name() -> None:
    with pytest.raises(StudyError, match=r"no field 'wieght' \(did you mean 'weight'\?\)"):
        Dictionary([Field("weight", "f")]).field("wieght")


def test_bytes_that_are_not_utf8_name_their_line(tmp_path: Path) -> None:
    path = tmp_path / "dictionary.csv"
    path.write_bytes(b"field_name,form_name\nid,one\nM\xa0laga,one\n")
    with pytest.raises(StudyError, match=r"line 3: the file is not UTF-8"):
        Dictionary.read_csv(path)


def test_a_line_with_a_cell_too_few_is_named(tmp_path: Path) -> None:
    path = tmp_path / "dictionary.csv"
    path.write_text("field_name,form_name,field_type\nid,one,text\nage,one\n")
    with pytest.raises(StudyError, match=r"line 3: .*number of cells"):
        Dictionary.read_csv(path)
