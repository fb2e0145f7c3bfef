"""SAS transport files, version 5, written column by column in chunks of rows.

A text column becomes a matrix of bytes by padding, a number column by integer shifts; both are laid into one matrix
of a chunk of rows, which goes to the file as it is. What cannot be kept exactly is refused in a sentence, never cut.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from metadata.dataset import Dataset, Variable
from metadata.errors import StudyError
from publish import ibm_float
from publish.disk import replacing
from publish.record_key import one_array, record_at
from publish.refusals import LARGEST_FILE, Standard, refuse_metadata
from publish.xpt_layout import file_size, header, padding, row_length, width

CHUNK = 10_000  # a chunk of a few megabytes stays in the cache while column after column is laid into it
BLANK = 0x20

Encoder = Callable[[int, int], np.ndarray]
"""Rows from start to stop of one variable as a matrix of bytes (rows, width)."""


def write(dataset: Dataset, path: Path, created: date, standard: Standard) -> None:
    """Write ``dataset`` to ``path``; the file takes its place only when it is whole.

    ``created`` stands at the four places where the format wants a time. Leading blanks of a text are kept, trailing
    blanks refused, since the format cannot tell them from padding. Raises StudyError for what the format or the agency
    refuses, naming dataset, variable, record and what would be right; OutsideError if the disk fails.
    """
    refuse_metadata(dataset, standard)
    _refuse_place(dataset, path)
    rows, encoders = len(dataset.frame), _encoders(dataset)
    with replacing(path) as file:
        file.write(header(dataset.metadata, created))
        for start in range(0, rows, CHUNK):
            file.write(_chunk(dataset, encoders, start, min(start + CHUNK, rows)).data)
        file.write(b" " * padding(rows * row_length(dataset.metadata)))


def _refuse_place(dataset: Dataset, path: Path) -> None:
    if path.name != f"{dataset.name.lower()}.xpt":
        raise StudyError(f"{dataset.name} belongs into a file {dataset.name.lower()}.xpt, not {path.name}")
    size = file_size(dataset.metadata, len(dataset.frame))
    if size > LARGEST_FILE:
        raise StudyError(f"{path.name} would take {size:,} bytes, more than the accepted 5 GB; split it")


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
    """Refuse a row of blanks only: at the end of a file no reader could tell it from padding."""
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
    column = _arrow_text(dataset, variable)
    if pa.types.is_dictionary(column.type):
        return _categorical(dataset, variable, column)

    def encode(start: int, stop: int) -> np.ndarray:
        texts = column.slice(start, stop - start).combine_chunks().cast(pa.large_string())
        return _matrix(texts, width(variable), lambda row, why: _refusal(dataset, variable, start + row, why))

    return encode


def _categorical(dataset: Dataset, variable: Variable, column: pa.ChunkedArray) -> Encoder:
    """Pad each category once; unused ones, which may be anything, are not looked at."""
    whole = one_array(column)
    codes = whole.indices.to_numpy()
    used = np.flatnonzero(np.bincount(codes, minlength=len(whole.dictionary)))
    texts = whole.dictionary.take(pa.array(used)).cast(pa.large_string())

    def refusal(category: int, why: str) -> StudyError:
        return _refusal(dataset, variable, int((codes == used[category]).argmax()), why)

    images = np.empty((len(whole.dictionary), width(variable)), np.uint8)
    if len(used):
        images[used] = _matrix(texts, width(variable), refusal)
    return lambda start, stop: images.take(codes[start:stop], axis=0)


def _arrow_text(dataset: Dataset, variable: Variable) -> pa.ChunkedArray:
    """Return a text column in arrow's form, dictionary or plain, after refusing anything that is not text."""
    place = f"{dataset.name} {variable.name}"
    try:
        values = pa.array(dataset.frame[variable.name])
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        raise StudyError(f"{place}: a Char variable holds texts, but its values are of several types") from None
    column = values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if len(column) and not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise StudyError(f"{place}: a Char variable holds texts, not {kind}")
    if column.null_count:
        row = pc.index(column.is_null(), True).as_py()
        raise _refusal(dataset, variable, row, "the value is null; a text that was not collected is empty")
    return column


def _matrix(texts: pa.Array, size: int, refusal: Callable[[int, str], StudyError]) -> np.ndarray:
    """Return texts padded with blanks to ``size`` bytes each, as uint8 (rows, size)."""
    padded = pc.ascii_rpad(texts, size, " ")
    _, offsets, data = padded.buffers()
    first, last = np.frombuffer(offsets, np.int64)[[padded.offset, padded.offset + len(padded)]]
    if last - first != len(texts) * size:
        row, length = _longest(texts, size)
        raise refusal(row, f"the text takes {length} bytes, the variable {size}; shorten or continue it")
    matrix = np.frombuffer(data, np.uint8)[first:last].reshape(-1, size)
    if matrix.min() < BLANK or matrix.max() > 0x7E:
        row = int(((matrix < BLANK) | (matrix > 0x7E)).any(axis=1).argmax())
        raise refusal(row, f"{_unprintable(texts[row].as_py())}; transliterate it to printable ASCII")
    blank_end = pc.ends_with(texts, " ")
    if pc.any(blank_end).as_py():
        row = pc.index(blank_end, True).as_py()
        raise refusal(row, "the text ends with a blank, which the format cannot keep; strip it")
    return matrix


def _longest(texts: pa.Array, size: int) -> tuple[int, int]:
    lengths = pc.binary_length(texts).to_numpy()
    row = int((lengths > size).argmax())
    return row, int(lengths[row])


def _unprintable(text: str) -> str:
    position = next(index for index, character in enumerate(text) if not " " <= character <= "~")
    return f"the text holds the character U+{ord(text[position]):04X} at position {position + 1}"


def _refusal(dataset: Dataset, variable: Variable, row: int, why: str) -> StudyError:
    return StudyError(f"{dataset.name} {variable.name}, record {record_at(dataset, row)}: {why}")
