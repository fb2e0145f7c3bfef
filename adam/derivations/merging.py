"""Derivations that take values from the source or from another dataset: copy, merge, supplemental, exists, summary."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np

from adam.columns.columns import Columns, Values, among, constant, flagged, number, present, stack, take, text
from adam.columns.grouping import first_rows, group_codes, matching_rows
from adam.language.derivation import (
    Derivation,
    DerivationContext,
    Outcome,
    keyed,
    listed,
)
from adam.language.kinds import NewText
from metadata.condition import EVERY_ROW, DatasetKinds, OtherCondition
from metadata.condition_tests import COMPARISONS, DAYS, VariableTest, impossible
from metadata.dataset import Edges
from metadata.declaration import Column, NewColumn, OtherColumn
from metadata.errors import Gather, StudyError
from metadata.units import significant
from metadata.variable_kind import CHAR, NUM, PHRASE, PLAIN_NUMBER, differ

SUBJECT = "USUBJID"
KEEPING = ("minimum", "maximum")
"""Functions whose result is of the kind of what they summarise."""


@keyed("copy")
@dataclass(frozen=True, kw_only=True)
class Copy(Derivation):
    """Copy variables of the source, unchanged; a mapping NEW: OLD renames."""

    variables: dict[NewColumn, Column]

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        return Outcome({new: columns[old] for new, old in self.variables.items()})

    def sentence(self, variable: str) -> str:
        return f"Copied from {self.variables[variable]}{self.within()}."

    def origin(self, variable: str) -> str:
        return "Derived" if self.when else "Predecessor"

    def inherits(self, variable: str) -> tuple[str, str] | None:
        return "", self.variables[variable]


@keyed("constant")
@dataclass(frozen=True, kw_only=True)
class Constant(Derivation):
    """Give a variable the same text in every record."""

    to: NewText
    text: str

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        return Outcome({self.to: constant(self.text, count)})

    def sentence(self, variable: str) -> str:
        return f"Set to '{self.text}'{self.within()}."

    def origin(self, variable: str) -> str:
        return "Derived" if self.when else "Assigned"


@dataclass(frozen=True, kw_only=True)
class Lookup(Derivation):
    """Base of derivations that look at the records of another dataset with the same keys."""

    dataset: str
    by: tuple[Column, ...] = (SUBJECT,)
    where: OtherCondition | None = None

    def check_kinds(self, kinds: DatasetKinds) -> None:
        super().check_kinds(kinds)
        for name in self.by:
            mine, theirs = (kinds.get(dataset, {}).get(name, "") for dataset in ("", self.dataset))
            if differ(mine, theirs):
                raise StudyError(
                    f"{name} is {PHRASE[mine]}, {self.dataset}.{name} is {PHRASE[theirs]}: no records match"
                )

    def found(self, context: DerivationContext) -> np.ndarray:
        """Return True for the other dataset's records that fulfil ``where``."""
        return context.fulfil(self.dataset, self.where)

    def other_keys(self, context: DerivationContext) -> list[Values]:
        """Return the key columns of the other dataset."""
        return [context.variable(self.dataset, name) for name in self.by]

    def numbers_in(self, name: str, context: DerivationContext) -> np.ndarray:
        """Return a Num column of the other dataset; raises StudyError if it is Char."""
        return number({name: context.variable(self.dataset, name)}, name)

    def place(self, variable: str = "", left_out: Collection[VariableTest] = ()) -> str:
        """Return the other dataset, its variable and the condition without the tests ``left_out``, as a phrase."""
        where = self.where.without(left_out) if self.where else EVERY_ROW
        return f"{self.dataset}{'.' + variable if variable else ''}{'' if where == EVERY_ROW else f' where {where}'}"


@keyed("merge")
@dataclass(frozen=True, kw_only=True)
class Merge(Lookup):
    """Take variables from the one record of another dataset with the same keys.

    Where several records fulfil ``where``, ``mode`` first or last by ``order`` says which; without it they are an
    error, never a silent choice. So are records that ``order`` does not tell apart, if they differ in what is taken.
    """

    variables: dict[NewColumn, OtherColumn]
    order: tuple[OtherColumn, ...] = ()
    mode: Literal["first", "last"] | None = None

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        rows = self._records(context)
        right = [take(key, rows) for key in self.other_keys(context)]
        match = matching_rows([columns[name] for name in self.by], right)
        source = np.where(match < 0, -1, np.append(rows, -1)[match])
        made = {new: take(context.variable(self.dataset, old), source) for new, old in self.variables.items()}
        return Outcome(made, self._edges(source, context))

    def _records(self, context: DerivationContext) -> np.ndarray:
        groups = group_codes(self.other_keys(context))
        eligible = self.found(context)
        order = [(context.variable(self.dataset, name), self.mode == "last") for name in self.order]
        rows = first_rows(groups, order, eligible)
        if self.mode is None and len(rows) < eligible.sum():
            raise StudyError(
                f"{self.place()} has more than one record for the same {listed(self.by)};"
                " narrow 'where', or say 'mode: first' or 'mode: last' with an 'order'"
            )
        if self.mode:
            self._check_ties(rows, groups, np.flatnonzero(eligible), context)
        return rows

    def _check_ties(
        self, rows: np.ndarray, groups: np.ndarray, eligible: np.ndarray, context: DerivationContext
    ) -> None:
        """Raise StudyError where several records come first that hold different values."""
        place = group_codes([groups.astype(float), *(context.variable(self.dataset, name) for name in self.order)])
        taken = [context.variable(self.dataset, old) for old in self.variables.values()]
        different = np.unique(np.column_stack([place, group_codes([place.astype(float), *taken])])[eligible], axis=0)
        if (np.bincount(different[:, 0], minlength=len(place))[place[rows]] > 1).any():
            raise StudyError(
                f"{self.place()} has several records that come {self.mode} for the same {listed(self.by)} and differ;"
                " add a variable to 'order' that tells them apart"
            )

    def _edges(self, source: np.ndarray, context: DerivationContext) -> tuple[Edges, ...]:
        rows = np.flatnonzero(source >= 0)
        if not context.subject_level:
            return (Edges(rows, "*", self.dataset, source[rows], "*"),)
        return tuple(Edges(rows, new, self.dataset, source[rows], old) for new, old in self.variables.items())

    def sentence(self, variable: str) -> str:
        which = f", {self.mode} by {listed(self.order)}" if self.mode else ""
        place = self.place(self.variables[variable], self._implied())
        return f"{place}{which}, merged by {listed(self.by)}{self.within()}."

    def _implied(self) -> list[VariableTest]:
        """Return the tests that need not be given: what is first by a variable of ``order`` has a value of it."""
        tests = self.where.tests if self.where and self.mode else ()
        return [
            test for test in tests if test.variable in self.order and (test.name, test.operand) == ("missing", False)
        ]

    def origin(self, variable: str) -> str:
        return "Derived" if self.when or self.where or self.mode else "Predecessor"

    def inherits(self, variable: str) -> tuple[str, str] | None:
        return self.dataset, self.variables[variable]


@keyed("supplemental")
@dataclass(frozen=True, kw_only=True)
class Supplemental(Derivation):
    """Take supplemental qualifiers (QVAL of the QNAM named) of the source's records; QNAM is the new variable's name.

    A build without the supplemental dataset has no such values: the variables are missing in all records.
    """

    dataset: str
    variables: dict[NewText, str]
    sequence: Column | None = None

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        if self.dataset not in context.datasets:
            return Outcome({new: constant("", count) for new in self.variables})
        made, edges = {}, []
        for new, qualifier in self.variables.items():
            rows = np.flatnonzero(among(context.variable(self.dataset, "QNAM"), [qualifier]))
            match = self._matches(columns, rows, context)
            source = np.where(match < 0, -1, np.append(rows, -1)[match])
            made[new] = take(context.variable(self.dataset, "QVAL"), source)
            kept = np.flatnonzero(source >= 0)
            edges.append(Edges(kept, new, self.dataset, source[kept], "QVAL"))
        return Outcome(made, tuple(edges))

    def _matches(self, columns: Columns, rows: np.ndarray, context: DerivationContext) -> np.ndarray:
        left = [columns[SUBJECT]]
        right = [take(context.variable(self.dataset, SUBJECT), rows)]
        if self.sequence:
            left.append(columns[self.sequence])
            right.append(text({"IDVARVAL": context.variable(self.dataset, "IDVARVAL")}, "IDVARVAL").numbers()[rows])
        if len(np.unique(group_codes(right))) < len(rows):
            raise StudyError(f"{self.dataset} has a qualifier twice for one record; {self.key} takes one value")
        return matching_rows(left, right)

    def also_reads(self) -> tuple[str, ...]:
        return (SUBJECT,)

    def check_kinds(self, kinds: DatasetKinds) -> None:
        super().check_kinds(kinds)
        known = kinds.get(self.dataset, {}).get("QNAM", "")
        with Gather() as gather:
            for qualifier in self.variables.values():
                with gather.part():
                    if problem := impossible(f"{self.dataset}.QNAM", qualifier, known):
                        raise StudyError(problem)

    def sentence(self, variable: str) -> str:
        return f"{self.dataset}.QVAL where QNAM is {self.variables[variable]}."

    def origin(self, variable: str) -> str:
        return "Predecessor"


@keyed("exists")
@dataclass(frozen=True, kw_only=True)
class Exists(Lookup):
    """Flag Y where another dataset has a record with the same keys, else ``otherwise``."""

    to: NewText
    otherwise: str = "N"

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        rows = first_rows(group_codes(self.other_keys(context)), [], self.found(context))
        match = matching_rows(
            [columns[name] for name in self.by], [take(key, rows) for key in self.other_keys(context)]
        )
        kept = np.flatnonzero(match >= 0)
        edge = Edges(kept, self.to, self.dataset, rows[match[kept]], "*")
        return Outcome({self.to: flagged(match >= 0, false=self.otherwise)}, (edge,))

    def sentence(self, variable: str) -> str:
        amounts = self._amounts()
        record = self.place(left_out=amounts) + "".join(f" with {str(one).replace(' is ', ' ', 1)}" for one in amounts)
        return f"Y if there is a record in {record}, else {self.otherwise or 'missing'}{self.within()}."

    def _amounts(self) -> list[VariableTest]:
        """Return the comparisons, which follow the rest of the condition (a record with EXDOSE above 0)."""
        one = self.where is not None and len(self.where.alternatives) == 1
        return [test for test in self.where.tests if test.name in (*COMPARISONS, *DAYS)] if self.where and one else []


@keyed("summary")
@dataclass(frozen=True, kw_only=True)
class Summary(Lookup):
    """Count records of another dataset with the same keys, or sum, average or take the extreme of a variable in them.

    A count is 0 where there are none; the other functions, which need ``source``, are then missing. A count with
    ``source`` counts the records with a value of it. The minimum and maximum of dates, or of datetimes, are dates and
    datetimes too; sum, mean and median are of numbers.
    """

    to: NewColumn
    function: Literal["count", "sum", "mean", "median", "minimum", "maximum"]
    source: OtherColumn | None = None

    def check(self) -> None:
        if self.function != "count" and self.source is None:
            raise StudyError(f"{self.function} needs 'source', the variable of {self.dataset} that it is of")

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        eligible = np.flatnonzero(self.found(context))
        right = [take(key, eligible) for key in self.other_keys(context)]
        left = [columns[name] for name in self.by]
        groups = group_codes([stack([one, other]) for one, other in zip(left, right, strict=True)])
        values = self._values(context)[eligible]
        size = int(groups.max(initial=-1)) + 1
        made = aggregated(self.function, groups[count:], values, size)[groups[:count]]
        return Outcome({self.to: significant(made)}, self._edges(groups, count, eligible))

    def _values(self, context: DerivationContext) -> np.ndarray:
        """Return what is summarised; for a count any number where there is a value."""
        if self.source is None:
            return np.ones(len(context.columns(self.dataset).source))
        if self.function == "count":
            return np.where(present(context.variable(self.dataset, self.source)), 1.0, np.nan)
        return self.numbers_in(self.source, context)

    def kind(self, variable: str, kinds: DatasetKinds) -> str:
        known = kinds.get(self.dataset, {}).get(self.source or "", "")
        return known if self.function in KEEPING else PLAIN_NUMBER

    def check_kinds(self, kinds: DatasetKinds) -> None:
        super().check_kinds(kinds)
        known = kinds.get(self.dataset, {}).get(self.source or "", "")
        if known and self.function != "count" and (known == CHAR or (self.function not in KEEPING and known != NUM)):
            taken = "numbers and dates" if self.function in KEEPING else "numbers"
            raise StudyError(f"{self.dataset}.{self.source} is {PHRASE[known]}; {self.function} takes {taken}")

    def _edges(self, groups: np.ndarray, count: int, eligible: np.ndarray) -> tuple[Edges, ...]:
        own = np.full(int(groups.max(initial=-1)) + 1, -1)
        own[groups[:count]] = np.arange(count)
        rows = own[groups[count:]]
        kept = rows >= 0
        return (Edges(rows[kept], self.to, self.dataset, eligible[kept], self.source or "*"),)

    def sentence(self, variable: str) -> str:
        what = {"count": "Number of records"}.get(self.function, f"{self.function.capitalize()} of {self.source}")
        return f"{what} in {self.place()}, by {listed(self.by)}{self.within()}."


def aggregated(function: str, groups: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    """Return count, sum, mean, median, minimum or maximum of the known values of each of ``size`` groups."""
    known = ~np.isnan(values)
    groups, values = groups[known], values[known]
    counts = np.bincount(groups, minlength=size).astype(float)
    if function == "count":
        return counts
    if function in ("sum", "mean"):
        total = np.bincount(groups, values, minlength=size)
        return np.where(counts > 0, total / (np.fmax(counts, 1) if function == "mean" else 1), np.nan)
    if function == "median":
        return _medians(groups, values, counts.astype(int))
    worst = np.full(size, np.inf if function == "minimum" else -np.inf)
    (np.minimum if function == "minimum" else np.maximum).at(worst, groups, values)
    return np.where(counts > 0, worst, np.nan)


def _medians(groups: np.ndarray, values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    ranked = np.append(values[np.lexsort([values, groups])], np.nan)
    first = np.cumsum(counts) - counts
    middle = np.where(counts > 0, first + (counts - 1) // 2, -1), np.where(counts > 0, first + counts // 2, -1)
    return (ranked[middle[0]] + ranked[middle[1]]) / 2
