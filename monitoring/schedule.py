"""Days on which controls are due: so many days, weeks or months after a start, phase by phase."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as attribute
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np

from metadata.declaration import Place
from metadata.declaration_limits import Limit

if TYPE_CHECKING:
    import pandas as pd

Unit = Literal["day", "week", "month"]
DAYS_OF: dict[str, float] = {"day": 1.0, "week": 7.0, "month": 365.25 / 12}
"""Days of a unit on the average, to tell which of two phases comes first."""


@dataclass(frozen=True)
class Phase:
    """A control ``every`` so many units, up to ``until`` of them after the start; the last phase has no end."""

    every: Annotated[int, Limit(1, 1000)]
    unit: Unit
    until: Annotated[int, Limit(1, 10000)] | None = None
    node: Place = attribute(default=None, compare=False, repr=False)


def steps(phases: list[Phase], days: float) -> list[tuple[int, Unit]]:
    """Return the steps after a start, up to so many days.

    A step of a phase less than half its interval after the last of the phase before is left out.
    """
    made: list[tuple[int, Unit]] = []
    last = 0.0
    for phase in phases:
        length = DAYS_OF[phase.unit]
        end = min(days, np.inf if phase.until is None else phase.until * length)
        numbers = range(phase.every, int(end / length) + 1, phase.every)
        kept = [number for number in numbers if number * length >= last + phase.every * length / 2]
        made += [(number, phase.unit) for number in kept]
        last = kept[-1] * length if kept else last
    return made


def after(start: np.ndarray, number: int, unit: Unit) -> np.ndarray:
    """Return the day so many units after each start (datetime64[D]); a month too short for the day ends on its last."""
    if unit != "month":
        return start + np.timedelta64(number * (7 if unit == "week" else 1), "D")
    month = start.astype("datetime64[M]")
    within = (start - month.astype("datetime64[D]")).astype(int)
    last = ((month + number + 1).astype("datetime64[D]") - (month + number).astype("datetime64[D]")).astype(int) - 1
    return (month + number).astype("datetime64[D]") + np.minimum(within, last)


def due_days(starts: pd.DataFrame, phases: list[Phase], until: np.datetime64) -> pd.DataFrame:
    """Return each day due after each start (a row of record and start), with the days between which it counts.

    ``opens`` is the middle between a due day and the one before it, ``closes`` the day before the next one opens. The
    first due day after ``until`` is the last of a start.
    """
    begun = starts["start"].to_numpy().astype("datetime64[D]")
    longest = 0 if not len(begun) else int((until.astype("datetime64[D]") - begun.min()).astype(int))
    planned = steps(phases, max(longest, 0) + 400)
    table = np.stack([begun, *(after(begun, number, unit) for number, unit in planned)], axis=1)
    middle = table[:, :-1] + (table[:, 1:] - table[:, :-1]) // 2 + np.timedelta64(1, "D")
    count = len(planned)
    far = np.full((len(begun), 1), np.datetime64("2200-01-01"))
    made = starts.loc[starts.index.repeat(count)].reset_index(drop=True)
    made["due"] = table[:, 1:].ravel().astype("datetime64[ns]")
    made["opens"] = middle.ravel().astype("datetime64[ns]")
    closes = np.concatenate([middle[:, 1:] - np.timedelta64(1, "D"), far], axis=1) if count else far[:, :0]
    made["closes"] = closes.ravel().astype("datetime64[ns]")
    before = np.concatenate([begun[:, None], table[:, 1:-1]], axis=1) if count else table[:, :0]
    return made[(before.ravel() <= until.astype("datetime64[D]"))].reset_index(drop=True)
