from pathlib import Path

import pytest

from metadata.errors import StudyError
from metadata.yaml_source import complain, line_of, load


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
    with pytest.raises(StudyError, match="line 3, key 'a': the key stands twice"):
        load(write(tmp_path, "a: 1\nb: 2\na: 3\n"))


def test_bad_yaml_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"shown\.yaml, line 2: not valid YAML"):
        load(write(tmp_path, "a: [1\nb: 2\n"), "shown.yaml")


def test_no_python_object_is_ever_built(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="not valid YAML"):
        load(write(tmp_path, "a: !!python/object/apply:os.getcwd []\n"))
