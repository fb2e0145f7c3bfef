"""The rows of a rate: events and person-time of each subject, and what is printed of a group."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from metadata.declaration_limits import Text
from metadata.errors import StudyError
from reports.results.builder import ResultPlace, ResultsBuilder, ResultSource
from reports.results.formats import COUNT, pattern
from reports.results.selection import SUBJECT, Selection
from reports.results.specification import Decimals, NumberVariable, Output
from reports.statistics.estimate import Estimate
from reports.statistics.event_rate import event_rate


@dataclass(frozen=True)
class RateKeys:
    """A rate: the variables of counts and of person-time, and the unit of the latter."""

    time: NumberVariable
    unit: Text
    count: NumberVariable = "AVAL"
    decimals: Decimals = 3


Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PersonTimeRows:
    """Events and person-time, one element a subject; rows without count or person-time are left out."""

    subjects: tuple[str, ...]
    events: Floats
    time: Floats

    @property
    def count(self) -> int:
        return int(self.events.sum())

    @property
    def total(self) -> float:
        return float(self.time.sum())

    @property
    def n(self) -> int:
        return len(self.subjects)


def person_time(rate: RateKeys, rows: Selection) -> PersonTimeRows:
    """Sum the events and the person-time of each subject; raises StudyError for events in no time at risk."""
    count, time = rate.count, rate.time
    happened = rows.above(count, 0)
    if happened.size > happened.above(time, 0).size:
        problem = f"a record has events ({count}) and no person-time ({time}); it would be left out"
        raise StudyError(f"{rows.dataset}: {problem}")
    known = at_risk(rate, rows)
    events, spent = known.column(count).to_numpy(float), known.column(time).to_numpy(float)
    if (events % 1 != 0).any() or (events < 0).any():
        raise StudyError(f"{rows.dataset}.{count} does not count events: a rate needs whole numbers from zero")
    subjects, places = np.unique(known.column(SUBJECT).to_numpy(str), return_inverse=True)
    events, spent = (np.bincount(places, each, len(subjects)).astype(float) for each in (events, spent))
    return PersonTimeRows(tuple(subjects.tolist()), events, spent)


def at_risk(rate: RateKeys, rows: Selection) -> Selection:
    """Return the rows with a number of events and some person-time: those that count."""
    return rows.present(rate.count).present(rate.time).above(rate.time, 0)


def add_rate(
    output: Output, builder: ResultsBuilder, place: ResultPlace, rate: RateKeys, rows: Selection
) -> PersonTimeRows:
    """Record subjects, events, person-time, the rate with its interval, and the mean of the subjects' rates."""
    found, shown, rows = person_time(rate, rows), pattern(rate.decimals), at_risk(rate, rows)
    values = {
        "n": (Estimate(float(found.n), "Number of subjects with person-time", found.n), COUNT),
        "events": (Estimate(float(found.count), "Sum of events", found.n), COUNT),
        "person_time": (Estimate(found.total, f"Sum of person-time ({rate.unit})", found.n), pattern(1)),
    }
    for name, (value, wanted) in values.items():
        builder.add(output, place, name, value, wanted, rows)
    group = event_rate(found.count, found.total, found.n)
    add_bounded(output, builder, place, "estimate", group, shown, rows)
    mean = float((found.events / found.time).mean()) if found.n else float("nan")
    warning = "" if found.n else "not estimable: no person-time"
    builder.add(output, place, "mean", Estimate(mean, "Mean of the subjects' rates", found.n, warning), shown, rows)
    return found


def add_bounded(
    output: Output,
    builder: ResultsBuilder,
    place: ResultPlace,
    name: str,
    estimate: Estimate,
    shown: str,
    rows: ResultSource,
) -> None:
    """Record an estimate and its bounds."""
    builder.add(output, place, name, estimate, shown, rows)
    for bound, value in (("lower", estimate.lower), ("upper", estimate.upper)):
        builder.add(output, place, bound, replace(estimate, value=value), shown, rows)
