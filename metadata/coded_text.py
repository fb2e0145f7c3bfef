"""A column of texts as codes into its few distinct texts, so that work is done once a text and not once a row.

A value is coded once, on its way from REDCap's records; tables, datasets and what is written use the same codes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class CodedText:
    """Texts, one a row: the text of a row is ``texts[codes[row]]``.

    Invariant: ``codes`` are int32, one a row, each the place of a text. ``texts`` are distinct, and the first of them
    is the empty text, which means missing. The others are in any order (see in_order), and some may be held by no row
    (see used). Neither is ever changed in place, so columns share them.
    """

    def __init__(self, codes: np.ndarray, texts: tuple[str, ...]) -> None:
        self.codes, self.texts = codes, texts

    @classmethod
    def of_codes(cls, codes: np.ndarray, texts: Iterable[str]) -> CodedText:
        """Return ``texts[code]`` for each code; the texts may repeat, and a code of -1 is blank."""
        places = {"": 0}
        moved = [places.setdefault(text, len(places)) for text in texts]
        return cls(np.array([*moved, 0], np.int32).take(codes), tuple(places))

    @classmethod
    def of(cls, values: pa.Array) -> CodedText:
        """Return the texts of an Arrow array in the order in which they come; nulls are blank."""
        coded = values.dictionary_encode()
        return cls.of_codes(coded.indices.fill_null(-1).to_numpy(zero_copy_only=False), coded.dictionary.to_pylist())

    @classmethod
    def of_series(cls, column: pd.Series) -> CodedText:
        """Return a column of texts, or of categories of texts, whose codes are taken as they are; nulls are blank.

        Raises TypeError, naming the type, if it holds anything else.
        """
        import pandas as pd

        values = column.array
        if isinstance(values, pd.Categorical):
            return cls.of_codes(values.codes, _texts(values.categories.array).to_pylist())
        return cls.of(_texts(values))

    @classmethod
    def of_numbers(cls, values: np.ndarray, write: Callable[[float], str]) -> CodedText:
        """Return each number of a float64 array as ``write`` writes it, NaN as a blank."""
        import pyarrow as pa

        coded = pa.array(values, from_pandas=True).dictionary_encode()
        codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return cls.of_codes(codes, [write(value) for value in coded.dictionary.to_pylist()])

    @classmethod
    def constant(cls, text: str, count: int) -> CodedText:
        """Return the same text ``count`` times."""
        return cls(np.full(count, bool(text), np.int32), ("", text) if text else ("",))

    @classmethod
    def stack(cls, pieces: Iterable[CodedText]) -> CodedText:
        """Return all pieces one below the other, with those of their texts that a row holds."""
        places, codes = {"": 0}, [np.empty(0, np.int32)]
        for piece in pieces:
            moved = np.zeros(len(piece.texts), np.int32)
            for code in piece.used.tolist():
                moved[code] = places.setdefault(piece.texts[code], len(places))
            codes.append(moved[piece.codes])
        return cls(np.concatenate(codes), tuple(places))

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.codes)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The code of each text."""
        return {text: code for code, text in enumerate(self.texts)}

    @cached_property
    def objects(self) -> np.ndarray:
        """The texts as an array of objects, to be indexed by codes."""
        return np.array(self.texts, object)

    @cached_property
    def used(self) -> np.ndarray:
        """The codes that some row has, ascending."""
        return np.flatnonzero(np.bincount(self.codes, minlength=len(self.texts)))

    @property
    def held(self) -> list[str]:
        """The texts that some row holds, blank only if a row is blank."""
        return [self.texts[code] for code in self.used.tolist()]

    def array(self) -> np.ndarray:
        """Return the text of each row as an object."""
        return self.objects[self.codes]

    def take(self, at: np.ndarray | slice) -> CodedText:
        """Return the rows of a slice, those that are marked, or those at positions, where -1 gives a blank."""
        if isinstance(at, slice) or at.dtype == bool:
            return CodedText(self.codes[at], self.texts)
        return CodedText(np.append(self.codes, np.int32(0))[at], self.texts)

    def where(self, keep: np.ndarray, other: str | CodedText = "") -> CodedText:
        """Return the texts where ``keep`` holds, and ``other`` (a text or a column) elsewhere."""
        if isinstance(other, str):
            texts = self.texts if other in self.places else (*self.texts, other)
            return CodedText(np.where(keep, self.codes, np.int32(self.places.get(other, len(self.texts)))), texts)
        places = dict(self.places)
        moved = np.array([places.setdefault(text, len(places)) for text in other.texts], np.int32)
        return CodedText(np.where(keep, self.codes, moved[other.codes]), tuple(places))

    def map(self, change: Callable[[str], str]) -> CodedText:
        """Return what ``change`` makes of each text."""
        return CodedText.of_codes(self.codes, [change(text) for text in self.texts])

    def replace(self, terms: Mapping[str, str], otherwise: str | None = None) -> CodedText:
        """Return the texts with those in ``terms`` replaced; the others stay, or become ``otherwise``."""
        return self.map(lambda text: terms.get(text, text if otherwise is None else otherwise))

    def join(self, other: CodedText, separator: str = "") -> CodedText:
        """Return each pair of texts joined, with the separator where neither is blank."""
        import pandas as pd

        pairs = self.codes.astype(np.int64) * len(other.texts) + other.codes
        codes, distinct = pd.factorize(pairs)
        first, second = np.divmod(distinct, len(other.texts))
        both = zip(self.objects[first], other.objects[second], strict=True)
        return CodedText.of_codes(codes, [one + (separator if one and two else "") + two for one, two in both])

    def in_use(self) -> CodedText:
        """Return the same rows without the texts that no row holds, blank excepted."""
        used = self.used if self.used[:1].tolist() == [0] else np.append(0, self.used)
        return self if len(used) == len(self.texts) else self._arranged(used)

    def in_order(self) -> CodedText:
        """Return the same rows, their texts sorted and without those that no row holds, blank excepted."""
        used = [code for code in self.used.tolist() if code]
        return self._arranged(np.array([0, *sorted(used, key=self.texts.__getitem__)]))

    def _arranged(self, codes: np.ndarray) -> CodedText:
        """Return the same rows with the texts of ``codes`` in that order."""
        place = np.zeros(len(self.texts), np.int32)
        place[codes] = np.arange(len(codes))
        return CodedText(place[self.codes], tuple(self.texts[code] for code in codes.tolist()))

    def spread(self, made: np.ndarray) -> np.ndarray:
        """Return for each row what was made for its text; all False without a look at the rows if that is all False."""
        if made.dtype == bool and not made.any():
            return np.zeros(len(self.codes), bool)
        return np.asarray(made[self.codes])

    def each(self, make: Callable[[str], Any], kind: type | str = object) -> np.ndarray:
        """Return for each row what ``make`` makes of its text, as an array of ``kind``; each text is asked once."""
        made = np.empty(len(self.texts), kind)
        made[:] = [make(text) for text in self.texts]
        return self.spread(made)

    def numbers(self) -> np.ndarray:
        """Return each text as a number (float64), NaN for a text that is not a number."""
        import pandas as pd

        read = pd.to_numeric(pd.Series(self.texts, dtype="str"), errors="coerce")
        return self.spread(read.to_numpy(np.float64, na_value=np.nan))

    def judged(self, holds: Callable[[str], object]) -> np.ndarray:
        """Return True for the texts, not the rows, that pass."""
        return np.array([bool(holds(text)) for text in self.texts], bool)

    def named(self, values: Iterable[str]) -> np.ndarray:
        """Return True for the texts, not the rows, that are among the values."""
        made = np.zeros(len(self.texts), bool)
        made[[self.places[value] for value in values if value in self.places]] = True
        return made

    def test(self, holds: Callable[[str], object]) -> np.ndarray:
        """Return True for the rows whose text passes; each text is asked once."""
        return self.spread(self.judged(holds))

    def isin(self, values: Iterable[str]) -> np.ndarray:
        """Return True for the rows whose text is one of the values."""
        return self.spread(self.named(values))

    def present(self) -> np.ndarray:
        """Return True for the rows whose text is not blank."""
        return self.codes != 0

    def ranks(self) -> np.ndarray:
        """Return for each row a number that sorts as the texts do: blank first, then by code point."""
        made = np.empty(len(self.texts), np.int32)
        made[sorted(range(len(self.texts)), key=self.texts.__getitem__)] = np.arange(len(self.texts), dtype=np.int32)
        return self.spread(made)

    def among(self, rows: np.ndarray) -> list[str]:
        """Return the distinct texts of the rows that are marked, sorted."""
        return sorted(self.take(rows).held)

    def categorical(self) -> pd.Categorical:
        """Return the column for a frame: its categories are the texts that some row holds, sorted."""
        import pandas as pd

        ordered = self.in_order()
        texts = pd.Index(ordered.texts, dtype="str")
        if ordered.present().all():
            return pd.Categorical.from_codes(ordered.codes - 1, texts[1:], validate=False)
        return pd.Categorical.from_codes(ordered.codes, texts, validate=False)


def _texts(values: Any) -> pa.Array:
    import pyarrow as pa

    try:
        found = pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        raise TypeError("values of several types") from None
    kind = found.type
    if len(found) and not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)):
        raise TypeError(str(kind))
    return (found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found).cast(pa.large_string())
