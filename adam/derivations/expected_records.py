"""Words that add records for visits without one: locf_records, expected_records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from adam.columns.columns import (
    Columns,
    Values,
    coded,
    constant,
    number,
    present,
    take,
    text,
)
from adam.columns.grouping import first_rows, group_codes, ordered
from adam.derivations.records import changed_columns
from adam.derivations.windows import Schedule, planned_visits
from adam.language.derivation import (
    AddedRows,
    Derivation,
    DerivationContext,
    listed,
    word,
)
from metadata.condition import Condition
from metadata.declaration import (
    Column,
    NewColumn,
    OrderColumn,
)

NO_ROWS = np.empty(0, np.int64)


class Wanted(NamedTuple):
    """Pairs of a group of records and a visit expected in it: the group's first row, and the visit's place."""

    first: np.ndarray
    visit: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Expecting(Derivation):
    """Base of words that know which visits a group of records should have."""

    by: tuple[Column, ...]
    schedules: tuple[Schedule, ...]
    value: Column = "AVAL"
    parameter: Column = "PARAMCD"
    visit: Column = "AVISIT"
    number: Column = "AVISITN"
    texts: dict[Column, str] = field(default_factory=dict)
    numbers: dict[Column, float] = field(default_factory=dict)

    adds_rows = True

    def expected(
        self, columns: Columns, count: int, context: DerivationContext
    ) -> tuple[list[str], np.ndarray, Wanted]:
        """Return names and numbers of the visits of all schedules, and which of them each group should have."""
        groups = group_codes([columns[name] for name in self.by])
        first = first_rows(groups, [], np.ones(count, bool))
        names: list[str] = []
        numbers: list[float] = []
        pairs: list[tuple[np.ndarray, np.ndarray]] = [(NO_ROWS, NO_ROWS)]
        for schedule, rows in zip(self.schedules, self._rows_of(columns, first), strict=True):
            visits = planned_visits(schedule, context.study)
            places = np.arange(len(visits)) + len(names)
            pairs.append((np.repeat(rows, len(visits)), np.tile(places, len(rows))))
            names += [visit for visit, _, _ in visits]
            numbers += [visitnum for _, visitnum, _ in visits]
        wanted = Wanted(*(np.concatenate(part) for part in zip(*pairs, strict=True)))
        return names, np.array(numbers, float), wanted

    def _rows_of(self, columns: Columns, first: np.ndarray) -> list[np.ndarray]:
        """Return for each schedule the groups (their first rows) whose parameter it is for."""
        codes = text(columns, self.parameter)
        named = {name for schedule in self.schedules for name in schedule.paramcd}
        made = []
        for schedule in self.schedules:
            wanted = [word_ in schedule.paramcd or (not schedule.paramcd and word_ not in named)
                      for word_ in codes.words]  # fmt: skip
            made.append(first[codes.of_words(wanted)[first]])
        return made

    def own(self, columns: Columns, names: list[str], numbers: np.ndarray, visit: np.ndarray) -> dict[str, Values]:
        """Return what the new records have of their own."""
        made = changed_columns(self.texts, self.numbers, (), columns, len(visit))
        return {**made, self.visit: coded(visit, names), self.number: numbers[visit]}

    def changes(self) -> tuple[str, ...]:
        return (self.visit, self.number, *self.texts, *self.numbers)

    def said(self, variable: str) -> str:
        """Return what ``variable`` holds in the new records, or an empty text."""
        content = {**self.texts, **{name: f"{value:g}" for name, value in self.numbers.items()}}
        content |= {self.visit: "The visit that had no value", self.number: "Number of the visit that had no value"}
        return content.get(variable, "")


@word("locf_records")
@dataclass(frozen=True, kw_only=True)
class LocfRecords(Expecting):
    """Add for each expected visit without a value a copy of the last record before it that has one (DTYPE LOCF).

    ``schedules`` say which visits of study.yaml a parameter should have; a visit has a value if one of the records for
    which ``among`` holds does, and only such records are carried forward: baseline is not if ``among`` leaves it out.
    A record whose value is missing stays as it is beside the new one. Before the first value nothing is added. The new
    record keeps its template's date; ``texts``, ``numbers`` and ``blank`` say what it has of its own.
    """

    among: Condition | None = None
    order: tuple[OrderColumn, ...] = ("ADT",)
    blank: tuple[Column, ...] = ()
    type: NewColumn = "DTYPE"

    def add(self, columns: Columns, count: int, context: DerivationContext) -> AddedRows:
        names, numbers, wanted = self.expected(columns, count, context)
        groups, visit = group_codes([columns[name] for name in self.by]), number(columns, self.number)
        order = [(columns[name.removeprefix("-")], name.startswith("-")) for name in self.order]
        eligible = np.flatnonzero(self._eligible(columns, count) & ~np.isnan(visit))
        rows = ordered([(visit, False), *order], eligible, groups)
        lowest = min([*numbers.tolist(), *visit[rows].tolist()], default=0.0)
        scale = max([*numbers.tolist(), *visit[rows].tolist()], default=0.0) - lowest + 2
        keys = groups[rows] * scale + (visit[rows] - lowest)
        sought = groups[wanted.first] * scale + (numbers[wanted.visit] - lowest)
        before = np.searchsorted(keys, sought, side="left")
        there = np.searchsorted(keys, sought, side="right") > before
        last = np.append(rows, -1)[before - 1]
        carried = ~there & (before > 0) & (groups[last] == groups[wanted.first])
        template, place = last[carried], wanted.visit[carried]
        changed = self.own(columns, names, numbers, place)
        changed |= {name: take(columns[name], np.full(len(place), -1)) for name in self.blank}
        changed[self.type] = constant("LOCF", len(place))
        return AddedRows(template, changed, (np.arange(len(template)), template))

    def _eligible(self, columns: Columns, count: int) -> np.ndarray:
        eligible = present(columns[self.value])
        return eligible & self.among.holds(columns, count) if self.among else eligible

    def sentence(self, variable: str) -> str:
        among = f" among records where {self.among}" if self.among else ""
        what = self.said(variable) or "LOCF"
        return (
            f"{what} in the record added for each expected visit without {self.value}, a copy of the last record before"
            f" it within {listed(self.by)}{among}."
        )


@word("expected_records")
@dataclass(frozen=True, kw_only=True)
class ExpectedRecords(Expecting):
    """Add a record without a value for each expected visit of which a group has no record at all.

    ``schedules`` say which visits of study.yaml a parameter should have. The new record holds the variables of ``by``
    and ``keep`` (those of the subject, of the parameter), the visit, ``texts`` and ``numbers``; all others are missing.
    ``among`` narrows which records count as there. admiral's derive_expected_records.
    """

    among: Condition | None = None
    keep: tuple[Column, ...] = ()

    def add(self, columns: Columns, count: int, context: DerivationContext) -> AddedRows:
        names, numbers, wanted = self.expected(columns, count, context)
        groups, visit = group_codes([columns[name] for name in self.by]), number(columns, self.number)
        there = self.among.holds(columns, count) if self.among else np.ones(count, bool)
        both = group_codes(
            [np.concatenate([groups[there], groups[wanted.first]]).astype(float),
             np.concatenate([visit[there], numbers[wanted.visit]])]
        )  # fmt: skip
        lacking = ~np.isin(both[there.sum() :], both[: there.sum()])
        template, place = wanted.first[lacking], wanted.visit[lacking]
        known = {*columns, *getattr(columns, "frame", ())} - {*self.by, *self.keep, self.parameter}
        nothing = np.full(len(template), -1)
        changed = {name: take(columns[name], nothing) for name in sorted(known)}
        changed |= self.own(columns, names, numbers, place)
        return AddedRows(template, changed, (NO_ROWS, NO_ROWS))

    def sentence(self, variable: str) -> str:
        what = self.said(variable) or "Missing"
        among = f" where {self.among}" if self.among else ""
        return f"{what} in the record added for each expected visit without a record{among} within {listed(self.by)}."
