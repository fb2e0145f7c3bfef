"""The query listing of both states is what the planted problems say, and nothing else."""

from __future__ import annotations

import pandas as pd
import pytest

from metadata.records import Records
from metadata.study import Study
from validation.queries.listing import query_listing

STUDY = Study.open("spms_aza")
KEY = ["rule", "record", "event", "form", "instance", "field"]


def listing(state: str) -> pd.DataFrame:
    records = Records.read(STUDY.project(), STUDY.path(f"redcap/records_{state}.csv"))
    return query_listing(STUDY, records, lambda queries: pd.Series("", index=queries.index))


@pytest.mark.parametrize("state", ["locked", "as_entered"])
def test_every_planted_query_and_no_other(state: str) -> None:
    problems = STUDY.read_yaml("synthetic/planted.yaml")
    wanted = [
        tuple(query[key] for key in KEY)
        for problem in problems
        if problem["kept"] or state == "as_entered"
        for query in problem["queries"]
    ]
    found = [tuple(row) for row in listing(state)[KEY].to_numpy().tolist()]
    assert sorted(found) == sorted(wanted)


def test_the_locked_records_have_no_open_query() -> None:
    locked = listing("locked")
    assert len(locked) == 5
    assert (locked["status"] == "answered").all(), locked[["rule", "record", "status"]]


def test_identifiers_are_masked_in_the_listing() -> None:
    entered = listing("as_entered").set_index("field")
    assert "monitor.example.org" not in set(entered["value"])
    assert entered.loc["mon_email", "value"] == "(identifier)"
