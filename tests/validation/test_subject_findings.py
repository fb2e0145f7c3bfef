"""Subjects' numbers and instances: what is the same in two writings is asked about."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from pytest import MonkeyPatch

from tests.validation.small_study import enrol, log, places, records, study
from validation.queries.listing import query_listing

IDENTITY = "\nidentity: {subject: name, site: {north: '01'}}\n"


def asked(folder: Path, rule: str, *rows: dict[str, str]) -> pd.DataFrame:
    made = study(folder)
    text = (folder / "study.yaml").read_text(encoding="utf-8")
    (folder / "study.yaml").write_text(text + IDENTITY, encoding="utf-8")
    listing = query_listing(type(made)(folder), records(*rows))
    return listing[listing["rule"].str.startswith(rule)].reset_index(drop=True)


def test_the_same_number_in_two_writings_is_asked_about(tmp_path: Path) -> None:
    rows = [
        enrol("1", name="007"),
        enrol("2", name=" 007"),
        enrol("3", name="\uff10\uff10\uff17"),
        enrol("4", name="008"),
    ]
    found = asked(tmp_path, "record.subject", *rows)
    assert places(found, "record", "field", "rule", "severity") == [
        ("2", "name", "record.subject_twice", "error"),
        ("2", "name", "record.subject_written", "error"),
        ("3", "name", "record.subject_twice", "error"),
        ("3", "name", "record.subject_written", "error"),
    ]
    assert found["problem"][0] == "The subject's number '(identifier)' is that of record 1 as well."


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ("007", "007\u200b", "that of record 1 as well."),
        ("007", "01-007", "that of record 1 as well."),
        ("A-7", "a-7", "that of record 1 as well."),
        ("007", "7", "that of record 1 as well, but for zeros."),
        ("01-7", "01-007", "that of record 1 as well, but for zeros."),
        ("7", "7.0", "that of record 1 as well, but for zeros."),
        ("7", "70", ""),
        ("1-1", "1-10", ""),
    ],
)
def test_what_a_person_reads_as_one_number_is_asked_about(tmp_path: Path, one: str, other: str, said: str) -> None:
    found = asked(tmp_path, "record.subject_twice", enrol("1", name=one), enrol("2", name=other))
    assert [problem.partition("' is ")[2] for problem in found["problem"]] == ([said] if said else [])


def test_numbers_of_two_sites_are_one_where_usubjid_names_no_site(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    pattern = "\nidentity: {subject: name, site: {north: '01', south: '02'}, usubjid: '{studyid}-{subject}'}\n"
    monkeypatch.setitem(globals(), "IDENTITY", pattern)
    rows = [enrol("1", name="007"), enrol("2", name="007", redcap_data_access_group="south")]
    assert places(asked(tmp_path, "record.subject_twice", *rows), "record") == [("2",)]


def test_the_same_number_at_two_sites_is_of_two_subjects(tmp_path: Path) -> None:
    other = {"redcap_data_access_group": "south"}
    assert asked(tmp_path, "record.subject", enrol("1", name="007"), enrol("2", name="007", **other)).empty


def test_a_number_that_begins_with_another_site_s_code_is_asked_about(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "IDENTITY", "\nidentity: {subject: name, site: {north: '01', south: '02'}}\n")
    rows = [enrol("1", name="02-007"), enrol("2", name="01-007"), enrol("3", name="02"), enrol("4", name="03-1")]
    found = asked(tmp_path, "record.subject", *rows)
    assert places(found, "record", "rule") == [("1", "record.subject_site")]


def test_an_instance_that_is_no_plain_number_is_asked_about(tmp_path: Path) -> None:
    found = asked(tmp_path, "record.", enrol(), log("1"), log("1.0"), log("01"), log("2"))
    assert sorted(places(found, "instance", "rule")) == [
        ("01", "record.instance_number"),
        ("01", "record.twice"),
        ("1.0", "record.instance_number"),
        ("1.0", "record.twice"),
    ]
