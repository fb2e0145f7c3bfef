"""Results of findings: one test on one form, over all its rows, with original and standard results."""

from __future__ import annotations

import re

import numpy as np

from metadata.coded_text import CodedText
from metadata.units import significant, text_of
from sdtm.columns.column import LIMITED, Column, Read, UnrepresentedValues, is_number, plain_number
from sdtm.columns.source import FormRows
from sdtm.columns.table import Withheld
from sdtm.mapping.domain_mapping import FindingTest
from sdtm.operations.choices import ticked
from sdtm.operations.values import FieldValue

NOT_DONE = "NOT DONE"


def findings_piece(
    domain: str, test: FindingTest, source: FormRows
) -> tuple[np.ndarray, dict[str, Column], list[Withheld]]:
    """Return the rows that become records of a test, its columns for them, and the values that no record holds.

    A record is made where there is a result, where the test is said not to be done, and where the stored result
    cannot be represented (it is null then), on the rows that are the test's own.
    """
    result = test.result.apply(source)
    own, own_reads = _own(test, source)
    missed, missed_read, reason = _not_done(test, source, result)
    wrong = np.logical_or.reduce([problem.rows for problem in result.problems] or [np.zeros(source.count, bool)])
    keep = (result.present() | missed | wrong) & own
    at = np.flatnonzero(keep)
    unit = test.unit.apply(source) if test.unit else None
    left = _unused_values(test, source, own & ~keep, unit, missed_read, reason)
    original = _original(test, result.take(at))
    columns = {
        f"{domain}TESTCD": Column(CodedText.constant(test.testcd, len(at)), tuple(read.take(at) for read in own_reads)),
        f"{domain}TEST": Column(CodedText.constant(test.name, len(at))),
    }
    columns[f"{domain}ORRES"] = original
    here = original.present()
    units = unit.take(at).only(here) if unit else Column(CodedText.constant("", len(at)))
    if unit:
        columns[f"{domain}ORRESU"] = Column(units.data, unit.take(at).reads, unit.take(at).problems)
    columns |= _standard(domain, test, source, at, original.text, units.text)
    columns |= _without_factor(domain, test, units, columns)
    columns |= _status(domain, ~here & missed[at], missed_read, reason.take(at), at, test.otherwise_reason)
    columns |= {name: declared.apply(source).take(at) for name, declared in test.variables.items()}
    return at, columns, left


def _own(test: FindingTest, source: FormRows) -> tuple[np.ndarray, tuple[Read, ...]]:
    """Return the rows that are the test's own, all of them where the form has all tests in a row, and what said so."""
    return test.where.holds(source) if test.where else (np.ones(source.count, bool), ())


def _without_factor(domain: str, test: FindingTest, units: Column, columns: dict[str, Column]) -> dict[str, Column]:
    """Return --STRESU saying of which units no factor is declared: the result has no standard one."""
    foreign = units.text.test(lambda unit: unit and np.isnan(_factor(test, unit)))
    if not test.units.standard or not foreign.any():
        return {}
    made = columns[f"{domain}STRESU"]
    reads = tuple(Read(read.field, read.rows, read.held & foreign, read.ticked) for read in units.reads)
    fields = tuple(read.field for read in reads)
    reason = f"no factor from this unit to {test.units.standard} is declared for {test.key}"
    return {
        f"{domain}STRESU": Column(made.data, reads, (UnrepresentedValues(foreign, fields, reason, elsewhere=True),))
    }


def _not_done(test: FindingTest, source: FormRows, result: Column) -> tuple[np.ndarray, tuple[Read, ...], Column]:
    """Return where a test was not done, what said so, and the reason (the form's, or the missing-data code's)."""
    codes = CodedText.constant("", source.count)
    reads: tuple[Read, ...] = ()
    labels = {code: label.upper() for code, label in source.project.missing_codes.items()}
    for name in test.result.fields()[:1]:
        if source.project.dictionary.fields[name].type != "checkbox":
            codes = source.raw(name)[0].replace(labels, "")
    missed = codes.present() & ~result.present()
    reason = Column(codes)
    if test.not_done.field:
        marks, read = _marked_not_done(test, source)
        missed |= marks
        reads = (read,)
    elif test.not_done.blank:
        missed |= ~result.present()
    if test.reason:
        given = test.reason.apply(source)
        reason = given.with_data(given.text.where(given.present(), codes))
    return missed, reads, reason


def _marked_not_done(test: FindingTest, source: FormRows) -> tuple[np.ndarray, Read]:
    if test.not_done.checkbox:
        marks, read = ticked(source, test.not_done.field, [test.not_done.code])
        return marks[:, 0], read
    stored, read = source.raw(test.not_done.field)
    return stored.isin([test.not_done.code]), read


def _unused_values(
    test: FindingTest,
    source: FormRows,
    outside: np.ndarray,
    unit: Column | None,
    missed: tuple[Read, ...],
    reason: Column,
) -> list[Withheld]:
    """List stored values of the test on rows that make no record: a unit, a reason or an answer without a result."""
    reads = [*(unit.reads if unit else ()), *missed, *reason.reads]
    reads += [read for declared in test.variables.values() for read in declared.apply(source).reads]
    made = []
    for read in reads:
        lost = outside & read.stored
        if lost.any():
            why = f"{test.key} has neither a result nor a reason for none"
            made.append(Withheld(read.rows[lost], read.field, why, without_record=True))
    return made


def _original(test: FindingTest, result: Column) -> Column:
    """Return --ORRES: the result as collected, a choice by its label."""
    if not test.label_without:
        return result
    pattern = re.compile(test.label_without)
    return result.with_data(result.text.map(lambda word: pattern.sub("", word)))


def _status(
    domain: str, missed: np.ndarray, reads: tuple[Read, ...], reason: Column, at: np.ndarray, otherwise: str
) -> dict[str, Column]:
    """Return --STAT and --REASND; the answers that a test was done count as read by --STAT."""
    if not missed.any() and not reads and not reason.reads:
        return {}
    status = CodedText.of_codes(missed, ["", NOT_DONE])
    return {
        f"{domain}STAT": Column(status, tuple(read.take(at) for read in reads)),
        f"{domain}REASND": reason.with_data(reason.text.where(reason.present(), otherwise).where(missed)),
    }


def _standard(
    domain: str, test: FindingTest, source: FormRows, at: np.ndarray, original: CodedText, unit: CodedText
) -> dict[str, Column]:
    """Return --STRESC, --STRESN and --STRESU, converted by the study's declared factors; a limit stays text."""
    raw = original
    if test.standard == "code" and isinstance(test.result, FieldValue):
        codes = {code: test.standard_terms.get(code, code) for code in test.result.terms}
        raw = source.raw(test.result.found.name)[0].take(at).replace(codes, "")
    elif test.standard_terms:
        raw = raw.replace(test.standard_terms)
    factors = np.array([_factor(test, word) for word in unit.texts], float)
    shifts = np.array([test.units.shift(word) for word in unit.texts], float)
    limits = [LIMITED.fullmatch(word) for word in raw.texts]
    numeric = raw.test(is_number)
    bounded = raw.test(lambda word: LIMITED.fullmatch(word) is not None)
    values = np.array(
        [float(found[2]) if found else plain_number(word) for found, word in zip(limits, raw.texts, strict=True)], float
    )
    standard = significant((values[:, None] + shifts[None, :]) * factors[None, :])
    signs = [found[1] if found else "" for found in limits]
    texts = [sign + text if text else "" for sign, text in _signed(signs, standard)]
    other = np.isnan(values)
    pair = raw.codes.astype(np.int64) * len(factors) + unit.codes
    places = np.where(other[raw.codes], len(texts) + raw.codes, pair)
    converted = standard.reshape(-1)[pair] if len(pair) else np.empty(0)
    columns = {
        f"{domain}STRESC": Column(CodedText.of_codes(places, [*texts, *raw.texts]).in_use()),
        f"{domain}STRESN": Column(np.where(numeric, converted, np.nan)),
    }
    if test.units.standard:
        held = (numeric | bounded) & ~np.isnan(converted)
        columns[f"{domain}STRESU"] = Column(CodedText.of_codes(held, ["", test.units.standard]))
    return columns


def _signed(signs: list[str], standard: np.ndarray) -> list[tuple[str, str]]:
    """Return sign and text of each word in each unit, row by row."""
    texts = text_of(standard.reshape(-1)).array().tolist()
    width = standard.shape[1]
    return [(signs[number // width], text) for number, text in enumerate(texts)]


def _factor(test: FindingTest, unit: str) -> float:
    """Return the factor of a unit; NaN for one without, and for no unit where a standard unit is declared."""
    if not test.units.standard or test.unit is None:
        return 1.0
    factor = test.units.factor(unit) if unit else None
    return np.nan if factor is None else factor
