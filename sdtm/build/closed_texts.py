"""Which texts each tabulated variable can have, where that is a closed list known without any record.

The lists are those of study.yaml (visits, elements, epochs, arms), of the mapping (test codes, constants, the terms of
choices) and of the terminology: a value that is not a term of its variable's codelist is withheld (``value_checks``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from metadata.study import Study
from metadata.terminology import Terminology
from metadata.variable_kind import NUM, PLAIN_NUMBER, ClosedText
from sdtm.build.study_mapping import StudyMapping
from sdtm.build.value_checks import exempt
from sdtm.columns.text import continued_name, transliterated
from sdtm.domains.visits import unscheduled_events
from sdtm.mapping.domain_mapping import DomainMapping, codelists
from sdtm.operations.value_sets import possible_values

RESULTS = ("ORRES", "STRESC", "ORRESU", "STRESU")
"""What the results of a test say, beyond what the mapping gives as variables."""
OF_TESTS = ("TESTCD", "TEST")
ARMS = ("ARMCD", "ARM", "ACTARMCD", "ACTARM")
"""What the mapping may give other texts than the arms: SCRNFAIL."""
NOT_DONE = ("STAT", "REASND")
"""What the engine writes as well where a test was not done."""


def with_closed_texts(mapping: StudyMapping, kinds: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Return the kinds of all variables with the closed lists of the texts of those that have one."""
    made = {name: dict(own) for name, own in kinds.items()}
    planned = _planned(mapping.study)
    for name, own in made.items():
        domain = mapping.domains.get(name)
        for variable, kind in own.items():
            closed = _closed(variable, domain, mapping.terminology) if domain else None
            if variable in planned:
                closed = planned[variable].with_more(closed) if closed and variable in ARMS else planned[variable]
            if kind == NUM:
                own[variable] = PLAIN_NUMBER  # SDTM writes dates as texts
            elif closed is not None:
                own[variable] = closed
    return made


def standard_units(mapping: StudyMapping) -> dict[str, dict[str, set[str]]]:
    """Return the standard units of the tests of each domain, by test code."""
    made: dict[str, dict[str, set[str]]] = {}
    for name, domain in mapping.domains.items():
        for test in (test for block in domain.blocks for test in block.tests):
            made.setdefault(name, {}).setdefault(test.testcd, set()).add(test.units.standard)
    return made


def closed_qualifiers(domain: DomainMapping) -> dict[str, ClosedText]:
    """Return the closed lists of the variables of a domain's supplemental qualifiers.

    A qualifier, and a variable of the domain, may go on in further ones if a text is long.
    """
    declared = [one for block in domain.blocks for one in block.supplemental]
    named = [one.qnam for one in declared]
    further = (continued_name(name, number) for name in (*named, *domain.by_name) for number in range(1, 10))
    origins = {one.qorig for one in declared} | {"CRF"}
    return {
        "QNAM": ClosedText([*named, *further]),
        "QORIG": ClosedText(sorted(origins)),
        "QEVAL": ClosedText(sorted({one.qeval for one in declared})),
        "RDOMAIN": ClosedText([domain.domain]),
    }


def _planned(study: Study) -> dict[str, ClosedText]:
    """Return what study.yaml plans: visits, with a number where they were not planned, elements, epochs and arms."""
    visits = [visit.visit for visit in study.visits]
    again = {study.visit_events[event].visit for event in unscheduled_events(study)}
    if study.identity.earlier:
        again |= set(visits)  # a subject who was screened before has visits of any name before the first
    made = {"VISIT": ClosedText(visits, sorted(again))}
    elements = study.declared.elements or []
    if elements:
        made |= {
            name: ClosedText(getattr(one, name.lower()) for one in elements) for name in ("ETCD", "ELEMENT", "EPOCH")
        }
    if arms := study.declared.arms:
        made |= {name: ClosedText(getattr(one, name.lower().removeprefix("act")) for one in arms) for name in ARMS}
    return made


def _closed(variable: str, domain: DomainMapping, terminology: Terminology) -> ClosedText | None:
    """Return the closed list of a variable's texts, None if it has none."""
    suffix = variable.removeprefix(domain.domain)
    operations = domain.operations.get(variable, ())
    if suffix in OF_TESTS and domain.is_findings:
        return _tests(domain, suffix, operations)
    if suffix in RESULTS:
        return None
    if operations and suffix not in NOT_DONE and (texts := possible_values(operations)):
        return ClosedText(transliterated(text)[0] for text in texts)
    guide = domain.by_name.get(variable)
    lists = codelists(guide) if guide else ()
    if not lists:
        return None
    terms = (term for code in lists for term in terminology.codelist(code).terms)
    return ClosedText([*terms, *sorted(exempt(domain).get(variable, ()))])


def _tests(domain: DomainMapping, suffix: str, operations: Iterable[object]) -> ClosedText | None:
    if any(True for _ in operations):
        return None
    tests = [test for block in domain.blocks for test in block.tests]
    return ClosedText(test.testcd if suffix == "TESTCD" else test.name for test in tests) if tests else None
