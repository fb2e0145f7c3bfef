"""Runs a study's checks over its records: one finding for each row that a check objects to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from metadata.declaration import names_in, parameters
from metadata.dictionary import Field
from metadata.errors import StudyError
from metadata.expression_context import FormContext
from metadata.labels import plain_label
from validation.checks.data import INSTANCE, CheckData, CheckRows, reference_of
from validation.checks.kind import Check, CheckFinding, OtherRows
from validation.raw.dictionary_findings import joined
from validation.raw.form_rows import stored_values
from validation.raw.messages import MASK, masked, places, render

WITHOUT_VALUES = frozenset(
    ("other", "other_form", "other_field", "forms", "logic", "when_logic", "allowed", "low", "high", "most", "days")
) | {"previous_event"}
"""Details of sentences that hold no value of a record: places, labels, and what the check itself says."""


def check_findings(data: CheckData, checks: Sequence[Check]) -> pd.DataFrame:
    """Return the findings of all checks in their order; columns as ``dictionary_findings`` has them.

    Raises StudyError that names the check if one of its expressions cannot be evaluated over these records.
    """
    return joined(_one(data, check) for check in checks)


def _one(data: CheckData, check: Check) -> pd.DataFrame:
    rows = data.rows(check.form)
    try:
        found = check.judge(rows, data)
        where = found.where if check.when_logic is None else found.where & rows.condition(check.when_logic)
    except StudyError as error:
        raise StudyError(f"the check '{check.id}' cannot be evaluated: {error}", "checks.yaml") from None
    positions = np.flatnonzero(where)
    fields = np.full(len(positions), check.field, object) if found.field is None else found.field[positions]
    return joined(
        _findings(data, check, rows, found, str(name), positions[fields == name]) for name in sorted(set(fields))
    )


def _findings(
    data: CheckData, check: Check, rows: CheckRows, found: CheckFinding, name: str, positions: np.ndarray
) -> pd.DataFrame:
    """Return the findings of one check that query one field."""
    field = data.project.dictionary.fields[name]
    keys = rows.keys.iloc[positions].reset_index(drop=True)
    source = keys["source_row"].to_numpy()
    value = masked(field, stored_values(data.originals, field, source))
    columns = _named_fields(data, check, keys)  # a detail of the kind goes before a field of the same name
    columns |= {"value": value, "label": plain_label(field.label)}
    hidden = _reads_identifiers(data, check, field)
    for detail, texts in found.details.items():
        shown = np.asarray(texts[positions], object)
        columns[detail] = np.where(shown == "", "", MASK) if hidden and detail not in WITHOUT_VALUES else shown
    return pd.DataFrame(
        {
            "source_row": source,
            "form": field.form,
            "field": name,
            "rule": check.id,
            "value": pd.Series(value, dtype="str"),
            "problem": render(check.problem_sentence, columns, len(keys)),
            "expected": render(check.expected_sentence, columns, len(keys)),
        }
    )


def _reads_identifiers(data: CheckData, check: Check, field: Field) -> bool:
    """Return True if a check reads a field whose values may not be shown: then none of its details may be."""
    fields = data.project.dictionary.fields
    declared: list[Check | OtherRows] = [
        check,
        *(value for value in vars(check).values() if isinstance(value, OtherRows)),
    ]
    named = [
        name
        for one in declared
        for key, annotation in parameters(type(one)).items()
        for role in ("operand", "field")
        for name in names_in(annotation, getattr(one, key if hasattr(one, key) else f"{key}_"), role)
    ]
    names = {reference_of(name).name for name in named if name != INSTANCE} | {one.field for one in declared}
    return field.is_identifier or any(fields[name].is_identifier for name in names if name in fields)


def _named_fields(data: CheckData, check: Check, keys: pd.DataFrame) -> dict[str, np.ndarray | str]:
    """Return values and labels of the fields that the check's sentences name, identifiers masked."""
    fields = data.project.dictionary.fields
    context = FormContext(data.originals, check.form, keys)
    made: dict[str, np.ndarray | str] = {}
    for place in [*places(check.problem_sentence), *places(check.expected_sentence)]:
        name = place.removesuffix(".label")
        if place.endswith(".label"):
            made[place] = plain_label(fields[name].label)
        elif name in fields:
            made[place] = masked(fields[name], context.column(reference_of(name)).text)
    return made
