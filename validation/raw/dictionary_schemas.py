"""pandera schemas made from the REDCap dictionary: one schema a form, one column a field, one check a rule.

The schema of a form is bound to the form's rows, because what a field may hold depends on branching logic, on the
event and on other forms. The rule's id is the check's ``error``, so that failure cases name it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pyarrow.compute

from metadata.dictionary import Field
from metadata.expression import UnsupportedExpression
from metadata.expression_column import ExpressionColumn
from metadata.expression_evaluator import evaluate
from metadata.expression_parser import parse
from validation.frame_schema import frame_schema
from validation.raw.form_rows import FormValues
from validation.raw.rule_names import (
    CALCULATION,
    CHOICE,
    FORMAT,
    HIDDEN,
    LENGTH,
    MISSING_CODE,
    PLACE,
    RANGE,
    REQUIRED,
    TYPE,
)
from validation.raw.text_formats import Format, format_of

STATUS_CODES = ("", "0", "1", "2")
TOLERANCE = 1e-9
LONGEST = 200  # bytes of a character variable (SDTMIG 3.3, section 4.5.3.2)

Test = Callable[[np.ndarray], np.ndarray]


def rule(test: Test, name: str) -> pa.Check:
    """Return a vectorised pandera check that is known by the rule's id."""

    def judged(values: pd.Series) -> pd.Series:
        return pd.Series(np.asarray(test(values.to_numpy(object)), bool), index=values.index)

    return pa.Check(judged, error=name, ignore_na=False)


def form_schema(rows: FormValues) -> tuple[pa.DataFrameSchema, pd.DataFrame]:
    """Return the schema of one form and the frame it is meant for, one column a field, blanks as empty texts."""
    checked, values = {}, {}
    for field in rows.fields:
        stored = rows.values(field)
        checks = list(field_checks(rows, field, stored))
        if checks:
            values[field.name], checked[field.name] = stored, checks
    status = f"{rows.form}_complete"
    values[status] = rows.status
    checked[status] = [rule(lambda s: np.isin(s, STATUS_CODES), CHOICE)]
    schema = frame_schema(checked, rows.form, nullable=False)
    return schema, pd.DataFrame(values, index=rows.keys.index, dtype=object)


def field_checks(rows: FormValues, field: Field, values: np.ndarray) -> Iterator[pa.Check]:
    """Yield the checks of one field; a value that has no place or is hidden is judged for nothing else."""
    blank, coded, shown = np.asarray(values == "", bool), rows.coded(field, values), rows.shown(field)
    visible = rows.placed if shown is None else rows.placed & shown
    if not rows.placed.all():
        yield rule(lambda s: rows.placed | (s == ""), PLACE)
    if field.type == "calc":
        yield from _calculation(rows, field, visible)
        return
    if shown is not None and field.branching_logic.strip():
        yield rule(lambda s: ~rows.placed | shown | coded | (s == ""), HIDDEN)
    if shown is not None and field.is_required:
        yield rule(lambda s: ~visible | (s != ""), REQUIRED)
    if field.calculation:
        yield from _calculation(rows, field, visible & ~coded)
    if field.no_missing:
        yield rule(lambda s: ~(visible & coded), MISSING_CODE)
    yield from _value_checks(rows, field, values, ~(visible & ~blank & ~coded))


def _value_checks(rows: FormValues, field: Field, values: np.ndarray, exempt: np.ndarray) -> Iterator[pa.Check]:
    if field.type == "checkbox":
        ticks = np.all([np.isin(box, ("", "0", "1")) for box in rows.boxes(field).values()], axis=0)
        yield rule(lambda s: ~rows.placed | ticks, CHOICE)
    elif field.choices:
        yield rule(lambda s: exempt | np.isin(s, list(field.choices)), CHOICE)
    written = field_format(field)
    if written is None:
        if field.type == "text" and not exempt.all():
            short = bytes_of(values) <= LONGEST
            if not short.all():
                yield rule(lambda s: exempt | short, LENGTH)
        return
    low, high = bound(rows, field, "min", written), bound(rows, field, "max", written)
    if exempt.all():
        return
    of_kind, as_asked = written.is_of_kind(values), written.is_written(values)
    yield rule(lambda s: exempt | of_kind, TYPE)
    yield rule(lambda s: exempt | ~of_kind | as_asked, FORMAT)
    if low is not None or high is not None:
        inside = within(_comparable(values, written), low, high)
        yield rule(lambda s: exempt | ~(of_kind & as_asked) | inside, RANGE)


def bytes_of(values: np.ndarray) -> np.ndarray:
    """Return the length of each text in bytes of UTF-8."""
    return np.asarray(pyarrow.compute.binary_length(pyarrow.array(values, pyarrow.string())))


def field_format(field: Field) -> Format | None:
    """Return the format that a field's validation asks for; a slider takes whole numbers."""
    return format_of("integer") if field.type == "slider" else format_of(field.validation)


def _comparable(values: np.ndarray, written: Format) -> np.ndarray:
    """Numbers as float64, dates and times as text, which ISO puts in order."""
    if written.kind in ("integer", "number"):
        return ExpressionColumn.stored(values, (), written.decimal_comma).number
    return values


def bound(rows: FormValues, field: Field, which: str, written: Format) -> np.ndarray | None:
    """Return the least or greatest value allowed, for all rows or one a row where the bound is a ``[field]``."""
    text = getattr(field, f"text_validation_{which}").strip()
    if field.type == "slider":
        text = text or {"min": "0", "max": "100"}[which]
    if not text or written.kind == "text":
        return None
    if text.startswith("["):
        return _piped_bound(rows, field, text, which, written)
    if written.kind in ("integer", "number"):
        literal = ExpressionColumn.literal(text.replace(",", ".")).number
        return _literal_or_refusal(rows, field, text, which, literal, not np.isnan(literal[0]))
    literal = np.array([text], object)
    return _literal_or_refusal(rows, field, text, which, literal, text.lower() not in ("today", "now"))


def _literal_or_refusal(
    rows: FormValues, field: Field, text: str, which: str, literal: np.ndarray, usable: bool
) -> np.ndarray | None:
    if usable:
        return literal
    message = f"the bound '{text}' cannot be used: expected a number, a date or a [field]"
    rows.refused.setdefault(field.name, UnsupportedExpression(message, text, 1, f"{which} of field '{field.name}'"))
    return None


def _piped_bound(rows: FormValues, field: Field, text: str, which: str, written: Format) -> np.ndarray | None:
    try:
        column = evaluate(parse(text, f"{which} of field '{field.name}'"), rows.context)
    except UnsupportedExpression as error:
        rows.refused.setdefault(field.name, error)
        return None
    if written.kind in ("integer", "number"):
        return column.number
    return np.where(column.blank | column.coded, "", column.text)


def within(values: np.ndarray, low: np.ndarray | None, high: np.ndarray | None) -> np.ndarray:
    """Return True where a value is not below ``low`` and not above ``high``; a blank bound bounds nothing."""
    inside = np.ones(len(values), bool)
    if low is not None:
        inside &= ~np.asarray((low != "") & (values < low) if low.dtype == object else values < low, bool)
    if high is not None:
        inside &= ~np.asarray((high != "") & (values > high) if high.dtype == object else values > high, bool)
    return inside


def _calculation(rows: FormValues, field: Field, visible: np.ndarray) -> Iterator[pa.Check]:
    result = rows.recomputed(field)
    if result is not None:
        yield rule(lambda s: ~visible | agrees(_stored_result(s), result), CALCULATION)


def _stored_result(values: np.ndarray) -> ExpressionColumn:
    """Return stored results; one with a decimal comma, as a server may write them, is the number that it says."""
    plain, comma = ExpressionColumn.stored(values).number, ExpressionColumn.stored(values, (), True).number
    return ExpressionColumn(values, np.where(np.isnan(plain), comma, plain))


def agrees(stored: ExpressionColumn, computed: ExpressionColumn) -> np.ndarray:
    """Return True where a stored result is the computed one: equal numbers, equal texts or both blank."""
    both = ~np.isnan(stored.number) & ~np.isnan(computed.number)
    scale = np.maximum(1.0, np.abs(computed.number))
    close = np.abs(stored.number - computed.number) <= TOLERANCE * scale
    blank = stored.blank & computed.blank
    return np.where(both, close, blank | np.asarray(stored.text == computed.text, bool))
