"""Findings: what a rule met, one row each, without any value of a patient.

The columns are record, rule, level, since (datetime64[ns], the day from which it holds), key (what tells it apart from
other findings of the rule), event, form and instance (where in REDCap it was seen, blank if nowhere) and about (tests,
or due dates).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

PLACE = ["event", "form", "instance"]
COLUMNS = ["record", "rule", "level", "since", "key", *PLACE, "about"]
SEPARATOR = "|"


def findings(
    rows: pd.DataFrame, rule: str, level: str | pd.Series, since: pd.Series | np.ndarray, about: str | pd.Series
) -> pd.DataFrame:
    """Return findings of rows with a record and, where they come from a form, event, form and instance."""
    import pandas as pd

    made = pd.DataFrame({"record": rows["record"].astype("str")}, index=rows.index)
    for name in PLACE:
        made[name] = rows[name].astype("str") if name in rows else ""
    days = pd.Series(pd.to_datetime(pd.Series(since).to_numpy()), index=rows.index).astype("datetime64[ns]")
    made = made.assign(rule=rule, level=level, since=days, about=about)
    texts = [made[name].astype("str") for name in (*PLACE, "about")]
    return made.assign(key=joined([*texts, written(days)]))[COLUMNS].reset_index(drop=True)


def joined(texts: Iterable[pd.Series]) -> pd.Series:
    """Return texts side by side as one, separated by a stroke."""
    first, *others = texts
    made = first.astype("str")
    for text in others:
        made = made + SEPARATOR + text.astype("str")
    return made


def written(days: pd.Series) -> pd.Series:
    """Return days as YYYY-MM-DD, blank where there is none."""
    import pandas as pd

    return pd.Series(days.dt.strftime("%Y-%m-%d"), index=days.index).fillna("").astype("str")


def together(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return all findings, each once, sorted by day, record, rule, level and key."""
    import pandas as pd

    held = [part for part in parts if len(part)]
    if not held:
        return nothing()
    whole = pd.concat(held, ignore_index=True).drop_duplicates(["record", "rule", "level", "key"])
    return whole.sort_values(["since", "record", "rule", "level", "key"], kind="stable", ignore_index=True)


def nothing() -> pd.DataFrame:
    """Return no findings."""
    import pandas as pd

    made = pd.DataFrame({name: pd.Series([], dtype="str") for name in COLUMNS})
    return made.assign(since=pd.Series([], dtype="datetime64[ns]"))
