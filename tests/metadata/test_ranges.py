"""Reference ranges by laboratory, sex, age and date."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from metadata.errors import StudyError
from metadata.ranges import chosen, read_ranges

HEAD = "laboratory,test,sex,age_from,age_to,valid_from,valid_to,unit,low,high\n"


def table(folder: Path, *rows: str) -> Path:
    path = folder / "ranges.csv"
    path.write_text(HEAD + "\n".join(rows) + "\n")
    return path


def pick(path: Path, laboratory: str, sex: str, age: float, day: str) -> int:
    rows = read_ranges(path)["HGB"]
    samples = [
        np.array([laboratory], object),
        np.array([sex], object),
        np.array([age]),
        np.array([day], "datetime64[D]"),
    ]
    return int(chosen(rows, *samples)[0])


def test_the_range_is_that_of_laboratory_sex_age_and_date(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "A,HGB,F,18,64,,1999-12-31,g/L,120,160",
        "A,HGB,F,18,64,2000-01-01,,g/L,118,158",
        "A,HGB,F,65,,,,g/L,110,155",
        "B,HGB,,,,,,g/dL,12,17",
    )
    assert pick(path, "A", "F", 64, "1999-12-31") == 0
    assert pick(path, "A", "F", 18, "2000-01-01") == 1
    assert pick(path, "A", "F", 65, "1999-01-01") == 2
    assert pick(path, "B", "M", np.nan, "NaT") == 3
    assert pick(path, "A", "M", 40, "1999-01-01") == -1
    assert pick(path, "A", "F", np.nan, "1999-01-01") == -1
    assert pick(path, "A", "F", 40, "NaT") == -1


def test_rows_that_one_sample_could_meet_are_refused(tmp_path: Path) -> None:
    path = table(tmp_path, "A,HGB,F,18,64,,,g/L,120,160", "A,HGB,,60,80,,,g/L,118,158")
    with pytest.raises(StudyError, match="line 3, key 'HGB': the range overlaps the one on line 2"):
        read_ranges(path)


def test_an_unreadable_number_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="line 2"):
        read_ranges(table(tmp_path, "A,HGB,F,18,64,,,g/L,12O,160"))


def test_a_wrong_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ranges.csv"
    path.write_text("lab,test\n")
    with pytest.raises(StudyError, match="unknown column 'lab'"):
        read_ranges(path)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("A,HGB,F,18,64,,,g/L,160,120", "line 2, key 'low': low 160 is above high 120"),
        ("A,HGB,F,-5,18,,,g/L,120,160", "line 2, key 'age_from': an age is 0 or more, not -5"),
        ("A,HGB,F,64,18,,,g/L,120,160", "line 2, key 'age_from': age_from 64 is above age_to 18"),
        ("A,HGB,F,,,2001-01-01,2000-01-01,g/L,120,160", "valid_from 2001-01-01 is above valid_to 2000-01-01"),
        ("A,HGB,F,,,2001-13-01,,g/L,120,160", "'2001-13-01' is not a date of the calendar"),
        ("A,HGB,F,,,2001,,g/L,120,160", "'2001' is not a date of the calendar"),
        ("A,HGB,F,,,,,g/L,nan,160", "'nan' is not a number"),
        ("A,HGB,F,,,,,g/L,120,inf", "'inf' is not a number"),
        ("A,HGB,F,,,,,g/L,1_2,160", "'1_2' is not a number"),
        ("A,HGB,F,,,,,g/L,\u0661\u0662,160", "is not a number"),
        ("A,HGB,F,,,,,g/L,1.2e1,160", "'1.2e1' is not a number"),
        ("A,HGB,F,,,,,g/L,,", "the range has neither a low nor a high limit"),
        ("A,HGB,F,,,,,g/L,120", "line 2: the line has another number of cells"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused(tmp_path: Path, row: str, said: str) -> None:
    with pytest.raises(StudyError, match=said):
        read_ranges(table(tmp_path, row))
