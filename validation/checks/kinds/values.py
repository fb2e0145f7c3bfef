"""Kinds of checks about values of one form: what must hold, what a value may be, how far it may move."""

from __future__ import annotations

import numpy as np
import pandas as pd

from metadata.expression import Reference
from metadata.expression_column import ExpressionColumn, matches, written_number
from metadata.expression_parser import parse
from validation.checks.data import CheckData, CheckRows
from validation.checks.kind import (
    Check,
    CheckFinding,
    CheckParameter,
    kind,
)
from validation.checks.kinds.dates import previous_values

NOISE = 1e-9


def texts_of(numbers: np.ndarray) -> np.ndarray:
    """Return numbers as short texts, NaN as blank."""
    return ExpressionColumn.computed(np.round(numbers, 9)).text if len(numbers) else np.empty(0, object)


@kind(
    "expression",
    "What should hold does not: {logic}.",
    "answers for which it holds",
    ("logic",),
    logic=CheckParameter("expression"),
    judge_blank=CheckParameter("flag", required=False),
)
def expression(check: Check, rows: CheckRows, data: CheckData) -> CheckFinding:
    """A REDCap expression is not true; rows with a blank or coded operand are not judged unless ``judge_blank``."""
    text = check.parameters["logic"]
    judged = np.ones(len(rows), bool)
    if not check.parameters.get("judge_blank", False):
        for reference in parse(text).references:
            judged &= _answered(rows, reference)
    shown = np.full(len(rows), " ".join(text.split()), object)
    return CheckFinding(judged & ~rows.condition(text), {"logic": shown})


def _answered(rows: CheckRows, reference: Reference) -> np.ndarray:
    column = rows.context.column(reference)
    return ~column.blank & ~column.coded


@kind(
    "required_when",
    "A value is missing although {when_logic}.",
    "a value",
    ("when_logic",),
    when_logic=CheckParameter("expression"),
)
def required_when(check: Check, rows: CheckRows, data: CheckData) -> CheckFinding:
    """The queried field is blank although ``when_logic`` is true."""
    shown = np.full(len(rows), " ".join(str(check.when_logic).split()), object)
    return CheckFinding(rows.column(check.field).blank, {"when_logic": shown})


@kind(
    "allowed_values",
    "The value {value} is not one that the scale has.",
    "one of {allowed}",
    ("allowed",),
    values=CheckParameter("numbers"),
)
def allowed_values(check: Check, rows: CheckRows, data: CheckData) -> CheckFinding:
    """A number is not in a closed set."""
    number = rows.column(check.field).number
    allowed = np.array(sorted(float(value) for value in check.parameters["values"]))
    words = ", ".join(written_number(value) for value in allowed)
    found = ~np.isnan(number) & ~np.isin(np.round(number, 9), allowed)
    return CheckFinding(found, {"allowed": np.full(len(rows), words, object)})


@kind(
    "plausible",
    "The value {value} is implausible: {standard} in the standard unit, expected {low} to {high}.",
    "a value from {low} to {high} in the standard unit, the right unit, or the value confirmed",
    ("standard", "low", "high"),
    low=CheckParameter("number"),
    high=CheckParameter("number"),
    unit=CheckParameter("field", required=False),
    unit_factors=CheckParameter("unit_factors", required=False),
)
def plausible(check: Check, rows: CheckRows, data: CheckData) -> CheckFinding:
    """A number, brought to its standard unit by the factor of its unit's code, lies outside limits."""
    standard = rows.column(check.field).number * _factors(check, rows)
    low, high = float(check.parameters["low"]), float(check.parameters["high"])
    limits = {"low": np.full(len(rows), f"{low:g}", object), "high": np.full(len(rows), f"{high:g}", object)}
    outside = (standard < low - NOISE) | (standard > high + NOISE)
    return CheckFinding(outside, {"standard": texts_of(standard), **limits})


def _factors(check: Check, rows: CheckRows) -> np.ndarray:
    """Return the factor to the standard unit; NaN where the unit is blank or has none."""
    if "unit" not in check.parameters:
        return np.ones(len(rows))
    known = {str(code): float(factor) for code, factor in check.parameters.get("unit_factors", {}).items()}
    return pd.Series(rows.text(check.parameters["unit"])).map(known).to_numpy(float)


@kind(
    "change_limit",
    "The value {value} differs by {change} from {previous} at the visit before ({previous_event}).",
    "a value within {most} of the visit before, or the value confirmed",
    ("change", "previous", "previous_event", "most"),
    most=CheckParameter("number"),
)
def change_limit(check: Check, rows: CheckRows, data: CheckData) -> CheckFinding:
    """A number differs by more than ``most`` from the record's scheduled event before."""
    number, most = rows.column(check.field).number, float(check.parameters["most"])
    before = previous_values(rows, number)
    change = np.abs(number - before["value"])
    details = {"change": texts_of(change), "previous": texts_of(before["value"])}
    details["previous_event"] = (
        pd.Series(before["event"], dtype="str").map(data.event_labels).fillna("").to_numpy(object)
    )
    details["most"] = np.full(len(rows), f"{most:g}", object)
    return CheckFinding(change > most + NOISE, details)


@kind(
    "text_format",
    "The value {value} is not written as expected.",
    "text as described in the field's note",
    pattern=CheckParameter("pattern"),
)
def text_format(check: Check, rows: CheckRows, data: CheckData) -> CheckFinding:
    """A text that is not blank does not match a regular expression as a whole."""
    text = rows.text(check.field)
    return CheckFinding(~matches(text, check.parameters["pattern"]) & (text != ""), {})
