"""Where a study's files name a field, form, event or group of its project, or a variable of its datasets."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from metadata.yaml_source import LocatedDict, LocatedList, filled_in

NAMED = re.compile(r"\[([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:\.\w+)?\}|\b[A-Z][A-Z0-9]*\.([A-Z]\w*)")
"""A name in REDCap's logic, in a sentence, and after a dataset's."""
VARIABLE = re.compile(r"[A-Z][A-Z0-9]{1,7}")
PROSE = {"label", "title", "problem", "expected", "description", "footnotes", "id", "kind", "file", "template", "plan"}
NAMING_KEYS = {
    "when",
    "where",
    "fields",
    "forms",
    "site",
    "variables",
    "labels",
    "tests",
    "items",
    "paramcd",
    "parameters",
}
"""Keys whose own keys name something of the project or of a dataset, and are no words of the language."""
CODED_KEYS = ("terms", "code", "codes", "conversions", "values")


@dataclass(frozen=True)
class NamedLine:
    """A line that names something: file, line, its first key, and the codes that it alone looks at (None: all).

    ``of_code`` has the line of each of these codes, where it has one of its own, ``makes`` the variables that are made
    there.
    """

    file: str
    line: int
    key: str
    codes: frozenset[str] | None = None
    of_code: tuple[tuple[str, int], ...] = ()
    makes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.key}"

    def at_code(self, code: str) -> NamedLine:
        """Return the line of a code."""
        return NamedLine(self.file, dict(self.of_code).get(code, self.line), self.key)


def named_lines(node: Any, words: Collection[str]) -> Iterator[tuple[str, NamedLine]]:
    """Yield each of ``words`` that a file names, with the line; ``node`` is what the file holds."""
    yield from _of_node(node, words, [])


def _of_node(node: Any, words: Collection[str], path: list[tuple[str, int]]) -> Iterator[tuple[str, NamedLine]]:
    if isinstance(node, LocatedDict):
        each = node.get("for_each")
        if isinstance(each, LocatedDict | LocatedList):
            rest = LocatedDict({key: value for key, value in node.items() if key != "for_each"})
            rest.file, rest.line, rest.lines = node.file, node.line, node.lines
            for item in each:
                own = _own_words(each, item)
                found = list(_of_node(filled_in(rest, str(item), own), words, path))
                yield from found
                if isinstance(each, LocatedDict):
                    there = {word for word, _ in found} & {str(item), *own.values()}
                    here = [*path, (str(item), each.lines[item])]
                    yield from ((word, _line(each.file, here, None, ())) for word in sorted(there))
            return
        for key, value in node.items():
            here = [*path, (key, node.lines.get(key, node.line))]
            if key in words and path and path[-1][0] in NAMING_KEYS:
                yield key, _line(node.file, here, _condition_codes(value), ())
            if isinstance(value, str):
                for word in _words(key, value, words):
                    yield word, _line(node.file, here, *_codes(node), _made(node, key))
            else:
                yield from _of_list(node, key, value, words, here)
    elif isinstance(node, LocatedList):
        for place, item in enumerate(node):
            yield from _of_node(item, words, [*path, ("", node.lines.get(place, node.line))])


def _own_words(each: LocatedDict | LocatedList, item: Any) -> dict[str, str]:
    """Return the further words of an item of ``for_each``: each text by its name."""
    given = each[item] if isinstance(each, LocatedDict) else None
    return {str(name): str(word) for name, word in given.items()} if isinstance(given, LocatedDict) else {}


def _of_list(
    node: LocatedDict, key: str, value: Any, words: Collection[str], path: list[tuple[str, int]]
) -> Iterator[tuple[str, NamedLine]]:
    if not isinstance(value, LocatedList):
        yield from _of_node(value, words, path)
        return
    for place, item in enumerate(value):
        if isinstance(item, str):
            for word in _words(key, item, words):
                here = [*path, (key, value.lines.get(place, value.line))]
                yield word, _line(value.file, here, *_codes(node), _made(node, key))
    yield from _of_node(value, words, path)


def _words(key: str, text: str, words: Collection[str]) -> list[str]:
    whole = [text] if key not in PROSE else []
    inside = [part for found in NAMED.findall(text) for part in found]
    return [word for word in dict.fromkeys([*whole, *inside]) if word in words]


def _codes(node: LocatedDict) -> tuple[frozenset[str] | None, tuple[tuple[str, int], ...]]:
    """Return the codes that a declaration looks at, if it lists them, and their lines."""
    for key in CODED_KEYS:
        value = node.get(key)
        if isinstance(value, LocatedDict):
            return frozenset(map(str, value)), tuple((str(code), line) for code, line in value.lines.items())
        if key in ("code", "codes") and value is not None:
            return frozenset(str(one) for one in (value if isinstance(value, list) else [value])), ()
    return None, ()


def _condition_codes(value: Any) -> frozenset[str] | None:
    """Return the codes that a condition compares with."""
    if isinstance(value, list):
        return frozenset(str(one) for one in value)
    return None if isinstance(value, dict) or value is None else frozenset([str(value)])


def _line(
    file: str,
    path: list[tuple[str, int]],
    codes: frozenset[str] | None,
    of_code: tuple[tuple[str, int], ...],
    makes: tuple[str, ...] = (),
) -> NamedLine:
    """Return the line at the end of a path of keys, under the first key that is written on it."""
    line = path[-1][1]
    key = next((name for name, at in path if at == line and name), "")
    key = key or next((name for name, _ in reversed(path) if name), "")
    return NamedLine(file, line, key, codes, of_code, makes)


def _made(node: LocatedDict, key: str) -> tuple[str, ...]:
    """Return the variables that a declaration makes: its ``to``, and a key that is a variable's name."""
    return tuple(name for name in (node.get("to"), key) if isinstance(name, str) and VARIABLE.fullmatch(name))
