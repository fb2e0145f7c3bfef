"""Kinds of checks about values of one form: what must hold, what a value may be, how far it may move."""

from __future__ import annotations

import re
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Annotated

import numpy as np

from metadata.coded_text import CodedText
from metadata.declaration_limits import RegularExpression
from metadata.expression import Reference
from metadata.expression_column import ExpressionColumn, written_number
from metadata.expression_parser import parse
from metadata.project import Project
from metadata.schema_errors import needed_key, quoted
from metadata.study import Study
from metadata.yaml_source import complain
from validation.checks.data import CheckData, CheckRows
from validation.checks.kind import Check, CheckFinding, FieldName, Logic, kind
from validation.checks.kinds.dates import previous_values

NOISE = 1e-9


def texts_of(numbers: np.ndarray) -> np.ndarray:
    """Return numbers as short texts, NaN as blank."""
    return ExpressionColumn.computed(np.round(numbers, 9)).text if len(numbers) else np.empty(0, object)


def _refuse_words(check: Check, project: Project) -> None:
    """Raise StudyError for a field of which the dictionary says that it holds no numbers."""
    found = project.dictionary.fields.get(check.field)
    if found is None or found.is_numeric:
        return
    words = found.type == "notes" or (found.type == "text" and bool(found.validation))
    codes = bool(found.choices) and not any(re.fullmatch(r"-?[0-9.]+", code) for code in found.choices)
    if words or codes:
        raise complain(check.node, "field", f"field '{found.name}' holds no numbers, which '{check.kind}' looks at")


@kind(
    "expression",
    "What should hold does not: {logic}.",
    "answers for which it holds",
    ("logic",),
)
@dataclass(frozen=True, kw_only=True)
class ExpressionHolds(Check):
    """A REDCap expression is not true; rows with a blank or coded operand are not judged unless ``judge_blank``."""

    logic: Logic
    judge_blank: bool = False

    def judge(self, rows: CheckRows, data: CheckData) -> CheckFinding:
        """Return the rows."""
        text = self.logic
        judged = np.ones(len(rows), bool)
        if not self.judge_blank:
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
)
@dataclass(frozen=True, kw_only=True)
class RequiredWhen(Check):
    """The queried field is blank although ``when_logic`` is true."""

    when_logic: Logic

    def judge(self, rows: CheckRows, data: CheckData) -> CheckFinding:
        """Return the rows."""
        shown = np.full(len(rows), " ".join(str(self.when_logic).split()), object)
        return CheckFinding(rows.column(self.field).blank, {"when_logic": shown})


@kind(
    "allowed_values",
    "The value {value} is not one that the scale has.",
    "one of {allowed}",
    ("allowed",),
)
@dataclass(frozen=True, kw_only=True)
class AllowedValues(Check):
    """A number is not in a closed set."""

    values: list[float]

    def check(self, project: Project, study: Study) -> None:
        """Raise StudyError for a field that holds no numbers."""
        _refuse_words(self, project)

    def judge(self, rows: CheckRows, data: CheckData) -> CheckFinding:
        """Return the rows."""
        number = rows.column(self.field).number
        allowed = np.array(sorted(self.values))
        words = ", ".join(written_number(value) for value in allowed)
        found = ~np.isnan(number) & ~np.isin(np.round(number, 9), allowed)
        return CheckFinding(found, {"allowed": np.full(len(rows), words, object)})


@kind(
    "plausible",
    "The value {value} is implausible: {standard} in the standard unit, expected {low} to {high}.",
    "a value from {low} to {high} in the standard unit, the right unit, or the value confirmed",
    ("standard", "low", "high"),
)
@dataclass(frozen=True, kw_only=True)
class Plausible(Check):
    """A number, brought to its standard unit by the factor of its unit's code, lies outside limits."""

    low: float
    high: float
    unit: FieldName | None = None
    unit_factors: dict[str, float] = attribute(default_factory=dict)

    def judge(self, rows: CheckRows, data: CheckData) -> CheckFinding:
        """Return the rows."""
        standard = rows.column(self.field).number * self._factors(rows)
        low, high = self.low, self.high
        limits = {"low": np.full(len(rows), f"{low:g}", object), "high": np.full(len(rows), f"{high:g}", object)}
        outside = (standard < low - NOISE) | (standard > high + NOISE)
        return CheckFinding(outside, {"standard": texts_of(standard), **limits})

    def check(self, project: Project, study: Study) -> None:
        """Raise StudyError unless the field named by ``unit`` has a factor for each of its codes."""
        if self.low > self.high:
            raise complain(self.node, "low", f"the lower limit {self.low:g} is above the upper {self.high:g}")
        _refuse_words(self, project)
        if bool(self.unit) != bool(self.unit_factors):
            raise needed_key(self.node, "unit_factors" if self.unit else "unit", quoted(self.kind))
        for code in project.dictionary.field(self.unit).choices if self.unit else ():
            if code not in self.unit_factors:
                sentence = f"the unit '{self.unit}' has the code '{code}' and no factor is given for it"
                raise complain(self.node, "unit_factors", sentence)

    def _factors(self, rows: CheckRows) -> np.ndarray:
        """Return the factor to the standard unit; NaN where the unit is blank or has none."""
        import pandas as pd

        if self.unit is None:
            return np.ones(len(rows))
        return pd.Series(rows.text(self.unit)).map(self.unit_factors).to_numpy(float)


@kind(
    "change_limit",
    "The value {value} differs by {change} from {previous} at the visit before ({previous_event}).",
    "a value within {most} of the visit before, or the value confirmed",
    ("change", "previous", "previous_event", "most"),
)
@dataclass(frozen=True, kw_only=True)
class ChangeLimit(Check):
    """A number differs by more than ``most`` from the record's scheduled event before."""

    most: float

    def judge(self, rows: CheckRows, data: CheckData) -> CheckFinding:
        """Return the rows."""
        import pandas as pd

        number, most = rows.column(self.field).number, self.most
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
)
@dataclass(frozen=True, kw_only=True)
class TextFormat(Check):
    """A text that is not blank does not match a regular expression (as Python's ``re`` reads it) as a whole."""

    pattern: Annotated[str, RegularExpression()]

    def judge(self, rows: CheckRows, data: CheckData) -> CheckFinding:
        """Return the rows."""
        import pandas as pd

        texts = CodedText.of_series(pd.Series(rows.text(self.field), dtype="str"))
        written = re.compile(self.pattern).fullmatch
        return CheckFinding(texts.test(lambda text: text != "" and written(text) is None), {})
