"""Reading of SAS transport files, version 5, made by anyone: header, types, lengths, labels, formats and rows.

It shares no code with the writer. Rows are read in batches; of a missing number the code (``.``, ``._``, ``.A`` to
``.Z``) is kept apart from the number, which is NaN.
Source: TS-140, "Record layout of a SAS version 5 or 6 data set in SAS transport format" (October 2021).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from metadata.coded_text import CodedText
from metadata.errors import UsageError
from publish.disk import outside
from publish.stored_rows import POWERS

if TYPE_CHECKING:
    import pandas as pd

RECORD, START = 80, 640
BATCH = 100_000
LIBRARY = b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!"
MEMBER = b"HEADER RECORD*******MEMBER  HEADER RECORD!!!!!!!"
NAMESTR = b"HEADER RECORD*******NAMESTR HEADER RECORD!!!!!!!"
OBSERVATIONS = b"HEADER RECORD*******OBS     HEADER RECORD!!!!!!!"
DESCRIPTION = struct.Struct(">hhhh8s40s8shhh2s8shhl")
BLANK = 0x20
MISSING_CODES = np.array([0x2E, 0x5F, *range(0x41, 0x5B)], np.uint8)
MANTISSA = (1 << 56) - 1


@dataclass(frozen=True)
class TransportVariable:
    """One variable as the header describes it; ``length`` counts bytes, ``format`` is such as ``DATE9.`` or blank."""

    name: str
    label: str
    type: Literal["Char", "Num"]
    length: int
    format: str
    informat: str
    position: int


@dataclass(frozen=True)
class Batch:
    """Some rows: texts as codes, numbers as float64 with NaN, and the code of each missing number.

    ``missing`` has for each numeric variable the byte ``.``, ``_`` or ``A`` to ``Z`` of a row without a number, and 0
    for a row with one.
    """

    start: int
    size: int
    columns: dict[str, CodedText | np.ndarray]
    missing: dict[str, np.ndarray]


class TransportFile:
    """One dataset in a transport file; the header is read at once, the rows when they are asked for.

    Raises UsageError for a file that is not a transport file, that is cut off, or that holds several datasets, and
    OutsideError if the disk fails.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with outside(f"read {path}"), path.open("rb") as file:
            head = file.read(START)
            self._size = path.stat().st_size
            self._read_head(head)
            count, size = self._counted(head)
            blocks = file.read(-(-count * size // RECORD) * RECORD)
            observations = file.read(RECORD)
        self.guessed: set[str] = set()
        """Variables with texts that are not UTF-8, as far as they were read: these are taken for Latin-1."""
        self.variables = tuple(self._variable(blocks[at * size : (at + 1) * size]) for at in range(count))
        if observations[: len(OBSERVATIONS)] != OBSERVATIONS:
            raise self._wrong("its description of variables is not followed by the header of the rows")
        self._start = START + len(blocks) + RECORD
        self._width = sum(variable.length for variable in self.variables)
        self._check_positions()
        self.rows = self._count()

    def _wrong(self, why: str) -> UsageError:
        return UsageError(f"{self.path} is not a transport file of version 5: {why}")

    def _read_head(self, head: bytes) -> None:
        if head[:20] == LIBRARY[:20] and head[20:26] == b"LIBV8 ":
            raise self._wrong("it is one of version 8; write it with version 5")
        if head[: len(LIBRARY)] != LIBRARY:
            raise self._wrong("it does not begin with the header of a library")
        if len(head) < START or head[240 : 240 + len(MEMBER)] != MEMBER or head[560 : 560 + len(NAMESTR)] != NAMESTR:
            raise self._wrong("the headers of the dataset are not where they should be")
        self.name, self.label = _text(head[408:416]), _text(head[512:552])
        self.created, self.modified = _text(head[464:480]), _text(head[480:496])

    def _counted(self, head: bytes) -> tuple[int, int]:
        """Return the number of variables and the bytes that describe one: 140, or 136 from VAX/VMS."""
        count, size = head[608:618].strip(), head[314:318].strip()
        if not count.isdigit() or not int(count):
            raise self._wrong("its number of variables is not a number above 0")
        if size not in (b"0140", b"0136", b"140", b"136"):
            raise self._wrong("a variable is described in neither 140 nor 136 bytes")
        return int(count), int(size)

    def _variable(self, block: bytes) -> TransportVariable:
        if len(block) < DESCRIPTION.size:
            raise self._wrong("the description of its variables is cut off")
        fields = DESCRIPTION.unpack(block[: DESCRIPTION.size])
        kind, _, length, _, name, label, shown, width, decimals, _, _, read, read_width, read_decimals, position = (
            fields
        )
        if kind not in (1, 2) or length < 1:
            raise self._wrong(f"{_text(name)} is described as type {kind} of {length} bytes")
        return TransportVariable(
            _text(name),
            _text(label),
            "Num" if kind == 1 else "Char",
            length,
            _format(_text(shown), width, decimals),
            _format(_text(read), read_width, read_decimals),
            position,
        )

    def _check_positions(self) -> None:
        place = 0
        for variable in self.variables:
            if variable.position != place:
                raise self._wrong(f"{variable.name} begins at byte {variable.position} of a row, not at {place}")
            if variable.type == "Num" and not 2 <= variable.length <= 8:
                raise self._wrong(f"the number {variable.name} takes {variable.length} bytes")
            place += variable.length

    def _count(self) -> int:
        """Return the number of rows: blanks that fill the last 80 bytes are not rows."""
        size = self._size - self._start
        if size < 0 or size % RECORD:
            raise self._wrong("it is cut off, as it does not end after a whole record of 80 bytes")
        data = np.memmap(self.path, np.uint8, "r", self._start, (size,)) if size else np.empty(0, np.uint8)
        if size and self._has_another(data):
            raise UsageError(f"{self.path} holds several datasets; write one dataset a file")
        rows, rest = divmod(size, self._width)
        if rest >= RECORD or (data[rows * self._width :] != BLANK).any():
            raise self._wrong("it is cut off within a row")
        while rows and size - (rows - 1) * self._width < RECORD and self._is_blank(data, rows - 1):
            rows -= 1
        return rows

    def _has_another(self, data: np.ndarray) -> bool:
        records = data.reshape(-1, RECORD)
        wanted = np.frombuffer(MEMBER[:28], np.uint8)
        found = np.flatnonzero(records[:, 0] == wanted[0])
        return bool((records[found, : len(wanted)] == wanted).all(axis=1).any())

    def _is_blank(self, data: np.ndarray, row: int) -> bool:
        return bool((data[row * self._width : (row + 1) * self._width] == BLANK).all())

    def batches(self, size: int = BATCH) -> Iterator[Batch]:
        """Yield all rows, at most ``size`` of them at once."""
        with outside(f"read {self.path}"), self.path.open("rb") as file:
            file.seek(self._start)
            for start in range(0, self.rows, size):
                count = min(size, self.rows - start)
                rows = np.fromfile(file, np.uint8, count * self._width).reshape(count, self._width)
                yield self._batch(start, rows)

    def _batch(self, start: int, rows: np.ndarray) -> Batch:
        columns: dict[str, CodedText | np.ndarray] = {}
        missing: dict[str, np.ndarray] = {}
        for variable in self.variables:
            stored = rows[:, variable.position : variable.position + variable.length]
            if variable.type == "Num":
                columns[variable.name], missing[variable.name] = numbers(stored)
            else:
                columns[variable.name], all_utf8 = texts(stored)
                self.guessed |= set() if all_utf8 else {variable.name}
        return Batch(start, len(rows), columns, missing)

    def frame(self) -> pd.DataFrame:
        """Return all rows: texts as categories without trailing blanks, numbers as float64 with NaN where missing."""
        import pandas as pd

        batches = list(self.batches())
        made: dict[str, object] = {}
        for variable in self.variables:
            pieces = [batch.columns[variable.name] for batch in batches]
            if variable.type == "Num":
                made[variable.name] = np.concatenate([np.empty(0), *pieces])
            else:
                made[variable.name] = CodedText.stack(
                    [one for one in pieces if isinstance(one, CodedText)]
                ).categorical()
        return pd.DataFrame(made, index=range(self.rows))

    def special_missing(self) -> dict[str, dict[str, np.ndarray]]:
        """Return for each numeric variable the rows of each special missing value: ``.A`` to ``.Z`` and ``._``."""
        found: dict[str, dict[str, list[np.ndarray]]] = {}
        for batch in self.batches():
            for name, codes in batch.missing.items():
                for code in np.unique(codes[(codes != 0) & (codes != ord("."))]).tolist():
                    rows = batch.start + np.flatnonzero(codes == code)
                    found.setdefault(name, {}).setdefault(f".{chr(code)}", []).append(rows)
        return {name: {code: np.concatenate(rows) for code, rows in one.items()} for name, one in found.items()}


def read(path: Path) -> TransportFile:
    """Open a transport file: ``name``, ``label``, ``variables``, ``rows``, then ``batches()`` or ``frame()``.

    Raises UsageError for a file that is not a transport file, OutsideError if the disk fails.
    """
    return TransportFile(Path(path))


def numbers(stored: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the doubles that IBM floating point of shape (rows, 2 to 8) stores, and the codes of those missing."""
    image = np.zeros((len(stored), 8), np.uint8)
    image[:, : stored.shape[1]] = stored  # a shorter number lacks the last bytes of its mantissa
    bits = image.view(">u8").ravel().astype(np.uint64)
    mantissa = bits & np.uint64(MANTISSA)
    values = mantissa.astype(np.float64) * POWERS[((bits >> np.uint64(56)) & np.uint64(0x7F)).astype(np.int64)]
    values = np.where(image[:, 0] & 0x80, -values, values)
    is_missing = (mantissa == 0) & np.isin(image[:, 0], MISSING_CODES)
    return np.where(is_missing, np.nan, values), np.where(is_missing, image[:, 0], 0).astype(np.uint8)


def texts(stored: np.ndarray) -> tuple[CodedText, bool]:
    """Return the texts of shape (rows, bytes) without the blanks that fill them up, and whether all are UTF-8."""
    import pyarrow as pa

    content = pa.py_buffer(np.ascontiguousarray(stored))
    kind = pa.binary(stored.shape[1])
    coded = pa.FixedSizeBinaryArray.from_buffers(kind, len(stored), [None, content]).dictionary_encode()
    images = coded.dictionary.to_pylist()
    found = [_decoded(image) for image in images]
    all_utf8 = all(text.encode() == image.rstrip(b" ") for text, image in zip(found, images, strict=True))
    return CodedText.of_codes(coded.indices.to_numpy(zero_copy_only=False), found), all_utf8


def _decoded(image: bytes) -> str:
    """Return a text of no declared encoding: UTF-8, of which ASCII is a part, else Latin-1, in which all bytes are."""
    bare = image.rstrip(b" ")
    try:
        return bare.decode("utf-8")
    except UnicodeDecodeError:
        return bare.decode("latin-1")


def _text(image: bytes) -> str:
    return _decoded(image.rstrip(b"\0 "))


def _format(name: str, width: int, decimals: int) -> str:
    """Return a format as it is written in SAS, blank if there is none."""
    if not name and not width:
        return ""
    return f"{name}{width or ''}.{decimals or ''}"
