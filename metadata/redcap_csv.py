"""CSV as REDCap writes it: with or without byte-order mark, CRLF or LF, comma, semicolon or tab, quotes by PHP."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from metadata.csv_quotes import doubled_quotes
from metadata.errors import StudyError

UTF_8 = "utf-8"
ADVICE = (
    "correct it in REDCap, or say in study.yaml which encoding such bytes are in, for example encoding: windows-1252"
)
BYTE = re.compile("[\udc80-\udcff]")
"""A byte that is not UTF-8, as Python's error handler ``surrogateescape`` keeps it."""


def decode(content: bytes, file: str | Path, encoding: str = UTF_8, of_records: bool = False) -> str:
    """Return the text of a REDCap file; bytes that are not UTF-8 are read by ``encoding``, one byte a character.

    REDCap itself writes UTF-8, but texts with single bytes of another encoding occur (0xA0 of Windows-1252). Raises
    StudyError with the place of the first byte that cannot be read: its line, and record and field of a records file.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("utf-8-sig", "surrogateescape")
    found = _unreadable(encoding).search(text)
    if not found:
        return BYTE.sub(lambda byte: _byte(byte[0]).decode(encoding), text)
    cell = _cell(text, found[0]) if of_records else None
    place = f"field '{cell[1]}' of record '{cell[0]}'" if cell else "the file"
    problem = f"{place} is not {_named(encoding)} here (byte 0x{_byte(found[0]).hex().upper()})"
    raise StudyError(f"{problem}; {ADVICE}", file, text.count("\n", 0, found.start()) + 1)


def _unreadable(encoding: str) -> re.Pattern[str]:
    """Return what finds bytes that neither UTF-8 nor ``encoding`` has."""
    if encoding == UTF_8:
        return BYTE
    high = [bytes([number]) for number in range(0x80, 0x100)]
    lacking = [byte for byte in high if byte.decode(encoding, "ignore") == ""]
    signs = "".join(byte.decode(UTF_8, "surrogateescape") for byte in lacking)
    return re.compile(f"[{signs}]") if signs else re.compile("(?!)")


def _byte(kept: str) -> bytes:
    return kept.encode(UTF_8, "surrogateescape")


def _named(encoding: str) -> str:
    return "UTF-8" if encoding == UTF_8 else f"UTF-8 and not {encoding}"


def _cell(text: str, byte: str) -> tuple[str, str] | None:
    """Return record name and column of the first cell with a byte; None if that is in the header, or no cell has it."""
    delimiter = delimiter_of(text.split("\n", 1)[0])
    try:
        rows = csv.reader(io.StringIO(doubled_quotes(text, delimiter, ""), newline=""), delimiter=delimiter)
        header = next(rows)
        found = next(((row[0], column) for row in rows for column, cell in enumerate(row) if byte in cell), None)
    except (StudyError, csv.Error):
        return None
    return (BYTE.sub("?", found[0]), header[found[1]]) if found and found[1] < len(header) else None


def delimiter_of(header: str) -> str:
    """Return the delimiter that the header line uses most: comma, semicolon, tab, pipe or caret."""
    return max(",;\t|^", key=header.count)


def read_rows(path: Path, encoding: str = UTF_8) -> list[dict[str, str]]:
    """Return the rows of a small REDCap CSV (structure files) as dictionaries; blanks are empty texts."""
    if not path.is_file():
        raise StudyError("the file does not exist", path)
    text = decode(path.read_bytes(), path, encoding)
    if not text.strip():
        return []
    delimiter = delimiter_of(text.split("\n", 1)[0])
    reader = csv.DictReader(io.StringIO(doubled_quotes(text, delimiter, path), newline=""), delimiter=delimiter)
    rows = []
    for row in reader:
        if None in row or None in row.values():
            raise StudyError("the line has another number of cells than the header", path, reader.line_num)
        rows.append(row)
    return rows
