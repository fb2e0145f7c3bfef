"""Sentences of findings: templates whose places are filled by columns, identifiers masked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from metadata.dictionary import Field

if TYPE_CHECKING:
    import pandas as pd

MASK = "(identifier)"
PLACE = re.compile(r"\{([A-Za-z_][\w.]*)\}")


def masked(field: Field | None, values: np.ndarray) -> np.ndarray:
    """Return values as they may be shown: those of an identifier field are hidden unless blank."""
    if field is None or not field.is_identifier:
        return values
    return np.where(values == "", "", MASK)


def places(template: str) -> list[str]:
    """Return the names of the places in a template."""
    return PLACE.findall(template)


def render(template: str, columns: Mapping[str, np.ndarray | str], size: int) -> pd.Series:
    """Return the template once a row, each ``{name}`` replaced by its column's text (or by one text for all rows)."""
    import pandas as pd

    made: np.ndarray = np.full(size, "", object)
    for index, piece in enumerate(PLACE.split(template)):
        made = made + (piece if index % 2 == 0 else columns[piece])
    return pd.Series(made, dtype="str")
