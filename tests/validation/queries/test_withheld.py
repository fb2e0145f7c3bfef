"""What tabulation withholds and nobody asked about becomes a query."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.validation.small_study import enrol, log, records
from validation.queries.withheld import RULE, withheld_findings


def held(*pairs: tuple[int, str], reason: str = "it is not in the coding file") -> pd.DataFrame:
    rows = [(row, name, "XX", reason) for row, name in pairs]
    return pd.DataFrame(rows, columns=["source_row", "field", "domain", "reason"])


def asked(record: str, event: str, form: str, instance: str, field: str, **query: str) -> pd.DataFrame:
    place = {"record": record, "event": event, "form": form, "instance": instance, "field": field}
    state = {"rule": "dictionary.type", "severity": "error", "status": "open", **query}
    return pd.DataFrame({name: [text] for name, text in {**place, **state}.items()}, dtype="str")


NOBODY = asked("", "", "", "", "").iloc[:0]
FIRST = ("1", "logs_arm_1", "log", "1")


def test_a_value_that_is_withheld_is_asked_about_with_the_reason() -> None:
    data = records(enrol(), log("1", number="5"), log("2", number="6"))
    made = withheld_findings(data, held((2, "number")), asked(*FIRST, "number"))
    assert made[["source_row", "form", "field", "rule", "value", "severity"]].values.tolist() == [
        [2, "log", "number", RULE, "6", "error"]
    ]
    assert made["problem"].tolist() == ["The value cannot be tabulated: it is not in the coding file."]


def test_an_open_error_on_the_field_itself_is_enough() -> None:
    data = records(enrol(), log("1", number="5"))
    assert withheld_findings(data, held((1, "number")), asked(*FIRST, "number")).empty


@pytest.mark.parametrize(
    "query",
    [
        {"record": "2"},
        {"event": "start_arm_1"},
        {"form": "enrol"},
        {"instance": "2"},
        {"field": "term"},
        {"severity": "warning"},
        {"severity": "note"},
        {"status": "answered"},
        {"rule": "dictionary.length"},
        {"rule": "log.a_check_of_the_study"},
    ],
)
def test_no_other_query_hides_a_withheld_value(query: dict[str, str]) -> None:
    data = records(enrol(), log("1", number="5"))
    listing = asked(*FIRST, "number").assign(**query)
    assert withheld_findings(data, held((1, "number")), listing)["field"].tolist() == ["number"]


def test_each_value_of_a_withheld_record_has_a_query_whatever_is_asked_about_it() -> None:
    data = records(enrol(), log("1", number="5", term="x"))
    lost = held((1, "number"), (1, "term"), reason="AE record withheld: AEDECOD is required and has no value")
    made = withheld_findings(data, lost, asked(*FIRST, "number"))
    assert made[["field", "value"]].to_numpy().tolist() == [["term", "x"], ["number", "5"]]


def test_several_reasons_for_one_value_are_one_query() -> None:
    data = records(enrol(), log("1", number="5"))
    lost = pd.concat(
        [held((1, "number"), reason="B"), held((1, "number"), reason="A"), held((1, "number"), reason="A")]
    )
    assert withheld_findings(data, lost, NOBODY)["problem"].tolist() == ["The value cannot be tabulated: A; B."]


def test_of_a_checkbox_the_ticked_options_are_the_value() -> None:
    data = records(enrol(arms___2="1"))
    assert withheld_findings(data, held((0, "arms")), NOBODY)[["field", "value"]].to_numpy().tolist() == [
        ["arms", "1, 2"]
    ]


def test_a_data_access_group_is_no_field_that_could_be_asked_about() -> None:
    assert withheld_findings(records(enrol()), held((0, "redcap_data_access_group")), NOBODY).empty


def test_nothing_withheld_asks_nothing() -> None:
    assert withheld_findings(records(enrol()), held(), NOBODY).empty


def test_an_identifier_is_masked() -> None:
    made = withheld_findings(records(enrol(name="Ana")), held((0, "name")), NOBODY)
    assert made["value"].tolist() == ["(identifier)"]
