"""Rows matched, grouped and numbered by their codes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from metadata.coded_text import CodedText

LARGEST = np.iinfo(np.int64).max


def first_match(wanted: Sequence[CodedText], known: Sequence[CodedText]) -> np.ndarray:
    """Return for each row of ``wanted`` columns the first row of the ``known`` ones with the same texts, else -1."""
    key, asked = np.zeros(len(known[0]), np.int64), np.zeros(len(wanted[0]), np.int64)
    for mine, theirs in zip(wanted, known, strict=True):
        several = len(theirs.texts) + 1  # the last code is that of a text that is not known
        code = np.array([theirs.places.get(text, several - 1) for text in mine.texts], np.int64)
        key, asked = key * several + theirs.codes, asked * several + mine.spread(code)
    order = np.argsort(key, kind="stable")
    row = np.append(order, -1)[np.searchsorted(key, asked, sorter=order)]
    return np.where(np.append(key, -1)[row] == asked, row, -1)


def first_of_each(columns: Sequence[CodedText]) -> np.ndarray:
    """Return the position of the first row of each distinct combination of texts, in the order of the rows."""
    return np.unique(group_numbers([column.codes for column in columns]), return_index=True)[1]


def group_numbers(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Return 0, 1, ... for each row, the same for rows that agree in all columns of codes, in the order of the rows."""
    import pandas as pd

    combined, size = np.zeros(len(columns[0]), np.int64), 1
    for codes in columns:
        several = int(codes.max(initial=0)) + 1
        if size * several > LARGEST:
            combined, size = pd.factorize(combined)[0].astype(np.int64), len(combined)
        combined, size = combined * several + codes, size * several
    return pd.factorize(combined)[0].astype(np.int64)


def place_within(groups: np.ndarray) -> np.ndarray:
    """Return 0, 1, ... for each row within its group (a code), in the order of the rows."""
    order = np.argsort(groups, kind="stable")
    counts = np.unique(groups, return_counts=True)[1]
    made = np.empty(len(groups), np.int64)
    made[order] = np.arange(len(groups)) - np.repeat(np.cumsum(counts) - counts, counts)
    return made


def first_used(indices: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return for each index (below ``size``) its place in the order of first use, and the indices in that order."""
    first = np.full(size, len(indices), np.int32)
    first[indices[::-1]] = np.arange(len(indices) - 1, -1, -1, dtype=np.int32)  # what is written last, stays
    used = np.flatnonzero(first < len(indices))
    used = used[np.argsort(first[used])]
    place = first
    place[used] = np.arange(len(used), dtype=np.int32)
    return place[indices], used
