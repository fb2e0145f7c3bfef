"""The key of a record as text, by the variables that the dataset's metadata names as its keys."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from metadata.dataset import Dataset, DatasetMetadata
from metadata.errors import StudyError

CONSTANT = "STUDYID"


def identifying_keys(keys: Sequence[str]) -> list[str]:
    """Return the key variables that identify a record; STUDYID, the same in all, only if it is the only one."""
    return [name for name in keys if name != CONSTANT] or list(keys)


def column_text(column: pd.Series) -> pa.Array:
    """Return a column as text: whole numbers without a point, missing numbers as an empty text."""
    if not pd.api.types.is_numeric_dtype(column.dtype):
        return one_array(pa.array(column)).cast(pa.string()).fill_null("")
    values = column.to_numpy(np.float64, na_value=np.nan)
    numbers = pa.array(values, from_pandas=True)
    known = values[~np.isnan(values)]
    whole = bool(np.all((known == np.trunc(known)) & (np.abs(known) < 2**53)))
    return numbers.cast(pa.int64() if whole else pa.float64()).cast(pa.string()).fill_null("")


def escape(values: pa.Array) -> pa.Array:
    """Return texts in which a semicolon or backslash has a backslash before it, so that pairs can be split again."""
    return pc.replace_substring(pc.replace_substring(values, "\\", "\\\\"), ";", "\\;")


def pairs_text(columns: dict[str, pd.Series]) -> pa.Array:
    """Return ``NAME=value;NAME=value`` row by row, the values escaped."""
    parts = [_pair(name, column) for name, column in columns.items()]
    return pc.binary_join_element_wise(*parts, ";") if len(parts) > 1 else parts[0]


def _pair(name: str, column: pd.Series) -> pa.Array:
    """Return ``NAME=value`` row by row; of a categorical, made once a category."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = column.cat.codes.to_numpy()
        if codes.min(initial=0) >= 0:
            return _pair(name, column.cat.categories.to_series()).take(pa.array(codes))
    return pc.binary_join_element_wise(f"{name}=", escape(column_text(column)), "")


def split_pairs(text: str) -> dict[str, str]:
    """Return the names and values of a key text: the inverse of ``pairs_text`` for one row."""
    marked = text.replace("\\\\", "\0").replace("\\;", "\1")
    pairs = (part.partition("=") for part in marked.split(";") if part)
    return {name: value.replace("\1", ";").replace("\0", "\\") for name, _, value in pairs}


def key_texts(keys: Sequence[str], frame: pd.DataFrame) -> pa.Array:
    """Return the key text of every row of ``frame``; rows are numbered from 1 if there are no keys."""
    names = identifying_keys(keys)
    if not names:
        return pairs_text({"row": pd.Series(frame.index.to_numpy() + 1)})
    return pairs_text({name: frame[name] for name in names})


def record_keys(metadata: DatasetMetadata, frame: pd.DataFrame) -> pa.Array:
    """Return the key text of every row of a dataset's frame, or of rows of it; raises StudyError on an unknown key."""
    missing = [name for name in metadata.keys if name not in frame.columns]
    if missing:
        raise StudyError(f"{metadata.name}: the key variable {missing[0]} is not in the dataset")
    return key_texts(metadata.keys, frame)


def record_at(dataset: Dataset, row: int) -> str:
    """Return the key text of one row, for sentences."""
    return record_keys(dataset.metadata, dataset.frame.iloc[[row]])[0].as_py()


def one_array(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return a column's values in one piece."""
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
