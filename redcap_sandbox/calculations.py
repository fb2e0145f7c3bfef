"""Calculated fields, computed as values change."""

from __future__ import annotations

import numpy as np
import pandas as pd

from metadata.dictionary import Field
from metadata.errors import StudyError
from metadata.expression_context import FormContext
from metadata.expression_evaluator import evaluate_text
from metadata.expression_parser import parse
from metadata.records import ACCESS_GROUP, EVENT, REPEAT_INSTANCE, REPEAT_INSTRUMENT
from metadata.records_lookup import RecordsLookup
from redcap_sandbox.project import SandboxProject
from redcap_sandbox.record_order import applies

PASSES = 5
"""How often calculations of calculations are followed."""


def with_calculations(served: SandboxProject, records: set[str]) -> SandboxProject:
    """Return the project with the calc fields of some records computed; what cannot be evaluated stays as it is."""
    calculated = [field for field in served.project.dictionary.fields.values() if field.type == "calc"]
    for _ in range(PASSES if calculated else 0):
        earlier = served
        for field in calculated:
            served = _with_field(served, field, records)
        if served is earlier:
            break
    return served


def _with_field(served: SandboxProject, field: Field, records: set[str]) -> SandboxProject:
    """Return the project with one field computed; itself if no value changed."""
    frame = served.records.frame
    rows = np.flatnonzero(applies(served.project, frame, field.form) & served.records.record.isin(records).to_numpy())
    if not len(rows):
        return served
    try:
        values = evaluate_text(
            parse(field.calculation, field.name),
            FormContext(RecordsLookup(served.records), field.form, keys(served, rows)),
        )
    except (StudyError, LookupError):
        return served
    changed = frame[field.name].to_numpy(object, copy=True)
    changed[rows] = values.fillna("").to_numpy(object)
    if (changed == frame[field.name].to_numpy(object)).all():
        return served
    return served.with_frame(frame.assign(**{field.name: pd.Series(changed, index=frame.index, dtype="str")}))


def keys(served: SandboxProject, rows: np.ndarray) -> pd.DataFrame:
    """Return what an expression's context needs of rows, given by their positions."""
    taken = served.records.frame.iloc[rows]
    named = {EVENT: "event", REPEAT_INSTRUMENT: "instrument", REPEAT_INSTANCE: "instance", ACCESS_GROUP: "dag"}
    named[served.project.dictionary.record_id] = "record"
    made = taken[list(named)].rename(columns=named).reset_index(drop=True)
    return made.assign(source_row=rows.astype(np.int32))
