"""How long a criterion was met: from the first record that meets it to the next one that does not."""

from __future__ import annotations

import numpy as np

from reports.results.selection import SUBJECT, Selection
from reports.statistics.kaplan_meier import SurvivalCurve, kaplan_meier


def first_episodes(records: Selection, met: Selection, day: str) -> SurvivalCurve:
    """Product-limit estimate of the days from each subject's first record that meets a criterion to recovery.

    ``met`` are those of the ``records`` that meet it. An episode that lasts to the subject's last record is censored
    there. Records of one day count as met if any of them is.
    """
    assessed = records.table(SUBJECT, day).assign(met=np.isin(_rows(records), _rows(met)))
    days = assessed.groupby([SUBJECT, day])["met"].any().reset_index()
    start = days[days["met"]].groupby(SUBJECT)[day].min()
    since = days[days[day] > days[SUBJECT].map(start)]
    recovered = since[~since["met"]].groupby(SUBJECT)[day].min().reindex(start.index)
    last = days.groupby(SUBJECT)[day].max().reindex(start.index)
    return kaplan_meier(recovered.fillna(last) - start, recovered.notna())


def _rows(chosen: Selection) -> np.ndarray:
    return np.arange(len(chosen.base)) if chosen.positions is None else chosen.positions
