"""The bundled study's planted problems give exactly the queries that their list says, and no others."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pytest

from metadata.records import Records
from metadata.study import Study
from validation.queries.listing import query_listing, unused_answers

KEY = ("rule", "record", "event", "form", "instance", "field")
STUDY = Study.open("spms_aza")


@cache
def listing(state: str) -> pd.DataFrame:
    return query_listing(STUDY, Records.read(STUDY.project(), STUDY.path(f"redcap/records_{state}.csv")))


def expected(kept_only: bool) -> list[tuple[str, ...]]:
    entries = STUDY.read_yaml("synthetic/planted.yaml")
    chosen = [entry for entry in entries if entry["kept"] or not kept_only]
    return sorted(tuple(str(query[name] or "") for name in KEY) for entry in chosen for query in entry["queries"])


@pytest.mark.parametrize(("state", "kept_only"), [("as_entered", False), ("locked", True)])
def test_every_planted_problem_is_queried_and_nothing_else(state: str, kept_only: bool) -> None:
    wanted = expected(kept_only)
    assert wanted, "nothing is planted"
    found = sorted(listing(state)[list(KEY)].itertuples(index=False, name=None))
    assert found == wanted


def test_what_stays_after_the_lock_is_answered() -> None:
    assert set(listing("locked")["status"]) == {"answered"}
    assert unused_answers(STUDY, listing("locked")) == ([], [])


def test_many_kinds_of_problems_are_planted() -> None:
    rules = set(listing("as_entered")["rule"])
    assert len(rules) >= 20
    by_dictionary = {"type", "format", "range", "choice", "required", "hidden", "place", "calc", "missing_code"}
    assert {f"dictionary.{name}" for name in by_dictionary} <= rules
