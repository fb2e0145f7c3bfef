"""Texts that go to a spreadsheet cannot become formulas."""

from __future__ import annotations

import pandas as pd

FORMULA = r"^[\s\x00-\x1f]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]"
"""What a spreadsheet may calculate: some drop what is blank in front, and take the wide letters as the plain ones."""
NUMBER = r"^[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?$"


def guarded(texts: pd.Series) -> pd.Series:
    """Return texts with a ``'`` before a leading = + - @, also after blanks, and before a leading tab or line break.

    Plain numbers stay as they are.
    """
    risky = texts.str.match(FORMULA) & ~texts.str.match(NUMBER)
    return texts.mask(risky, "'" + texts)


def unguarded(texts: pd.Series) -> pd.Series:
    """Return texts without the ``'`` that ``guarded`` put before them; one that was there before looks alike."""
    rest = texts.str.slice(1)
    return texts.mask(texts.str.startswith("'") & rest.str.match(FORMULA) & ~rest.str.match(NUMBER), rest)


def guarded_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose text columns are guarded; numbers and other columns are untouched."""
    texts = [column for column in frame.columns if isinstance(frame[column].dtype, pd.StringDtype)]
    return frame.assign(**{column: guarded(frame[column]) for column in texts})
