"""What the operands of a check mean in their project: fields that its rows can reach, dates, values that can be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from metadata import iso8601
from metadata.declaration import names_in, parameters
from metadata.dictionary import Field
from metadata.errors import StudyError, nearest
from metadata.expression import Binary, NumberLiteral, Reference, TextLiteral, walk
from metadata.expression_parser import parse
from metadata.expression_references import refuse_repeating
from metadata.project import Project
from metadata.study import Study
from metadata.yaml_source import complain
from validation.checks.data import INSTANCE, reference_of
from validation.checks.kind import Check, OtherRows

DATES = ("date_", "datetime_")
OF_DATES = ("first", "then", "start", "end", "dates", "anchor", "date", "reference")
"""Keys of checks that hold dates: a field, or the fields of year, month and day."""
COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")


def wrong_operands(project: Project, study: Study, check: Check) -> Iterator[StudyError]:
    """Yield an error for each operand of a check that cannot be compared.

    No row could have it, it is not a date, or nothing is compared with it. Names of forms and fields are right already.
    """
    parts: list[Check | OtherRows] = [check]
    parts += [value for value in vars(check).values() if isinstance(value, OtherRows)]
    for declared in parts:
        for key, annotation in parameters(type(declared)).items():
            value = getattr(declared, key if hasattr(declared, key) else f"{key}_")
            if isinstance(value, OtherRows):
                continue  # judged by the rows of its own form
            for role in ("operand", "field"):
                for name in names_in(annotation, value, role):
                    yield from _raised(project, declared, key, [_reference(name)])
            for text in names_in(annotation, value, "logic"):
                yield from _wrong_logic(project, declared, key, text)
            if declared is check and key in OF_DATES and isinstance(value, str):
                yield from _no_date(project, study, check, key, value)


def _reference(name: str) -> Reference | None:
    return None if name == INSTANCE else reference_of(name)


def _raised(
    project: Project, declared: Check | OtherRows, key: str, names: list[Reference | None]
) -> Iterator[StudyError]:
    for reference in names:
        try:
            if reference is not None and reference.event is None and reference.name in project.dictionary.fields:
                _reach(project, declared.form, project.dictionary.fields[reference.name])
        except LookupError as error:
            yield complain(declared.node, key, str(error.args[0]))


def _reach(project: Project, form: str, found: Field) -> None:
    """Raise LookupError unless rows of a form can have a value of the field, one each, in their own event."""
    if found.form == form or found.name == project.dictionary.record_id:
        return
    own = [event for event in project.event_names if project.designated(event, form)]
    shared = [event for event in own if project.designated(event, found.form)]
    if not shared:
        problem = f"the form '{found.form}' of field '{found.name}' is in no event of the form '{form}'"
        raise LookupError(f"{problem}: write [EVENT][{found.name}]")
    for event in shared:
        refuse_repeating(project, found, event)


def _no_date(project: Project, study: Study, check: Check, key: str, operand: str) -> Iterator[StudyError]:
    """Yield an error for a single field that holds no date."""
    reference = _reference(operand)
    found = project.dictionary.fields.get(reference.name) if reference else None
    if found and not (found.validation.startswith(DATES) or found.name in study.text_dates):
        problem = f"field '{found.name}' is not a date field: say how it is written under text_dates in study.yaml"
        yield complain(check.node, key, problem)


def _wrong_logic(project: Project, declared: Check | OtherRows, key: str, text: str) -> Iterator[StudyError]:
    expression = parse(text)
    if not expression.references:
        yield complain(declared.node, key, "the expression reads no field: it is the same for every row")
    yield from _raised(project, declared, key, list(expression.references))
    for node in walk(expression.root):
        if isinstance(node, Binary) and node.operator in COMPARISONS:
            for one, other in ((node.left, node.right), (node.right, node.left)):
                problem = _never_met(project, one, other)
                if problem:
                    yield complain(declared.node, key, problem)


def _never_met(project: Project, one: Any, other: Any) -> str:
    """Return why a field can never have the value that it is compared with; blank if it can."""
    if not isinstance(one, Reference) or one.code is not None or not isinstance(other, TextLiteral | NumberLiteral):
        return ""
    found, word = project.dictionary.fields.get(one.name), str(getattr(other, "value", ""))
    if isinstance(other, NumberLiteral):
        word = str(other)
    if found is None or not word or word in project.missing_codes:
        return ""
    if found.choices and word not in found.choices and not _is_number(word, found.choices):
        offered = ", ".join(f"{code} ({label})" for code, label in list(found.choices.items())[:12])
        return f"field '{found.name}' has no choice '{word}'{nearest(word, found.choices)}; it offers {offered}"
    if found.is_numeric and not _number(word):
        return f"field '{found.name}' is a number, and '{word}' is not"
    if found.validation.startswith(DATES) and not iso8601.is_date(word[:10]):
        return f"field '{found.name}' is a date, and '{word}' is not: write YYYY-MM-DD"
    return ""


def _is_number(word: str, codes: Any) -> bool:
    """Return True for a number that one of the codes is, written otherwise: 1 and 01, or a limit between codes."""
    return _number(word) and any(_number(code) and float(code) == float(word) for code in codes)


def _number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
