"""How the study stands: subjects by site and month, visits that are due, done and missing, and adverse events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from metadata.dataset import Dataset
from metadata.study_declaration import Visit

SUBJECT = "USUBJID"
DAYS = "datetime64[D]"


@dataclass(frozen=True)
class SiteState:
    """Subjects of a site: with consent, with a start of treatment or of the reference period, and whose part ended."""

    site: str
    consented: int
    started: int
    ended: int


@dataclass(frozen=True)
class VisitState:
    """A planned visit: whose it was to be by the date of the data, who has it, who has not, who had it early."""

    visit: str
    day: int
    due: int
    done: int
    missing: int
    early: int


@dataclass(frozen=True)
class SafetyState:
    """Adverse events and deaths: records, and subjects."""

    events: int
    subjects: int
    serious: int
    serious_subjects: int
    deaths: int


def site_states(subjects: Dataset) -> list[SiteState]:
    """Return the subjects of each site of DM, the last line of all together."""
    frame = subjects.frame
    given = pd.DataFrame({
        "site": frame["SITEID"].astype(str), "consented": _given(frame, "RFICDTC"),
        "started": _given(frame, "RFSTDTC"), "ended": _given(frame, "RFPENDTC"),
    })  # fmt: skip
    sums = given.groupby("site", sort=True)[["consented", "started", "ended"]].sum().astype(int)
    rows = [*zip(sums.index.tolist(), *(sums[name].tolist() for name in sums), strict=True)]
    return [SiteState(*row) for row in [*rows, ("All sites", *sums.sum().tolist())]]


def consents_by_month(subjects: Dataset) -> list[tuple[str, int, int]]:
    """Return month, subjects whose consent is of it, and all until then; months without anybody are among them."""
    dates = _dates(subjects.frame, "RFICDTC")
    months = dates[~np.isnat(dates)].astype("datetime64[M]")
    if not len(months):
        return []
    every = np.arange(months.min(), months.max() + 1)
    counts = np.bincount((months - every[0]).astype(int), minlength=len(every))
    return list(zip(every.astype(str).tolist(), counts.tolist(), np.cumsum(counts).tolist(), strict=True))


def visit_states(visits: Sequence[Visit], subjects: Dataset, held: Dataset | None, date: str) -> list[VisitState]:
    """Return for each visit with a planned day who has it and who should.

    It is due of a subject once its window has closed by ``date``, unless the subject's participation (RFPENDTC) ended
    before the planned day. Subjects without a reference start (RFSTDTC) are expected at no visit.
    """
    start, end = _dates(subjects.frame, "RFSTDTC"), _dates(subjects.frame, "RFPENDTC")
    names = subjects.frame[SUBJECT].astype(str)
    found = []
    for visit in visits:
        if visit.day is None or visit.unscheduled:
            continue
        planned = start + np.timedelta64(visit.day - (visit.day > 0), "D")
        closed = planned + np.timedelta64((visit.window or [0, 0])[1], "D") <= np.datetime64(date, "D")
        left = ~np.isnat(end) & (end < planned)
        expected = ~np.isnat(start) & closed & ~left
        done = names.isin(_subjects_at(held, visit.visitnum)).to_numpy()
        found.append(VisitState(
            visit.visit, visit.day, int(expected.sum()), int((expected & done).sum()),
            int((expected & ~done).sum()), int((done & ~expected).sum()),
        ))  # fmt: skip
    return found


def safety_state(events: Dataset | None, subjects: Dataset) -> SafetyState:
    """Return the counts of adverse events, of those called serious, and of deaths."""
    deaths = int(subjects.frame["DTHFL"].eq("Y").sum()) if "DTHFL" in subjects.frame else 0
    if events is None:
        return SafetyState(0, 0, 0, 0, deaths)
    frame = events.frame
    serious = frame[frame["AESER"].eq("Y").to_numpy()] if "AESER" in frame else frame.iloc[:0]
    return SafetyState(len(frame), frame[SUBJECT].nunique(), len(serious), serious[SUBJECT].nunique(), deaths)


def _subjects_at(held: Dataset | None, number: float | None) -> Sequence[str]:
    if held is None or number is None:
        return []
    return held.frame.loc[held.frame["VISITNUM"].eq(number).to_numpy(), SUBJECT].astype(str).tolist()


def _given(frame: pd.DataFrame, name: str) -> np.ndarray:
    return frame[name].astype(str).ne("").to_numpy() if name in frame else np.zeros(len(frame), bool)


def _dates(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Return ISO 8601 texts as days; those that lack the day are no dates here."""
    texts = frame[name].astype(str).str[:10] if name in frame else pd.Series("", index=frame.index)
    return pd.to_datetime(texts, format="%Y-%m-%d", errors="coerce").to_numpy().astype(DAYS)


def named(datasets: Mapping[str, Dataset], name: str) -> Dataset | None:
    """Return a dataset that has records, if there is one."""
    dataset = datasets.get(name)
    return dataset if dataset is not None and len(dataset.frame) else None
