"""Drift: what changed in a REDCap project since its mapping was written, and how much that matters.

Severities: ``error`` may change what data mean and stops a build (a field, code, event or form that is gone, a code
with another label, another type, validation or calculation, a form that now repeats, another record-id field);
``warning`` is a change of wording or logic to be read by someone; ``info`` is something new that no mapping reads yet.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd

from metadata.dictionary import Field, parse_choices
from metadata.project import Project

SEVERITIES = ("error", "warning", "info")
CODED = ("dropdown", "radio", "checkbox")
WORDING = {
    "field_label": "label",
    "field_note": "note",
    "branching_logic": "branching logic",
    "text_validation_min": "lower limit",
    "text_validation_max": "upper limit",
    "required_field": "required flag",
    "identifier": "identifier flag",
    "field_annotation": "annotation",
}
MEANING = {
    "form_name": "form",
    "field_type": "type",
    "text_validation_type_or_show_slider_number": "validation",
}


class DriftFinding(NamedTuple):
    """One change: severity, the part of the project, its item, a sentence, and the code that it is about, if any."""

    severity: str
    part: str
    item: str
    finding: str
    code: str = ""


def compare(
    expected: Project, found: Project, not_exported: Collection[str] = (), warnings: Collection[str] = ()
) -> pd.DataFrame:
    """Return what changed from ``expected`` (the study's own copy) to ``found`` (a snapshot), the gravest first.

    ``not_exported`` are fields whose values the token's user may not export, ``warnings`` those of the extraction.
    Columns: severity, part, item, finding, code.
    """
    checks: tuple[Callable[[Project, Project], Iterable[DriftFinding]], ...] = (
        _kind, _fields, _events, _designations, _repetition, _missing_codes, _groups,
    )  # fmt: skip
    findings = [finding for check in checks for finding in check(expected, found)]
    findings += _withheld(found, not_exported)
    findings += [DriftFinding("warning", "extraction", "records", sentence) for sentence in warnings]
    return by_severity(pd.DataFrame(findings, columns=DriftFinding._fields, dtype="str"))


def by_severity(findings: pd.DataFrame) -> pd.DataFrame:
    """Return findings, the gravest first."""
    ranks = findings["severity"].map(SEVERITIES.index)
    return findings.loc[ranks.sort_values(kind="stable").index].reset_index(drop=True)


def stops_build(findings: pd.DataFrame) -> bool:
    """Return True if any finding is at error level."""
    return bool((findings["severity"] == "error").any())


def _plain(text: object) -> str:
    """Return a text with its white space made even: downloads flatten line breaks."""
    return " ".join(str(text or "").split())


def _kind(expected: Project, found: Project) -> Iterator[DriftFinding]:
    before, after = expected.dictionary.record_id, found.dictionary.record_id
    if before != after:
        yield DriftFinding("error", "project", after, f"the record-id field was '{before}' and is now '{after}'")
    if expected.longitudinal != found.longitudinal:
        kinds = {True: "longitudinal", False: "classic"}
        change = f"the project was {kinds[expected.longitudinal]} and is now {kinds[found.longitudinal]}"
        yield DriftFinding("error", "project", "is_longitudinal", change)


def _fields(expected: Project, found: Project) -> Iterator[DriftFinding]:
    before, after = expected.dictionary.fields, found.dictionary.fields
    for name, field in before.items():
        if name not in after:
            yield DriftFinding("error", "field", name, f"field '{name}' of form '{field.form}' is gone")
        else:
            yield from _field(field, after[name])
    for name, field in after.items():
        if name not in before:
            yield DriftFinding("info", "field", name, f"field '{name}' is new on form '{field.form}'")


def _field(before: Field, after: Field) -> Iterator[DriftFinding]:
    for severity, columns in (("error", MEANING), ("warning", WORDING)):
        for column, word in columns.items():
            old, new = _plain(getattr(before, column)), _plain(getattr(after, column))
            if old != new:
                yield DriftFinding(
                    severity, "field", before.name, _changed(f"the {word} of field '{before.name}'", old, new)
                )
    if before.type in CODED and after.type in CODED:
        yield from _codes("field", before.name, f"field '{before.name}'", before.choices, after.choices)
    elif before.type == after.type == "calc" and _plain(before.calculation) != _plain(after.calculation):
        change = _changed(f"the calculation of field '{before.name}'", before.calculation, after.calculation)
        yield DriftFinding("error", "field", before.name, change)


def _changed(what: str, old: str, new: str) -> str:
    return f"{what} was {_shown(old)} and is now {_shown(new)}"


def _shown(text: str) -> str:
    plain = _plain(text)
    return f"'{plain}'" if plain else "blank"


def _codes(
    part: str, item: str, owner: str, before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[DriftFinding]:
    for code, label in before.items():
        if code not in after:
            yield DriftFinding("error", part, item, f"code '{code}' ({label}) of {owner} is gone", code)
        elif _plain(after[code]) != _plain(label):
            change = f"code '{code}' of {owner} meant {_shown(label)} and now means {_shown(after[code])}"
            yield DriftFinding("error", part, item, change, code)
    for code, label in after.items():
        if code not in before:
            yield DriftFinding("info", part, item, f"code '{code}' ({label}) of {owner} is new", code)


def _named(rows: Iterable[Mapping[str, Any]], key: str, label: str) -> dict[str, str]:
    return {str(row[key]): _plain(row.get(label)) for row in rows}


def _list_changes(part: str, word: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[DriftFinding]:
    """Findings on named things with labels: gone (error), new (info), labelled otherwise (warning)."""
    for name, label in before.items():
        if name not in after:
            yield DriftFinding("error", part, name, f"{word} '{name}' is gone, or has another name")
        elif after[name] != label:
            yield DriftFinding("warning", part, name, _changed(f"the label of {word} '{name}'", label, after[name]))
    for name in after:
        if name not in before:
            yield DriftFinding("info", part, name, f"{word} '{name}' is new")


def _events(expected: Project, found: Project) -> Iterator[DriftFinding]:
    keys = ("unique_event_name", "event_name")
    yield from _list_changes("event", "event", _named(expected.events, *keys), _named(found.events, *keys))
    keys = ("instrument_name", "instrument_label")
    yield from _list_changes("form", "form", _named(expected.instruments, *keys), _named(found.instruments, *keys))
    keys = ("arm_num", "name")
    yield from _list_changes("arm", "arm", _named(expected.arms, *keys), _named(found.arms, *keys))


def _designations(expected: Project, found: Project) -> Iterator[DriftFinding]:
    """A form taken out of an event takes its values out of the export."""
    before, after = _pairs(expected), _pairs(found)
    for event, form in sorted(before - after):
        if event in found.event_names and form in found.dictionary.forms:
            yield DriftFinding(
                "error", "designation", form, f"form '{form}' is no longer designated for event '{event}'"
            )
    for event, form in sorted(after - before):
        if event in expected.event_names and form in expected.dictionary.forms:
            yield DriftFinding("info", "designation", form, f"form '{form}' is now designated for event '{event}'")


def _pairs(project: Project) -> set[tuple[str, str]]:
    if not project.longitudinal:
        return set()
    return {(event, form) for event in project.event_names for form in project.forms_of(event)}


def _repetition(expected: Project, found: Project) -> Iterator[DriftFinding]:
    before, after = _repeating(expected), _repeating(found)
    for event, form in sorted(before ^ after):
        thing = f"form '{form}'" if form else "the whole event"
        where = f"{thing} in event '{event}'" if event and form else f"event '{event}'" if event else thing
        verb = "now repeats" if (event, form) in after else "no longer repeats"
        yield DriftFinding("error", "repetition", form or event, f"{where} {verb}")


def _repeating(project: Project) -> set[tuple[str, str]]:
    return {(str(row.get("event_name") or ""), str(row.get("form_name") or "")) for row in project.repeating}


def _missing_codes(expected: Project, found: Project) -> Iterator[DriftFinding]:
    before, after = (parse_choices(str(side.info.get("missing_data_codes") or "")) for side in (expected, found))
    yield from _codes("missing-data code", "missing_data_codes", "the missing-data codes", before, after)


def _groups(expected: Project, found: Project) -> Iterator[DriftFinding]:
    keys = ("unique_group_name", "data_access_group_name")
    if found.dags:  # a user without that right is shown no groups at all
        before, after = _named(expected.dags, *keys), _named(found.dags, *keys)
        yield from _list_changes("group", "data access group", before, after)


def _withheld(found: Project, names: Collection[str]) -> Iterator[DriftFinding]:
    for name in sorted(names):
        field = found.dictionary.fields[name]
        usual = field.is_identifier or field.type == "file"
        problem = f"field '{name}' may not be exported by the token's user: its values are missing here, not in REDCap"
        yield DriftFinding("info" if usual else "error", "rights", name, problem)
