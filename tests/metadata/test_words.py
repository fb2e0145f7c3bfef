"""Columns as codes into distinct texts, against what pandas says of the column itself."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.dataset import Dataset, DatasetMetadata, Variable
from metadata.words import Words, first_match, first_used

TEXTS = st.lists(st.sampled_from(["", "a", "b", "B ", "ß", "10", None]), max_size=12)


@given(TEXTS, st.booleans())
def test_the_rows_are_the_columns_texts(texts: list[str | None], as_category: bool) -> None:
    column = pd.Series(texts, dtype="str")
    words = Words.of(column.astype("category") if as_category else column)
    assert words.rows.tolist() == [text or "" for text in texts]
    assert len(set(words.texts)) == len(words.texts)
    assert set(words.texts) == {text or "" for text in texts}


def test_categories_that_no_row_has_are_left_out() -> None:
    column = pd.Series(pd.Categorical(["c", "a"], categories=["a", "b", "c"]))
    assert Words.of(column).texts == ["a", "c"]
    assert Words.of(column).rows.tolist() == ["c", "a"]


def test_numbers_are_their_shortest_texts_and_a_missing_one_is_blank() -> None:
    words = Words.of_numbers(np.array([1.0, 0.1, np.nan, 1.0, 1e20]))
    assert words.rows.tolist() == ["1", "0.1", "", "1", "1e+20"]


@given(TEXTS, st.lists(st.sampled_from(["", "a", "ß", "z"]), max_size=3))
def test_equal_is_membership(texts: list[str | None], values: list[str]) -> None:
    words = Words.of(pd.Series(texts, dtype="str"))
    assert words.equal(*values).tolist() == [(text or "") in values for text in texts]


def test_length_counts_bytes_of_utf8() -> None:
    assert Words.of(pd.Series(["ab", "ßß", "abc"], dtype="str")).longer_than(2).tolist() == [False, True, True]


@given(*[st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("12")), min_size=1, max_size=9)] * 2)
def test_first_match_is_the_first_row_with_all_the_texts(
    wanted: list[tuple[str, str]], known: list[tuple[str, str]]
) -> None:
    def columns(rows: list[tuple[str, str]]) -> list[Words]:
        return [Words.of(pd.Series([row[at] for row in rows], dtype="str")) for at in (0, 1)]

    expected = [known.index(row) if row in known else -1 for row in wanted]
    assert first_match(columns(wanted), columns(known)).tolist() == expected


def test_nothing_matches_where_nothing_is_known() -> None:
    nothing, wanted = Words.of(pd.Series([], dtype="str")), Words.of(pd.Series(["a"], dtype="str"))
    assert first_match([wanted], [nothing]).tolist() == [-1]
    assert first_match([nothing], [wanted]).tolist() == []


@pytest.fixture
def dataset() -> Dataset:
    metadata = DatasetMetadata("AE", "Adverse Events", "Events", "", ("AETERM",), (Variable("AETERM", "Term", "Char"),))
    return Dataset(
        metadata, pd.DataFrame({"AETERM": pd.Series(["x", "y", "x"], dtype="str"), "AESEQ": [1.0, 2.0, np.nan]})
    )


def test_a_dataset_reads_a_variable_once_and_keeps_it_under_other_metadata(dataset: Dataset) -> None:
    words = dataset.words("AETERM")
    assert dataset.words("AESEQ").rows.tolist() == ["1", "2", ""]
    assert dataset.words("AETERM") is words
    assert dataset.with_metadata(dataset.metadata).words("AETERM") is words


def test_another_process_gets_the_dataset_and_reads_it_itself(dataset: Dataset) -> None:
    dataset.words("AETERM")
    received = pickle.loads(pickle.dumps(dataset))
    assert received.frame.equals(dataset.frame)
    assert "columns" not in received.__dict__
    assert received.words("AETERM").rows.tolist() == ["x", "y", "x"]


@given(st.lists(st.integers(0, 5), max_size=20))
def test_first_used_numbers_as_pandas_does(indices: list[int]) -> None:
    codes, used = first_used(np.array(indices, np.int16), 6)
    expected, distinct = pd.factorize(np.array(indices, int))
    assert codes.tolist() == expected.tolist()
    assert used.tolist() == distinct.tolist()


def test_what_is_no_text_is_told_by_its_type_and_a_gap_by_its_row() -> None:
    assert Words.of(pd.Series(["a", None, None], dtype="str")).missing == 1
    with pytest.raises(TypeError, match="several types"):
        Words.of(pd.Series(["a", 1], dtype=object))
    with pytest.raises(TypeError, match="int64"):
        Words.of(pd.Series([1, 2], dtype="category"))
