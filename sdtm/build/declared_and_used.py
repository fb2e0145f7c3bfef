"""What a mapping file declares is used: a key that can have no effect is refused, as is a name that is listed twice."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from metadata.errors import Gather, nearest
from metadata.project import Project
from metadata.study import Study
from metadata.yaml_source import PLACE, LocatedDict, LocatedList, complain
from sdtm.domains.reference_ranges import study_ranges
from sdtm.domains.visits import date_fields, visit_events
from sdtm.mapping.domain_mapping import Block, DomainMapping, FindingTest
from sdtm.operations.value_sets import possible_values
from sdtm.operations.values import FieldValue

OF_TESTS = (
    *("tests", "codelists", "unit_terms", "also_read", "baseline_by", "toxicity", "reason_not_done", "ranges"),
)  # fmt: skip
"""Keys of a mapping file that speak of the tests of findings."""
OF_UNITS = ("unit_factors", "digits", "decimals")
SUBJECT = "USUBJID"
NO_ARM = (
    *("SCRNFAIL", "NOTASSGN", "NOTTRT", "UNPLAN"),
    *("Screen Failure", "Not Assigned", "Not Treated", "Unplanned Treatment"),
)
"""What stood in ARM and its like for subjects without an arm before SDTMIG 3.3 had ARMNRS."""


def check_used(body: LocatedDict, mapping: DomainMapping, study: Study, project: Project) -> None:
    """Raise one StudyError for all that the mapping of a domain declares and that nothing would use."""
    tests = [test for block in mapping.blocks for test in block.tests]
    with Gather() as gather:
        for key in OF_TESTS if not tests else ():
            with gather.part():
                if key in body:
                    raise complain(body, key, f"'{key}' is about tests, and the records of {mapping.domain} have none")
        with gather.part():
            _check_keys(body, mapping)
        for node in _blocks(body):
            with gather.part():
                _check_items(node)
            with gather.part():
                if "dates" in node and node.get("each") != "visit":
                    raise complain(node, "dates", "'dates' are those of visits: records: {each: visit, dates: ...}")
            for key, spec in (node.get("tests") or {}).items():
                with gather.part():
                    _check_test(spec, (body.get("tests") or {}).get(key) or LocatedDict(), key)
        for block in mapping.blocks:
            with gather.part():
                _check_excepted(block, study, project)
        for test in tests:
            with gather.part():
                _check_label(test)
        if mapping.domain == "DM":
            _check_arms(mapping, study, gather)
        shared: LocatedDict = body.get("tests") or LocatedDict()
        for key in shared if tests else ():
            with gather.part():
                _check_shared(shared, key, [test for test in tests if test.key == key], tests)
        with gather.part():
            ranges = study_ranges(study, mapping) if mapping.ranges_file else {}
            for key in shared if tests else ():
                with gather.part():
                    of_key = [test for test in tests if test.key == key]
                    _check_factors(shared[key] or LocatedDict(), of_key, {one.unit for one in ranges.get(key, ())})


def _blocks(body: LocatedDict) -> list[LocatedDict]:
    records = body["records"]
    return list(records) if isinstance(records, LocatedList) else [records]


def _check_keys(body: LocatedDict, mapping: DomainMapping) -> None:
    """Raise StudyError for keys that do not say whose the record is."""
    declared = body.get("keys") or []
    if declared and mapping.has(SUBJECT) and SUBJECT not in declared:
        raise complain(body, "keys", f"the keys need {SUBJECT}: records of two subjects are never the same")


def _check_items(node: LocatedDict) -> None:
    """Raise StudyError for items that nothing in their block uses."""
    items = node.get("for_each") or []
    texts = [text for key, value in node.items() if key != "for_each" for text in _texts(value)]
    every = list(items.values()) if isinstance(items, LocatedDict) else []
    for words in every:
        for name in words:
            if not any(f"{{{name}}}" in text for text in texts):
                raise complain(words, name, f"nothing has the place {{{name}}}, so that the word is not used")
    if not items or any(PLACE in text for text in texts):
        return
    same = _same_words(every)
    if not any(every):
        raise complain(node, "for_each", f"nothing has the place {PLACE}, so that all items give the same records")
    if same:
        first, second = (list(items)[at] for at in same)
        problem = f"nothing has the place {PLACE}, and '{first}' and '{second}' have the same words: they give the same"
        raise complain(node, "for_each", f"{problem} records")


def _same_words(every: list[LocatedDict]) -> tuple[int, int] | None:
    """Return the places of two items whose words are the same, if there are any."""
    known: dict[tuple[tuple[str, str], ...], int] = {}
    for at, words in enumerate(every):
        own = tuple(sorted((str(name), str(word)) for name, word in words.items()))
        if own in known:
            return known[own], at
        known[own] = at
    return None


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield str(key)
            yield from _texts(value)
    elif isinstance(node, list):
        for item in node:
            yield from _texts(item)
    elif isinstance(node, str):
        yield node


def _check_test(spec: LocatedDict, shared: LocatedDict, key: str) -> None:
    """Raise StudyError for what needs another key to mean anything."""
    for node in (spec, shared):
        for word in OF_UNITS:
            if word in node and "standard_unit" not in node:
                problem = f"{key} has no standard_unit in the same place, so that '{word}' is not used"
                raise complain(node, word, problem)
    if "toxicity_terms" in {*spec, *shared} and "toxicity" not in {*spec, *shared}:
        node = spec if "toxicity_terms" in spec else shared
        raise complain(node, "toxicity_terms", f"{key} has no toxicity, so that 'toxicity_terms' is not used")


def _check_excepted(block: Block, study: Study, project: Project) -> None:
    """Raise StudyError for excepted fields that are not dates of the visits' forms."""
    declared = block.visits
    if not declared or block.each != "visit":
        return
    every = Block("", "visit", (), None, {}, (), ())
    dated = date_fields(every, project, visit_events(study), study.visit_of_form)
    known = [name for names in dated.values() for name in names]
    excepted = declared.get("except") or []
    with Gather() as gather:
        for index, name in enumerate(excepted):
            with gather.part():
                if name not in known:
                    problem = f"{name!r} is not a date field of a visit's form{nearest(str(name), known)}"
                    raise complain(excepted, index, problem)


def _check_shared(shared: LocatedDict, key: str, of_key: Sequence[FindingTest], tests: Sequence[FindingTest]) -> None:
    """Raise StudyError for a test of the whole domain that no form has."""
    if not of_key:
        known = list(dict.fromkeys(test.key for test in tests))
        raise complain(shared, key, f"no records have the test '{key}'{nearest(key, known)}")


def _check_factors(node: LocatedDict, of_key: Sequence[FindingTest], also: Collection[str]) -> None:
    """Raise StudyError for the factor of a unit that no form gives, and that none of the ``also`` known units is.

    Not judged where a form has its unit in a field without terms, or the test is graded.
    """
    if "unit_factors" not in node or not of_key or any(test.toxicity for test in of_key):
        return
    given = [possible_values([test.unit]) if test.unit else ("",) for test in of_key]
    if not all(given):
        return
    known = {unit for units in given for unit in units} | set(also)
    for unit in node["unit_factors"]:
        if unit not in known:
            problem = f"no form gives {of_key[0].key} in '{unit}'{nearest(str(unit), known)}: the factor is not used"
            raise complain(node["unit_factors"], str(unit), problem)


def _check_label(test: FindingTest) -> None:
    """Raise StudyError where what is taken off the labels of a result is on none of them."""
    result = test.result
    if not test.label_without or not isinstance(result, FieldValue):
        return
    if not result.found.choices:
        problem = f"field '{result.found.name}' has no choices, so that there is no label to take anything off"
        raise complain(result.spec, None, f"{test.key}: {problem} (label_without)")
    if not any(re.search(test.label_without, label) for label in result.found.choices.values()):
        problem = f"no label of field '{result.found.name}' has what '{test.label_without}' takes off"
        raise complain(result.spec, None, f"{test.key}: {problem} (label_without)")


def _check_arms(mapping: DomainMapping, study: Study, gather: Gather) -> None:
    """Find the arms of subjects that study.yaml does not plan, by code or by name."""
    arms = study.declared.arms or []
    for variable, key in (("ARMCD", "armcd"), ("ACTARMCD", "armcd"), ("ARM", "arm"), ("ACTARM", "arm")):
        planned = [getattr(arm, key) for arm in arms]
        for operation in mapping.operations.get(variable, ()) if planned else ():
            for value in possible_values([operation]):
                with gather.part():
                    if value not in (*planned, *NO_ARM):
                        problem = f"{variable} '{value}' is not one of the arms of study.yaml{nearest(value, planned)}"
                        raise complain(operation.spec, None, problem)
