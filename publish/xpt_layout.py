"""The header of a SAS transport file, version 5, byte by byte.

Source: TS-140, "Record layout of a SAS version 5 or 6 data set in SAS transport format" (October 2021).
"""

from __future__ import annotations

import struct
from datetime import date, datetime

from metadata.dataset import DatasetMetadata, Variable
from publish.refusals import FORMAT

RECORD = 80
NAMESTR = 140
NUMBER_WIDTH = 8
FIRST_NAMESTR = 8 * RECORD
TIMES = (144, 160, 464, 480)  # offsets of created and modified, of the library and of the dataset
VERSION, SYSTEM = b"6.06    ", b"bsd4.2  "  # fixed texts, those of the layout's own sample program
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def width(variable: Variable) -> int:
    """Return the bytes that a value takes: 8 for a number, the declared length for a text."""
    return NUMBER_WIDTH if variable.type == "Num" else int(variable.length or 1)


def row_length(metadata: DatasetMetadata) -> int:
    """Return the bytes that a row takes."""
    return sum(width(variable) for variable in metadata.variables)


def padding(size: int) -> int:
    """Return how many bytes fill ``size`` up to whole records of 80."""
    return -size % RECORD


def file_size(metadata: DatasetMetadata, rows: int) -> int:
    """Return the exact size in bytes of the transport file of so many rows."""
    names, data = NAMESTR * len(metadata.variables), row_length(metadata) * rows
    return FIRST_NAMESTR + names + padding(names) + RECORD + data + padding(data)


def timestamp(created: date) -> bytes:
    """Return ``ddMMMyy:hh:mm:ss``, with English months whatever the locale; a date alone is its midnight."""
    moment = created if isinstance(created, datetime) else datetime(created.year, created.month, created.day)
    return f"{moment.day:02}{MONTHS[moment.month - 1]}{moment.year % 100:02}:{moment:%H:%M:%S}".encode()


def split_format(text: str | None) -> tuple[str, int, int]:
    """Return name, width and decimals of a display format such as ``DATE9.`` or ``8.2``; blank and 0 without one."""
    match = FORMAT.fullmatch(text or "")
    if not match:
        return "", 0, 0
    return match["name"] or "", int(match["width"] or 0), int(match["decimals"] or 0)


def header(metadata: DatasetMetadata, created: date) -> bytes:
    """Return all bytes before the first row; the four times in it are ``created``."""
    moment, blank = timestamp(created), b" "
    first = b"SAS     SAS     SASLIB  " + VERSION + SYSTEM + blank * 24 + moment
    member = b"SAS     " + _text(metadata.name, 8) + b"SASDATA " + VERSION + SYSTEM + blank * 24 + moment
    names = b"".join(_namestrs(metadata))
    return b"".join(
        (
            _record("LIBRARY", "0" * 30),
            first,
            moment.ljust(RECORD),
            _record("MEMBER", "0" * 17 + "1600000000" + f"{NAMESTR}"),
            _record("DSCRPTR", "0" * 30),
            member,
            moment + blank * 16 + _text(metadata.label, 40) + blank * 8,
            _record("NAMESTR", f"{len(metadata.variables):010}" + "0" * 20),
            names + blank * padding(len(names)),
            _record("OBS", "0" * 30),
        )
    )


def _record(kind: str, numbers: str) -> bytes:
    return f"HEADER RECORD*******{kind:<8}HEADER RECORD!!!!!!!{numbers}".encode().ljust(RECORD)


def _text(text: str, size: int) -> bytes:
    return text.encode("ascii").ljust(size)


def _namestrs(metadata: DatasetMetadata) -> list[bytes]:
    made, position = [], 0
    for number, variable in enumerate(metadata.variables, start=1):
        made.append(_namestr(variable, number, position))
        position += width(variable)
    return made


def _namestr(variable: Variable, number: int, position: int) -> bytes:
    """Return the description of one variable: type, length, name, label, format, no informat, position in the row."""
    kind = 1 if variable.type == "Num" else 2
    name, format_width, decimals = split_format(variable.format)
    return b"".join(
        (
            struct.pack(">4h", kind, 0, width(variable), number),
            _text(variable.name, 8) + _text(variable.label, 40) + _text(name, 8),
            struct.pack(">3h", format_width, decimals, 0) + bytes(2),
            b" " * 8 + struct.pack(">2hl", 0, 0, position) + bytes(52),
        )
    )
