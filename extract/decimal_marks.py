"""The decimal mark of an export: REDCap can write all numbers with a comma, or all with a point, whatever the fields.

Its page of exports offers this as "Set the decimal format", the API as ``decimalCharacter``. Stored, and without that
choice exported, each field has its own: a comma where its validation is one of ``number_comma_decimal``, else a point.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from metadata.project import Project
from metadata.text_table import TextTable

if TYPE_CHECKING:
    import pyarrow as pa

WRITTEN = {mark: re.compile(rf"[-+]?\d*{re.escape(mark)}\d+") for mark in ".,"}
"""A number that is written with a mark."""
OTHER = {".": ",", ",": "."}
NAMES = {".": "a decimal point", ",": "a decimal comma"}


def own_marks(project: Project, table: TextTable) -> tuple[TextTable, tuple[str, ...]]:
    """Return the records with each number under its field's own mark, and a warning where a number was rewritten.

    Numbers are rewritten only where all decimal numbers of the file's number fields have the same mark, which is not
    that of some field. What else has another mark was entered so, and is asked about by the checks.
    """
    fields = {
        name: "," if field.has_comma else "."
        for name, field in project.dictionary.fields.items()
        if name in table and (field.validation.startswith("number") or field.type == "calc")
    }
    used = {name: _marks(table.distinct(name)) for name in fields}
    together = set().union(*used.values())
    foreign = [name for name, own in fields.items() if used[name] == {OTHER[own]}]
    if len(together) != 1 or not foreign:
        return table, ()
    (mark,) = together
    changed = {name: _rewritten(table.column(name), mark, OTHER[mark]) for name in foreign}
    warning = (
        f"the numbers of the file have {NAMES[mark]}, in {len(foreign)} field(s) that have {NAMES[OTHER[mark]]} in"
        f" REDCap, the first of them '{foreign[0]}': they are read as REDCap has them"
    )
    return table.changed(changed), (warning,)


def _marks(texts: list[str]) -> set[str]:
    """Return the decimal marks among the texts that are numbers."""
    return {mark for mark, written in WRITTEN.items() if any(map(written.fullmatch, texts))}


def _rewritten(column: pa.DictionaryArray, mark: str, own: str) -> pa.DictionaryArray:
    import pyarrow as pa

    texts = [
        text.replace(mark, own) if WRITTEN[mark].fullmatch(text) else text for text in column.dictionary.to_pylist()
    ]
    return pa.DictionaryArray.from_arrays(column.indices, pa.array(texts, pa.large_string()))
