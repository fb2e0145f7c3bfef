"""Changes that people and programs make to a study's files by mistake, drawn from a seed.

The kinds of this module may give a study that means something; those of ``meaningless`` never do.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import yaml

from tests.flows.meaningless import change_to_nonsense

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
TWICE, DELETED, MEANINGLESS = 0.25, 0.02, 0.4
ENCODINGS = ("utf-16", "utf-32", "latin-1", "utf-8-sig", "cp1252", "utf-7")
DATE = re.compile(r"\b(?:19|20)\d\d-\d\d-\d\d\b")
ALIKE = dict(zip("AaBCcEeHiKMOopPTXxy0123456789", "АаВСсЕеНіКМОорРТХху０１２３４５６７８９", strict=True))  # noqa: RUF001
UNSEEN = ("\u200b", "\ufeff", "\u00ad", "\u00a0", "\u0301")
Place = tuple[Any, Any]
"""A mapping or list, and a key or index of it."""


@dataclass(frozen=True)
class Change:
    """What was done to a study's files, and whether no study of that kind can be meant."""

    what: str
    meaningless: bool

    def __str__(self) -> str:
        return f"{self.what}{' (meaningless)' if self.meaningless else ''}"


def mutate(study: Path, random: Random) -> Change:
    """Change one file of the study in one way, one time in four another one as well, and say which and how."""
    if random.random() < MEANINGLESS and (what := change_to_nonsense(study, random)):
        return Change(what, meaningless=True)
    changes = [_mutate(study, random)]
    if random.random() < TWICE:
        changes.append(_mutate(study, random))
    return Change("; ".join(changes), meaningless=False)


def _mutate(study: Path, random: Random) -> str:
    path = random.choice(sorted(_files(study)))
    shown = path.relative_to(study).as_posix()
    if random.random() < DELETED:
        path.unlink()
        return f"{shown}: deleted"
    kinds = {".yaml": YAML_KINDS, ".csv": CSV_KINDS}.get(path.suffix, ())
    kind = random.choice([*kinds, *BYTE_KINDS])
    try:
        path.write_bytes(kind(path.read_bytes(), random))
    except (ValueError, yaml.YAMLError, IndexError):  # a second change of a file that is no longer YAML or CSV
        path.write_bytes(whole_file(b"", random))
    return f"{shown}: {kind.__name__}"


def _files(study: Path) -> Iterator[Path]:
    for path in study.rglob("*"):
        if path.suffix in {".yaml", ".csv", ".sql", ".md"}:
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


def other_encoding(content: bytes, random: Random) -> bytes:
    return content.decode("utf-8", "replace").encode(random.choice(ENCODINGS), "replace")


def line_ends(content: bytes, random: Random) -> bytes:
    return content.replace(b"\n", random.choice([b"\r\n", b"\r", b"\n\n", b" \n", b"\x0b"]))


def letter_alike(content: bytes, random: Random) -> bytes:
    """Put a letter that looks the same, or that cannot be seen, where an ASCII letter was."""
    text = content.decode("utf-8", "replace")
    places = [at for at, letter in enumerate(text) if letter in ALIKE]
    if not places:
        return content
    at = random.choice(places)
    return f"{text[:at]}{random.choice([ALIKE[text[at]], text[at] + random.choice(UNSEEN)])}{text[at + 1 :]}".encode()


def lines_moved(content: bytes, random: Random) -> bytes:
    lines = content.splitlines(keepends=True)
    one, two = random.randrange(len(lines)), random.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]
    return b"".join(lines)


def text_doubled(content: bytes, random: Random) -> bytes:
    return content * random.choice([2, 20])


def keys_swapped(content: bytes, random: Random) -> bytes:
    """Give two keys of a mapping, or two items of a list, each other's values."""
    document = yaml.safe_load(content)
    holders = {id(holder): holder for holder, _ in _places(document) if len(holder) > 1}
    if holders:
        holder = random.choice(list(holders.values()))
        one, two = random.sample(list(holder) if isinstance(holder, dict) else list(range(len(holder))), 2)
        holder[one], holder[two] = holder[two], holder[one]
    return _dumped(document)


def list_grown(content: bytes, random: Random) -> bytes:
    """Repeat the items of a list, or turn it round, or empty it."""
    document = yaml.safe_load(content)
    lists = [holder[key] for holder, key in _places(document) if isinstance(holder[key], list)]
    if lists:
        chosen = random.choice(lists)
        chosen[:] = random.choice([chosen * 2, chosen * 50, chosen[::-1], [], chosen[:1]])
    return _dumped(document)


def number_changed(content: bytes, random: Random) -> bytes:
    document = yaml.safe_load(content)
    places = [(holder, key) for holder, key in _places(document) if type(holder[key]) in (int, float)]
    if places:
        holder, key = random.choice(places)
        holder[key] = random.choice([-holder[key], 0, holder[key] + 1, holder[key] * 1e6, 0.1, 1e-300, 1e300, 2**70])
    return _dumped(document)


def letter_changed(content: bytes, random: Random) -> bytes:
    """Misspell one word."""
    document = yaml.safe_load(content)
    places = [(holder, key) for holder, key in _places(document) if isinstance(holder[key], str) and holder[key]]
    if places:
        holder, key = random.choice(places)
        word, at = holder[key], random.randrange(len(holder[key]))
        holder[key] = random.choice(
            [word[:at] + word[at + 1 :], word[:at] + "x" + word[at:], word.lower(), word.upper()]
        )
    return _dumped(document)


def number_as_text(content: bytes, random: Random) -> bytes:
    """Quote a number, or write a text that looks like one without quotes."""
    document = yaml.safe_load(content)
    places = [(holder, key) for holder, key in _places(document) if _is_numeric(holder[key])]
    if places:
        holder, key = random.choice(places)
        value = holder[key]
        holder[key] = yaml.safe_load(value) if isinstance(value, str) else random.choice([str(value), f" {value}"])
    return _dumped(document)


def _is_numeric(value: Any) -> bool:
    return type(value) in (int, float) or (isinstance(value, str) and value.strip(" -").replace(".", "", 1).isdigit())


def nested(content: bytes, random: Random) -> bytes:
    depth = random.choice([2, 20, 90, 2000])

    def put(holder: Any, key: Any) -> None:
        holder[key] = {"deep": holder[key]}

    document = yaml.safe_load(content)
    places = list(_places(document))
    if places:
        put(*random.choice(places))
    opened, closed = random.choice([("[", "]"), ("{x: ", "}")])
    text = _dumped(document).decode()
    return text.replace("deep:", f"deep: {opened * depth}1{closed * depth}\n#", 1).encode()


def date_changed(content: bytes, random: Random) -> bytes:
    text = content.decode("utf-8", "replace")
    found = list(DATE.finditer(text))
    if not found:
        return content
    one = random.choice(found)
    changed = random.choice(["0001-01-01", "9999-12-31", "2019-02-29", f"{one[0]}T24:00", one[0][:7], "31/12/2019"])
    return f"{text[: one.start()]}{changed}{text[one.end() :]}".encode()


def sibling_taken(content: bytes, random: Random) -> bytes:
    """Move a value to the next key of its mapping, which loses its own."""
    document = yaml.safe_load(content)
    holders = {id(one): one for one, _ in _places(document) if isinstance(one, dict) and len(one) > 1}
    if holders:
        holder = random.choice(list(holders.values()))
        one, two = random.sample(list(holder), 2)
        holder[two] = holder.pop(one)
    return _dumped(document)


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


def cells_swapped(content: bytes, random: Random) -> bytes:
    rows = _rows(content)
    one, two = random.choice(rows), random.choice(rows)
    at = random.randrange(min(len(one), len(two)))
    one[at], two[at] = two[at], one[at]
    return _as_csv(rows)


def columns_swapped(content: bytes, random: Random) -> bytes:
    rows = _rows(content)
    one, two = random.randrange(len(rows[0])), random.randrange(len(rows[0]))
    for row in rows:
        row[one], row[two] = row[two], row[one]
    return _as_csv(rows)


def row_doubled(content: bytes, random: Random) -> bytes:
    rows = _rows(content)
    return _as_csv([*rows, random.choice(rows)])


def cell_misspelt(content: bytes, random: Random) -> bytes:
    rows = _rows(content)
    filled = [(row, at) for row in rows for at, cell in enumerate(row) if cell]
    row, at = random.choice(filled)
    row[at] = random.choice(
        [row[at][1:], f"{row[at]}x", row[at].swapcase(), f" {row[at]} ", row[at] * 2, f"-{row[at]}"]
    )
    return _as_csv(rows)


def other_delimiter(content: bytes, random: Random) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=random.choice(";\t|"), lineterminator="\r\n").writerows(_rows(content))
    return text.getvalue().encode("utf-8-sig")


def header_only(content: bytes, random: Random) -> bytes:
    return _as_csv(_rows(content)[:1])


def _rows(content: bytes) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")) if row]


def _as_csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


Kind = Callable[[bytes, Random], bytes]
BYTE_KINDS: tuple[Kind, ...] = (
    *(whole_file, cut_off, strange_byte, line_deleted, line_doubled),
    *(other_encoding, line_ends, text_doubled, letter_alike, lines_moved, date_changed),
)
YAML_KINDS: tuple[Kind, ...] = (
    *(key_deleted, key_renamed, value_changed, value_changed, value_changed),
    *(value_moved, value_moved, value_wrapped, line_indented),
    *(number_as_text, nested, sibling_taken),
    *(keys_swapped, list_grown, number_changed, letter_changed, letter_changed),
)
CSV_KINDS: tuple[Kind, ...] = (
    *(cell_changed, cell_changed, header_changed, column_deleted, column_doubled),
    *(row_shortened, row_lengthened, header_only),
    *(cells_swapped, columns_swapped, row_doubled, cell_misspelt, cell_misspelt, other_delimiter),
)
