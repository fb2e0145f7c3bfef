"""Every transport file is read again by two readers, which share no code with the writer, and compared.

``stored_rows`` reads every value of every file. ReadStat, which others use too, reads the header and the rows: all of
them up to ``WHOLE``, of larger files ``SAMPLE`` rows in equal distances, the first and the last among them.
Numbers are compared as doubles, missing with missing; texts as texts. Dates are read as the numbers that they are.
"""

from __future__ import annotations

from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from metadata.dataset import Dataset, Variable
from metadata.errors import StudyError
from publish.disk import outside
from publish.record_key import record_at
from publish.stored_rows import StoredRows
from publish.xpt_layout import TIMES, file_size, timestamp, width

WHOLE, SAMPLE = 50_000, 10_000


def verify(dataset: Dataset, path: Path, created: date) -> int:
    """Raise StudyError for the first difference between ``dataset`` and the transport file at ``path``.

    Compared are the file's size, its dataset name, label and times, each variable's name, order, type, length, label
    and format, the number of rows, and every value. Returns the number of rows that ReadStat read.
    """
    _compare_size(dataset, path)
    count = len(dataset.frame)
    rows = np.arange(count) if count <= WHOLE else np.linspace(0, count - 1, SAMPLE).astype(np.int64)
    values, read = _read(path, rows if len(rows) < count else None)
    _compare_header(dataset, path, created, read)
    _compare_count(path, len(values[dataset.metadata.names[0]]), len(rows))
    for variable in dataset.metadata.variables if count else ():
        _compare_values(dataset, variable, rows, values[variable.name])
    _compare_every_value(dataset, path)
    return len(rows)


def _compare_count(path: Path, found: int, written: int) -> None:
    if found != written:
        raise StudyError(f"{path.name} reads back with {found} rows where {written} were written")


def _compare_every_value(dataset: Dataset, path: Path) -> None:
    with outside(f"read {path}"):
        stored = StoredRows(path)
        _compare_count(path, stored.count(), len(dataset.frame))
        found = stored.first_difference(dataset)
    if found:
        raise _different(dataset, *found)


def _read(path: Path, rows: np.ndarray | None) -> tuple[dict[str, list[Any]], Any]:
    """Return values and metadata as ReadStat reads them, of the whole file or of some rows."""
    import pyreadstat

    with outside(f"read {path}"):
        try:
            source = str(path) if rows is None else BytesIO(StoredRows(path).excerpt(rows))
            return pyreadstat.read_xport(source, output_format="dict", disable_datetime_conversion=True)
        except (pyreadstat.ReadstatError, ValueError) as error:  # a ValueError: the header, or text that is not UTF-8
            raise StudyError(f"{path.name} cannot be read back: {error}") from error


def _compare_size(dataset: Dataset, path: Path) -> None:
    expected = file_size(dataset.metadata, len(dataset.frame))
    with outside(f"read {path}"):
        actual = path.stat().st_size
    if actual != expected:
        raise StudyError(f"{path.name} has {actual} bytes where {expected} were written")


def _compare_header(dataset: Dataset, path: Path, created: date, read: Any) -> None:
    metadata = dataset.metadata
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
    """Return the four times of the header; ReadStat returns only one of them."""
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


def _compare_values(dataset: Dataset, variable: Variable, rows: np.ndarray, values: list[Any]) -> None:
    row = (_first_number if variable.type == "Num" else _first_text)(dataset, variable.name, rows, values)
    if row is not None:
        raise _different(dataset, variable.name, row)


def _different(dataset: Dataset, variable: str, row: int) -> StudyError:
    place = f"{dataset.name} {variable}, record {record_at(dataset, row)}"
    return StudyError(f"{place}: the value in the transport file differs from the one that was written")


def _first_number(dataset: Dataset, name: str, rows: np.ndarray, values: list[Any]) -> int | None:
    """Return the first of the rows whose number differs."""
    numbers, found = dataset.columns.numbers(name)[rows], np.array(values, np.float64)
    differs = (numbers != found) & ~(np.isnan(numbers) & np.isnan(found))
    return int(rows[differs.argmax()]) if differs.any() else None


def _first_text(dataset: Dataset, name: str, rows: np.ndarray, values: list[Any]) -> int | None:
    """Return the first of the rows whose text differs."""
    coded = dataset.coded(name)
    written = coded.objects[coded.codes[rows]].tolist()
    if written == values:
        return None
    return int(rows[next(at for at, (text, found) in enumerate(zip(written, values, strict=True)) if text != found)])
