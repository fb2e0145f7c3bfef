"""The records of a snapshot as a parquet file, written and read in parts, however large the project is."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as parquet

from metadata.text_table import TextTable

CELLS_A_GROUP = 20_000_000
"""Cells of a row group, whose codes memory holds, four bytes each, while it is written."""


def write_records(records: TextTable, file: BinaryIO) -> None:
    """Write columns of texts, which pandas reads as such, in row groups of as many rows as their columns allow.

    The same texts give the same bytes, whatever codes a table has for them.
    """
    kind = pa.schema([(name, pa.large_string()) for name in records.names])
    described = pd.DataFrame({name: pd.Series([], dtype="str") for name in records.names})
    metadata = pa.Table.from_pandas(described, schema=kind, preserve_index=False).schema.metadata
    coded = pa.dictionary(pa.int32(), pa.large_string())
    schema = pa.schema([(name, coded) for name in records.names], metadata)
    size = max(1, CELLS_A_GROUP // max(1, len(records.names)))
    with parquet.ParquetWriter(file, schema, compression="zstd", write_statistics=False, store_schema=False) as writer:
        for start in range(0, max(1, len(records)), size):
            columns = [_in_order(records.column(name).slice(start, size)) for name in records.names]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema), size)


def _in_order(column: pa.DictionaryArray) -> pa.DictionaryArray:
    """Return a column whose dictionary is the texts that it holds, in their order."""
    codes = column.indices
    held = np.asarray((codes.fill_null(-1) if codes.null_count else codes).to_numpy(zero_copy_only=False))
    counted = held[held >= 0] if codes.null_count else held
    used = np.flatnonzero(np.bincount(counted, minlength=len(column.dictionary)))
    texts = column.dictionary.take(pa.array(used))
    order = pa.compute.sort_indices(texts).to_numpy()
    places = np.full(len(column.dictionary) + 1, -1, np.int32)  # the last place is that of -1
    places[used[order]] = np.arange(len(used), dtype=np.int32)
    made = places[held]
    return pa.DictionaryArray.from_arrays(pa.array(made, mask=made < 0), texts.take(pa.array(order)))


def read_records(path: Path) -> TextTable:
    """Return the columns of such a file, read one after the other."""
    names = parquet.read_schema(path).names
    with parquet.ParquetFile(path, read_dictionary=names) as file:
        columns = {name: TextTable.of_arrow(file.read(columns=[name])).column(name) for name in names}
        return TextTable(columns, file.metadata.num_rows)
