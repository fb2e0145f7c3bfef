"""Rows of a study's tables that no record uses: a slip of spelling, or what was not reported or measured yet.

They are those of coding files whose reported term is in no record, and reference ranges that hold for no result.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from metadata.coding_file import term_key
from metadata.study import Study
from metadata.study_table import read_table
from sdtm.columns.source import Forms
from sdtm.columns.table import DomainTables
from sdtm.domains.reference_ranges import study_ranges
from sdtm.mapping.domain_mapping import Block, DomainMapping
from sdtm.operations.operation import RecordOperation
from sdtm.operations.values import Coded

if TYPE_CHECKING:
    import pandas as pd

Row = tuple[str, int, str]
COLUMNS = ("file", "line", "row")


def unused_rows(study: Study, domains: dict[str, DomainMapping], forms: Forms, tables: DomainTables) -> pd.DataFrame:
    """Return file and line of each row that nothing uses, and what it is: the term, or laboratory, test and sex."""
    import pandas as pd

    found = [*_unused_codes(study, domains, forms), *_unused_ranges(study, domains, tables)]
    return pd.DataFrame(found, columns=list(COLUMNS))


def _unused_ranges(study: Study, domains: dict[str, DomainMapping], tables: DomainTables) -> Iterator[Row]:
    """Yield the reference ranges that hold for no result."""
    for name in sorted(domains):
        mapping = domains[name]
        if not mapping.ranges_file:
            continue
        rows = [one for of_test in study_ranges(study, mapping).values() for one in of_test]
        for one in sorted(rows, key=lambda found: found.row.line):
            if one.row.line not in tables[name].used_ranges:
                shown = ", ".join(text for text in (one.laboratory, one.test, one.sex) if text)
                yield mapping.ranges_file, one.row.line, shown


def _unused_codes(study: Study, domains: dict[str, DomainMapping], forms: Forms) -> Iterator[Row]:
    """Yield the rows of coding files that code nothing, by any field that they code."""
    reported: dict[str, set[str]] = {}
    for mapping in domains.values():
        for block in mapping.blocks:
            for file, field in _coded(block):
                known = reported.setdefault(file, set())
                if field in forms.records.table:
                    known |= {term_key(text) for text in forms.records.table.distinct(field)}
    for file in sorted(reported):
        table = read_table(study.path(file), f"{study.name}/{file}")
        for row in table.rows:
            term = row[table.columns[0]]
            if term_key(term) not in reported[file]:
                yield file, row.line, term


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
