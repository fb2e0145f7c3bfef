"""Where a changed file of a package differs from what it was, as far as the package itself can tell.

A dataset lies in a package in several forms with the same values. Of a changed form, the first value that is not that
of an intact form is named, by record and variable; where all values are the same, the attribute is, or it is said that
the change is outside the values. JSON and XML that can no longer be read name the line. No value is ever shown.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path, PurePosixPath

import numpy as np

from metadata.errors import OutsideError, StudyError, UsageError
from publish.comparison import IGNORABLE
from publish.comparison_tables import StoredTable, read_table
from publish.record_key import key_texts
from publish.splitting import FOLDER, bounds_of, part_names

FORMS = (".parquet", ".dsjc", ".ndjson", ".json", ".xpt")
"""Forms of a dataset, those that are read most quickly first."""
NOT_DATASETS = ("lineage", FOLDER)


def place_of_change(root: Path, path: str, intact: Collection[str]) -> str:
    """Return a phrase that says where a changed file of the package ``root`` differs; blank where that cannot be known.

    ``intact`` are the files that are as the manifest says; paths are relative to ``root``.
    """
    found = PurePosixPath(path)
    try:
        if found.suffix in FORMS and found.parent.name == FOLDER:
            return _of_part(root, found, intact)
        if found.suffix in FORMS and (twin := _twin(found.stem, intact)):
            return _compared(read_table(root / path), read_table(root / twin), f"those of {twin}")
        return _unreadable(root / path)
    except (UsageError, OutsideError, StudyError) as error:
        return f"it can no longer be read: {error}".replace(str(root / path), found.name)


def _twin(stem: str, intact: Collection[str]) -> str:
    """Return an intact form of a dataset, the quickest to read; blank without one."""
    named = [one for one in map(PurePosixPath, intact) if one.stem == stem and one.suffix in FORMS]
    datasets = [one for one in named if one.parent.name not in NOT_DATASETS and len(one.parts) > 1]
    datasets.sort(key=lambda one: (FORMS.index(one.suffix), one.as_posix()))
    return next((one.as_posix() for one in datasets if one.parts[0] in ("parquet", "dataset-json", "m5")), "")


def _of_part(root: Path, path: PurePosixPath, intact: Collection[str]) -> str:
    """Compare a part of a split dataset with its records in an intact whole."""
    others = {one.stem for one in map(PurePosixPath, intact) if one.parent == path.parent} | {path.stem}
    for whole in sorted({one.stem for one in map(PurePosixPath, intact) if one.parent.name not in NOT_DATASETS}):
        for number in range(len(others), 1, -1):
            names = part_names(whole, number)
            if path.stem in names and others.issuperset(names) and (twin := _twin(whole, intact)):
                return _in_whole(root, path, names.index(path.stem), twin, number)
    return ""


def _in_whole(root: Path, path: PurePosixPath, place: int, twin: str, parts: int) -> str:
    whole = read_table(root / twin)
    start, stop = bounds_of(len(whole.frame), parts)[place : place + 2]
    frame = whole.frame.iloc[start:stop].reset_index(drop=True)
    part = StoredTable(path.stem.upper(), whole.path, whole.label, whole.keys, whole.variables, frame)
    return _compared(read_table(root / path), part, f"those of {twin}", start)


def _compared(changed: StoredTable, kept: StoredTable, whose: str, start: int = 0) -> str:
    """Return the first difference; ``start`` is how many records of the whole come before."""
    lost = [name for name in kept.variables if name not in changed.variables]
    new = [name for name in changed.variables if name not in kept.variables]
    if lost or new:
        return f"{kept.name}: the variables are not {whose} ({', '.join(lost + new)})"
    counts = len(changed.frame), len(kept.frame)
    count = min(counts)
    differing = {name: _apart(changed, kept, name, count) for name in kept.variables}
    firsts = {name: int(np.argmax(apart)) for name, apart in differing.items() if apart.any()}
    difference = f", and {counts[0]:,} records instead of {counts[1]:,}" if counts[0] != counts[1] else ""
    if firsts:
        row = min(firsts.values())
        names = ", ".join(name for name, at in firsts.items() if at == row)
        total = sum(int(apart.sum()) for apart in differing.values())
        key = _key(kept, row)
        more = f"; {total:,} values differ in all" if total > 1 else ""
        return f"{kept.name} record {start + row + 1:,}{key}, {names}: the values are not {whose}{more}{difference}"
    if difference:
        return f"{kept.name}: {counts[0]:,} records instead of {counts[1]:,}, otherwise {whose}"
    return _beside_values(changed, kept, whose)


def _key(table: StoredTable, row: int) -> str:
    """Return subject and sequence number of a record, if it has them: other keys may be a patient's words."""
    names = [name for name in ("USUBJID", f"{table.name[:2]}SEQ", "ASEQ") if name in table.frame.columns]
    return f" ({key_texts(names, table.frame.iloc[[row]])[0].as_py()})" if names else ""


def _apart(changed: StoredTable, kept: StoredTable, name: str, count: int) -> np.ndarray:
    """Return True where a value is another; a missing number equals a missing one alone."""
    left, right = changed.frame[name].iloc[:count], kept.frame[name].iloc[:count]
    if changed.variables[name].type != kept.variables[name].type:
        return np.ones(count, bool)
    if kept.variables[name].type == "Num":
        one, two = left.to_numpy(float), right.to_numpy(float)
        return (one != two) & ~(np.isnan(one) & np.isnan(two))
    return (left != right).to_numpy(bool)


def _beside_values(changed: StoredTable, kept: StoredTable, whose: str) -> str:
    for attribute in ("name", "label"):
        if _differs(getattr(changed, attribute), getattr(kept, attribute)):
            return f"{kept.name}: all values are {whose}; the dataset's {attribute} is not"
    for name, attributes in kept.variables.items():
        own = changed.variables[name]
        wrong = [one for one in IGNORABLE if _differs(getattr(own, one), getattr(attributes, one))]
        if wrong:
            return f"{kept.name}.{name}: all values are {whose}; the {wrong[0]} is not"
    return f"{kept.name}: all values are {whose}; the change is outside them, such as in a date or in padding"


def _differs(one: str, other: str) -> bool:
    return bool(one and other) and one != other


def _unreadable(path: Path) -> str:
    """Return the line at which a JSON or XML document breaks off; blank for one that can be read, and for others."""
    from lxml import etree

    try:
        if path.suffix == ".json":
            json.loads(path.read_bytes())
        elif path.suffix in (".xml", ".xsl"):
            parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
            etree.fromstring(path.read_bytes(), parser)
    except json.JSONDecodeError as error:
        return f"it can no longer be read as JSON, from line {error.lineno}, column {error.colno}"
    except etree.XMLSyntaxError as error:
        return f"it can no longer be read as XML, from line {error.lineno}"
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return f"it can no longer be read as JSON, from line {line}: it is not UTF-8"
    except RecursionError:
        return "it can no longer be read as JSON"
    return ""
