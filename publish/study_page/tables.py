"""Tables as script files that a page loads part by part, from the disk as well as from a server.

A page that was opened from a file may not fetch anything, but may load scripts: each holds one call with JSON. A column
of a part is its distinct values and, if there are several, the code of each row, as the bytes of little-endian integers
in Base64. ``read_part`` reads a file back.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from metadata.coded_matching import first_used
from metadata.coded_text import CodedText
from metadata.dataset import Dataset
from publish.disk import outside, write_bytes

ROWS = 20_000
"""Most rows of a part."""
DATA = "data"


@dataclass(frozen=True)
class ShownColumn:
    """A column of a table: ``format`` as SAS names it, ``note`` how its values come about, ``choices`` their labels."""

    name: str
    label: str
    format: str = ""
    note: str = ""
    choices: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ShownTable:
    """A table of the page; ``keys`` tell its records apart, ``withheld`` are columns of which no value is shown."""

    name: str
    label: str
    group: str
    rows: int
    keys: tuple[str, ...]
    columns: tuple[ShownColumn, ...]
    withheld: tuple[ShownColumn, ...] = ()


Column = CodedText | np.ndarray
"""Texts, blank where missing, or float64 with NaN."""


def script(call: str, content: object) -> bytes:
    """Return a script that calls one of the page's functions with JSON."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return f"{call}({text})\n".encode()


def packed(numbers: np.ndarray, most: int) -> str:
    """Return whole numbers from 0 to ``most`` in as few bytes as that takes, as Base64."""
    kind = "<u1" if most < 1 << 8 else "<u2" if most < 1 << 16 else "<u4"
    return b64encode(numbers.astype(kind).tobytes()).decode()


def write_parts(folder: Path, name: str, rows: int, columns: Iterable[Column]) -> list[Path]:
    """Write ``<name>-<part>.js`` for each part of a table; ``columns`` are its own, in order. OutsideError."""
    starts = range(0, rows, ROWS)
    parts: list[list[list[object]]] = [[] for _ in starts]
    for column in columns:
        for part, start in zip(parts, starts, strict=True):
            part.append(_column(column, start, min(start + ROWS, rows)))
    paths = []
    for number, (part, start) in enumerate(zip(parts, starts, strict=True)):
        paths.append(folder / f"{name}-{number}.js")
        content = {"table": name, "part": number, "rows": min(ROWS, rows - start), "columns": part}
        write_bytes(paths[-1], script("studyPart", content))
    return paths


def _column(column: Column, start: int, end: int) -> list[object]:
    """Return the distinct values of some rows of a column and, if there are several, each row's place among them."""
    if isinstance(column, np.ndarray):
        codes, distinct = pd.factorize(column[start:end], use_na_sentinel=False)
        values: list[Any] = [_number(value) for value in distinct.tolist()]
    else:
        codes, used = first_used(column.codes[start:end], len(column.texts))
        values = [column.texts[code] for code in used.tolist()]
    return [values] if len(values) == 1 else [values, packed(codes, max(len(values) - 1, 0))]


def _number(value: float) -> float | int | None:
    """Return a number as JSON has it, whole ones without a point."""
    if value != value:
        return None
    return int(value) if value.is_integer() and abs(value) < 1 << 53 else value


def read_part(path: Path) -> Iterator[list[Any]]:
    """Yield the values of each column of a part, missing numbers as None; raises OutsideError."""
    with outside(f"read {path}"):
        text = path.read_text("utf-8")
    content = json.loads(text[text.index("(") + 1 : text.rindex(")")])
    for values, *codes in content["columns"]:
        places = unpacked(codes[0], len(values) - 1).tolist() if codes else [0] * content["rows"]
        yield [values[place] for place in places]


def unpacked(text: str, most: int) -> np.ndarray:
    """Return the numbers that ``packed`` packed."""
    kind = "<u1" if most < 1 << 8 else "<u2" if most < 1 << 16 else "<u4"
    return np.frombuffer(b64decode(text), kind)


def shown_dataset(dataset: Dataset, group: str, withheld: Collection[str]) -> ShownTable:
    """Return how the page shows a dataset, without the columns that are withheld."""
    columns = [
        ShownColumn(one.name, one.label, one.format or "", _note(one.origin, one.method), dict(one.terms))
        for one in dataset.metadata.variables
    ]
    shown, hidden = (tuple(one for one in columns if (one.name in withheld) is held) for held in (False, True))
    keys = tuple(name for name in dataset.metadata.keys if name not in (*withheld, "STUDYID"))
    return ShownTable(dataset.name, dataset.metadata.label, group, len(dataset.frame), keys, shown, hidden)


def _note(origin: str, method: str) -> str:
    return ": ".join(filter(None, (origin, method)))


def dataset_columns(dataset: Dataset, table: ShownTable) -> Iterator[Column]:
    """Yield the shown columns of a dataset."""
    return (dataset.columns[column.name] for column in table.columns)


def tables_script(tables: Iterable[ShownTable]) -> bytes:
    """Return the script that says which tables there are, and what is known of their columns."""
    listed = [
        {
            "name": one.name, "label": one.label, "group": one.group, "rows": one.rows, "keys": one.keys,
            "columns": [_described(column) for column in one.columns],
            "withheld": [_described(column) for column in one.withheld],
        }
        for one in tables
    ]  # fmt: skip
    return script("studyTables", {"part": ROWS, "tables": listed})


def _described(column: ShownColumn) -> dict[str, object]:
    """Return what is known of a column, without what is blank."""
    known = {"format": column.format, "note": column.note, "choices": column.choices}
    return {"name": column.name, "label": column.label} | {name: value for name, value in known.items() if value}
