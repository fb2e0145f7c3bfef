"""The rows that a client posted as ``data``: JSON, CSV or REDCap's XML, all values as texts."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from lxml import etree

from redcap_sandbox.request import ApiError, ApiRequest

Row = dict[str, str]
"""Column to value; a column that the client left out of a row is not in it."""
FORMLESS = "The data being imported is not formatted correctly"


def posted_rows(request: ApiRequest) -> list[Row]:
    """Return the posted rows; raises ApiError (400) for what is none of the three formats, or is another than named."""
    data, kind = request.raw("data"), request.format
    if kind == "json":
        return _json_rows(data)
    return _csv_rows(data, request.delimiter) if kind == "csv" else _xml_rows(data)


def as_text(value: Any) -> str:
    """Return a JSON value as PHP's casts write it: true is 1, false and null are blank, 4.0 is 4."""
    if value is None or value is False:
        return ""
    if value is True:
        return "1"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dict):
        return ",".join(f"{key}:{as_text(one)}" for key, one in value.items())
    return str(value)


def _json_rows(data: str) -> list[Row]:
    try:
        found = json.loads(data)
    except ValueError:
        raise ApiError(400, FORMLESS) from None
    rows = [found] if isinstance(found, dict) else found
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ApiError(400, FORMLESS)
    return [{str(name): as_text(value) for name, value in row.items()} for row in rows]


def _csv_rows(data: str, delimiter: str) -> list[Row]:
    lines = list(csv.reader(io.StringIO(data.lstrip("\ufeff"), newline=""), delimiter=delimiter))
    lines = [line for line in lines if any(cell.strip() for cell in line)]
    if not lines:
        raise ApiError(400, FORMLESS)
    head = [name.strip() for name in lines[0]]
    if any(len(line) > len(head) for line in lines):
        raise ApiError(400, FORMLESS)
    return [dict(zip(head, line, strict=False)) for line in lines[1:]]


def _xml_rows(data: str) -> list[Row]:
    """Return a row an element below the root; where those have no elements in them, the root is the only row."""
    root = parsed_xml(data)
    items = [one for one in root if len(one)] or ([root] if len(root) else [])
    return [{str(cell.tag): _cell(cell) for cell in item} for item in items]


def _cell(cell: etree._Element) -> str:
    """Return a value; one with elements in it (a user's rights on forms) is written ``name:value,name:value``."""
    if len(cell):
        return ",".join(f"{one.tag}:{one.text or ''}" for one in cell)
    return cell.text or ""


def parsed_xml(data: str) -> etree._Element:
    """Return the root of posted XML, which may declare neither a document type nor entities."""
    if "<!DOCTYPE" in data or "<!ENTITY" in data:
        raise ApiError(400, FORMLESS)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        return etree.fromstring(data.strip().encode(), parser)
    except etree.XMLSyntaxError:
        raise ApiError(400, FORMLESS) from None
