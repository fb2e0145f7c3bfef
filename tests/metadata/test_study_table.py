"""Tables of a study and the files of its structure: what is no table, and columns that are missing or misspelt."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metadata.coding_file import read_codes
from metadata.errors import StudyError
from metadata.project import Project
from metadata.study import Study
from metadata.study_table import read_table
from metadata.yaml_source import LocatedDict
from tests.metadata.test_yaml_source import STUDY

HEAD = b"reported,AEDECOD\n"


def codes(folder: Path, content: bytes, column: str = "AEDECOD") -> dict[str, str]:
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    (folder / "ae.csv").write_bytes(content)
    spec = LocatedDict(file="ae.csv", column=column)
    spec.file, spec.line, spec.lines = "trial/sdtm/ae.yaml", 7, {}
    return read_codes(Study(folder), spec)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (HEAD + b"Headache\n", "line 2: the line has another number of cells (1) than the header (2)"),
        (HEAD + b"Headache,HEADACHE,x\n", "line 2: the line has another number of cells (3) than the header (2)"),
        (HEAD + "Náusea,NAUSEA\n".encode("latin-1"), "line 2: the file is not UTF-8 here"),
        ("reported,AEDECOD\n".encode("utf-16"), "line 1: the file is not UTF-8 here"),
        (HEAD + b"q" * 140_000 + b",X\n", "a cell has more than 131,072 characters"),
        (HEAD + b"Headache,HEADACHE\nheadache ,MIGRAINE\n", "line 3, key 'reported': the term 'headache ' is coded on"),
        (HEAD + b" ,HEADACHE\n", "line 2, key 'reported': the row has no term to code"),
        (b"reported,AEDECOD,AEDECOD\n", "the column 'AEDECOD' is named twice in the header"),
        (b"reported,AEDECD\n", "the coding file has no column 'AEDECOD' (did you mean 'AEDECD'?)"),
    ],
)
def test_a_coding_file_that_is_no_table_of_codes_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(StudyError) as caught:
        codes(tmp_path, content)
    assert said in str(caught.value)


def test_codes_are_found_by_term_whatever_its_case(tmp_path: Path) -> None:
    assert codes(tmp_path, HEAD + b"Headache , HEADACHE\nPain,\n") == {"HEADACHE": "HEADACHE", "PAIN": ""}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.text("ab \u00e9", max_size=3), st.text("xy", max_size=2)), max_size=5))
def test_every_row_of_a_table_is_kept(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]) -> None:
    path = tmp_path_factory.mktemp("table") / "table.csv"
    path.write_text("one;two\n" + "".join(f"{one};{two}\n" for one, two in rows), encoding="utf-8-sig")
    found = read_table(path, "table.csv")
    assert [(row["one"], row["two"]) for row in found.rows] == rows
    assert [row.line for row in found.rows] == [number + 2 for number in range(len(rows))]


def test_columns_that_are_missing_or_unknown_are_named_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "norms.csv").write_text("test,average,sdd\n")
    table = read_table(tmp_path / "norms.csv", "trial/norms.csv")
    with pytest.raises(StudyError) as caught:
        table.check_columns(["test", "mean", "sd"])
    assert sorted(str(error) for error in caught.value.each) == [
        "trial/norms.csv, line 1: the column 'mean' is missing",
        "trial/norms.csv, line 1: unknown column 'average'; the columns are test, mean, sd",
        "trial/norms.csv, line 1: unknown column 'sdd' (did you mean 'sd'?)",
    ]


FILES = {
    "project_info.csv": "project_id,is_longitudinal\n1,1\n",
    "dictionary.csv": "field_name,form_name,field_type\nid,one,text\n",
    "events.csv": "event_name,unique_event_name\nStart,start_arm_1\n",
    "form_event_mapping.csv": "arm_num,unique_event_name,form\n1,start_arm_1,one\n",
    "repeating.csv": "event_name,form_name,custom_form_label\nstart_arm_1,one,\n",
}


MISSING = "line 1: the column '{}' is missing"
UNKNOWN = "line 1: unknown column '{}' (did you mean '{}'?)"


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("project_info.csv", "project_id,is_longitudinal\n", "the file has no row"),
        ("project_info.csv", "project_id,is_longitudinal\n1,1\n2,0\n", "the file has more than one row"),
        ("project_info.csv", "project_id\n1\n", MISSING.format("is_longitudinal")),
        ("project_info.csv", "project_id,is_longitudnal\n1,1\n", UNKNOWN.format("is_longitudnal", "is_longitudinal")),
        ("events.csv", "event_name,arm_num\nStart,1\n", MISSING.format("unique_event_name")),
        ("events.csv", FILES["events.csv"] + "Again,start_arm_1\n", "the event 'start_arm_1' is in two rows"),
        ("form_event_mapping.csv", "arm_num,form\n1,one\n", MISSING.format("unique_event_name")),
        ("form_event_mapping.csv", "unique_event_name\nstart_arm_1\n", MISSING.format("form")),
        ("repeating.csv", "event_name,form_nme\nstart_arm_1,one\n", UNKNOWN.format("form_nme", "form_name")),
        ("dictionary.csv", "field_name,form_name\nid,one\n", MISSING.format("field_type")),
        ("dictionary.csv", "field_name,form_name,field_typ\nid,one,text\n", UNKNOWN.format("field_typ", "field_type")),
        ("dictionary.csv", f"{FILES['dictionary.csv']}x,{'x' * 140_000},text\n", "a cell has more than 131,072"),
    ],
)
def test_a_structure_file_without_its_columns_is_refused(tmp_path: Path, file: str, content: str, said: str) -> None:
    for name, usual in {**FILES, file: content}.items():
        (tmp_path / name).write_text(usual, encoding="utf-8")
    with pytest.raises(StudyError) as caught:
        Project.read(tmp_path, shown="trial/redcap")
    assert said in str(caught.value) and str(caught.value).startswith(f"trial/redcap/{file}")


def test_columns_that_a_later_version_of_redcap_adds_are_passed_over(tmp_path: Path) -> None:
    for name, usual in {**FILES, "events.csv": "unique_event_name,is_locked\nstart_arm_1,0\n"}.items():
        (tmp_path / name).write_text(usual, encoding="utf-8")
    project = Project.read(tmp_path)
    assert project.event_names == ["start_arm_1"] and project.repeats("start_arm_1", "one")
    assert project.events[0]["event_name"] == "start_arm_1"
