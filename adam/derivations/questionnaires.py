"""The word scale_records: the score of a questionnaire's scale from the answers to its items."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from adam.columns.columns import (
    Columns,
    among,
    number,
    present,
    text,
)
from adam.columns.grouping import (
    first_rows,
    group_codes,
    ordered,
    row_of_group,
)
from adam.derivations.merging import aggregated
from adam.derivations.records import changed_columns
from adam.language.derivation import (
    AddedRows,
    Derivation,
    DerivationContext,
    listed,
    word,
)
from metadata.condition import Condition
from metadata.declaration import Column, OrderColumn
from metadata.errors import StudyError
from metadata.units import significant


@word("scale_records")
@dataclass(frozen=True, kw_only=True)
class ScaleRecords(Derivation):
    """Add for each group a record with the score of a scale: the mean or the sum of its items' answers.

    Answers to ``items`` lie in ``range`` (lowest, highest); one outside is an error. Those to ``reversed`` items are
    turned round (highest + lowest - answer). ``need`` is how many items must be answered, else there is no score; the
    sum over unanswered ones is filled up with the mean of the answered (``prorate``), or needs all of them. ``target``
    carries the score from its own range to another one, such as [0, 100]; ``flip`` then turns its direction. The record
    is a copy of the group's first item, with ``texts``, ``numbers`` and ``blank`` as in extreme_records. The mean is
    admiral's compute_scale.
    """

    by: tuple[Column, ...]
    items: tuple[str, ...]
    to: str
    range: tuple[float, ...]
    reversed: tuple[str, ...] = ()
    function: Literal["mean", "sum"] = "mean"
    need: int = 1
    prorate: bool = True
    target: tuple[float, ...] = ()
    flip: bool = False
    among: Condition | None = None
    parameter: Column = "PARAMCD"
    value: Column = "AVAL"
    texts: dict[Column, str] = field(default_factory=dict)
    numbers: dict[Column, float] = field(default_factory=dict)
    blank: tuple[Column, ...] = ()
    order: tuple[OrderColumn, ...] = ("PARAMN",)

    adds_rows = True

    def check(self) -> None:
        for name, limits in (("range", self.range), ("target", self.target or (0.0, 1.0))):
            if len(limits) != 2 or not limits[0] < limits[1]:
                raise StudyError(f"{name} has two numbers, the lower first, e.g. [1, 5]")
        strange = [item for item in self.reversed if item not in self.items]
        if strange:
            raise StudyError(f"{strange[0]} is reversed, but no item of the scale")
        if self.flip and not self.target:
            raise StudyError("flip turns the target's direction; reversed turns that of single items")
        if not 1 <= self.need <= len(self.items):
            raise StudyError(f"need is between 1 and the number of items, {len(self.items)}")

    def add(self, columns: Columns, count: int, context: DerivationContext) -> AddedRows:
        groups = group_codes([columns[name] for name in self.by])
        size = int(groups.max(initial=-1)) + 1
        eligible = among(columns[self.parameter], self.items) & present(columns[self.value])
        eligible &= self.among.holds(columns, count) if self.among else True
        answered = np.bincount(groups[eligible], minlength=size)
        eligible &= (answered >= self._least())[groups]
        order = [(columns[name.removeprefix("-")], name.startswith("-")) for name in self.order]
        rows = first_rows(groups, order, eligible)
        self._check_twice(columns, groups, eligible)
        means = aggregated("mean", groups[eligible], self._answers(columns)[eligible], size)[groups[rows]]
        changed = changed_columns({**self.texts, self.parameter: self.to}, self.numbers, self.blank, columns, len(rows))
        changed[self.value] = significant(self._score(means))
        position = np.full(count, -1)
        position[rows] = np.arange(len(rows))
        contributing = ordered([], np.flatnonzero(eligible), groups)
        return AddedRows(rows, changed, (position[row_of_group(groups, rows)[contributing]], contributing))

    def _least(self) -> int:
        return len(self.items) if self.function == "sum" and not self.prorate else self.need

    def _check_twice(self, columns: Columns, groups: np.ndarray, eligible: np.ndarray) -> None:
        both = group_codes(
            [groups[eligible].astype(float), text(columns, self.parameter).codes[eligible].astype(float)]
        )
        if len(both) and np.bincount(both).max() > 1:
            raise StudyError(f"{self.to}: an item is answered twice within {listed(self.by)}; narrow 'among'")

    def _answers(self, columns: Columns) -> np.ndarray:
        """Return answers with the reversed ones turned round; raises StudyError for one that is out of range."""
        low, high = self.range
        values, items = number(columns, self.value), among(columns[self.parameter], self.items)
        with np.errstate(invalid="ignore"):
            outside = np.flatnonzero(items & ((values < low) | (values > high)))
        if len(outside):
            raise StudyError(f"{len(outside)} answer(s) to items of {self.to} lie outside {low:g} to {high:g}")
        return np.where(among(columns[self.parameter], self.reversed), low + high - values, values)

    def _score(self, means: np.ndarray) -> np.ndarray:
        times = len(self.items) if self.function == "sum" else 1
        if not self.target:
            return means * times
        part = (means - self.range[0]) / (self.range[1] - self.range[0])
        low, high = self.target
        return low + (high - low) * (1 - part if self.flip else part)

    def changes(self) -> tuple[str, ...]:
        return (self.value, *self.texts, *self.numbers)

    def sentence(self, variable: str) -> str:
        content = {**self.texts, **{name: f"{value:g}" for name, value in self.numbers.items()}}
        if variable in content:
            return f"'{content[variable]}' in the added records of {self.to}."
        said = f"{self.to}: {self.function} of {self.value} of {listed(self.items)} within {listed(self.by)}"
        said += f", {listed(self.reversed)} turned round" if self.reversed else ""
        said += f", if at least {self._least()} are answered"
        said += ", unanswered items counting as the mean" if self.function == "sum" and self.prorate else ""
        if self.target:
            ends = [f"{self.target[0]:g}", f"{self.target[1]:g}"]
            said += f"; carried to {' to '.join(reversed(ends) if self.flip else ends)}"
        return f"{said}."
