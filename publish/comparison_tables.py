"""Datasets on disk (transport file, Dataset-JSON, parquet, SAS, CSV), read together with their own metadata."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from metadata.errors import UsageError
from publish import dataset_json_reading, xpt_reading
from publish.disk import outside

PANDAS_INDEX = re.compile(r"__index_level_\d+__")
SUFFIXES = (".xpt", *dataset_json_reading.SUFFIXES, ".parquet", ".sas7bdat", ".csv")
UNTYPED = ""


@dataclass(frozen=True)
class Attributes:
    """What a file declares for a variable, empty where it declares nothing; a CSV file has no types (Char, Num)."""

    type: str = UNTYPED
    label: str = ""
    length: str = ""
    format: str = ""


@dataclass(frozen=True)
class StoredTable:
    """A dataset read back: Char columns as text without trailing blanks, Num columns as float64.

    ``doubts`` are sentences on what the file does not say, or says and a number cannot keep.
    """

    name: str
    path: Path
    label: str
    keys: tuple[str, ...]
    variables: dict[str, Attributes]
    frame: pd.DataFrame
    doubts: tuple[str, ...] = ()


def read_table(path: Path) -> StoredTable:
    """Read one dataset; raises UsageError for any other file, OutsideError if the disk fails."""
    if path.suffix.lower() not in READERS:
        raise UsageError(f"{path} is not a dataset: it should end in {', '.join(SUFFIXES)}")
    with outside(f"read {path}"):
        return READERS[path.suffix.lower()](path)


def _read_transport(path: Path) -> StoredTable:
    read = xpt_reading.read(path)
    variables = {
        variable.name: Attributes(variable.type, variable.label, str(variable.length), variable.format.rstrip("."))
        for variable in read.variables
    }
    name, frame = (read.name or path.stem).upper(), read.frame()
    doubts = [f"{one} has texts that are not UTF-8, taken for Latin-1" for one in sorted(read.guessed)]
    doubts += [_special(one, rows) for one, rows in sorted(read.special_missing().items())]
    keys = declared_keys(path, name)
    return StoredTable(name, path, read.label, keys, variables, _typed(frame, variables), tuple(doubts))


def _special(variable: str, rows: Mapping[str, Sized]) -> str:
    counts = ", ".join(f"{code} {len(found)}" for code, found in sorted(rows.items()))
    return f"{variable} has special missing values, which are only missing here: {counts}"


def _read_dataset_json(path: Path) -> StoredTable:
    about, rows = dataset_json_reading.read_rows(path)
    columns = about["columns"]
    variables = {
        str(column["name"]): Attributes(
            "Num" if dataset_json_reading.is_number(column) else "Char",
            str(column.get("label") or ""),
            str(column.get("length") or ""),
            str(column.get("displayFormat") or "").rstrip("."),
        )
        for column in columns
    }
    keyed = sorted((column for column in columns if column.get("keySequence")), key=lambda one: int(one["keySequence"]))
    keys = tuple(str(column["name"]) for column in keyed)
    frame = dataset_json_reading.frame_of(path, about, rows)
    return StoredTable(
        str(about.get("name") or path.stem).upper(), path, str(about.get("label") or ""), keys, variables, frame
    )


def _read_parquet(path: Path) -> StoredTable:
    try:
        return _parquet_table(path, pq.read_table(path))
    except (pa.ArrowException, UnicodeDecodeError):
        raise UsageError(f"{path} is not a parquet file") from None


def _parquet_table(path: Path, table: pa.Table) -> StoredTable:
    """Read a table; what pandas keeps beside the columns (its index) is no variable."""
    declared = _texts(table.schema.metadata)
    table = table.drop_columns([name for name in table.column_names if PANDAS_INDEX.fullmatch(name)])
    variables = {field.name: _attributes(field) for field in table.schema}
    keys = tuple(declared.get("keys", "").split())
    moments = {field.name: _sas_numbers(table[field.name]) for field in table.schema if _is_moment(field.type)}
    frame = _typed(table.drop_columns(list(moments)).to_pandas(ignore_metadata=True).assign(**moments), variables)
    return StoredTable(declared.get("name", path.stem.upper()), path, declared.get("label", ""), keys, variables, frame)


def _attributes(field: pa.Field) -> Attributes:
    declared = _texts(field.metadata)
    number = pa.types.is_floating(field.type) or pa.types.is_integer(field.type) or _is_moment(field.type)
    shown = declared.get("format", "").rstrip(".")
    return Attributes("Num" if number else "Char", declared.get("label", ""), declared.get("length", ""), shown)


def _is_moment(kind: pa.DataType) -> bool:
    return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind) or pa.types.is_time(kind))


def _sas_numbers(column: pa.ChunkedArray) -> np.ndarray:
    """Return dates as days and moments as seconds since 1960, times as seconds of the day."""
    kind = column.type
    if pa.types.is_time(kind):
        ticks = column.cast(pa.time64("ns")).cast(pa.int64()).to_numpy()
        return np.asarray(ticks, float) / 1e9
    unit = "D" if pa.types.is_date(kind) else "us"
    moments = np.asarray(column.cast(pa.timestamp("us")).to_numpy(), f"datetime64[{unit}]")
    step = np.timedelta64(1, "D") if unit == "D" else np.timedelta64(1, "s")
    return np.asarray((moments - np.datetime64("1960-01-01")) / step, float)


def _texts(metadata: dict[bytes, bytes] | None) -> dict[str, str]:
    return {key.decode("utf-8", "replace"): value.decode("utf-8", "replace") for key, value in (metadata or {}).items()}


def _read_sas(path: Path) -> StoredTable:
    import pyreadstat

    try:
        frame, about = pyreadstat.read_sas7bdat(str(path), disable_datetime_conversion=True, user_missing=True)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeDecodeError):
        raise UsageError(f"{path} is not a SAS dataset (sas7bdat)") from None
    variables = {
        name: Attributes(
            "Num" if about.readstat_variable_types[name] != "string" else "Char",
            about.column_names_to_labels[name] or "",
            str(about.variable_storage_width[name]),
            (about.original_variable_types[name] or "").rstrip("."),
        )
        for name in about.column_names
    }
    doubts = []
    for name in (one for one, declared in variables.items() if declared.type == "Num" and frame[one].dtype == object):
        tagged = frame[name].map(lambda value: isinstance(value, str))
        codes = frame.loc[tagged, name].value_counts().to_dict()
        doubts.append(_special(name, {f".{code}": range(count) for code, count in codes.items()}))
        frame[name] = frame[name].mask(tagged).astype("float64")
    label = about.file_label or ""
    return StoredTable(path.stem.upper(), path, label, declared_keys(path, path.stem.upper()), variables,
                       _typed(frame, variables), tuple(doubts))  # fmt: skip


def _read_csv(path: Path) -> StoredTable:
    try:
        frame = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8-sig")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError):
        raise UsageError(
            f"{path} is not a CSV file in UTF-8 with one row of names and as many cells in every row"
        ) from None
    variables = {str(name): Attributes() for name in frame}
    return StoredTable(path.stem.upper(), path, "", (), variables, _typed(frame, variables))


def _typed(frame: pd.DataFrame, variables: dict[str, Attributes]) -> pd.DataFrame:
    """Numbers as doubles; texts without the trailing blanks that a transport file cannot keep."""
    columns = {
        name: frame[name].astype("float64")
        if declared.type == "Num"
        else frame[name].fillna("").astype("str").str.rstrip(" ")
        for name, declared in variables.items()
    }
    return pd.DataFrame(columns, index=range(len(frame)))


def declared_keys(path: Path, name: str) -> tuple[str, ...]:
    """The keys of a transport file, as define.xml in its folder or the package's parquet copy declares them, if any."""
    define = path.parent / "define.xml"
    if define.is_file():
        found = _keys_of_define(define, name)
        if found:
            return found
    for parent in path.resolve().parents:
        copies = sorted(parent.glob(f"parquet/*/{path.stem.lower()}.parquet"))
        if copies:
            return tuple(_texts(pq.read_schema(copies[0]).metadata).get("keys", "").split())
    return ()


def _keys_of_define(define: Path, name: str) -> tuple[str, ...]:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.parse(str(define), parser).getroot()
    except etree.XMLSyntaxError:
        return ()
    names = {item.get("OID"): item.get("Name") for item in root.iter("{*}ItemDef")}
    for group in root.iter("{*}ItemGroupDef"):
        if group.get("Name") == name:
            keyed = [item for item in group.iter("{*}ItemRef") if item.get("KeySequence")]
            ordered = sorted(keyed, key=lambda item: int(str(item.get("KeySequence"))))
            return tuple(str(names.get(item.get("ItemOID"), "")) for item in ordered)
    return ()


READERS: dict[str, Callable[[Path], StoredTable]] = {
    ".xpt": _read_transport,
    **dict.fromkeys(dataset_json_reading.SUFFIXES, _read_dataset_json),
    ".parquet": _read_parquet,
    ".sas7bdat": _read_sas,
    ".csv": _read_csv,
}
