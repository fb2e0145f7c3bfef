"""Datasets on disk (transport file, parquet, CSV), read for a comparison together with their own metadata."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from metadata.errors import UsageError
from publish.disk import outside

SUFFIXES = (".xpt", ".parquet", ".csv")
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
    """A dataset read back: Char columns as text without trailing blanks, Num columns as float64."""

    name: str
    path: Path
    label: str
    keys: tuple[str, ...]
    variables: dict[str, Attributes]
    frame: pd.DataFrame


def read_table(path: Path) -> StoredTable:
    """Read one dataset; raises UsageError for any other file, OutsideError if the disk fails."""
    if path.suffix.lower() not in READERS:
        raise UsageError(f"{path} is not a dataset: it should end in {', '.join(SUFFIXES)}")
    with outside(f"read {path}"):
        return READERS[path.suffix.lower()](path)


def _read_transport(path: Path) -> StoredTable:
    import pyreadstat

    try:
        frame, read = pyreadstat.read_xport(str(path), disable_datetime_conversion=True)
    except (pyreadstat.ReadstatError, UnicodeDecodeError):
        raise UsageError(f"{path} is not a transport file of version 5 in ASCII or UTF-8") from None
    variables = {
        name: Attributes(
            "Char" if read.readstat_variable_types[name] == "string" else "Num",
            read.column_names_to_labels[name] or "",
            str(read.variable_storage_width[name]),
            (read.original_variable_types[name] or "").rstrip("."),
        )
        for name in read.column_names
    }
    name = (read.table_name or path.stem).upper()
    frame = pd.DataFrame(frame, columns=read.column_names)
    return StoredTable(
        name, path, read.file_label or "", declared_keys(path, name), variables, _typed(frame, variables)
    )


def _read_parquet(path: Path) -> StoredTable:
    try:
        table = pq.read_table(path)
    except pa.ArrowInvalid:
        raise UsageError(f"{path} is not a parquet file") from None
    declared = _texts(table.schema.metadata)
    variables = {field.name: _attributes(field) for field in table.schema}
    keys = tuple(declared.get("keys", "").split())
    frame = _typed(table.to_pandas(), variables)
    return StoredTable(declared.get("name", path.stem.upper()), path, declared.get("label", ""), keys, variables, frame)


def _attributes(field: pa.Field) -> Attributes:
    declared = _texts(field.metadata)
    number = pa.types.is_floating(field.type) or pa.types.is_integer(field.type)
    shown = declared.get("format", "").rstrip(".")
    return Attributes("Num" if number else "Char", declared.get("label", ""), declared.get("length", ""), shown)


def _texts(metadata: dict[bytes, bytes] | None) -> dict[str, str]:
    return {key.decode(): value.decode("utf-8", "replace") for key, value in (metadata or {}).items()}


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
    ".parquet": _read_parquet,
    ".csv": _read_csv,
}
