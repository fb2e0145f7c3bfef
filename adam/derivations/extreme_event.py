"""The derivation extreme_event: the first or last dated record of several datasets, and what is taken from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from adam.columns.columns import Columns, Values, present, stack, take
from adam.columns.grouping import first_rows, group_codes, matching_rows
from adam.derivations.merging import SUBJECT
from adam.language.derivation import Derivation, DerivationContext, Outcome, keyed, listed
from adam.language.imputation import partial_dates
from adam.language.kinds import NewDate
from metadata.coded_text import CodedText
from metadata.condition import DatasetKinds, OtherCondition
from metadata.dataset import Edges
from metadata.declaration import Column, NewColumn, OtherColumn, Place
from metadata.errors import StudyError
from metadata.variable_kind import CHAR, DATE, DATETIME, PHRASE, differ


@dataclass(frozen=True)
class EventSource:
    """One kind of event: the records of a dataset that fulfil ``where``, their date and what is taken of them.

    ``date`` is a date, a datetime (its day counts) or an ISO 8601 text. A partial text has no day, unless ``impute``
    takes the first or last day that it allows. ``order`` tells records of one day apart. ``variables`` are the new
    variables and those of the record that they copy, ``set`` the texts that new variables get if this is the event.
    """

    dataset: str
    date: OtherColumn
    where: OtherCondition | None = None
    impute: Literal["none", "first", "last"] = "none"
    order: tuple[OtherColumn, ...] = ()
    variables: dict[NewColumn, OtherColumn] = field(default_factory=dict)
    set: dict[NewColumn, str] = field(default_factory=dict)
    node: Place = field(default=None, compare=False, repr=False)


class Found(NamedTuple):
    """For each record of the dataset in the making a source's day (NaN without one), and the row that has it (-1)."""

    day: np.ndarray
    row: np.ndarray


@keyed("extreme_event")
@dataclass(frozen=True, kw_only=True)
class ExtremeEvent(Derivation):
    """Find the last (or first) of the events of several datasets; give its date, what it is and what is taken of it.

    Of one day the source that is listed first counts; of several records of one source and day the first by its
    ``order`` (the last, where ``mode`` is last). Those that it does not tell apart and that differ in what is taken are
    an error. A new variable that the source of the chosen event does not give is missing, as is every one without an
    event.
    """

    sources: tuple[EventSource, ...]
    mode: Literal["first", "last"] = "last"
    to: NewDate | None = None
    by: tuple[Column, ...] = (SUBJECT,)

    def check(self) -> None:
        if not self.makes:
            raise StudyError("nothing is made: name the date in 'to', or 'variables' or 'set' of a source")

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        found = [self._found(source, columns, context) for source in self.sources]
        best, place = np.full(count, np.nan), np.full(count, -1)
        for number, one in enumerate(found):
            with np.errstate(invalid="ignore"):
                further = one.day > best if self.mode == "last" else one.day < best
            better = present(one.day) & (np.isnan(best) | further)
            best, place = np.where(better, one.day, best), np.where(better, number, place)
        rows = [np.where(place == number, one.row, -1) for number, one in enumerate(found)]
        made: dict[str, Values] = {self.to: best} if self.to else {}
        made |= {new: self._taken(new, rows, context) for new in self._taken_variables()}
        return Outcome(made, tuple(self._edges(rows)))

    def _found(self, source: EventSource, columns: Columns, context: DerivationContext) -> Found:
        """Return each record's first or last event of one source."""
        days = _days(source, context)
        keys = [context.variable(source.dataset, name) for name in self.by]
        eligible = present(days) & context.fulfil(source.dataset, source.where)
        ordering = [days, *(context.variable(source.dataset, name) for name in source.order)]
        groups = group_codes(keys)
        rows = first_rows(groups, [(values, self.mode == "last") for values in ordering], eligible)
        self._check_ties(source, group_codes([groups.astype(float), *ordering]), rows, eligible, context)
        match = matching_rows([columns[name] for name in self.by], [take(key, rows) for key in keys])
        row = np.where(match < 0, -1, np.append(rows, -1)[match])
        return Found(np.append(days, np.nan)[row], row)

    def _check_ties(
        self, source: EventSource, place: np.ndarray, rows: np.ndarray, eligible: np.ndarray, context: DerivationContext
    ) -> None:
        """Raise StudyError where several records come first that hold different values."""
        taken = [context.variable(source.dataset, old) for old in source.variables.values()]
        content = group_codes([place.astype(float), *taken])
        different = np.unique(np.column_stack([place, content])[eligible], axis=0)
        if len(rows) and (np.bincount(different[:, 0], minlength=int(place.max()) + 1)[place[rows]] > 1).any():
            raise StudyError(
                f"{_place(source)} has several records of one day for the same {listed(self.by)} that differ; add a"
                " variable to 'order' that tells them apart"
            )

    def _taken_variables(self) -> list[str]:
        return list(dict.fromkeys(new for source in self.sources for new in (*source.variables, *source.set)))

    def _taken(self, new: str, rows: list[np.ndarray], context: DerivationContext) -> Values:
        """Return one new variable: for each record the value that the source of its event gives."""
        parts: list[Values] = []
        chosen = np.full(len(rows[0]), -1)
        for source, row in zip(self.sources, rows, strict=True):
            mine = np.flatnonzero(row >= 0)
            if new in source.variables:
                part = take(context.variable(source.dataset, source.variables[new]), row[mine])
            elif new in source.set:
                part = CodedText.of_codes(np.zeros(len(mine), int), [source.set[new]])
            else:
                continue
            chosen[mine] = sum(map(len, parts)) + np.arange(len(mine))
            parts.append(part)
        return take(stack(parts), chosen)

    def _edges(self, rows: list[np.ndarray]) -> list[Edges]:
        made = []
        for source, row in zip(self.sources, rows, strict=True):
            mine = np.flatnonzero(row >= 0)
            dated = [(self.to, source.date)] if self.to else []
            given = [*dated, *source.variables.items(), *((new, source.date) for new in source.set)]
            made += [Edges(mine, new, source.dataset, row[mine], old) for new, old in given]
        return made

    def datasets(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(source.dataset for source in self.sources))

    def kind(self, variable: str, kinds: DatasetKinds) -> str:
        if variable == self.to:
            return DATE
        return next((kind for kind in self._kinds_of(variable, kinds) if kind), "")

    def _kinds_of(self, variable: str, kinds: DatasetKinds) -> list[str]:
        found = [CHAR for source in self.sources if variable in source.set]
        copied = [source for source in self.sources if variable in source.variables]
        return found + [str(kinds.get(one.dataset, {}).get(one.variables[variable], "")) for one in copied]

    def check_kinds(self, kinds: DatasetKinds) -> None:
        super().check_kinds(kinds)
        for source in self.sources:
            kind = kinds.get(source.dataset, {}).get(source.date, "")
            if kind and kind not in (CHAR, DATE, DATETIME):
                raise StudyError(f"{source.dataset}.{source.date} is {PHRASE[kind]}, not a date, a datetime or a text")
        for new in self._taken_variables():
            known = [kind for kind in self._kinds_of(new, kinds) if kind]
            for other in known[1:]:
                if differ(known[0], other):
                    raise StudyError(
                        f"{new} would be {PHRASE[known[0]]} from one source and {PHRASE[other]} from another"
                    )

    def sentence(self, variable: str) -> str:
        which = "earliest" if self.mode == "first" else "latest"
        if variable == self.to:
            return f"The {which} of {listed([_place(source) for source in self.sources])}{self.within()}."
        gives = []
        for source in self.sources:
            if variable in source.variables:
                gives.append(f"{source.dataset}.{source.variables[variable]} if {_place(source)} is")
            elif variable in source.set:
                gives.append(f"'{source.set[variable]}' if {_place(source)} is")
        others = "" if len(gives) == len(self.sources) else ", else missing"
        return f"Of the {which} event: {', '.join(gives)}{others}{self.within()}."


def _days(source: EventSource, context: DerivationContext) -> np.ndarray:
    """Return the days of a source's records since 1960; NaN where no day is known, nor taken for a partial date."""
    values = context.variable(source.dataset, source.date)
    if not isinstance(values, CodedText):
        return context.day(source.dataset, source.date)
    part = partial_dates(values, source.date)
    known = part.precision == 3
    taken = {"none": np.full(len(known), np.nan), "first": part.first, "last": part.last}[source.impute]
    return np.where(known, part.first, np.where(part.precision > 0, taken, np.nan))


def _place(source: EventSource) -> str:
    where = f" where {source.where}" if source.where else ""
    known = "" if source.impute == "none" else f" (its {source.impute} possible day)"
    return f"{source.dataset}.{source.date}{known}{where}"
