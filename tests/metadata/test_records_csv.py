"""Exports read part by part hold what they hold as a whole, and their mistakes have the same places."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata import records_csv
from metadata.errors import StudyError
from metadata.records_csv import read_csv, read_parts

CELL = st.one_of(
    st.sampled_from(["", "1", "two\nlines", 'say "no"', "a,b", "\r\n", "Núñez", '"', "\n\n"]), st.text('ab ,\n"é')
)
ROWS = st.lists(st.tuples(CELL, CELL), max_size=8)


def written(rows: list[tuple[str, ...]], end: str = "\n") -> bytes:
    doubled = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in [("id", "note"), *rows]]
    return (end.join(doubled) + end).encode()


def in_parts(path: Path) -> list[pd.DataFrame]:
    return [part.to_pandas().astype("str") for part in read_parts(path)]


@settings(max_examples=80, deadline=None)
@given(ROWS, st.integers(1, 40), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_parts_are_the_whole(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], size: int, end: str, marked: bool
) -> None:
    path = tmp_path_factory.mktemp("parts") / "records.csv"
    path.write_bytes((b"\xef\xbb\xbf" if marked else b"") + written(rows, end))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(records_csv, "PART", size)
        parts = in_parts(path)
    assert all(list(part) == ["id", "note"] for part in parts)
    assert [tuple(row) for part in parts for row in part.itertuples(index=False)] == rows
    assert len(parts) > 1 or len(written(rows)) <= size + 40 or len(rows) < 2


def test_a_quote_after_a_backslash_is_judged_by_the_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "records.csv"
    path.write_bytes(b'id,note\n1,"5\\" tall"\n2,plain\n3,"two\nlines"\n')
    monkeypatch.setattr(records_csv, "PART", 8)
    assert pd.concat(in_parts(path))["note"].tolist() == ['5\\" tall', "plain", "two\nlines"]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (b"9,a,b\n", "row 7 has 3 cells where the header has 2"),
        (b"9\n", "row 7 has 1 cells where the header has 2"),
        (b'9,"open\n', "a quoted cell is never closed"),
        (b"9,\xa0\n", "line 9: field 'note' of record '9' is not UTF-8 here"),
    ],
)
@pytest.mark.parametrize("size", [1, 30, 1 << 20])
def test_a_mistake_has_its_place_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: bytes, problem: str, size: int
) -> None:
    path = tmp_path / "records.csv"
    path.write_bytes(b'id,note\n1,a\n2,"two\nlines"\n3,c\n4,"\n"\n5,e\n' + row + b"7,g\n")
    monkeypatch.setattr(records_csv, "PART", size)
    with pytest.raises(StudyError, match=problem):
        in_parts(path)
    with pytest.raises(StudyError, match=problem):
        read_csv(path.read_bytes(), path)


def test_an_empty_file_has_no_part_and_a_header_alone_has_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "records.csv"
    path.write_bytes(b"\n\n")
    assert in_parts(path) == []
    path.write_bytes(b"id,note\n")
    assert [list(part) for part in in_parts(path)] == [["id", "note"]]
    path.write_bytes(b"id,id\n1,2\n")
    with pytest.raises(StudyError, match="the column 'id' is there twice"):
        in_parts(path)
