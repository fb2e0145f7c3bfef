"""Base classes of derivations that add records: a new record copies another record and sets some values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np

from adam.columns.columns import Columns, Values, among, constant, known_names, only, present, take, text
from adam.columns.grouping import Order, group_codes, ordered, tied
from adam.language.derivation import AddedRows, Derivation, ParameterLabel, listed
from adam.language.kinds import KnownParameter, NumberColumn, ParameterCode
from metadata.coded_text import CodedText
from metadata.condition import Condition, DatasetKinds
from metadata.declaration import Column, OrderColumn
from metadata.errors import StudyError, nearest
from metadata.variable_kind import CHAR, PHRASE, PLAIN_NUMBER, ClosedText, differ

PARAMETER = {"PARAMCD": "paramcd", "PARAM": "param", "PARAMN": "paramn", "PARCAT1": "parcat1"}


@dataclass(frozen=True, kw_only=True)
class AddedRecords(Derivation):
    """Base of derivations that add records; ``set`` has texts and numbers that the new records get."""

    set: dict[Column, str | float] = field(default_factory=dict)

    adds_rows = True

    def own(self) -> dict[str, str | float]:
        """Return the texts and numbers that each new record gets."""
        return self.set

    def own_texts(self) -> dict[str, str]:
        """Return the texts and numbers that each new record gets, as texts for sentences."""
        return {name: one if isinstance(one, str) else f"{one:g}" for name, one in self.own().items()}

    def changes(self) -> tuple[str, ...]:
        return tuple(self.own())

    def gives(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*super().gives(), *self.own())))

    def closed_texts(self, variable: str, kinds: DatasetKinds) -> ClosedText | None:
        own = self.own()
        if variable in own:
            return ClosedText([str(own[variable])])
        copied = variable in self.changes() and variable not in PARAMETER
        return ClosedText(()) if copied else super().closed_texts(variable, kinds)

    def check_kinds(self, kinds: DatasetKinds) -> None:
        super().check_kinds(kinds)
        for name, value in self.own().items():
            kind, written = kinds.get("", {}).get(name, ""), CHAR if isinstance(value, str) else PLAIN_NUMBER
            if differ(kind, written):
                raise StudyError(
                    f"{name} is {PHRASE[kind]}, and the added records would hold {PHRASE[written]}: {value}"
                )

    def changed(self, columns: Columns, count: int, blank: tuple[str, ...] = ()) -> dict[str, Values]:
        """Return the columns that ``count`` new records have instead of those that they are copies of."""
        nothing = np.full(count, -1)
        made = {name: constant(value, count) for name, value in self.own().items()}
        return made | {name: take(columns[name], nothing) for name in blank}


@dataclass(frozen=True, kw_only=True)
class ParameterRecords(AddedRecords):
    """Base of derivations that add records of a new parameter, made of the values of other parameters' records."""

    paramcd: ParameterCode
    param: str = ""
    paramn: int | None = None
    parcat1: str = ""
    where: Condition | None = None
    value: NumberColumn = "AVAL"
    blank: tuple[Column, ...] = ()

    def check(self) -> None:
        for name in self.set:
            if name in PARAMETER:
                raise StudyError(f"the new records' {name} is written as '{PARAMETER[name]}', not in 'set'")

    def parameters_made(self) -> tuple[str, ...]:
        return (self.paramcd,)

    def parameter_labels(self) -> list[ParameterLabel]:
        return [ParameterLabel(self.paramcd, self.param, self.paramn)]

    def own(self) -> dict[str, str | float]:
        paramn = {} if self.paramn is None else {"PARAMN": float(self.paramn)}
        texts = {"PARAM": self.param, "PARCAT1": self.parcat1}
        return {**{name: text for name, text in texts.items() if text}, **paramn, **self.set}

    def also_reads(self) -> tuple[str, ...]:
        return ("PARAMCD", *self.own())

    def changes(self) -> tuple[str, ...]:
        return (self.value, *self.own())

    def changed(self, columns: Columns, count: int, blank: tuple[str, ...] = ()) -> dict[str, Values]:
        return {**super().changed(columns, count, (*self.blank, *blank)), "PARAMCD": constant(self.paramcd, count)}

    def eligible(self, columns: Columns, count: int, paramcd: tuple[str, ...] = ()) -> np.ndarray:
        """Return True for the records with a value that fulfil ``where``; only those of ``paramcd``, if it is given."""
        found = present(columns[self.value])
        if paramcd:
            found &= among(columns["PARAMCD"], paramcd)
        return found & self.where.holds(columns, count) if self.where else found

    def narrowed(self) -> str:
        """Return the condition as a part of a sentence."""
        return f" where {self.where}" if self.where else ""

    def fixed(self, variable: str) -> str:
        """Return the sentence of a variable that has the same text or number in all new records, else an empty text."""
        content = self.own_texts()
        return f"'{content[variable]}' in the added records of {self.paramcd}." if variable in content else ""


@dataclass(frozen=True, kw_only=True)
class CombinedParameter(ParameterRecords):
    """Base of derivations that add a record of a new parameter for each group with one record of several parameters.

    ``once`` lists what is measured once a ``subject`` (the height), and goes into every record of the subject.
    """

    by: tuple[Column, ...]
    once: tuple[str, ...] = ()
    subject: Column = "USUBJID"

    def check_once(self, terms: Collection[str]) -> None:
        """Raise StudyError for what is measured once and is none of the terms, or if nothing else is left."""
        strange = [one for one in self.once if one not in terms]
        if strange:
            raise StudyError(f"once: {strange[0]} is not used{nearest(strange[0], list(terms))}")
        if len(set(self.once)) == len(terms):
            raise StudyError("once: nothing is left that is measured in each group")

    def together(self, columns: Columns, count: int, codes: Mapping[str, str]) -> np.ndarray:
        """Return the rows that go together: a line a term (``codes``: its PARAMCD), a column a group that has all.

        Raises StudyError for a group with two records of one parameter.
        """
        eligible = self.eligible(columns, count)
        groups, persons = group_codes([columns[name] for name in self.by]), group_codes([columns[self.subject]])
        tables = {term: self._rows(columns, groups, eligible, codes[term], self.by)
                  for term in codes if term not in self.once}  # fmt: skip
        first = np.array(list(tables.values())).max(axis=0, initial=-1)
        for term in self.once:
            found = self._rows(columns, persons, eligible, codes[term], (self.subject,))
            tables[term] = np.where(first >= 0, found[persons[first]], -1) if len(first) else first
        places = np.vstack([tables[term] for term in codes])
        return places[:, (places >= 0).all(axis=0)]

    def lines_of_group(self, terms: Collection[str]) -> list[int]:
        """Return the places among the terms of those that are measured in each group: their visit is the record's."""
        return [line for line, term in enumerate(terms) if term not in self.once]

    def _rows(
        self, columns: Columns, groups: np.ndarray, eligible: np.ndarray, code: str, by: tuple[str, ...]
    ) -> np.ndarray:
        """Return for each group the row of one parameter, -1 if there is none."""
        mine = np.flatnonzero(eligible & among(columns["PARAMCD"], [code]))
        if len(mine) and np.bincount(groups[mine]).max() > 1:
            raise StudyError(f"{self.paramcd}: {code} has more than one record within {listed(by)}; narrow 'where'")
        table = np.full(int(groups.max(initial=-1)) + 1, -1, np.int64)
        table[groups[mine]] = mine
        return table

    def said_once(self) -> str:
        """Return what is measured once as a part of a sentence."""
        return f", {listed(self.once)} measured once a subject" if self.once else ""


@dataclass(frozen=True, kw_only=True)
class SummaryParameter(ParameterRecords):
    """Base of derivations that add one record of a new parameter for each group of records of other parameters.

    ``keep_first`` and ``keep_last`` are the variables that the new record takes of the group's first record by
    ``order`` and of its last one; what else its records differ in is missing.
    """

    by: tuple[Column, ...]
    from_paramcd: tuple[KnownParameter, ...]
    order: tuple[OrderColumn, ...] = ("PARAMN",)
    keep_first: tuple[Column, ...] = ()
    keep_last: tuple[Column, ...] = ()

    def check(self) -> None:
        super().check()
        both = [name for name in self.keep_first if name in self.keep_last]
        if both:
            raise StudyError(f"{both[0]} is taken of the first record and of the last one; choose one")

    def summarised(self, columns: Columns, groups: np.ndarray, eligible: np.ndarray, values: np.ndarray) -> AddedRows:
        """Return a record for each group with the group's value of ``values`` and all that its records agree in."""
        order = [(columns[name.removeprefix("-")], name.startswith("-")) for name in self.order]
        contributing = ordered(order, np.flatnonzero(eligible), groups)
        starts = np.ones(len(contributing), bool)
        starts[1:] = groups[contributing][1:] != groups[contributing][:-1]
        rows, final = contributing[starts], contributing[np.append(starts[1:], True)[: len(starts)]]
        place = np.cumsum(starts) - 1
        self._check_order(columns, groups, order, eligible, rows, final)
        changed: dict[str, Values] = differing(columns, rows, place, contributing, self.keep_first)
        changed |= {name: take(columns[name], final) for name in self.keep_last}
        changed |= {**self.changed(columns, len(rows)), self.value: values[groups[rows]]}
        return AddedRows(rows, changed, (place, contributing))

    def check_twice(self, columns: Columns, groups: np.ndarray, eligible: np.ndarray) -> None:
        """Raise StudyError where a group has two eligible records of one parameter, which would count twice."""
        rows, codes = np.flatnonzero(eligible), text(columns, "PARAMCD")
        both = group_codes([groups[rows].astype(float), codes.take(rows)])
        repeated = np.flatnonzero(np.bincount(both, minlength=1)[both] > 1)
        if len(repeated):
            code = codes.texts[codes.codes[rows[repeated[0]]]]
            raise StudyError(
                f"{self.paramcd}: {code} has more than one record within {listed(self.by)}; narrow 'where'"
            )

    def _check_order(
        self, columns: Columns, groups: np.ndarray, order: Order, eligible: np.ndarray, first: np.ndarray,
        last: np.ndarray,
    ) -> None:  # fmt: skip
        """Raise StudyError where the order does not say which record something is taken of."""
        for rows, names in ((first, self.keep_first), (last, self.keep_last)):
            if names and tied(groups, order, rows, eligible).any():
                raise StudyError(f"{self.paramcd}: several records come first or last within {listed(self.by)};"
                                 f" add a variable to 'order' that says of which {listed(names)} is taken")  # fmt: skip

    def taken(self, variable: str) -> str:
        """Return the sentence of a variable that is taken of the first or last record, else an empty text."""
        for name, named in (("first", self.keep_first), ("last", self.keep_last)):
            if variable in named:
                return f"That of the {name} record by {listed(self.order)} in the added records of {self.paramcd}."
        return ""

    def changes(self) -> tuple[str, ...]:
        return (*super().changes(), *self.keep_first, *self.keep_last)


def differing(
    columns: Columns, rows: np.ndarray, place: np.ndarray, contributing: np.ndarray, but: Collection[str] = ()
) -> dict[str, Values]:
    """Return the variables in which the records that make a new one differ, missing there.

    ``rows`` are those of which the new records are copies; ``contributing`` are all that make them, and ``place`` says
    of each which new record it makes.
    """
    made: dict[str, Values] = {}
    for name in sorted(known_names(columns) - set(but)):
        values = columns[name]
        codes = values.codes if isinstance(values, CodedText) else group_codes([values])
        differs = np.zeros(len(rows), bool)
        differs[place[codes[contributing] != codes[rows][place]]] = True
        if differs.any():
            made[name] = only(take(values, rows), ~differs)
    return made
