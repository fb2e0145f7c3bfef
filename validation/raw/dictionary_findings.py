"""What the dictionary's schemas find in the records: one row a finding, before it becomes a query."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
import pandas as pd
import pandera.pandas as pa

from metadata.dictionary import Field
from metadata.labels import plain_label
from metadata.records import Records
from metadata.records_lookup import RecordsLookup
from validation.raw import dictionary_schemas, rule_names
from validation.raw.form_rows import (
    ON_EVENT_ROW,
    ON_OWN_ROW,
    FormValues,
    row_mode,
)
from validation.raw.messages import MASK, masked, render
from validation.raw.row_findings import row_findings
from validation.raw.text_formats import PHRASE

COLUMNS = ("source_row", "form", "field", "rule", "value", "problem", "expected")
NO_ROW = -1
LONGEST_CHOICES = 12

HIDDEN_WORDS = "no value, or the answers that open the field"
PROBLEMS = {
    rule_names.TYPE: "The value '{value}' is not {kind}.",
    rule_names.FORMAT: "The value '{value}' is not written as the field asks.",
    rule_names.RANGE: "The value '{value}' is outside the range of the field.",
    rule_names.CHOICE: "The value '{value}' is not a choice of the field.",
    rule_names.LENGTH: ("The text has more than 200 bytes: in the datasets it is cut and goes on in SUPP-- or CO."),
    rule_names.REQUIRED: "A required value is missing.",
    rule_names.HIDDEN: "The field holds '{value}' although the form does not ask for it: {logic} is not true.",
    rule_names.PLACE: "The value '{value}' is where the form {form} has no place.",
    rule_names.CALCULATION: "The stored result '{value}' is not what the formula gives now.",
    rule_names.MISSING_CODE: "The missing-data code '{value}' is not allowed in this field.",
}


def none() -> pd.DataFrame:
    """Return a frame of no findings."""
    return _empty().copy()


@cache
def _empty() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series([], dtype="int32" if name == "source_row" else "str") for name in COLUMNS})


def dictionary_findings(lookup: RecordsLookup) -> pd.DataFrame:
    """Return what the dictionary itself finds wrong, over all forms in their order.

    Columns: source_row (-1 for a finding about the dictionary), form, field, rule, value, problem, expected.
    """
    parts = [form_findings(FormValues(lookup, form)) for form in lookup.project.dictionary.forms]
    return joined([*parts, _record_names(lookup.records), row_findings(lookup.records)])


def joined(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return all findings in one frame."""
    filled = [part[list(COLUMNS)] for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else none()


def form_findings(rows: FormValues) -> pd.DataFrame:
    """Return the findings in one form's rows, and one for each field whose logic cannot be evaluated."""
    schema, frame = dictionary_schemas.form_schema(rows)
    cases = failure_cases(schema, frame)
    by_rule = cases.groupby(["column", "check"], sort=False)
    parts = [_described(rows, str(name), str(rule), part) for (name, rule), part in by_rule]  # type: ignore[misc]
    return joined([*parts, _refusals(rows)])


def failure_cases(schema: pa.DataFrameSchema, frame: pd.DataFrame) -> pd.DataFrame:
    """Validate lazily and return the failure cases, one a check and row: column, check, index."""
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases[["column", "check", "index"]]
        return cases.drop_duplicates().astype({"index": int})
    return pd.DataFrame({"column": [], "check": [], "index": []})


def _described(rows: FormValues, name: str, rule: str, cases: pd.DataFrame) -> pd.DataFrame:
    """Return the findings of one field and rule with their sentences, values of identifiers masked."""
    field = rows.project.dictionary.fields.get(name) or _status_field(rows.form)
    index = cases["index"].to_numpy()
    values = rows.values(field) if field.type != "status" else rows.status
    if rule == rule_names.CHOICE and field.type == "checkbox":
        values = _raw_boxes(rows, field)
    value = masked(field, values[index])
    expected = MASK if field.is_identifier and rule == rule_names.CALCULATION else _expected(rows, field, rule, index)
    return pd.DataFrame(
        {
            "source_row": rows.keys["source_row"].to_numpy()[index],
            "form": rows.form,
            "field": name,
            "rule": rule,
            "value": pd.Series(value, dtype="str"),
            "problem": render(_problem(rows, field, rule), {"value": value}, len(index)),
            "expected": expected,
        }
    ).astype({"expected": "str"})


def _status_field(form: str) -> Field:
    choices = "0, Incomplete | 1, Unverified | 2, Complete"
    return Field(f"{form}_complete", form, field_type="status", select_choices_or_calculations=choices)


def _raw_boxes(rows: FormValues, field: Field) -> np.ndarray:
    """Return what the options of a checkbox hold other than 0 and 1, joined by commas."""
    made = np.full(len(rows.keys), "", object)
    for box in rows.boxes(field).values():
        odd = ~np.isin(box, ("", "0", "1"))
        made = np.where(odd, np.where(made == "", "", made + ", ") + box, made)
    return made


def _problem(rows: FormValues, field: Field, rule: str) -> str:
    written = dictionary_schemas.field_format(field)
    kind = PHRASE[written.kind] if written else ""
    sentence = PROBLEMS[rule].replace("{kind}", kind).replace("{form}", form_label(rows, rows.form))
    return sentence.replace("{logic}", " ".join(field.branching_logic.replace("{", "(").split()))


def form_label(rows: FormValues, form: str) -> str:
    """Return an instrument's label, its name if it has none."""
    labels = {item["instrument_name"]: plain_label(str(item["instrument_label"])) for item in rows.project.instruments}
    return labels.get(form) or form


def _expected(rows: FormValues, field: Field, rule: str, index: np.ndarray) -> object:
    """Return what would be right, for all rows or, for a calculation, one a row."""
    if rule == rule_names.CALCULATION:
        result = rows.recomputed(field)
        return pd.Series(result.text[index] if result else "", dtype="str").replace("", "no value").to_numpy()
    written = dictionary_schemas.field_format(field)
    words = {
        rule_names.TYPE: written.words if written else "",
        rule_names.FORMAT: written.words if written else "",
        rule_names.RANGE: _range_words(field),
        rule_names.CHOICE: _choice_words(field),
        rule_names.LENGTH: "at most 200 bytes in a field of one line",
        rule_names.REQUIRED: _answer_words(field),
    }
    if rule in words:
        return _with_codes(rows, field, words[rule])
    return {rule_names.PLACE: _place_words(rows), rule_names.HIDDEN: HIDDEN_WORDS}.get(rule, "a value")


def _with_codes(rows: FormValues, field: Field, words: str) -> str:
    codes = rows.project.missing_codes
    return words if field.no_missing or field.type == "status" or not codes else f"{words}, or {', '.join(codes)}"


def _range_words(field: Field) -> str:
    low, high = field.text_validation_min.strip(), field.text_validation_max.strip()
    if field.type == "slider":
        low, high = low or "0", high or "100"
    if low and high:
        return f"a value from {low} to {high}"
    return f"at least {low}" if low else f"at most {high}"


def _answer_words(field: Field) -> str:
    """Return what a field that must not be blank asks for."""
    if not field.choices:
        return "a value"
    return f"{'one or more' if field.type == 'checkbox' else 'one'} of {_named_choices(field)}"


def _choice_words(field: Field) -> str:
    if field.type == "checkbox":
        return "each option ticked (1) or not (0)"
    if field.type == "status":
        return "0 (Incomplete), 1 (Unverified) or 2 (Complete)"
    return f"one of {_named_choices(field)}"


def _named_choices(field: Field) -> str:
    named = [f"{code} ({plain_label(label)})" for code, label in field.choices.items()]
    more = f" and {len(named) - LONGEST_CHOICES} more" if len(named) > LONGEST_CHOICES else ""
    return ", ".join(named[:LONGEST_CHOICES]) + more


def _place_words(rows: FormValues) -> str:
    project, labels = rows.project, {str(e["unique_event_name"]): str(e["event_name"]) for e in rows.project.events}
    modes = {event: row_mode(project, event, rows.form) for event in project.event_names}
    of_event = [labels.get(event, event) for event, mode in modes.items() if mode == ON_EVENT_ROW]
    own = [labels.get(event, event) for event, mode in modes.items() if mode == ON_OWN_ROW]
    if not project.longitudinal:
        return "an instance of the repeating form" if own else "a row without repeat instrument"
    parts = [f"the form at {', '.join(of_event)}"] if of_event else []
    parts += [f"an instance of the repeating form at {', '.join(own)}"] if own else []
    return " or ".join(parts) or "no value: the form is in no event"


def _refusals(rows: FormValues) -> pd.DataFrame:
    """Return one finding for each field whose logic or formula cannot be evaluated."""
    if not rows.refused:
        return none()
    fields = rows.project.dictionary.fields
    made = {
        "source_row": np.full(len(rows.refused), NO_ROW, np.int32),
        "form": rows.form,
        "field": list(rows.refused),
        "rule": rule_names.EXPRESSION,
        "value": [fields[name].branching_logic or fields[name].calculation for name in rows.refused],
        "problem": [f"It cannot be evaluated: {error}." for error in rows.refused.values()],
        "expected": "an expression that this program can evaluate; values that depend on it are not judged",
    }
    return pd.DataFrame(made)


def _record_names(records: Records) -> pd.DataFrame:
    """Return a finding for each record whose name is blank or a missing-data code."""
    names, field = records.record, records.project.dictionary.record_id
    bad = names.isin(["", *records.project.missing_codes]) & ~names.duplicated()
    rows = np.flatnonzero(bad.to_numpy(bool))
    made = {
        "source_row": rows.astype(np.int32),
        "form": records.project.dictionary.fields[field].form,
        "field": field,
        "rule": rule_names.MISSING_CODE,
        "value": names.to_numpy(object)[rows],
        "problem": render(PROBLEMS[rule_names.MISSING_CODE], {"value": names.to_numpy(object)[rows]}, len(rows)),
        "expected": "the record's name",
    }
    return pd.DataFrame(made)
