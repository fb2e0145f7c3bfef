"""The derivation windows: each record gets the visit in whose analysis window its day lies, by its parameter's plan.

Days are set against each other on the scale of elapsed days, since there is no day 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from adam.columns.columns import Columns, Values, number, text
from adam.language.derivation import (
    Derivation,
    DerivationContext,
    Outcome,
    keyed,
    listed,
)
from adam.language.kinds import KnownParameter, NumberColumn
from metadata.coded_text import CodedText
from metadata.condition import DatasetKinds
from metadata.declaration import Place
from metadata.errors import Gather, StudyError, nearest
from metadata.study import Study
from metadata.variable_kind import CHAR, NUM, ClosedText
from metadata.yaml_source import complain


@dataclass(frozen=True)
class Window:
    """One window: visit, its number and target, and first and last day (infinite where open)."""

    visit: str
    number: float
    target: float
    low: float
    high: float


@dataclass(frozen=True)
class Schedule:
    """The visits of study.yaml at which the parameters ``paramcd`` are planned; without ``paramcd`` all others are."""

    visits: tuple[str, ...]
    paramcd: tuple[KnownParameter, ...] = ()
    node: Place = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Bounds:
    """First and last study day of one visit's window; without one of them the window is open on that side."""

    first: int | None = None
    last: int | None = None


def planned_visits(schedule: Schedule, study: Study) -> list[tuple[str, float, float]]:
    """Return name, number and day of a schedule's visits; raises StudyError for one that study.yaml does not plan."""
    planned = {
        visit.visit: (visit.visit.capitalize(), visit.visitnum, float(visit.day))
        for visit in study.visits
        if visit.day is not None and visit.visitnum is not None
    }
    found = []
    for visit in schedule.visits:
        if visit not in planned:
            problem = f"study.yaml plans no visit '{visit}' on a day{nearest(visit, planned)}"
            raise complain(schedule.node, "visits", problem)
        found.append(planned[visit])
    return found


def check_schedules(schedules: Sequence[Schedule], study: Study) -> None:
    """Raise StudyError for visits of schedules that study.yaml does not plan."""
    with Gather() as gather:
        for schedule in schedules:
            with gather.part():
                planned_visits(schedule, study)


def visits_of(schedules: Sequence[Schedule]) -> ClosedText:
    """Return the texts of AVISIT that schedules give."""
    return ClosedText(visit.capitalize() for schedule in schedules for visit in schedule.visits)


def elapsed(day: np.ndarray) -> np.ndarray:
    """Return study days on a scale without the gap at day 0: day 1 is 0, day -1 is -1."""
    return np.where(day > 0, day - 1, day)


def numbered_day(days: float) -> float:
    """Return the study day of a number of elapsed days."""
    return days + 1 if days >= 0 else days


def cut(targets: list[tuple[str, float, float]], baseline_day: float, tie: str = "later") -> list[Window]:
    """Return the windows of (visit, number, target day), which partition all study days; ``tie`` gets a midway day."""
    ordered = sorted(targets, key=lambda target: target[2])
    made, low = [], -np.inf
    for index, (visit, visitnum, target) in enumerate(ordered):
        following = ordered[index + 1][2] if index + 1 < len(ordered) else None
        high = np.inf if following is None else _last_day(target, following, baseline_day, tie)
        made.append(Window(visit, visitnum, target, low, high))
        low = np.inf if high == np.inf else numbered_day(float(elapsed(np.array(high))) + 1)
    return made


def _last_day(target: float, following: float, baseline_day: float, tie: str) -> float:
    """Return the last day of the window of ``target``: up to the middle, or treatment start if it lies between."""
    if target <= baseline_day < following:
        return baseline_day
    middle = (float(elapsed(np.array(target))) + float(elapsed(np.array(following)))) / 2
    return numbered_day(np.floor(middle) if tie == "earlier" else np.ceil(middle) - 1)


@keyed("windows")
@dataclass(frozen=True, kw_only=True)
class Windows(Derivation):
    """Give each record the visit in whose analysis window its day lies, with the window's target and bounds.

    Windows are contiguous and cut midway between consecutive targets of the parameter's schedule (``bounds`` midway);
    a day midway belongs to the visit that ``tie`` says. Treatment start is a cut of its own: days up to
    ``baseline_day`` belong to visits planned up to that day, later days to later visits. The first window has no
    beginning, the last no end. With ``bounds`` planned the windows are those of the visits in study.yaml;
    ``visit_bounds`` gives single visits other ones. Then a day in no window has no visit, and one in several that of
    the nearest target (``tie`` again). Early-termination and unscheduled records take part like all others; a record
    without a day has no visit. A parameter that no schedule is of is an error. AVISIT and AVISITN come with AWTARGET,
    AWTDIFF, AWLO, AWHI and AWU, so that each choice explains itself; ``flag_one`` says which of several records of a
    visit is analysed, ordered by AWTDIFF.
    """

    schedules: tuple[Schedule, ...]
    bounds: Literal["midway", "planned"] = "midway"
    visit_bounds: dict[str, Bounds] = field(default_factory=dict)
    tie: Literal["later", "earlier"] = "later"
    baseline_day: int = 1
    source: NumberColumn = "ADY"

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        parameters = text(columns, "PARAMCD")
        schedule_of = parameters.each(self._schedule, int)
        day = number(columns, self.source)
        self._check_planned(parameters, schedule_of, columns, count)
        windows: list[Window] = []
        position = np.full(count, -1)
        for index, schedule in enumerate(self.schedules):
            made = self._windows(schedule, context.study)
            rows = np.flatnonzero((schedule_of == index) & ~np.isnan(day))
            midway = self.bounds == "midway"
            found = _only(made, day[rows]) if midway else _nearest(made, day[rows], self.tie)
            position[rows] = np.where(found < 0, -1, found + len(windows))
            windows += made
        return Outcome(self._columns(windows, position, day))

    def check(self) -> None:
        known = {visit for schedule in self.schedules for visit in schedule.visits}
        strange = [visit for visit in self.visit_bounds if visit not in known]
        if strange:
            raise StudyError(
                f"visit_bounds are given for '{strange[0]}', which no schedule has{nearest(strange[0], known)}"
            )
        if self.visit_bounds and self.bounds == "midway":
            raise StudyError("visit_bounds replace the planned bounds of single visits: write 'bounds: planned'")

    def check_files(self, study: Study) -> None:
        check_schedules(self.schedules, study)

    def closed_texts(self, variable: str, kinds: DatasetKinds) -> ClosedText | None:
        return visits_of(self.schedules) if variable == "AVISIT" else super().closed_texts(variable, kinds)

    def also_reads(self) -> tuple[str, ...]:
        return ("PARAMCD",)

    def also_makes(self) -> dict[str, str]:
        numbers = dict.fromkeys(("AVISITN", "AWTARGET", "AWTDIFF", "AWLO", "AWHI"), NUM)
        return {"AVISIT": CHAR, **numbers, "AWU": CHAR}

    def _windows(self, schedule: Schedule, study: Study) -> list[Window]:
        targets = planned_visits(schedule, study)
        if self.bounds == "midway":
            return cut(targets, self.baseline_day, self.tie)
        planned = {visit.visit: visit.window for visit in study.visits}
        made = []
        for name, (visit, visitnum, target) in zip(schedule.visits, targets, strict=True):
            low, high = _bounds(target, planned[name], self.visit_bounds.get(name))
            made.append(Window(visit, visitnum, target, low, high))
        return sorted(made, key=lambda window: window.target)

    def _check_planned(self, parameters: CodedText, schedule_of: np.ndarray, columns: Columns, count: int) -> None:
        """Raise StudyError for a parameter without a schedule, whose records would have no visit."""
        looked_at = self.when.holds(columns, count) if self.when else np.ones(count, bool)
        unplanned = parameters.among((schedule_of < 0) & looked_at & parameters.present())
        if unplanned:
            raise StudyError(f"no schedule is of PARAMCD {listed(unplanned)}: add one, one without 'paramcd' for all"
                             " others, or leave such records out with 'when'")  # fmt: skip

    def _schedule(self, parameter: str) -> int:
        for index, schedule in enumerate(self.schedules):
            if parameter in schedule.paramcd:
                return index
        others = [index for index, schedule in enumerate(self.schedules) if not schedule.paramcd]
        return others[0] if others else -1

    def _columns(self, windows: list[Window], position: np.ndarray, day: np.ndarray) -> dict[str, Values]:
        def values(name: str) -> np.ndarray:
            table = np.array([*(getattr(window, name) for window in windows), np.nan], float)[position]
            return np.where(np.isinf(table), np.nan, table)

        target = values("target")
        difference = np.abs(elapsed(day) - elapsed(target))
        return {
            "AVISIT": CodedText.of_codes(position, [window.visit for window in windows]),
            "AVISITN": values("number"),
            "AWTARGET": target,
            "AWTDIFF": difference,
            "AWLO": values("low"),
            "AWHI": values("high"),
            "AWU": CodedText.of_codes(np.where(position < 0, -1, 0), ["DAYS"]),
        }

    def _how(self) -> str:
        if self.bounds == "midway":
            return (
                f"windows are contiguous, cut midway between consecutive targets of the schedule of PARAMCD"
                f" (midway: the {self.tie}), and at day {self.baseline_day}"
            )
        return "windows are those planned for the visits of PARAMCD; in several, the nearest target's"

    def sentence(self, variable: str) -> str:
        texts = {
            "AVISITN": "Number of AVISIT in the schedule of visits.",
            "AWTARGET": "Planned study day of AVISIT.",
            "AWTDIFF": f"Distance in days of {self.source} from AWTARGET, there being no day 0.",
            "AWLO": "First day of the window of AVISIT; missing if it has no beginning.",
            "AWHI": "Last day of the window of AVISIT; missing if it has no end.",
            "AWU": "Unit of the window's bounds.",
        }
        return texts.get(variable) or (
            f"The visit in whose window {self.source} lies: {self._how()}. {self._schedules()}"
        )

    def _schedules(self) -> str:
        others = "Other parameters" if len(self.schedules) > 1 else "All parameters"
        phrases = [
            f"{listed(schedule.paramcd) or others}: {', '.join(map(str.capitalize, schedule.visits))}."
            for schedule in self.schedules
        ]
        return " ".join(phrases)


def _bounds(target: float, window: Sequence[float] | None, given: Bounds | None) -> tuple[float, float]:
    """Return first and last study day of a visit's window: those given, else the planned days around its target."""
    if given:
        return -np.inf if given.first is None else given.first, np.inf if given.last is None else given.last
    if not window:
        return -np.inf, np.inf
    around = float(elapsed(np.array(target)))
    return numbered_day(around + float(window[0])), numbered_day(around + float(window[1]))


def _only(windows: list[Window], day: np.ndarray) -> np.ndarray:
    """Return for each day the one window in which it lies, of windows that leave no gap."""
    return np.searchsorted(np.array([window.low for window in windows]), day, side="right") - 1


def _nearest(windows: list[Window], day: np.ndarray, tie: str) -> np.ndarray:
    """Return for each day the window in which it lies, of several that with the nearest target; -1 for none."""
    if not windows:
        return np.full(len(day), -1)
    low, high, target = (np.array([getattr(window, name) for window in windows]) for name in ("low", "high", "target"))
    distance = np.abs(elapsed(day)[:, None] - elapsed(target))
    distance = np.where((low <= day[:, None]) & (day[:, None] <= high), distance, np.inf)
    last = len(windows) - 1 - distance[:, ::-1].argmin(axis=1)
    found = last if tie == "later" else distance.argmin(axis=1)
    return np.where(np.isinf(distance.min(axis=1)), -1, found)
