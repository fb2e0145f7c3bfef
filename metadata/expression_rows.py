"""Which row of the records a reference means for each row of a form, and what smart variables are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from metadata.dictionary import Field
from metadata.expression import EVENT_NAME, Reference
from metadata.expression_column import ExpressionColumn
from metadata.expression_functions import REDUCTIONS
from metadata.expression_references import aggregated_fields, check_one_instance, refuse_repeating
from metadata.labels import plain_label
from metadata.project import Project
from metadata.smart_variables import AGGREGATES, EVENTS, INSTANCES

if TYPE_CHECKING:
    import pandas as pd

    from metadata.records_lookup import RecordsLookup

NO_INSTANCE = "none"
STEPS = {"previous-instance": -1, "next-instance": 1}
AT_ONCE = {"1", "first-instance", "last-instance", "current-instance"}
"""Instances that what does not repeat has: its only one."""


def source_rows(lookup: RecordsLookup, form: str, rows: pd.DataFrame, field: Field, reference: Reference) -> np.ndarray:
    """Return the position in the records, for each row of a form, of the row that a reference means; -1 if none.

    Raises LookupError where a form or event repeats and the reference does not say which instance.
    """
    here = reference.event in (None, EVENT_NAME)
    if here and field.form == form and reference.instance is None:
        return rows["source_row"].to_numpy()
    events = rows["event"] if here else _events(lookup.project, form, rows, field.form, str(reference.event))
    if reference.instance is None:
        _check_instances(lookup.project, field, events, rows["event"])
    return lookup.positions(
        rows["record"],
        events,
        _instruments(lookup.project, field.form, events),
        _numbers(lookup, rows, field, events, reference.instance),
    )


def _check_instances(project: Project, field: Field, events: pd.Series, own: pd.Series) -> None:
    """Raise LookupError unless each row's event has one value of the field; a row's own instance is one."""
    for event in events.unique():
        refuse_repeating(project, field, str(event))
    for event in events[events != own].unique():
        check_one_instance(project, field, str(event))


def _events(project: Project, form: str, rows: pd.DataFrame, wanted: str, event: str) -> pd.Series:
    """Return the event that is meant in each row: a named one, or one by its place among those that hold a form."""
    if event not in EVENTS:
        return rows["event"].where(rows["event"] == event, event)
    return rows["event"].map({own: _by_place(project, own, wanted, event) for own in project.event_names}).fillna("")


def _by_place(project: Project, own: str, form: str, place: str) -> str:
    """Return the first or last event of an event's arm that holds a form, or the one before or after it."""
    if not project.longitudinal:
        raise LookupError(f"the project has no events, and so no [{place}]")
    arm = [event for event in project.event_names if event == own or not project.in_different_arms([event, own])]
    position = arm.index(own)
    before, after = arm[:position], arm[position + 1 :]
    those = {"previous-event-name": before[::-1], "next-event-name": after, "last-event-name": arm[::-1]}.get(
        place, arm
    )
    return next((event for event in those if project.designated(event, form)), "")


def _instruments(project: Project, form: str, events: pd.Series) -> pd.Series:
    """Return the repeating form that rows of each event are of; blank where the form does not repeat by itself."""
    return events.map({event: form if project.repeats(str(event), form) else "" for event in events.unique()})


def _numbers(
    lookup: RecordsLookup, rows: pd.DataFrame, field: Field, events: pd.Series, instance: str | None
) -> pd.Series:
    """Return the instance that is meant in each row; blank where nothing repeats."""
    project = lookup.project
    whole = [event for event in events.unique() if project.event_repeats(str(event))]
    if instance is None:
        return rows["instance"].where(events.isin(whole), "")
    repeating = [event for event in events.unique() if event in whole or project.repeats(str(event), field.form)]
    only = "" if instance in AT_ONCE else NO_INSTANCE
    return named_instances(lookup, field.form, rows["record"], events, rows["instance"], instance).where(
        events.isin(repeating), only
    )


def named_instances(
    lookup: RecordsLookup, form: str, records: pd.Series, events: pd.Series, own: pd.Series, instance: str
) -> pd.Series:
    """Return the number of an instance for each row; blank where there is none."""
    import pandas as pd

    if instance not in INSTANCES:
        return own.where(own.isna(), str(int(instance)))
    if instance == "current-instance":
        return own
    if instance in STEPS:
        return _written(pd.to_numeric(own, errors="coerce") + STEPS[instance])
    there = lookup.instances(form).groupby(["record", "event"], sort=False)["number"]
    found = there.min() if instance == "first-instance" else there.max()
    keys = pd.MultiIndex.from_arrays([records, events])
    return _written(pd.Series(found.reindex(keys).to_numpy(), index=own.index))


def _written(numbers: pd.Series) -> pd.Series:
    return numbers.astype("Int64").astype("str").where(numbers.notna(), "")


def smart_column(lookup: RecordsLookup, form: str, rows: pd.DataFrame, reference: Reference) -> ExpressionColumn:
    """Return a smart variable's value in each row of a form; raises LookupError if the project has none."""
    name = reference.name
    if name in AGGREGATES:
        return _aggregate(lookup, reference)
    if name in EVENTS:
        texts = _events(lookup.project, form, rows, form, name)
    elif name in INSTANCES:
        texts = named_instances(lookup, form, rows["record"], rows["event"], rows["instance"], name)
    else:
        texts = _of_row(lookup.project, form, rows, name)
    return ExpressionColumn.stored(texts.to_numpy(object))


def _of_row(project: Project, form: str, rows: pd.DataFrame, name: str) -> pd.Series:
    of_instrument = {
        "instrument-name": form,
        "instrument-label": _labels(project.instruments, "instrument").get(form, form),
    }
    if name in of_instrument:
        return rows["record"].where(rows["record"].isna(), of_instrument[name])
    if name == "record-name":
        return rows["record"]
    if name.startswith("record-dag"):
        groups = {str(one["unique_group_name"]): str(one["data_access_group_name"]) for one in project.dags}
        return rows["dag"] if name == "record-dag-name" else rows["dag"].map(groups).fillna("")
    return rows["event"] if name == EVENT_NAME else rows["event"].map(_of_events(project, name)).fillna("")


def _of_events(project: Project, name: str) -> dict[str, str]:
    """Return label or arm by event; a project without events has one arm."""
    if name == "event-label":
        return {str(event["unique_event_name"]): plain_label(str(event["event_name"])) for event in project.events}
    names = {str(arm["arm_num"]): str(arm.get("name", arm["arm_num"])) for arm in project.arms}
    arms = {str(event["unique_event_name"]): str(event.get("arm_num", "1")) for event in project.events} or {"": "1"}
    return arms if name == "arm-number" else {event: names.get(arm, arm) for event, arm in arms.items()}


def _labels(rows: list[dict[str, object]], what: str) -> dict[str, str]:
    return {str(row[f"{what}_name"]): plain_label(str(row[f"{what}_label"])) for row in rows}


def _aggregate(lookup: RecordsLookup, reference: Reference) -> ExpressionColumn:
    """Return one number over the values of fields in all rows of the project."""
    table, names = lookup.records.table, aggregated_fields(reference)
    lacking = next((name for name in names if name not in table), None)
    if lacking is not None:
        raise LookupError(f"the records received have no column '{lacking}'")
    texts = np.concatenate([table.texts_at(name, np.arange(len(table))) for name in names])
    values = ExpressionColumn.stored(texts, lookup.project.missing_codes)
    there = ~values.blank & ~values.coded
    what = reference.name.removeprefix("aggregate-")
    if what in ("count", "unique"):
        held = texts[there].astype(str)
        return ExpressionColumn.computed(float(len(held) if what == "count" else len(np.unique(held))))
    numbers = values.number[there & ~np.isnan(values.number)]
    if not len(numbers):
        return ExpressionColumn.computed(np.nan)
    return ExpressionColumn.computed(float(REDUCTIONS[what](numbers[:, np.newaxis], axis=0)[0]))
