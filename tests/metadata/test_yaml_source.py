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
        ("\x00", "the character U\\+0000"),
    ],
)
def test_a_file_without_a_reasonable_end_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(StudyError, match=said):
        load(write(tmp_path, text))


def test_anchors_and_many_brackets_are_read(tmp_path: Path) -> None:
    made = load(write(tmp_path, "a: &a [x, y]\nb: [*a, *a]\nc: '" + "[" * 300 + "'\n"))
    assert made["b"] == [["x", "y"], ["x", "y"]] and len(made["c"]) == 300


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (b"\xef\xbb\xbfa: 1\n", {"a": 1}),
        (b"a: 1\r\nb: x\r\n", {"a": 1, "b": "x"}),
        (b"a:\t1\n", {"a": 1}),
        (b"a: 2001-12-31\nb: 08\nc: 0.5\n", {"a": "2001-12-31", "b": "08", "c": 0.5}),
        (b"a: yes\nb: 'no'\nc: n\n", {"a": True, "b": "no", "c": "n"}),
        (b"x: &x {a: 1, c: 3}\ny:\n  <<: *x\n  a: 2\n", {"x": {"a": 1, "c": 3}, "y": {"a": 2, "c": 3}}),
        (b"", None),
    ],
)
def test_what_is_read_as_it_is_meant(tmp_path: Path, text: bytes, meant: object) -> None:
    (tmp_path / "a.yaml").write_bytes(text)
    assert load(tmp_path / "a.yaml") == meant


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"a:\n\tb: 1\n", "line 2: not valid YAML: a tab indents the line"),
        (b"a: 1\nb: x\x00y\n", "line 2: the line holds the character U\\+0000"),
        ("a: 1\n".encode("utf-16"), "the file is not UTF-8: save it as UTF-8"),
        ("a: 1\n".encode("utf-16-le"), "the file is UTF-16: save it as UTF-8"),
        (b"a: caf\xe9\n", "the file is not UTF-8"),
        (b"a: 1\nb: 010\n", "line 2: 010 would be read as the number 8: write it in quotes"),
        (b"b: {01: x}\n", "line 1: 01 would be read as the number 1"),
        (b"a: 0x1F\n", "0x1F would be read as the number 31"),
        (b"a: 1_000\n", "1_000 would be read as the number 1000"),
        (b"a: 12:30:45\n", "12:30:45 would be read as the number 45045"),
        (b"yes: 1\n", "line 1: the key yes means true: write it in quotes"),
        (b"a: 1\n'a': 2\n", "line 2, key 'a': the key is written twice"),
        (b"a: 1\n---\nb: 2\n", "line 2: not valid YAML"),
        (b"~: 1\n", "line 1: a key must be a text"),
        (b"a: !!binary aGk=\n", "line 1: binary cannot be used in a declaration"),
        (b"a: !!set {x, y}\n", "line 1: set cannot be used in a declaration"),
        (b"a: &a [*a]\n", "line 1: not valid YAML"),
        (b"y:\n  <<: 3\n", "line 2: not valid YAML"),
    ],
)
def test_what_would_be_read_as_something_else_is_refused(tmp_path: Path, text: bytes, said: str) -> None:
    (tmp_path / "a.yaml").write_bytes(text)
    with pytest.raises(StudyError, match=said):
        load(tmp_path / "a.yaml")
