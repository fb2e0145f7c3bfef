"""Dataset-JSON is equal to the transport file value for value, and says of itself what define.xml says."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft201909Validator

from metadata.dataset import Dataset
from metadata.errors import StudyError
from metadata.study_declaration import JsonForm
from publish import dataset_json
from publish.comparison import Tolerances, compare
from publish.comparison_tables import read_table
from publish.dataset_json import SCHEMA, DefinedGroup, write
from tests.publish.examples import adverse_events, make

DEFINE = "../define.xml"


def group(dataset: Dataset, **types: str) -> DefinedGroup:
    keys = dataset.metadata.keys
    items = {
        one.name: (
            f"IT.{dataset.name}.{one.name}",
            types.get(one.name, "text" if one.type == "Char" else "float"),
            keys.index(one.name) + 1 if one.name in keys else 0,
        )
        for one in dataset.metadata.variables
    }
    return DefinedGroup("STDY.S1", "MDV.S1", f"IG.{dataset.name}", items)


def written(dataset: Dataset, folder: Path, **types: str) -> dict[str, Path]:
    paths = write(dataset, group(dataset, **types), folder, "2001-12-31", DEFINE)
    return {path.suffix: path for path in paths}


def test_what_a_file_says_of_itself(tmp_path: Path) -> None:
    path = written(adverse_events(), tmp_path, AESEQ="integer", AEDTC="partialDate")[".json"]
    content = json.loads(path.read_text())
    assert content["rows"] == [
        ["S1", "S1-01", 1, "Headache", "1999-03", -1.0, 0.1],
        ["S1", "S1-01", 2, "  leading blanks", "", None, -118.625],
        ["S1", "S1-02", 1, "Nausea; mild", "1999-03-04", 0.0, 1e12],
    ]
    assert (content["records"], content["itemGroupOID"], content["metaDataRef"]) == (3, "IG.AE", DEFINE)
    assert (content["studyOID"], content["metaDataVersionOID"], content["name"]) == ("STDY.S1", "MDV.S1", "AE")
    described = {one["name"]: one for one in content["columns"]}
    assert [one["itemOID"] for one in content["columns"]][:2] == ["IT.AE.STUDYID", "IT.AE.USUBJID"]
    assert {name: one.get("keySequence") for name, one in described.items() if "keySequence" in one} == {
        "STUDYID": 1, "USUBJID": 2, "AESEQ": 3,
    }  # fmt: skip
    assert [one["dataType"] for one in content["columns"]] == [
        "string",
        "string",
        "integer",
        *["string"] * 2,
        *["float"] * 2,
    ]
    assert described["AETERM"]["length"] == 16


def test_the_three_forms_hold_the_same(tmp_path: Path) -> None:
    forms = written(adverse_events(), tmp_path)
    assert list(forms) == [".json", ".ndjson", ".dsjc"]
    assert gzip.decompress(forms[".dsjc"].read_bytes()) == forms[".ndjson"].read_bytes()
    plain = json.loads(forms[".json"].read_text())
    about, *rows = map(json.loads, forms[".ndjson"].read_text().splitlines())
    assert {**about, "rows": rows} == plain
    Draft201909Validator(json.loads(SCHEMA.read_text())).validate(plain)
    Draft201909Validator(json.loads(SCHEMA.with_name("dataset-ndjson-schema.json").read_text())).validate(about)


def test_an_independent_model_reads_it(tmp_path: Path) -> None:
    from odmlib.dataset_json_1_1.model import Column, DatasetJSON

    content = json.loads(written(adverse_events(), tmp_path)[".json"].read_text())
    assert {column["dataType"] for column in content["columns"]} <= set(Column.dataType.valid_values)
    assert DatasetJSON is not None


def test_the_same_dataset_gives_the_same_bytes(tmp_path: Path) -> None:
    contents = []
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        contents.append([path.read_bytes() for path in written(adverse_events(), tmp_path / place).values()])
    assert contents[0] == contents[1]


def test_no_rows(tmp_path: Path) -> None:
    empty = make("DV", {"USUBJID": []}, keys=("USUBJID",))
    for path in written(empty, tmp_path).values():
        assert len(read_table(path).frame) == 0


def test_dates_that_are_numbers_are_dates(tmp_path: Path) -> None:
    dataset = make(
        "ADSL",
        {"TRTSDT": [14975.0, math.nan, -1.0], "ADTM": [0.0, 86399.5, math.nan], "ATM": [3661.0, 0.0, 86399.0]},
        TRTSDT={"format": "DATE9."}, ADTM={"format": "DATETIME20."}, ATM={"format": "TIME8."},
    )  # fmt: skip
    content = json.loads(written(dataset, tmp_path, TRTSDT="integer")[".json"].read_text())
    assert [row[0] for row in content["rows"]] == ["2000-12-31", None, "1959-12-31"]
    assert content["rows"][0][2] == "01:01:01"
    assert content["rows"][1][1].startswith("1960-01-01T23:59:59.5")
    first = content["columns"][0]
    assert (first["dataType"], first["targetDataType"], first["displayFormat"]) == ("date", "integer", "DATE9.")


def test_a_number_that_is_no_whole_day_stays_a_number(tmp_path: Path) -> None:
    dataset = make("ADSL", {"TRTSDT": [14975.25]}, TRTSDT={"format": "DATE9."})
    content = json.loads(written(dataset, tmp_path)[".json"].read_text())
    assert (content["rows"], content["columns"][0]["dataType"]) == ([[14975.25]], "float")


def test_of_many_rows_only_the_compressed_form_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset_json, "PLAIN", 2)
    monkeypatch.setattr(dataset_json, "CHUNK", 2)
    (path,) = written(adverse_events(), tmp_path).values()
    assert path.name == "ae.dsjc"
    assert list(read_table(path).frame["AETERM"]) == ["Headache", "  leading blanks", "Nausea; mild"]


@pytest.mark.parametrize("forms", [("ndjson",), ("json", "dsjc"), ("ndjson", "dsjc"), ()])
def test_a_study_says_which_forms_are_written(
    forms: tuple[JsonForm, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset_json, "PLAIN", 2)  # of a study that says so, whatever the size
    dataset = adverse_events()
    paths = write(dataset, group(dataset), tmp_path, "2001-12-31", "define.xml", forms)
    assert [path.name for path in paths] == [f"ae.{form}" for form in forms]
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    for path in paths:
        assert list(read_table(path).frame["AETERM"]) == list(dataset.frame["AETERM"])


NUMBERS = st.one_of(
    st.floats(allow_nan=True, allow_infinity=False, allow_subnormal=False), st.integers(-(10**9), 10**9).map(float)
)
TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12).map(lambda text: text.rstrip(" "))
ROWS = st.tuples(TEXTS, NUMBERS, NUMBERS, NUMBERS)


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.tuples(TEXTS, NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=6),
    kind=st.sampled_from(["integer", "float"]),
)
def test_every_value_reads_back(
    rows: list[tuple[str, float, float, float]], kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("forms")
    texts, *numbers = zip(*rows, strict=True)
    columns: dict[str, Any] = {
        name: np.array(values) for name, values in zip(("DT", "DTM", "VAL"), numbers, strict=True)
    }
    dataset = make("AD", {"TXT": texts, **columns}, DT={"format": "DATE9."}, DTM={"format": "DATETIME20."})
    for path in written(dataset, folder, VAL=kind, DT=kind, DTM=kind).values():
        found = read_table(path)
        assert list(found.frame["TXT"]) == list(texts)
        for name, values in columns.items():
            np.testing.assert_array_equal(found.frame[name].to_numpy(), values)


def test_it_compares_equal_with_the_transport_file(tmp_path: Path) -> None:
    from datetime import date

    from publish import xpt

    dataset = adverse_events()
    xpt.write(dataset, tmp_path / "ae.xpt", date(2001, 12, 31), "sdtm")
    transport, keys = read_table(tmp_path / "ae.xpt"), ["USUBJID", "AESEQ"]
    for path in written(dataset, tmp_path).values():
        assert compare(transport, read_table(path), keys, Tolerances(), ["length"]).equal


def test_a_form_with_other_rows_is_refused(tmp_path: Path) -> None:
    forms = written(adverse_events(), tmp_path)
    forms[".ndjson"].write_bytes(forms[".ndjson"].read_bytes().replace(b"Nausea", b"nausea"))
    with pytest.raises(StudyError, match=r"ae\.ndjson has other rows than ae\.json"):
        dataset_json._compare_forms(list(forms.values()))


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("suffix", [".json", ".ndjson", ".dsjc"])
def test_a_file_is_compared_in_parts_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, size: int
) -> None:
    monkeypatch.setattr(dataset_json, "READ_BACK", size)
    dataset = adverse_events()
    path = written(dataset, tmp_path)[suffix]
    dataset_json._compare(dataset, path)
    other = dataset.frame.copy()
    other.loc[2, "AESEQ"] = 7
    with pytest.raises(StudyError, match=f"AE AESEQ, record .*: the value in ae\\{suffix} differs"):
        dataset_json._compare(Dataset(dataset.metadata, other), path)
    more = Dataset(dataset.metadata, pd.concat([dataset.frame, dataset.frame.iloc[:1]], ignore_index=True))
    with pytest.raises(StudyError, match=f"ae\\{suffix} has 3 records, and AE has 4"):
        dataset_json._compare(more, path)


def test_a_value_that_reads_back_differently_is_refused(tmp_path: Path) -> None:
    path = written(adverse_events(), tmp_path)[".json"]
    path.write_bytes(path.read_bytes().replace(b"-118.625", b"-118.626"))
    with pytest.raises(StudyError, match=r"AE AEVAL, record .*: the value in ae\.json differs"):
        dataset_json._compare(adverse_events(), path)
