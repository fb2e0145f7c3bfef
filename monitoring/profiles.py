"""Patients' profiles: doses, results and events of one subject on one axis of time, as a figure before it is drawn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from monitoring.observations import Observations
from monitoring.plan import Plan
from monitoring.rules.results import Limits
from monitoring.settings import ProfileEvent
from reports.layout.figure import CourseFigure, CoursePanel, ProfileLine, TimelineLayer

SHAPES = ("diamond", "square", "triangle", "circle")
MONTH = 365.25 / 12
MOST_TICKS = 14


def profile_of(observed: Observations, plan: Plan, record: str) -> CourseFigure:
    """Return the profile of a record; days are counted from its first dose, or its first day without one."""
    doses = observed.doses[observed.doses["record"] == record]
    start = doses["start"].min()
    origin = start if pd.notna(start) else observed.first_of(pd.Series([record])).iloc[0]
    last = (pd.Timestamp(observed.as_of) - origin).days
    known = [*_doses(observed, doses, origin, last), *_results(observed, plan, record, origin)]
    lanes = tuple(_events(observed, record, origin, last))
    shown = [x for panel in known for line in panel.lines for x in line.x]
    shown += [day for lane in lanes for _, *span in (*lane.spans, *lane.points) for day in span]
    subject = observed.subjects.set_index("record")["subject"].get(record, record)
    return CourseFigure(
        x_label=f"Days since {origin.date()}", x_ticks=_ticks(shown), panels=tuple(known), lanes=lanes,
        description=f"Doses, results and events of subject {subject} since {origin.date()}.",
    )  # fmt: skip


def _days(days: pd.Series, origin: pd.Timestamp) -> tuple[float, ...]:
    return tuple((days - origin).dt.days.astype(float))


def _ticks(days: list[float]) -> tuple[float, ...]:
    """Return ticks at whole quarters of a year, or years where there would be too many."""
    high = max([*days, 1.0])
    step = next((size for size in (30, 90, 180, 360, 720) if high / size < MOST_TICKS), 3600)
    return tuple(float(day) for day in range(0, int(high) + 1, step))


def _doses(observed: Observations, doses: pd.DataFrame, origin: pd.Timestamp, last: int) -> Iterator[CoursePanel]:
    """Yield a panel for each drug: the dose a day, 0 between courses."""
    for name in observed.settings.drugs:
        own = doses[(doses["drug"] == name) & doses["start"].notna()].dropna(subset=["daily"])
        begins = _days(own["start"], origin)
        ends = tuple(min(day + 1, float(last)) for day in _days(own["end"], origin))
        x, y = [*begins, *ends], [*own["daily"], *np.zeros(len(own))]
        given = pd.DataFrame({"x": x, "y": y}).sort_values(["x", "y"], kind="stable").drop_duplicates("x", keep="last")
        yield CoursePanel(f"{name}, a day", (ProfileLine(name, tuple(given["x"]), tuple(given["y"])),), steps=True)


def _results(observed: Observations, plan: Plan, record: str, origin: pd.Timestamp) -> Iterator[CoursePanel]:
    """Yield a panel for each test of the profile that has a result, with the limits that the plan sets in its unit."""
    for test in observed.settings.profile.tests if observed.settings.profile else ():
        own = observed.results[(observed.results["record"] == record) & (observed.results["test"] == test)]
        own = own[own["low"] == own["high"]].sort_values("day", kind="stable")
        if len(own):
            line = ProfileLine(test, _days(own["day"], origin), tuple(own["low"]))
            unit = own["unit"].iloc[0]
            yield CoursePanel(f"{test}, {unit}" if unit else test, (line,), tuple(_limits(plan, test)))


def _limits(plan: Plan, test: str) -> list[float]:
    rules = [rule for rule in plan.rules if isinstance(rule, Limits) and test in rule.tests]
    limits = [limit for rule in rules for level in rule.levels.values() for limit in level]
    found = [value for limit in limits for value in (limit.below, limit.above, limit.at_least) if value is not None]
    return sorted(set(found))


def _events(observed: Observations, record: str, origin: pd.Timestamp, last: int) -> Iterator[TimelineLayer]:
    """Yield a lane for each kind of event of the profile: a mark, or a span where it says when it ends."""
    for place, event in enumerate(observed.settings.profile.events if observed.settings.profile else ()):
        rows = _rows(observed, event)
        own = rows[(rows["record"] == record) & (rows["start"] <= observed.as_of)]
        starts = _days(own["start"], origin)
        shape, colour = SHAPES[place % len(SHAPES)], place + 1
        if event.end:
            ends = own["end"].where(own["end"] <= observed.as_of, pd.Timestamp(observed.as_of))
            spans = tuple(zip([0] * len(own), starts, _days(ends, origin), strict=True))
            yield TimelineLayer(event.label, 1, spans, (), shape, False, colour)
        else:
            points = tuple((0, day) for day in starts)
            yield TimelineLayer(event.label, 1, (), points, shape, False, colour)


def _rows(observed: Observations, event: ProfileEvent) -> pd.DataFrame:
    """Return record, start and end of the rows of an event that have a date."""
    keys = observed.keys(event.form).reset_index(drop=True)
    rows = keys.assign(start=observed.days(event.form, event.date)[0])
    rows["end"] = observed.days(event.form, event.end)[1] if event.end else pd.NaT
    met = observed.rows(event.form).condition(event.when) if event.when else np.ones(len(rows), bool)
    return rows[met & rows["start"].notna().to_numpy()]
