"""A table of texts in little memory: each column as codes of one to four bytes into its distinct texts.

Of REDCap's flat export most cells are blank or repeat a few texts. As plain texts a cell takes eight bytes and more,
here most take one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from metadata.coded_text import CodedText

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

CELLS_TOGETHER = 4_000_000


class TextTable:
    """Columns of texts, one below the other as many rows.

    A text may be missing (null), which is not the same as blank. A table is never changed in place, so tables share
    columns. ``columns`` are Arrow dictionary arrays of distinct large strings, some of which no row may hold.
    """

    def __init__(self, columns: Mapping[str, pa.DictionaryArray], count: int) -> None:
        self._columns, self._count = dict(columns), count

    @classmethod
    def of_arrow(cls, table: pa.Table) -> TextTable:
        """Return the columns of an Arrow table, which are texts or dictionaries of texts."""
        return cls({name: _packed(_joined(table[name])) for name in table.column_names}, table.num_rows)

    @classmethod
    def of_parts(cls, parts: Iterable[pa.Table]) -> TextTable:
        """Return Arrow tables one below the other; a column that a part lacks is missing in its rows.

        Small parts are joined before their codes are shortened, since each column of each part costs time.
        """
        import pyarrow as pa

        return cls.stack(cls.of_arrow(pa.concat_tables(some, promote_options="default")) for some in _together(parts))

    @classmethod
    def of_frame(cls, frame: pd.DataFrame) -> TextTable:
        """Return the columns of a frame as texts; None and NaN are missing."""
        import pyarrow as pa

        texts = frame.astype("str")
        return cls({str(name): _packed(_joined(pa.array(texts[name]))) for name in texts}, len(frame))

    @classmethod
    def stack(cls, parts: Iterable[TextTable]) -> TextTable:
        """Return all parts one below the other; a column that a part lacks is missing in its rows."""
        held = [(dict(part._columns), len(part)) for part in parts]
        filled = [(columns, count) for columns, count in held if count] or held[:1]
        names = list(dict.fromkeys(name for columns, _ in held for name in columns))
        made = {}
        for name in names:  # one column after the other, so that memory holds one of them twice
            made[name] = _stacked([(columns.pop(name, None), count) for columns, count in filled])
        return cls(made, sum(count for _, count in filled))

    def __len__(self) -> int:
        """Number of rows."""
        return self._count

    def __contains__(self, name: object) -> bool:
        """True if there is such a column."""
        return name in self._columns

    @property
    def names(self) -> list[str]:
        """Names of the columns in their order."""
        return list(self._columns)

    def column(self, name: str) -> pa.DictionaryArray:
        """Return a column as it is held."""
        return self._columns[name]

    def plain(self, name: str) -> pa.LargeStringArray:
        """Return a column as Arrow's plain texts."""
        import pyarrow as pa

        return self._columns[name].cast(pa.large_string())

    def coded(self, name: str, rows: np.ndarray | None = None) -> CodedText:
        """Return a column, or its rows at positions, blank where missing; its texts in the order in which they come."""
        import pandas as pd

        held = self._columns[name]
        codes = self._codes(name)
        found, used = pd.factorize(codes if rows is None else codes[rows])
        texts = held.dictionary.take(_indices(used)).to_pylist()
        return CodedText.of_codes(found, [text or "" for text in texts])

    def texts_at(self, name: str, rows: np.ndarray) -> np.ndarray:
        """Return the texts of a column at positions as objects; blank where they are missing or the position is -1."""
        held = self._columns[name]
        texts = np.array([*held.dictionary.to_pylist(), ""], object)
        codes = np.append(self._codes(name), np.int8(-1))
        return np.asarray(texts[codes[rows]])

    def where(self, name: str, passing: Mapping[str, bool], otherwise: bool, missing: bool = False) -> np.ndarray:
        """Return for each row what ``passing`` says of its text, ``otherwise`` for others; ``missing`` has its own."""
        texts = self._columns[name].dictionary.to_pylist()
        made = np.array([*(passing.get(text, otherwise) for text in texts), missing], bool)
        return np.asarray(made[self._codes(name)])

    def missing(self, name: str) -> np.ndarray:
        """Return True for the rows in which a column has no text, not even a blank one."""
        return self._codes(name) < 0

    def distinct(self, name: str) -> list[str]:
        """Return the texts that some row of a column holds, in the order in which they come."""
        return [text for text in self._columns[name].unique().to_pylist() if text is not None]

    def take(self, rows: np.ndarray) -> TextTable:
        """Return the rows that are marked, or those at positions."""
        import pyarrow as pa

        if rows.dtype == bool:
            rows = np.flatnonzero(rows)
        places = pa.array(rows)
        return TextTable({name: column.take(places) for name, column in self._columns.items()}, len(rows))

    def select(self, names: Iterable[str]) -> TextTable:
        """Return some of the columns."""
        return TextTable({name: self._columns[name] for name in names}, self._count)

    def filled(self) -> TextTable:
        """Return the table with blanks where a text is missing."""
        lacking = [name for name, column in self._columns.items() if column.null_count]
        return self.changed({name: _packed(self.plain(name).fill_null("")) for name in lacking})

    def with_constant(self, text: str, names: Collection[str]) -> TextTable:
        """Return the table in which each row of some columns, old or new, has the same text."""
        import pyarrow as pa

        codes = pa.array(np.zeros(self._count, np.int8))
        column = pa.DictionaryArray.from_arrays(codes, pa.array([text], pa.large_string()))
        return self.changed(dict.fromkeys(names, column))

    def with_text(self, name: str, text: str, at: np.ndarray) -> TextTable:
        """Return the table in which one column has a text in the rows that are marked or at positions."""
        import pyarrow as pa

        held = self._columns[name]
        codes, texts = self._codes(name).astype(np.int32), held.dictionary.to_pylist()
        codes[at] = texts.index(text) if text in texts else len(texts)
        texts = texts if text in texts else [*texts, text]
        coded = pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), pa.array(texts, pa.large_string()))
        return self.changed({name: _packed(coded)})

    def changed(self, columns: Mapping[str, pa.DictionaryArray]) -> TextTable:
        """Return the table with other or further columns."""
        return TextTable({**self._columns, **columns}, self._count)

    def slice(self, start: int, count: int) -> pa.Table:
        """Return some rows as a plain Arrow table."""
        import pyarrow as pa

        kind = pa.large_string()
        return pa.table({name: held.slice(start, count).cast(kind) for name, held in self._columns.items()})

    def frame(self, names: Iterable[str] | None = None) -> pd.DataFrame:
        """Return all or some columns as a frame of plain texts, which takes many times the memory."""
        import pandas as pd

        chosen = self.names if names is None else names
        return pd.DataFrame({name: pd.Series(self.plain(name), dtype="str") for name in chosen}, range(self._count))

    def _codes(self, name: str) -> np.ndarray:
        """Return the codes of a column, -1 where a text is missing."""
        codes = self._columns[name].indices
        return np.asarray((codes.fill_null(-1) if codes.null_count else codes).to_numpy(zero_copy_only=False))


def _together(parts: Iterable[pa.Table]) -> Iterator[list[pa.Table]]:
    """Yield the parts in groups of a few million cells, whose codes take four bytes each as yet."""
    group: list[pa.Table] = []
    for part in parts:
        group.append(part)
        if sum(one.num_rows * one.num_columns for one in group) >= CELLS_TOGETHER:
            yield group
            group = []
    if group:
        yield group


def _indices(places: np.ndarray) -> pa.Array:
    """Return places as Arrow has them, null for -1."""
    import pyarrow as pa

    return pa.array(places, mask=places < 0)


def _joined(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    import pyarrow as pa

    if not isinstance(values, pa.ChunkedArray):
        return values
    if pa.types.is_dictionary(values.type):
        return values.unify_dictionaries().combine_chunks()
    return (values if pa.types.is_null(values.type) else values.dictionary_encode()).combine_chunks()


def _encoded(values: pa.Array) -> pa.DictionaryArray:
    """Return texts as a dictionary of large strings."""
    import pyarrow as pa

    if isinstance(values, pa.ChunkedArray):  # what an empty column is joined to
        values = pa.array([], pa.large_string())
    if not pa.types.is_dictionary(values.type):
        values = (values.cast(pa.string()) if pa.types.is_null(values.type) else values).dictionary_encode()
    if values.type.value_type == pa.large_string():
        return values
    return pa.DictionaryArray.from_arrays(values.indices, values.dictionary.cast(pa.large_string()))


def _packed(values: pa.Array) -> pa.DictionaryArray:
    """Return texts as a dictionary whose codes take as few bytes as its length allows."""
    import pyarrow as pa

    held = _encoded(values)
    kind = pa.from_numpy_dtype(np.min_scalar_type(-max(1, len(held.dictionary))))
    return (
        held if held.indices.type == kind else pa.DictionaryArray.from_arrays(held.indices.cast(kind), held.dictionary)
    )


def _stacked(pieces: list[tuple[pa.DictionaryArray | None, int]]) -> pa.DictionaryArray:
    """Return the pieces of one column joined; a piece that is not there is as many missing texts."""
    import pyarrow as pa

    kind = pa.dictionary(pa.int32(), pa.large_string())
    if len(pieces) == 1 and pieces[0][0] is not None:
        return pieces[0][0]
    wide = [
        pa.nulls(count, kind) if one is None else one if one.type == kind else one.cast(kind) for one, count in pieces
    ]
    return _packed(_joined(pa.chunked_array(wide, kind)))
