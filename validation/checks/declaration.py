"""Reads checks.yaml: a study's own checks of its raw data, each of a kind from a closed set.

Every mistake in the file is a StudyError with file, line, key and the nearest word that would be right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from metadata.errors import Gather, StudyError, nearest
from metadata.expression import Expression
from metadata.expression_context import check_reference
from metadata.expression_evaluator import check as check_functions
from metadata.expression_parser import parse
from metadata.project import Project
from metadata.registration import load_modules
from metadata.study import Study
from metadata.yaml_source import LocatedDict, complain, line_of
from validation.checks import kinds
from validation.checks.data import reference_of
from validation.checks.kind import KINDS, Check, CheckParameter
from validation.raw.dictionary_schemas import (
    CALCULATION,
    CHOICE,
    EXPRESSION,
    FORMAT,
    HIDDEN,
    LENGTH,
    MISSING_CODE,
    PLACE,
    RANGE,
    REQUIRED,
    TYPE,
)
from validation.raw.messages import places
from validation.raw.row_findings import GAP, TWICE

FILE = "checks.yaml"
SEVERITIES = ("error", "warning", "note")
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
}
PARTS = ("definitions", "severities", "checks")
OWN_KEYS = ("id", "kind", "severity", "form", "field", "problem", "expected", "when_logic", "for_each")
NEEDED_KEYS = ("id", "kind", "severity", "form", "field")
MODES = ("first", "last", "only")
SLUG = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)+")
load_modules(kinds)


def load_checks(study: Study, project: Project) -> list[Check]:
    """Return the study's checks, those with ``for_each`` once an item; none if the study has no checks.yaml."""
    if not study.path(FILE).is_file():
        return []
    declared = study.read_yaml(FILE)
    seen: dict[tuple[str, str], int | None] = {}
    checks: list[Check] = []
    with Gather() as gather:
        for key in declared:
            with gather.part():
                _one_of(declared, key, key, PARTS, "part of the file")
        for node in declared.get("checks") or []:
            with gather.part():
                checks += _checks_of(project, node, seen)
    return checks


def _checks_of(project: Project, node: Any, seen: dict[tuple[str, str], int | None]) -> list[Check]:
    """Return the checks that one entry of the file declares; ``seen`` holds ids and fields, and their lines."""
    made: list[Check] = []
    with Gather() as gather:
        for body in _expanded(node):
            with gather.part():
                check = _check(project, node, body)
                if seen.setdefault((check.id, check.field), line_of(node)) != line_of(node):
                    twice = f"a check '{check.id}' of field '{check.field}' stands in the file already"
                    raise complain(node, "id", twice)
                made.append(check)
    return made


def severities(study: Study) -> dict[str, str]:
    """Return the severity of each dictionary rule, with what the study's file says otherwise."""
    given = (study.read_yaml(FILE).get("severities") or {}) if study.path(FILE).is_file() else {}
    for name, severity in given.items():
        if name not in DICTIONARY_SEVERITIES:
            raise complain(given, name, f"there is no dictionary rule '{name}'{nearest(name, DICTIONARY_SEVERITIES)}")
        _one_of(given, name, severity, SEVERITIES)
    return {**DICTIONARY_SEVERITIES, **{str(name): str(severity) for name, severity in given.items()}}


def _expanded(node: Any) -> Iterator[dict[str, Any]]:
    """Yield the check once for each item of ``for_each``, ``{each}`` replaced and an item's own keys laid over."""
    if not isinstance(node, LocatedDict):
        raise StudyError("each check is a mapping with id, kind, severity, form and field", FILE)
    items = node.get("for_each")
    if items is None:
        yield dict(node)
        return
    body = {key: value for key, value in node.items() if key != "for_each"}
    for item in items:
        own = items[item] if isinstance(items, Mapping) else {}
        yield {**_filled(body, str(item)), **_filled(own or {}, str(item))}


def _filled(value: Any, item: str) -> Any:
    if isinstance(value, str):
        return value.replace("{each}", item)
    if isinstance(value, Mapping):
        return {key: _filled(inner, item) for key, inner in value.items()}
    return [_filled(inner, item) for inner in value] if isinstance(value, list) else value


def _check(project: Project, node: LocatedDict, body: dict[str, Any]) -> Check:
    for key in NEEDED_KEYS:
        if key not in body:
            raise complain(node, None, f"a check lacks its key '{key}'")
    if not SLUG.fullmatch(str(body["id"])):
        raise complain(node, "id", f"'{body['id']}' is no rule id; write it as ae.end_before_start")
    _one_of(node, "kind", body["kind"], KINDS)
    _one_of(node, "severity", body["severity"], SEVERITIES)
    _one_of(node, "form", body["form"], project.dictionary.forms)
    _field(project, node, "field", body["field"], body["form"])
    known = KINDS[body["kind"]]
    parameters = {key: value for key, value in body.items() if key not in OWN_KEYS}
    sentences = {key: str(body.get(key) or getattr(known, key)) for key in ("problem", "expected")}
    with Gather() as gather:
        for key, value in parameters.items():
            with gather.part():
                _one_of(node, key, key, [*known.parameters, *OWN_KEYS], "key")
                _parameter(project, node, body, key, value, known.parameters[key])
        for key, parameter in known.parameters.items():
            with gather.part():
                if parameter.required and key not in body:
                    raise complain(node, None, f"a check of kind '{body['kind']}' needs the key '{key}'")
        if "when_logic" in body:
            with gather.part():
                _expression(project, node, "when_logic", body["when_logic"])
        for key, sentence in sentences.items():
            with gather.part():
                _template(project, node, key, sentence, known.details)
    return Check(
        id=str(body["id"]),
        kind=body["kind"],
        severity=body["severity"],
        form=body["form"],
        field=body["field"],
        problem=sentences["problem"],
        expected=sentences["expected"],
        when_logic=body.get("when_logic"),
        parameters=parameters,
    )


def _one_of(node: Any, key: str, word: Any, words: Any, what: str = "") -> None:
    if str(word) not in words:
        name = what or key
        raise complain(
            node, key, f"there is no {name} '{word}'{nearest(str(word), words)}; known are {', '.join(words)}"
        )


def _field(project: Project, node: Any, key: str, name: Any, form: str | None = None) -> None:
    fields = project.dictionary.fields
    if name not in fields:
        raise complain(node, key, f"the dictionary has no field '{name}'{nearest(str(name), fields)}")
    if form is not None and fields[name].form != form:
        raise complain(node, key, f"the field '{name}' stands on the form '{fields[name].form}', not on '{form}'")


def _template(project: Project, node: Any, key: str, sentence: str, details: tuple[str, ...]) -> None:
    known = {"value", "label", *details, *project.dictionary.fields}
    for place in places(sentence):
        name = place.removesuffix(".label")
        if name not in known:
            raise complain(
                node, key, f"the sentence has a place '{{{place}}}' that nothing fills{nearest(name, known)}"
            )


def _expression(project: Project, node: Any, key: str, text: Any) -> Expression:
    try:
        expression = parse(str(text))
        check_functions(expression)
        for reference in expression.references:
            check_reference(project, reference)
        return expression
    except LookupError as error:
        raise complain(node, key, str(error.args[0])) from None
    except StudyError as error:
        raise complain(node, key, str(error)) from None


def _parameter(
    project: Project, node: Any, body: dict[str, Any], key: str, value: Any, parameter: CheckParameter
) -> None:
    """Raise StudyError unless a parameter's value is of its type and names what exists."""
    if parameter.type == "unit_factors":
        _factors(project, node, body, key, value)
        return
    items = value if isinstance(value, list) and parameter.type in MANY else [value]
    if parameter.type in LISTS:
        items = _list(node, key, value)
    for item in items:
        PARAMETER_CHECKS[parameter.type](project, node, key, item)


def _form(project: Project, node: Any, key: str, form: Any) -> None:
    _one_of(node, key, form, project.dictionary.forms, "form")


def _flag(project: Project, node: Any, key: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise complain(node, key, f"expected true or false but found '{value}'")


def _list(node: Any, key: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise complain(node, key, f"expected a list but found '{value}'")
    return value


def _number(project: Project, node: Any, key: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise complain(node, key, f"expected a number but found '{value}'")


def _pattern(project: Project, node: Any, key: str, value: Any) -> None:
    try:
        re.compile(str(value))
    except re.error as error:
        raise complain(node, key, f"'{value}' is not a regular expression: {error}") from None


def _operand(project: Project, node: Any, key: str, operand: Any) -> None:
    if operand == "instance":
        return
    try:
        check_reference(project, reference_of(str(operand)))
    except LookupError as error:
        raise complain(node, key, str(error.args[0])) from None
    except StudyError as error:
        raise complain(node, key, str(error)) from None


def _factors(project: Project, node: Any, body: dict[str, Any], key: str, value: Any) -> None:
    if not isinstance(value, Mapping) or "unit" not in body:
        raise complain(node, key, "expected a factor for each code of the field named by 'unit'")
    choices = project.dictionary.field(str(body["unit"])).choices
    for code in choices:
        if code not in value:
            raise complain(node, key, f"the unit '{body['unit']}' has the code '{code}' and no factor is given for it")
    for factor in value.values():
        _number(project, node, key, factor)


def _rows(project: Project, node: Any, key: str, value: Any) -> None:
    """Check a reference to rows of another form: form, and some of field, key, when_logic and mode."""
    if not isinstance(value, Mapping) or "form" not in value:
        raise complain(node, key, "expected a mapping with the form and its field, key, when_logic or mode")
    place = value if isinstance(value, LocatedDict) else node
    _one_of(place, "form", value["form"], project.dictionary.forms)
    for name, inner in value.items():
        _one_of(place, name, name, ("form", "field", "key", "when_logic", "mode"), "key")
        if name == "field":
            _field(project, place, name, inner, value["form"])
        if name == "key":
            _operand(project, place, name, inner)
        if name == "when_logic":
            _expression(project, place, name, inner)
        if name == "mode":
            _one_of(place, name, inner, MODES)


MANY, LISTS = ("date", "operands", "fields"), ("forms", "numbers")
PARAMETER_CHECKS: dict[str, Callable[[Project, Any, str, Any], object]] = {
    "expression": _expression,
    "operand": _operand,
    "operands": _operand,
    "date": _operand,
    "field": _field,
    "fields": _field,
    "forms": _form,
    "number": _number,
    "numbers": _number,
    "flag": _flag,
    "pattern": _pattern,
    "rows": _rows,
}
