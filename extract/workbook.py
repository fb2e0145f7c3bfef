"""Reads a sheet of a workbook (XLSX) as texts: no formula is evaluated, no entity resolved, no link followed."""

from __future__ import annotations

import datetime
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metadata.errors import StudyError

if TYPE_CHECKING:
    from openpyxl.cell.read_only import ReadOnlyCell

LARGEST_UNPACKED = 1 << 30
MOST_CELLS = 20_000_000
BLOCK, OVERLAP = 1 << 20, 16
SAVE_VALUES = "copy the column and paste it as values"


def read_workbook(path: Path, shown: str, sheet: str = "") -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header, which is row 1, and every row that is not blank, with its number.

    Without ``sheet`` the workbook has one. Numbers are written as they are stored (5, 0.1), dates as YYYY-MM-DD, dates
    with a time as YYYY-MM-DD HH:MM, with seconds if it has some. Raises StudyError, with the row, for a formula or an
    error in a cell, for what is no workbook, declares entities, or is larger than 1 GiB unpacked.
    """
    _refuse_parts(path, shown)
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions, which are not read
            book = load_workbook(path, read_only=True, data_only=False, keep_links=False)
            try:
                rows = list(_rows(_sheet(book, sheet, shown), shown))
            finally:
                book.close()
    except StudyError:
        raise
    except Exception:  # whatever a spoilt file makes of the library
        raise StudyError("the file is not a workbook (.xlsx) that can be read: save it again", shown) from None
    if not rows or rows[0][0] != 1:
        return [], []
    width = len(_trimmed(rows[0][1]))
    return rows[0][1][:width], [(number, _fitted(cells, width, number, shown)) for number, cells in rows[1:]]


def _refuse_parts(path: Path, shown: str) -> None:
    """Raise StudyError for a file that is no ZIP, unpacks to more than the limit, or declares entities."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if sum(one.file_size for one in members) > LARGEST_UNPACKED:
                raise StudyError(f"the workbook unpacks to more than {LARGEST_UNPACKED >> 20} MB", shown)
            for one in members:
                with archive.open(one) as part:
                    _refuse_entities(part, shown)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):
        raise StudyError("the file is not a workbook (.xlsx) without password", shown) from None


def _refuse_entities(part: Any, shown: str) -> None:
    kept = b""
    while block := part.read(BLOCK):
        text = (kept + block).replace(b"\0", b"")  # UTF-16 too
        if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
            raise StudyError("the workbook declares a document type or entities, which none needs", shown)
        kept = block[-2 * OVERLAP :]


def _sheet(book: Any, name: str, shown: str) -> Any:
    names = [one.title for one in book.worksheets]
    if name and name not in names:
        raise StudyError(f"the workbook has no sheet '{name}'; its sheets are {', '.join(names)}", shown)
    if not name and len(names) != 1:
        raise StudyError(f"the workbook has several sheets: say which under sheet ({', '.join(names)})", shown)
    found = book[name or names[0]]
    found.reset_dimensions()  # what the file says of its size is not trusted
    return found


def _rows(sheet: Any, shown: str) -> Iterator[tuple[int, list[str]]]:
    read = 0
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        read += len(cells)
        if read > MOST_CELLS:
            raise StudyError(f"the sheet has more than {MOST_CELLS:,} cells", shown, number)
        texts = [_text(cell, number, shown) for cell in cells]
        if any(texts):
            yield number, texts


def _text(cell: ReadOnlyCell, row: int, shown: str) -> str:
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        problem = f"the cell {cell.coordinate} holds a formula, which is not evaluated: {SAVE_VALUES}"
        raise StudyError(problem, shown, row)
    if cell.data_type == "e":
        raise StudyError(f"the cell {cell.coordinate} holds the error {value}", shown, row)
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime):
        return _moment(value, "h" in str(cell.number_format).lower())
    if isinstance(value, datetime.time):
        return value.isoformat("seconds" if value.second else "minutes")
    if isinstance(value, datetime.timedelta):
        raise StudyError(f"the cell {cell.coordinate} holds a duration: write it as a number or a text", shown, row)
    return str(value)


def _moment(value: datetime.datetime, with_time: bool) -> str:
    if not with_time and value.time() == datetime.time():
        return value.date().isoformat()
    return value.isoformat(" ", "seconds" if value.second else "minutes")


def _trimmed(cells: list[str]) -> list[str]:
    return cells[: max((place for place, text in enumerate(cells, start=1) if text), default=0)]


def _fitted(cells: list[str], width: int, row: int, shown: str) -> list[str]:
    if len(_trimmed(cells)) > width:
        raise StudyError("the row has a cell in a column without a name in the header", shown, row)
    return [*cells[:width], *[""] * (width - len(cells))]
