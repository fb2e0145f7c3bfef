from itertools import pairwise
from pathlib import Path

import pytest

from metadata.errors import StudyError
from metadata.yaml_source import complain, line_of, load

STUDY = """
study: {id: T}
standards: {sdtmig: "3.3", sdtm_ct: 2019-09-27}
cutoff: 2001-12-31
redcap: {}
visits: []
"""
NINEFOLD = "a: &a [x]\n" + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in pairwise("abcdefghij"))


def write(folder: Path, text: str) -> Path:
    path = folder / "a.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_keys_and_items_know_their_lines(tmp_path: Path) -> None:
    made = load(write(tmp_path, "one: 1\ntwo:\n  - a\n  - {b: 2}\n"))
    assert line_of(made, "two") == 2
    assert line_of(made["two"], 1) == 4
    assert str(complain(made["two"][1], "b", "no")) == f"{tmp_path}/a.yaml, line 4, key 'b': no"


def test_dates_stay_text_and_keys_are_text(tmp_path: Path) -> None:
    assert load(write(tmp_path, "cutoff: 2001-12-31\n1: x\n")) == {"cutoff": "2001-12-31", "1": "x"}


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="line 3, key 'a': the key is written twice"):
        load(write(tmp_path, "a: 1\nb: 2\na: 3\n"))


def test_bad_yaml_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"shown\.yaml, line 2: not valid YAML"):
        load(write(tmp_path, "a: [1\nb: 2\n"), "shown.yaml")


def test_no_python_object_is_ever_built(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="not valid YAML"):
        load(write(tmp_path, "a: !!python/object/apply:os.getcwd []\n"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (NINEFOLD, "the anchors of the file are repeated to more than 100,000 entries"),
        (NINEFOLD.replace("[", "{<<: [").replace("]", "]}").replace("[x]", "{x: 1}"), "the anchors of the file"),
        ("{a: &a [*a]}", "not valid YAML"),
        ("[" * 3000, "mappings and lists are nested more than 100 levels deep"),
        ("[" * 3000 + "]" * 3000, "mappings and lists are nested more than 100 levels deep"),
        ("- " * 3000 + "x", "mappings and lists are nested more than 100 levels deep"),
        ("{a: " * 101 + "}" * 101, "mappings and lists are nested more than 100 levels deep"),
        ("a: " + "9" * 5000, "a number or another value cannot be read"),
        ("\x00", "not valid YAML"),
    ],
)
def test_a_file_without_a_reasonable_end_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(StudyError, match=said):
        load(write(tmp_path, text))


def test_anchors_and_many_brackets_are_read(tmp_path: Path) -> None:
    made = load(write(tmp_path, "a: &a [x, y]\nb: [*a, *a]\nc: '" + "[" * 300 + "'\n"))
    assert made["b"] == [["x", "y"], ["x", "y"]] and len(made["c"]) == 300
