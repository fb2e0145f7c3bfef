"""Queries from run to run: which are new, how old each is, and which are resolved, by the listing of a run before.

The previous listing is an input like the records: the same records and the same previous listing give the same bytes,
and a listing that follows its own result for the same records is that result again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from metadata.errors import StudyError, UsageError
from metadata.records import Records
from metadata.spreadsheet import unguarded
from metadata.study import Study
from validation.queries import withheld
from validation.queries.identity import ASKED, ID_LENGTH, query_id
from validation.queries.listing import COLUMNS, LINK, in_order
from validation.queries.sites import site_of_records, sites_of

NEW, OPEN, ANSWERED, RESOLVED = "new", "open", "answered", "resolved"
STATUSES = (NEW, OPEN, ANSWERED, RESOLVED)
OUTSTANDING = (NEW, OPEN)
HISTORY = ("first_seen", "age_days", "resolved_on")
LISTED = (*COLUMNS[:3], "site", *COLUMNS[3:], *HISTORY)
"""The columns of a listing that is written."""
FILES = ("queries.csv", "validation/queries.csv")
"""Where a listing lies in the folder of a run until queries, and in that of a package."""
DAY = r"\d{4}-\d{2}-\d{2}"
PART = "Part of the study"
AGE_CLASSES = {"up to 7 days": 7, "8 to 30 days": 30, "31 to 90 days": 90, "over 90 days": None}
"""Ages that are counted together, each with its last day."""


@dataclass(frozen=True)
class Queries:
    """The queries ``found`` in the records, and those ``listed``: with age and status since the previous listing."""

    found: pd.DataFrame
    listed: pd.DataFrame


def age_class(ages: pd.Series) -> pd.Series:
    """Return for ages in days the words of their class."""
    limits = [last for last in AGE_CLASSES.values() if last is not None]
    return pd.Series(np.array(list(AGE_CLASSES), object)[np.searchsorted(limits, ages)], ages.index, dtype="str")


def previous_path(given: Path) -> Path:
    """Return the file of a previous listing, of which the file or the folder of a run is given.

    Raises UsageError if there is none.
    """
    found = [given] if given.is_file() else [given / name for name in FILES if (given / name).is_file()]
    if not found:
        raise UsageError(
            f"--previous {given}: there is no listing; give a queries.csv, or the folder of an earlier run"
        )
    return found[0]


def read_previous(study: Study, path: Path) -> pd.DataFrame:
    """Return the listing of an earlier run as it was written.

    Raises StudyError, with the row, for a file that is no such listing, or that of another study.
    """
    try:
        cells = pd.read_csv(path, header=None, dtype="str", keep_default_na=False, encoding="utf-8")
    except (ValueError, UnicodeError):  # of pandas' parser too
        cells = pd.DataFrame()
    if cells.empty or cells.isna().any(axis=None):
        raise StudyError("the file is not a listing of queries as a run writes it", path)
    found = cells.iloc[1:].set_axis(cells.iloc[0], axis="columns").reset_index(drop=True)
    lacking = [name for name in LISTED if name not in found.columns]
    if lacking:
        problem = f"the column '{lacking[0]}' is missing: give the queries.csv of an earlier run, as it was written"
        raise StudyError(problem, path, 1)
    further = [name for name in found.columns if name not in LISTED and not name.startswith(PART)]
    if further:
        raise StudyError(f"a listing of queries has no column '{further[0]}'", path, 1)
    texts = found[list(LISTED)]
    plain = texts.assign(**{name: unguarded(texts[name]) for name in LISTED})
    _check(study, texts, plain, path)
    link = plain["link"].where(plain["link"].str.fullmatch(LINK), "")
    return plain.assign(link=link, age_days=plain["age_days"].astype(np.int64))


def _check(study: Study, texts: pd.DataFrame, plain: pd.DataFrame, path: Path) -> None:
    """Raise StudyError for the first row that a listing cannot have."""
    rows = zip(plain["query_id"], *(plain[name] for name in ASKED), strict=True)
    own = np.array([query_id(study.studyid, asked) == given for given, *asked in rows], bool)
    rest = texts[~own]  # a value that begins with ' itself
    rows = zip(rest["query_id"], *(rest[name] for name in ASKED), strict=True)
    own[~own] = [query_id(study.studyid, asked) == given for given, *asked in rows]
    days = texts["first_seen"].str.fullmatch(DAY) & texts["resolved_on"].str.fullmatch(f"(?:{DAY})?")
    days &= (texts["resolved_on"] != "") == (texts["status"] == RESOLVED)
    other = f"the query's id, {ID_LENGTH} digits and letters, does not follow from what the row asks in {study.studyid}"
    problems = {
        other: own,
        "the query is there twice": ~texts["query_id"].duplicated(),
        f"the status is none of {', '.join(STATUSES)}": texts["status"].isin(STATUSES),
        "first_seen and, of a resolved query, resolved_on are days written YYYY-MM-DD": days,
        "age_days is not a number of days": texts["age_days"].str.fullmatch(r"\d{1,6}"),
    }
    for problem, holds in problems.items():
        wrong = np.flatnonzero(~np.asarray(holds, bool))
        if len(wrong):
            raise StudyError(f"row {wrong[0] + 1} of the listing: {problem}", path)


def followed(
    study: Study,
    records: Records,
    found: pd.DataFrame,
    date: str,
    previous: pd.DataFrame | None = None,
    tabulated: bool = True,
    links: Callable[[pd.DataFrame], pd.Series] | None = None,
) -> pd.DataFrame:
    """Return the queries ``found`` in records of ``date`` (YYYY-MM-DD) with status, age and those that are resolved.

    An unanswered query is new if the previous listing lacks it, or had it as new from records of the same date; it is
    open otherwise, and without a previous listing. One that is not found now is resolved, on ``date`` unless it was
    before, and stays in the listing; found again it is open, with the age of when it was first seen. Queries about
    withheld values stay as they were where nothing was ``tabulated``, for then they are not judged. Raises StudyError
    if the previous listing has later dates, or sites that are not in this part of the study.
    """
    listed = found.assign(site=sites_of(study, records, found), first_seen=date, resolved_on="")
    if previous is not None:
        _check_dates(previous, date)
        listed = _compared(study, records, listed, previous, date, tabulated)
        _check_part(study, records, previous)
        if links:
            listed = listed.assign(link=links(listed))
        listed = in_order(records.project, listed.sort_values("query_id")).reset_index(drop=True)
    until = listed["resolved_on"].where(listed["resolved_on"] != "", date)
    ages = (pd.to_datetime(until) - pd.to_datetime(listed["first_seen"])).dt.days
    texts = dict.fromkeys(("site", "status", "first_seen", "resolved_on"), "str")
    return listed.assign(age_days=ages.astype(np.int64)).astype(texts)[list(LISTED)]


def _compared(
    study: Study, records: Records, listed: pd.DataFrame, previous: pd.DataFrame, date: str, tabulated: bool
) -> pd.DataFrame:
    before = previous.set_index("query_id")
    known = listed["query_id"].isin(before.index)
    first = listed["query_id"].map(before["first_seen"]).where(known, date)
    still_new = ~known | (listed["query_id"].map(before["status"]).eq(NEW) & first.eq(date))
    status = listed["status"].mask(listed["status"].eq(OPEN) & still_new, NEW)
    gone = previous[~previous["query_id"].isin(listed["query_id"])]
    unjudged = gone["rule"].eq(withheld.RULE) & (not tabulated) & gone["status"].ne(RESOLVED)
    resolved = gone.assign(
        site=sites_of(study, records, gone, gone["site"]),
        status=gone["status"].where(unjudged, RESOLVED),
        resolved_on=gone["resolved_on"].mask(~unjudged & gone["resolved_on"].eq(""), date),
    )
    return pd.concat([listed.assign(first_seen=first, status=status), resolved.drop(columns="age_days")])


def _check_dates(previous: pd.DataFrame, date: str) -> None:
    latest = max(previous["first_seen"].max(), previous["resolved_on"].max()) if len(previous) else date
    if latest > date:
        problem = f"the previous listing is of {latest} or later, the records are of {date}: give an earlier listing"
        raise StudyError(problem)


def _check_part(study: Study, records: Records, previous: pd.DataFrame) -> None:
    """Raise StudyError if only one group's records are here and the previous listing has queries to other sites."""
    own = {str(dag["data_access_group_name"]) for dag in records.project.dags
           if dag["unique_group_name"] == study.group}  # fmt: skip
    own |= set(site_of_records(study, records))
    others = sorted(set(previous["site"]) - own - {study.group, ""}) if study.group else []
    if others:
        problem = f"the previous listing has queries to '{others[0]}', but the records are those of {study.group} alone"
        raise StudyError(f"{problem}: give the listing of an earlier run with --group {study.group}")
