"""Parquet copies of the datasets: the same values as the transport file, with labels and formats."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from metadata.coded_matching import first_used
from metadata.dataset import Dataset, DatasetMetadata, Variable
from publish.disk import replacing

STORED = b"ARROW:schema"  # where arrow looks for the schema of a parquet file
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
    write_table(pa.Table.from_arrays(columns, names=dataset.metadata.names), path, schema)


def write_table(table: pa.Table, path: Path, read_as: pa.Schema | None = None) -> None:
    """Write an arrow table in the one way this package uses; raises OutsideError.

    With ``read_as`` codes into texts go to the file as the codes that they are, and readers find the strings and the
    metadata of that schema.
    """
    write_tables([table], path, read_as)


def write_tables(tables: Iterable[pa.Table], path: Path, read_as: pa.Schema | None = None) -> None:
    """Write one or more tables of one schema as ``write_table`` does; each is made when it is written."""
    waiting = iter(tables)
    first = next(waiting)
    with (
        replacing(path) as file,
        pq.ParquetWriter(
            file,
            first.schema,
            compression="zstd",
            version="2.6",
            dictionary_pagesize_limit=DICTIONARY_PAGE,
            store_schema=read_as is None,
        ) as writer,
    ):
        writer.write_table(first, row_group_size=ROW_GROUP)
        del first
        for table in waiting:
            writer.write_table(table, row_group_size=ROW_GROUP)
        if read_as is not None:
            stored = {STORED: b64encode(read_as.serialize().to_pybytes())}
            writer.add_key_value_metadata({**(read_as.metadata or {}), **stored})


def _column(dataset: Dataset, variable: Variable) -> pa.Array:
    if variable.type == "Num":
        return pa.array(dataset.columns.numbers(variable.name), pa.float64(), from_pandas=True)
    coded = dataset.coded(variable.name)
    codes, used = first_used(coded.codes, len(coded.texts))
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array([coded.texts[code] for code in used], pa.string()))


def _field(variable: Variable) -> pa.Field:
    kind = pa.float64() if variable.type == "Num" else pa.string()
    attributes = {
        "label": variable.label,
        "length": str(variable.length or ""),
        "format": variable.format or "",
        "origin": variable.origin,
        "method": variable.method,
    }
    return pa.field(variable.name, kind, metadata=attributes)


def _table_metadata(metadata: DatasetMetadata) -> dict[str, str]:
    return {
        "name": metadata.name,
        "label": metadata.label,
        "class": metadata.dataset_class,
        "structure": metadata.structure,
        "keys": " ".join(metadata.keys),
    }
