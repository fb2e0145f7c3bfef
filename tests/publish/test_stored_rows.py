"""The reader of every value: it finds what was written, and notices each bit that is not as it was."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.dataset import Dataset
from publish import xpt
from publish.ibm_float import LARGEST, SMALLEST
from publish.stored_rows import StoredRows
from tests.publish.examples import adverse_events, make

DATE = date(2001, 12, 31)
TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=30).filter(lambda t: not t.endswith(" "))
SIZE = st.floats(min_value=SMALLEST, max_value=LARGEST)
NUMBER = st.one_of(
    st.just(float("nan")), st.just(0.0), SIZE, SIZE.map(lambda size: -size), st.integers(-9, 9).map(float)
)
ROWS = st.lists(st.tuples(TEXT, NUMBER), min_size=1, max_size=30)


def dataset(rows: list[tuple[str, float]]) -> Dataset:
    texts, numbers = zip(*rows, strict=True)
    names = [f"S-{row}" for row in range(len(rows))]
    return make("XX", {"USUBJID": names, "XXTERM": list(texts), "XXVAL": np.array(numbers)}, keys=("USUBJID",))


@settings(max_examples=100, deadline=None)
@given(rows=ROWS)
def test_what_was_written_is_found(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, float]]) -> None:
    path = tmp_path_factory.mktemp("xpt") / "xx.xpt"
    xpt.write(dataset(rows), path, DATE, "sdtm")
    stored = StoredRows(path)
    assert (stored.count(), stored.first_difference(dataset(rows))) == (len(rows), None)


@settings(max_examples=200, deadline=None)
@given(rows=ROWS, at=st.data())
def test_every_bit_of_every_value_counts(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, float]], at: st.DataObject
) -> None:
    made, path = dataset(rows), tmp_path_factory.mktemp("xpt") / "xx.xpt"
    xpt.write(made, path, DATE, "sdtm")
    content, lengths = bytearray(path.read_bytes()), [int(one.length or 0) for one in made.metadata.variables]
    start, bit = 640 + 6 * 80 + 80, at.draw(st.integers(0, sum(lengths) * len(rows) * 8 - 1))
    content[start + bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    row, place = divmod(bit // 8, sum(lengths))
    name = made.metadata.names[0 if place < lengths[0] else 1 if place < lengths[0] + lengths[1] else 2]
    assert StoredRows(path).first_difference(made) == (name, row)


def test_a_mantissa_that_a_double_rounds_to_the_same_number_is_noticed(tmp_path: Path) -> None:
    made = make("XX", {"XXVAL": np.array([1 - 2.0**-53])})
    xpt.write(made, tmp_path / "xx.xpt", DATE, "sdtm")
    content = bytearray((tmp_path / "xx.xpt").read_bytes())
    content[640 + 160 + 80 + 7] |= 1
    (tmp_path / "xx.xpt").write_bytes(content)
    assert StoredRows(tmp_path / "xx.xpt").first_difference(made) == ("XXVAL", 0)


def test_a_zero_with_a_sign_is_noticed(tmp_path: Path) -> None:
    made = make("XX", {"XXVAL": np.array([0.0, 1.0])})
    xpt.write(made, tmp_path / "xx.xpt", DATE, "sdtm")
    content = bytearray((tmp_path / "xx.xpt").read_bytes())
    content[640 + 160 + 80] = 0x80
    (tmp_path / "xx.xpt").write_bytes(content)
    assert StoredRows(tmp_path / "xx.xpt").first_difference(made) == ("XXVAL", 0)


def test_rows_are_counted_without_the_blanks_that_fill_the_file(tmp_path: Path) -> None:
    xpt.write(adverse_events(), tmp_path / "ae.xpt", DATE, "sdtm")
    assert StoredRows(tmp_path / "ae.xpt").count() == 3
    xpt.write(make("CO", {"COVAL": []}), tmp_path / "co.xpt", DATE, "sdtm")
    assert StoredRows(tmp_path / "co.xpt").count() == 0
