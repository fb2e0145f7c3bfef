"""Subjects and records by class and term, counted all at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reports.results.selection import SUBJECT, Selection

ALL, NOT_CODED = "", "Not coded"
Codes = NDArray[np.int64]


class TallyLine(NamedTuple):
    """What is counted: everything, a class, or a term (of a class)."""

    group: str = ALL
    term: str = ALL


@dataclass(frozen=True)
class Tally:
    """Records and distinct subjects of each line, and its subjects by the worst grade that they had in it."""

    events: dict[TallyLine, int] = field(default_factory=dict)
    subjects: dict[TallyLine, int] = field(default_factory=dict)
    worst: dict[tuple[TallyLine, str], list[str]] = field(default_factory=dict)

    def ordered(self, order: str, declared: Sequence[str] = ()) -> list[TallyLine]:
        """Everything, then classes and their terms by falling number of subjects, by ``name`` or as ``declared``."""
        classes = [line for line in self.events if line.group and not line.term]
        terms = [line for line in self.events if line.term]

        def rank(line: TallyLine) -> tuple[bool, int, int, str]:
            name = line.term or line.group
            place = declared.index(name) if order == "declared" and name in declared else len(declared)
            return name == NOT_CODED, place, 0 if order == "name" else -self.subjects[line], name

        lines = [TallyLine()]
        for parent in sorted(classes, key=rank) or [TallyLine()]:
            lines += [parent] if parent.group else []
            lines += sorted((line for line in terms if line.group == parent.group), key=rank)
        return lines


def tally(rows: Selection, group: str, term: str, grade: str = "") -> Tally:
    """Count ``rows`` by the variables named; ``group`` and ``grade`` may be empty. What has no term is Not coded.

    Grades are compared as text, which single digits allow; a subject without any has the grade "".
    """
    found, names = Tally({TallyLine(): 0}, {TallyLine(): 0}), [TallyLine()]
    subject, subjects = _coded(rows, SUBJECT)
    worst, grades = _ranked(rows, grade)
    key = np.zeros(rows.size, dtype=np.int64)
    for part, variable in (("", ""), ("group", group), ("term", term)):
        if part and not variable:
            continue
        if variable:
            codes, texts = _coded(rows, variable)
            key = key * len(texts) + codes
            names = [line._replace(**{part: text or NOT_CODED}) for line in names for text in texts]
        _count(found, key, names, subject, len(subjects))
        if grade:
            _grades(found, key, names, (subject, subjects), (worst, grades))
    return found


def _coded(rows: Selection, variable: str) -> tuple[Codes, Sequence[str]]:
    """A code of each row and the text of each code."""
    coded = rows.base.coded(variable)
    return (coded.codes if rows.positions is None else coded.codes[rows.positions]).astype(np.int64), coded.texts


def _ranked(rows: Selection, grade: str) -> tuple[Codes, Sequence[str]]:
    """As ``_coded``, codes in the order of their texts."""
    if not grade:
        return np.array([], dtype=np.int64), []
    codes, texts = _coded(rows, grade)
    order = sorted(range(len(texts)), key=lambda place: texts[place])
    ranks = np.empty(len(texts), dtype=np.int64)
    ranks[order] = np.arange(len(texts))
    return ranks[codes], [texts[place] for place in order]


def _count(found: Tally, key: Codes, names: list[TallyLine], subject: Codes, several: int) -> None:
    """Records and distinct subjects of each line that has some."""
    lines, events = np.unique(key, return_counts=True)
    _, subjects = np.unique(np.unique(key * several + subject) // max(1, several), return_counts=True)
    for line, records, people in zip(lines.tolist(), events.tolist(), subjects.tolist(), strict=True):
        found.events[names[line]], found.subjects[names[line]] = records, people


def _grades(
    found: Tally, key: Codes, names: list[TallyLine], people: tuple[Codes, Sequence[str]],
    graded: tuple[Codes, Sequence[str]],
) -> None:  # fmt: skip
    """Each subject once a line, at the worst grade."""
    (subject, subjects), (rank, grades) = people, graded
    pairs, places = np.unique(key * len(subjects) + subject, return_inverse=True)
    worst = np.zeros(len(pairs), dtype=np.int64)
    np.maximum.at(worst, places, rank)
    for pair, at in zip(pairs.tolist(), worst.tolist(), strict=True):
        line, who = divmod(pair, len(subjects))
        found.worst.setdefault((names[line], grades[at]), []).append(subjects[who])
