"""The rows of a transport file, read column by column as its own header says, and compared with a dataset.

This reader shares no code with the writer. A text is read from the first row that has it, and every other row with the
same text must have the same bytes; numbers are computed from sign, exponent and mantissa.
Source: TS-140, "Record layout of a SAS version 5 or 6 data set in SAS transport format" (October 2021).
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np

from metadata.coded_text import CodedText
from metadata.dataset import Dataset

CHUNK = 10_000  # rows: a chunk of a few megabytes stays in the cache while its columns are compared
RECORD, DESCRIPTION = 80, 140
NUMBER_OF_VARIABLES = slice(608, 618)
DESCRIPTIONS = 640
PLACE = struct.Struct(">hhhh8s68xl52x")  # of a description: type, -, length, -, name, and the position in the row
BLANK = 0x20
MISSING = 0x2E << 56  # a full stop and seven zeros
POWERS = 16.0 ** np.arange(-64 - 14, 64 - 14)  # what a mantissa of 14 hexadecimal digits is multiplied by


class StoredRows:
    """The rows of one transport file; raises OSError, and ValueError for a faulty header."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            head = file.read(DESCRIPTIONS)
            descriptions = file.read(int(head[NUMBER_OF_VARIABLES]) * DESCRIPTION)
        self._places: dict[str, slice] = {}
        for _, _, length, _, name, position in PLACE.iter_unpack(descriptions):
            self._places[name.decode("ascii").rstrip()] = slice(position, position + length)
        self._width = max(place.stop for place in self._places.values())
        self._start = DESCRIPTIONS + -(-len(descriptions) // RECORD) * RECORD + RECORD

    def count(self) -> int:
        """Return the number of rows: blanks that fill the last 80 bytes are not rows."""
        size = self._path.stat().st_size - self._start
        rows = size // self._width
        with self._path.open("rb") as file:
            while rows and size - (rows - 1) * self._width < RECORD and self._is_blank(file, rows - 1):
                rows -= 1
        return rows

    def _is_blank(self, file: BinaryIO, row: int) -> bool:
        return bool((self._rows(file, row, row + 1) == BLANK).all())

    def excerpt(self, rows: np.ndarray) -> bytes:
        """Return a transport file of the same header and of some rows only, each byte as it is stored."""
        with self._path.open("rb") as file:
            header = file.read(self._start)
        data = np.memmap(self._path, np.uint8, "r", self._start, (int(rows.max()) + 1, self._width))[rows].tobytes()
        return header + data + b" " * (-len(data) % RECORD)

    def first_difference(self, dataset: Dataset) -> tuple[str, int] | None:
        """Return variable and row of a value that is not the dataset's, None if there is none; rows are as many."""
        columns: dict[str, StoredTexts | StoredNumbers] = {}
        for variable in dataset.metadata.variables:
            place = self._places[variable.name]
            if variable.type == "Num":
                columns[variable.name] = StoredNumbers(dataset.columns.numbers(variable.name))
            else:
                columns[variable.name] = StoredTexts(dataset.coded(variable.name), place.stop - place.start)
        with self._path.open("rb") as file:
            for start in range(0, len(dataset.frame), CHUNK):
                rows = self._rows(file, start, min(start + CHUNK, len(dataset.frame)))
                for name, column in columns.items():
                    row = column.first_difference(rows[:, self._places[name]], start)
                    if row is not None:
                        return name, row
        return None

    def _rows(self, file: BinaryIO, start: int, stop: int) -> np.ndarray:
        """Return the bytes of some rows, of shape (rows, width)."""
        file.seek(self._start + start * self._width)
        return np.fromfile(file, np.uint8, (stop - start) * self._width).reshape(-1, self._width)


class StoredTexts:
    """The bytes of a text variable against the texts that were written."""

    def __init__(self, coded: CodedText, width: int) -> None:
        self._codes, self._texts, self._width = coded.codes, coded.texts, width
        self._first = np.zeros(len(coded.texts), np.int64)
        self._first[coded.codes[::-1]] = np.arange(len(coded.codes))[::-1]  # of a repeated index the last value stays
        self._bytes = np.zeros((len(coded.texts), width), np.uint8)

    def first_difference(self, stored: np.ndarray, start: int) -> int | None:
        """Return the first row whose text differs; ``stored`` are the bytes of the rows from ``start``."""
        codes = self._codes[start : start + len(stored)]
        new = np.flatnonzero(self._first.take(codes) == np.arange(start, start + len(codes)))
        self._bytes[codes[new]] = stored[new]
        read = stored[new].tobytes().decode("latin-1")
        for at, (row, code) in enumerate(zip(new.tolist(), codes[new].tolist(), strict=True)):
            if read[at * self._width : (at + 1) * self._width].rstrip(" ") != self._texts[code]:
                return start + row
        expected = self._bytes.take(codes, axis=0)
        return None if np.array_equal(stored, expected) else start + int((stored != expected).any(axis=1).argmax())


class StoredNumbers:
    """The IBM doubles of a numeric variable against the numbers that were written."""

    def __init__(self, numbers: np.ndarray) -> None:
        self._numbers = numbers

    def first_difference(self, stored: np.ndarray, start: int) -> int | None:
        """Return the first row whose number differs; ``stored`` are the bytes of the rows from ``start``.

        A missing number is a full stop, zero has no bit, and a mantissa fits into a double without rounding.
        """
        bits = np.ascontiguousarray(stored).view(">u8").ravel().astype(np.int64)
        numbers = self._numbers[start : start + len(bits)]
        mantissa = bits & 0xFFFFFFFFFFFFFF
        significant = mantissa.astype(np.float64)
        read = significant * POWERS[(bits >> 56) & 0x7F]
        same = np.where(bits < 0, -read, read) == numbers
        same &= (significant.astype(np.int64) == mantissa) & ((mantissa != 0) | (bits == 0))
        same |= np.isnan(numbers) & (bits == MISSING)
        return None if same.all() else start + int((~same).argmax())
