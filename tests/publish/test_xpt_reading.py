"""The public reader of transport files: what a writer wrote, what others write, and files that are none."""

from __future__ import annotations

import struct
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from metadata.errors import UsageError
from publish import xpt
from tests.publish.examples import adverse_events, make

DATE = date(2001, 12, 31)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    xpt.write(adverse_events(), tmp_path / "ae.xpt", DATE, "sdtm")
    return tmp_path / "ae.xpt"


def test_header_and_rows_are_those_that_were_written(path: Path) -> None:
    read = xpt.read(path)
    assert (read.name, read.label, read.rows, read.created) == ("AE", "Adverse Events", 3, "31DEC01:00:00:00")
    described = [(one.name, one.type, one.length, one.label) for one in read.variables]
    assert described[:4] == [
        ("STUDYID", "Char", 2, "Label of STUDYID"),
        ("USUBJID", "Char", 5, "Label of USUBJID"),
        ("AESEQ", "Num", 8, "Label of AESEQ"),
        ("AETERM", "Char", 16, "Label of AETERM"),
    ]
    frame = read.frame()
    assert frame["AETERM"].tolist() == ["Headache", "  leading blanks", "Nausea; mild"]
    assert frame["AEDTC"].tolist() == ["1999-03", "", "1999-03-04"]
    assert frame["AEVAL"].tolist() == [0.1, -118.625, 1e12] and np.isnan(frame["AEDY"].iloc[1])


def test_rows_come_in_batches(path: Path) -> None:
    batches = list(xpt.read(path).batches(2))
    assert [(one.start, one.size) for one in batches] == [(0, 2), (2, 1)]
    assert np.concatenate([one.columns["AESEQ"] for one in batches]).tolist() == [1.0, 2.0, 1.0]


def test_formats_and_an_empty_dataset(tmp_path: Path) -> None:
    made = make("ADAE", {"ASTDT": [1.0], "BMI": [2.5]}, ASTDT={"format": "DATE9."}, BMI={"format": "8.2"})
    xpt.write(made, tmp_path / "adae.xpt", DATE, "adam")
    assert [one.format for one in xpt.read(tmp_path / "adae.xpt").variables] == ["DATE9.", "8.2"]
    xpt.write(make("CO", {"COVAL": []}), tmp_path / "co.xpt", DATE, "sdtm")
    assert (xpt.read(tmp_path / "co.xpt").rows, len(xpt.read(tmp_path / "co.xpt").frame())) == (0, 0)


def test_special_missing_values_are_kept_apart(tmp_path: Path) -> None:
    xpt.write(
        make("VS", {"VSVAL": [float("nan"), float("nan"), float("nan"), 0.0, 1.0]}), tmp_path / "vs.xpt", DATE, "sdtm"
    )
    content = bytearray((tmp_path / "vs.xpt").read_bytes())
    start = 640 + 160 + 80
    content[start], content[start + 8] = ord("A"), ord("_")
    (tmp_path / "vs.xpt").write_bytes(content)
    read = xpt.read(tmp_path / "vs.xpt")
    (batch,) = read.batches()
    assert bytes(batch.missing["VSVAL"]) == b"A_.\0\0"
    assert np.isnan(read.frame()["VSVAL"]).tolist() == [True, True, True, False, False]
    assert {name: rows.tolist() for name, rows in read.special_missing()["VSVAL"].items()} == {".A": [0], "._": [1]}


def test_numbers_of_fewer_bytes_lack_the_end_of_their_mantissa() -> None:
    from publish.xpt_reading import numbers

    stored = np.frombuffer(b"\x41\x10\x00" + b"\xc2\x76\xa0" + b"\x2e\x00\x00", np.uint8).reshape(3, 3)
    values, missing = numbers(stored)
    assert values[:2].tolist() == [1.0, -118.625] and np.isnan(values[2]) and missing.tolist() == [0, 0, 0x2E]


def test_bytes_that_are_no_ascii_are_read_as_utf_8_or_latin_1(tmp_path: Path) -> None:
    xpt.write(make("AE", {"AETERM": ["Xxxx", "Yyyy"]}), tmp_path / "ae.xpt", DATE, "sdtm")
    content = (tmp_path / "ae.xpt").read_bytes()
    content = content.replace(b"Xxxx", "Xéx".encode()).replace(b"Yyyy", "Yéy ".encode("latin-1"))
    (tmp_path / "ae.xpt").write_bytes(content)
    assert xpt.read(tmp_path / "ae.xpt").frame()["AETERM"].tolist() == ["Xéx", "Yéy"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda content: b"no header", "does not begin with the header of a library"),
        (lambda content: content.replace(b"LIBRARY", b"LIBV8  "), "one of version 8"),
        (lambda content: content[:-40], "cut off"),
        (lambda content: content[:700], "cut off|not followed"),
        (lambda content: content.replace(b"00000000070000", b"00000000000000"), "number of variables"),
        (lambda content: content + content[240:], "several datasets"),
        (lambda content: content[:640] + struct.pack(">h", 3) + content[642:], "described as type 3"),
        (lambda content: content[:724] + struct.pack(">l", 7) + content[728:], "begins at byte 7"),
    ],
)
def test_other_files_are_refused_in_a_sentence(path: Path, change: object, why: str) -> None:
    path.write_bytes(change(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(UsageError, match=why):
        xpt.read(path)
