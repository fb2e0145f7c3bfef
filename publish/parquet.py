"""Parquet copies of the datasets: the same values as the transport file, with labels and formats beside them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from metadata.dataset import Dataset, DatasetMetadata, Variable
from publish.disk import replacing

ROW_GROUP = 1 << 23
DICTIONARY_PAGE = 1 << 26


def write(dataset: Dataset, path: Path) -> None:
    """Write a dataset as parquet; texts as strings, numbers as doubles, a missing number null.

    The bytes depend on the values, the metadata and the version of pyarrow alone. Raises OutsideError.
    """
    schema = pa.schema(
        [_field(variable) for variable in dataset.metadata.variables], metadata=_table_metadata(dataset.metadata)
    )
    columns = [_column(dataset, variable) for variable in dataset.metadata.variables]
    write_table(pa.Table.from_arrays(columns, schema=schema), path)


def write_table(table: pa.Table, path: Path) -> None:
    """Write an arrow table in the one way this package uses; raises OutsideError."""
    with replacing(path) as file:
        pq.write_table(
            table,
            file,
            compression="zstd",
            version="2.6",
            row_group_size=ROW_GROUP,
            dictionary_pagesize_limit=DICTIONARY_PAGE,
        )


def _column(dataset: Dataset, variable: Variable) -> pa.Array:
    if variable.type == "Num":
        return pa.array(dataset.columns.numbers(variable.name), pa.float64(), from_pandas=True)
    words = dataset.words(variable.name)
    return pa.array(words.texts, pa.string()).take(pa.array(words.codes))


def _field(variable: Variable) -> pa.Field:
    kind = pa.float64() if variable.type == "Num" else pa.string()
    described = {
        "label": variable.label,
        "length": str(variable.length or ""),
        "format": variable.format or "",
        "origin": variable.origin,
        "method": variable.method,
    }
    return pa.field(variable.name, kind, metadata=described)


def _table_metadata(metadata: DatasetMetadata) -> dict[str, str]:
    return {
        "name": metadata.name,
        "label": metadata.label,
        "class": metadata.dataset_class,
        "structure": metadata.structure,
        "keys": " ".join(metadata.keys),
    }
