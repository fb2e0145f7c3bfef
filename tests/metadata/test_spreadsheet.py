"""No cell can become a formula; numbers stay numbers."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from metadata.spreadsheet import guarded, guarded_frame


def test_what_is_guarded_and_what_is_not() -> None:
    texts = pd.Series(["=1", "+a", "-b", "@x", "\tt", "\rr", "-1", "+2.5", "-3,5", "-1e5", "a=b", ""], dtype="str")
    behind = pd.Series([" =1", "\n=1", "\u00a0@x", "\uff1d1", " -1 ", " a", "\n a"], dtype="str")
    assert guarded(behind).tolist() == ["' =1", "'\n=1", "'\u00a0@x", "'\uff1d1", "' -1 ", " a", "'\n a"]
    expected = ["'=1", "'+a", "'-b", "'@x", "'\tt", "'\rr", "-1", "+2.5", "-3,5", "-1e5", "a=b", ""]
    assert guarded(texts).tolist() == expected


@given(st.lists(st.text(max_size=5), max_size=5))
def test_only_numbers_begin_with_a_sign(texts: list[str]) -> None:
    made = guarded(pd.Series(texts, dtype="str")).tolist()
    for before, after in zip(texts, made, strict=True):
        assert after.removeprefix("'") == before.removeprefix("'") or after == before
        if after.lstrip()[:1] in tuple("=@+-") and after.lstrip():
            assert after[1:].replace(".", "").replace(",", "").replace("e", "").replace("E", "").strip("+-").isdecimal()


def test_only_texts_of_a_frame_are_touched() -> None:
    frame = pd.DataFrame({"text": pd.Series(["=1"], dtype="str"), "number": [-1.0]})
    made = guarded_frame(frame)
    assert made["text"].tolist() == ["'=1"]
    assert made["number"].tolist() == [-1.0]
