"""Elements: each subject's actual way through the elements that study.yaml plans (SE), and EPOCH from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from metadata import iso8601
from metadata.coded_text import CodedText
from metadata.condition import Condition
from metadata.dataset import Edges
from metadata.study import Study
from metadata.study_declaration import Element, ElementStart, UnlessRecords
from metadata.terminology import Terminology
from sdtm.columns.table import (
    NO_DAY,
    DomainTable,
    DomainTables,
    UsedRows,
)
from sdtm.operations.operation import Target, check_term
from sdtm.operations.subjects import (
    Earliest,
    Latest,
    Sources,
    conditions_of,
    extreme,
    needed,
    sources_of,
    variable_of,
)
from sdtm.operations.variable_condition import rows_where

END = "RFPENDTC"


def planned_elements(study: Study) -> list[Element]:
    """Return the elements of study.yaml in their planned order."""
    return study.declared.elements or []


def check_elements(study: Study, terminology: Terminology, codelists: tuple[str, ...]) -> None:
    """Raise StudyError unless each element starts at variables of the guide, in an epoch of the terminology."""
    for one in planned_elements(study):
        check_term(one.node, "epoch", one.epoch, Target("SE", "EPOCH", codelists=codelists), terminology)
        start_variables(study, one)


def start_variables(study: Study, element: Element) -> list[str]:
    """Return the variables, as DOMAIN.VARIABLE, from which an element's start is taken; raises StudyError."""
    start, unless = element.start, element.unless
    also = needed(*_records_of(unless, study)) if unless else []
    if isinstance(start, str):
        return [".".join(variable_of(element.node, "start", f"DM.{start}", study)), *also]
    return [*needed(*_sources_of_start(start, study)), *also]


def _sources_of_start(start: ElementStart, study: Study) -> tuple[Sources, Condition]:
    key = Earliest.key if start.earliest else Latest.key
    return sources_of(start.node, key, start.earliest or start.latest, start.where, study)


def _records_of(unless: UnlessRecords, study: Study) -> tuple[Sources, Condition]:
    return sources_of(unless.node, "has", unless.has, unless.where, study)


def element_conditions(study: Study) -> list[tuple[str, Condition]]:
    """Return the conditions of all elements, each with the domain on whose records it is set."""
    made = []
    for one in planned_elements(study):
        if isinstance(one.start, ElementStart):
            made += conditions_of(*_sources_of_start(one.start, study))
        made += conditions_of(*_records_of(one.unless, study)) if one.unless else []
    return made


def elements_table(study: Study, tables: DomainTables) -> DomainTable:
    """Return SE: an element starts where study.yaml says and ends where the next begins, the last with participation.

    An element that would start after the end of participation did not take place, nor one of a subject who has records
    of its ``unless``; one of an arm is for those who were treated in it (ACTARMCD).
    """
    elements, subjects = planned_elements(study), tables["DM"]
    last = subjects.days(END)[0]
    rows, order, used = [np.empty(0, int)], [np.empty(0, int)], []
    starts: list[CodedText] = []
    for number, one in enumerate(elements):
        day, text, came = _starts(study, tables, one)
        here = ~np.isnat(day) & ~((day > last) & ~np.isnat(last)) & subjects.kept()
        if one.arm:
            here &= subjects.text("ACTARMCD").isin([one.arm])
        if one.unless:
            here &= ~_excluded(study, tables, one.unless)
        at = np.flatnonzero(here)
        rows.append(at)
        order.append(np.full(len(at), number))
        starts.append(text.take(at))
        used.append(came)
    return _assemble(elements, subjects, np.concatenate(rows), np.concatenate(order), CodedText.stack(starts), used)


def planned_orders(elements: list[Element]) -> list[int]:
    """Return the place of each element in its arm: those of all arms count, and those of the same arm."""
    made = []
    for number, one in enumerate(elements):
        before = [other.arm for other in elements[:number]]
        paths = {one.arm} if one.arm else {arm for arm in before if arm}
        longest = max((before.count(arm) for arm in paths), default=0)
        made.append(before.count("") + longest + 1)
    return made


def _excluded(study: Study, tables: DomainTables, unless: UnlessRecords) -> np.ndarray:
    """Return True for subjects who have a record that an element's ``unless`` names."""
    sources, where = _records_of(unless, study)
    found = extreme(tables, "DM", sources, partial(rows_where, where, study=study), Earliest.sign)
    return found.data.present()


def _starts(study: Study, tables: DomainTables, element: Element) -> tuple[np.ndarray, CodedText, tuple[UsedRows, ...]]:
    """Return day and text of an element's start for each subject, and the rows that it came from."""
    subjects, start = tables["DM"], element.start
    if isinstance(start, ElementStart):
        sources, where = _sources_of_start(start, study)
        sign = Earliest.sign if start.earliest else Latest.sign
        made = extreme(tables, "DM", sources, partial(rows_where, where, study=study), sign)
        text, used = made.data, made.used
        day = text.spread(iso8601.text_bounds(text.texts)[0])
    else:
        every = np.arange(subjects.count)
        text, used = subjects.text(start), (UsedRows("DM", start, every, every),)
        day = subjects.days(start)[0]
    if not element.after:
        return day, text, used
    moved = (day + np.timedelta64(element.after, "D")).astype("datetime64[D]")
    return moved, iso8601.text_of_days(moved), used


def _assemble(
    elements: list[Element],
    subjects: DomainTable,
    rows: np.ndarray,
    order: np.ndarray,
    start: CodedText,
    used: list[tuple[UsedRows, ...]],
) -> DomainTable:
    placed = np.lexsort((order, rows))
    rows, order, start = rows[placed], order[placed], start.take(placed)
    table = DomainTable("SE", len(rows))
    table.put("USUBJID", subjects.subject.take(rows))
    table.hidden["record"] = subjects.hidden["record"].take(rows)
    for variable, key in (("ETCD", "etcd"), ("ELEMENT", "element"), ("EPOCH", "epoch")):
        table.put(variable, CodedText.of_codes(order, [getattr(one, key) for one in elements]))
    table.put("TAETORD", np.array(planned_orders(elements), float)[order])
    table.put("SESTDTC", start)
    every = np.arange(len(rows))
    followed = np.append(rows, -1)[every + 1] == rows
    table.put("SEENDTC", start.take(np.where(followed, every + 1, -1)).where(followed, subjects.text(END).take(rows)))
    table.followed = followed
    table.edges += _start_edges(subjects.count, rows, order, used)
    table.edges.append(Edges(every[~followed], "SEENDTC", "DM", rows[~followed], END))
    return table


def _start_edges(subjects: int, rows: np.ndarray, order: np.ndarray, used: list[tuple[UsedRows, ...]]) -> list[Edges]:
    """Return where each element's start came from; ``rows`` are those of DM."""
    made = []
    for number, parts in enumerate(used):
        mine = np.flatnonzero(order == number)
        for part in parts:
            source = np.full(subjects, -1)
            source[part.rows] = part.source_rows
            found = source[rows[mine]]
            made.append(Edges(mine[found >= 0], "SESTDTC", part.domain, found[found >= 0], part.variable))
    return made


@dataclass(frozen=True)
class Stretch:
    """One element of every subject: first day, last day and epoch, by subject code of the SE table."""

    start: np.ndarray
    end: np.ndarray
    epoch: str


def stretches(elements: DomainTable) -> list[Stretch]:
    """Return the elements by planned order; the day on which the next one starts belongs to the next one."""
    first, end = elements.days("SESTDTC")[0], elements.days("SEENDTC")[1]
    end = np.where(elements.followed, end - np.timedelta64(1, "D"), end)
    epoch = elements.text("EPOCH")
    order = np.stack([elements.number("TAETORD"), epoch.ranks()])  # arms may differ in their epochs
    place = np.unique(order, axis=1, return_inverse=True)[1].reshape(-1)
    made = []
    for number in range(place.max(initial=-1) + 1):
        rows = np.flatnonzero(place == number)
        starts = np.full(len(elements.subject.texts) + 1, NO_DAY)
        ends = starts.copy()
        codes = elements.subject.codes[rows]
        starts[codes], ends[codes] = first[rows], np.where(np.isnat(end[rows]), np.datetime64("9999-12-31"), end[rows])
        made.append(Stretch(starts, ends, epoch.texts[epoch.codes[rows[0]]]))
    return made


def epoch_of(table: DomainTable, date: str, elements: DomainTable) -> CodedText:
    """Return the epoch of each row: only where the whole of a partial date's interval lies in one element."""
    first, last = table.days(date)
    subject = table.match_subjects(elements)
    found = stretches(elements)
    codes = np.full(table.count, -1)
    for place, stretch in enumerate(found):
        start, end = stretch.start[subject], stretch.end[subject]
        inside = (subject >= 0) & (first >= start) & (last <= end)
        codes[inside] = place
    return CodedText.of_codes(codes, [stretch.epoch for stretch in found])
