"""How long a criterion was met: from the first record that meets it to the first later one that does not."""

from __future__ import annotations

import numpy as np

from reports.results.selection import SUBJECT, Selection
from reports.statistics.kaplan_meier import SurvivalCurve, kaplan_meier


def first_episodes(records: Selection, met: Selection, day: str) -> SurvivalCurve:
    """Product-limit estimate of the days from each subject's first record that meets a criterion to recovery.

    ``met`` are those of the ``records`` that meet it. An episode that lasts to the subject's last record is censored
    there. Records of one day count as met if any of them is.
    """
    subjects, days = records.column(SUBJECT).to_numpy(str), records.column(day).to_numpy(float)
    meets = np.isin(_rows(records), _rows(met))
    times, ended = [], []
    for subject in np.unique(subjects[meets]).tolist():
        own = subjects == subject
        start = days[own & meets].min()
        later = np.setdiff1d(days[own & ~meets & (days > start)], days[own & meets])
        ended.append(later.size > 0)
        times.append((later.min() if later.size else days[own].max()) - start)
    return kaplan_meier(times, ended)


def _rows(chosen: Selection) -> np.ndarray:
    return np.arange(len(chosen.base)) if chosen.positions is None else chosen.positions
