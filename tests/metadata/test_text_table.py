"""A table of coded texts holds what a plain frame holds, whatever is done with it."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata import text_table
from metadata.coded_text import CodedText
from metadata.text_table import TextTable

TEXTS = st.one_of(st.none(), st.sampled_from(["", "0", "1", "x", "Ä\n"]))
ROWS = st.lists(st.tuples(TEXTS, TEXTS), max_size=12)


def frame_of(rows: list[tuple[str | None, str | None]], names: tuple[str, str] = ("a", "b")) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(names), dtype="str")


@settings(max_examples=60, deadline=None)
@given(ROWS, st.data())
def test_rows_are_those_of_the_frame(rows: list[tuple[str | None, str | None]], data: st.DataObject) -> None:
    frame = frame_of(rows)
    table = TextTable.of_frame(frame)
    pd.testing.assert_frame_equal(table.frame(), frame)
    at = np.array(data.draw(st.lists(st.integers(0, len(rows) - 1))) if rows else [], np.int64)
    pd.testing.assert_frame_equal(table.take(at).frame(), frame.iloc[at].reset_index(drop=True))
    marked = np.array([len(row[0] or "") > 0 for row in rows], bool)
    pd.testing.assert_frame_equal(table.take(marked).frame(), frame[marked].reset_index(drop=True))
    blanked = frame.fillna("")
    pd.testing.assert_frame_equal(table.filled().frame(), blanked)
    assert table.texts_at("a", np.append(at, -1)).tolist() == [*blanked["a"].iloc[at], ""]
    assert table.distinct("a") == frame["a"].dropna().unique().tolist()
    assert table.missing("b").tolist() == frame["b"].isna().tolist()
    assert table.where("b", {"1": True, "": False}, False, True).tolist() == [row[1] in ("1", None) for row in rows]
    changed = blanked["b"].copy()
    changed.iloc[at] = "new"
    assert table.with_text("b", "new", at).filled().frame()["b"].tolist() == changed.tolist()
    assert table.with_constant("c", ["a", "z"]).frame()[["z", "a"]].eq("c").all(axis=None)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.data())
def test_coded_texts_are_as_if_they_were_read_anew(
    rows: list[tuple[str | None, str | None]], data: st.DataObject
) -> None:
    """The order of the texts too, since that of datasets follows it."""
    table = TextTable.of_frame(frame_of(rows))
    at = np.array(data.draw(st.lists(st.integers(0, len(rows) - 1))) if rows else [], np.int64)
    expected = CodedText.of(pa.array([rows[place][0] for place in at], pa.string()))
    found = table.coded("a", at)
    assert found.texts == expected.texts and found.codes.tolist() == expected.codes.tolist()
    assert table.coded("b").array().tolist() == [row[1] or "" for row in rows]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(ROWS, st.sampled_from([("a", "b"), ("b", "c"), ("a", "c")])), min_size=1, max_size=4))
def test_a_stack_is_all_rows_with_what_a_part_lacks_missing(
    parts: list[tuple[list[tuple[str | None, str | None]], tuple[str, str]]],
) -> None:
    frames = [frame_of(rows, names) for rows, names in parts]
    stacked = TextTable.stack(TextTable.of_frame(frame) for frame in frames)
    expected = pd.concat(frames, ignore_index=True)
    pd.testing.assert_frame_equal(stacked.frame(), expected.astype("str"))


@pytest.mark.parametrize(("distinct", "bytes_a_cell"), [(3, 1), (128, 1), (129, 2), (32768, 2), (32769, 4)])
def test_a_cell_takes_as_few_bytes_as_its_column_allows(distinct: int, bytes_a_cell: int) -> None:
    values = [str(number) for number in range(distinct)]
    column = TextTable.of_frame(pd.DataFrame({"a": values}, dtype="str")).column("a")
    assert column.indices.type.bit_width == 8 * bytes_a_cell and column.to_pylist() == values


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(ROWS, st.sampled_from([("a", "b"), ("b", "c")])), max_size=5))
def test_parts_of_arrow_are_joined_as_tables_are(
    parts: list[tuple[list[tuple[str | None, str | None]], tuple[str, str]]],
) -> None:
    frames = [frame_of(rows, names) for rows, names in parts]
    expected = TextTable.stack([TextTable({}, 0), *map(TextTable.of_frame, frames)])
    for together in (1, 6, 1000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(text_table, "CELLS_TOGETHER", together)
            arrow = [pa.Table.from_pandas(frame, preserve_index=False) for frame in frames]
            found = TextTable.of_parts(arrow)
        assert set(found.names) == set(expected.names) and len(found) == len(expected)
        for name in expected.names:
            assert found.plain(name).to_pylist() == expected.plain(name).to_pylist()
