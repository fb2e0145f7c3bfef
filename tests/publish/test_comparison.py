"""Comparing datasets: what differs is found and nothing else, across transport files, parquet and CSV."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metadata.dataset import Dataset
from metadata.errors import UsageError
from publish import parquet, xpt
from publish.comparison import DatasetComparison, Tolerance, Tolerances, compare
from publish.comparison_folders import compare_places
from publish.comparison_tables import read_table
from tests.publish.examples import adverse_events, make

EXACT = Tolerances()
KEYS = ["STUDYID", "USUBJID", "AESEQ"]


def stored(dataset: Dataset, folder: Path, suffix: str = ".xpt") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{dataset.name.lower()}{suffix}"
    if suffix == ".xpt":
        xpt.write(dataset, path, date(2001, 12, 31), "sdtm")
    elif suffix == ".parquet":
        parquet.write(dataset, path)
    else:
        dataset.frame.to_csv(path, index=False)
    return path


def found(first: Path, second: Path, keys: list[str], tolerances: Tolerances = EXACT) -> DatasetComparison:
    return compare(read_table(first), read_table(second), keys, tolerances)


def changed(column: str, values: list[object]) -> Dataset:
    columns = {name: list(values) for name, values in adverse_events().frame.items()}
    return make("AE", {**columns, column: values}, KEYS, "Adverse Events")  # type: ignore[arg-type]


@pytest.mark.parametrize("suffixes", [(".xpt", ".parquet"), (".parquet", ".csv"), (".xpt", ".csv"), (".csv", ".csv")])
def test_the_same_rows_are_equal_in_every_form(tmp_path: Path, suffixes: tuple[str, str]) -> None:
    paths = [stored(adverse_events(), tmp_path / side, suffix) for side, suffix in zip("ab", suffixes, strict=True)]
    comparison = found(*paths, KEYS)  # type: ignore[call-arg]
    assert comparison.equal, comparison
    assert comparison.matched == 3


def test_parquet_declares_its_keys_and_a_transport_file_finds_them(tmp_path: Path) -> None:
    copy = stored(adverse_events(), tmp_path / "parquet" / "sdtm", ".parquet")
    assert read_table(copy).keys == tuple(KEYS)
    assert read_table(stored(adverse_events(), tmp_path / "m5" / "sdtm")).keys == tuple(KEYS)


def test_keys_come_from_define_xml_beside_the_file(tmp_path: Path) -> None:
    path = stored(adverse_events(), tmp_path)
    items = "".join(f'<ItemDef OID="IT.{key}" Name="{key}"/>' for key in ("USUBJID", "AESEQ"))
    refs = '<ItemRef ItemOID="IT.AESEQ" KeySequence="2"/><ItemRef ItemOID="IT.USUBJID" KeySequence="1"/>'
    (tmp_path / "define.xml").write_text(f'<ODM><ItemGroupDef Name="AE">{refs}</ItemGroupDef>{items}</ODM>')
    assert read_table(path).keys == ("USUBJID", "AESEQ")


def test_a_changed_value_is_the_only_difference(tmp_path: Path) -> None:
    one, two = (
        stored(adverse_events(), tmp_path / "a"),
        stored(changed("AETERM", ["Headache", "Fever", "x"]), tmp_path / "b"),
    )
    comparison = compare(read_table(one), read_table(two), KEYS, EXACT, ["length"])
    assert [(d.variable, d.count) for d in comparison.differences] == [("AETERM", 2)]
    rows = comparison.differences[0].rows
    assert rows["AESEQ"].tolist() == [2, 1]
    assert rows["_second"].tolist() == ["Fever", "x"]
    assert not comparison.attributes and not comparison.equal


def test_tolerances_are_absolute_relative_or_of_one_variable(tmp_path: Path) -> None:
    one = stored(adverse_events(), tmp_path / "a")
    two = stored(changed("AEVAL", [0.1, -118.626, 1e12 + 1e6]), tmp_path / "b")
    exact = found(one, two, KEYS).differences[0]
    assert (exact.count, exact.compared) == (2, 3)
    assert exact.largest == pytest.approx(1e6)
    absolute = Tolerances(Tolerance(absolute=0.01))
    assert found(one, two, KEYS, absolute).differences[0].count == 1
    assert found(one, two, KEYS, Tolerances(Tolerance(relative=1e-4))).equal
    assert found(one, two, KEYS, Tolerances(single={"AEVAL": Tolerance(relative=1e-4)})).equal
    assert not found(one, two, KEYS, Tolerances(single={"AEDY": Tolerance(relative=1)})).equal


def test_missing_equals_missing_alone(tmp_path: Path) -> None:
    one = stored(adverse_events(), tmp_path / "a")
    two = stored(changed("AEDY", [-1, 5, math.nan]), tmp_path / "b")
    difference = found(one, two, KEYS, Tolerances(Tolerance(absolute=1e9))).differences[0]
    assert difference.count == 2
    assert math.isnan(difference.largest)


def test_rows_and_variables_of_one_only(tmp_path: Path) -> None:
    frame = adverse_events().frame
    columns = {name: list(values)[:2] for name, values in frame.items() if name != "AEDTC"}
    less = make("AE", {**columns, "AENEW": ["", ""]}, KEYS, "Adverse Events")
    comparison = found(stored(adverse_events(), tmp_path / "a"), stored(less, tmp_path / "b"), KEYS)
    assert comparison.only_first == ("AEDTC",)
    assert comparison.only_second == ("AENEW",)
    assert comparison.rows_first.to_dict("records") == [{"STUDYID": "S1", "USUBJID": "S1-02", "AESEQ": 1.0}]
    assert comparison.rows_second.empty


def test_labels_types_lengths_and_formats(tmp_path: Path) -> None:
    columns = {name: list(values) for name, values in adverse_events().frame.items()}
    other = make(
        "AE", {**columns, "AEDY": ["-1", "", "0"]}, KEYS, "Other Events", AETERM={"label": "Reported Term"},
        AEVAL={"format": "8.2"},
    )  # fmt: skip
    comparison = found(
        stored(adverse_events(), tmp_path / "a", ".parquet"), stored(other, tmp_path / "b", ".parquet"), KEYS
    )
    stated = {(d.variable, d.attribute) for d in comparison.attributes}
    assert {("", "label"), ("AEDY", "type"), ("AETERM", "label"), ("AEVAL", "format")} <= stated
    assert not comparison.differences


def test_numbers_that_are_names_stay_texts(tmp_path: Path) -> None:
    for name, subject in (("a", "001"), ("b", "1")):
        (tmp_path / f"{name}.csv").write_text(f"SUBJID,AVAL\n{subject},1.50\n")
    comparison = found(tmp_path / "a.csv", tmp_path / "b.csv", [])
    assert [d.variable for d in comparison.differences] == ["SUBJID"]
    (tmp_path / "b.csv").write_text("SUBJID,AVAL\n001,1.5\n")
    assert found(tmp_path / "a.csv", tmp_path / "b.csv", []).equal


def test_a_text_where_the_other_has_numbers_is_a_difference(tmp_path: Path) -> None:
    frame = adverse_events().frame.assign(AEVAL=["0.1", "many", "1e12"])
    frame.to_csv(tmp_path / "ae.csv", index=False)
    comparison = found(stored(adverse_events(), tmp_path / "a"), tmp_path / "ae.csv", KEYS)
    assert [(d.variable, d.attribute, d.first, d.second) for d in comparison.attributes] == [
        ("AEVAL", "type", "Num", "Char")
    ]


def test_wrong_use_is_one_sentence(tmp_path: Path) -> None:
    path = stored(adverse_events(), tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "bad.xpt").write_bytes(b"no transport file")
    (tmp_path / "bad.parquet").write_bytes(b"no parquet")
    (tmp_path / "bad.csv").write_bytes(b"")
    with pytest.raises(UsageError, match="did you mean 'USUBJID'"):
        found(path, path, ["USUBJI"])
    with pytest.raises(UsageError, match=r"2 rows of .* repeat the keys STUDYID"):
        found(path, path, ["STUDYID"])
    with pytest.raises(UsageError, match="tolerance is given for AEVALUE"):
        found(path, path, KEYS, Tolerances(single={"AEVALUE": Tolerance(1)}))
    for name in ("notes.txt", "bad.xpt", "bad.parquet", "bad.csv"):
        with pytest.raises(UsageError, match=name):
            read_table(tmp_path / name)
    with pytest.raises(UsageError, match="does not exist"):
        compare_places(path, tmp_path / "none.xpt", [], EXACT)
    with pytest.raises(UsageError, match="a folder and a file"):
        compare_places(path, tmp_path, [], EXACT)


def test_folders_are_compared_dataset_by_dataset(tmp_path: Path) -> None:
    for side in "ab":
        stored(adverse_events(), tmp_path / side)
    stored(make("DM", {"USUBJID": ["1"], "AGE": [30]}), tmp_path / "a")
    comparison = compare_places(tmp_path / "a", tmp_path / "b", [], EXACT)
    assert [dataset.equal for dataset in comparison.datasets] == [True]
    assert comparison.only_first == ("dm.xpt",)
    assert not comparison.equal


def test_packages_are_compared_with_their_other_files(tmp_path: Path) -> None:
    for side in "ab":
        stored(adverse_events(), tmp_path / side / "m5" / "datasets" / side / "tabulations" / "sdtm")
        stored(adverse_events(), tmp_path / side / "parquet" / "sdtm", ".parquet")
        (tmp_path / side / "note.html").write_text("the same")
    assert compare_places(tmp_path / "a", tmp_path / "b", [], EXACT).equal
    (tmp_path / "b" / "note.html").write_text("changed")
    comparison = compare_places(tmp_path / "a", tmp_path / "b", [], EXACT)
    assert comparison.files == ("note.html",)
    assert comparison.datasets[0].keys == tuple(KEYS)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(values=st.lists(st.floats(-1e6, 1e6) | st.none(), min_size=1, max_size=12), data=st.data())
def test_order_of_rows_does_not_matter(tmp_path: Path, values: list[float | None], data: st.DataObject) -> None:
    frame = pd.DataFrame({"KEY": [f"k{i}" for i in range(len(values))], "AVAL": pd.Series(values, dtype="float64")})
    shuffled = frame.iloc[data.draw(st.permutations(range(len(values))))]
    for name, part in (("a", frame), ("b", shuffled)):
        part.to_parquet(tmp_path / f"{name}.parquet", index=False)
    assert found(tmp_path / "a.parquet", tmp_path / "b.parquet", ["KEY"]).equal
