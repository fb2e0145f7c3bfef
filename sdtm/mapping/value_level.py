"""What differs from record to record of one variable: results by test, supplemental values by QNAM (Define-XML)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from metadata.dataset import Value
from sdtm.columns.table import SupplementalRows
from sdtm.columns.text import transliterated
from sdtm.mapping.derived_methods import derived_method
from sdtm.mapping.domain_mapping import Block, DomainMapping, FindingTest
from sdtm.operations.operation import sentence_of_terms
from sdtm.operations.value_sets import meanings, value_set
from sdtm.operations.values import ConstantValue, FieldValue

QUALIFIERS = ("SCAT", "CAT", "SPEC", "LOC", "LAT", "DIR", "METHOD", "OBJ", "POS")
ORIGINS = {"CRF": "Collected", "EDT": "Collected", "DERIVED": "Derived", "ASSIGNED": "Assigned", "PROTOCOL": "Protocol"}
Where = tuple[tuple[str, str], ...]


def origin_and_method(mapping: DomainMapping, name: str) -> tuple[str, str]:
    """Return the origins of a variable, separated by ``;``, and how it is made, over all operations that make it."""
    operations = mapping.operations.get(name, ())
    if not operations:
        return derived_method(mapping, name)
    return ";".join(dict.fromkeys(made.origin for made in operations)), _together(
        made.sentence() for made in operations
    )


def _together(sentences: Iterable[str]) -> str:
    """Return all different sentences; what is assigned by test or by form in one."""
    found = [said for said in dict.fromkeys(sentences) if said]
    assigned = [said.removeprefix("Assigned ").removesuffix(".") for said in found if said.startswith("Assigned ")]
    if len(assigned) > 1:
        found = [said for said in found if not said.startswith("Assigned ")]
        found.append(f"Assigned {'; '.join(assigned)}.")
    return " ".join(found)


def test_values(mapping: DomainMapping) -> tuple[Value, ...]:
    """Return the value level of a findings domain: original and standard results, by test.

    Tests that share a code (a protein in serum and in urine) differ by the qualifiers that the mapping assigns to
    them; if these are the same as well, they are one test.
    """
    made = []
    for where, tests in tests_by_condition(mapping).items():
        first = tests[0]
        result, standard = mapping.prefixed("ORRES"), mapping.prefixed("STRESC")
        collected = _together(test.result.sentence() for test in tests)
        origins = ";".join(dict.fromkeys(test.result.origin for test in tests))
        said = standard_sentence(mapping, first)
        number = f"The number of {standard}; null for text and for limits such as <20."
        made.append(Value(result, where, first.name, origins, collected, _original_terms(tests)))
        made.append(Value(standard, where, first.name, "Derived", said, _standard_terms(tests)))
        made.append(Value(mapping.prefixed("STRESN"), where, first.name, "Derived", number))
    return tuple(made)


def category_values(mapping: DomainMapping) -> tuple[Value, ...]:
    """Return the value level of a domain whose blocks are categories: variables that have another origin in each.

    So the disposition event is collected, and a protocol milestone assigned. A domain has such categories if each of
    its blocks assigns --CAT.
    """
    category = mapping.prefixed("CAT")
    blocks: dict[str, list[Block]] = {}
    for block in mapping.blocks:
        made = block.variables.get(category)
        if block.tests or not isinstance(made, ConstantValue) or made.when:
            return ()
        blocks.setdefault(made.text, []).append(block)
    values = []
    for name in dict.fromkeys(name for block in mapping.blocks for name in block.variables):
        found = {text: [one.variables[name] for one in own if name in one.variables] for text, own in blocks.items()}
        origins = {text: ";".join(dict.fromkeys(made.origin for made in own)) for text, own in found.items() if own}
        if len(set(origins.values())) > 1:
            values += [
                Value(name, ((category, text),), "", origins[text], _together(made.sentence() for made in found[text]))
                for text in origins
            ]
    return tuple(values)


def tests_by_condition(mapping: DomainMapping) -> dict[Where, list[FindingTest]]:
    """Return the tests of a domain by the condition that tells their records from all others."""
    groups: dict[str, dict[Where, list[FindingTest]]] = {}
    for block in mapping.blocks:
        for test in block.tests:
            groups.setdefault(test.testcd, {}).setdefault(_qualifiers(mapping, test), []).append(test)
    made: dict[Where, list[FindingTest]] = {}
    for testcd, group in groups.items():
        code = (mapping.prefixed("TESTCD"), testcd)
        names = _telling(group)
        for qualifiers, tests in group.items():
            assigned = tuple(pair for pair in qualifiers if pair[0] in names)
            made.setdefault((code, *assigned), []).extend(tests)
    return made


def _qualifiers(mapping: DomainMapping, test: FindingTest) -> Where:
    """Return the qualifiers that the mapping assigns to every record of a test."""
    constants = {
        name: made for name, made in test.variables.items() if isinstance(made, ConstantValue) and not made.when
    }
    names = [mapping.prefixed(suffix) for suffix in QUALIFIERS]
    return tuple((name, constants[name].text) for name in names if name in constants)


def _telling(group: dict[Where, list[FindingTest]]) -> set[str]:
    """Return qualifiers that tell the members of a group apart: one if one is enough, else all that differ."""
    shared = set.intersection(*({name for name, _ in qualifiers} for qualifiers in group))
    values = {name: {dict(qualifiers)[name] for qualifiers in group} for name in shared}
    for name in sorted(shared, key=_by_place):
        if len(values[name]) == len(group) > 1:
            return {name}
    return {name for name in shared if len(values[name]) > 1}


def _by_place(name: str) -> int:
    """Return the place of a qualifier in the order in which they are tried."""
    return next(place for place, suffix in enumerate(QUALIFIERS) if name.endswith(suffix))


def _conversion(test: FindingTest, unit: str, name: str) -> str:
    """Say how a result in one unit comes to the standard unit."""
    shift = test.units.shift(name)
    first = f"{'plus' if shift > 0 else 'less'} {abs(shift):g}, " if shift else ""
    return f"{first}multiplied by {test.units.factors[name]:g} where {unit} is {name}"


def _rounding(test: FindingTest) -> str:
    """Say how far a converted result is rounded, blank if it has all digits of result and factor."""
    for number, thing in ((test.units.decimals, "decimal"), (test.units.digits, "significant digit")):
        if number is not None:
            return f", rounded half up to {number} {thing}{'s' * (number != 1)}"
    return ""


def standard_sentence(mapping: DomainMapping, test: FindingTest) -> str:
    """Say how --STRESC comes from --ORRES."""
    result, unit = mapping.prefixed("ORRES"), mapping.prefixed("ORRESU")
    if test.standard == "code":
        sentence = "The code of the answer on the form"
    elif test.units.standard and test.units.factors:
        factors = ", ".join(_conversion(test, unit, name) for name in test.units.factors)
        sentence = f"{result} in {test.units.standard}: {factors}{_rounding(test)}"
    elif test.units.standard:
        sentence = f"{result}, which is in {test.units.standard}"
    elif test.standard_codes is not None:
        sentence = f"{result} coded by the study's own coding file (not MedDRA)"
    else:
        sentence = f"As {result}"
    return f"{sentence}; {sentence_of_terms(test.standard_terms)}." if test.standard_terms else f"{sentence}."


def _original_terms(tests: Sequence[FindingTest]) -> tuple[tuple[str, str], ...]:
    """Return the answers that the forms offer, as --ORRES has them."""
    without = re.compile(tests[0].label_without or r"(?!)")
    terms = value_set(test.result for test in tests)
    return tuple((without.sub("", value), without.sub("", meaning)) for value, meaning in terms)


def _standard_terms(tests: Sequence[FindingTest]) -> tuple[tuple[str, str], ...]:
    """Return the answers as --STRESC has them: a code with what it means, or the term."""
    test, result = tests[0], tests[0].result
    if test.standard == "code" and isinstance(result, FieldValue):
        without = re.compile(test.label_without or r"(?!)")
        labels = {code: transliterated(without.sub("", value))[0] for code, value in result.terms.items()}
        return tuple(meanings({code: test.standard_terms.get(code, code) for code in labels}, labels).items())
    terms = ((test.standard_terms.get(value, value), meaning) for value, meaning in _original_terms(tests))
    return tuple(dict.fromkeys(terms))


def supplemental_values(
    mapping: DomainMapping, extras: Sequence[SupplementalRows], used: set[str]
) -> tuple[Value, ...]:
    """Return the value level of QVAL by QNAM, for the qualifiers that have records."""
    declared: dict[str, list[str]] = {}
    terms: dict[str, tuple[tuple[str, str], ...]] = {}
    for block in mapping.blocks:
        for supplement in block.supplemental:
            declared.setdefault(supplement.qnam, []).append(supplement.operation.sentence())
            terms[supplement.qnam] = (*terms.get(supplement.qnam, ()), *value_set([supplement.operation]))
    found = {extra.qnam: extra for extra in extras if extra.qnam in used}
    return tuple(
        Value(
            "QVAL",
            (("QNAM", qnam),),
            extra.label,
            ORIGINS.get(extra.qorig.upper(), "Collected"),
            _together(declared.get(qnam, [f"Continues the text of {extra.label}."])),
            tuple(dict.fromkeys(terms.get(qnam, ()))),
        )
        for qnam, extra in sorted(found.items())
    )
