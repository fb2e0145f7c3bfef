"""The study's REDCap project: well formed, every form reachable, and as REDCap itself would export it."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from metadata.expression_evaluator import check
from metadata.expression_parser import parse

FOLDER = Path(__file__).parents[2] / "mappings" / "spms_aza" / "redcap"
HEADER = (
    "field_name,form_name,section_header,field_type,field_label,select_choices_or_calculations,field_note,"
    "text_validation_type_or_show_slider_number,text_validation_min,text_validation_max,identifier,branching_logic,"
    "required_field,custom_alignment,question_number,matrix_group_name,matrix_ranking,field_annotation"
)


def table(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((FOLDER / f"{name}.csv").open(encoding="utf-8")))


FIELDS = table("dictionary")
NAMES = {row["field_name"]: row for row in FIELDS}


def codes(row: dict[str, str]) -> list[str]:
    return [option.partition(",")[0].strip() for option in row["select_choices_or_calculations"].split("|")]


def test_the_dictionary_has_the_eighteen_columns_of_the_api() -> None:
    assert (FOLDER / "dictionary.csv").read_text(encoding="utf-8").split("\n", 1)[0] == HEADER
    assert HEADER.count(",") == 17
    assert FIELDS[0]["field_name"] == "record_id"


def test_field_names_are_unique_short_and_lower_case() -> None:
    assert len(NAMES) == len(FIELDS)
    assert [name for name in NAMES if not re.fullmatch(r"[a-z][a-z0-9_]{0,25}", name)] == []


def test_forms_stand_together_and_in_the_order_of_the_instruments() -> None:
    forms = [row["form_name"] for row in FIELDS]
    changes = [form for before, form in zip(["", *forms], forms, strict=False) if form != before]
    assert changes == [row["instrument_name"] for row in table("instruments")]
    assert 20 <= len(changes) <= 26


def test_types_and_validations_are_redcaps() -> None:
    types = {"text", "notes", "dropdown", "radio", "checkbox", "yesno", "truefalse", "calc", "descriptive"}
    assert {row["field_type"] for row in FIELDS} == types
    kinds = {row["text_validation_type_or_show_slider_number"] for row in FIELDS}
    assert kinds == {
        *("", "date_dmy", "integer", "number", "number_1dp", "number_2dp", "number_1dp_comma_decimal", "time", "email"),
    }
    for row in FIELDS:
        assert row["identifier"] in ("", "y")
        assert row["required_field"] in ("", "y")
        assert not row["text_validation_type_or_show_slider_number"] or row["field_type"] == "text"


def test_choices_have_codes_that_are_unique_and_labels() -> None:
    for row in FIELDS:
        if row["field_type"] in ("dropdown", "radio", "checkbox"):
            assert len(set(codes(row))) == len(codes(row)), row["field_name"]
            assert all("," in option for option in row["select_choices_or_calculations"].split("|")), row["field_name"]


@pytest.mark.parametrize("row", [row for row in FIELDS if row["branching_logic"] or row["field_type"] == "calc"])
def test_logic_can_be_read_and_names_fields_and_options_that_exist(row: dict[str, str]) -> None:
    texts = [row["branching_logic"]]
    if row["field_type"] == "calc":
        texts.append(row["select_choices_or_calculations"])
    events = {event["unique_event_name"] for event in table("events")}
    for text in filter(None, texts):
        expression = parse(text)
        check(expression)
        for reference in expression.references:
            assert reference.name in NAMES
            assert reference.event is None or reference.event in events
            assert reference.code is None or reference.code in codes(NAMES[reference.name])


def test_sixteen_events_and_every_form_is_reachable() -> None:
    events, mapping = table("events"), table("form_event_mapping")
    names = [event["unique_event_name"] for event in events]
    assert len(names) == 16
    slugs = [re.sub(r"[^a-z0-9]+", "_", event["event_name"].lower())[:18].strip("_") for event in events]
    assert names == [f"{slug}_arm_1" for slug in slugs]
    assert len({event["event_id"] for event in events}) == 16
    assert {row["form"] for row in mapping} == {row["form_name"] for row in FIELDS}
    assert {row["unique_event_name"] for row in mapping} == set(names)
    assert len({tuple(row.values()) for row in mapping}) == len(mapping)


def test_what_repeats_is_designated() -> None:
    mapping = {(row["unique_event_name"], row["form"]) for row in table("form_event_mapping")}
    repeating = [(row["event_name"], row["form_name"]) for row in table("repeating")]
    assert ("unsched_arm_1", "") in repeating
    forms = {form for _, form in repeating if form}
    assert forms == {"ae", "cm", "relapse", "exposure", "deviations", "med_history", "labs_unsched", "monitoring"}
    assert all((event, form) in mapping for event, form in repeating if form)


def test_what_life_brings_is_there() -> None:
    flagged = {row["field_name"] for row in FIELDS if row["identifier"]}
    assert {"pat_name", "initials", "hosp_no", "birth_mm", "birth_dd"} <= flagged
    assert "record_id" not in flagged
    assert any("@NOMISSING" in row["field_annotation"] for row in FIELDS)
    assert any("<" in row["field_label"] and ">" in row["field_label"] for row in FIELDS)
    assert any(option.count(",") > 1 for row in FIELDS for option in row["select_choices_or_calculations"].split("|"))
    assert any("Málaga" in row["select_choices_or_calculations"] for row in FIELDS)
    info = table("project_info")[0]
    assert info["missing_data_codes"].startswith("UNK, Unknown | ")
    assert info["custom_record_label"]
    assert "synthetic" in info["project_title"].lower()


def test_every_laboratory_value_has_its_unit_and_its_not_done_box() -> None:
    values = [name for name in NAMES if f"{name}_nd" in NAMES and NAMES[name]["form_name"].startswith("labs")]
    units = [name for name in values if f"{name}_u" in NAMES]
    assert set(values) - set(units) == {"uprot"}
    assert len([name for name in units if not name.startswith("u_")]) >= 22
    meaning: dict[str, str] = {}
    for name in units:
        for option in NAMES[f"{name}_u"]["select_choices_or_calculations"].split("|"):
            code, _, label = option.partition(",")
            assert meaning.setdefault(code.strip(), label.strip()) == label.strip(), name


def test_an_answer_stands_for_each_query_that_stays() -> None:
    answers = list(csv.DictReader((FOLDER.parent / "answers.csv").open(encoding="utf-8")))
    assert all(re.fullmatch(r"[0-9a-f]{12}", row["query_id"]) and row["answer"] for row in answers)
    assert len({row["query_id"] for row in answers}) == len(answers) == 5
