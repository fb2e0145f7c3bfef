"""What the dictionary alone finds wrong: each rule, where it is silent, and what it says."""

from __future__ import annotations

import pandas as pd
import pytest

from metadata.records import Records
from metadata.records_lookup import RecordsLookup
from tests.validation.small_study import FIELDS, enrol, exam, field, log, places, records
from validation.raw.dictionary_findings import dictionary_findings


def found_in(made: Records) -> pd.DataFrame:
    return dictionary_findings(RecordsLookup(made))


def found(*rows: dict[str, str]) -> list[tuple[str, str]]:
    return places(found_in(records(*rows)), "rule", "field")


def test_clean_records_give_nothing() -> None:
    clean = [
        enrol(name="Ana", sex="2", enrol_complete="2"),
        exam("start", done="1", day="1998-05-02", count="3", twice="6", change="0", weight="70.5", limit="80.0"),
        exam(
            "later", done="1", day="UNK", score="4,5", count="5", twice="10", change="2", mail="a@b.org", clock="11:59"
        ),
        exam("extra", instance="1", weight="-99", pain="100"),
        log("1", first="1999-02-28", going="1"),
    ]
    assert found(*clean) == []


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("count", "12.5", "type"),
        ("count", "many", "type"),
        ("count", "1e3", "type"),
        ("count", " 1", "type"),
        ("count", "-1", "range"),
        ("count", "+1", None),
        ("weight", "70", "format"),
        ("weight", "70.25", "format"),
        ("weight", "70,5", "format"),
        ("weight", "70.5", None),
        ("weight", "29.9", "range"),
        ("weight", "heavy", "type"),
        ("score", "4.5", "format"),
        ("score", "4,5", None),
        ("score", "10,5", "range"),
        ("score", "10,0", None),
        ("day", "2000-02-29", None),
        ("day", "1999-02-29", "type"),
        ("day", "29/02/2000", "type"),
        ("day", "before validation", "type"),
        ("day", "2002-01-01", "range"),
        ("day", "2001-12-31", None),
        ("mail", "a@b", "format"),
        ("clock", "25:00", "type"),
        ("clock", "12:01", "range"),
        ("pain", "101", "range"),
        ("pain", "a lot", "type"),
        ("done", "2", "choice"),
        ("day", "UNK", None),
        ("count", "-99", None),
        ("done", "UNK", None),
    ],
)
def test_each_value_gets_at_most_one_rule(name: str, value: str, rule: str | None) -> None:
    row = exam(**{"done": "1", "day": "1999-01-01"} | {name: value})
    dependent = [("dictionary.hidden", "day")] if name == "done" else []
    got = [pair for pair in found(enrol(), row) if pair[0] not in ("dictionary.calc",) and pair not in dependent]
    assert got == ([(f"dictionary.{rule}", name)] if rule else [])


def test_a_bound_may_be_another_field() -> None:
    assert found(enrol(), exam(weight="70.5", limit="70")) == [("dictionary.range", "weight")]
    assert found(enrol(), exam(weight="70.5", limit="71")) == []


def test_required_is_judged_where_shown_and_only_on_started_forms() -> None:
    assert found(enrol(), exam(done="1")) == [("dictionary.required", "day")]
    assert found(enrol(), exam(done="0")) == []
    assert found(enrol(), exam(done="", exam_complete="0")) == []
    assert found(enrol(arms___1="0")) == [("dictionary.required", "arms")]


def test_hidden_values_are_asked_about_once_and_judged_no_further() -> None:
    assert found(enrol(), exam(done="0", day="2005-01-01")) == [("dictionary.hidden", "day")]
    assert found(enrol(), exam(done="0", day="UNK")) == []


def test_missing_codes_are_refused_where_the_field_refuses_them() -> None:
    assert found(enrol(consent="UNK")) == [("dictionary.missing_code", "consent")]


def test_values_stand_only_where_their_form_does() -> None:
    assert found(enrol(term="x")) == [("dictionary.place", "term")]
    assert found(enrol(), log(count="1")) == [("dictionary.place", "count")]
    assert found(enrol(), {**exam("later"), "sex": "9"}) == [("dictionary.place", "sex")]
    assert found(enrol(), exam("extra")) == [("dictionary.place", "done")]
    numbered = {**exam("later"), "redcap_repeat_instance": "1"}
    assert found(enrol(), numbered) == [("dictionary.place", "done")]  # the event does not repeat


def test_the_right_place_is_named_by_labels() -> None:
    got = found_in(records(enrol(term="x"), {**exam("later"), "sex": "9"}))
    assert got["expected"].tolist() == ["the form at Start", "an instance of the repeating form at Logs"]


def test_options_of_a_checkbox_are_ticked_or_not() -> None:
    got = found_in(records(enrol(arms___2="5")))
    assert places(got, "rule", "field", "value") == [("dictionary.choice", "arms", "5")]


def test_the_status_of_a_form_has_three_values() -> None:
    assert found(enrol(enrol_complete="3")) == [("dictionary.choice", "enrol_complete")]


def test_a_stale_result_says_what_it_should_be() -> None:
    got = found_in(records(enrol(), exam("start", count="1"), exam(count="4", twice="9", change="3")))
    stale = got[got["field"].isin(["twice", "change"])]
    assert places(stale, "field", "value", "expected") == [("twice", "", "2"), ("twice", "9", "8"), ("change", "", "0")]


def test_a_result_without_inputs_is_blank() -> None:
    got = found_in(records(enrol(), exam(twice="8")))
    assert places(got, "field", "expected") == [("twice", "no value")]


def test_values_of_identifiers_are_masked() -> None:
    got = found_in(records(enrol(name="Ana 1")))
    assert places(got, "rule", "value") == [("dictionary.format", "(identifier)")]
    assert "Ana" not in " ".join(got.astype("str").to_numpy().ravel())


def test_logic_that_cannot_be_evaluated_is_said_once_a_field() -> None:
    odd = [
        field("a", "exam", logic="foo([count]) = 1", required="y"),
        field("b", "exam", logic="foo([count]) = 1"),
        field("c", "exam", "calc", choices="[nothing] + 1"),
        field("d", "exam", validation="date_dmy", max="today"),
    ]
    got = found_in(records(enrol(), exam(), exam("end", a="5"), fields=[*FIELDS, *odd]))
    assert places(got, "rule", "field") == [("dictionary.expression", name) for name in "abcd"]
    assert "branching logic of field 'b', character 1: the function 'foo' is not supported" in got["problem"][1]
    assert "the dictionary has no field 'nothing'" in got["problem"][2]


def test_texts_and_dates_that_an_action_tag_computes_are_held_against_it() -> None:
    computed = [
        field(
            "site", "exam", annotation="@READONLY @CALCTEXT(if([count] > 3, concat('(', left([mail], 2)), \"few)\"))"
        ),
        field("back", "exam", validation="date_dmy", annotation="@CALCDATE([day], 7, 'd')"),
        field("half", "exam", "calc", choices="[count] / 2"),
    ]
    sound = exam(
        "start", done="1", day="2000-02-25", back="2000-03-03", count="5", mail="a@b.org", site="(a@", half="2,5"
    )
    stale = exam("end", count="1", site="few", half="0.6")
    got = found_in(
        records(
            enrol(),
            sound | {"twice": "10", "change": "0"},
            stale | {"twice": "2", "change": "-4"},
            fields=[*FIELDS, *computed],
        )
    )
    wrong = got[got["rule"] == "dictionary.calc"].set_index("field")["expected"].to_dict()
    assert wrong == {"site": "few)", "half": "0.5"}


def test_the_sentences_say_what_is_wrong_and_what_would_be_right() -> None:
    got = found_in(records(enrol(sex="7"), exam(score="11,0")))
    assert got["problem"][0] == "The value '7' is not a choice of the field."
    assert got["expected"][0] == "one of 1 (Male), 2 (Female), or UNK, -99"
    assert got["problem"][1] == "The value '11,0' is outside the range of the field."
    assert got["expected"][1] == "a value from 0 to 10, or UNK, -99"


def test_a_record_needs_a_name() -> None:
    assert found(enrol("UNK"), exam(record="UNK")) == [("dictionary.missing_code", "id")]


def test_a_column_that_was_not_exported_is_not_missing_everywhere() -> None:
    made = records(enrol(), exam(count="2", twice="4"))
    received = Records.from_frame(made.project, made.frame.drop(columns=["consent", "count"]))
    got = found_in(received)
    assert places(got, "rule", "field") == [("dictionary.expression", "twice"), ("dictionary.expression", "change")]
    assert "the records received have no column 'count'" in got["problem"][0]


def test_a_missing_answer_is_asked_for_with_its_choices() -> None:
    got = found_in(records(enrol(arms___1="0", sex="")))
    asked = got[got["rule"] == "dictionary.required"].set_index("field")["expected"].to_dict()
    assert asked["arms"].startswith("one or more of 1 (")
