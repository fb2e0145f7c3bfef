"""Every transport file is read again by an independent reader (ReadStat) and compared, value for value.

Numbers are compared as doubles, missing with missing; texts as texts. Dates are read as the numbers that they are.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

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
    rows = len(dataset.frame)
    for start in range(0, max(rows, 1), CHUNK):
        stop = min(start + CHUNK, rows)
        # The last chunk asks for a row more than there are and must not find it.
        values, read = _read(path, row_offset=start, row_limit=CHUNK + 1 if stop == rows else CHUNK)
        if start == 0:
            _compare_header(dataset, path, created, read)
        _compare_chunk(dataset, path, start, stop, values)


def _compare_chunk(dataset: Dataset, path: Path, start: int, stop: int, values: dict[str, list[Any]]) -> None:
    found, rows = start + len(values[dataset.metadata.names[0]]), len(dataset.frame)
    if found != stop:
        raise StudyError(f"{path.name} reads back with {found} rows where {rows} were written")
    for variable in dataset.metadata.variables if found else ():
        _compare_values(dataset, variable, start, stop, values[variable.name])


def _read(path: Path, **options: Any) -> tuple[dict[str, list[Any]], Any]:
    import pyreadstat

    with outside(f"read {path}"):
        try:
            return pyreadstat.read_xport(str(path), output_format="dict", disable_datetime_conversion=True, **options)
        except (pyreadstat.ReadstatError, UnicodeDecodeError) as error:
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
    row = (_first_number if variable.type == "Num" else _first_text)(dataset, variable.name, start, stop, values)
    if row is not None:
        raise StudyError(
            f"{dataset.name} {variable.name}, record {record_at(dataset, row)}: the value in the transport file differs"
            " from the one that was written"
        )


def _first_number(dataset: Dataset, name: str, start: int, stop: int, values: list[Any]) -> int | None:
    """Return the first row whose number differs."""
    numbers, found = dataset.columns.numbers(name)[start:stop], np.array(values, np.float64)
    differs = (numbers != found) & ~(np.isnan(numbers) & np.isnan(found))
    return start + int(differs.argmax()) if differs.any() else None


def _first_text(dataset: Dataset, name: str, start: int, stop: int, values: list[Any]) -> int | None:
    """Return the first row whose text differs."""
    coded = dataset.coded(name)
    written = coded.objects[coded.codes[start:stop]].tolist()
    if written == values:
        return None
    return start + next(at for at, (text, found) in enumerate(zip(written, values, strict=True)) if text != found)
