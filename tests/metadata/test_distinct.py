"""What is made of distinct values stands where the values stand."""

from __future__ import annotations

import pandas as pd
import pytest

from metadata.distinct import each


@pytest.mark.parametrize("kind", ["str", "object", "category"])
def test_a_function_is_called_once_a_text(kind: str) -> None:
    asked: list[str] = []

    def length(text: str) -> int:
        asked.append(text)
        return len(text)

    assert each(pd.Series(["ab", "", "ab", "c"], dtype=kind), length, int).tolist() == [2, 0, 2, 1]
    assert sorted(asked) == ["", "ab", "c"]


def test_an_empty_column_gives_nothing() -> None:
    assert each(pd.Series([], dtype="str"), bool, bool).tolist() == []
