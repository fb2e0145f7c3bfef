"""What tabulation withholds and nobody asked about becomes a query."""

from __future__ import annotations

import pandas as pd

from tests.validation.small_study import enrol, log, records
from validation.queries.withheld import RULE, findings


def held(*pairs: tuple[int, str], reason: str = "it is not in the coding file") -> pd.DataFrame:
    rows = [(row, name, "XX", reason) for row, name in pairs]
    return pd.DataFrame(rows, columns=["source_row", "field", "domain", "reason"])


def asked(record: str, event: str, form: str, instance: str) -> pd.DataFrame:
    return pd.DataFrame({"record": [record], "event": [event], "form": [form], "instance": [instance]}, dtype="str")


NOBODY = asked("", "", "", "").iloc[:0]


def test_a_value_that_is_withheld_is_asked_about_with_the_reason() -> None:
    data = records(enrol(), log("1", number="5"), log("2", number="6"))
    made = findings(data, held((2, "number")), asked("1", "logs_arm_1", "log", "1"))
    assert made[["source_row", "form", "field", "rule", "value", "severity"]].values.tolist() == [
        [2, "log", "number", RULE, "6", "error"]
    ]
    assert made["problem"].tolist() == ["The value cannot be tabulated: it is not in the coding file."]


def test_a_query_on_the_same_form_row_is_enough() -> None:
    data = records(enrol(), log("1", number="5"))
    assert findings(data, held((1, "number"), (1, "term")), asked("1", "logs_arm_1", "log", "1")).empty


def test_one_row_withheld_for_one_reason_is_asked_about_once() -> None:
    data = records(enrol(), log("1", number="5"))
    assert findings(data, held((1, "number"), (1, "term")), NOBODY)["field"].tolist() == ["term"]  # first on the form


def test_nothing_withheld_asks_nothing() -> None:
    assert findings(records(enrol()), held(), NOBODY).empty


def test_a_subject_record_of_several_forms_is_asked_about_where_one_of_them_is() -> None:
    data = records(enrol(sex="1"), log("1", number="5"))
    consent = asked("1", "start_arm_1", "enrol", "")
    assert len(findings(data, held((0, "sex"), (1, "number")), consent)) == 1
    whole = "DM record withheld: SEX is required and has no value"
    assert findings(data, held((0, "sex"), (1, "number"), reason=f"so: {whole}"), consent).empty
    assert len(findings(data, held((1, "number"), reason=f"so: {whole}"), consent)) == 1


def test_an_identifier_is_masked() -> None:
    made = findings(records(enrol(name="Ana")), held((0, "name")), NOBODY)
    assert made["value"].tolist() == ["(identifier)"]
