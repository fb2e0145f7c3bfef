"""The derivation scale_records: the score of a questionnaire's scale from the answers to its items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from adam.columns.columns import Columns, among, number
from adam.columns.grouping import group_codes
from adam.derivations.merging import aggregated
from adam.language.added_records import SummaryParameter
from adam.language.derivation import (
    AddedRows,
    DerivationContext,
    keyed,
    listed,
)
from metadata.errors import StudyError
from metadata.units import significant


@keyed("scale_records")
@dataclass(frozen=True, kw_only=True)
class ScaleRecords(SummaryParameter):
    """Add for each group a record with the score of a scale: the mean or the sum of its items' answers.

    Answers to the items (``from_paramcd``) lie in ``range`` (lowest, highest); one outside is an error. Those to
    ``reversed`` items are turned round (highest + lowest - answer). ``need`` is how many items must be answered, else
    there is no score; the sum over unanswered ones is filled up with the mean of the answered (``prorate``), or needs
    all of them. ``target`` carries the score from its own range to another one, such as [0, 100]; ``flip`` then turns
    its direction. The record has what the items agree in, with ``keep_first``, ``keep_last``, ``set`` and ``blank`` as
    in summary_records; what else they differ in is missing. The mean is admiral's compute_scale.
    """

    range: tuple[float, ...]
    reversed: tuple[str, ...] = ()
    function: Literal["mean", "sum"] = "mean"
    need: int = 1
    prorate: bool = True
    target: tuple[float, ...] = ()
    flip: bool = False

    def check(self) -> None:
        super().check()
        for name, limits in (("range", self.range), ("target", self.target or (0.0, 1.0))):
            if len(limits) != 2 or not limits[0] < limits[1]:
                raise StudyError(f"{name} has two numbers, the lower first, e.g. [1, 5]")
        strange = [item for item in self.reversed if item not in self.from_paramcd]
        if strange:
            raise StudyError(f"{strange[0]} is reversed, but no item of the scale")
        if self.flip and not self.target:
            raise StudyError("flip turns the target's direction; reversed turns that of single items")
        if not 1 <= self.need <= len(self.from_paramcd):
            raise StudyError(f"need is between 1 and the number of items, {len(self.from_paramcd)}")

    def add(self, columns: Columns, count: int, context: DerivationContext) -> AddedRows:
        groups = group_codes([columns[name] for name in self.by])
        size = int(groups.max(initial=-1)) + 1
        eligible = self.eligible(columns, count, self.from_paramcd)
        answered = np.bincount(groups[eligible], minlength=size)
        eligible &= (answered >= self._least())[groups]
        self.check_twice(columns, groups, eligible)
        means = aggregated("mean", groups[eligible], self._answers(columns)[eligible], size)
        return self.summarised(columns, groups, eligible, significant(self._score(means)))

    def _least(self) -> int:
        return len(self.from_paramcd) if self.function == "sum" and not self.prorate else self.need

    def _answers(self, columns: Columns) -> np.ndarray:
        """Return answers with the reversed ones turned round; raises StudyError for one that is out of range."""
        low, high = self.range
        values, items = number(columns, self.value), among(columns["PARAMCD"], self.from_paramcd)
        with np.errstate(invalid="ignore"):
            outside = np.flatnonzero(items & ((values < low) | (values > high)))
        if len(outside):
            raise StudyError(f"{len(outside)} answer(s) to items of {self.paramcd} lie outside {low:g} to {high:g}")
        return np.where(among(columns["PARAMCD"], self.reversed), low + high - values, values)

    def _score(self, means: np.ndarray) -> np.ndarray:
        times = len(self.from_paramcd) if self.function == "sum" else 1
        if not self.target:
            return means * times
        part = (means - self.range[0]) / (self.range[1] - self.range[0])
        low, high = self.target
        return low + (high - low) * (1 - part if self.flip else part)

    def sentence(self, variable: str) -> str:
        if fixed := self.fixed(variable) or self.taken(variable):
            return fixed
        sentence = f"{self.paramcd}: {self.function} of {self.value} of {listed(self.from_paramcd)}{self.narrowed()}"
        sentence += f" within {listed(self.by)}"
        sentence += f", {listed(self.reversed)} turned round" if self.reversed else ""
        sentence += f", if at least {self._least()} are answered"
        sentence += ", unanswered items counting as the mean" if self.function == "sum" and self.prorate else ""
        if self.target:
            ends = [f"{self.target[0]:g}", f"{self.target[1]:g}"]
            sentence += f"; carried to {' to '.join(reversed(ends) if self.flip else ends)}"
        return f"{sentence}."
