"""Flat exports of records as CSV, which may be larger than memory: read part by part, each cell a text."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from metadata.csv_quotes import doubled_quotes
from metadata.errors import StudyError
from metadata.redcap_csv import UTF_8, decode, delimiter_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

PART = 1 << 22
"""Bytes that are read at once."""
LARGEST_STRINGS = 2**31 - 1
"""Bytes of a column in Arrow's usual texts, which take less than its large ones."""
ESCAPED_QUOTE = b'\\"'


def read_csv(content: bytes, file: str | Path, encoding: str = UTF_8) -> pd.DataFrame:
    """Return a flat export as a frame of texts, blanks as empty texts; raises StudyError as ``read_table`` does."""
    import pandas as pd

    return pd.DataFrame(read_table(content, file, encoding).to_pandas(split_blocks=True)).astype("str")


def read_table(content: bytes, file: str | Path, encoding: str = UTF_8) -> pa.Table:
    """Return a flat export as columns of texts; ``encoding`` is for bytes that are not UTF-8.

    Nothing at all has no column. Raises StudyError if it is not such CSV, if a row has another number of cells than the
    header or a column is there twice. (pandas pads a short row and drops cells of a long one in silence, hence Arrow's
    reader.)
    """
    import pyarrow as pa

    text = decode(content, file, encoding, of_records=True)
    if not text.strip():
        return pa.table({})
    return _parsed(doubled_quotes(text, _delimiter(text), file), file)


def read_parts(path: Path, encoding: str = UTF_8) -> Iterator[pa.Table]:
    """Yield the rows of a flat export part by part, each as ``read_table`` gives it, so that memory holds one of them.

    A file with a quote after a backslash is held as text, since only the whole of it says how its quotes are written.
    An empty file has no part. Raises StudyError as ``read_table`` does, with the row or line of the file.
    """
    with closing(_opened(path, encoding)) as source:
        header, lines, rows = b"", 0, 0
        for block in _whole_rows(source):
            text = _decoded(header + block, path, encoding, lines - header.count(b"\n"))
            lines += block.count(b"\n")
            if text.strip():
                part = _parsed(text, path, rows)
                rows += part.num_rows
                header = header or block[: _first_row_end(block)]
                yield part


def _opened(path: Path, encoding: str) -> BinaryIO:
    """Return the file, or its text with all quotes doubled."""
    if not _has_escaped_quote(path):
        return path.open("rb")
    text = decode(path.read_bytes(), path, encoding, of_records=True)
    return io.BytesIO(doubled_quotes(text, _delimiter(text), path).encode())


def _has_escaped_quote(path: Path) -> bool:
    last = b""
    with path.open("rb") as file:
        while block := file.read(PART):
            if ESCAPED_QUOTE in last + block:
                return True
            last = block[-1:]
    return False


def _whole_rows(file: BinaryIO) -> Iterator[bytes]:
    """Yield the content in blocks that end where a row ends: at a line break outside quotes."""
    rest = b""
    while block := file.read(PART):
        rest += block
        end = _last_row_end(rest)
        if end:
            yield rest[:end]
            rest = rest[end:]
    if rest:
        yield rest


def _last_row_end(block: bytes) -> int:
    """Return where the last whole row ends, 0 if none does; before it there are as many quotes as close each other."""
    end = block.rfind(b"\n") + 1
    quotes = block.count(b'"', 0, end)
    while end and quotes % 2:
        before = block.rfind(b"\n", 0, end - 1) + 1
        quotes -= block.count(b'"', before, end)
        end = before
    return end


def _first_row_end(block: bytes) -> int:
    end = block.find(b"\n") + 1
    while end and block.count(b'"', 0, end) % 2:
        end = block.find(b"\n", end) + 1
    return end or len(block)


def _decoded(content: bytes, path: Path, encoding: str, lines_before: int) -> str:
    """Return the text of a part, which begins after some lines of the file."""
    try:
        return decode(content, path, encoding, of_records=True)
    except StudyError as error:
        message, line = error.message, (error.line or 0) + lines_before
    raise StudyError(message, path, line)


def _delimiter(text: str) -> str:
    return delimiter_of(text.split("\n", 1)[0])


def _parsed(text: str, file: str | Path, rows_before: int = 0) -> pa.Table:
    """Return CSV whose quotes are doubled as columns of texts; errors count rows from the file's first on."""
    import pyarrow as pa
    import pyarrow.csv as arrow_csv

    delimiter = _delimiter(text)
    names = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise StudyError(f"the column '{twice[0]}' is there twice", file, 1)
    if text.count('"') % 2:
        raise StudyError("the file is not CSV: a quoted cell is never closed", file)
    plain = text.encode()
    kind = pa.string() if len(plain) <= LARGEST_STRINGS else pa.large_string()
    try:
        return arrow_csv.read_csv(
            pa.BufferReader(plain),
            # one block and one thread, so that a cell may be of any size and an error knows its row
            read_options=arrow_csv.ReadOptions(block_size=len(plain) + 1, use_threads=False),
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, kind)),
        )
    except pa.ArrowInvalid as error:
        problem = _without_values(str(error), rows_before)
    raise StudyError(problem, file)


def _without_values(problem: str, rows_before: int) -> str:
    """Return what Arrow says of a bad row, without the row itself: cells are patients' data."""
    counts = re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", problem)
    if not counts:
        return "the file is not CSV"
    row, expected, found = counts.groups()
    return f"row {int(row) + rows_before} has {found} cells where the header has {expected}"
