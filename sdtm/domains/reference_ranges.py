"""Reference ranges on results, the range indicator and the toxicity grade of findings."""

from __future__ import annotations

import re

import numpy as np

from metadata.coded_text import CodedText
from metadata.errors import Gather, StudyError, nearest
from metadata.ranges import Range, chosen, read_ranges
from metadata.study import Study
from metadata.terminology import Terminology
from metadata.toxicity import ToxicityItem
from metadata.toxicity_table import scheme_of
from metadata.units import significant, text_of
from metadata.yaml_source import LocatedDict, complain
from sdtm.columns.number import plain_number
from sdtm.columns.table import DomainTable
from sdtm.domains.timing import complete_days
from sdtm.mapping.domain_mapping import DomainMapping, FindingTest
from sdtm.operations.value_sets import possible_values

SAME = 1e-9
SEX = "C66731"
"""The codelist of DM.SEX, by which a range may be narrowed."""
LIMIT = re.compile(r"([<>])=?(\d.*)")
INDICATORS = ("LOW", "NORMAL", "HIGH")
LOW, NORMAL, HIGH = range(len(INDICATORS))
RANGE_VARIABLES = ("ORNRLO", "ORNRHI", "STNRLO", "STNRHI", "NRIND")


def study_ranges(study: Study, mapping: DomainMapping) -> dict[str, list[Range]]:
    """Return the study's table of reference ranges, by test; raises StudyError."""
    return read_ranges(study.path(mapping.ranges_file), f"{study.name}/{mapping.ranges_file}")


def check_ranges(study: Study, mapping: DomainMapping, terminology: Terminology) -> None:
    """Raise one StudyError for all rows of the table that no result of the domain can ever use."""
    sexes = terminology.codelist(SEX).terms
    laboratories = possible_values(mapping.operations.get(mapping.laboratory_variable, ()))
    tests: dict[str, list[FindingTest]] = {}
    for test in (test for block in mapping.blocks for test in block.tests):
        tests.setdefault(test.key, []).append(test)
    with Gather() as gather:
        for key, rows in study_ranges(study, mapping).items():
            for one in rows:
                with gather.part():
                    if key not in tests:
                        raise one.row.error(f"{mapping.file} has no test '{key}'{nearest(key, tests)}", "test")
                    if one.sex and one.sex not in sexes:
                        raise one.row.error(f"'{one.sex}' is not one of {', '.join(sexes)}", "sex")
                    if laboratories and one.laboratory not in ("", *laboratories):
                        problem = f"{mapping.laboratory_variable} is never '{one.laboratory}'"
                        raise one.row.error(f"{problem}{nearest(one.laboratory, laboratories)}", "laboratory")
                    _check_unit(one, tests[key])


def without_ranges(study: Study, mapping: DomainMapping) -> list[str]:
    """Return the tests with results in numbers, a standard unit, of which the table of reference ranges has no row."""
    known = study_ranges(study, mapping)
    tests = dict.fromkeys(test.key for block in mapping.blocks for test in block.tests if test.units.standard)
    return [key for key in tests if key not in known]


def _check_unit(one: Range, tests: list[FindingTest]) -> None:
    """Raise StudyError for limits in a unit that no form's test can convert."""
    units = [test.units for test in tests]
    if any(unit.factor(one.unit) is not None for unit in units):
        return
    if not any(unit.standard for unit in units):
        raise one.row.error(
            f"{one.test} has no standard_unit, so that limits in '{one.unit}' apply to no result", "unit"
        )
    known = list(dict.fromkeys(name for unit in units for name in (unit.standard, *unit.factors)))
    problem = f"{one.test} has no factor from '{one.unit}' to {units[0].standard}; its units are {', '.join(known)}"
    raise one.row.error(f"{problem}{nearest(one.unit, known)}", "unit")


def put_ranges(study: Study, mapping: DomainMapping, table: DomainTable, subjects: DomainTable | None) -> None:
    """Set --ORNRLO/HI in original units, --STNRLO/HI in standard units and --NRIND, from the study's table."""
    by_test = study_ranges(study, mapping)
    laboratory = table.text(mapping.laboratory_variable).array()
    day = complete_days(table, mapping.prefixed("DTC"))
    sex, age = _subject_values(table, subjects)
    original: dict[str, list[CodedText]] = {"ORNRLO": [], "ORNRHI": []}
    standard = {suffix: np.full(table.count, np.nan) for suffix in ("STNRLO", "STNRHI")}
    units, measured = table.text(mapping.prefixed("ORRESU")), table.present(mapping.prefixed("ORRES"))
    for test, start, stop in table.parts:
        rows = by_test.get(test.key, []) if isinstance(test, FindingTest) else []
        if not rows or not isinstance(test, FindingTest):
            for pieces in original.values():
                pieces.append(CodedText.constant("", stop - start))
            continue
        part = slice(start, stop)
        which = chosen(rows, laboratory[part], sex[part], age[part], day[part])
        which = np.where(measured[part], which, -1)
        table.used_ranges.update(rows[one].row.line for one in np.unique(which[which >= 0]))
        for suffix, limit in (("LO", "low"), ("HI", "high")):
            values = _standard_limits(test, rows, limit)
            standard[f"STNR{suffix}"][part] = np.append(values, np.nan)[which]
            original[f"ORNR{suffix}"].append(_original_limits(test, rows, limit, which, units.take(part)))
    for suffix, pieces in original.items():
        table.put(mapping.prefixed(suffix), CodedText.stack(pieces))
    for suffix, made in standard.items():
        table.put(mapping.prefixed(suffix), made)
    put_indicator(mapping, table)


def collected_ranges(mapping: DomainMapping) -> list[str]:
    """Return the variables that follow from limits on the form, which the mapping takes but does not derive itself."""
    taken = [mapping.prefixed(suffix) for suffix in ("ORNRLO", "ORNRHI")]
    if mapping.ranges_file or not any(name in mapping.operations for name in taken):
        return []
    names = [mapping.prefixed(suffix) for suffix in ("STNRLO", "STNRHI", "NRIND")]
    return [name for name in names if mapping.has(name) and name not in mapping.operations]


def collected_limits(mapping: DomainMapping, table: DomainTable) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and upper limits on the form as numbers, NaN where there is none or a text is not a number."""
    low, high = (table.text(mapping.prefixed(f"ORNR{end}")).each(plain_number, float) for end in ("LO", "HI"))
    return low, high


def put_collected_ranges(mapping: DomainMapping, table: DomainTable) -> None:
    """Set --STNRLO/HI from the limits on the form, which are in the unit of the result, and --NRIND from them.

    Limits of which the lower is above the upper one are not a range: they stay in --ORNRLO/HI only.
    """
    made, units = collected_ranges(mapping), table.text(mapping.prefixed("ORRESU"))
    limits = collected_limits(mapping, table)
    turned = limits[0] > limits[1]
    for end, given in zip(("LO", "HI"), limits, strict=True):
        name, values = mapping.prefixed(f"STNR{end}"), np.full(table.count, np.nan)
        if name not in made:
            continue
        for test, start, stop in table.parts:
            part = slice(start, stop)
            if isinstance(test, FindingTest):
                values[part] = _in_standard_unit(test, given[part], units.take(part))
        values[turned] = np.nan
        table.put(name, significant(values))
    if mapping.prefixed("NRIND") in made:
        put_indicator(mapping, table)


def _in_standard_unit(test: FindingTest, values: np.ndarray, units: CodedText) -> np.ndarray:
    if not test.units.standard:
        return values
    factors = units.each(lambda unit: test.units.factor(unit) or np.nan, float)
    return np.asarray((values + units.each(test.units.shift, float)) * factors)


def _subject_values(table: DomainTable, subjects: DomainTable | None) -> tuple[np.ndarray, np.ndarray]:
    """Return SEX and AGE of each row's subject, blank and NaN where unknown."""
    if subjects is None:
        return np.full(table.count, "", dtype=object), np.full(table.count, np.nan)
    at = table.match_rows(subjects)
    return subjects.text("SEX").take(at).array(), np.append(subjects.number("AGE"), np.nan)[at]


def _standard_limits(test: FindingTest, rows: list[Range], limit: str) -> np.ndarray:
    values = [test.units.to_standard(float(getattr(row, limit) or "nan"), row.unit) for row in rows]
    return significant(np.array(values))


def _original_limits(
    test: FindingTest, rows: list[Range], limit: str, which: np.ndarray, units: CodedText
) -> CodedText:
    """Return limits in the unit of each result: as the table has them, converted where the result's unit differs."""
    codes, texts = np.full(len(which), -1), list[str]()
    for code, unit in enumerate(units.texts):
        factor = test.units.factor(unit) if unit else (1.0 if not test.units.standard else None)
        for number, row in enumerate(rows):
            at = (which == number) & (units.codes == code)
            if not at.any() or not getattr(row, limit) or factor is None:
                continue
            codes[at] = len(texts)
            if row.unit == unit:
                texts.append(getattr(row, limit))
            else:
                standard = test.units.to_standard(float(getattr(row, limit)), row.unit)
                texts += text_of(np.array([test.units.from_standard(standard, unit) if unit else standard])).held
    return CodedText.of_codes(codes, texts)


def put_indicator(mapping: DomainMapping, table: DomainTable) -> None:
    """Set --NRIND against the range in standard units: LOW, NORMAL, HIGH; a limit such as <5 only where it decides."""
    low, high = table.number(mapping.prefixed("STNRLO")), table.number(mapping.prefixed("STNRHI"))
    value = table.number(mapping.prefixed("STRESN"))
    has = ~np.isnan(value) & ~(np.isnan(low) & np.isnan(high))
    below = has & (value < low * (1 - SAME))
    above = has & (value > high * (1 + SAME))
    made = np.full(table.count, -1)
    made[has] = NORMAL
    made[below], made[above] = LOW, HIGH
    texts = table.text(mapping.prefixed("STRESC"))
    limits = [LIMIT.fullmatch(text) for text in texts.texts]
    sign = texts.spread(np.array([limit[1] if limit else "" for limit in limits]))
    bound = texts.spread(np.array([plain_number(limit[2]) if limit else np.nan for limit in limits]))
    floor = np.nan_to_num(low, nan=0.0) <= 0
    made[(sign == "<") & (bound <= low) & (low > 0)] = LOW
    made[(sign == "<") & floor & (bound <= high)] = NORMAL
    made[(sign == ">") & (bound >= high)] = HIGH
    table.put(mapping.prefixed("NRIND"), CodedText.of_codes(made, INDICATORS))


def _items(study: Study, scheme: str, node: LocatedDict) -> dict[str, ToxicityItem]:
    """Return the items of a toxicity table; raises StudyError at the key that names it, if there is no such table."""
    try:
        return scheme_of(study, scheme)
    except StudyError as error:
        raise (error if error.file else complain(node, "toxicity", error.message)) from None


def check_toxicity(study: Study, mapping: DomainMapping) -> None:
    """Raise StudyError if a test names an item that the scheme lacks, or whose unit cannot be converted."""
    node = study.read_yaml(mapping.file.split("/", 1)[1])
    items = _items(study, mapping.toxicity_scheme, node) if mapping.toxicity_scheme else {}
    for block in mapping.blocks:
        for test in block.tests:
            if test.toxicity and not test.toxicity_terms and test.toxicity not in items:
                raise complain(
                    node.get("tests", node),
                    test.key,
                    f"the scheme has no item '{test.toxicity}'{nearest(test.toxicity, items)}",
                )
            if test.toxicity in items and items[test.toxicity].depends_on:
                raise complain(
                    node.get("tests", node),
                    test.key,
                    f"'{test.toxicity}' depends on {' and '.join(sorted(items[test.toxicity].depends_on))}:"
                    " grade it in the analysis dataset",
                )
            if test.toxicity in items and item_scale(test, items[test.toxicity]) is None:
                raise complain(
                    node.get("tests", node),
                    test.key,
                    f"declare the factor from {items[test.toxicity].unit}, the unit of the scheme, under from",
                )


def item_scale(test: FindingTest, item: ToxicityItem) -> float | None:
    """Return the factor from the scheme's unit to the test's standard unit; None if the study declares none."""
    if not item.is_absolute:
        return 1.0
    return None if test.units.shift(item.unit) else test.units.factor(item.unit)


def put_toxicity(study: Study, mapping: DomainMapping, table: DomainTable) -> None:
    """Set --TOX and --TOXGR (digits only) by the declared scheme, on values in standard units as --STRESN has them."""
    items = scheme_of(study, mapping.toxicity_scheme)
    names, grades = list[CodedText](), list[CodedText]()
    value = table.number(mapping.prefixed("STRESN"))
    low, high = table.number(mapping.prefixed("STNRLO")), table.number(mapping.prefixed("STNRHI"))
    for test, start, stop in table.parts:
        if not isinstance(test, FindingTest) or not test.toxicity:
            names.append(CodedText.constant("", stop - start))
            grades.append(names[-1])
            continue
        part = slice(start, stop)
        if test.toxicity_terms:
            grade = _by_term(test, table.text(mapping.prefixed("STRESC")).take(part))
        else:
            item = items[test.toxicity]
            grade = item.grade(value[part], low[part], high[part], item_scale(test, item) or 1.0)
        grades.append(text_of(grade))
        names.append(CodedText.of_codes(~np.isnan(grade), ["", test.toxicity]))
    table.put(mapping.prefixed("TOX"), CodedText.stack(names))
    table.put(mapping.prefixed("TOXGR"), CodedText.stack(grades))


def _by_term(test: FindingTest, texts: CodedText) -> np.ndarray:
    return texts.each(lambda text: test.toxicity_terms.get(text, np.nan), float)
