"""The rule that every dose can be judged: the others rest on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitoring.findings import findings
from monitoring.observations import Observations
from monitoring.plan import Plan, Rule, rule_kind
from monitoring.settings import LevelName

if TYPE_CHECKING:
    import pandas as pd


@rule_kind("doses")
@dataclass(frozen=True, kw_only=True)
class Doses(Rule):
    """A dose whose drug, start, amount or frequency is not known: schedules and limits of doses cannot count on it."""

    level: LevelName

    def find(self, observed: Observations, plan: Plan) -> list[pd.DataFrame]:
        """Return these doses, from their start or from the subject's first day."""
        rows = observed.all_doses
        rows = rows[(rows["problem"] != "") & ~(rows["start"] > max(observed.as_of, observed.dated))]
        rows = rows[~(rows["start"] > observed.as_of)]
        since = rows["start"].fillna(observed.first_of(rows["record"]))
        return [findings(rows, self.id, self.level, since, rows["drug"])]
