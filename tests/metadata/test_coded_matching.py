"""Rows matched and numbered by their codes, against plain lists and pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from metadata.coded_matching import first_match, first_used
from metadata.coded_text import CodedText


def coded(*texts: str) -> CodedText:
    return CodedText.of_series(pd.Series(texts, dtype="str"))


@given(*[st.lists(st.tuples(st.sampled_from(["a", "b", ""]), st.sampled_from(["1", "2", ""])), max_size=9)] * 2)
def test_first_match_is_the_first_row_with_all_the_texts(
    wanted: list[tuple[str, str]], known: list[tuple[str, str]]
) -> None:
    def columns(rows: list[tuple[str, str]]) -> list[CodedText]:
        return [coded(*(row[at] for row in rows)) for at in (0, 1)]

    expected = [known.index(row) if row in known else -1 for row in wanted]
    assert first_match(columns(wanted), columns(known)).tolist() == expected


def test_nothing_matches_where_nothing_is_known() -> None:
    assert first_match([coded("a")], [coded()]).tolist() == [-1]
    assert first_match([coded()], [coded("a")]).tolist() == []


@given(st.lists(st.integers(0, 5), max_size=20))
def test_first_used_numbers_as_pandas_does(indices: list[int]) -> None:
    codes, used = first_used(np.array(indices, np.int16), 6)
    expected, distinct = pd.factorize(np.array(indices, int))
    assert codes.tolist() == expected.tolist()
    assert used.tolist() == distinct.tolist()
