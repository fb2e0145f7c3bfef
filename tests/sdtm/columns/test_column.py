"""Coded texts against lists of the same texts."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sdtm.columns.column import (
    Text,
    first_of_each,
    match,
    place_within,
    stack,
)

WORDS = st.lists(st.sampled_from(["", "a", "b", "B", "é"]), max_size=8)
PAIRS = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["", "x", "y"])), max_size=8)


def text(words: list[str]) -> Text:
    return Text.of_array(np.array(words, dtype=object))


def columns(pairs: list[tuple[str, str]]) -> list[Text]:
    return [text([pair[place] for pair in pairs]) for place in (0, 1)]


@given(WORDS)
def test_words_of_an_array_are_in_order_and_give_it_back(words: list[str]) -> None:
    made = text(words)
    assert made.array().tolist() == words
    assert made.words == sorted(set(words))


@given(WORDS, WORDS)
def test_pieces_stand_one_below_the_other(first: list[str], second: list[str]) -> None:
    made = stack([text(first), text(second)])
    assert made.array().tolist() == first + second
    assert made.words == sorted({*first, *second, ""})


@given(PAIRS, PAIRS)
def test_a_row_is_matched_with_the_first_of_the_same_texts(
    mine: list[tuple[str, str]], theirs: list[tuple[str, str]]
) -> None:
    expected = [theirs.index(pair) if pair in theirs else -1 for pair in mine]
    assert match(columns(mine), columns(theirs)).tolist() == expected


@given(PAIRS)
def test_the_first_row_of_each_combination_is_found(pairs: list[tuple[str, str]]) -> None:
    expected = [place for place, pair in enumerate(pairs) if pair not in pairs[:place]]
    assert first_of_each(columns(pairs)).tolist() == expected


@given(WORDS)
def test_rows_are_counted_within_their_group(words: list[str]) -> None:
    expected = [words[:place].count(word) for place, word in enumerate(words)]
    assert place_within(text(words).codes).tolist() == expected
