"""The rows of a time-to-event parameter: times in a declared unit, and whether each ended in the event."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metadata.errors import StudyError
from reports.results.selection import SUBJECT, Selection

TIME = "AVAL"
CENSORED = "CNSR"


@dataclass(frozen=True)
class CensoredTimes:
    """Times and events, one element a subject."""

    times: NDArray[np.float64]
    events: NDArray[np.bool_]


def censored_times(unit_days: float, rows: Selection) -> tuple[CensoredTimes, Selection]:
    """Read AVAL (divided by ``unit_days``) and CNSR (0 is the event, as ADaM TTE has it).

    Rows without a time are left out. Raises StudyError for a second record of a subject, and for a time below zero.
    """
    known = rows.present(TIME).present(CENSORED)
    table = known.table(SUBJECT, TIME, CENSORED)
    twice = table[table.duplicated(SUBJECT)]
    if len(twice):
        problem = f"{twice.iloc[0][SUBJECT]} has two records of one time to event; narrow the output's 'where'"
        raise StudyError(f"{rows.dataset}: {problem}")
    early = table[table[TIME] < 0]
    if len(early):
        raise StudyError(f"{rows.dataset}: {early.iloc[0][SUBJECT]} has a time below zero")
    times = table[TIME].to_numpy(float) / unit_days
    return CensoredTimes(times, (table[CENSORED] == 0).to_numpy(bool)), known
