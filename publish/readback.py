"""Every transport file is read again by an independent reader (ReadStat) and compared, value for value.

Numbers are compared as doubles, missing with missing; texts as texts. Dates are read as the numbers that they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from metadata.dataset import Dataset, Variable
from metadata.errors import StudyError
from publish.disk import outside
from publish.record_key import record_at
from publish.xpt_layout import TIMES, file_size, timestamp, width

CHUNK = 100_000


def verify(dataset: Dataset, path: Path, created: date) -> None:
    """Raise StudyError for the first difference between ``dataset`` and the transport file at ``path``.

    Compared are the file's size, its dataset name, label and times, each variable's name, order, type, length, label
    and format, the number of rows, and every value. The file is read in chunks of rows.
    """
    _compare_size(dataset, path)
    _compare_header(dataset, path, created)
    for start, stop, values in _chunks(dataset, path):
        for variable in dataset.metadata.variables:
            _compare_values(dataset, variable, start, stop, values[variable.name])


def _read(path: Path, **options: Any) -> tuple[dict[str, list[Any]], Any]:
    import pyreadstat

    with outside(f"read {path}"):
        try:
            return pyreadstat.read_xport(str(path), output_format="dict", disable_datetime_conversion=True, **options)
        except (pyreadstat.ReadstatError, UnicodeDecodeError) as error:
            raise StudyError(f"{path.name} cannot be read back: {error}") from error


def _chunks(dataset: Dataset, path: Path) -> Iterator[tuple[int, int, dict[str, list[Any]]]]:
    """Yield the chunks of the file; the last one asks for a row more than there are and must not find it."""
    rows = len(dataset.frame)
    for start in range(0, max(rows, 1), CHUNK):
        stop = min(start + CHUNK, rows)
        limit = CHUNK + 1 if stop == rows else CHUNK
        values, _ = _read(path, row_offset=start, row_limit=limit)
        count = len(values[dataset.metadata.names[0]])
        if count != stop - start:
            raise StudyError(f"{path.name} reads back with {start + count} rows where {rows} were written")
        if count:
            yield start, stop, values


def _compare_size(dataset: Dataset, path: Path) -> None:
    expected = file_size(dataset.metadata, len(dataset.frame))
    with outside(f"read {path}"):
        actual = path.stat().st_size
    if actual != expected:
        raise StudyError(f"{path.name} has {actual} bytes where {expected} were written")


def _compare_header(dataset: Dataset, path: Path, created: date) -> None:
    metadata, (_, read) = dataset.metadata, _read(path, metadataonly=True)
    expected: dict[str, tuple[object, object]] = {
        "dataset name": (metadata.name, read.table_name),
        "dataset label": (metadata.label, read.file_label),
        "variables": (metadata.names, read.column_names),
        "times": ([timestamp(created)] * len(TIMES), _times(path)),
    }
    for what, (written, found) in expected.items():
        _compare(path.name, what, written, found)
    for variable in metadata.variables:
        _compare_variable(path.name, variable, read)


def _times(path: Path) -> list[bytes]:
    """Return the four times of the header; ReadStat tells only one of them."""
    with outside(f"read {path}"), path.open("rb") as file:
        start = file.read(max(TIMES) + 16)
    return [start[place : place + 16] for place in TIMES]


def _compare_variable(file: str, variable: Variable, read: Any) -> None:
    name = variable.name
    kind = "Char" if read.readstat_variable_types[name] == "string" else "Num"
    shown = (read.original_variable_types[name] or "").rstrip(".")
    _compare(f"{file} {name}", "type", variable.type, kind)
    _compare(f"{file} {name}", "label", variable.label, read.column_names_to_labels[name])
    _compare(f"{file} {name}", "length", width(variable), read.variable_storage_width[name])
    _compare(f"{file} {name}", "format", (variable.format or "").rstrip("."), shown)


def _compare(place: str, what: str, written: object, found: object) -> None:
    if written != found:
        raise StudyError(f"{place}, {what}: {written!r} was written and {found!r} reads back")


def _compare_values(dataset: Dataset, variable: Variable, start: int, stop: int, values: list[Any]) -> None:
    written = dataset.frame[variable.name].iloc[start:stop]
    if variable.type == "Num":
        numbers, found = written.to_numpy(np.float64, na_value=np.nan), np.array(values, np.float64)
        differs = (numbers != found) & ~(np.isnan(numbers) & np.isnan(found))
    else:
        texts = pa.array(written).cast(pa.large_string())
        differs = pc.fill_null(pc.not_equal(texts, pa.array(values, pa.large_string())), True).to_numpy(False)
    if differs.any():
        row = start + int(differs.argmax())
        raise StudyError(
            f"{dataset.name} {variable.name}, record {record_at(dataset, row)}: the value in the transport file differs"
            " from the one that was written"
        )
