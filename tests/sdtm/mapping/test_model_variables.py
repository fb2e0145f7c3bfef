"""Variables that the guide does not list for a domain, from its class of the model: mapped, placed, or refused."""

from __future__ import annotations

from typing import Any

import pytest

from metadata.errors import StudyError


def with_ae(small: Any, old: str, new: str) -> None:
    path = small.folder / "sdtm" / "ae.yaml"
    body = path.read_text(encoding="utf-8")
    assert old in body
    path.write_text(body.replace(old, new), encoding="utf-8")


def an_event(small: Any) -> Any:
    small.subject()
    small.row("1", "log", "event", "1", told="Headache", from_y="2000", bad="1", link_a="2", link_b="3")
    return small.frame("AE")


def test_a_qualifier_of_the_class_is_mapped_and_comes_where_the_model_has_it(small: Any) -> None:
    with_ae(small, "    AESER: {field: bad}", "    AESER: {field: bad}\n    AELAT: {constant: LEFT}")
    frame = an_event(small)
    columns = list(frame.columns)
    assert frame["AELAT"].tolist() == ["LEFT"]
    assert columns.index("AEDECOD") < columns.index("AELAT") < columns.index("AESER")


def test_a_domain_may_have_the_visit_of_its_event(small: Any) -> None:
    records = "{form: look, variables: {CETERM: {constant: Pain}, CEDTC: {date: seen}}}"
    mapping = f"domain: CE\nvisits: true\nrecords: {records}\n"
    (small.folder / "sdtm" / "ce.yaml").write_text(mapping, encoding="utf-8")
    small.subject()
    small.row("1", "month", "look", seen="2000-02-01")
    frame = small.frame("CE")
    assert frame[["VISITNUM", "VISIT", "CEDTC"]].to_numpy().tolist() == [[2.0, "MONTH", "2000-02-01"]]


def test_a_visit_cannot_be_mapped_by_hand(small: Any) -> None:
    with_ae(small, "    AESER:", "    VISITNUM: {constant: 2}\n    AESER:")
    with pytest.raises(StudyError, match=r"VISITNUM is made by the software and cannot be mapped .*write visits: true"):
        an_event(small)


@pytest.mark.parametrize("name", ["AEORRES", "AEOBJ", "AEDOSE"])
def test_what_the_class_does_not_have_is_refused(small: Any, name: str) -> None:
    with_ae(small, "    AESER:", f"    {name}: {{constant: x}}\n    AESER:")
    with pytest.raises(StudyError, match=f"AE has no variable {name} in the guide or in its class of the model"):
        an_event(small)
