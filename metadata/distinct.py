"""Work on the distinct values of a column: what is made of a text is made once, however many rows hold it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd


def each(values: pd.Series, made: Callable[[str], Any], kind: type | str = object) -> np.ndarray:
    """Return ``made(text)`` for each text of a column without nulls, as an array of ``kind``."""
    held = values.array
    codes, texts = (held.codes, held.categories) if isinstance(held, pd.Categorical) else pd.factorize(held)
    found = np.empty(len(texts), kind)
    found[:] = [made(text) for text in np.asarray(texts, object)]
    return found[codes]
