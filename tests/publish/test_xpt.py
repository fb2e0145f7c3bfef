"""Transport files: their bytes, what three independent readers find in them, and what is refused."""

from __future__ import annotations

import resource
import subprocess
import sys
from dataclasses import replace
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metadata.dataset import Dataset
from metadata.errors import OutsideError, StudyError
from publish import readback, stored_rows, xpt
from publish.xpt_layout import file_size
from tests.publish.examples import adverse_events, make
from tests.publish.transport_reader import read

DATE = date(2001, 12, 31)


def written(dataset: Dataset, folder: Path, standard: Any = "sdtm") -> Path:
    path = folder / f"{dataset.name.lower()}.xpt"
    xpt.write(dataset, path, DATE, standard)
    readback.verify(dataset, path, DATE)
    return path


def test_three_readers_find_what_was_written(tmp_path: Path) -> None:
    dataset = adverse_events()
    path = written(dataset, tmp_path)
    terms = ["Headache", "  leading blanks", "Nausea; mild"]

    own = read(path)
    assert (own.name, own.label) == ("AE", "Adverse Events")
    assert [row["AETERM"] for row in own.rows] == terms
    assert [row["AEDTC"] for row in own.rows] == ["1999-03", "", "1999-03-04"]
    assert [row["AEDY"] for row in own.rows] == [-1.0, None, 0.0]
    assert [row["AEVAL"] for row in own.rows] == [0.1, -118.625, 1e12]

    frame, metadata = pyreadstat.read_xport(str(path))
    assert metadata.table_name == "AE"
    assert metadata.column_names_to_labels["AEDTC"] == "Label of AEDTC"
    assert metadata.variable_storage_width["AETERM"] == 16
    assert frame["AETERM"].tolist() == terms
    assert frame["AEVAL"].tolist() == [0.1, -118.625, 1e12]

    with path.open("rb") as file:
        pandas = pd.read_sas(file, format="xport", encoding="ascii")
    assert pandas["AETERM"].tolist() == ["Headache", "  leading blanks", "Nausea; mild"]
    assert pandas["AEVAL"].tolist() == [0.1, -118.625, 1e12]
    assert pandas["AEDY"][0] == -1.0 and np.isnan(pandas["AEDY"][1])
    assert pandas["AEDY"][2] == pytest.approx(0.0, abs=1e-70)  # pandas reads 0 as 5.4e-79 (pandas-dev/pandas#50670)


def test_header_bytes_stand_where_the_layout_has_them(tmp_path: Path) -> None:
    dataset = make(
        "ADSL",
        {"USUBJID": ["A", "BCD"], "TRTSDT": [15000, 15001], "BMI": [21.5, 22.25]},
        label="Subject-Level Analysis Dataset",
        TRTSDT={"format": "DATE9."},
        BMI={"format": "8.2"},
    )
    path = written(dataset, tmp_path, "adam")
    content = path.read_bytes()
    assert content[:80] == b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!" + b"0" * 30 + b"  "
    assert content[408:416] == b"ADSL    "
    assert content[614:618] == b"0003"
    assert len(content) == 640 + 480 + 80 + 80  # 3 variables take 420 bytes, padded to 480; 2 rows of 19 fit one record
    found = read(path)
    assert found.times == ["31DEC01:00:00:00"] * 4
    assert [(item.name, item.kind, item.length, item.number, item.position) for item in found.variables] == [
        ("USUBJID", 2, 3, 1, 0),
        ("TRTSDT", 1, 8, 2, 3),
        ("BMI", 1, 8, 3, 11),
    ]
    assert [item.format for item in found.variables] == [("", 0, 0), ("DATE", 9, 0), ("", 8, 2)]


def test_time_of_day_is_written_and_the_clock_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "ae.xpt"
    xpt.write(adverse_events(), path, datetime(2026, 11, 2, 8, 3, 22), "sdtm")
    first = path.read_bytes()
    assert read(path).times == ["02NOV26:08:03:22"] * 4
    readback.verify(adverse_events(), path, datetime(2026, 11, 2, 8, 3, 22))
    xpt.write(adverse_events(), path, datetime(2026, 11, 2, 8, 3, 22), "sdtm")
    assert path.read_bytes() == first


def test_a_dataset_without_rows_keeps_its_declared_lengths(tmp_path: Path) -> None:
    dataset = make("CO", {"USUBJID": [], "COVAL": [], "COSEQ": np.array([])}, USUBJID={"length": 17})
    path = written(dataset, tmp_path)
    assert [(item.name, item.length) for item in read(path).variables] == [("USUBJID", 17), ("COVAL", 1), ("COSEQ", 8)]
    assert read(path).rows == []
    assert pyreadstat.read_xport(str(path))[0].shape == (0, 3)


def test_chunks_join_without_a_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"S-{index}" for index in range(23)]
    dataset = make("VS", {"USUBJID": names, "VSSEQ": list(range(23))}, keys=("USUBJID", "VSSEQ"))
    whole = written(dataset, tmp_path).read_bytes()
    monkeypatch.setattr(xpt, "CHUNK", 5)
    monkeypatch.setattr(stored_rows, "CHUNK", 6)
    assert written(dataset, tmp_path).read_bytes() == whole
    assert [row["USUBJID"] for row in read(tmp_path / "vs.xpt").rows] == names


def test_categories_are_written_as_their_texts(tmp_path: Path) -> None:
    plain = make("LB", {"LBTEST": ["Lymphocytes", "", "Leukocytes", ""], "LBSEQ": [1, 2, 3, 4]})
    frame = plain.frame.assign(
        LBTEST=pd.Categorical(plain.frame["LBTEST"], ["", "Leukocytes", "Lymphocytes", "x" * 300])
    )
    expected = written(plain, tmp_path).read_bytes()
    assert written(replace(plain, frame=frame), tmp_path).read_bytes() == expected


@pytest.mark.parametrize("size", [1, 7, 39, 40, 41, 79, 80, 81, 160, 200])
@pytest.mark.parametrize("rows", [1, 2, 3])
def test_padding_never_gives_nor_takes_a_row(tmp_path: Path, size: int, rows: int) -> None:
    dataset = make("XX", {"XXTERM": ["x" * size] * rows})
    path = written(dataset, tmp_path)
    assert path.stat().st_size == file_size(dataset.metadata, rows) == 640 + 160 + 80 + -(-rows * size // 80) * 80
    assert [row["XXTERM"] for row in read(path).rows] == ["x" * size] * rows
    assert len(pyreadstat.read_xport(str(path))[0]) == rows


TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=200).filter(
    lambda text: not text.endswith(" ")
)
NUMBER = st.one_of(
    st.just(float("nan")),
    st.just(0.0),
    st.floats(5.4e-79, 9e74),
    st.floats(-9e74, -5.4e-79),
    st.integers(-(2**53), 2**53),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(TEXT, NUMBER, TEXT), max_size=8))
def test_any_values_come_back(tmp_path: Path, rows: list[tuple[str, float, str]]) -> None:
    first, numbers, last = ([row[index] for row in rows] for index in range(3))
    dataset = make("ZZ", {"ZZONE": first, "ZZNUM": np.array(numbers, float), "ZZTWO": last})
    found = read(written(dataset, tmp_path)).rows
    assert [row["ZZONE"] for row in found] == first
    assert [row["ZZTWO"] for row in found] == last
    assert [row["ZZNUM"] for row in found] == [None if number != number else float(number) for number in numbers]


REFUSED_VALUES: dict[str, tuple[dict[str, Any], str]] = {
    "non-ASCII": (
        {"AETERM": ["Fine", "Mal\u00e9fice"]},
        r"AE AETERM, record USUBJID=B;AESEQ=2: .*U\+00E9 at position 4",
    ),
    "tab": ({"AETERM": ["Fine", "a\tb"]}, r"U\+0009 at position 2"),
    "line feed": ({"AETERM": ["Fine", "a\nb"]}, r"U\+000A"),
    "NUL": ({"AETERM": ["Fine", "a\0b"]}, r"U\+0000"),
    "delete": ({"AETERM": ["Fine", "\x7f"]}, r"U\+007F"),
    "trailing blank": ({"AETERM": ["Fine", "a "]}, r"record USUBJID=B;AESEQ=2: the text ends with a blank"),
    "blank only": ({"AETERM": ["Fine", " "]}, r"ends with a blank"),
    "infinite": (
        {"AEVAL": [1.0, float("inf")]},
        r"AE AEVAL, record USUBJID=B;AESEQ=2: the number is infinite, too large",
    ),
    "too large": ({"AEVAL": [1.0, -1e75]}, r"too large"),
    "too small": ({"AEVAL": [1.0, 1e-80]}, r"too small"),
    "null text": ({"AETERM": ["Fine", None]}, r"record USUBJID=B;AESEQ=2: the value is null"),
    "201 bytes": ({"AETERM": ["Fine", "x" * 201]}, r"AE AETERM: the length 201 is refused"),
}


@pytest.mark.parametrize("case", REFUSED_VALUES)
def test_values_the_format_cannot_keep_are_refused(tmp_path: Path, case: str) -> None:
    columns, sentence = REFUSED_VALUES[case]
    base = {"USUBJID": ["A", "B"], "AESEQ": [1, 2], "AETERM": ["One", "Two"], "AEVAL": [1.0, 2.0]}
    dataset = make("AE", {**base, **columns}, keys=("USUBJID", "AESEQ"))
    with pytest.raises(StudyError, match=sentence):
        xpt.write(dataset, tmp_path / "ae.xpt", DATE, "sdtm")
    assert list(tmp_path.iterdir()) == []


def test_a_text_longer_than_its_declared_length_is_refused_not_cut(tmp_path: Path) -> None:
    dataset = make("AE", {"USUBJID": ["A", "B"], "AETERM": ["ab", "abcde"]}, keys=("USUBJID",), AETERM={"length": 4})
    with pytest.raises(
        StudyError, match=r"AE AETERM, record USUBJID=B: the text takes 5 bytes, the variable 4; shorten"
    ):
        xpt.write(dataset, tmp_path / "ae.xpt", DATE, "sdtm")


REFUSED_METADATA: dict[str, tuple[dict[str, Any], str]] = {
    "lower-case name": ({"name": "ae"}, "dataset name 'ae' is refused"),
    "long name": ({"name": "AEVERYLON"}, "dataset name 'AEVERYLON' is refused"),
    "empty dataset label": ({"label": ""}, "AE: the label is empty"),
    "long dataset label": ({"label": "x" * 41}, "AE: the label .* has 41 characters; 40 are allowed"),
    "non-ASCII label": ({"label": "\u00c9v\u00e9nements"}, "not printable ASCII"),
    "lower-case variable": ({"columns": {"aeterm": ["a"]}}, "AE aeterm: the name is refused"),
    "digit first": ({"columns": {"1TERM": ["a"]}}, "AE 1TERM: the name is refused"),
    "underscore": ({"columns": {"AE_TERM": ["a"]}}, "AE AE_TERM: the name is refused"),
    "long variable": ({"columns": {"AETERMLNG": ["a"]}}, "AE AETERMLNG: the name is refused"),
    "no variable": ({"columns": {}}, "AE has no variables"),
    "empty label": ({"AETERM": {"label": " "}}, "AE AETERM: the label is empty"),
    "long label": ({"AETERM": {"label": "y" * 41}}, "AE AETERM: the label .* has 41"),
    "apostrophe": ({"AETERM": {"label": "Patient's Term"}}, "AE AETERM: .* a quote or bracket without its partner"),
    "bracket": ({"AETERM": {"label": "Term (verbatim"}}, "without its partner"),
    "crossed brackets": ({"AETERM": {"label": "Term ([a)]"}}, "without its partner"),
    "unresolved length": ({"resolved": False}, "AE AETERM: the length is not resolved"),
    "length 0": ({"AETERM": {"length": 0}, "resolved": False}, "AE AETERM: the length 0 is refused"),
    "SDTM format": ({"columns": {"AEDY": [1]}, "AEDY": {"format": "8.2"}}, "AE AEDY: .*SDTM variables have none"),
    "short number": ({"columns": {"AEDY": [1]}, "AEDY": {"length": 4}}, "AE AEDY: a number takes 8 bytes"),
}


@pytest.mark.parametrize("case", REFUSED_METADATA)
def test_metadata_the_agency_refuses_are_refused(tmp_path: Path, case: str) -> None:
    changes, sentence = REFUSED_METADATA[case]
    dataset = make(**{"name": "AE", "columns": {"AETERM": ["a"]}, **changes})
    with pytest.raises(StudyError, match=sentence):
        xpt.write(dataset, tmp_path / f"{dataset.name.lower()}.xpt", DATE, "sdtm")


def test_twice_the_same_name_is_refused(tmp_path: Path) -> None:
    once = make("AE", {"AETERM": ["a"]})
    metadata = once.metadata.with_variables(once.metadata.variables * 2)
    with pytest.raises(StudyError, match="AE AETERM: the name occurs more than once"):
        xpt.write(once.with_metadata(metadata), tmp_path / "ae.xpt", DATE, "sdtm")


def test_more_variables_than_four_digits_count_are_refused(tmp_path: Path) -> None:
    one = make("AE", {"AETERM": ["a"]}).metadata.variables[0]
    names = [f"V{index}" for index in range(10_000)]
    once = make("AE", {"AETERM": ["a"]})
    wide = once.metadata.with_variables(tuple(replace(one, name=name) for name in names))
    with pytest.raises(StudyError, match="AE has 10000 variables; the format counts to 9999"):
        xpt.write(once.with_metadata(wide), tmp_path / "ae.xpt", DATE, "sdtm")


@pytest.mark.parametrize("text", ["DATE9.", "DATETIME20.", "TIME5.", "E8601DA10.", "8.", "8.2"])
def test_analysis_variables_may_have_date_time_and_width_formats(tmp_path: Path, text: str) -> None:
    written(make("ADAE", {"ASTDT": [1.0]}, ASTDT={"format": text}), tmp_path, "adam")


@pytest.mark.parametrize(
    "text", ["$20.", "SEX.", "MYFMT8.", "date9.", "DATE9", "8", "DATE99.", "DATE4.", "33.2", "8.8", "TIME5.5", "0."]
)
def test_other_formats_are_refused(tmp_path: Path, text: str) -> None:
    dataset = make("ADAE", {"ASTDT": [1.0]}, ASTDT={"format": text})
    with pytest.raises(StudyError, match=r"ADAE ASTDT: the format .* is refused"):
        xpt.write(dataset, tmp_path / "adae.xpt", DATE, "adam")


def test_a_row_blank_in_every_variable_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="AE: row 2 is blank in every variable"):
        xpt.write(make("AE", {"AETERM": ["a", ""]}), tmp_path / "ae.xpt", DATE, "sdtm")


def test_a_missing_number_keeps_a_row_from_being_blank(tmp_path: Path) -> None:
    path = written(make("AE", {"AETERM": ["a", ""], "AEDY": [1, float("nan")]}), tmp_path)
    assert read(path).rows[1] == {"AETERM": "", "AEDY": None}


@pytest.mark.parametrize("values", [[True, False], ["1", "2"], [pd.Timestamp("2001-01-01")] * 2])
def test_a_number_variable_holds_numbers(tmp_path: Path, values: list[Any]) -> None:
    dataset = make("AE", {"AEDY": [1, 2]})
    with pytest.raises(StudyError, match="AE AEDY: a Num variable holds numbers, not"):
        xpt.write(replace(dataset, frame=pd.DataFrame({"AEDY": values})), tmp_path / "ae.xpt", DATE, "sdtm")


@pytest.mark.parametrize("values", [[1, 2], ["a", 1], [["a"], ["b"]]])
def test_a_text_variable_holds_texts(tmp_path: Path, values: list[Any]) -> None:
    dataset = make("AE", {"AETERM": ["a", "b"]})
    frame = pd.DataFrame({"AETERM": pd.Series(values, dtype=object)})
    with pytest.raises(StudyError, match="AE AETERM: a Char variable holds texts"):
        xpt.write(replace(dataset, frame=frame), tmp_path / "ae.xpt", DATE, "sdtm")


def test_columns_and_variables_must_agree(tmp_path: Path) -> None:
    dataset = adverse_events()
    with pytest.raises(StudyError, match=r"AE: the columns of the data .* differ: AEVAL"):
        xpt.write(replace(dataset, frame=dataset.frame.drop(columns="AEVAL")), tmp_path / "ae.xpt", DATE, "sdtm")
    turned = dataset.frame[dataset.frame.columns[::-1]]
    with pytest.raises(StudyError, match="differ by their order"):
        xpt.write(replace(dataset, frame=turned), tmp_path / "ae.xpt", DATE, "sdtm")


def test_the_file_has_the_name_of_the_dataset(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"AE belongs into a file ae\.xpt, not AE\.xpt"):
        xpt.write(adverse_events(), tmp_path / "AE.xpt", DATE, "sdtm")


@pytest.mark.parametrize("bounds", [[0, 3], [0, 1, 2, 3], [0, 0, 2, 3, 3]])
def test_batches_make_the_same_file(tmp_path: Path, bounds: list[int]) -> None:
    whole = adverse_events()
    cut = [replace(whole, frame=whole.frame.iloc[a:b]) for a, b in pairwise(bounds)]
    before = written(whole, tmp_path).read_bytes()
    assert xpt.write_batches(iter(cut), tmp_path / "ae.xpt", DATE, "sdtm") == 3
    assert (tmp_path / "ae.xpt").read_bytes() == before


def test_batches_of_other_metadata_are_refused(tmp_path: Path) -> None:
    whole = adverse_events()
    other = whole.with_metadata(replace(whole.metadata, label="Other Events"))
    with pytest.raises(StudyError, match="AE: a batch has other metadata than the first"):
        xpt.write_batches([whole, other], tmp_path / "ae.xpt", DATE, "sdtm")
    with pytest.raises(StudyError, match="there is nothing to write"):
        xpt.write_batches([], tmp_path / "ae.xpt", DATE, "sdtm")
    assert list(tmp_path.iterdir()) == []


def test_a_refused_dataset_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = written(adverse_events(), tmp_path)
    before = path.read_bytes()
    sound = adverse_events()
    bad = replace(sound, frame=sound.frame.assign(AETERM=["\u00e9"] * len(sound.frame)))
    with pytest.raises(StudyError):
        xpt.write(bad, path, DATE, "sdtm")
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["ae.xpt"]


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from datetime import date
from metadata.errors import OutsideError
from publish import xpt
from tests.publish.examples import make
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
try:
    xpt.write(make("AE", {"AETERM": ["x" * 200] * 100}), Path(sys.argv[1]), date(2001, 12, 31), "sdtm")
except OutsideError as error:
    sys.exit(f"{error.exit_code} {error}")
"""


def test_a_disk_that_takes_no_more_is_said_in_a_sentence(tmp_path: Path) -> None:
    assert resource.RLIMIT_FSIZE is not None
    path = tmp_path / "ae.xpt"
    path.write_bytes(b"old")
    run = subprocess.run([sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=False)
    assert run.stderr.startswith(f"3 cannot write {path}: ")
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["ae.xpt"]


def test_a_folder_that_is_not_there_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match=r"cannot write .*ae\.xpt: No such file"):
        xpt.write(adverse_events(), tmp_path / "none" / "ae.xpt", DATE, "sdtm")
