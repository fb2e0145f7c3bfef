"""A column of texts as codes into its few distinct texts, so that work is done once a text and not once a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa


class Words:
    """``codes``, one a row, point at ``texts``, which are distinct; a missing value is an empty text.

    The codes are integers of whatever size the column came with: widen them before calculating with them. ``missing``
    is the first row without a value.
    """

    def __init__(self, codes: np.ndarray, texts: list[str], missing: int | None = None) -> None:
        self.codes, self.texts, self.missing = codes, texts, missing

    @classmethod
    def of(cls, column: pd.Series) -> Words:
        """Return a column of texts, by first appearance, or a categorical one in the order of its categories.

        Raises TypeError, naming the type, if it holds anything else.
        """
        values = column.array
        if isinstance(values, pd.Categorical):
            return cls._in_use(values.codes, _texts(values.categories.array).to_pylist())
        coded = _texts(values).dictionary_encode()
        codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return cls._blank_for_missing(codes, coded.dictionary.to_pylist())

    @classmethod
    def of_numbers(cls, values: np.ndarray) -> Words:
        """Return float64 numbers as their shortest texts."""
        codes, distinct = pd.factorize(values)
        return cls._blank_for_missing(codes, [f"{value:.15g}" for value in distinct.tolist()])

    @classmethod
    def constant(cls, text: str, count: int) -> Words:
        """Return one text for ``count`` rows."""
        return cls(np.zeros(count, np.int8), [text])

    @classmethod
    def _in_use(cls, codes: np.ndarray, texts: list[str]) -> Words:
        used = np.flatnonzero(np.bincount(codes + 1, minlength=len(texts) + 1)[1:])
        if len(used) == len(texts):
            return cls._blank_for_missing(codes, texts)
        place = np.full(len(texts) + 1, -1, np.int32)
        place[used] = np.arange(len(used))
        return cls._blank_for_missing(place[codes], [texts[code] for code in used.tolist()])

    @classmethod
    def _blank_for_missing(cls, codes: np.ndarray, texts: list[str]) -> Words:
        missing = codes < 0
        if not missing.any():
            return cls(codes, texts)
        if "" not in texts:
            texts = [*texts, ""]
        return cls(np.where(missing, texts.index(""), codes), texts, int(missing.argmax()))

    @cached_property
    def places(self) -> dict[str, int]:
        """The code of each text."""
        return {text: code for code, text in enumerate(self.texts)}

    @cached_property
    def objects(self) -> np.ndarray:
        """The distinct texts as an array of objects."""
        made = np.empty(len(self.texts), object)
        made[:] = self.texts
        return made

    def take(self, at: np.ndarray) -> Words:
        """Return the rows at positions ``at``; texts that they do not use stay."""
        return Words(self.codes[at], self.texts)

    @property
    def rows(self) -> np.ndarray:
        """The text of each row as an object."""
        return self.objects[self.codes]

    def judged(self, holds: Callable[[str], object]) -> np.ndarray:
        """Return True for the distinct texts that pass."""
        return np.array([bool(holds(text)) for text in self.texts], bool)

    def named(self, values: Iterable[str]) -> np.ndarray:
        """Return True for the distinct texts that are among the values."""
        made = np.zeros(len(self.texts), bool)
        made[[self.places[value] for value in values if value in self.places]] = True
        return made

    def test(self, holds: Callable[[str], object]) -> np.ndarray:
        """Return True for the rows whose text passes; each distinct text is asked once."""
        return self.spread(self.judged(holds))

    def equal(self, *values: str) -> np.ndarray:
        """Return True for the rows whose text is one of the values."""
        return self.spread(self.named(values))

    def among(self, rows: np.ndarray) -> list[str]:
        """Return the distinct texts of the rows that are marked, sorted."""
        return sorted(self.texts[code] for code in np.unique(self.codes[rows]).tolist())

    def longer_than(self, size: int) -> np.ndarray:
        """Return True for the rows whose text takes more than ``size`` bytes of UTF-8."""
        return self.test(lambda text: len(text) > size or (not text.isascii() and len(text.encode()) > size))

    def spread(self, judged: np.ndarray) -> np.ndarray:
        """Return for each row what was made for its text; all False without a look at the rows if that is all False."""
        if judged.dtype == bool and not judged.any():
            return np.zeros(len(self.codes), bool)
        return np.asarray(judged[self.codes])


def _texts(values: Any) -> pa.Array:
    try:
        found = pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        raise TypeError("values of several types") from None
    kind = found.type
    if len(found) and not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)):
        raise TypeError(str(kind))
    return (found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found).cast(pa.large_string())


class Columns:
    """The columns of a frame, which is never changed in place, each read once."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        self._words: dict[str, Words] = {}
        self._numbers: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.frame)

    def __contains__(self, name: str) -> bool:
        return name in self._kinds

    def __getitem__(self, name: str) -> Words | np.ndarray:
        """Return a column as a condition looks at it: coded texts, or float64 with NaN where missing."""
        return self.words(name) if self.is_text(name) else self.numbers(name)

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return list(self._kinds)

    @cached_property
    def _kinds(self) -> dict[str, bool]:
        return {str(name): pd.api.types.is_numeric_dtype(kind) for name, kind in self.frame.dtypes.items()}

    @property
    def kinds(self) -> dict[str, str]:
        """Char or Num for each column, as a condition is checked against them."""
        return {name: "Num" if numeric else "Char" for name, numeric in self._kinds.items()}

    def is_text(self, name: str) -> bool:
        """Whether the column holds texts, not numbers."""
        return not self._kinds[name]

    def words(self, name: str) -> Words:
        """Return a column as codes into its distinct texts; numbers as their shortest texts."""
        if name not in self._words:
            is_text = self.is_text(name)
            self._words[name] = Words.of(self.frame[name]) if is_text else Words.of_numbers(self.numbers(name))
        return self._words[name]

    def filled(self, name: str) -> np.ndarray:
        """Return True for the rows that have a value."""
        return ~self.words(name).equal("") if self.is_text(name) else ~np.isnan(self.numbers(name))

    def numbers(self, name: str) -> np.ndarray:
        """Return a column of numbers as float64, NaN where missing."""
        if name not in self._numbers:
            self._numbers[name] = self.frame[name].to_numpy(float, na_value=np.nan)
        return self._numbers[name]


def first_match(wanted: Sequence[Words], known: Sequence[Words]) -> np.ndarray:
    """Return for each row of ``wanted`` columns the first row of the ``known`` ones with the same texts, else -1."""
    key, asked = np.zeros(len(known[0].codes), np.int64), np.zeros(len(wanted[0].codes), np.int64)
    for mine, theirs in zip(wanted, known, strict=True):
        several = len(theirs.texts) + 1  # the last code stands for a text that is not known
        code = np.array([theirs.places.get(text, several - 1) for text in mine.texts], np.int64)
        key, asked = key * several + theirs.codes, asked * several + mine.spread(code)
    order = np.argsort(key, kind="stable")
    row = np.append(order, -1)[np.searchsorted(key, asked, sorter=order)]
    return np.where(np.append(key, -1)[row] == asked, row, -1)


def first_used(indices: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return for each index (below ``size``) its place in the order of first use, and the indices in that order."""
    first = np.full(size, len(indices), np.int32)
    first[indices[::-1]] = np.arange(len(indices) - 1, -1, -1, dtype=np.int32)  # what is written last, stays
    used = np.flatnonzero(first < len(indices))
    used = used[np.argsort(first[used])]
    place = first
    place[used] = np.arange(len(used), dtype=np.int32)
    return place[indices], used
