"""Rows of a subject who is not in DM are withheld and listed, whatever domain they are of."""

from __future__ import annotations

from typing import Any


def test_rows_of_a_subject_who_is_not_in_dm_are_withheld_and_listed(small: Any) -> None:
    small.subject("1")
    small.subject("2", sexe="")
    for record in ("1", "2"):
        small.row(record, "start", seen="2000-03-10", hb="12,5", hb_u="6", house="1")
        small.row(record, "log", "event", "1", told="Fall")
    made = small.tabulate()
    for name, dataset in made.datasets.items():
        if "USUBJID" in dataset.frame:
            assert set(dataset.coded("USUBJID").held) <= {"SMALL-01-1", ""}, name
    assert made.without_subject.to_numpy().tolist() == [
        ["2", "AE", 1], ["2", "EX", 1], ["2", "LB", 1], ["2", "SV", 1],
    ]  # fmt: skip
    listed = made.withheld[made.withheld["domain"] == "LB"]
    assert listed["field"].tolist() == ["hb", "hb_u", "house", "seen"]
    assert set(listed["reason"]) == {"LB record withheld: its subject has no record in DM"}


def test_a_study_of_whole_subjects_withholds_nothing(small: Any) -> None:
    small.subject("1")
    assert small.tabulate().without_subject.empty
