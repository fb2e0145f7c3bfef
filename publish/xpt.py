"""SAS transport files, version 5, written column by column in chunks of rows.

A text column becomes a matrix of bytes by padding, a number column by integer shifts; both are laid into one matrix
of a chunk of rows, which goes to the file as it is. What cannot be kept exactly is refused in a sentence, never cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from metadata.coded_text import CodedText
from metadata.dataset import Dataset, Variable
from metadata.errors import StudyError
from publish import ibm_float
from publish.disk import replacing
from publish.record_key import record_at
from publish.refusals import Standard, refuse_metadata
from publish.xpt_layout import header, padding, row_length, width
from publish.xpt_reading import read

__all__ = ["read", "write", "write_batches"]

CHUNK = 10_000  # a chunk of a few megabytes stays in the cache while column after column is laid into it
BLANK = 0x20

Encoder = Callable[[int, int], np.ndarray]
"""Rows from start to stop of one variable as a matrix of bytes (rows, width)."""


def write(dataset: Dataset, path: Path, created: date, standard: Standard) -> None:
    """Write ``dataset`` to ``path``; the file takes its place only when it is whole.

    ``created`` is written at the four places where the format has a time. Leading blanks of a text are kept, trailing
    blanks refused, since the format cannot distinguish them from padding. Raises StudyError for what the format or the
    agency refuses, naming dataset, variable, record and what would be right; OutsideError if the disk fails.
    """
    write_batches((dataset,), path, created, standard)


def write_batches(batches: Iterable[Dataset], path: Path, created: date, standard: Standard) -> int:
    """Write a dataset that comes in batches of rows, one after the other, each with the same metadata; return the rows.

    No more than one batch is held, so a dataset may be larger than the memory. Otherwise as ``write``, which writes
    one batch; a record is named within its batch. Raises StudyError as well if there is no batch, or if the metadata
    changes.
    """
    rows, first = 0, None
    with replacing(path) as file:
        for batch in batches:
            refuse_metadata(batch, standard)
            if first is None:
                _refuse_place(batch, path)
                file.write(header(batch.metadata, created))
                first = batch.metadata
            elif batch.metadata != first:
                raise StudyError(f"{first.name}: a batch has other metadata than the first")
            _write_rows(batch, file)
            rows += len(batch.frame)
        if first is None:
            raise StudyError(f"{path.name}: there is nothing to write; give a batch without rows for an empty dataset")
        file.write(b" " * padding(rows * row_length(first)))
    return rows


def _write_rows(batch: Dataset, file: BinaryIO) -> None:
    rows, encoders = len(batch.frame), _encoders(batch)
    for start in range(0, rows, CHUNK):
        file.write(_chunk(batch, encoders, start, min(start + CHUNK, rows)).data)


def _refuse_place(dataset: Dataset, path: Path) -> None:
    if path.name != f"{dataset.name.lower()}.xpt":
        raise StudyError(f"{dataset.name} belongs into a file {dataset.name.lower()}.xpt, not {path.name}")


def _chunk(dataset: Dataset, encoders: list[Encoder], start: int, stop: int) -> np.ndarray:
    matrix = np.empty((stop - start, row_length(dataset.metadata)), np.uint8)
    position = 0
    for encode in encoders:
        block = encode(start, stop)
        matrix[:, position : position + block.shape[1]] = block
        position += block.shape[1]
    _refuse_blank_rows(dataset, matrix, start)
    return matrix


def _refuse_blank_rows(dataset: Dataset, matrix: np.ndarray, start: int) -> None:
    """Refuse a row of blanks only: at the end of a file no reader could distinguish it from padding."""
    candidates = np.flatnonzero(matrix[:, 0] == BLANK)
    blank = candidates[(matrix[candidates] == BLANK).all(axis=1)]
    if len(blank):
        raise StudyError(f"{dataset.name}: row {start + blank[0] + 1} is blank in every variable; remove it")


def _encoders(dataset: Dataset) -> list[Encoder]:
    variables = dataset.metadata.variables
    return [(_number if variable.type == "Num" else _text)(dataset, variable) for variable in variables]


def _number(dataset: Dataset, variable: Variable) -> Encoder:
    column = dataset.frame[variable.name]
    if not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        raise StudyError(f"{dataset.name} {variable.name}: a Num variable holds numbers, not {column.dtype}")

    def encode(start: int, stop: int) -> np.ndarray:
        values = column.iloc[start:stop].to_numpy(np.float64, na_value=np.nan)
        refused = ibm_float.cannot_hold(values)
        if refused.any():
            raise _refusal(
                dataset,
                variable,
                start + int(refused.argmax()),
                "the number is infinite, too large or too small for the format, which holds 0 and 5.4e-79 to 9e74",
            )
        return ibm_float.encode(values)

    return encode


def _text(dataset: Dataset, variable: Variable) -> Encoder:
    """Pad each distinct text once."""
    coded, size = _coded(dataset, variable), width(variable)
    padded = "".join([text.ljust(size) for text in coded.texts])
    if len(padded) != size * len(coded.texts) or not (padded.isascii() and padded.isprintable()):
        raise _refused_text(dataset, variable, coded)
    if any(text.endswith(" ") for text in coded.texts):
        raise _refused_text(dataset, variable, coded)
    images = np.frombuffer(padded.encode(), np.uint8).reshape(-1, size)
    return lambda start, stop: images.take(coded.codes[start:stop], axis=0)


def _coded(dataset: Dataset, variable: Variable) -> CodedText:
    """Return the texts of a column after refusing anything that is not text."""
    place = f"{dataset.name} {variable.name}"
    try:
        coded = dataset.coded(variable.name) if dataset.columns.is_text(variable.name) else None
    except TypeError as error:
        raise StudyError(f"{place}: a Char variable holds texts, not {error}") from None
    if coded is None:
        raise StudyError(f"{place}: a Char variable holds texts, not {dataset.frame[variable.name].dtype}")
    null = dataset.frame[variable.name].isna().to_numpy(bool)
    if null.any():
        row = int(null.argmax())
        raise _refusal(dataset, variable, row, "the value is null; a text that was not collected is empty")
    return coded


def _refused_text(dataset: Dataset, variable: Variable, coded: CodedText) -> StudyError:
    """Say what is wrong with the first text that the format cannot keep."""
    code, why = next(
        (code, why) for code, text in enumerate(coded.texts) if (why := _why_refused(text, width(variable)))
    )
    return _refusal(dataset, variable, int((coded.codes == code).argmax()), why)


def _why_refused(text: str, size: int) -> str:
    length = len(text.encode())
    if length > size:
        return f"the text takes {length} bytes, the variable {size}; shorten or continue it"
    if not (text.isascii() and text.isprintable()):
        return f"{_unprintable(text)}; transliterate it to printable ASCII"
    return "the text ends with a blank, which the format cannot keep; strip it" if text.endswith(" ") else ""


def _unprintable(text: str) -> str:
    position = next(index for index, character in enumerate(text) if not " " <= character <= "~")
    return f"the text holds the character U+{ord(text[position]):04X} at position {position + 1}"


def _refusal(dataset: Dataset, variable: Variable, row: int, why: str) -> StudyError:
    return StudyError(f"{dataset.name} {variable.name}, record {record_at(dataset, row)}: {why}")
