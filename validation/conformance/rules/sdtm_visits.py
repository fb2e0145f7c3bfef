"""Rules about visits: every record's visit took place (SV), as planned (TV, or the study's own visits)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from metadata.coded_matching import first_match
from validation.conformance.rule import Hit, rule
from validation.conformance.sdtm_datasets import Domain, SdtmDatasets, repeated

if TYPE_CHECKING:
    import pandas as pd

ENCOUNTER = "SDTMIG 3.3, section 4.4.5"
PLANNED = "SDTMIG 3.3, section 7.3.1"
MISSING_DAY = np.datetime64("NaT", "D")
DAY = np.timedelta64(1, "D")


def _visited(data: SdtmDatasets) -> list[Domain]:
    return [domain for domain in data.having("VISITNUM", "USUBJID") if domain.name != "SV"]


def _in_sv(visits: Domain, domain: Domain) -> np.ndarray:
    """Return the row of SV for each record by subject and visit number; -1 where SV has no such visit."""
    names = ("USUBJID", "VISITNUM")
    row = first_match([domain.column(name) for name in names], [visits.column(name) for name in names])
    return np.where(domain.filled("VISITNUM"), row, -1)


@rule("visit.in_sv", "A record's visit is one of the subject's in SV.", ENCOUNTER)
def visit_in_sv(data: SdtmDatasets) -> Iterator[Hit]:
    visits = data.get("SV")
    if visits is None:
        return
    for domain in _visited(data):
        yield Hit(domain.name, "VISITNUM", domain.filled("VISITNUM") & (_in_sv(visits, domain) < 0))


@rule("visit.date", "The date of a record at a visit lies between the visit's start and end.", ENCOUNTER, "warning")
def visit_date(data: SdtmDatasets) -> Iterator[Hit]:
    visits = data.get("SV")
    if visits is None or not visits.has("SVSTDTC", "SVENDTC"):
        return
    start, end = (np.append(days, MISSING_DAY) for days in (visits.bounds("SVSTDTC")[0], visits.bounds("SVENDTC")[1]))
    for domain in _visited(data):
        if domain.has("--DTC"):
            row, (first, last) = _in_sv(visits, domain), domain.bounds("--DTC")
            yield Hit(domain.name, domain.full("--DTC"), (last < start[row]) | (first > end[row]))


@rule("visit.name", "A visit's number, name and planned day belong together in all datasets.", ENCOUNTER)
def visit_name(data: SdtmDatasets) -> Iterator[Hit]:
    pairs = {domain.name: _pairs(domain) for domain in data.having("VISITNUM", "VISIT")}
    counts: Counter[tuple[str, str]] = Counter()
    for distinct, codes in pairs.values():
        counts.update(dict(zip(distinct, np.bincount(codes, minlength=len(distinct)).tolist(), strict=True)))
    names, numbers = _usual(counts)
    for domain, (distinct, codes) in pairs.items():
        unusual = [
            (names.get(number), numbers.get(name)) != (name, number) and (number, name) != ("", "")
            for number, name in distinct
        ]
        yield Hit(domain, "VISIT", np.array(unusual, bool)[codes])


def _pairs(domain: Domain) -> tuple[list[tuple[str, str]], np.ndarray]:
    """Return the distinct pairs of visit number, as text, and name, and which of them each record has."""
    number, name = domain.column("VISITNUM"), domain.column("VISIT")
    distinct, codes = np.unique(number.codes.astype(int) * len(name.texts) + name.codes, return_inverse=True)
    places = (divmod(code, len(name.texts)) for code in distinct.tolist())
    return [(number.texts[first], name.texts[second]) for first, second in places], codes


def _usual(counts: Mapping[tuple[str, str], int]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the commonest name of each visit number, and the commonest number of each name."""
    numbered = [(number, name) for number, name in counts if number]
    commonest_first = sorted(numbered, key=lambda pair: (-counts[pair], float(pair[0]), pair[1]))
    names: dict[str, str] = {}
    numbers: dict[str, str] = {}
    for number, name in commonest_first:
        names.setdefault(number, name)
        numbers.setdefault(name, number)
    return names, numbers


def planned_visits(data: SdtmDatasets) -> pd.DataFrame:
    """Return the planned visits that have a day: number, name, day, and the last day of the window."""
    import pandas as pd

    rows = [
        (visit.visitnum, visit.visit, float(visit.day), float((visit.window or [0, 0])[1]))
        for visit in data.study.visits
        if visit.visitnum is not None and visit.day is not None
    ]
    declared = pd.DataFrame(rows, columns=["number", "name", "day", "window"])
    design = data.get("TV")
    if design is None or not design.has("VISITNUM", "VISIT", "VISITDY"):
        return declared
    planned = {"number": design.number("VISITNUM"), "name": design.text("VISIT"), "day": design.number("VISITDY")}
    made = pd.DataFrame(planned).dropna(subset=["day"]).drop_duplicates("number")
    return made.merge(declared[["number", "window"]], on="number", how="left").fillna({"window": 0.0})


@rule(
    "visit.planned",
    "A planned visit has the name and the day that the design gives its number.",
    PLANNED,
)
def visit_planned(data: SdtmDatasets) -> Iterator[Hit]:
    planned = planned_visits(data)
    numbers = [f"{number:.15g}" for number in planned["number"]]
    names, days = (dict(zip(numbers, planned[name], strict=True)) for name in ("name", "day"))
    for domain in data.having("VISITNUM"):
        column = domain.column("VISITNUM")
        known = column.isin(numbers)
        if domain.has("VISIT"):
            name = column.replace(names, "").array()
            yield Hit(domain.name, "VISIT", known & (name != domain.text("VISIT")))
        if domain.has("VISITDY"):
            day = column.each(lambda text: days.get(text, np.nan), float)
            yield Hit(domain.name, "VISITDY", known & (day != domain.number("VISITDY")))


@rule("visit.in_plan", "A visit with a planned day is one of the plan (TV).", PLANNED, covers="CG0032")
def visit_in_plan(data: SdtmDatasets) -> Iterator[Hit]:
    design = data.get("TV")
    if design is not None and design.has("VISITNUM") and design.size:
        known = design.column("VISITNUM").held
        for domain in data.having("VISITNUM", "VISITDY"):
            yield Hit(domain.name, "VISITNUM", domain.filled("VISITDY") & ~domain.equals("VISITNUM", *known))


@rule("visit.once", "A subject has a visit once.", "SDTMIG 3.3, section 5.5")
def visit_once(data: SdtmDatasets) -> Iterator[Hit]:
    visits = data.get("SV")
    if visits is not None:
        yield Hit("SV", "VISITNUM", repeated(visits.group("USUBJID", "VISITNUM")))


@rule("visit.order", "Planned visits follow each other in time.", ENCOUNTER, "warning")
def visit_order(data: SdtmDatasets) -> Iterator[Hit]:
    visits = data.get("SV")
    if visits is None or not visits.has("SVSTDTC", "VISITNUM", "USUBJID"):
        return
    number, start = visits.number("VISITNUM"), visits.bounds("SVSTDTC")[0]
    at = np.flatnonzero(np.isin(number, planned_visits(data)["number"]) & ~np.isnat(start))
    subject = visits.column("USUBJID").codes
    at = at[np.lexsort((number[at], subject[at]))]
    wrong = np.zeros(visits.size, bool)
    wrong[at[1:]] = (subject[at[1:]] == subject[at[:-1]]) & (start[at[1:]] < start[at[:-1]])
    yield Hit("SV", "SVSTDTC", wrong)


@rule("visit.lost", "A planned visit within a subject's participation took place, or its absence is explained.",
      PLANNED + "; ICH E3, section 10.2", "warning")  # fmt: skip
def visit_lost(data: SdtmDatasets) -> Iterator[Hit]:
    import pandas as pd

    visits, subjects = data.get("SV"), data.get("DM")
    if visits is None or subjects is None or not subjects.has("USUBJID"):
        return
    planned = planned_visits(data)
    grid = _subjects(data, subjects, visits).merge(planned, how="cross")
    past = (grid["number"] < grid["reached"]) | grid["completed"] | (grid["day"] + grid["window"] <= grid["last"])
    attended = pd.MultiIndex.from_arrays([visits.text("USUBJID"), visits.number("VISITNUM")])
    there = pd.MultiIndex.from_frame(grid[["subject", "number"]]).isin(attended)
    lost = grid[past.to_numpy(bool) & ~there]
    places = "USUBJID=" + lost["subject"] + " VISITNUM=" + lost["number"].map("{:g}".format).astype("str")
    if len(lost):
        yield Hit("SV", "VISITNUM", None, places=tuple(places.tolist()))


def _subjects(data: SdtmDatasets, subjects: Domain, visits: Domain) -> pd.DataFrame:
    """Return treated subjects: the last planned visit reached, the last study day, whether the study was completed."""
    import pandas as pd

    numbers = pd.Series(visits.number("VISITNUM"), index=visits.text("USUBJID"))
    planned = numbers[np.isin(numbers.to_numpy(), planned_visits(data)["number"])]
    made = pd.DataFrame({"subject": subjects.text("USUBJID")})
    start, end = subjects.day("RFSTDTC"), subjects.day("RFPENDTC")
    made["last"] = np.where(np.isnat(start) | np.isnat(end), np.nan, (end - start) / DAY + 1)
    made["reached"] = planned.groupby(level=0).max().reindex(made["subject"]).to_numpy(float)
    made["completed"] = made["subject"].isin(_completers(data))
    return made[~np.isnat(start)].drop_duplicates("subject")


def _completers(data: SdtmDatasets) -> list[str]:
    found: list[str] = []
    for domain in data.of_domain("DS"):
        if domain.has("DSDECOD", "DSCAT", "USUBJID"):
            done = domain.equals("DSDECOD", "COMPLETED") & domain.equals("DSCAT", "DISPOSITION EVENT")
            found += domain.text("USUBJID")[done & domain.equals("DSSCAT", "", "STUDY PARTICIPATION")].tolist()
    return found
