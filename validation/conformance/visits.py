"""Rules about visits: every record's visit took place (SV), as planned (TV, or the study's own visits)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from validation.conformance.rule import Hit, rule
from validation.conformance.tabulations import Domain, Tabulations

ENCOUNTER = "SDTMIG 3.3, section 4.4.5"
PLANNED = "SDTMIG 3.3, section 7.3.1"
SHOWN_VISITS = 200
MISSING_DAY = np.datetime64("NaT", "D")
DAY = np.timedelta64(1, "D")


def _visited(data: Tabulations) -> list[Domain]:
    return [domain for domain in data.having("VISITNUM", "USUBJID") if domain.name != "SV"]


def _in_sv(visits: Domain, domain: Domain, values: np.ndarray) -> np.ndarray:
    """Return a value of SV for each record by subject and visit number; NaT or NaN where SV has no such visit."""
    index = pd.MultiIndex.from_arrays([visits.text("USUBJID"), visits.number("VISITNUM")])
    found = pd.Series(values, index=index)
    found = found[~found.index.duplicated()]
    wanted = pd.MultiIndex.from_arrays([domain.text("USUBJID"), domain.number("VISITNUM")])
    return found.reindex(wanted).to_numpy()


@rule("visit.in_sv", "A record's visit is one of the subject's in SV.", ENCOUNTER)
def visit_in_sv(data: Tabulations) -> Iterator[Hit]:
    visits = data.get("SV")
    if visits is None:
        return
    for domain in _visited(data):
        there = _in_sv(visits, domain, np.ones(visits.size))
        yield Hit(domain.name, "VISITNUM", ~np.isnan(domain.number("VISITNUM")) & np.isnan(there))


@rule("visit.date", "The date of a record at a visit lies between the visit's start and end.", ENCOUNTER)
def visit_date(data: Tabulations) -> Iterator[Hit]:
    visits = data.get("SV")
    if visits is None or not visits.has("SVSTDTC", "SVENDTC"):
        return
    for domain in _visited(data):
        if domain.has("--DTC"):
            start = _in_sv(visits, domain, visits.bounds("SVSTDTC")[0]).astype("datetime64[D]")
            end = _in_sv(visits, domain, visits.bounds("SVENDTC")[1]).astype("datetime64[D]")
            first, last = domain.bounds("--DTC")
            yield Hit(domain.name, domain.full("--DTC"), (last < start) | (first > end))


@rule("visit.name", "A visit's number, name and planned day belong together in all datasets.", ENCOUNTER)
def visit_name(data: Tabulations) -> Iterator[Hit]:
    domains = data.having("VISITNUM", "VISIT")
    pairs = [_pairs(domain) for domain in domains]
    if not pairs:
        return
    counts = pd.concat(pairs).groupby(["number", "name"], dropna=False)["records"].sum()
    both = counts.sort_values(ascending=False, kind="stable").index.to_frame(index=False)
    names = both.drop_duplicates("number").set_index("number")["name"]
    numbers = both.drop_duplicates("name").set_index("name")["number"]
    for domain in domains:
        number, name = domain.number("VISITNUM"), domain.text("VISIT")
        usual = (names.reindex(number).to_numpy(object) == name) & (numbers.reindex(name).to_numpy(float) == number)
        yield Hit(domain.name, "VISIT", ~usual & ~(np.isnan(number) & (name == "")))


def _pairs(domain: Domain) -> pd.DataFrame:
    given = pd.DataFrame({"number": domain.number("VISITNUM"), "name": domain.text("VISIT")})
    counted = given.dropna().groupby(["number", "name"]).size()
    return counted.rename("records").reset_index()


def planned_visits(data: Tabulations) -> pd.DataFrame:
    """Return the planned visits that have a day: number, name, day, and the last day of the window."""
    rows = [
        (float(node["visitnum"]), str(node["visit"]), float(node["day"]), float((node.get("window") or [0, 0])[1]))
        for node in data.study.visits
        if "visitnum" in node and "day" in node
    ]
    declared = pd.DataFrame(rows, columns=["number", "name", "day", "window"])
    design = data.get("TV")
    if design is None or not design.has("VISITNUM", "VISIT", "VISITDY"):
        return declared
    planned = {"number": design.number("VISITNUM"), "name": design.text("VISIT"), "day": design.number("VISITDY")}
    made = pd.DataFrame(planned).dropna(subset=["day"]).drop_duplicates("number")
    return made.merge(declared[["number", "window"]], on="number", how="left").fillna({"window": 0.0})


@rule("visit.planned", "A planned visit has the name and the day that the design gives its number.", PLANNED)
def visit_planned(data: Tabulations) -> Iterator[Hit]:
    planned = planned_visits(data).set_index("number")
    for domain in data.having("VISITNUM"):
        number = domain.number("VISITNUM")
        known = np.isin(number, planned.index.to_numpy(float))
        if domain.has("VISIT"):
            name = planned["name"].reindex(number).to_numpy(object)
            yield Hit(domain.name, "VISIT", known & (name != domain.text("VISIT")))
        if domain.has("VISITDY"):
            day = planned["day"].reindex(number).to_numpy(float)
            yield Hit(domain.name, "VISITDY", known & (day != domain.number("VISITDY")))


@rule("visit.once", "A subject has a visit once.", "SDTMIG 3.3, section 5.5")
def visit_once(data: Tabulations) -> Iterator[Hit]:
    visits = data.get("SV")
    if visits is not None:
        yield Hit("SV", "VISITNUM", pd.Series(visits.group("USUBJID", "VISITNUM")).duplicated().to_numpy(bool))


@rule("visit.order", "Planned visits follow each other in time.", ENCOUNTER, "warning")
def visit_order(data: Tabulations) -> Iterator[Hit]:
    visits = data.get("SV")
    if visits is None or not visits.has("SVSTDTC", "VISITNUM", "USUBJID"):
        return
    number, start = visits.number("VISITNUM"), visits.bounds("SVSTDTC")[0]
    at = np.flatnonzero(np.isin(number, planned_visits(data)["number"]) & ~np.isnat(start))
    subject = visits.words("USUBJID")[0]
    at = at[np.lexsort((number[at], subject[at]))]
    wrong = np.zeros(visits.size, bool)
    wrong[at[1:]] = (subject[at[1:]] == subject[at[:-1]]) & (start[at[1:]] < start[at[:-1]])
    yield Hit("SV", "SVSTDTC", wrong)


@rule("visit.lost", "A planned visit within a subject's participation took place, or its absence is explained.",
      PLANNED + "; ICH E3, section 10.2", "warning")  # fmt: skip
def visit_lost(data: Tabulations) -> Iterator[Hit]:
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


def _subjects(data: Tabulations, subjects: Domain, visits: Domain) -> pd.DataFrame:
    """Return treated subjects: the last planned visit reached, the last study day, whether the study was completed."""
    numbers = pd.Series(visits.number("VISITNUM"), index=visits.text("USUBJID"))
    planned = numbers[np.isin(numbers.to_numpy(), planned_visits(data)["number"])]
    made = pd.DataFrame({"subject": subjects.text("USUBJID")})
    start, end = subjects.day("RFSTDTC"), subjects.day("RFPENDTC")
    made["last"] = np.where(np.isnat(start) | np.isnat(end), np.nan, (end - start) / DAY + 1)
    made["reached"] = planned.groupby(level=0).max().reindex(made["subject"]).to_numpy(float)
    made["completed"] = made["subject"].isin(_completers(data))
    return made[~np.isnat(start)].drop_duplicates("subject")


def _completers(data: Tabulations) -> list[str]:
    found: list[str] = []
    for domain in data.of_domain("DS"):
        if domain.has("DSDECOD", "DSCAT", "USUBJID"):
            done = domain.equals("DSDECOD", "COMPLETED") & domain.equals("DSCAT", "DISPOSITION EVENT")
            found += domain.text("USUBJID")[done & domain.equals("DSSCAT", "", "STUDY PARTICIPATION")].tolist()
    return found
