"""The numbers of visits (VISITNUM of SV): no two visits of a subject have the same one.

Planned events carry their VISITNUM in study.yaml. A visit that was not planned has the number that a field of the study
gives it, if SV maps VISITNUM, else n.1, n.2 after the last planned visit before it, by date (SDTMIG 3.3, section 5.4 on
unplanned visits).
"""

from __future__ import annotations

from collections.abc import Set

import numpy as np

from metadata.coded_matching import place_within
from metadata.coded_text import CodedText
from metadata.errors import StudyError
from metadata.study import Study
from metadata.units import text_of
from sdtm.columns.table import DomainTable
from sdtm.domains.visits import planned_visit, unscheduled_events

EARLIER = "EARLIER PARTICIPATION"  # SVUPDES of visits at which a subject was screened before
NUMBER = "VISITNUM"
STEPS = (10, 100, 1000, 10_000)


def number_visits(study: Study, table: DomainTable, earlier: Set[str] = frozenset()) -> None:
    """Set VISITNUM, VISIT and VISITDY of SV.

    Visits of ``earlier`` records, at which a subject was screened before, come before visit 1. A number from a field
    that is planned for another visit, or that an earlier visit of the subject has, is withheld, and the visit is
    numbered by its date.
    """
    event = table.hidden["event"]
    number, name, day = planned_visit(study, event)
    again = table.hidden["record"].isin(earlier)
    number[again], day[again] = np.nan, np.nan
    unscheduled = event.isin(unscheduled_events(study)) | again
    given = np.zeros(table.count, bool)
    if table.has(NUMBER):
        given = _take_given(table, number, name, unscheduled & ~again, _planned_numbers(study))
        number[given] = table.number(NUMBER)[given]
    late = unscheduled & ~given
    if late.any():
        number[late] = _between(table, number, late, unscheduled, sorted(_planned_numbers(study)))
    name = name.where(~unscheduled, name.join(text_of(number), " "))
    if again.any():
        described = table.text("SVUPDES")
        table.put("SVUPDES", described.where(~again | described.present(), EARLIER))
    table.put(NUMBER, number)
    table.put("VISIT", name)
    table.put("VISITDY", day)


def _planned_numbers(study: Study) -> dict[float, str]:
    """Return the planned visits by number."""
    return {visit.visitnum: visit.visit for visit in study.visits if visit.visitnum is not None}


def _take_given(
    table: DomainTable, number: np.ndarray, name: CodedText, free: np.ndarray, visits: dict[float, str]
) -> np.ndarray:
    """Return the visits whose number from a field is taken: of visits that were not planned, and of no other visit.

    The other numbers are withheld, each with the visit that it collides with.
    """
    given = table.number(NUMBER)
    for place, visit in visits.items():
        same = free & (given == place)
        if same.any():
            table.withhold_values(NUMBER, same, f"VISITNUM {place:g} is planned for the visit {visit}")
    other = ~free & ~np.isnan(given) & (given != number)
    if other.any():
        table.withhold_values(NUMBER, other, "the visit has another VISITNUM in study.yaml")
    taken = free & ~np.isnan(given) & ~np.isin(given, list(visits))
    again = taken & ~_first_of_subject(table, given, taken)
    if again.any():
        table.withhold_values(NUMBER, again, "an earlier visit of the subject has the same VISITNUM")
    return taken & ~again


def _first_of_subject(table: DomainTable, given: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """Return the visits that are the first, by date, of their subject with their number."""
    rows = np.flatnonzero(taken)
    order = rows[np.lexsort((rows, table.days("SVSTDTC")[0][rows].astype(np.int64)))]
    pairs = np.unique(np.stack([table.subject.codes[order], given[order]]), axis=1, return_inverse=True)[1]
    made = np.zeros(table.count, bool)
    made[order] = place_within(pairs.reshape(-1)) == 0
    return made


def _between(
    table: DomainTable, number: np.ndarray, late: np.ndarray, unscheduled: np.ndarray, plan: list[float]
) -> np.ndarray:
    """Return a number for each ``late`` visit: above the planned visit before it, below the next, and of no other."""
    import pandas as pd

    start = table.days("SVSTDTC")[0]
    frame = pd.DataFrame({"subject": table.subject.array(), "day": start, "number": number})
    frame["row"] = np.arange(table.count)
    before = frame[~unscheduled & ~np.isnat(start) & ~np.isnan(number)].sort_values(["day", "number"])
    wanted = frame.loc[late, ["subject", "day", "row"]].sort_values(["day", "row"])
    placed = pd.merge_asof(wanted, before[["subject", "day", "number"]], on="day", by="subject")
    first = 0.0 if not plan or plan[0] > 0 else np.floor(plan[0]) - 1
    base = placed["number"].fillna(first).to_numpy()
    order = placed.assign(base=base).groupby(["subject", "base"]).cumcount().to_numpy() + 1
    following = np.append(plan, np.inf)[np.searchsorted(plan, base, side="right")]
    made = np.empty(len(placed))
    for step in STEPS:
        made = np.round(base + order / step, 6)
        full = order.max() >= step or bool((made >= following).any())
        if not full and not _collide(table, number, placed["row"].to_numpy(), made):
            by_row = np.full(table.count, np.nan)
            by_row[placed["row"].to_numpy()] = made
            return by_row[late]
    problem = f"no VISITNUM is left between {base[0]:g} and {following[0]:g} for visits that were not planned"
    raise StudyError(f"{table.domain}: {problem}")


def _collide(table: DomainTable, number: np.ndarray, rows: np.ndarray, made: np.ndarray) -> bool:
    """Return True if a subject has another visit of a number that is to be given."""
    both = number.copy()
    both[rows] = made
    known = np.flatnonzero(~np.isnan(both))
    pairs = np.stack([table.subject.codes[known], both[known]])
    counts = np.unique(pairs, axis=1, return_counts=True, return_inverse=True)
    return bool((counts[2][counts[1].reshape(-1)] > 1)[np.isin(known, rows)].any())
