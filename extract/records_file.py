"""The records of a snapshot as a parquet file, written and read in parts, however large the project is."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet

from metadata.text_table import TextTable

CELLS_A_GROUP = 20_000_000
"""Cells of a row group, which memory holds as plain texts, of eight bytes and more, while it is written."""


def write_records(records: TextTable, file: BinaryIO) -> None:
    """Write columns of texts, as pandas would write them, in row groups of as many rows as their columns allow."""
    kind = pa.schema([(name, pa.large_string()) for name in records.names])
    described = pd.DataFrame({name: pd.Series([], dtype="str") for name in records.names})
    schema = pa.Table.from_pandas(described, schema=kind, preserve_index=False).schema
    size = max(1, CELLS_A_GROUP // max(1, len(records.names)))
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for start in range(0, max(1, len(records)), size):
            writer.write_table(records.slice(start, size).replace_schema_metadata(schema.metadata), size)


def read_records(path: Path) -> TextTable:
    """Return the columns of such a file, read one after the other."""
    names = parquet.read_schema(path).names
    with parquet.ParquetFile(path, read_dictionary=names) as file:
        columns = {name: TextTable.of_arrow(file.read(columns=[name])).column(name) for name in names}
        return TextTable(columns, file.metadata.num_rows)
