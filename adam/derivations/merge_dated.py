"""The derivation merge_dated: the last record of another dataset before a date, or the first after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from adam.columns.columns import Columns, day, stack, take
from adam.columns.grouping import group_codes, ordered
from adam.derivations.merging import Lookup
from adam.derivations.near_event import last_event
from adam.language.derivation import DerivationContext, Outcome, keyed, listed
from adam.language.imputation import partial_dates
from adam.language.kinds import DayColumn, Days
from metadata.coded_text import CodedText
from metadata.dataset import Edges
from metadata.declaration import NewColumn, OtherColumn
from metadata.errors import StudyError


@keyed("merge_dated")
@dataclass(frozen=True, kw_only=True)
class MergeDated(Lookup):
    """Take variables from the last record of another dataset on or before a date, or from the first on or after it.

    So is found the last dose before an event, or the next visit after a relapse. ``other_date`` is a date or datetime
    of the other dataset, or an ISO 8601 text whose day is known; the day counts. ``days`` is the greatest number of
    days between the two, ``same_day`` false leaves out records of the day itself. Of several records of one day
    ``order`` says which comes last (first); those that it does not tell apart and that differ in what is taken are an
    error.
    """

    variables: dict[NewColumn, OtherColumn]
    other_date: OtherColumn
    date: DayColumn = "ADT"
    mode: Literal["last", "first"] = "last"
    days: Days | None = None
    same_day: bool = True
    order: tuple[OtherColumn, ...] = ()

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        when, mine_on = self._days_of_other(context), day(columns, self.date)
        events = self._in_order(context, np.flatnonzero(self.found(context) & ~np.isnan(when)))
        keys = zip(self.by, self.other_keys(context), strict=True)
        codes = group_codes([stack([columns[name], take(other, events)]) for name, other in keys])
        mine, theirs, days = codes[:count], codes[count:], when[events]
        sign, apart = 1.0 if self.mode == "last" else -1.0, 0.0 if self.same_day else 1.0
        found = last_event(mine, sign * mine_on - apart, theirs, sign * days)
        if self.days is not None:
            distance = np.abs(mine_on - np.append(days, np.nan)[found])
            found = np.where((found >= 0) & (distance <= self.days), found, -1)
        self._check_ties(theirs, days, events, found, context)
        source = np.where(found < 0, -1, np.append(events, -1)[found])
        made = {new: take(context.variable(self.dataset, old), source) for new, old in self.variables.items()}
        rows = np.flatnonzero(source >= 0)
        edges = tuple(Edges(rows, new, self.dataset, source[rows], old) for new, old in self.variables.items())
        return Outcome(made, edges)

    def _days_of_other(self, context: DerivationContext) -> np.ndarray:
        values = context.variable(self.dataset, self.other_date)
        if not isinstance(values, CodedText):
            return context.day(self.dataset, self.other_date)
        part = partial_dates(values, self.other_date)
        return np.where(part.precision == 3, part.first, np.nan)

    def _in_order(self, context: DerivationContext, events: np.ndarray) -> np.ndarray:
        """Return the events such that of one day the one that is taken comes last."""
        order = [(context.variable(self.dataset, name), False) for name in self.order]
        if not order:
            return events
        sorted_ = ordered(order, events, np.zeros(len(context.variable(self.dataset, self.order[0])), np.int64),
                          missing_first=self.mode == "last")  # fmt: skip
        return sorted_ if self.mode == "last" else sorted_[::-1]

    def _check_ties(
        self, groups: np.ndarray, days: np.ndarray, events: np.ndarray, found: np.ndarray, context: DerivationContext
    ) -> None:
        """Raise StudyError where several records of the chosen place hold different values."""
        tells = [take(context.variable(self.dataset, name), events) for name in self.order]
        place = group_codes([groups.astype(float), days, *tells])
        taken = [take(context.variable(self.dataset, old), events) for old in self.variables.values()]
        content = group_codes([place.astype(float), *taken])
        different = np.unique(np.column_stack([place, content]), axis=0)
        chosen = place[np.unique(found[found >= 0])]
        if len(chosen) and (np.bincount(different[:, 0])[chosen] > 1).any():
            raise StudyError(
                f"{self.place()} has several records of one day for the same {listed(self.by)} that differ; add a"
                " variable to 'order' that tells them apart"
            )

    def sentence(self, variable: str) -> str:
        side = f"{'on or ' if self.same_day else ''}{'before' if self.mode == 'last' else 'after'} {self.date}"
        near = f", at most {self.days} days apart" if self.days is not None else ""
        place = self.place(self.variables[variable])
        return (
            f"{place}, of the {self.mode} record by {self.other_date} {side}{near}, merged by {listed(self.by)}"
            f"{self.within()}."
        )

    def inherits(self, variable: str) -> tuple[str, str] | None:
        return self.dataset, self.variables[variable]

    def origin(self, variable: str) -> str:
        return "Derived"
