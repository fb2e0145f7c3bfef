"""Results of findings: one test on one form, over all its rows, with original and standard results."""

from __future__ import annotations

import numpy as np
import pandas as pd

from metadata.units import significant, text_of
from sdtm.choices import ticked
from sdtm.column import Column, Read, constant, numbers, text
from sdtm.mapping import Test
from sdtm.source import Source
from sdtm.table import Withheld
from sdtm.values import FieldValue

LIMITED = r"(<=|>=|<|>)\s*(\d+(?:\.\d+)?)"
NOT_DONE = "NOT DONE"


def findings_piece(domain: str, test: Test, source: Source) -> tuple[np.ndarray, dict[str, Column], list[Withheld]]:
    """Return the rows that become records of a test, its columns for them, and the values that no record holds.

    A record is made where there is a result, where the test is said not to be done, and where the stored result
    cannot be represented (it is null then).
    """
    result = test.result.apply(source)
    missed, missed_read, reason = _not_done(test, source, result)
    wrong = np.logical_or.reduce([problem.rows for problem in result.problems] or [np.zeros(source.count, bool)])
    keep = result.present() | missed | wrong
    at = np.flatnonzero(keep)
    unit = test.unit.apply(source) if test.unit else None
    left = _left(test, source, ~keep, unit, missed_read, reason)
    original = _original(test, result.take(at))
    columns = {
        f"{domain}TESTCD": Column(constant(test.testcd, len(at))),
        f"{domain}TEST": Column(constant(test.name, len(at))),
    }
    columns[f"{domain}ORRES"] = original
    here = original.present()
    units = unit.take(at).only(here) if unit else Column(constant("", len(at)))
    if unit:
        columns[f"{domain}ORRESU"] = Column(units.data, unit.take(at).reads, unit.take(at).problems)
    columns |= _standard(domain, test, test.result, result.take(at), original, units)
    columns |= _status(domain, ~here & missed[at], missed_read, reason.take(at), at)
    columns |= {name: declared.apply(source).take(at) for name, declared in test.variables.items()}
    return at, columns, left


def _not_done(test: Test, source: Source, result: Column) -> tuple[np.ndarray, tuple[Read, ...], Column]:
    """Return where a test was not done, what said so, and the reason (the form's, or the missing-data code's)."""
    codes = constant("", source.count)
    reads: tuple[Read, ...] = ()
    for name in test.result.fields()[:1]:
        if source.project.dictionary.fields[name].type != "checkbox":
            stored, _ = source.raw(name)
            codes = source.missing_code(stored)
    missed = (codes != "").to_numpy(bool) & ~result.present()
    labels = {code: label.upper() for code, label in source.project.missing_codes.items()}
    reason = Column(codes.map(labels).fillna("").astype("str"))
    if test.not_done.field:
        marks, read = _said(test, source)
        missed |= marks
        reads = (read,)
    elif test.not_done.blank:
        missed |= ~result.present()
    if test.reason:
        given = test.reason.apply(source)
        values = given.data.where(given.present(), reason.data)  # type: ignore[union-attr]
        reason = Column(values, given.reads, given.problems)
    return missed, reads, reason


def _said(test: Test, source: Source) -> tuple[np.ndarray, Read]:
    if test.not_done.checkbox:
        marks, read = ticked(source, test.not_done.field, [test.not_done.code])
        return marks[:, 0], read
    stored, read = source.raw(test.not_done.field)
    return (stored == test.not_done.code).to_numpy(bool), read


def _left(
    test: Test, source: Source, outside: np.ndarray, unit: Column | None, missed: tuple[Read, ...], reason: Column
) -> list[Withheld]:
    """List stored values of the test on rows that make no record: a unit, a reason or an answer without a result."""
    reads = [*(unit.reads if unit else ()), *missed, *reason.reads]
    reads += [read for declared in test.variables.values() for read in declared.apply(source).reads]
    made = []
    for read in reads:
        lost = outside & read.stored
        if lost.any():
            made.append(Withheld(read.rows[lost], read.field, f"{test.key} has neither a result nor a reason for none"))
    return made


def _original(test: Test, result: Column) -> Column:
    """Return --ORRES: the result as collected, a choice by its label."""
    if not test.label_without:
        return result
    assert isinstance(result.data, pd.Series)
    return Column(result.data.str.replace(test.label_without, "", regex=True), result.reads, result.problems)


def _status(
    domain: str, missed: np.ndarray, reads: tuple[Read, ...], reason: Column, at: np.ndarray
) -> dict[str, Column]:
    """Return --STAT and --REASND; the answers that a test was done count as read by --STAT."""
    if not missed.any() and not reads and not reason.reads:
        return {}
    status = text(["", NOT_DONE]).take(missed.astype(int)).reset_index(drop=True)
    assert isinstance(reason.data, pd.Series)
    given = reason.data.reset_index(drop=True).where(missed, "")
    return {
        f"{domain}STAT": Column(status, tuple(read.take(at) for read in reads)),
        f"{domain}REASND": Column(given, reason.reads, reason.problems),
    }


def _standard(
    domain: str, test: Test, operation: object, result: Column, original: Column, unit: Column
) -> dict[str, Column]:
    """Return --STRESC, --STRESN and --STRESU, converted by the study's declared factors; a limit stays text."""
    raw = original.data
    assert isinstance(raw, pd.Series) and isinstance(unit.data, pd.Series)
    if test.standard == "code" and isinstance(operation, FieldValue):
        codes = {label: code for code, label in operation.terms.items()}
        assert isinstance(result.data, pd.Series)
        raw = result.data.map({label: test.standard_terms.get(code, code) for label, code in codes.items()}).fillna("")
        raw = raw.astype("str")
    elif test.standard_terms:
        raw = _replaced(raw, test.standard_terms)
    raw = raw.reset_index(drop=True)
    factor = _factors(test, unit.data.reset_index(drop=True))
    number, _ = numbers(raw)
    limit = raw.str.extract(LIMITED)
    bound = pd.to_numeric(limit[1], errors="coerce").to_numpy(float)
    is_limit = ~np.isnan(bound)
    converted = significant(np.where(is_limit, bound, number) * factor)
    plain = pd.Series(text_of(converted), dtype="str")
    is_number = ~np.isnan(number)
    made = raw.where(~(is_number | is_limit), plain)
    made = made.where(~is_limit | (plain == ""), limit[0].fillna("") + plain)
    lost = (is_number | is_limit) & np.isnan(converted)
    made = made.where(~lost, "").astype("str")
    columns = {f"{domain}STRESC": Column(made)}
    columns[f"{domain}STRESN"] = Column(np.where(is_number, converted, np.nan))
    if test.units.standard:
        held = ~np.isnan(converted)
        columns[f"{domain}STRESU"] = Column(constant(test.units.standard, len(made)).where(held, ""))
    return columns


def _replaced(values: pd.Series, terms: dict[str, str]) -> pd.Series:
    """Return texts with the declared ones replaced."""
    return values.map(terms).where(values.isin(list(terms)), values).astype("str")


def _factors(test: Test, unit: pd.Series) -> np.ndarray:
    """Return the factor of each row; NaN for a unit without one, and for no unit where a standard unit is declared."""
    if not test.units.standard or test.unit is None:
        return np.ones(len(unit))
    codes, unique = pd.factorize(unit)
    factors = [test.units.factor(name) if name else None for name in unique]
    known = np.array([np.nan if factor is None else factor for factor in factors] or [np.nan])
    return known[codes] if len(codes) else np.empty(0)
