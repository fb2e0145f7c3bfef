"""Rules about rows of forms: an event that was reported, a medication together with a drug."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import TYPE_CHECKING

from metadata.declaration import Place
from monitoring.doses import FAR
from monitoring.findings import findings
from monitoring.observations import Observations
from monitoring.plan import Plan, Rule, rule_kind
from monitoring.settings import NOT_JUDGED, DrugName, LevelName
from validation.checks.kind import DateOperand, FormName, Logic, Operand

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Words:
    """A free text that holds one of some words, whatever their case and accents."""

    field: Operand
    contains: list[str]
    node: Place = attribute(default=None, compare=False, repr=False)


def plain(text: str) -> str:
    """Return a text in small letters without accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


@rule_kind("reported")
@dataclass(frozen=True, kw_only=True)
class Reported(Rule):
    """A row of a form for which ``when`` is true, or whose ``words`` are found; with ``during``, while a drug is given.

    ``unknown`` says of which rows that cannot be said. A row without a date counts from the subject's first day.
    """

    form: FormName
    date: DateOperand
    level: LevelName
    end: DateOperand | None = None
    when: Logic | None = None
    words: Words | None = None
    unknown: Logic | None = None
    during: DrugName | None = None

    def find(self, observed: Observations, plan: Plan) -> list[pd.DataFrame]:
        """Return the rows, from their date or from the day on which the drug and they meet."""
        import pandas as pd

        rows = observed.rows(self.form)
        keys = observed.keys(self.form).reset_index(drop=True)
        first, last = observed.days(self.form, self.date)
        start = first.fillna(observed.first_of(keys["record"]))
        start = start.where(start <= observed.dated, pd.Timestamp(observed.dated))
        until = observed.days(self.form, self.end)[1].fillna(FAR) if self.end else last.fillna(FAR)
        met = pd.Series(True, index=keys.index)
        if self.when:
            met &= rows.condition(self.when)
        if self.words:
            wanted = [plain(word) for word in self.words.contains]
            text = pd.Series(rows.text(self.words.field), dtype="str").map(plain)
            met &= text.map(lambda one: any(word in one for word in wanted)).astype(bool)
        perhaps = pd.Series(rows.condition(self.unknown) if self.unknown else False, index=keys.index) & ~met
        timed = keys.assign(start=start, until=until)
        made = []
        for part, name, level in (
            (timed[met], self.id, self.level),
            (timed[perhaps], f"{self.id}/{NOT_JUDGED}", observed.settings.unjudged),
        ):
            seen = self._during(observed, part) if self.during else part
            made.append(findings(seen, name, level, seen["start"], ""))
        return made

    def _during(self, observed: Observations, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the rows that meet a dose above 0 of the drug, from the first day of both."""
        doses = observed.doses[(observed.doses["drug"] == self.during) & (observed.doses["daily"] != 0)]
        doses = doses.dropna(subset=["start"])[["record", "start", "end"]]
        pairs = rows.merge(doses.rename(columns={"start": "from", "end": "to"}), on="record")
        pairs = pairs[(pairs["start"] <= pairs["to"]) & (pairs["until"] >= pairs["from"])]
        both = pairs.assign(start=pairs[["start", "from"]].max(axis="columns"))
        return both.sort_values("start", kind="stable").drop_duplicates(["record", "event", "instance"])
