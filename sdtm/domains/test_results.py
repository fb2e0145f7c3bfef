"""Results of findings: one test on one form, over all its rows, with original and standard results."""

from __future__ import annotations

import re

import numpy as np

from metadata.coded_text import CodedText
from metadata.coding_file import term_key
from sdtm.columns.column import Column, Read, UnrepresentedValues
from sdtm.columns.number import Measurement, converted, read_result
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

    A record is made where there is a result, where the form says it was not done, and where the stored result
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
    columns |= _status(domain, here, missed[at], missed_read, reason.take(at), at, test.otherwise_reason)
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
    domain: str,
    here: np.ndarray,
    missed: np.ndarray,
    reads: tuple[Read, ...],
    reason: Column,
    at: np.ndarray,
    otherwise: str,
) -> dict[str, Column]:
    """Return --STAT and --REASND; the answers that a test was done count as read by --STAT.

    Where there is a result (``here``), an answer that the test was not done, and a reason, are asked about.
    """
    if not (missed & ~here).any() and not reads and not reason.reads:
        return {}
    status = CodedText.of_codes(missed & ~here, ["", NOT_DONE])
    taken = tuple(read.take(at) for read in reads)
    texts = reason.text.where(reason.present(), otherwise).where(missed & ~here)
    return {
        f"{domain}STAT": Column(status, taken, _contradicted(taken, here & missed)),
        f"{domain}REASND": Column(texts, reason.reads, (*reason.problems, *_contradicted(reason.reads, here))),
    }


def _contradicted(reads: tuple[Read, ...], rows: np.ndarray) -> tuple[UnrepresentedValues, ...]:
    """Return the stored answers to which a result is in contradiction."""
    made = ((read, rows & read.stored) for read in reads)
    reason = "there is a result, so that the test was done"
    return tuple(UnrepresentedValues(lost, (read.field,), reason, elsewhere=True) for read, lost in made if lost.any())


def _standard(
    domain: str, test: FindingTest, source: FormRows, at: np.ndarray, original: CodedText, unit: CodedText
) -> dict[str, Column]:
    """Return --STRESC, --STRESN and --STRESU: made once for each result and unit that occur together."""
    raw = original
    if test.standard == "code" and isinstance(test.result, FieldValue):
        codes = {code: test.standard_terms.get(code, code) for code in test.result.terms}
        raw = source.raw(test.result.found.name)[0].take(at).replace(codes, "")
    elif test.standard_codes is not None:
        codes = test.standard_codes
        raw = raw.map(lambda word: codes.get(term_key(word), ""))
    elif test.standard_terms:
        raw = raw.replace(test.standard_terms)
    count = len(unit.texts)
    pairs, place = np.unique(raw.codes.astype(np.int64) * count + unit.codes, return_inverse=True)
    made = [_standardised(test, raw.texts[pair // count], unit.texts[pair % count]) for pair in pairs.tolist()]
    texts, numbers, measured = (list(part) for part in zip(*made, strict=True)) if made else ([], [], [])
    columns = {
        f"{domain}STRESC": Column(CodedText.of_codes(place, texts)),
        f"{domain}STRESN": Column(np.array(numbers, float)[place]),
    }
    if test.units.standard:
        held = np.array(measured, bool)[place]
        columns[f"{domain}STRESU"] = Column(CodedText.of_codes(held, ["", test.units.standard]))
    return columns


def _standardised(test: FindingTest, text: str, unit: str) -> tuple[str, float, bool]:
    """Return one result as text and as a number, and whether it is in the standard unit.

    A result that needs no conversion keeps its digits; a text that is neither a number nor a limit stays as it is.
    """
    found = read_result(text, test.also_read)
    if found is None:
        return text, np.nan, False
    units = test.units
    factor, added = _factor(test, unit), units.shift(unit)
    if np.isnan(factor):
        return "", np.nan, False
    if (factor, added) != (1.0, 0.0):
        value = converted(found.value, added, factor, units.digits, units.decimals)
        found = Measurement(value, found.sign)
    return found.text(), found.number, True


def _factor(test: FindingTest, unit: str) -> float:
    """Return the factor of a unit; NaN for one without, and for no unit where a standard unit is declared."""
    if not test.units.standard or test.unit is None:
        return 1.0
    factor = test.units.factor(unit) if unit else None
    return np.nan if factor is None else factor
