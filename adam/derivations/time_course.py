"""Derivations about the course of a subject's records in time: spaced, status_class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adam.columns.columns import Columns, day, flagged
from adam.columns.grouping import Order, group_codes, ordered, tied
from adam.language.derivation import (
    Derivation,
    DerivationContext,
    Outcome,
    keyed,
    listed,
)
from adam.language.kinds import DayColumn, Days, NewText, Several
from metadata.coded_text import CodedText
from metadata.condition import Condition
from metadata.dataset import Edges
from metadata.declaration import (
    Column,
    OrderColumn,
)
from metadata.errors import StudyError


@keyed("spaced")
@dataclass(frozen=True, kw_only=True)
class Spaced(Derivation):
    """Y for an event that begins at least ``days`` after the one before it began, else missing.

    Only records for which ``where`` holds count, both as the event and as the one before; the first of a group is
    always Y. A record without a date is never Y. Events of one date that ``order`` does not tell apart are an error if
    one of them is Y. Trials of relapsing diseases ask for 30 days since the
    onset of the last (McDonald 2001, Ann Neurol 50:121).
    """

    by: tuple[Column, ...]
    date: DayColumn
    days: Days
    to: NewText
    where: Condition | None = None
    order: tuple[OrderColumn, ...] = ()

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        begun = day(columns, self.date)
        eligible = ~np.isnan(begun) & (self.where.holds(columns, count) if self.where else True)
        groups = group_codes([columns[name] for name in self.by])
        order = [(begun, False), *((columns[name.removeprefix("-")], name.startswith("-")) for name in self.order)]
        rows = ordered(order, np.flatnonzero(eligible), groups)
        since = np.full(len(rows), np.inf)
        same = groups[rows][1:] == groups[rows][:-1]
        since[1:] = np.where(same, np.diff(begun[rows]), np.inf)
        flags = np.zeros(count, bool)
        flags[rows[since >= self.days]] = True
        if tied(groups, order, np.flatnonzero(flags), eligible).any():
            raise StudyError(f"several records of one {self.date} within {listed(self.by)};"
                             " add a variable to 'order' that tells them apart")  # fmt: skip
        return Outcome({self.to: flagged(flags)})

    def sentence(self, variable: str) -> str:
        among = f" among records where {self.where}" if self.where else ""
        return (
            f"Y if {self.date} is at least {self.days} days after that of the record before, within"
            f" {listed(self.by)}{among}; else missing."
        )


@keyed("status_class")
@dataclass(frozen=True, kw_only=True)
class StatusClass(Derivation):
    """Class a subject by the sequence of positive and negative samples, the same in all records of the group.

    The samples are the records for which ``where`` holds, the positive ones those for which ``condition`` does.

    ``never`` no positive sample; ``always`` all positive; ``late`` the last ``last_positive`` samples positive, not
    all; ``passing`` a positive sample, and the last negative; ``other`` what is left (only the very last positive).
    With ``consecutive`` a positive sample counts only in a run of that many, those alone count as negative. Records for
    which ``where`` does not hold take no part; a group without any has no class. A positive and a negative sample that
    ``order`` does not tell apart are an error. (Repeated samples of antibodies:
    Polman 2010, Lancet Neurol 9:740.)
    """

    by: tuple[Column, ...]
    order: tuple[OrderColumn, ...]
    where: Condition
    condition: Condition
    to: NewText
    never: str = "NEGATIVE"
    always: str = "PERSISTENT"
    late: str = "LATE"
    passing: str = "TRANSIENT"
    other: str = "UNDETERMINED"
    last_positive: Several = 2
    consecutive: Several = 1

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        groups = group_codes([columns[name] for name in self.by])
        order = [(columns[name.removeprefix("-")], name.startswith("-")) for name in self.order]
        rows = ordered(order, np.flatnonzero(self.where.holds(columns, count)), groups)
        self._check_order(groups, order, rows, columns, count)
        sample, size = groups[rows], int(groups.max(initial=-1)) + 1
        positive = self._in_runs(self.condition.holds(columns, count)[rows], sample)
        total, found = np.bincount(sample, minlength=size), np.bincount(sample[positive], minlength=size)
        back = np.cumsum(np.bincount(sample, minlength=size))[sample] - 1 - np.arange(len(rows))
        last = np.bincount(sample[positive & (back < self.last_positive)], minlength=size)
        ends_negative = np.bincount(sample[~positive & (back == 0)], minlength=size) > 0
        names = (self.never, self.always, self.late, self.passing)
        tests = [found == 0, found == total, last == self.last_positive, ends_negative]
        code = np.where(total == 0, -1, np.select(tests, list(range(len(names))), len(names)))
        edge = self._edge(groups, rows, count)
        return Outcome({self.to: CodedText.of_codes(code[groups], [*names, self.other])}, (edge,))

    def _check_order(self, groups: np.ndarray, order: Order, rows: np.ndarray, columns: Columns, count: int) -> None:
        positive = self.condition.holds(columns, count)
        place = group_codes([groups.astype(float), *(values for values, _ in order)])
        both = group_codes([place.astype(float), positive.astype(float)])
        if len(np.unique(both[rows])) > len(np.unique(place[rows])):
            raise StudyError(f"a positive and a negative sample have one place within {listed(self.by)};"
                             " add a variable to 'order' that tells them apart")  # fmt: skip

    def _in_runs(self, positive: np.ndarray, sample: np.ndarray) -> np.ndarray:
        """Return the positive samples that are in a run of at least ``consecutive``; ``sample`` is sorted."""
        starts = np.ones(len(sample), bool)
        starts[1:] = (sample[1:] != sample[:-1]) | (positive[1:] != positive[:-1])
        run = np.cumsum(starts) - 1
        return positive & (np.bincount(run, minlength=1)[run] >= self.consecutive)

    def _edge(self, groups: np.ndarray, samples: np.ndarray, count: int) -> Edges:
        """All samples of a group decide on the class in each of its records."""
        start = np.searchsorted(groups[samples], np.arange(int(groups.max(initial=-1)) + 2))
        number_of = (start[1:] - start[:-1])[groups] if count else np.zeros(0, int)
        rows = np.repeat(np.arange(count), number_of)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(number_of) - number_of, number_of)
        return Edges(rows, self.to, "", samples[start[groups[rows]] + within], self.condition.reads[0])

    def sentence(self, variable: str) -> str:
        runs = f" (only runs of {self.consecutive} or more count)" if self.consecutive > 1 else ""
        return (
            f"By the records where {self.where}, in order of {listed(self.order)} within {listed(self.by)};"
            f" positive if {self.condition}{runs}: {self.never} if none is positive, {self.always} if all are,"
            f" {self.late} if the last {self.last_positive} are, {self.passing} if the last is negative,"
            f" else {self.other}."
        )
