"""Changes that people and programs make to a study's files by mistake, drawn from a seed."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import yaml

SCALARS: tuple[Any, ...] = (
    *("", " ", "x", "2024-13-45", "24", "(?!X).*", "[", "ä" * 300, "=1+1", "\u0001", "%s {0} {x}", "../../x"),
    "x" * 140_000,
    *(None, True, False, 0, -1, 1.5, 10**400, float("inf"), float("nan"), [], {}, ["x"], {"x": 1}, [[]], [{}], [None]),
)  # fmt: skip
ANCHORS = b"a: &a [x]\n" + b"".join(b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in b"bcdefghij")
WHOLE_FILES: tuple[bytes, ...] = (
    *(b"", b"\n", b"# only a comment\n", b"x", b"x\n", b"- x\n", b"null\n", b"[" * 3000, b"{a: &a [*a]}", b"\x00\x01"),
    *(ANCHORS, "ä: 1\n".encode("latin-1"), "ä,b\nä,1\n".encode("utf-16"), b"--- 1\n--- 2\n", b"a: !!python/name:x\n"),
)  # fmt: skip
Place = tuple[Any, Any]
"""A mapping or list, and a key or index of it."""


def mutate(study: Path, random: Random) -> str:
    """Change one file of the study in one way and say which and how."""
    path = random.choice(sorted(_files(study)))
    kinds = YAML_KINDS if path.suffix == ".yaml" else CSV_KINDS
    kind = random.choice([*kinds, *BYTE_KINDS])
    content = kind(path.read_bytes(), random)
    path.write_bytes(content)
    return f"{path.relative_to(study).as_posix()}: {kind.__name__}"


def _files(study: Path) -> Iterator[Path]:
    for path in study.rglob("*"):
        if path.suffix in {".yaml", ".csv"}:
            yield path


def whole_file(_: bytes, random: Random) -> bytes:
    return random.choice(WHOLE_FILES)


def cut_off(content: bytes, random: Random) -> bytes:
    return content[: random.randrange(len(content) + 1)]


def strange_byte(content: bytes, random: Random) -> bytes:
    at = random.randrange(len(content) + 1)
    return content[:at] + random.choice([b"\xff", b"\xa0", b"\x00", b'"', b"'", b"\r", b"\t", b"\x85"]) + content[at:]


def line_deleted(content: bytes, random: Random) -> bytes:
    lines = content.splitlines(keepends=True)
    del lines[random.randrange(len(lines)) :][:1]
    at = random.randrange(len(lines))
    return b"".join(lines[:at] + lines[at + 1 :])


def line_doubled(content: bytes, random: Random) -> bytes:
    lines = content.splitlines(keepends=True)
    at = random.randrange(len(lines))
    return b"".join(lines[: at + 1] + lines[at:])


def line_indented(content: bytes, random: Random) -> bytes:
    lines = content.splitlines(keepends=True)
    at = random.randrange(len(lines))
    return b"".join([*lines[:at], b"  " + lines[at], *lines[at + 1 :]])


def key_deleted(content: bytes, random: Random) -> bytes:
    return _changed(content, random, lambda holder, key: holder.pop(key))


def key_renamed(content: bytes, random: Random) -> bytes:
    def rename(holder: Any, key: Any) -> None:
        if isinstance(holder, dict):
            holder[random.choice([f"{key}x", str(key)[:-1], str(key).swapcase(), 7, None, True, ""])] = holder.pop(key)
        else:
            holder.append(holder[key])

    return _changed(content, random, rename)


def value_changed(content: bytes, random: Random) -> bytes:
    def change(holder: Any, key: Any) -> None:
        holder[key] = random.choice(SCALARS)

    return _changed(content, random, change)


def value_moved(content: bytes, random: Random) -> bytes:
    """Put a value of another place of the file here."""
    document = yaml.safe_load(content)
    places = list(_places(document))
    if len(places) > 1:
        (holder, key), (other, from_key) = random.choice(places), random.choice(places)
        holder[key] = yaml.safe_load(yaml.safe_dump(other[from_key]))
    return _dumped(document)


def value_wrapped(content: bytes, random: Random) -> bytes:
    def wrap(holder: Any, key: Any) -> None:
        holder[key] = random.choice([[holder[key]], {"value": holder[key]}, str(holder[key]), [holder[key]] * 2])

    return _changed(content, random, wrap)


def _changed(content: bytes, random: Random, change: Callable[[Any, Any], Any]) -> bytes:
    document = yaml.safe_load(content)
    places = list(_places(document))
    if places:
        change(*random.choice(places))
    return _dumped(document)


def _dumped(document: Any) -> bytes:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True).encode()


def _places(document: Any) -> Iterator[Place]:
    keys = list(document) if isinstance(document, dict) else range(len(document)) if isinstance(document, list) else []
    for key in keys:
        yield document, key
        yield from _places(document[key])


def cell_changed(content: bytes, random: Random) -> bytes:
    rows = _rows(content)
    row = random.choice(rows)
    row[random.randrange(len(row))] = str(random.choice(SCALARS[:22]))
    return _as_csv(rows)


def header_changed(content: bytes, random: Random) -> bytes:
    rows = _rows(content)
    at = random.randrange(len(rows[0]))
    rows[0][at] = random.choice(
        ["", f"{rows[0][at]}x", rows[0][0], rows[0][-1], rows[0][at].upper(), f" {rows[0][at]}"]
    )
    return _as_csv(rows)


def column_deleted(content: bytes, random: Random) -> bytes:
    rows = _rows(content)
    at = random.randrange(len(rows[0]))
    return _as_csv([row[:at] + row[at + 1 :] for row in rows])


def column_doubled(content: bytes, random: Random) -> bytes:
    rows = _rows(content)
    at = random.randrange(len(rows[0]))
    return _as_csv([[*row, *row[at : at + 1]] for row in rows])


def row_shortened(content: bytes, random: Random) -> bytes:
    rows = _rows(content)
    row = random.choice(rows)
    del row[random.randrange(len(row)) :]
    return _as_csv(rows)


def row_lengthened(content: bytes, random: Random) -> bytes:
    rows = _rows(content)
    random.choice(rows).append("x")
    return _as_csv(rows)


def header_only(content: bytes, random: Random) -> bytes:
    return _as_csv(_rows(content)[:1])


def _rows(content: bytes) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")) if row]


def _as_csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


Kind = Callable[[bytes, Random], bytes]
BYTE_KINDS: tuple[Kind, ...] = (whole_file, cut_off, strange_byte, line_deleted, line_doubled)
YAML_KINDS: tuple[Kind, ...] = (
    *(key_deleted, key_renamed, value_changed, value_changed, value_changed),
    *(value_moved, value_moved, value_wrapped, line_indented),
)
CSV_KINDS: tuple[Kind, ...] = (
    *(cell_changed, cell_changed, header_changed, column_deleted, column_doubled),
    *(row_shortened, row_lengthened, header_only),
)
