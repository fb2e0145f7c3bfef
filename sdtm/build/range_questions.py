"""Stored values for which a result has no range indicator, or a wrong one: they are asked about."""

from __future__ import annotations

import numpy as np

from metadata.study import Study
from sdtm.columns.table import REDCAP, DomainTable, Withheld
from sdtm.domains.reference_ranges import collected_limits, collected_ranges, study_ranges
from sdtm.mapping.domain_mapping import DomainMapping, FindingTest
from sdtm.operations.value_sets import possible_values

UNKNOWN_LABORATORY = "the table of reference ranges has no such laboratory, so that its results have no range"
REVERSED = "the lower limit is above the upper limit, so that the result has no range indicator"
NO_LIMIT = "it is not a number, so that it is no limit of a range"


def list_unranged(study: Study, mapping: DomainMapping, table: DomainTable) -> None:
    """List laboratories in free text that the study's table lacks, and limits on the form that cannot be such."""
    if mapping.ranges_file:
        _list_laboratories(study, mapping, table)
    elif collected_ranges(mapping):
        low, high = (mapping.prefixed(f"ORNR{end}") for end in ("LO", "HI"))
        lower, upper = collected_limits(mapping, table)
        for name, values in ((low, lower), (high, upper)):
            _list(table, name, table.present(name) & np.isnan(values), NO_LIMIT)
            _list(table, name, lower > upper, REVERSED)


def _list_laboratories(study: Study, mapping: DomainMapping, table: DomainTable) -> None:
    name = mapping.laboratory_variable
    if possible_values(mapping.operations.get(name, ())):
        return
    by_test = study_ranges(study, mapping)
    known = {one.laboratory for rows in by_test.values() for one in rows}
    strange = table.text(name).test(lambda text: bool(text) and text not in known)
    ranged = np.zeros(table.count, bool)
    for test, start, stop in table.parts:
        ranged[start:stop] = isinstance(test, FindingTest) and test.key in by_test
    _list(table, name, strange & ranged & table.present(mapping.prefixed("ORRES")), UNKNOWN_LABORATORY)


def _list(table: DomainTable, variable: str, asked: np.ndarray, reason: str) -> None:
    """List the fields that a variable came from, in kept rows; the values stay in it as they were collected."""
    asked = asked & table.kept()
    for edge in table.edges:
        if edge.variable == variable and edge.source == REDCAP and asked[edge.row].any():
            rows = np.unique(edge.source_row[asked[edge.row]])
            table.withheld.append(Withheld(rows, edge.source_variable, reason, elsewhere=True))
