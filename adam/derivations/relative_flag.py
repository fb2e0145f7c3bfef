"""The derivation relative_flag: the records of a group before, or after, the first or last that fulfils something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from adam.columns.columns import Columns, flagged
from adam.columns.grouping import first_rows, group_codes, ordered, row_of_group, tied
from adam.language.derivation import Derivation, DerivationContext, Outcome, keyed, listed
from adam.language.kinds import NewText
from metadata.condition import Condition
from metadata.declaration import Column, OrderColumn
from metadata.errors import StudyError


@keyed("relative_flag")
@dataclass(frozen=True, kw_only=True)
class RelativeFlag(Derivation):
    """Y for the records of a group on one side of the first (``mode`` last: the last) that fulfils ``condition``.

    ``side`` before or after is by ``order``; the record itself is flagged if ``inclusive``. A group without such a
    record is flagged whole, or not at all with ``without`` missing. Other records at the place of that one, which
    ``order`` does not tell from it, are an error.
    """

    to: NewText
    by: tuple[Column, ...]
    order: tuple[OrderColumn, ...]
    condition: Condition
    side: Literal["before", "after"] = "before"
    mode: Literal["first", "last"] = "first"
    inclusive: bool = False
    without: Literal["flagged", "missing"] = "flagged"

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        groups, everyone = group_codes([columns[name] for name in self.by]), np.ones(count, bool)
        order = [(columns[name.removeprefix("-")], name.startswith("-")) for name in self.order]
        turned = [(values, not down) for values, down in order] if self.mode == "last" else order
        rows = first_rows(groups, turned, self.condition.holds(columns, count))
        if tied(groups, order, rows, everyone).any():
            raise StudyError(f"several records of one place within {listed(self.by)} fulfil {self.condition}, or do"
                             " not; add a variable to 'order' that tells them apart")  # fmt: skip
        rank = np.empty(count, np.int64)
        rank[ordered(order, np.arange(count), groups)] = np.arange(count)
        reference = row_of_group(groups, rows)
        there = rank[reference]
        beyond = rank < there if self.side == "before" else rank > there
        if self.inclusive:
            beyond |= rank == there
        return Outcome({self.to: flagged(np.where(reference < 0, self.without == "flagged", beyond))})

    def sentence(self, variable: str) -> str:
        of = f"the {self.mode} record by {listed(self.order)} within {listed(self.by)} where {self.condition}"
        itself = ", and for that record" if self.inclusive else ""
        without = ", and for all records of a group without one" if self.without == "flagged" else ""
        return f"Y {self.side} {of}{itself}{without}; else missing{self.within()}."
