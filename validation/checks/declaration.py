"""Reads checks.yaml: a study's own checks of its raw data, each of a kind from a closed set.

Every mistake in the file is a StudyError with file, line, key and the nearest name that would be right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Annotated, Any

from metadata.declaration import Place, names_in, parameters, read_document, read_parameters
from metadata.declaration_limits import Entries
from metadata.errors import Gather, StudyError, nearest
from metadata.expression_evaluator import check as check_functions
from metadata.expression_parser import parse
from metadata.expression_references import check_reference
from metadata.other_sources import UNKNOWN_SUBJECT, UNKNOWN_VISIT
from metadata.project import Project
from metadata.registration import load_modules
from metadata.schema_errors import entry_of, entry_twice, needed_key, none_of, quoted, unknown_key, wrong_type
from metadata.study import Study
from metadata.yaml_source import LocatedDict, complain, filled_in, line_of
from validation.checks import kinds
from validation.checks.data import INSTANCE, reference_of
from validation.checks.kind import KINDS, Check, OtherRows, Severity
from validation.checks.operands import wrong_operands
from validation.raw.messages import places
from validation.raw.rule_names import (
    CALCULATION,
    CHOICE,
    EXPRESSION,
    FORMAT,
    GAP,
    HIDDEN,
    INSTANCE_NUMBER,
    LENGTH,
    MISSING_CODE,
    PLACE,
    RANGE,
    REQUIRED,
    SUBJECT_SITE,
    SUBJECT_TWICE,
    SUBJECT_WRITTEN,
    TWICE,
    TYPE,
)

FILE = "checks.yaml"
DICTIONARY_SEVERITIES = {
    TYPE: "error",
    FORMAT: "error",
    CHOICE: "error",
    REQUIRED: "error",
    PLACE: "error",
    RANGE: "warning",
    HIDDEN: "warning",
    CALCULATION: "warning",
    MISSING_CODE: "warning",
    EXPRESSION: "note",
    LENGTH: "note",
    TWICE: "error",
    GAP: "note",
    INSTANCE_NUMBER: "error",
    SUBJECT_SITE: "error",
    UNKNOWN_SUBJECT: "error",
    UNKNOWN_VISIT: "error",
    SUBJECT_TWICE: "error",
    SUBJECT_WRITTEN: "error",
}
FOR_EACH = "for_each"
load_modules(kinds)


@dataclass(frozen=True)
class ChecksFile:
    """The whole file: checks, other severities of the dictionary's own rules, and values that checks take by an anchor.

    A check with ``for_each`` is one check for each item.
    """

    checks: Annotated[list[Any], Entries(0)] = attribute(default_factory=list)
    severities: dict[str, Severity] = attribute(default_factory=dict)
    definitions: dict[str, Any] = attribute(default_factory=dict)
    node: Place = attribute(default=None, compare=False, repr=False)


def _read_file(study: Study) -> ChecksFile:
    if not study.path(FILE).is_file():
        return ChecksFile()
    return read_document(ChecksFile, study.read_yaml(FILE), f"{study.name}/{FILE}")


def load_checks(study: Study, project: Project) -> list[Check]:
    """Return the study's checks, those with ``for_each`` once an item; none if the study has no checks.yaml."""
    seen: dict[tuple[str, str], int | None] = {}
    checks: list[Check] = []
    declared = _read_file(study)
    with Gather() as gather:
        for node in declared.checks:
            with gather.part():
                if not isinstance(node, LocatedDict):
                    raise wrong_type(declared.node, "checks", node, "a list of mappings")
                for body in _expanded(node):
                    with gather.part():
                        checks.append(_check(project, study, node, body, seen))
    return checks


def severities(study: Study) -> dict[str, str]:
    """Return the severity of each dictionary rule, with what the study's file says otherwise."""
    declared = _read_file(study)
    with Gather() as gather:
        for name in declared.severities:
            with gather.part():
                if name not in DICTIONARY_SEVERITIES:
                    raise unknown_key(declared.node["severities"], name, DICTIONARY_SEVERITIES, quoted("severities"))
    return {**DICTIONARY_SEVERITIES, **declared.severities}


def _expanded(node: LocatedDict) -> Iterator[LocatedDict]:
    """Yield the check once for each item of ``for_each``, ``{each}`` replaced and an item's own keys laid over."""
    items = node.get(FOR_EACH)
    if items is None:
        yield node
        return
    if not isinstance(items, list | dict):
        raise wrong_type(node, FOR_EACH, items, "a list, or a mapping of items to their own keys")
    for place, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(items, list) and item in items[:place]:
            raise entry_twice(items, place, FOR_EACH)
    for item in items:
        own = items[item] if isinstance(items, Mapping) else None
        if own is not None and not isinstance(own, LocatedDict):
            raise wrong_type(items, item, own, "a mapping, or nothing")
        yield _laid_over(node, own, str(item))


def _laid_over(node: LocatedDict, own: LocatedDict | None, item: str) -> LocatedDict:
    """Return a check without ``for_each``, with an item's own keys, all of them with their lines."""
    parts = [filled_in(part, item) for part in (node, own) if part is not None]
    made = LocatedDict({key: value for part in parts for key, value in part.items() if key != FOR_EACH})
    made.file, made.line = node.file, node.line
    made.lines = {key: line for part in parts for key, line in part.lines.items()}
    return made


def _check(
    project: Project, study: Study, node: LocatedDict, body: LocatedDict, seen: dict[tuple[str, str], int | None]
) -> Check:
    """Return one check; ``seen`` holds ids and fields of those before, and the lines of their entries."""
    if "kind" not in body:
        raise needed_key(body, "kind", entry_of("checks"))
    if body["kind"] not in KINDS:
        raise none_of(body, "kind", body["kind"], KINDS)
    check = read_parameters(KINDS[body["kind"]], body, quoted(body["kind"]))
    if seen.setdefault((check.id, check.field), line_of(node)) != line_of(node):
        raise complain(node, "id", f"a check '{check.id}' of field '{check.field}' is in the file already")
    with Gather() as gather:
        for problem in _wrong_names(project, check):
            with gather.part():
                raise problem
        if not gather.found:
            gather.found += wrong_operands(project, study, check)
        with gather.part():
            _field(project, body, "field", check.field, check.form)
        with gather.part():
            check.check(project, study)
        for key, sentence in (("problem", check.problem_sentence), ("expected", check.expected_sentence)):
            with gather.part():
                _template(project, body, key, sentence, check.details)
    return check


def _wrong_names(project: Project, declared: Check | OtherRows) -> Iterator[StudyError]:
    """Yield an error for each form, field, operand or expression that the project does not have."""
    for key, annotation in parameters(type(declared)).items():
        value = getattr(declared, key if hasattr(declared, key) else f"{key}_")
        if isinstance(value, OtherRows):
            yield from _wrong_names(project, value)
            continue
        for role, find in NAMES.items():
            for name in names_in(annotation, value, role):
                try:
                    find(project, declared.node, key, name)
                except StudyError as error:
                    yield error
    if isinstance(declared, OtherRows) and declared.field:
        try:
            _field(project, declared.node, "field", declared.field, declared.form)
        except StudyError as error:
            yield error


def _field(project: Project, node: Any, key: str, name: str, form: str | None = None) -> None:
    fields = project.dictionary.fields
    if name not in fields:
        raise complain(node, key, f"the dictionary has no field '{name}'{nearest(name, fields)}")
    if form in project.dictionary.forms and fields[name].form != form:
        raise complain(node, key, f"the field '{name}' is on the form '{fields[name].form}', not on '{form}'")


def _form(project: Project, node: Any, key: str, form: str) -> None:
    forms = project.dictionary.forms
    if form not in forms:
        raise complain(node, key, f"the dictionary has no form '{form}'{nearest(form, forms)}")


def _template(project: Project, node: Any, key: str, sentence: str, details: tuple[str, ...]) -> None:
    known = {"value", "label", *details, *project.dictionary.fields}
    for place in places(sentence):
        name = place.removesuffix(".label")
        if name not in known:
            raise complain(
                node, key, f"the sentence has a place '{{{place}}}' that nothing fills{nearest(name, known)}"
            )


def _logic(project: Project, node: Any, key: str, text: str) -> None:
    try:
        expression = parse(text)
        check_functions(expression)
        for reference in expression.references:
            check_reference(project, reference)
    except LookupError as error:
        raise complain(node, key, str(error.args[0])) from None
    except StudyError as error:
        raise complain(node, key, str(error)) from None


def _operand(project: Project, node: Any, key: str, operand: str) -> None:
    if operand == INSTANCE:
        return
    try:
        check_reference(project, reference_of(operand))
    except LookupError as error:
        raise complain(node, key, str(error.args[0])) from None
    except StudyError as error:
        raise complain(node, key, str(error)) from None


NAMES: dict[str, Callable[[Project, Any, str, str], None]] = {
    "logic": _logic,
    "operand": _operand,
    "field": _field,
    "form": _form,
}
"""What names in each role must be."""
