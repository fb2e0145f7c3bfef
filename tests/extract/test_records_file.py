"""The records of a snapshot come back from its file as they were, and the same records give the same file."""

import io
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extract import records_file
from extract.records_file import read_records, write_records
from metadata.text_table import TextTable

ROWS = st.lists(st.tuples(st.sampled_from(["", "1", "Ä\n", "x"]), st.sampled_from(["", "0"])), max_size=9)


def written(table: TextTable) -> bytes:
    file = io.BytesIO()
    write_records(table, file)
    return file.getvalue()


@settings(max_examples=40, deadline=None)
@given(ROWS, st.integers(1, 20))
def test_records_come_back_and_give_the_same_bytes_whatever_their_codes(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], cells: int
) -> None:
    frame = pd.DataFrame(rows, columns=["a", "b"], dtype="str")
    table = TextTable.of_frame(frame)
    order = ["unused", "x", "0", "Ä\n", "1", ""]  # another order of texts, one of which no row has
    codes = pa.array([order.index(text) for text in frame["a"]], pa.int32())
    other = table.changed({"a": pa.DictionaryArray.from_arrays(codes, pa.array(order, pa.large_string()))})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records_file, "CELLS_A_GROUP", cells)
        content = written(table)
        assert written(other) == content
    path = Path(tmp_path_factory.mktemp("records")) / "records.parquet"
    path.write_bytes(content)
    pd.testing.assert_frame_equal(read_records(path).frame(), frame)
    pd.testing.assert_frame_equal(pd.read_parquet(path), frame)
