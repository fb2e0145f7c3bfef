"""References find the right row: the same row, another form of the event, another event, a repeating event."""

from __future__ import annotations

import pytest

from metadata.expression import UnsupportedExpression
from metadata.expression_context import FormContext
from metadata.expression_evaluator import evaluate_text
from metadata.expression_parser import parse
from metadata.records import Records
from metadata.records_lookup import RecordsLookup
from tests.validation.small_study import enrol, exam, log, records
from validation.raw.form_rows import stored_rows

DATA = (
    enrol("1", sex="1", arms___2="1"),
    exam("start", "1", count="1", score="1,5"),
    exam("later", "1", count="2", limit="UNK"),
    exam("extra", "1", "1", count="8"),
    exam("extra", "1", "2", count="9"),
    log("1", "1", number="5"),
    log("2", "1", number="6"),
    exam("later", "2", count="7"),
)


def values(form: str, written: str, data: Records | None = None) -> list[str]:
    lookup = RecordsLookup(records(*DATA) if data is None else data)
    return evaluate_text(parse(written), FormContext(lookup, form, stored_rows(lookup, form))).tolist()


@pytest.mark.parametrize(
    ("form", "written", "expected"),
    [
        ("exam", "[count]", ["1", "2", "8", "9", "7"]),
        ("exam", "[start_arm_1][count]", ["1", "1", "1", "1", ""]),
        ("exam", "[event-name][count]", ["1", "2", "8", "9", "7"]),
        ("exam", "[sex]", ["1", "", "", "", ""]),
        ("exam", "[start_arm_1][sex]", ["1", "1", "1", "1", ""]),
        ("exam", "[event-name] = 'later_arm_1'", ["0", "1", "0", "0", "1"]),
        ("exam", "[start_arm_1][arms(2)]", ["1", "1", "1", "1", "0"]),
        ("exam", "[score] * 2", ["3", "", "", "", ""]),
        ("exam", "ismissingcode([limit])", ["0", "1", "0", "0", "0"]),
        ("exam", "[id]", ["1", "1", "1", "1", "2"]),
        ("log", "[number] + [start_arm_1][count]", ["6", "7"]),
        ("enrol", "[count]", ["1"]),
        ("log", "[number][1]", ["5", "5"]),
        ("log", "[number][last-instance] - [number]", ["1", "0"]),
        ("log", "[number][previous-instance]", ["", "5"]),
        ("log", "[number][next-instance]", ["6", ""]),
        ("log", "[current-instance]", ["1", "2"]),
        ("exam", "[logs_arm_1][number][2]", ["6", "6", "6", "6", ""]),
        ("exam", "[logs_arm_1][number][first-instance]", ["5", "5", "5", "5", ""]),
        ("exam", "[extra_arm_1][count][2]", ["9", "9", "9", "9", ""]),
        ("exam", "[extra_arm_1][count][last-instance]", ["9", "9", "9", "9", ""]),
        ("exam", "[first-event-name][count]", ["1", "1", "1", "1", ""]),
        ("exam", "[first-event-name]", ["start_arm_1"] * 5),
        ("exam", "[previous-event-name][count]", ["", "1", "", "", ""]),
        ("exam", "[record-name]", ["1", "1", "1", "1", "2"]),
        ("log", "concat([event-label], '/', [arm-number], '/', [instrument-label])", ["Logs/1/Event log"] * 2),
        ("enrol", "[sex:label]", ["Male"]),
        ("enrol", "[arms:checked]", ["Left, Right"]),
        ("enrol", "[arms:unchecked]", [""]),
        ("enrol", "[arms(2):label]", ["Right"]),
        ("log", "[aggregate-sum:count]", ["27", "27"]),
        ("log", "[aggregate-count:count,number]", ["7", "7"]),
        ("log", "[aggregate-median:number]", ["5.5", "5.5"]),
    ],
)
def test_each_row_sees_its_own_record_and_event(form: str, written: str, expected: list[str]) -> None:
    assert values(form, written) == expected


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("[cont]", "the dictionary has no field 'cont' (did you mean 'count'?)"),
        ("[begin_arm_1][count]", "the project has no event 'begin_arm_1'"),
        ("[later_arm_1][sex]", "the form 'enrol' of field 'sex' is not in event 'later_arm_1'"),
        ("[logs_arm_1][number]", "the form 'log' of field 'number' repeats, and which instance is not said"),
        ("[extra_arm_1][count]", "event 'extra_arm_1' repeats, and which instance of it is meant is not said"),
        ("[start_arm_1][arms]", "expected [arms(code)] but found [start_arm_1][arms]"),
        ("[start_arm_1][arms(3)]", "the checkbox 'arms' has no code '3'"),
        ("[count(1)]", "expected [count] but found [count(1)]"),
        ("[user-dag-name] = 'x'", "what the smart variable '[user-dag-name]' is, the data do not say"),
        ("[record-nme]", "there is no smart variable '[record-nme]' (did you mean 'record-name'?)"),
        ("[last-visit][count]", "'[last-visit]' is no event"),
        ("[aggregate-mean:cont]", "the dictionary has no field 'cont'"),
        ("[aggregate-mean:count:R-1]", "only fields are read here"),
        ("[count:label]", "':label' is for a field with choices, and 'count' has none"),
        ("[sex:checked]", "':checked' is for a whole checkbox"),
    ],
)
def test_what_cannot_be_found_is_said(written: str, said: str) -> None:
    with pytest.raises(UnsupportedExpression) as caught:
        values("exam", written)
    assert said in str(caught.value)


def test_no_records_give_no_values() -> None:
    assert values("exam", "[count] = [start_arm_1][sex]", records()) == []
