"""Stored values for which a result has no range indicator, or a wrong one: they are asked about."""

from __future__ import annotations

import numpy as np

from metadata.ranges import Range
from metadata.study import Study
from sdtm.columns.table import REDCAP, DomainTable, Withheld
from sdtm.domains.reference_ranges import collected_limits, collected_ranges, study_ranges
from sdtm.mapping.domain_mapping import DomainMapping, FindingTest
from sdtm.operations.value_sets import possible_values

UNKNOWN_LABORATORY = "the table of reference ranges has no such laboratory, so that its results have no range"
REVERSED = "the lower limit is above the upper limit, so that the result has no range indicator"
NO_LIMIT = "it is not a number, so that it is not a limit of a range"
NO_RANGE = "the table of reference ranges has ranges of its test, but none of its laboratory"
NOT_IN_FORCE = "no range of its test and laboratory holds for the subject's sex and age and the date of the sample"


def list_unranged(study: Study, mapping: DomainMapping, table: DomainTable) -> None:
    """List what has no range, of laboratories in free text the name, and limits on the form that cannot be such.

    A result is asked about if the table has ranges of its test; a test without any is one that has no range.
    """
    if mapping.ranges_file:
        by_test = study_ranges(study, mapping)
        unknown = _list_laboratories(mapping, table, by_test)
        _list_results(mapping, table, by_test, ~unknown)
    elif collected_ranges(mapping):
        low, high = (mapping.prefixed(f"ORNR{end}") for end in ("LO", "HI"))
        lower, upper = collected_limits(mapping, table)
        for name, values in ((low, lower), (high, upper)):
            _list(table, name, table.present(name) & np.isnan(values), NO_LIMIT)
            _list(table, name, lower > upper, REVERSED)


def _list_laboratories(mapping: DomainMapping, table: DomainTable, by_test: dict[str, list[Range]]) -> np.ndarray:
    """List laboratories in free text that the table lacks; return True for the results of these."""
    name = mapping.laboratory_variable
    if possible_values(mapping.operations.get(name, ())):
        return np.zeros(table.count, bool)
    known = {one.laboratory for rows in by_test.values() for one in rows}
    strange = table.text(name).test(lambda text: bool(text) and text not in known)
    ranged = np.zeros(table.count, bool)
    for test, start, stop in table.parts:
        ranged[start:stop] = isinstance(test, FindingTest) and test.key in by_test
    asked = strange & ranged & table.present(mapping.prefixed("ORRES"))
    _list(table, name, asked, UNKNOWN_LABORATORY)
    return asked


def _list_results(
    mapping: DomainMapping, table: DomainTable, by_test: dict[str, list[Range]], asked: np.ndarray
) -> None:
    """List the numeric results of tests with ranges that have no limit."""
    bare = asked & table.present(mapping.prefixed("STRESN"))
    for end in ("LO", "HI"):
        bare &= ~table.present(mapping.prefixed(f"STNR{end}"))
    laboratory = table.text(mapping.laboratory_variable)
    known, ranged = np.zeros(table.count, bool), np.zeros(table.count, bool)
    for test, start, stop in table.parts:
        if isinstance(test, FindingTest) and test.key in by_test:
            part = slice(start, stop)
            ranged[part] = True
            known[part] = laboratory.take(part).isin([one.laboratory for one in by_test[test.key]])
    _list(table, mapping.prefixed("ORRES"), bare & ranged & ~known, NO_RANGE)
    _list(table, mapping.prefixed("ORRES"), bare & ranged & known, NOT_IN_FORCE)


def _list(table: DomainTable, variable: str, asked: np.ndarray, reason: str) -> None:
    """List the fields that a variable came from, in kept rows; the values stay in it as they were collected."""
    asked = asked & table.kept()
    for edge in table.edges:
        if edge.variable == variable and edge.source == REDCAP and asked[edge.row].any():
            rows = np.unique(edge.source_row[asked[edge.row]])
            table.withheld.append(Withheld(rows, edge.source_variable, reason, elsewhere=True))
