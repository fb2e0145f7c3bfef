"""Tables as REDCap writes them: JSON, CSV in PHP's dialect, XML. Column by column, so that size costs little."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from xml.sax.saxutils import escape

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

MEDIA = {
    "json": "application/json; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "xml": "text/xml; charset=utf-8",
    "text": "text/html; charset=UTF-8",
}
XML_HEAD = '<?xml version="1.0" encoding="UTF-8" ?>'


def render_error(text: str, kind: str) -> str:
    """Return the body of an error in the format the client asked for."""
    if kind == "json":
        return json.dumps({"error": text}, separators=(",", ":")).replace("/", "\\/")
    if kind == "csv":
        return f"ERROR: {text}"
    return f"{XML_HEAD}<hash><error>{escape(text)}</error></hash>"


def render_table(
    frame: pd.DataFrame,
    kind: str,
    *,
    root: str = "items",
    item: str = "item",
    delimiter: str = ",",
    headers: list[str] | None = None,
    last_newline: bool = True,
    doubled: bool = False,
    quoted: Collection[str] = (),
) -> str:
    """Return a table in ``kind``; an empty one is ``[]``, a single newline or an empty root element.

    ``headers`` replace the column names in CSV only. Integers stay numbers in JSON, all else is text. ``doubled`` is
    for CSV: every quote inside a cell is doubled, also one after a backslash, which PHP leaves single. The cells of
    the columns ``quoted`` are in quotes in any case: real servers write the labels of instruments so.
    """
    if kind == "json":
        return str(frame.to_json(orient="records")) if len(frame) else "[]"
    if kind == "csv":
        return _csv(frame, delimiter, headers, last_newline, doubled, quoted)
    return _xml(frame, root, item)


def render_object(values: dict[str, object], kind: str, doubled: bool = False) -> str:
    """Return a single object: the project's information, which has no list around it."""
    frame = pd.DataFrame([values]).astype(object)
    if kind == "json":
        return str(frame.to_json(orient="records"))[1:-1]
    if kind == "csv":
        return _csv(frame, ",", None, True, doubled)
    return XML_HEAD + "".join(_elements(frame, "items").to_pylist())


def _text_columns(frame: pd.DataFrame) -> list[pa.Array]:
    """Return the columns as Arrow text; integers are written plainly."""
    return [pa.array(frame.iloc[:, place].astype("str"), pa.large_string()) for place in range(frame.shape[1])]


def _csv(
    frame: pd.DataFrame,
    delimiter: str,
    headers: list[str] | None,
    last_newline: bool,
    doubled: bool,
    always: Collection[str] = (),
) -> str:
    if frame.empty:
        return "\n"
    cells = [
        _quoted(column, delimiter, doubled, name in always)
        for name, column in zip(frame.columns, _text_columns(frame), strict=True)
    ]
    names = _quoted(pa.array(headers or list(frame.columns), pa.large_string()), delimiter, doubled)
    lines = pc.binary_join_element_wise(*cells, pa.scalar(delimiter, pa.large_string()))
    body = "\n".join([delimiter.join(names.to_pylist()), *lines.to_pylist()])
    return body + "\n" if last_newline else body


def _quoted(column: pa.Array, delimiter: str, doubled: bool, always: bool = False) -> pa.Array:
    """Quote as PHP's fputcsv does: only cells that hold the delimiter, a quote, a backslash or white space, or all.

    PHP doubles a quote inside a cell unless a backslash precedes it. A quote that follows one left single is doubled.
    """
    needs = pc.match_substring_regex(column, "" if always else f'[{re.escape(delimiter)}"\\\\ \\t\\r\\n]')
    if not pc.any(needs).as_py():
        return column
    mark, nothing = pa.scalar('"', pa.large_string()), pa.scalar("", pa.large_string())
    inner = pc.replace_substring(column, '"', '""')
    if not doubled:
        inner = pc.replace_substring(inner, '\\""', '\\"')
    return pc.if_else(needs, pc.binary_join_element_wise(mark, inner, mark, nothing), column)


def _xml(frame: pd.DataFrame, root: str, item: str) -> str:
    if frame.empty:
        return f"{XML_HEAD}<{root}></{root}>"
    return f"{XML_HEAD}<{root}>{''.join(_elements(frame, item).to_pylist())}</{root}>"


def _elements(frame: pd.DataFrame, item: str) -> pa.Array:
    """Return one XML element a row, its values as CDATA (a ``]]>`` inside a value is split over two sections)."""
    nothing = pa.scalar("", pa.large_string())
    parts: list[pa.Array] = [pa.scalar(f"<{item}>", pa.large_string())]
    for name, column in zip(frame.columns, _text_columns(frame), strict=True):
        safe = pc.replace_substring(column, "]]>", "]]]]><![CDATA[>")
        head = pa.scalar(f"<{name}><![CDATA[", pa.large_string())
        parts.append(pc.binary_join_element_wise(head, safe, pa.scalar(f"]]></{name}>", pa.large_string()), nothing))
    return pc.binary_join_element_wise(*parts, pa.scalar(f"</{item}>", pa.large_string()), nothing)
