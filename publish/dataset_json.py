"""Dataset-JSON 1.1 of the datasets: plain (.json), by lines (.ndjson) and compressed (.dsjc), the same rows in each.

Identifiers, types and keys are those of the define.xml that was written for the same datasets. Every value is that of
the transport file: a missing number is null, a text that was not collected is empty. A number that is shown as a date
is written as a date, and ``targetDataType`` says that it stands for a number.
Source: CDISC Dataset-JSON 1.1. Compressed files are gzip, as CDISC's own examples are.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from lxml import etree

from metadata.dataset import Dataset, Variable
from metadata.errors import StudyError
from metadata.study_declaration import JSON_FORMS, JsonForm
from publish import dataset_json_reading
from publish.define_checks import read
from publish.disk import outside, replacing
from publish.manifest import DISTRIBUTION, software_version
from publish.record_key import record_at
from publish.xpt_layout import split_format

if TYPE_CHECKING:
    import pandas as pd

VERSION = "1.1.0"
COMPRESSED: JsonForm = "dsjc"
PLAIN = 100_000
"""Rows up to which all three forms are written unless the study says which; of more, the compressed one alone."""
CHUNK = 100_000
READ_BACK = 20_000
"""Rows that are read back at once: as Python's own values each takes thirty times its bytes."""
SCHEMA = Path(__file__).resolve().parent / "dataset_json_schema" / "dataset.schema.json"
TYPES = {"integer": "integer", "float": "float", "date": "date", "datetime": "datetime", "time": "time"}
"""Data types of Define-XML that Dataset-JSON has, too; partial dates and all others are strings."""
MOMENTS = {"DATE": "date", "YYMMDD": "date", "YYMMDDN": "date", "E8601DA": "date", "DATETIME": "datetime",
           "E8601DT": "datetime", "TIME": "time", "E8601TM": "time"}  # fmt: skip
EPOCH = np.datetime64("1960-01-01", "us")
UNITS = {"date": np.timedelta64(86_400_000_000, "us"), "datetime": np.timedelta64(1_000_000, "us")}
GZIP = 31
EXACT = 2.0**53
LATEST = 1e11  # seconds: about the year 5100, well within what microseconds of 64 bits count


@dataclass(frozen=True)
class DefinedGroup:
    """What a define.xml says of one dataset: identifiers, and of each variable its id, type and place in the key."""

    study: str
    version: str
    oid: str
    items: Mapping[str, tuple[str, str, int]]


def defined_groups(define: Path) -> dict[str, DefinedGroup]:
    """Return the datasets of a define.xml by name; raises OutsideError."""
    with outside(f"read {define}"):
        root = read(define.read_bytes())
    study, version = next(root.iter("{*}Study")), next(root.iter("{*}MetaDataVersion"))
    items = {item.get("OID"): item for item in version.iter("{*}ItemDef")}
    return {
        str(group.get("Name")): DefinedGroup(
            str(study.get("OID")), str(version.get("OID")), str(group.get("OID")), _items(group, items)
        )
        for group in version.iter("{*}ItemGroupDef")
    }


def _items(group: etree._Element, items: Mapping[str | None, etree._Element]) -> dict[str, tuple[str, str, int]]:
    found = {}
    for reference in group.iterchildren("{*}ItemRef"):
        item = items[reference.get("ItemOID")]
        found[str(item.get("Name"))] = (
            str(item.get("OID")), str(item.get("DataType")), int(reference.get("KeySequence", "0")),
        )  # fmt: skip
    return found


def write(
    dataset: Dataset,
    group: DefinedGroup,
    folder: Path,
    created: str,
    define: str,
    forms: Sequence[JsonForm] | None = None,
) -> list[Path]:
    """Write a dataset into ``folder`` in each form, read it again and compare; return the files.

    ``created`` is the snapshot's date, ``define`` the way from ``folder`` to define.xml; ``forms`` those that the study
    asks for, all unless it does, and of many rows the compressed one. Raises StudyError if the metadata is not valid or
    a value reads back differently, and OutsideError.
    """
    if forms is None:
        forms = JSON_FORMS if len(dataset.frame) <= PLAIN else (COMPRESSED,)
    if not forms:
        return []
    columns = [_Column.of(dataset, variable, group) for variable in dataset.metadata.variables]
    about = _about(dataset, group, columns, created, define)
    _refuse(dataset, about)
    paths = [(folder / dataset.name.lower()).with_suffix(f".{form}") for form in forms]
    for path in paths:
        with replacing(path) as file:
            for piece in PIECES[path.suffix](about, columns, len(dataset.frame)):
                file.write(piece)
    _compare(dataset, paths[0])
    _compare_forms(paths)
    return paths


@cache
def _schema() -> Any:
    from jsonschema import Draft201909Validator

    return Draft201909Validator(json.loads(SCHEMA.read_text("utf-8")))


def _refuse(dataset: Dataset, about: Mapping[str, Any]) -> None:
    """Refuse metadata that the schema refuses; rows are arrays by how they are made, and their values compared."""
    for error in _schema().iter_errors(dict(about)):
        where = "/".join(map(str, error.absolute_path))
        raise StudyError(f"{dataset.name} as Dataset-JSON is not valid at {where}: {error.message}")


def _about(dataset: Dataset, group: DefinedGroup, columns: list[_Column], created: str, define: str) -> dict[str, Any]:
    """Return all but the rows, in the order of the specification."""
    return {
        "datasetJSONCreationDateTime": f"{created}T00:00:00",
        "datasetJSONVersion": VERSION,
        "fileOID": f"{group.version}.{group.oid}",
        "dbLastModifiedDateTime": f"{created}T00:00:00",
        "originator": DISTRIBUTION,
        "sourceSystem": {"name": DISTRIBUTION, "version": software_version()},
        "studyOID": group.study,
        "metaDataVersionOID": group.version,
        "metaDataRef": define,
        "itemGroupOID": group.oid,
        "records": len(dataset.frame),
        "name": dataset.name,
        "label": dataset.metadata.label,
        "columns": [column.described for column in columns],
    }


@dataclass(frozen=True)
class _Column:
    """A variable as it is described, and its values: codes into their distinct texts as JSON."""

    described: dict[str, Any]
    codes: np.ndarray
    written: pa.Array

    @classmethod
    def of(cls, dataset: Dataset, variable: Variable, group: DefinedGroup) -> _Column:
        oid, defined, key = group.items[variable.name]
        described: dict[str, Any] = {"itemOID": oid, "name": variable.name, "label": variable.label}
        kind = TYPES.get(defined, "string")
        if variable.type == "Char":
            coded = dataset.coded(variable.name)
            codes = coded.codes
            empty = "null" if kind in MOMENTS.values() else '""'  # an empty text is not a date
            texts = [json.dumps(text, ensure_ascii=True) if text else empty for text in coded.texts]
            more: dict[str, Any] = {"dataType": kind, "length": variable.length}
        else:
            codes, texts, more = _numbers(dataset.columns.numbers(variable.name), kind, variable.format or "")
        described |= more
        if key:
            described["keySequence"] = key
        return cls(described, np.asarray(codes, np.int32), pa.array(texts, pa.string()))

    def part(self, start: int, stop: int) -> pa.Array:
        """Return the values of some rows as JSON."""
        return self.written.take(pa.array(self.codes[start:stop]))


def _numbers(values: np.ndarray, kind: str, shown: str) -> tuple[np.ndarray, list[str], dict[str, Any]]:
    """Return numbers as codes, the JSON of each distinct one, and how they are described."""
    distinct, codes = np.unique(values, return_inverse=True)
    moment = MOMENTS.get(split_format(shown)[0], "")
    dates = _moments(distinct, moment) if moment else None
    if dates is not None:
        return codes, dates, {"dataType": moment, "targetDataType": "integer", "displayFormat": shown}
    whole = kind == "integer" and not ((distinct % 1 > 0) | (np.abs(distinct) > EXACT)).any()
    texts = ["null" if number != number else str(int(number)) if whole else repr(number)
             for number in distinct.tolist()]  # fmt: skip
    return codes, texts, {"dataType": "integer" if whole else "float"} | ({"displayFormat": shown} if shown else {})


def _moments(numbers: np.ndarray, kind: str) -> list[str] | None:
    """Return SAS days or seconds as dates, times, or both; None if one of them would not be the same number again."""
    missing = np.isnan(numbers)
    known = np.where(missing, 0, numbers)
    unit = UNITS.get(kind, UNITS["datetime"])
    limit = 86_400 if kind == "time" else LATEST / (86_400 if kind == "date" else 1)
    if (np.abs(known) >= limit).any() or (kind == "time" and (known < 0).any()):
        return None
    moments = EPOCH + np.round(known * (unit / np.timedelta64(1, "us"))).astype("timedelta64[us]")
    if ((moments - EPOCH) / unit != known).any() or (kind == "date" and (known % 1 > 0).any()):
        return None
    precision = "D" if kind == "date" else "s" if not (known % 1 > 0).any() else "us"
    texts = moments.astype(f"datetime64[{precision}]").astype("str").tolist()
    texts = [text.partition("T")[2] for text in texts] if kind == "time" else texts
    return ["null" if absent else f'"{text}"' for text, absent in zip(texts, missing.tolist(), strict=True)]


def _rows(columns: list[_Column], count: int) -> Iterator[list[str]]:
    """Yield the rows as JSON arrays, a chunk at a time."""
    for start in range(0, count, CHUNK):
        parts = [column.part(start, min(start + CHUNK, count)) for column in columns]
        joined = pc.binary_join_element_wise(*parts, ", ")
        yield pc.binary_join_element_wise("[", joined, "]", "").to_pylist()


def _as_json(about: dict[str, Any], columns: list[_Column], count: int) -> Iterator[bytes]:
    members = [f" {json.dumps(name)}: {json.dumps(value)}" for name, value in about.items() if name != "columns"]
    members.append(f' "columns": [\n  {f",{chr(10)}  ".join(map(json.dumps, about["columns"]))}\n ]')
    yield ("{\n" + ",\n".join(members) + ',\n "rows": [').encode()
    before = "\n  "
    for rows in _rows(columns, count):
        yield (before + ",\n  ".join(rows)).encode()
        before = ",\n  "
    yield b"\n ]\n}\n"


def _as_lines(about: dict[str, Any], columns: list[_Column], count: int) -> Iterator[bytes]:
    yield (json.dumps(about) + "\n").encode()
    for rows in _rows(columns, count):
        yield ("\n".join(rows) + "\n").encode()


def _compressed(about: dict[str, Any], columns: list[_Column], count: int) -> Iterator[bytes]:
    packer = zlib.compressobj(6, zlib.DEFLATED, GZIP)
    for piece in _as_lines(about, columns, count):
        yield packer.compress(piece)
    yield packer.flush()


PIECES = {".json": _as_json, ".ndjson": _as_lines, ".dsjc": _compressed}


def _compare_forms(paths: list[Path]) -> None:
    """Compare the rows of the other forms with those of the first, which were read, line by line."""
    if len(paths) == 1:
        return
    rows = _lines_of(paths[0])
    for path in paths[1:]:
        if _lines_of(path) != rows:
            raise StudyError(f"{path.name} has other rows than {paths[0].name}")


def _lines_of(path: Path) -> bytes:
    """Read a file that was just written, of any form, and return its rows, one a line."""
    with outside(f"read {path}"):
        content = path.read_bytes()
    if path.suffix == ".json":
        rows = content.partition(b'"rows": [')[2].rpartition(b"\n ]")[0].removeprefix(b"\n  ")
        return rows.replace(b"],\n  [", b"]\n[") + b"\n" * bool(rows)
    lines = zlib.decompress(content, GZIP) if path.suffix == ".dsjc" else content
    return lines.partition(b"\n")[2]


def _compare(dataset: Dataset, path: Path) -> None:
    """Read a file again and compare every value with the dataset's; raises StudyError at the first difference."""
    start = 0
    with outside(f"read {path}"):
        for about, rows in dataset_json_reading.read_parts(path, READ_BACK):
            _compare_part(dataset, path, dataset_json_reading.frame_of(path, about, rows), start)
            start += len(rows)
    if start != len(dataset.frame):
        raise StudyError(f"{path.name} has {start} records, and {dataset.name} has {len(dataset.frame)}")


def _compare_part(dataset: Dataset, path: Path, frame: pd.DataFrame, start: int) -> None:
    """Compare the dataset's rows from ``start`` on with those that were read."""
    part = slice(start, start + len(frame))
    for variable in dataset.metadata.variables:
        if variable.type == "Num":
            numbers, found = dataset.columns.numbers(variable.name)[part], frame[variable.name].to_numpy(float)
            differs = (numbers != found) & ~(np.isnan(numbers) & np.isnan(found))
        else:
            coded = dataset.coded(variable.name)
            differs = coded.objects[coded.codes[part]] != frame[variable.name].to_numpy("object")
        if np.any(differs):
            row = start + int(np.argmax(differs))
            raise StudyError(
                f"{dataset.name} {variable.name}, record {record_at(dataset, row)}: the value in {path.name} differs"
                " from the one that was written"
            )
