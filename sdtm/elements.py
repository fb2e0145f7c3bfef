"""Elements: each subject's actual way through the elements that study.yaml plans (SE), and EPOCH from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from metadata.study import Study
from metadata.terminology import Terminology
from metadata.yaml_source import LocatedDict, complain
from sdtm.operations import Target, check_term
from sdtm.table import NO_DAY, Edge, Table

END = "RFPENDTC"


def element_nodes(study: Study) -> list[LocatedDict]:
    """Elements in their planned order: etcd, element, epoch, start (a variable of DM), after (days, 0 if absent).

    An element with an ``arm`` is one of that arm only (ARMCD).
    """
    return list(study.config.get("elements") or [])


def check_elements(study: Study, terminology: Terminology, codelists: tuple[str, ...]) -> None:
    """Raise StudyError unless each element has its keys and an epoch of the terminology."""
    for node in element_nodes(study):
        for key in ("etcd", "element", "epoch", "start"):
            if key not in node:
                raise complain(node, None, f"an element needs the key '{key}'")
        check_term(node, "epoch", str(node["epoch"]), Target("SE", "EPOCH", codelists=codelists), terminology)


def elements_table(study: Study, subjects: Table) -> Table:
    """Return SE: an element starts at its variable of DM and ends where the next begins, the last with participation.

    An element that would start after the end of participation did not take place; one of an arm is for those who were
    treated in it (ACTARMCD).
    """
    nodes = element_nodes(study)
    last = subjects.days(END)[0]
    rows, order, start_text, source = [], [], [], []
    for number, node in enumerate(nodes):
        day, text = _starts(subjects, node)
        here = ~np.isnat(day) & ~((day > last) & ~np.isnat(last)) & subjects.kept()
        if "arm" in node:
            here &= np.asarray(subjects.text("ACTARMCD").isin([str(node["arm"])]), bool)
        at = np.flatnonzero(here)
        rows.append(at)
        order.append(np.full(len(at), number))
        start_text.append(text[at])
        source.append(np.full(len(at), str(node["start"]), dtype=object))
    return _assemble(nodes, subjects, _join(rows, int), _join(order, int), _join(start_text), _join(source))


def planned_orders(nodes: list[LocatedDict]) -> list[int]:
    """Return the place of each element in its arm: those of all arms count, and those of the same arm."""
    made = []
    for number, node in enumerate(nodes):
        before = [other.get("arm") for other in nodes[:number]]
        paths = {arm for arm in before if arm} if "arm" not in node else {node["arm"]}
        longest = max((before.count(arm) for arm in paths), default=0)
        made.append(before.count(None) + longest + 1)
    return made


def _join(parts: list[np.ndarray], kind: type = object) -> np.ndarray:
    return np.concatenate(parts) if parts else np.empty(0, kind)


def _starts(subjects: Table, node: LocatedDict) -> tuple[np.ndarray, np.ndarray]:
    """Return day and text of an element's start for each subject."""
    day = subjects.days(str(node["start"]))[0]
    after = int(node.get("after", 0))
    if not after:
        return day, np.asarray(subjects.text(str(node["start"])), dtype=object)
    moved = (day + np.timedelta64(after, "D")).astype("datetime64[D]")
    return moved, np.where(np.isnat(moved), "", np.datetime_as_string(moved, unit="D")).astype(object)


def _assemble(
    nodes: list[LocatedDict],
    subjects: Table,
    rows: np.ndarray,
    order: np.ndarray,
    start: np.ndarray,
    source: np.ndarray,
) -> Table:
    placed = np.lexsort((order, rows))
    rows, order, start, source = rows[placed], order[placed], start[placed], source[placed]
    table = Table("SE", len(rows))
    table.put("USUBJID", subjects.subject.take(rows))
    table.hidden["record"] = subjects.hidden["record"].take(rows)
    for variable, key in (("ETCD", "etcd"), ("ELEMENT", "element"), ("EPOCH", "epoch")):
        table.put(variable, np.array([str(node[key]) for node in nodes], dtype=object)[order])
    table.put("TAETORD", np.array(planned_orders(nodes), float)[order])
    table.put("SESTDTC", start)
    followed = np.append(rows[:-1] == rows[1:], False) if len(rows) else np.empty(0, bool)
    ends = np.asarray(subjects.text(END), dtype=object)[rows]
    table.put("SEENDTC", np.where(followed, np.append(start[1:], "") if len(start) else start, ends))
    table.hidden["followed"] = followed
    every = np.arange(len(rows))
    for name in sorted(set(source)):
        at = source == name
        table.edges.append(Edge("SESTDTC", "DM", name, every[at], rows[at]))
    table.edges.append(Edge("SEENDTC", "DM", END, every[~followed], rows[~followed]))
    return table


@dataclass(frozen=True)
class Stretch:
    """One element of every subject: first day, last day and epoch, by subject code of the SE table."""

    start: np.ndarray
    end: np.ndarray
    epoch: str


def stretches(elements: Table) -> list[Stretch]:
    """Return the elements by planned order; the day on which the next one starts belongs to the next one."""
    first, end = elements.days("SESTDTC")[0], elements.days("SEENDTC")[1]
    followed = np.asarray(elements.hidden["followed"], bool)
    end = np.where(followed, end - np.timedelta64(1, "D"), end)
    order, epoch = elements.number("TAETORD"), np.asarray(elements.text("EPOCH"), dtype=object)
    made = []
    for number in np.unique(order):
        rows = np.flatnonzero(order == number)
        starts = np.full(len(elements.subject.categories) + 1, NO_DAY)
        ends = starts.copy()
        codes = elements.subject.codes[rows]
        starts[codes], ends[codes] = first[rows], np.where(np.isnat(end[rows]), np.datetime64("9999-12-31"), end[rows])
        made.append(Stretch(starts, ends, str(epoch[rows[0]])))
    return made


def epoch_of(table: Table, date: str, elements: Table) -> pd.Categorical:
    """Return the epoch of each row: only where the whole of a partial date's interval lies in one element."""
    first, last = table.days(date)
    subject = table.match_subjects(elements)
    found = stretches(elements)
    names = sorted({stretch.epoch for stretch in found} | {""})
    codes = np.full(table.count, names.index(""), np.int16)
    for stretch in found:
        start, end = stretch.start[subject], stretch.end[subject]
        inside = (subject >= 0) & (first >= start) & (last <= end)
        codes[inside] = names.index(stretch.epoch)
    return pd.Categorical.from_codes(codes, pd.Index(names, dtype="str"))
