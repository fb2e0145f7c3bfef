"""Variables that a mapping gives although the software makes them: each would be overwritten, so each is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from metadata.errors import Gather, StudyError
from metadata.study import Study
from metadata.terminology import Terminology
from metadata.yaml_source import line_of
from sdtm.build.engine import RESULT_SUFFIXES, VISIT_VARIABLES, Engine
from sdtm.columns.source import Forms
from sdtm.domains.identity import SubjectIdentifiers
from sdtm.domains.visit_numbers import NUMBER as VISIT_NUMBER
from sdtm.mapping.derived_methods import derived_method
from sdtm.mapping.domain_mapping import DomainMapping
from sdtm.mapping.reading import VISITS
from sdtm.operations.operation import Operation

KEYS = ("STUDYID", "DOMAIN", "USUBJID")
SUBJECT_KEYS = ("SUBJID", "SITEID")
CURES = {
    "USUBJID": "its pattern goes into study.yaml: identity: {usubjid: PATTERN}",
    "SUBJID": "study.yaml says which field it is: identity: {subject: FIELD}",
    "SITEID": "study.yaml says where it comes from: identity: {site: ...}",
    "STUDYID": "study.yaml gives it: study: {id: STUDYID}",
    **dict.fromkeys(VISITS, "the event of the record gives it; where the guide does not list it, write visits: true"),
}
Mapped = tuple[str, Operation]


def check_mapped(study: Study, terminology: Terminology, mappings: dict[str, DomainMapping]) -> None:
    """Raise one StudyError for all variables that a mapping gives and that the software makes itself."""
    without = cast(Forms, None), cast(SubjectIdentifiers, None)  # only a run reads records
    engine = Engine(study, terminology, mappings, *without)
    with Gather() as gather:
        for mapping in mappings.values():
            for name, operation in (*_collected(mapping), *_derived(engine, mapping)):
                with gather.part():
                    raise _made_already(mapping, name, operation)


def _made_already(mapping: DomainMapping, name: str, operation: Operation) -> StudyError:
    how = CURES.get(name) or derived_method(mapping, name)[1] or "it follows from the tests of the mapping"
    problem = f"{name} is made by the software and cannot be mapped ({how.removesuffix('.')})"
    return StudyError(problem, mapping.file, line_of(operation.spec), name)


def _derived(engine: Engine, mapping: DomainMapping) -> Iterator[Mapped]:
    """Yield what a step that reads no field would overwrite."""
    for step in engine.derived_steps(mapping):
        for name in sorted(variable.partition(".")[2] for variable in step.gives):
            yield from ((name, operation) for operation in mapping.operations.get(name, ()))


def _collected(mapping: DomainMapping) -> Iterator[Mapped]:
    """Yield what is set for each record while it is collected, whatever the mapping says."""
    names = {*KEYS, mapping.prefixed("SEQ"), *(SUBJECT_KEYS if mapping.domain == "DM" else ())}
    for block in mapping.blocks:
        given = [*block.variables.items(), *(pair for test in block.tests for pair in test.variables.items())]
        own = {mapping.prefixed(suffix) for suffix in RESULT_SUFFIXES} if block.tests else set()
        own |= set(VISIT_VARIABLES) if block.each == "visit" else set()
        for name, operation in given:
            if name == VISIT_NUMBER and block.each == "visit" and operation.fields():
                continue  # the number of a visit that was not planned may be collected
            if name in names | own or block.each == "element":
                yield name, operation
    yield from ((name, made) for name, made in mapping.table_operations.items() if name in names)
