"""Rates per person-time of each line of a table of incidence: of events, or of subjects with their first event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from metadata.declaration import Place
from metadata.declaration_limits import Above, Text
from metadata.schema_errors import needed_key
from metadata.yaml_source import complain
from reports.results.selection import SUBJECT, Selection
from reports.results.specification import Decimals, NumberVariable, SubjectVariable
from reports.statistics.estimate import Estimate
from reports.statistics.event_rate import event_rate
from reports.template_parts.tally import ALL, NOT_CODED, TallyLine

if TYPE_CHECKING:
    import pandas as pd

DAYS_A_YEAR = 365.25


@dataclass(frozen=True)
class ExposureRate:
    """A rate per so many subject-years of exposure, with its exact Poisson interval; ``label`` heads its column.

    ``events`` (event rate): all records, by the whole ``exposure`` in days of everybody. ``subjects`` (incidence rate,
    adjusted for exposure): subjects with a record, by the time until the first one, which counts its study day ``day``,
    and by the whole exposure of the others. Nobody's time is longer than his exposure.
    """

    kind: Literal["events", "subjects"]
    label: Text
    exposure: SubjectVariable
    day: NumberVariable = ""
    years: Annotated[float, Above(0)] = 100.0
    decimals: Decimals = 1
    node: Place = None

    def check(self) -> None:
        """Raise StudyError if the rate of subjects does not say when an event began."""
        if self.kind == "subjects" and not self.day:
            raise needed_key(self.node, "day", "a rate of subjects")

    @property
    def subset(self) -> str:
        """What results of this rate are called."""
        return f"rate of {self.kind} per {self.years:g} years"


@dataclass(frozen=True)
class RateOfLines:
    """One rate in one treatment: the estimate of each line."""

    rate: ExposureRate
    exposure: pd.Series
    lost: dict[TallyLine, float]

    def estimate(self, line: TallyLine, events: int, subjects: int) -> Estimate:
        """Return the rate of a line with so many records and subjects."""
        days = float(self.exposure.sum()) - self.lost.get(line, 0.0)
        count = events if self.rate.kind == "events" else subjects
        return event_rate(count, days / DAYS_A_YEAR / self.rate.years, len(self.exposure))


def rate_of_lines(rate: ExposureRate, subjects: Selection, rows: Selection, group: str, term: str) -> RateOfLines:
    """Return what a rate needs of the ``subjects`` of a treatment and of their records.

    Raises StudyError for a subject without exposure, and for a record of which the day is needed and missing.
    """
    exposure = subjects.table(SUBJECT, rate.exposure).set_index(SUBJECT)[rate.exposure].astype(float)
    unknown = int(exposure.isna().sum())
    if unknown:
        problem = f"{unknown} subject(s) of the population have no {rate.exposure}; a rate needs everybody's time"
        raise complain(rate.node, "exposure", problem)
    lost = _lost(rate, exposure, rows, group, term) if rate.kind == "subjects" else {}
    return RateOfLines(rate, exposure, lost)


def _lost(rate: ExposureRate, exposure: pd.Series, rows: Selection, group: str, term: str) -> dict[TallyLine, float]:
    """Return the days of exposure after the first event of each line, of all its subjects together."""
    names = [name for name in (group, term) if name]
    frame = rows.table(SUBJECT, *names, rate.day)
    undated = int(frame[rate.day].isna().sum())
    if undated:
        problem = f"{undated} record(s) have no {rate.day}, so that the time until the event is not known"
        raise complain(rate.node, "day", problem)
    frame["until"] = frame[rate.day].clip(lower=1)
    found: dict[TallyLine, float] = {}
    for depth in range(len(names) + 1):
        keys = names[:depth]
        first = frame.groupby([*keys, SUBJECT], sort=False, dropna=False)["until"].min().reset_index()
        time = exposure.reindex(first[SUBJECT]).to_numpy()
        first["lost"] = (time - first["until"]).clip(lower=0)
        sums = first.groupby(keys, sort=False, dropna=False)["lost"].sum() if keys else {ALL: first["lost"].sum()}
        for key, days in dict(sums).items():
            found[_line(key if isinstance(key, tuple) else (key,), bool(group), depth)] = float(days)
    return found


def _line(values: tuple[object, ...], grouped: bool, depth: int) -> TallyLine:
    texts = [str(value) if value and value == value else NOT_CODED for value in values[:depth]]
    if not depth:
        return TallyLine()
    if not grouped:
        return TallyLine(ALL, texts[0])
    return TallyLine(*texts)
