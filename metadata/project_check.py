"""Whether the copy of a REDCap project in a study's folder is one that REDCap can have made, field by field.

What REDCap itself refuses is a slip of hand here: a field type that it does not have, a list of choices without a
choice, a form that repeats in an event for which it is not designated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from metadata.dictionary import Field, written_choices
from metadata.errors import Gather, StudyError, nearest
from metadata.project import Project, is_set

FIELD_TYPES = (
    "text",
    "notes",
    "calc",
    "dropdown",
    "radio",
    "checkbox",
    "yesno",
    "truefalse",
    "file",
    "slider",
    "descriptive",
    "sql",
)
WITH_CHOICES = ("dropdown", "radio", "checkbox")
FIELD_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
DATE_TYPES = [f"{kind}_{order}" for kind in ("date", "datetime", "datetime_seconds") for order in ("dmy", "mdy", "ymd")]
NUMBER = re.compile(r"[+-]?(?:\d+[.,]?\d*|[.,]\d+)", re.ASCII)

WHOLE = re.compile(r"-?\d+", re.ASCII)
NUMBERED = ("data_access_group_id", "arm_num", "event_id", "day_offset", "offset_min", "offset_max")
SWITCHES = ("is_longitudinal", "has_repeating_instruments_or_events", "surveys_enabled", "in_production")


def check_project(project: Project, folder: str) -> list[StudyError]:
    """Return all that is wrong with the structure files; ``folder`` is the name that errors give theirs."""
    gather = Gather()
    for line, field in enumerate(project.dictionary.fields.values(), start=2):
        gather.found += [StudyError(problem, f"{folder}/dictionary.csv", line, field.name) for problem in _slips(field)]
    for line, name, problem in _scattered(project):
        gather.found.append(StudyError(problem, f"{folder}/dictionary.csv", line, name))
    for file, problem in _wrong_places(project):
        gather.found.append(StudyError(problem, f"{folder}/{file}.csv"))
    return gather.found


def _slips(field: Field) -> Iterator[str]:
    """Yield a sentence for each thing that REDCap would not have accepted of a field."""
    if not FIELD_NAME.fullmatch(field.name):
        yield f"'{field.name}' is not the name of a field: small letters, digits and _, a letter first"
    if field.type not in FIELD_TYPES:
        near = nearest(field.type, FIELD_TYPES) or f"; known are {', '.join(FIELD_TYPES)}"
        yield f"there is no field type '{field.type}'{near}"
    if field.type in WITH_CHOICES:
        yield from _wrong_choices(field)
    if field.validation.startswith("date") and field.validation not in DATE_TYPES:
        yield f"there is no validation type '{field.validation}'{nearest(field.validation, DATE_TYPES)}"
    for name in ("identifier", "required_field"):
        flag = getattr(field, name).strip()
        if flag.lower() not in ("", "y"):
            yield f"{name} is y or blank, not {flag!r}"
    for name in ("text_validation_min", "text_validation_max"):
        limit = getattr(field, name).strip()
        if limit and field.is_numeric and "[" not in limit and not NUMBER.fullmatch(limit):
            yield f"{name} '{limit}' is not a number"


def _scattered(project: Project) -> Iterator[tuple[int, str, str]]:
    """Yield line, field and sentence for each field that stands apart from its form's: REDCap keeps a form together."""
    before, seen = "", set[str]()
    for line, field in enumerate(project.dictionary.fields.values(), start=2):
        if field.form != before and field.form in seen:
            yield line, field.name, f"the fields of form '{field.form}' are not together: others are between them"
        before = field.form
        seen.add(field.form)


def _wrong_choices(field: Field) -> Iterator[str]:
    codes = [code for code, _ in written_choices(field.select_choices_or_calculations)]
    if not codes:
        yield f"the {field.type} has no choices: write them as 1, Yes | 2, No"
    for code in dict.fromkeys(codes):
        if not code:
            yield "a choice has no code: write each as CODE, LABEL"
        elif codes.count(code) > 1:
            yield f"the code '{code}' is that of two choices"


def _wrong_numbers(project: Project) -> Iterator[tuple[str, str]]:
    """Yield file and sentence for what REDCap numbers itself without a number, and switches but 0 and 1."""
    numbered = {"dags": project.dags, "arms": project.arms, "events": project.events}
    for file, rows in {**numbered, "form_event_mapping": project.form_events}.items():
        for row in rows:
            for column in NUMBERED:
                written = str(row.get(column) or "")
                if written and not WHOLE.fullmatch(written):
                    yield file, f"{column} '{written}' is not a whole number"
    arms = [str(row.get("arm_num") or "") for row in project.arms]
    for arm in dict.fromkeys(str(row.get("arm_num") or "") for row in project.events if arms):
        if arm not in arms:
            yield "events", f"the project has no arm '{arm}'{nearest(arm, arms)}"
    for name in SWITCHES:
        written = str(project.info.get(name) or "")
        if written not in ("", "0", "1"):
            yield "project_info", f"{name} is 1 or 0, not '{written}'"


def _rows_twice(project: Project) -> Iterator[tuple[str, str]]:
    """Yield file and sentence for what is named in two rows of a file, be it the file's own header."""
    keys = {
        "instruments": (project.instruments, ("instrument_name",)),
        "arms": (project.arms, ("arm_num",)),
        "dags": (project.dags, ("unique_group_name",)),
        "form_event_mapping": (project.form_events, ("unique_event_name", "form")),
        "repeating": (project.repeating, ("event_name", "form_name")),
    }
    for file, (rows, columns) in keys.items():
        named = [tuple(str(row.get(column) or "") for column in columns) for row in rows]
        for name in dict.fromkeys(named):
            if named.count(name) > 1:
                yield file, f"'{', '.join(filter(None, name))}' is in two rows"
            if name == columns:
                yield file, f"a row repeats the header: {', '.join(columns)}"


def _without_rows(project: Project) -> Iterator[tuple[str, str]]:
    """Yield file and sentence for what the dictionary or project_info says is there and no row of a file names."""
    listed = [str(row["instrument_name"]) for row in project.instruments]
    for form in project.dictionary.forms:
        if form not in listed:
            yield "instruments", f"the form '{form}' of the dictionary is not listed{nearest(form, listed)}"
    if is_set(project.info.get("has_repeating_instruments_or_events", 0)) and not project.repeating:
        yield "repeating", "project_info says that forms or events repeat, and no row says which"
    if project.longitudinal and not project.events:
        yield "events", "project_info says that the project has events, and no row names one"
    if project.longitudinal and project.events and not project.form_events:
        yield "form_event_mapping", "no row says which form is filled in which event"


def _wrong_places(project: Project) -> Iterator[tuple[str, str]]:
    """Yield file and sentence for events and forms that are named in one file and that the project does not have."""
    forms, events = project.dictionary.forms, project.event_names
    yield from _rows_twice(project)
    yield from _wrong_numbers(project)
    named = [("instruments", str(row["instrument_name"])) for row in project.instruments]
    named += [("form_event_mapping", str(row["form"])) for row in project.form_events]
    named += [("repeating", str(row.get("form_name") or "")) for row in project.repeating]
    for file, form in dict.fromkeys(named):
        if form and form not in forms:
            yield file, f"the dictionary has no form '{form}'{nearest(form, forms)}"
    if project.longitudinal:
        placed = [("form_event_mapping", str(row["unique_event_name"])) for row in project.form_events]
        placed += [("repeating", str(row.get("event_name") or "")) for row in project.repeating]
        for file, event in dict.fromkeys(placed):
            if event not in events:
                yield file, f"the project has no event '{event}'{nearest(event, events)}"
    yield from _without_rows(project)
    for row in project.repeating:
        event, form = str(row.get("event_name") or ""), str(row.get("form_name") or "")
        known = form in forms and (event in events or not project.longitudinal)
        if known and not project.designated(event if project.longitudinal else "", form):
            yield "repeating", f"form '{form}' is not designated for event '{event}', in which it is declared to repeat"
        if not form and not project.longitudinal:
            yield "repeating", "a row names no form: in a project without events each row names the form that repeats"
