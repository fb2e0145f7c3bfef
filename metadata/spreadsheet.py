"""Texts that go to a spreadsheet cannot become formulas."""

from __future__ import annotations

import pandas as pd

FORMULA = r"^[=+\-@\t\r]"
NUMBER = r"^[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?$"


def guarded(texts: pd.Series) -> pd.Series:
    """Return texts with a ``'`` before a leading = + - @, tab or carriage return; plain numbers stay as they are."""
    risky = texts.str.match(FORMULA) & ~texts.str.match(NUMBER)
    return texts.mask(risky, "'" + texts)


def guarded_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose text columns are guarded; numbers and other columns are untouched."""
    texts = [column for column in frame.columns if isinstance(frame[column].dtype, pd.StringDtype)]
    return frame.assign(**{column: guarded(frame[column]) for column in texts})
