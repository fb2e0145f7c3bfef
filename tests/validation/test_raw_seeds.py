"""An error put into the raw records of either study is caught by a check that has a name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from metadata.records import Records
from metadata.study import Study
from metadata.terminology import Terminology
from sdtm.build.study_mapping import read_mapping
from sdtm.build.tabulate import tabulate
from validation.conformance.check import find
from validation.queries.listing import query_listing, with_withheld

pytestmark = pytest.mark.xdist_group("raw seeds")
Change = Callable[[pd.DataFrame], pd.DataFrame]
LONG = "a long text " * 20


@cache
def raw(name: str) -> pd.DataFrame:
    path = Study.open(name).folder / "redcap" / "records_locked.csv"
    return pd.read_csv(path, dtype="str", keep_default_na=False)


def put(field: str, value: str, nth: int = 0) -> Change:
    """Return the change that puts a value into the nth row that has one."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        row = frame.index[frame[field] != ""][nth]
        frame.loc[row, field] = value
        return frame

    return change


def as_first(field: str) -> Change:
    """Return the change that gives the second row with a value the value of the first."""
    return lambda frame: put(field, str(frame.loc[frame[field] != "", field].iloc[0]), 1)(frame)


def again(field: str, instance: str) -> Change:
    """Return the change that puts the first row with a value in a second time, as another instance if one is given."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        row = frame[frame[field] != ""].head(1)
        more = row.assign(redcap_repeat_instance=instance) if instance else row
        return pd.concat([frame, more], ignore_index=True)

    return change


def moved(field: str) -> Change:
    """Return the change that gives the first instance with a value another number."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        row = frame.index[(frame[field] != "") & (frame["redcap_repeat_instance"] == "1")][0]
        frame.loc[row, "redcap_repeat_instance"] = "77"
        return frame

    return change


def without(**where: str) -> Change:
    """Return the change that takes rows out."""
    return lambda frame: frame[
        ~np.logical_and.reduce([frame[name] == value for name, value in where.items()])
    ].reset_index(drop=True)


def emptied(end: str) -> Change:
    """Return the change that blanks a visit of a classic project in the first record that has it."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        names = [name for name in frame.columns if name.endswith(end)]
        frame.loc[frame.index[frame[f"fecha{end}"] != ""][0], names] = ""
        return frame

    return change


# what is wrong, where it is asked about, and the change
QUERIES: dict[str, list[tuple[str, str, Change]]] = {
    "spms_aza": [
        ("dictionary.choice", "sex", put("sex", "7")),
        ("dictionary.choice", "ae_sev", put("ae_sev", "9")),
        ("dictionary.choice", "wbc_u", put("wbc_u", "99")),
        ("tabulation.withheld", "ae_term", put("ae_term", "An event that no coding has")),
        ("dictionary.length", "ae_term", put("ae_term", LONG)),
        ("record.twice", "ae_term", again("ae_term", "")),
        ("ae.twice", "ae_term", again("ae_term", "88")),
        ("record.instance_gap", "ae_term", moved("ae_term")),
        ("lab.value_implausible", "wbc", put("wbc_u", "2")),
        ("dictionary.range", "icf_dtc", put("icf_dtc", "1900-01-01")),
        ("demographics.age", "age", put("birth_yyyy", "1999")),
        ("tabulation.withheld", "ae_narr", put("ae_narr", "A note with \u6f22")),
        ("dictionary.type", "wbc", put("wbc", "high")),
    ],
    "hta_duo": [
        ("dictionary.choice", "sexo", put("sexo", "7")),
        ("dictionary.choice", "ae_int", put("ae_int", "9")),
        ("tabulation.withheld", "ae_term", put("ae_term", "Algo sin codificar")),
        ("dictionary.length", "exitus_causa", put("exitus_causa", LONG)),
        ("record.twice", "ae_term", again("ae_term", "")),
        ("ae.twice", "ae_term", again("ae_term", "88")),
        ("record.instance_gap", "ae_term", moved("ae_term")),
        ("lab.value_implausible", "crea_scr", put("crea_scr", "75.14")),
        ("demographics.birth", "fecha_nac", put("fecha_nac", "2020-01-01")),
        ("tabulation.withheld", "exitus_causa", put("exitus_causa", "\u6f22\u5b57")),
        ("dictionary.type", "hb_scr", put("hb_scr", "alta")),
        ("ae.date_unreadable", "ae_ini", put("ae_ini", "31-02-2019")),
        ("dictionary.required", "fecha_s8", emptied("_s8")),
    ],
}
RULES: dict[str, list[tuple[str, str, Change]]] = {
    "spms_aza": [
        ("key.unique", "DM", as_first("subjid")),
        ("visit.lost", "SV", without(record_id="001", redcap_event_name="m6_arm_1")),
        ("unit.plausible", "LB", put("wbc_u", "2")),
        ("text.continued", "SUPPIS", put("nab_titre", "9" * 250)),
    ],
    "hta_duo": [
        ("key.unique", "DM", as_first("num_sujeto")),
        ("visit.lost", "SV", emptied("_s8")),
        ("text.continued", "SUPPDD", put("exitus_causa", LONG)),
    ],
}


def changed(name: str, change: Change) -> tuple[Study, Records]:
    study = Study.open(name)
    return study, Records.from_frame(study.project(), change(raw(name).copy()))


@cache
def known(name: str) -> frozenset[tuple[str, str]]:
    study = Study.open(name)
    listing = query_listing(study, Records.from_frame(study.project(), raw(name)))
    return frozenset(listing[["rule", "query_id"]].itertuples(index=False, name=None))


def sampled(seeds: Mapping[str, Sequence[tuple[str, str, Change]]], every: int) -> list[Any]:
    """Return the seeds of each study; all but one in so many are left to make soak."""
    return [
        pytest.param(name, *seed, marks=[pytest.mark.soak] if place % every else [])
        for name, own in seeds.items()
        for place, seed in enumerate(own)
    ]


@pytest.mark.parametrize(("name", "rule", "field", "change"), sampled(QUERIES, 4))
def test_an_error_in_the_records_is_a_query_of_its_rule(name: str, rule: str, field: str, change: Change) -> None:
    study, records = changed(name, change)
    listing = query_listing(study, records)
    if rule == "tabulation.withheld":
        made = tabulate(read_mapping(study, records.project, Terminology.open(study)), records)
        listing = with_withheld(study, records, listing, made.withheld)
    asked = listing[(listing["rule"] == rule) & (listing["field"] == field)]
    new = [query for query in asked["query_id"] if (rule, query) not in known(name)]
    assert new, listing[["rule", "field", "problem"]].to_string()


@pytest.mark.parametrize(("name", "rule", "dataset", "change"), sampled(RULES, 2))
def test_an_error_in_the_records_is_a_finding_of_its_rule(name: str, rule: str, dataset: str, change: Change) -> None:
    study, records = changed(name, change)
    terminology = Terminology.open(study)
    found = find(study, tabulate(read_mapping(study, records.project, terminology), records).datasets, terminology)
    assert (rule, dataset) in {(finding.rule, finding.dataset) for finding in found}
