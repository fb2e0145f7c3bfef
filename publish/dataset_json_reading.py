"""Reading of Dataset-JSON 1.1, plain (.json), by lines (.ndjson) or compressed (.dsjc), made by anyone.

Source: CDISC Dataset-JSON 1.1. The specification speaks of a zlib stream, and CDISC's own examples are gzip: both are
read.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import orjson

from metadata.errors import UsageError
from metadata.iso8601 import to_sas_days

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".json", ".ndjson", ".dsjc")
NUMBERS = ("integer", "float", "double", "decimal")
GZIP = b"\x1f\x8b"
EPOCH = np.datetime64("1960-01-01")


def read_rows(path: Path) -> tuple[dict[str, Any], list[list[Any]]]:
    """Return what the file says of the dataset, and its rows; raises as ``read_parts`` does."""
    [(about, rows)] = read_parts(path)
    return about, rows


def read_parts(path: Path, size: int | None = None) -> Iterator[tuple[dict[str, Any], list[list[Any]]]]:
    """Yield what the file says of the dataset with ``size`` rows at a time, so that memory holds no more of them.

    All rows come at once if no size is given, and from a plain file. There is always a part, if only an empty one.
    Raises UsageError for a file that is not Dataset-JSON, or whose rows are not as many and as long as it says; OSError
    if the disk fails.
    """
    count, about = 0, dict[str, Any]()
    with path.open("rb") as file:
        for about, rows in _parts(path, file, size):
            _check(path, about, rows, count)
            count += len(rows)
            yield about, rows
    if about.get("records") != count:
        raise UsageError(f"{path} says that it has {about.get('records')} records, and has {count}")


def _parts(path: Path, file: BinaryIO, size: int | None) -> Iterator[tuple[Any, list[Any]]]:
    try:
        if path.suffix.lower() == ".json":
            about = orjson.loads(file.read())
            yield about, about.pop("rows", [])
        else:
            yield from _of_lines(_unpacked(file) if path.suffix.lower() == ".dsjc" else file, size)
    except (ValueError, zlib.error, EOFError, gzip.BadGzipFile, AttributeError) as error:
        problem = str(error)
    else:
        return
    raise UsageError(f"{path} is not Dataset-JSON: {problem}")


def _unpacked(file: BinaryIO) -> Iterable[bytes]:
    """Return the lines of a compressed file."""
    head = file.read(len(GZIP))
    file.seek(0)
    return gzip.GzipFile(fileobj=file) if head == GZIP else io.BytesIO(zlib.decompress(file.read()))


def _of_lines(file: Iterable[bytes], size: int | None) -> Iterator[tuple[Any, list[Any]]]:
    lines = (orjson.loads(line) for block in file for line in block.splitlines() if line.strip())
    about = next(lines, None)
    rows = list(islice(lines, size))
    yield about, rows
    while size and (rows := list(islice(lines, size))):
        yield about, rows


def _check(path: Path, about: Any, rows: list[list[Any]], before: int) -> None:
    """Raise UsageError for a part, after so many rows, that is not as it says."""
    if not isinstance(about, dict) or "datasetJSONVersion" not in about or not isinstance(about.get("columns"), list):
        raise UsageError(f"{path} is not Dataset-JSON: it has no datasetJSONVersion or no columns")
    width = len(about["columns"])
    wrong = next((at for at, row in enumerate(rows) if not isinstance(row, list) or len(row) != width), None)
    if wrong is not None:
        raise UsageError(f"{path}: row {before + wrong + 1} does not have the {width} values of the columns")


def is_number(column: dict[str, Any]) -> bool:
    """Return True for a number, and for a date that stands for one (targetDataType integer)."""
    return column.get("dataType") in NUMBERS or column.get("targetDataType") == "integer"


def frame_of(path: Path, about: dict[str, Any], rows: list[list[Any]]) -> pd.DataFrame:
    """Return the rows: texts with null as blank, numbers as float64, dates that stand for numbers as SAS numbers."""
    import pandas as pd

    columns = list(zip(*rows, strict=True)) if rows else [()] * len(about["columns"])
    made = {}
    for column, values in zip(about["columns"], columns, strict=True):
        try:
            made[column["name"]] = _typed(column, list(values))
        except (ValueError, TypeError):
            problem = f"{column['name']} has values that are not of the type {column.get('dataType')}"
            raise UsageError(f"{path}: {problem}") from None
    return pd.DataFrame(made, index=range(len(rows)))


def _typed(column: dict[str, Any], values: list[Any]) -> pd.Series:
    import pandas as pd

    if not is_number(column):
        return _texts(values)
    if column.get("dataType") in ("date", "datetime", "time"):
        return pd.Series(_sas(str(column["dataType"]), values), dtype="float64")
    return pd.Series(pd.to_numeric(pd.Series(values, dtype="object"), errors="raise"), dtype="float64")


def _texts(values: list[Any]) -> pd.Series:
    """Return texts without blanks at their ends, blank where null; a boolean is the word that Python has for it."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        texts = pa.array(values, pa.large_string())
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        if any(value is not None and not isinstance(value, (str, bool)) for value in values):
            raise TypeError from None
        texts = pa.array([None if value is None else str(value) for value in values], pa.large_string())
    return pd.Series(pc.utf8_rtrim(texts.fill_null(""), characters=" "), dtype="str")


def _sas(kind: str, values: list[Any]) -> np.ndarray:
    """Return days, or seconds, as SAS counts them."""
    moments = [value or "NaT" for value in values]
    if kind == "date":
        return np.asarray(to_sas_days(np.array(moments, "datetime64[D]")), float)
    if kind == "time":
        moments = [value if value == "NaT" else f"1960-01-01T{value}" for value in moments]
    seconds = (np.array(moments, "datetime64[us]") - EPOCH) / np.timedelta64(1, "s")
    return np.asarray(seconds, float)
