"""Rows matched and numbered by their codes, against plain lists and pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from metadata.coded_matching import first_match, first_of_each, first_used, group_numbers, place_within
from metadata.coded_text import CodedText


def coded(*texts: str) -> CodedText:
    return CodedText.of_series(pd.Series(texts, dtype="str"))


PAIRS = st.lists(st.tuples(st.sampled_from(["a", "b", ""]), st.sampled_from(["1", "2", ""])), max_size=9)


def columns(pairs: list[tuple[str, str]]) -> list[CodedText]:
    return [coded(*(pair[at] for pair in pairs)) for at in (0, 1)]


@given(PAIRS, PAIRS)
def test_first_match_is_the_first_row_with_all_the_texts(
    wanted: list[tuple[str, str]], known: list[tuple[str, str]]
) -> None:
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


@given(PAIRS)
def test_rows_that_agree_have_one_number(pairs: list[tuple[str, str]]) -> None:
    expected = [list(dict.fromkeys(pairs)).index(pair) for pair in pairs]
    assert group_numbers([column.codes for column in columns(pairs)]).tolist() == expected


def test_numbers_of_many_columns_stay_within_their_type() -> None:
    codes = np.array([0, 1 << 40, 1 << 40, 0, 1])
    assert group_numbers([codes] * 5).tolist() == [0, 1, 1, 0, 2]


@given(PAIRS)
def test_the_first_row_of_each_combination_is_found(pairs: list[tuple[str, str]]) -> None:
    expected = [place for place, pair in enumerate(pairs) if pair not in pairs[:place]]
    assert first_of_each(columns(pairs)).tolist() == expected


@given(st.lists(st.sampled_from(["", "a", "b", "B", "é"]), max_size=8))
def test_rows_are_counted_within_their_group(texts: list[str]) -> None:
    expected = [texts[:place].count(text) for place, text in enumerate(texts)]
    assert place_within(coded(*texts).codes).tolist() == expected
