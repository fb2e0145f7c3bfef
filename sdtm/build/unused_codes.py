"""Rows of a study's coding files whose reported term is in no record: a slip of spelling, or not reported yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from metadata.coding_file import term_key
from metadata.study import Study
from metadata.study_table import read_table
from sdtm.columns.source import Forms
from sdtm.mapping.domain_mapping import Block, DomainMapping
from sdtm.operations.operation import RecordOperation
from sdtm.operations.values import Coded

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("file", "line", "term")


def unused_codes(study: Study, domains: dict[str, DomainMapping], forms: Forms) -> pd.DataFrame:
    """Return file, line and term of each row of a coding file that codes nothing, by any field that it codes."""
    import pandas as pd

    reported: dict[str, set[str]] = {}
    for mapping in domains.values():
        for block in mapping.blocks:
            for file, field in _coded(block):
                known = reported.setdefault(file, set())
                if field in forms.records.table:
                    known |= {term_key(text) for text in forms.records.table.distinct(field)}
    rows = []
    for file in sorted(reported):
        table = read_table(study.path(file), f"{study.name}/{file}")
        for row in table.rows:
            term = row[table.columns[0]]
            if term_key(term) not in reported[file]:
                rows.append((file, row.line, term))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _coded(block: Block) -> Iterator[tuple[str, str]]:
    """Yield each coding file of a block with a field whose terms it codes."""
    made = [*block.variables.values(), *(one.operation for one in block.supplemental)]
    for test in block.tests:
        made += test.variables.values()
        if test.coding_file:
            yield from ((test.coding_file, field) for field in test.result.fields())
    for one in made:
        yield from _of_operation(one)


def _of_operation(operation: RecordOperation) -> Iterator[tuple[str, str]]:
    if isinstance(operation, Coded):
        yield str(operation.spec["file"]), operation.found.name
    for part in getattr(operation, "parts", ()):
        yield from _of_operation(part)
