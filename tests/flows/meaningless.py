"""Changes of a study's files after which no study can be meant: a check must refuse each of them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import yaml

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{2,}")
JOINS = ("LEFT", "RIGHT", "FULL", "INNER", "CROSS", "NATURAL")
SQL_NAME = re.compile(r"\b[A-Z][A-Z0-9]{3,}\b")
COMMENT = re.compile(r"--.*|'[^'\n]*'")
ANCHOR = re.compile(r"\{#(\w+)\}")
ALIKE = str.maketrans("AaCcEeOoPpXxTHKMBiy", "АаСсЕеОоРрХхТНКМВіу")  # noqa: RUF001
OF_PEOPLE = frozenset({
    *("title", "short_title", "label", "labels", "name", "short", "heading", "stub", "any", "any_label", "unit_label"),
    *("problem", "expected", "reason", "rule", "ends", "transition", "branch", "element", "arm", "param", "treatment"),
    *("note", "notes", "text", "footnotes", "description", "source", "total", "acronyms", "synthetic_notice", "id"),
    *("category", "parcat1", "head", "answer", "answered_by", "published", "base_url"),
    *("url_variable", "token_variable", "token_block", "answers_key_variable"),
})  # fmt: skip
"""Keys whose values are words of the study's own, which nothing else names."""
WITHOUT_REPEATS = re.compile(
    r"(dictionary|events|arms|form_event_mapping|instruments|dags|answers|norms|laboratory_ranges|coding/\w+)\.csv"
)
TERMS = frozenset({"terms", "checked", "unchecked", *map(str, range(100))})
WORDS = ("sdtm/not_submitted.yaml", "guides.yaml")
"""Files whose values are sentences."""
UNREAD, ANY_HEADER = ("redcap/users.csv",), ("redcap/project_info.csv", "coding/")
"""What only the sandbox reads, and files of which some columns may have any name."""
UNNAMED_SECTIONS = ("outputs", "general")
NONSENSE = ("1,5", "x", "2019-13-45", "１２", "1e999", "--1", "NaN")  # noqa: RUF001
Kind = Callable[[str, Random], str | None]
"""A change of a file's text, None if it has no place for it."""


def change_to_nonsense(study: Path, random: Random) -> str:
    """Change one file and say which and how; blank if nothing could be changed."""
    for _ in range(20):
        path = random.choice(sorted(one for one in study.rglob("*") if one.suffix in KINDS))
        shown = path.relative_to(study).as_posix()
        kind = random.choice(KINDS[path.suffix])
        if (kind in (value_misspelt, value_gone) and shown in WORDS) or shown in UNREAD:
            continue
        if (kind is header_misspelt and shown.startswith(ANY_HEADER)) or (
            kind is key_added and shown == "terminology.yaml"
        ):
            continue
        if (kind is row_doubled and not WITHOUT_REPEATS.search(shown)) or shown.startswith("terminology/"):
            continue
        before = path.read_text(encoding="utf-8")
        after = kind(before, random)
        if after is not None and after != before:
            path.write_text(after, encoding="utf-8", newline="")
            return f"{shown}: {kind.__name__}: {_difference(before, after)}"
    return ""


def _difference(before: str, after: str) -> str:
    at = next((n for n, (one, two) in enumerate(zip(before, after, strict=False)) if one != two), len(before))
    start = before.rfind("\n", 0, at) + 1
    return repr(after[max(start, at - 90) : at + 60])


def _misspelt(word: str, random: Random, whole: str) -> str | None:
    at = random.randrange(1, len(word))
    made = random.choice([word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:], word.translate(ALIKE)])
    return None if made == word or re.search(rf"\b{re.escape(made)}\b", whole) else made


def value_misspelt(text: str, random: Random) -> str | None:
    """Misspell a name that is the whole of a value, in a way that is no other word of the file.

    Not the term of a choice: without a codelist it may be any text.
    """
    ours = {*OF_PEOPLE, *TERMS}
    found = [node for node, key in _scalars(text) if NAME.fullmatch(node.value) and key not in ours]
    return _replaced(text, random, found, lambda node: _misspelt(node.value, random, text))


def key_misspelt(text: str, random: Random) -> str | None:
    ours = {*OF_PEOPLE, "supplemental"}
    found = [node for node, key in _keys(text) if NAME.fullmatch(node.value) and key not in ours]
    return _replaced(text, random, found, lambda node: _misspelt(node.value, random, text))


def number_misread(text: str, random: Random) -> str | None:
    """Write something else where a number was."""
    found = [node for node, key in _scalars(text) if node.tag.endswith((":int", ":float")) and key not in OF_PEOPLE]
    return _replaced(text, random, found, lambda _: random.choice([*NONSENSE, "[[1]]", "{x: 1}", "true", ".inf"]))


def value_nested(text: str, random: Random) -> str | None:
    found = [node for node, key in _scalars(text) if node.value and key not in OF_PEOPLE and "\n" not in node.value]
    depth = random.choice([2, 5, 50])
    return _replaced(text, random, found, lambda node: f"{'[' * depth}'{node.value.replace(chr(39), '')}'{']' * depth}")


def value_gone(text: str, random: Random) -> str | None:
    """Write a mapping of a key that nothing has, where a word was."""
    found = [node for node, _ in _scalars(text) if NAME.fullmatch(node.value)]
    return _replaced(text, random, found, lambda node: f"{{nothing: {node.value}}}")


def key_added(text: str, random: Random) -> str | None:
    found = [node for node, _ in _keys(text) if NAME.fullmatch(node.value)]
    node = random.choice(found) if found else None
    if node is None or text[node.end_mark.index : node.end_mark.index + 2] not in (": ", ":\n"):
        return None
    flow = text[: node.start_mark.index].rstrip().endswith(("{", ","))
    line_start = text.rfind("\n", 0, node.start_mark.index) + 1
    if flow:
        return f"{text[: node.start_mark.index]}nothing: 1, {text[node.start_mark.index :]}"
    if text[line_start : node.start_mark.index].strip():
        return None
    return f"{text[:line_start]}{' ' * node.start_mark.column}nothing: 1\n{text[line_start:]}"


def key_twice(text: str, random: Random) -> str | None:
    """Repeat a line that is a key with its value."""
    lines = text.splitlines(keepends=True)
    found = [n for n, line in enumerate(lines) if re.fullmatch(r" *[A-Za-z_]\w*: [\w.]+\n", line)]
    if not found:
        return None
    at = random.choice(found)
    return "".join([*lines[: at + 1], *lines[at:]])


def _replaced(text: str, random: Random, nodes: list[yaml.Node], change: Callable[[Any], str | None]) -> str | None:
    if not nodes:
        return None
    node = random.choice(nodes)
    made = change(node)
    if made is None or "\n" in text[node.start_mark.index : node.end_mark.index]:
        return None
    return text[: node.start_mark.index] + made + text[node.end_mark.index :]


def _scalars(text: str) -> Iterator[tuple[Any, str]]:
    """Yield each scalar that is no key, with the key nearest above it."""
    yield from ((node, key) for node, key, is_key in _nodes(yaml.compose(text), "") if not is_key)


def _keys(text: str) -> Iterator[tuple[Any, str]]:
    """Yield each key, with the key nearest above it."""
    yield from ((node, key) for node, key, is_key in _nodes(yaml.compose(text), "") if is_key)


def _nodes(node: Any, above: str) -> Iterator[tuple[Any, str, bool]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key, above, True
            yield from _nodes(value, above if above in OF_PEOPLE else str(key.value))
    elif isinstance(node, yaml.SequenceNode):
        for one in node.value:
            yield from _nodes(one, above)
    elif node is not None:
        yield node, above, False


def header_misspelt(text: str, random: Random) -> str | None:
    rows = _rows(text)
    at = random.randrange(len(rows[0]))
    made = _misspelt(rows[0][at], random, text) if len(rows[0][at]) > 1 else None
    if made is None:
        return None
    rows[0][at] = made
    return _as_csv(rows)


def number_cell(text: str, random: Random) -> str | None:
    """Write something else in a column of numbers."""
    rows = _rows(text)
    columns = [at for at in range(len(rows[0])) if _is_of(rows, at, r"-?\d+(\.\d+)?") and len(rows) > 2]
    return _with_cell(rows, random, columns, random.choice(NONSENSE))


def day_cell(text: str, random: Random) -> str | None:
    rows = _rows(text)
    columns = [at for at in range(len(rows[0])) if _is_of(rows, at, r"\d{4}-\d\d-\d\d")]
    return _with_cell(rows, random, columns, random.choice(["2019-13-45", "31/12/2019", "x", "2019-02-30", "2019"]))


def _is_of(rows: list[list[str]], at: int, pattern: str) -> bool:
    filled = [row[at] for row in rows[1:] if row[at]]
    return bool(filled) and all(re.fullmatch(pattern, cell) for cell in filled)


def _with_cell(rows: list[list[str]], random: Random, columns: list[int], made: str) -> str | None:
    places = [(row, at) for row in rows[1:] for at in columns if row[at]]
    if not places:
        return None
    row, at = random.choice(places)
    row[at] = made
    return _as_csv(rows)


def row_doubled(text: str, random: Random) -> str | None:
    rows = _rows(text)
    return _as_csv([*rows, random.choice(rows[1:])]) if len(rows) > 1 else None


def row_longer(text: str, random: Random) -> str | None:
    rows = _rows(text)
    random.choice(rows).append("x")
    return _as_csv(rows)


def row_shorter(text: str, random: Random) -> str | None:
    rows = _rows(text)
    random.choice(rows).pop()
    return _as_csv(rows)


def name_repeated(text: str, random: Random) -> str | None:
    """Give a row the name (first cell) of another one, with all else its own."""
    rows = _rows(text)
    if not rows[0][0].startswith("field_name") or len(rows) < 3:
        return None
    one, two = random.sample(rows[1:], 2)
    one[0] = two[0]
    return _as_csv(rows)


def _rows(text: str) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")) if row]


def _as_csv(rows: list[list[str]]) -> str:
    made = io.StringIO(newline="")
    csv.writer(made, lineterminator="\n").writerows(rows)
    return made.getvalue()


def sql_name_misspelt(text: str, random: Random) -> str | None:
    """Misspell every use of a name outside comments and texts that is used once only."""
    bare = COMMENT.sub(lambda found: " " * len(found[0]), text)
    found = [one for one in SQL_NAME.finditer(bare) if len(re.findall(rf"\b{one[0]}\b", bare)) == 1]
    # a name that is made here (AS X) and used nowhere else may have any name; LEFTQQ would name the table before it
    found = [one for one in found if not re.search(r"\b(AS|WITH)\s*$", bare[: one.start()]) and one[0] not in JOINS]
    if not found:
        return None
    one = random.choice(found)
    return f"{text[: one.start()]}{one[0]}QQ{text[one.end() :]}"


def bracket_dropped(text: str, random: Random) -> str | None:
    bare = COMMENT.sub(lambda found: " " * len(found[0]), text)
    found = [at for at, letter in enumerate(bare) if letter in "()"]
    at = random.choice(found) if found else None
    return None if at is None else text[:at] + text[at + 1 :]


def anchor_misspelt(text: str, random: Random) -> str | None:
    """Misspell the anchor of a section of the plan."""
    found = [one for one in ANCHOR.finditer(text) if one[1] not in UNNAMED_SECTIONS]
    one = random.choice(found) if found else None
    return None if one is None else f"{text[: one.start(1)]}{one[1]}q{text[one.end(1) :]}"


KINDS: dict[str, tuple[Kind, ...]] = {
    ".yaml": (
        *(value_misspelt, value_misspelt, key_misspelt, key_misspelt, number_misread, number_misread),
        *(value_nested, value_gone, key_added, key_twice),
    ),
    ".csv": (header_misspelt, number_cell, day_cell, row_doubled, row_longer, row_shorter, name_repeated),
    ".sql": (sql_name_misspelt, bracket_dropped),
    ".md": (anchor_misspelt,),
}
