"""Subjects and records by class and term, counted all at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pandas as pd

from reports.selection import SUBJECT, Selection

ALL, NOT_CODED = "", "Not coded"


class Line(NamedTuple):
    """What is counted: everything, a class, or a term (of a class)."""

    group: str = ALL
    term: str = ALL


@dataclass(frozen=True)
class Tally:
    """Records and distinct subjects of each line, and its subjects by the worst grade that they had in it."""

    events: dict[Line, int] = field(default_factory=dict)
    subjects: dict[Line, int] = field(default_factory=dict)
    worst: dict[tuple[Line, str], list[str]] = field(default_factory=dict)

    def ordered(self, order: str, declared: Sequence[str] = ()) -> list[Line]:
        """Everything, then classes and their terms by falling number of subjects, by ``name`` or as ``declared``."""
        classes = [line for line in self.events if line.group and not line.term]
        terms = [line for line in self.events if line.term]

        def rank(line: Line) -> tuple[bool, int, int, str]:
            name = line.term or line.group
            place = declared.index(name) if order == "declared" and name in declared else len(declared)
            return name == NOT_CODED, place, 0 if order == "name" else -self.subjects[line], name

        lines = [Line()]
        for parent in sorted(classes, key=rank) or [Line()]:
            lines += [parent] if parent.group else []
            lines += sorted((line for line in terms if line.group == parent.group), key=rank)
        return lines


def tally(rows: Selection, group: str, term: str, grade: str = "") -> Tally:
    """Count ``rows`` by the variables named; ``group`` and ``grade`` may be empty. What has no term is Not coded.

    Grades are compared as text, which single digits allow; a subject without any has the grade "".
    """
    names = [name for name in (group, term) if name]
    table = rows.table(*dict.fromkeys([SUBJECT, *names, *([grade] if grade else [])]))
    table[names] = table[names].where(table[names] != "", NOT_CODED)
    found = Tally({Line(): len(table)}, {Line(): int(table[SUBJECT].nunique())})
    _grades(found, table, [], grade, group)
    for depth in range(1, len(names) + 1):
        subjects = table.groupby(names[:depth], sort=False)[SUBJECT]
        for line, count in _items(subjects.size(), group):
            found.events[line] = count
        for line, count in _items(subjects.nunique(), group):
            found.subjects[line] = count
        _grades(found, table, names[:depth], grade, group)
    return found


def _items(counts: pd.Series, group: str) -> Iterator[tuple[Line, int]]:
    for key, count in counts.items():
        yield _line(key if isinstance(key, tuple) else (key,), group), int(count)


def _line(key: tuple[object, ...], group: str) -> Line:
    texts = [str(part) for part in key]
    return Line(*texts) if group else Line(ALL, *texts)


def _grades(found: Tally, table: pd.DataFrame, names: list[str], grade: str, group: str) -> None:
    """Each subject once a line, at the worst grade."""
    if not grade or table.empty:
        return
    worst = table.groupby([*names, SUBJECT])[grade].max()
    for key, value in worst.items():
        parts = key if isinstance(key, tuple) else (key,)
        found.worst.setdefault((_line(parts[:-1], group), str(value)), []).append(str(parts[-1]))
