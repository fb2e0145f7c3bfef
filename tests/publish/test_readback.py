"""The read-back notices every difference between a dataset and its file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from metadata.dataset import Dataset
from metadata.errors import OutsideError, StudyError
from publish import readback, xpt
from publish.stored_rows import StoredRows
from tests.publish.examples import adverse_events, make
from tests.publish.transport_reader import read

DATE = date(2001, 12, 31)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    xpt.write(adverse_events(), tmp_path / "ae.xpt", DATE, "sdtm")
    return tmp_path / "ae.xpt"


def changed_cell(column: str, row: int, value: object) -> Dataset:
    dataset = adverse_events()
    frame = dataset.frame.copy()
    frame.loc[row, column] = value
    return replace(dataset, frame=frame)


VALUES = {
    "a text": ("AETERM", 0, "headache", r"AE AETERM, record USUBJID=S1-01;AESEQ=1: the value .* differs"),
    "an empty text": ("AEDTC", 1, "1999", r"AE AEDTC, record USUBJID=S1-01;AESEQ=2"),
    "a text now empty": ("AEDTC", 2, "", r"AE AEDTC, record USUBJID=S1-02;AESEQ=1"),
    "a number": ("AEVAL", 0, np.nextafter(0.1, 1), r"AE AEVAL, record USUBJID=S1-01;AESEQ=1"),
    "a missing number": ("AEDY", 1, 0.0, r"AE AEDY, record USUBJID=S1-01;AESEQ=2"),
    "a number now missing": ("AEDY", 2, np.nan, r"AE AEDY, record USUBJID=S1-02;AESEQ=1"),
}


@pytest.mark.parametrize("case", VALUES)
def test_a_different_value_is_noticed(path: Path, case: str) -> None:
    column, row, value, sentence = VALUES[case]
    with pytest.raises(StudyError, match=sentence):
        readback.verify(changed_cell(column, row, value), path, DATE)


def test_the_sentence_does_not_repeat_the_value(path: Path) -> None:
    with pytest.raises(StudyError) as caught:
        readback.verify(changed_cell("AETERM", 0, "private words"), path, DATE)
    assert "private" not in str(caught.value)
    assert "Headache" not in str(caught.value)


def overwrite(place: int, content: bytes) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(place)
            file.write(content)

    return change


HEADER = {
    "dataset name": (overwrite(408, b"AF"), "ae.xpt, dataset name: 'AE' was written and 'AF' reads back"),
    "dataset label": (overwrite(512, b"a"), "dataset label: .* and 'adverse Events' reads"),
    "variable name": (overwrite(640 + 8, b"STUDYIX"), "ae.xpt, variables: "),
    "variable label": (overwrite(640 + 16, b"l"), "STUDYID, label: .* and 'label of STUDYID' reads back"),
    "format": (overwrite(640 + 56, b"$CHAR"), "STUDYID, format: "),
    "library created": (overwrite(144, b"30"), "ae.xpt, times: "),
    "library modified": (overwrite(160, b"30"), "ae.xpt, times: "),
    "dataset created": (overwrite(464, b"30"), "ae.xpt, times: "),
    "dataset modified": (overwrite(480, b"30"), "ae.xpt, times: "),
    "cut short": (lambda path: path.write_bytes(path.read_bytes()[:-80]), "has 1920 bytes where 2000 were written"),
    "not a transport file": (overwrite(0, b"x" * 80), "cannot be read back"),
}


@pytest.mark.parametrize("case", HEADER)
def test_a_different_header_is_noticed(path: Path, case: str) -> None:
    change, sentence = HEADER[case]
    change(path)
    with pytest.raises(StudyError, match=sentence):
        readback.verify(adverse_events(), path, DATE)


def test_a_lost_row_is_noticed(path: Path) -> None:
    dataset = make("AE", {"AETERM": ["abc", "def"]})
    xpt.write(dataset, path, DATE, "sdtm")
    content = path.read_bytes()
    path.write_bytes(content[:-80] + b"abc".ljust(80))
    with pytest.raises(StudyError, match="reads back with 1 rows where 2 were written"):
        readback.verify(dataset, path, DATE)


def test_an_invented_row_is_noticed(path: Path) -> None:
    dataset = make("AE", {"AETERM": ["abc", "def"]})
    xpt.write(dataset, path, DATE, "sdtm")
    content = path.read_bytes()
    path.write_bytes(content[:-80] + b"abcdefghi".ljust(80))
    with pytest.raises(StudyError, match="reads back with 3 rows where 2 were written"):
        readback.verify(dataset, path, DATE)


def test_a_file_that_is_gone_is_said_in_a_sentence(path: Path) -> None:
    path.unlink()
    with pytest.raises(OutsideError, match=r"cannot read .*ae\.xpt"):
        readback.verify(adverse_events(), path, DATE)


def many_rows() -> Dataset:
    return make("VS", {"USUBJID": [f"S-{row}" for row in range(50)], "VSSEQ": list(range(50))}, keys=("USUBJID",))


@pytest.mark.parametrize(("whole", "read"), [(50, 50), (49, 12)])
def test_of_large_files_readstat_reads_a_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: int, read: int
) -> None:
    monkeypatch.setattr(readback, "WHOLE", whole)
    monkeypatch.setattr(readback, "SAMPLE", 12)
    xpt.write(many_rows(), tmp_path / "vs.xpt", DATE, "sdtm")
    assert readback.verify(many_rows(), tmp_path / "vs.xpt", DATE) == read


def test_the_sample_holds_the_first_and_the_last_row_as_they_are_stored(tmp_path: Path) -> None:
    xpt.write(many_rows(), tmp_path / "vs.xpt", DATE, "sdtm")
    (tmp_path / "excerpt.xpt").write_bytes(StoredRows(tmp_path / "vs.xpt").excerpt(np.array([0, 20, 49])))
    assert [(row["USUBJID"], row["VSSEQ"]) for row in read(tmp_path / "excerpt.xpt").rows] == [
        ("S-0", 0.0),
        ("S-20", 20.0),
        ("S-49", 49.0),
    ]


@pytest.mark.parametrize("case", HEADER)
def test_a_different_header_of_a_large_file_is_noticed(path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    monkeypatch.setattr(readback, "WHOLE", 2)
    monkeypatch.setattr(readback, "SAMPLE", 2)
    change, sentence = HEADER[case]
    change(path)
    with pytest.raises(StudyError, match=sentence):
        readback.verify(adverse_events(), path, DATE)


def test_every_row_is_compared_beyond_the_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readback, "WHOLE", 10)
    monkeypatch.setattr(readback, "SAMPLE", 2)
    dataset = many_rows()
    for row in range(50):
        frame = dataset.frame.copy()
        frame.loc[row, "VSSEQ"] = -1.0
        xpt.write(dataset, tmp_path / "vs.xpt", DATE, "sdtm")
        with pytest.raises(StudyError, match=f"VS VSSEQ, record USUBJID=S-{row}: the value .* differs"):
            readback.verify(replace(dataset, frame=frame), tmp_path / "vs.xpt", DATE)
