"""Texts of the annotations on the forms, by the convention of the CDISC Metadata Submission Guidelines for SDTM 2.0.

A variable is named with the test or qualifier that it is about: ``LBORRES / LBORRESU when LBTESTCD = HGB``,
``RACEOTH in SUPPDM``. Names that do not begin with the domain's code have it in front, except those of DM.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from metadata.field_use import FieldUse, FormUses, Where

NOT_SUBMITTED = "[NOT SUBMITTED]"
SUPPLEMENTAL = "SUPP"
TOPICS = ("TESTCD", "QNAM")
MOST_CONDITIONS = 12
Key = tuple[str, str, str]
"""Dataset, variable, and the value of --TESTCD or QNAM (blank for the whole variable)."""
CrfPages = Mapping[Key, Sequence[int]]
"""On which pages of the annotated CRF, counted from 1, each is named."""


@dataclass(frozen=True)
class Annotation:
    """One annotation of a field, or of the given options of a checkbox; ``keys`` are what it says the field becomes.

    ``domain`` is blank for a field that is not submitted. A note says when there is a value, and has a dashed frame.
    """

    text: str
    domain: str
    options: tuple[str, ...] = ()
    keys: tuple[Key, ...] = ()
    is_note: bool = False


def annotate(uses: FormUses) -> dict[str, tuple[Annotation, ...]]:
    """Return the annotations of each field that has a use or is declared not submitted.

    What only decides whether there is a value, and the many dates of which one is chosen, are annotated where the field
    has no other use.
    """
    by_field: dict[str, list[FieldUse]] = {}
    for use in uses.uses:
        by_field.setdefault(use.field, []).append(use)
    made = {field: tuple(_each_once(_of_field(found))) for field, found in by_field.items()}
    declared = {field: (Annotation(NOT_SUBMITTED, ""),) for field in uses.not_submitted if field not in made}
    return made | declared


def _each_once(found: Iterable[Annotation]) -> Iterable[Annotation]:
    """Return annotations of the same text as one, of all their options."""
    made: dict[tuple[str, str], Annotation] = {}
    for one in found:
        before = made.setdefault((one.domain, one.text), one)
        made[one.domain, one.text] = replace(before, options=tuple(dict.fromkeys([*before.options, *one.options])))
    return made.values()


def _of_field(uses: Sequence[FieldUse]) -> Iterable[Annotation]:
    values = [use for use in uses if use.role == "value"]
    links = [use for use in uses if use.role == "link"]
    yield from _of_values(values)
    for use in links:
        yield Annotation(f"{use.dataset} ({use.note})", use.domain, keys=((use.dataset, use.variable, ""),))
    if values or links:
        return
    yield from _of_values([use for use in uses if use.role == "date"])
    notes = dict.fromkeys((_note(use), use.domain) for use in uses if use.role == "condition")
    for text, domain in notes:
        yield Annotation(text, domain, is_note=True)


def _note(use: FieldUse) -> str:
    if use.variable:
        return f"{_named(use.domain, use.variable)}: {use.note.rstrip('.')}"
    return f"{use.domain}: a record only where {use.note}"


def _of_values(uses: Sequence[FieldUse]) -> Iterable[Annotation]:
    """Yield one annotation for the variables of one condition, and for the conditions of the same variables."""
    variables: dict[tuple[str, str, Where, tuple[str, ...]], list[str]] = {}
    for use in uses:
        variables.setdefault((use.domain, use.dataset, use.where, use.options), []).append(use.variable)
    conditions: dict[tuple[str, str, tuple[str, ...], tuple[str, ...]], list[Where]] = {}
    for (domain, dataset, where, options), names in variables.items():
        conditions.setdefault((domain, dataset, tuple(names), options), []).append(where)
    for (domain, dataset, same, options), wheres in conditions.items():
        for start in range(0, len(wheres), MOST_CONDITIONS):
            part = wheres[start : start + MOST_CONDITIONS]
            yield Annotation(_text(domain, dataset, same, part), domain, options, tuple(_keys(dataset, same, part)))


def _text(domain: str, dataset: str, names: Sequence[str], wheres: Sequence[Where]) -> str:
    if dataset.startswith(SUPPLEMENTAL):
        return f"{', '.join(where[0][1] for where in wheres)} in {dataset}"
    said = " / ".join(_named(domain, name) for name in names)
    conditions = [where for where in wheres if where]
    if not conditions:
        return said
    if len({tuple(name for name, _ in where) for where in conditions}) == 1 and len(conditions[0]) == 1:
        return f"{said} when {conditions[0][0][0]} = {', '.join(where[0][1] for where in conditions)}"
    each = (" and ".join(f"{name} = {value}" for name, value in where) for where in conditions)
    return f"{said} when {' or '.join(each)}"


def _named(domain: str, variable: str) -> str:
    return variable if domain == "DM" or variable.startswith(domain) else f"{domain}.{variable}"


def _keys(dataset: str, names: Sequence[str], wheres: Sequence[Where]) -> Iterable[Key]:
    topics = [where[0][1] for where in wheres if where and where[0][0].endswith(TOPICS)]
    return [(dataset, name, topic) for name in names for topic in dict.fromkeys(["", *topics])]
