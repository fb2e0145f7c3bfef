"""Results without a standard result, or with a numeric one that is missing or another: they are asked about."""

from __future__ import annotations

import numpy as np

from metadata.coded_text import CodedText
from metadata.terminology import Terminology
from sdtm.columns.number import fits_float, is_number, read_result
from sdtm.columns.table import REDCAP, DomainTable, Withheld
from sdtm.mapping.domain_mapping import DomainMapping, FindingTest, codelists

NO_UNIT = "it has no unit, so that it has no standard result"
NO_NUMBER = "it is neither a number nor a limit such as <5, so that it has no standard result"
NO_TERM = "it is neither a number nor a limit such as <5, nor a term for a result, so that it has no standard result"
TOO_LONG = "its number has more digits than one of 64 bits holds, so that its numeric result is another one"
REASONS = (NO_UNIT, NO_NUMBER, NO_TERM, TOO_LONG)


def list_unstandardised(mapping: DomainMapping, table: DomainTable, terminology: Terminology) -> None:
    """List the results (--ORRES) of kept records that have no standard result, with the fields that they came from.

    A result that float64 cannot hold keeps its digits in --STRESC; its number is the nearest one. A limit such as <5
    has --STRESC and rightly no --STRESN; a test without a standard unit (pH, INR) may have any text; a unit without a
    factor is listed where the result is made.
    """
    original, text = mapping.prefixed("ORRES"), mapping.prefixed("STRESC")
    if not mapping.is_findings or not mapping.has(text):
        return
    why = np.full(table.count, -1)
    terms = _terms(mapping, text, terminology)
    for test, start, stop in table.parts:
        if isinstance(test, FindingTest):
            part = slice(start, stop)
            unit = table.text(mapping.prefixed("ORRESU")).take(part)
            why[part] = _reasons(test, table.text(text).take(part), unit, terms)
    asked = (why >= 0) & table.present(original) & table.kept()
    for edge in table.edges:
        if edge.variable == original and edge.source == REDCAP:
            _list(table, edge.row, edge.source_row, edge.source_variable, np.where(asked, why, -1))


def _terms(mapping: DomainMapping, name: str, terminology: Terminology) -> set[str]:
    lists = codelists(mapping.by_name[name])
    return {term for code in lists for term in terminology.codelist(code).terms}


def _reasons(test: FindingTest, standard: CodedText, unit: CodedText, terms: set[str]) -> np.ndarray:
    """Return the place of the reason for which each result has no standard one, -1 if it has."""
    lacks = ~standard.present()
    units = test.units
    why = np.where(lacks, REASONS.index(NO_TERM if terms else NO_NUMBER), -1)
    if units.standard and test.unit is not None:
        why[lacks & ~unit.present()] = REASONS.index(NO_UNIT)
        why[lacks & unit.test(lambda word: bool(word) and units.factor(word) is None)] = -1
    why[standard.test(lambda word: is_number(word) and not fits_float(word))] = REASONS.index(TOO_LONG)
    if units.standard:
        known = terms | set(test.standard_terms.values())
        why[standard.test(lambda word: bool(word) and word not in known and not read_result(word))] = REASONS.index(
            NO_NUMBER
        )
    return why


def _list(table: DomainTable, row: np.ndarray, source_row: np.ndarray, field: str, why: np.ndarray) -> None:
    for place in np.unique(why[row]):
        if place >= 0:
            lost = np.unique(source_row[why[row] == place])
            table.withheld.append(Withheld(lost, field, REASONS[place], elsewhere=True))
