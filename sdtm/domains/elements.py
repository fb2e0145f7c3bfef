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
from metadata.terminology import Terminology
from metadata.yaml_source import LocatedDict, complain
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
    conditions_of,
    extreme,
    needed,
    sources_of,
    variable_of,
)
from sdtm.operations.variable_condition import rows_where

END, UNLESS = "RFPENDTC", "unless"


def element_nodes(study: Study) -> list[LocatedDict]:
    """Elements in their planned order: etcd, element, epoch, start, after (days, 0 if absent).

    ``start`` is a variable of DM, or an operation: ``{earliest: EX.EXSTDTC, where: {VISIT: PERIOD 2}}``. An element
    with an ``arm`` is one of that arm only (ARMCD).
    """
    return list(study.config.get("elements") or [])


def check_elements(study: Study, terminology: Terminology, codelists: tuple[str, ...]) -> None:
    """Raise StudyError unless each element has its keys, a start and an epoch of the terminology."""
    for node in element_nodes(study):
        for key in ("etcd", "element", "epoch", "start"):
            if key not in node:
                raise complain(node, None, f"an element needs the key '{key}'")
        check_term(node, "epoch", str(node["epoch"]), Target("SE", "EPOCH", codelists=codelists), terminology)
        start_variables(study, node)


def start_variables(study: Study, node: LocatedDict) -> list[str]:
    """Return the variables, as DOMAIN.VARIABLE, from which an element's start is taken; raises StudyError."""
    start, unless = node["start"], node.get(UNLESS)
    also = needed(*sources_of(unless, "has", study)) if unless else []
    if not isinstance(start, LocatedDict):
        return [".".join(variable_of(node, "start", f"DM.{start}", study)), *also]
    named = [key for key in (Earliest.key, Latest.key) if key in start]
    if len(named) != 1 or set(start) - {"where", *named}:
        raise complain(
            node, "start", "an element starts at a variable of DM, or at earliest or latest: DOMAIN.VARIABLE"
        )
    return [*needed(*sources_of(start, named[0], study)), *also]


def element_conditions(study: Study) -> list[tuple[str, Condition]]:
    """Return the conditions of all elements, each with the domain on whose records it is set."""
    made = []
    for node in element_nodes(study):
        start, unless = node["start"], node.get(UNLESS)
        if isinstance(start, LocatedDict):
            made += conditions_of(*sources_of(start, _extreme_key(start), study))
        made += conditions_of(*sources_of(unless, "has", study)) if unless else []
    return made


def _extreme_key(start: LocatedDict) -> str:
    return Earliest.key if Earliest.key in start else Latest.key


def elements_table(study: Study, tables: DomainTables) -> DomainTable:
    """Return SE: an element starts where study.yaml says and ends where the next begins, the last with participation.

    An element that would start after the end of participation did not take place, nor one of a subject who has records
    of its ``unless``; one of an arm is for those who were treated in it (ACTARMCD).
    """
    nodes, subjects = element_nodes(study), tables["DM"]
    last = subjects.days(END)[0]
    rows, order, used = [np.empty(0, int)], [np.empty(0, int)], []
    starts: list[CodedText] = []
    for number, node in enumerate(nodes):
        day, text, came = _starts(study, tables, node)
        here = ~np.isnat(day) & ~((day > last) & ~np.isnat(last)) & subjects.kept()
        if "arm" in node:
            here &= subjects.text("ACTARMCD").isin([str(node["arm"])])
        if UNLESS in node:
            here &= ~_excluded(study, tables, node[UNLESS])
        at = np.flatnonzero(here)
        rows.append(at)
        order.append(np.full(len(at), number))
        starts.append(text.take(at))
        used.append(came)
    return _assemble(nodes, subjects, np.concatenate(rows), np.concatenate(order), CodedText.stack(starts), used)


def planned_orders(nodes: list[LocatedDict]) -> list[int]:
    """Return the place of each element in its arm: those of all arms count, and those of the same arm."""
    made = []
    for number, node in enumerate(nodes):
        before = [other.get("arm") for other in nodes[:number]]
        paths = {arm for arm in before if arm} if "arm" not in node else {node["arm"]}
        longest = max((before.count(arm) for arm in paths), default=0)
        made.append(before.count(None) + longest + 1)
    return made


def _excluded(study: Study, tables: DomainTables, unless: LocatedDict) -> np.ndarray:
    """Return True for subjects who have a record that an element's ``unless`` names."""
    sources, where = sources_of(unless, "has", study)
    found = extreme(tables, "DM", sources, partial(rows_where, where, study=study), Earliest.sign)
    return found.data.present()


def _starts(
    study: Study, tables: DomainTables, node: LocatedDict
) -> tuple[np.ndarray, CodedText, tuple[UsedRows, ...]]:
    """Return day and text of an element's start for each subject, and the rows that it came from."""
    subjects, start = tables["DM"], node["start"]
    if isinstance(start, LocatedDict):
        key = _extreme_key(start)
        sources, where = sources_of(start, key, study)
        sign = Earliest.sign if key == Earliest.key else Latest.sign
        made = extreme(tables, "DM", sources, partial(rows_where, where, study=study), sign)
        text, used = made.data, made.used
        day = text.spread(iso8601.word_bounds(text.texts)[0])
    else:
        every = np.arange(subjects.count)
        text, used = subjects.text(str(start)), (UsedRows("DM", str(start), every, every),)
        day = subjects.days(str(start))[0]
    after = int(node.get("after", 0))
    if not after:
        return day, text, used
    moved = (day + np.timedelta64(after, "D")).astype("datetime64[D]")
    return moved, iso8601.text_of_days(moved), used


def _assemble(
    nodes: list[LocatedDict],
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
        table.put(variable, CodedText.of_codes(order, [str(node[key]) for node in nodes]))
    table.put("TAETORD", np.array(planned_orders(nodes), float)[order])
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
