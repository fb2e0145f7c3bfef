"""YAML that remembers its lines, so that every error about a study's files can name file, line and key."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml

from metadata.errors import StudyError

PLACE = "{each}"
MOST_LEVELS = 100
"""How deep mappings and lists may be nested, far beyond what any declaration needs."""
MOST_REPEATED = 100_000
"""How many entries more than those written a file's aliases may make."""
MERGE, WHOLE = "tag:yaml.org,2002:merge", "tag:yaml.org,2002:int"
STRANGE_NUMBER = re.compile(r"[+-]?0[0-9]|[+-]?0[bx]|.*[:_]")
"""Numbers that YAML 1.1 reads in another base than 10 (2, 8, 16 or 60), or that have _ between digits."""
TAB_INDENTS = re.compile(r" *\t")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
BRACKET = re.compile(r"[\[\]{}]")
BLOCKS = re.compile(rf"(?:[-?:] +){{{MOST_LEVELS}}}|^ {{{MOST_LEVELS}}}", re.MULTILINE)
"""What a text has whose mappings and lists without brackets are nested so deep."""


class LocatedDict(dict[str, Any]):
    """A mapping that knows its file, its own line and the line of each key."""

    file: str
    line: int
    lines: dict[str, int]


class LocatedList(list[Any]):
    """A list that knows its file, its own line and the line of each item."""

    file: str
    line: int
    lines: dict[int, int]


def line_of(node: object, key: str | int | None = None) -> int | None:
    """Return the line of ``key`` in a located node, or of the node itself; None if it was not read from a file."""
    if not isinstance(node, LocatedDict | LocatedList):
        return None
    lines: dict[Any, int] = node.lines  # type: ignore[assignment]
    return lines.get(key, node.line) if key is not None else node.line


def file_of(node: object) -> str | None:
    """Return the file a located node was read from."""
    return node.file if isinstance(node, LocatedDict | LocatedList) else None


def complain(node: object, key: str | int | None, message: str) -> StudyError:
    """Return (not raise) the StudyError that names the file, line and key of a located node."""
    return StudyError(message, file_of(node), line_of(node, key), None if key is None else str(key))


def filled_in(node: Any, item: str, more: Mapping[str, str] | None = None) -> Any:
    """Return a node with ``{each}`` replaced by ``item`` in all its keys and texts, the lines as they were.

    ``more`` are further words, each filled in for its own name in braces.
    """
    return _filled(node, {PLACE: item, **{f"{{{name}}}": word for name, word in (more or {}).items()}})


def _filled(node: Any, words: Mapping[str, str]) -> Any:
    if isinstance(node, str):
        return _replaced(node, words)
    if isinstance(node, LocatedDict):
        made = LocatedDict((_replaced(key, words), _filled(value, words)) for key, value in node.items())
        made.lines = {_replaced(key, words): line for key, line in node.lines.items()}
    elif isinstance(node, LocatedList):
        made = LocatedList(_filled(value, words) for value in node)  # type: ignore[assignment]
        made.lines = node.lines  # type: ignore[assignment]
    else:
        return node
    made.file, made.line = node.file, node.line
    return made


def _replaced(text: str, words: Mapping[str, str]) -> str:
    for place, word in words.items():
        text = text.replace(place, word)
    return text


class _LocatedLoader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
    """Safe loader whose mappings and lists carry their lines; dates stay text, as the files write them."""

    file: str = ""


def _mapping(loader: _LocatedLoader, node: yaml.MappingNode) -> LocatedDict:
    own = sum(key.tag != MERGE for key, _ in node.value)
    loader.flatten_mapping(node)
    merged = len(node.value) - own
    made, written = LocatedDict(), set()
    made.file, made.line, made.lines = loader.file, node.start_mark.line + 1, {}
    for place, (key_node, value_node) in enumerate(node.value):
        key = loader.construct_object(key_node, deep=True)
        line = key_node.start_mark.line + 1
        if not isinstance(key, Hashable) or key is None:
            raise StudyError("a key must be a text", loader.file, line)
        if isinstance(key, bool) and key_node.value.lower() not in ("true", "false"):
            problem = f"the key {key_node.value} means {str(key).lower()}: write it in quotes"
            raise StudyError(problem, loader.file, line)
        key = str(key).lower() if isinstance(key, bool) else str(key)
        if key in written:
            raise StudyError("the key is written twice", loader.file, line, key)
        if place >= merged:  # what is merged gives way to what the mapping says itself
            written.add(key)
        made[key] = loader.construct_object(value_node, deep=True)
        made.lines[key] = line
    return made


def _sequence(loader: _LocatedLoader, node: yaml.SequenceNode) -> LocatedList:
    made = LocatedList(loader.construct_object(item, deep=True) for item in node.value)
    made.file, made.line = loader.file, node.start_mark.line + 1
    made.lines = {index: item.start_mark.line + 1 for index, item in enumerate(node.value)}
    return made


_LocatedLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
_LocatedLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_SEQUENCE_TAG, _sequence)


def _number(loader: _LocatedLoader, node: yaml.ScalarNode) -> int | float:
    """Return a number as it is written; raises StudyError for one that YAML reads as another (STRANGE_NUMBER)."""
    text = str(node.value)
    is_whole = node.tag == WHOLE
    read = loader.construct_yaml_int(node) if is_whole else loader.construct_yaml_float(node)
    if STRANGE_NUMBER.match(text):
        problem = f"{text} would be read as the number {read}: write it in quotes, or as a plain number"
        raise StudyError(problem, loader.file, node.start_mark.line + 1)
    return read


def _refused(loader: _LocatedLoader, node: yaml.Node) -> Any:
    problem = f"{node.tag.removeprefix('tag:yaml.org,2002:')} cannot be used in a declaration"
    raise StudyError(problem, loader.file, node.start_mark.line + 1)


_LocatedLoader.add_constructor("tag:yaml.org,2002:timestamp", yaml.SafeLoader.construct_yaml_str)
_LocatedLoader.add_constructor(WHOLE, _number)
_LocatedLoader.add_constructor("tag:yaml.org,2002:float", _number)
for _tag in ("binary", "set", "omap", "pairs"):
    _LocatedLoader.add_constructor(f"tag:yaml.org,2002:{_tag}", _refused)


def load(path: Path, shown: str | None = None) -> Any:
    """Read one YAML file; ``shown`` is the name that errors give it.

    Keys are always text and dates stay text. Raises StudyError on a missing file, bad YAML or a key that is written
    twice, and for nesting or anchors without a reasonable bound.
    """
    name = shown or str(path)
    if not path.is_file():
        raise StudyError("the file does not exist", name)
    try:
        text = path.read_text(encoding="utf-8")
        _refuse_characters(text, name)
        _refuse_deep_nesting(text, name)
        loader = _LocatedLoader(text)
        loader.file = name
        root = loader.get_single_node()
        _refuse_expansion(root, name)
        return None if root is None else loader.construct_document(root)
    except UnicodeDecodeError:
        raise StudyError("the file is not UTF-8: save it as UTF-8", name) from None
    except (ValueError, OverflowError):
        raise StudyError("not valid YAML: a number or another value cannot be read", name) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "not readable"
        if mark and any(map(TAB_INDENTS.match, text.splitlines()[mark.line : mark.line + 1])):
            problem = "a tab indents the line; write blanks"
        raise StudyError(f"not valid YAML: {problem}", name, mark.line + 1 if mark else None) from None


def _refuse_characters(text: str, name: str) -> None:
    """Raise StudyError for characters that no text file holds, and for tabs that indent a line."""
    if found := CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        if found[0] == "\0" and "\0" in text[1:4:2]:
            raise StudyError("the file is UTF-16: save it as UTF-8", name)
        raise StudyError(f"the line holds the character U+{ord(found[0]):04X}: remove it", name, line)


def _refuse_deep_nesting(text: str, name: str) -> None:
    """Raise StudyError for mappings and lists within one another beyond MOST_LEVELS: reading them would not end."""
    if not (BLOCKS.search(text) or _most_brackets(text) > MOST_LEVELS):
        return
    level = 0
    for event in yaml.parse(text, Loader=_LocatedLoader):
        level += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if level > MOST_LEVELS:
            line = event.start_mark.line + 1 if event.start_mark else None
            raise StudyError(f"mappings and lists are nested more than {MOST_LEVELS} levels deep", name, line)


def _most_brackets(text: str) -> int:
    """Return how many brackets are open at once, those in texts and comments counted as well."""
    most = level = 0
    for bracket in BRACKET.findall(text):
        level = max(level + (1 if bracket in "[{" else -1), 0)
        most = max(most, level)
    return most


def _refuse_expansion(root: yaml.Node | None, name: str) -> None:
    """Raise StudyError for anchors that are repeated within one another until the file has no end."""
    sizes: dict[int, int] = {}
    size = 0 if root is None else _expanded_size(root, sizes)
    if size - len(sizes) > MOST_REPEATED:
        problem = f"the anchors of the file are repeated to more than {MOST_REPEATED:,} entries; write fewer aliases"
        raise StudyError(problem, name)


def _expanded_size(node: yaml.Node, sizes: dict[int, int]) -> int:
    """Return how many nodes a node has with its aliases filled in; ``sizes`` holds those of the nodes seen before."""
    if id(node) not in sizes:
        sizes[id(node)] = 0  # what holds itself is refused when it is constructed
        parts = node.value if isinstance(node, yaml.CollectionNode) else []
        inner = [one for part in parts for one in (part if isinstance(part, tuple) else (part,))]
        sizes[id(node)] = 1 + sum(_expanded_size(one, sizes) for one in inner)
    return sizes[id(node)]


def mapping_at(node: Any, key: str) -> LocatedDict:
    """Return the mapping below ``key``, without keys where there is none; raises StudyError for anything else."""
    found = _below(node, key)
    if found is None:
        found = LocatedDict()
        found.file, found.line, found.lines = file_of(node) or "", line_of(node, key) or 0, {}
    if not isinstance(found, LocatedDict):
        raise complain(node, key, f"'{key}' has keys with values: {key}: {{KEY: VALUE}}")
    return found


def list_at(node: Any, key: str) -> list[Any]:
    """Return the list below ``key``, without items where there is none; raises StudyError for anything else."""
    found = _below(node, key)
    if found is not None and not isinstance(found, list):
        raise complain(node, key, f"'{key}' is a list: {key}: [...]")
    return found or []


def _below(node: Any, key: str) -> Any:
    if node is not None and not isinstance(node, dict):
        raise complain(node, None, f"keys with values are meant, such as '{key}'")
    return node.get(key) if node else None
