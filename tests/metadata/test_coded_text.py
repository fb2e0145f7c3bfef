"""Coded texts against what plain lists of texts say, and the invariant after every operation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.coded_text import CodedText

POOL = ["", "a", "b", "B ", "ß", "10", "9"]
TEXT = st.sampled_from(POOL)
TEXTS = st.lists(TEXT, max_size=12)
GAPPED = st.lists(st.sampled_from([*POOL, None]), max_size=12)


@st.composite
def columns(draw: st.DrawFn, size: int | None = None) -> CodedText:
    """Any column that the invariant allows: texts in any order, some of which no row holds."""
    texts = ["", *draw(st.permutations(draw(st.lists(TEXT.filter(bool), unique=True))))]
    code = st.integers(0, len(texts) - 1)
    codes = draw(st.lists(code, max_size=12) if size is None else st.lists(code, min_size=size, max_size=size))
    return CodedText(np.array(codes, np.int32), tuple(texts))


def rows(column: CodedText) -> list[str]:
    """The texts row by row, after a look at the invariant."""
    assert column.codes.dtype == np.int32
    assert column.codes.ndim == 1
    assert column.texts[0] == ""
    assert len(set(column.texts)) == len(column.texts)
    assert all(0 <= code < len(column.texts) for code in column.codes.tolist())
    assert len(column) == len(column.codes)
    return [column.texts[code] for code in column.codes.tolist()]


# How texts become coded.


@given(GAPPED)
def test_arrow_texts_are_coded_and_nulls_are_blank(texts: list[str | None]) -> None:
    expected = [text or "" for text in texts]
    for kind in (pa.string(), pa.large_string()):
        assert rows(CodedText.of(pa.array(texts, kind))) == expected


@given(GAPPED, st.sampled_from(["str", "object", "category"]))
def test_a_series_is_coded_whatever_holds_its_texts(texts: list[str | None], kind: str) -> None:
    column = pd.Series(texts, dtype="str").astype(kind)  # type: ignore[call-overload]
    assert rows(CodedText.of_series(column)) == [text or "" for text in texts]


def test_codes_of_categories_are_taken_as_they_are() -> None:
    column = pd.Series(pd.Categorical(["c", None, "a"], categories=["a", "b", "c"]))
    coded = CodedText.of_series(column)
    assert coded.texts == ("", "a", "b", "c")
    assert rows(coded) == ["c", "", "a"]


def test_what_is_no_text_is_refused_by_its_type() -> None:
    with pytest.raises(TypeError, match="several types"):
        CodedText.of_series(pd.Series(["a", 1], dtype=object))
    with pytest.raises(TypeError, match="int64"):
        CodedText.of_series(pd.Series([1, 2], dtype="category"))


@given(st.lists(TEXT, min_size=1, max_size=6), st.data())
def test_codes_point_at_texts_that_may_repeat(texts: list[str], data: st.DataObject) -> None:
    codes = data.draw(st.lists(st.integers(-1, len(texts) - 1)))
    expected = ["" if code < 0 else texts[code] for code in codes]
    assert rows(CodedText.of_codes(np.array(codes, np.int64), texts)) == expected


@given(st.lists(st.booleans()))
def test_truth_values_are_codes(truth: list[bool]) -> None:
    assert rows(CodedText.of_codes(np.array(truth, bool), ["", "Y"])) == ["Y" if one else "" for one in truth]


@given(st.lists(st.sampled_from([1.0, 0.1, float("nan"), 1e20, -2.5])))
def test_numbers_are_written_once_each_and_a_missing_one_is_blank(numbers: list[float]) -> None:
    asked: list[float] = []

    def write(number: float) -> str:
        asked.append(number)
        return f"{number:g}"

    coded = CodedText.of_numbers(np.array(numbers, float), write)
    assert rows(coded) == ["" if number != number else f"{number:g}" for number in numbers]
    assert sorted(asked) == sorted({number for number in numbers if number == number})


def test_numbers_written_alike_are_one_text() -> None:
    coded = CodedText.of_numbers(np.array([1.04, 1.01, 2.0]), "{:.1f}".format)
    assert rows(coded) == ["1.0", "1.0", "2.0"]


@given(TEXT, st.integers(0, 3))
def test_a_constant_is_the_same_text_in_each_row(text: str, count: int) -> None:
    assert rows(CodedText.constant(text, count)) == [text] * count


@given(st.lists(columns(), max_size=4))
def test_pieces_lie_below_each_other_with_the_texts_they_hold(pieces: list[CodedText]) -> None:
    stacked = CodedText.stack(pieces)
    assert rows(stacked) == [text for piece in pieces for text in rows(piece)]
    assert set(stacked.texts) == {"", *rows(stacked)}


# What is asked of rows.


@given(columns(), TEXTS)
def test_questions_about_rows(column: CodedText, values: list[str]) -> None:
    texts = rows(column)
    assert column.array().tolist() == texts
    assert column.present().tolist() == [text != "" for text in texts]
    assert column.isin(values).tolist() == [text in values for text in texts]
    assert column.test(str.isdigit).tolist() == [text.isdigit() for text in texts]
    assert column.each(len, int).tolist() == [len(text) for text in texts]
    assert column.each(str.upper).tolist() == [text.upper() for text in texts]
    assert column.spread(np.array([text * 2 for text in column.texts], object)).tolist() == [text * 2 for text in texts]


def test_texts_are_read_as_numbers() -> None:
    read = CodedText.of_codes(np.arange(6), ["1.5", "", "x", "-2", "1e3", "<5"]).numbers()
    assert read[[0, 3, 4]].tolist() == [1.5, -2.0, 1000.0]
    assert np.isnan(read).tolist() == [False, True, True, False, False, True]


@given(columns(), TEXTS)
def test_questions_about_texts(column: CodedText, values: list[str]) -> None:
    assert column.named(values).tolist() == [text in values for text in column.texts]
    assert column.judged(str.isdigit).tolist() == [text.isdigit() for text in column.texts]
    assert sorted(column.held) == sorted(set(rows(column)))
    assert {column.texts[code]: code for code in column.places.values()} == dict(column.places)
    assert column.objects[column.codes].tolist() == rows(column)


def test_a_text_is_asked_once() -> None:
    asked: list[str] = []

    def length(text: str) -> int:
        asked.append(text)
        return len(text)

    assert CodedText.of_series(pd.Series(["ab", "", "ab", "c"])).each(length, int).tolist() == [2, 0, 2, 1]
    assert sorted(asked) == ["", "ab", "c"]


@given(columns(), st.data())
def test_texts_among_marked_rows_are_sorted(column: CodedText, data: st.DataObject) -> None:
    marked = data.draw(st.lists(st.booleans(), min_size=len(column), max_size=len(column)))
    expected = sorted({text for text, mark in zip(rows(column), marked, strict=True) if mark})
    assert column.among(np.array(marked, bool)) == expected


@given(columns())
def test_ranks_sort_as_texts_do(column: CodedText) -> None:
    order = np.argsort(column.ranks(), kind="stable")
    assert [rows(column)[row] for row in order] == sorted(rows(column))


# What becomes of rows.


@given(columns(), st.data())
def test_rows_are_taken_by_position_mark_and_slice(column: CodedText, data: st.DataObject) -> None:
    texts = rows(column)
    positions = data.draw(st.lists(st.integers(-1, len(column) - 1)))
    assert rows(column.take(np.array(positions, int))) == ["" if at < 0 else texts[at] for at in positions]
    marked = data.draw(st.lists(st.booleans(), min_size=len(column), max_size=len(column)))
    kept = [text for text, mark in zip(texts, marked, strict=True) if mark]
    assert rows(column.take(np.array(marked, bool))) == kept
    assert rows(column.take(slice(1, 3))) == texts[1:3]


@given(columns(size=5), columns(size=5), TEXT, st.lists(st.booleans(), min_size=5, max_size=5))
def test_rows_are_kept_where_marked(column: CodedText, other: CodedText, text: str, marks: list[bool]) -> None:
    keep = np.array(marks, bool)
    here = list(zip(rows(column), marks, strict=True))
    assert rows(column.where(keep)) == [one if mark else "" for one, mark in here]
    assert rows(column.where(keep, text)) == [one if mark else text for one, mark in here]
    expected = [one if mark else two for (one, mark), two in zip(here, rows(other), strict=True)]
    assert rows(column.where(keep, other)) == expected


@given(columns(), st.dictionaries(TEXT, TEXT), TEXT)
def test_texts_are_changed(column: CodedText, terms: dict[str, str], otherwise: str) -> None:
    texts = rows(column)
    assert rows(column.map(lambda text: text.lower().strip())) == [text.lower().strip() for text in texts]
    assert rows(column.map(lambda text: "" if text else "z")) == ["" if text else "z" for text in texts]
    assert rows(column.replace(terms)) == [terms.get(text, text) for text in texts]
    assert rows(column.replace(terms, otherwise)) == [terms.get(text, otherwise) for text in texts]


@given(columns(size=6), columns(size=6), st.sampled_from(["", "/"]))
def test_texts_are_joined_with_the_separator_between_two(one: CodedText, two: CodedText, separator: str) -> None:
    pairs = zip(rows(one), rows(two), strict=True)
    assert rows(one.join(two, separator)) == [separator.join(filter(None, pair)) for pair in pairs]


@given(columns())
def test_texts_in_use_and_in_order(column: CodedText) -> None:
    texts = rows(column)
    assert rows(column.in_use()) == texts
    assert rows(column.in_order()) == texts
    assert list(column.in_use().texts) == [text for text in column.texts if not text or text in texts]
    assert list(column.in_order().texts) == sorted({"", *texts})


@given(columns())
def test_a_frame_holds_the_texts_as_categories_in_order(column: CodedText) -> None:
    made = pd.Series(column.categorical())
    assert made.astype("str").tolist() == rows(column)
    assert made.cat.categories.tolist() == sorted(set(rows(column)))
    assert made.cat.categories.dtype == "str"
    assert rows(CodedText.of_series(made)) == rows(column)


@given(columns(), st.data())
def test_an_operation_leaves_its_column_as_it_was(column: CodedText, data: st.DataObject) -> None:
    before = rows(column)
    for values in (column.codes, column.objects):
        values.flags.writeable = False
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=len(column), max_size=len(column))), bool)
    column.where(keep, "new").take(keep).map(str.lower).in_order().categorical()
    column.join(column).where(keep, column).in_use()
    assert rows(CodedText.stack([column, column])) == before * 2
    assert rows(column) == before
