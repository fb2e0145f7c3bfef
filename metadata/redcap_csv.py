"""CSV as REDCap writes it: with or without byte-order mark, CRLF or LF, comma, semicolon or tab, quotes by PHP."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from metadata.csv_quotes import doubled_quotes
from metadata.errors import Gather, StudyError, nearest

UTF_8 = "utf-8"
LONGEST_CELL = 131_072
"""Characters of a cell, the limit of Python's reader: in a file of structure or of terms a longer one is a mistake."""
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


def read_rows(path: Path, encoding: str = UTF_8, shown: str | Path | None = None) -> list[dict[str, str]]:
    """Return the rows of a small CSV (structure files) as dictionaries; blanks are empty texts.

    ``shown`` is the name that errors give the file. Raises StudyError as ``read_lines`` does.
    """
    header, rows = read_lines(path, encoding, shown)
    return [dict(zip(header, cells, strict=True)) for _, cells in rows]


def read_lines(
    path: Path, encoding: str = UTF_8, shown: str | Path | None = None
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header of a small CSV, and each row with its first line; both are empty for an empty file.

    Raises StudyError, with the line, for a file that is missing or is not UTF-8 CSV, for a column that the header names
    twice, and for a row with another number of cells than the header.
    """
    file = shown or path
    if not path.is_file():
        raise StudyError("the file does not exist", file)
    text = decode(path.read_bytes(), file, encoding)
    if not text.strip():
        return [], []
    delimiter = delimiter_of(text.split("\n", 1)[0])
    reader = csv.reader(io.StringIO(doubled_quotes(text, delimiter, file), newline=""), delimiter=delimiter)
    lines = _lines(reader, file)
    _, header = next(lines)
    for name in header:
        if header.count(name) > 1:
            raise StudyError(f"the column '{name}' is named twice in the header", file, 1)
    rows = []
    for number, cells in lines:
        if len(cells) != len(header):
            raise StudyError(
                f"the line has another number of cells ({len(cells)}) than the header ({len(header)})", file, number
            )
        rows.append((number, cells))
    return header, rows


def _lines(reader: Iterator[list[str]], file: str | Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not empty, each with its first line; raises StudyError for what is not CSV."""
    while True:
        line = reader.line_num + 1  # type: ignore[attr-defined]
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            long = f"a cell has more than {LONGEST_CELL:,} characters"
            sentence = long if "field larger" in str(error) else f"the file is not CSV here: {error}"
            raise StudyError(sentence, file, line) from None
        if cells:
            yield line, cells


def check_columns(
    columns: Sequence[str], needed: Sequence[str], further: Sequence[str], file: str | Path, known: Sequence[str] = ()
) -> None:
    """Raise one StudyError for all columns that are missing or that are misspelt.

    Columns that are neither ``needed`` nor ``further`` are passed over (REDCap adds some from version to version),
    unless one of ours is missing whose name is nearly the same; ``known`` are others that are spelt rightly.
    """
    missing = [name for name in (*needed, *further) if name not in columns]
    with Gather() as gather:
        for name in columns:
            near = "" if name in known or name in (*needed, *further) else nearest(name, missing)
            if near:
                gather.found.append(StudyError(f"unknown column '{name}'{near}", file, 1))
        meant = {error.suggestion for error in gather.found}
        lost = [name for name in missing if name in needed and name not in meant]
        gather.found += [StudyError(f"the column '{name}' is missing", file, 1) for name in lost]
