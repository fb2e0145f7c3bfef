"""Relations between the records of a subject for which conditions hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from metadata.errors import StudyError

DEATH = (
    "relations:\n  - {id: DEATH, records: [{domain: AE, where: {AESER: Y}}, {domain: LB, where: {LBTESTCD: HGB}}]}\n"
)


def declared(small: Any, text: str) -> None:
    Path(small.folder / "sdtm" / "relations.yaml").write_text(text, encoding="utf-8")
    path = small.folder / "sdtm" / "ae.yaml"
    path.write_text(path.read_text("utf-8").replace("{field: bad}", "{field: bad, terms: {1: Y, 0: N}}"), "utf-8")


def test_records_of_a_subject_for_which_the_conditions_hold_are_related(small: Any) -> None:
    declared(small, DEATH)
    for record in ("1", "2"):
        small.subject(record)
        small.row(record, "start", "look", seen="2000-03-01", hb="140", hb_u="5", house="1")
    small.row("1", "log", "event", "1", told="Headache", from_y="2000", bad="0", link_a="1", link_b="1")
    small.row("1", "log", "event", "2", told="Stroke", from_y="2000", from_m="4", bad="1", link_a="1", link_b="1")
    small.row("2", "log", "event", "1", told="Headache", from_y="2000", bad="0", link_a="1", link_b="1")
    events, related = small.frame("AE"), small.frame("RELREC")
    stroke = events[events["AETERM"] == "Stroke"].iloc[0]
    assert related[["RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "RELID"]].to_numpy().tolist() == [
        ["AE", stroke["USUBJID"], "AESEQ", f"{stroke['AESEQ']:g}", "DEATH1"],
        ["LB", stroke["USUBJID"], "LBSEQ", "1", "DEATH1"],
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("domain: LB", "domain: LX", "no mapping makes the domain LX"),
        ("AESER: Y", "AESERR: Y", "AE has no variable AESERR .did you mean 'AESER'"),
        (", {domain: LB, where: {LBTESTCD: HGB}}", "", "must be a list of 2 or more"),
    ],
)
def test_what_a_relation_cannot_mean_is_refused(small: Any, old: str, new: str, said: str) -> None:
    declared(small, DEATH.replace(old, new))
    small.subject()
    with pytest.raises(StudyError, match=said):
        small.tabulate()
