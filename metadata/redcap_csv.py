"""CSV as REDCap writes it: with or without byte-order mark, CRLF or LF, comma, semicolon or tab."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from metadata.errors import StudyError


def decode(content: bytes, file: str | Path) -> str:
    """Return the text of a REDCap file; raises StudyError with the line of the first byte that is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise StudyError("the file is not UTF-8 here; save it as UTF-8", file, line) from None


def delimiter_of(header: str) -> str:
    """Return the delimiter that the header line uses most: comma, semicolon, tab, pipe or caret."""
    return max(",;\t|^", key=header.count)


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a small REDCap CSV (structure files) as dictionaries; blanks are empty texts."""
    if not path.is_file():
        raise StudyError("the file does not exist", path)
    text = decode(path.read_bytes(), path)
    if not text.strip():
        return []
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter_of(text.split("\n", 1)[0]))
    rows = []
    for row in reader:
        if None in row or None in row.values():
            raise StudyError("the line has another number of cells than the header", path, reader.line_num)
        rows.append(row)
    return rows
