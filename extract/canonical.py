"""One order and one hash for the same content, whichever way it came: API or export, in any batches."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from metadata.coded_text import CodedText
from metadata.project import Project
from metadata.records import ACCESS_GROUP, EVENT, REPEAT_INSTANCE, REPEAT_INSTRUMENT, Records
from metadata.text_table import TextTable

STRUCTURE = ("dictionary", "instruments", "arms", "events", "form_event_mapping", "repeating", "dags")
# of the project's information, those parts that say how data are read; the rest changes without a change of content
INFORMATION = (
    "is_longitudinal", "has_repeating_instruments_or_events", "missing_data_codes", "secondary_unique_field",
)  # fmt: skip
NOT_CONTENT = ("event_id", "data_access_group_id")
PART = ("format", "withheld", "group")
ID_LENGTH = 16
NUMBERED = re.compile(r"[0-9]{1,15}")


def canonical_structure(payloads: Mapping[str, Any]) -> dict[str, Any]:
    """Return structure payloads with every value as text, as a CSV export has them (the API's flags are integers).

    Arms without events are left out: the API does not list them.
    """
    made: dict[str, Any] = {name: [_texts(row) for row in payloads.get(name) or []] for name in STRUCTURE}
    used = {row.get("arm_num") for row in made["events"]}
    made["arms"] = [row for row in made["arms"] if row.get("arm_num") in used]
    info = payloads["project_info"]
    return {**made, "project_info": _texts(info[0] if isinstance(info, list) else info)}


def _texts(row: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): "" if value is None else str(value) for name, value in row.items()}


def canonical_records(project: Project, table: TextTable) -> TextTable:
    """Return a flat export in one order of rows and columns.

    Rows: record (numbers before texts), event, repeating instrument, instance. Columns: keys, then every export column
    of the dictionary form by form, blank where the export lacks it, then columns of missing-data codes and surveys.
    """
    taken = Records.of(project, _unticked(project, _without_unused_codes(project, table))).table
    names = _columns(project, taken.names)
    arranged = taken.with_constant("", [name for name in names if name not in taken]).select(names)
    order = np.lexsort(_sort_keys(project, arranged)[::-1])
    if np.array_equal(order, np.arange(len(order))):  # a large project is not copied for nothing
        return arranged
    return arranged.take(order)


def _without_unused_codes(project: Project, table: TextTable) -> TextTable:
    """Return records without the columns of missing-data codes that no record uses: REDCap leaves those out as well."""
    unused = {name for name in project.missing_code_columns if name in table and "1" not in table.distinct(name)}
    return table.select(name for name in table.names if name not in unused)


def _unticked(project: Project, table: TextTable) -> TextTable:
    """Return records in which a missing-data code of a checkbox is 0 wherever its batch had no column for it.

    REDCap adds the column where a code is in use, so that some batches may have it and others not.
    """
    for name, owner in project.missing_code_columns.items():
        first = project.dictionary.fields[owner].columns[0]
        if name in table and first in table:
            table = table.with_text(name, "0", table.missing(name) & table.where(first, {"": False}, True, False))
    return table


def _columns(project: Project, held: list[str]) -> list[str]:
    dictionary = project.dictionary
    named = [dictionary.record_id, EVENT, REPEAT_INSTRUMENT, REPEAT_INSTANCE, ACCESS_GROUP]
    for form in dictionary.forms:
        named += dictionary.export_columns(form)
    return list(dict.fromkeys(named + sorted(set(held) - set(named))))


def _sort_keys(project: Project, table: TextTable) -> list[np.ndarray]:
    """Return sort keys, the weightiest first."""
    names = table.coded(project.dictionary.record_id)
    numbers = names.each(lambda text: float(text) if NUMBERED.fullmatch(text) else np.nan, float)
    return [
        np.isnan(numbers),
        np.nan_to_num(numbers),
        names.ranks(),
        _positions(table.coded(EVENT), project.event_names),
        _positions(table.coded(REPEAT_INSTRUMENT), ["", *project.dictionary.forms]),
        np.nan_to_num(table.coded(REPEAT_INSTANCE).numbers()),
    ]


def _positions(values: CodedText, order: list[str]) -> np.ndarray:
    """Return the place of each value in ``order``; unknown ones come last."""
    places = {name: place for place, name in enumerate(order)}
    return values.each(lambda text: places.get(text, len(order)), int)


def content_hash(structure: Mapping[str, Any], table: TextTable, sources: Mapping[str, TextTable] | None = None) -> str:
    """Return the SHA-256 of structure and records, both canonical, their format, and which part of a project they are.

    The part are the fields withheld from the user and the data access group. Outside the hash are the server's ids of
    events and groups, titles and dates of the project, and columns that hold nothing at all. ``sources`` are the tables
    of files beside REDCap.
    """
    info = structure["project_info"]
    rows = {name: [_content_of(row) for row in structure[name]] for name in STRUCTURE}
    kept = {**rows, "project_info": {name: info.get(name, "") for name in INFORMATION}}
    kept |= {name: structure[name] for name in PART if structure.get(name)}
    digest = hashlib.sha256(json.dumps(kept, sort_keys=True, ensure_ascii=True).encode())
    _add_columns(digest, table, "")
    for source in sorted(sources or {}):
        _add_columns(digest, (sources or {})[source], f"{source}:")
    return digest.hexdigest()


def _add_columns(digest: hashlib._Hash, table: TextTable, prefix: str) -> None:
    for name in sorted(table.names):
        lengths, texts = _column_bytes(table.plain(name))
        if len(texts):
            digest.update(json.dumps(f"{prefix}{name}").encode())
            digest.update(lengths)
            digest.update(texts)


def _content_of(row: Mapping[str, str]) -> dict[str, str]:
    """Return the content of a structure row; blanks count as absent, because exports leave them out."""
    return {name: value for name, value in row.items() if value != "" and name not in NOT_CONTENT}


def _column_bytes(array: pa.LargeStringArray) -> tuple[bytes, memoryview]:
    """Return lengths and texts of a column: no two different columns give the same pair.

    Read from Arrow's own buffers, for a project may hold tens of millions of values.
    """
    if not len(array):
        return b"", memoryview(b"")
    _, starts, texts = array.buffers()
    offsets = np.frombuffer(starts, np.int64, len(array) + 1, array.offset * 8)
    return np.diff(offsets).astype("<i8").tobytes(), memoryview(texts)[offsets[0] : offsets[-1]]
