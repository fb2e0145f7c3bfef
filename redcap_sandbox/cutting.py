"""Where an answer can be cut off: the classes of bytes that tell a reader more or less about it."""

from __future__ import annotations

import re

PLACES = ("header", "cell", "quoted", "quote", "escape", "delimiter", "line", "character", "last")
"""In the names of the first row; in a plain value; in a quoted one; after the quote that opens one; inside an escape
(a doubled quote of CSV, a backslash of JSON); after a delimiter; after a row; inside a character of several bytes; and
before the very last byte that is no white space."""
CSV_CELLS = re.compile(rb'"(?:[^"]|"")*"|[^,\n]+')
JSON_TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*"')
JSON_PLAIN = re.compile(rb"(?<=:)\d+")


def cut_places(body: bytes, kind: str, where: str) -> list[int]:
    """Return all lengths that an answer has when it is cut at places of one class, ascending; ``kind`` json or csv."""
    if where == "last":
        return [len(body.rstrip()) - 1] if body.strip() else []
    if where == "character":
        return _in_characters(body, kind)
    return _json_places(body, where) if kind == "json" else _csv_places(body, where)


def _in_characters(body: bytes, kind: str) -> list[int]:
    """Return places after the first byte of characters; JSON writes them as an escape of six."""
    if kind == "json":
        return [found.start() + 3 for found in re.finditer(rb"\\u[0-9a-f]{4}", body)]
    return [found.start() + 1 for found in re.finditer(rb"[\xc2-\xf4][\x80-\xbf]+", body)]


def _csv_places(body: bytes, where: str) -> list[int]:
    cells = [(found.start(), found.group()) for found in CSV_CELLS.finditer(body)]
    quoted = [(start, cell) for start, cell in cells if cell.startswith(b'"')]
    outside = _without(body, quoted)
    head = outside.find(b"\n")
    return {
        "header": [head // 2] if head > 1 else [],
        "cell": [start + 1 for start, cell in cells if not cell.startswith(b'"') and len(cell) > 1 and start > head],
        "quoted": [start + len(cell) // 2 for start, cell in quoted if len(cell) > 3],
        "quote": [start + 1 for start, _ in quoted],
        "escape": [start + 1 + found.start() + 1 for start, cell in quoted for found in re.finditer(b'""', cell[1:-1])],
        "delimiter": [place + 1 for place, byte in enumerate(outside) if byte == ord(",") and place > head],
        "line": [place + 1 for place, byte in enumerate(outside[:-1]) if byte == ord("\n")],
    }[where]


def _json_places(body: bytes, where: str) -> list[int]:
    texts = [(found.start(), found.group()) for found in JSON_TEXTS.finditer(body)]
    values = [(start, text) for start, text in texts if not body.startswith(b":", start + len(text))]
    outside = _without(body, texts)
    first = outside.find(b"}")
    return {
        "header": [start + len(text) // 2 for start, text in texts[:1]],
        "cell": [found.end() for found in JSON_PLAIN.finditer(outside)],
        "quoted": [start + len(text) // 2 for start, text in values if len(text) > 3],
        "quote": [start + 1 for start, _ in values],
        "escape": [start + found.start() + 1 for start, text in values for found in re.finditer(rb"\\", text)],
        "delimiter": [place + 1 for place, byte in enumerate(outside) if byte in b",:" and place < first],
        "line": [found.end() for found in re.finditer(rb"\},?(?=\{)", outside)],
    }[where]


def _without(body: bytes, texts: list[tuple[int, bytes]]) -> bytes:
    """Return an answer of the same length with blanks for what is in quotes."""
    parts, end = [], 0
    for start, text in texts:
        parts += [body[end:start], b" " * len(text)]
        end = start + len(text)
    return b"".join([*parts, body[end:]])
