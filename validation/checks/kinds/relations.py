"""Kinds of checks that hold a row against other rows of the same record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from metadata.labels import plain
from validation.checks.data import CheckData, CheckRows
from validation.checks.kind import (
    Check,
    CheckFinding,
    CheckParameter,
    kind,
)


@kind(
    "unique",
    "The same value {value} stands at {other} already.",
    "one of the two corrected or removed",
    ("other",),
    by=CheckParameter("fields"),
)
def unique(check: Check, rows: CheckRows, data: CheckData) -> CheckFinding:
    """Two rows of a record have the same values in the fields ``by``; the later one is queried."""
    names = list(check.parameters["by"])
    frame = pd.DataFrame({name: rows.text(name) for name in names})
    filled = (frame != "").all(axis="columns").to_numpy(bool)
    frame = frame.assign(record=rows.keys["record"], label=_places(rows, data), order=rows.event_position)
    frame = frame.assign(event_instance=rows.instance_number, late=~rows.scheduled)[filled]
    ordered = frame.sort_values(["record", "late", "order", "event_instance"], kind="stable")
    first = ordered.groupby(["record", *names], sort=False)["label"].transform("first").reindex(np.arange(len(rows)))
    repeated = ordered.duplicated(["record", *names]).reindex(np.arange(len(rows)), fill_value=False)
    return CheckFinding(repeated.to_numpy(bool), {"other": first.fillna("").to_numpy(object)})


def _places(rows: CheckRows, data: CheckData) -> np.ndarray:
    """Return where each row stands in words: event label and instance."""
    label = rows.keys["event"].map(data.event_labels).astype(object).fillna("").to_numpy()
    instance = rows.keys["instance"].to_numpy(object)
    return label + np.where(instance == "", "", " #" + instance)


@kind(
    "counterpart",
    "There is no matching entry in {other_form}.",
    "a matching entry in {other_form}, or this answer corrected",
    ("other_form",),
    other=CheckParameter("rows"),
    key=CheckParameter("operand", required=False),
    if_any=CheckParameter("flag", required=False),
)
def counterpart(check: Check, rows: CheckRows, data: CheckData) -> CheckFinding:
    """The record has no row of another form that meets a condition and has the same key.

    Without ``key`` the record alone must match; a blank key is not judged. With ``if_any`` only records with any row of
    the other form are judged.
    """
    declared = check.parameters["other"]
    other = data.rows(declared["form"])
    chosen = _chosen(other, declared)
    judged = np.ones(len(rows), bool)
    mine = rows.keys["record"].to_numpy(object)
    theirs = other.keys["record"].to_numpy(object)
    if check.parameters.get("if_any", False):
        judged &= np.isin(mine, theirs)
    if "key" in check.parameters:
        key = rows.text(check.parameters["key"])
        judged &= key != ""
        mine, theirs = mine + "\x1f" + key, theirs + "\x1f" + other.text(declared["key"])
    found = judged & ~pd.Series(mine).isin(set(theirs[chosen])).to_numpy(bool)
    return CheckFinding(found, {"other_form": _form_label(data, declared["form"], len(rows))})


def _chosen(other: CheckRows, declared: Mapping[str, Any]) -> np.ndarray:
    return other.condition(declared["when_logic"]) if "when_logic" in declared else np.ones(len(other), bool)


def _form_label(data: CheckData, form: str, size: int) -> np.ndarray:
    labels = {item["instrument_name"]: plain(str(item["instrument_label"])) for item in data.project.instruments}
    return np.full(size, labels.get(form) or form, object)


@kind(
    "agree",
    "The value {value} does not agree with {expected_value} in {other_form}.",
    "{expected_value}, or the entry in {other_form} corrected",
    ("expected_value", "other_form"),
    other=CheckParameter("rows"),
)
def agree(check: Check, rows: CheckRows, data: CheckData) -> CheckFinding:
    """A value differs from the one in another form of the record: by ``mode`` its last, its first or its only one."""
    declared = check.parameters["other"]
    other = data.rows(declared["form"])
    chosen = _chosen(other, declared)
    texts = {"record": other.keys["record"].to_numpy(object), "value": other.text(declared["field"])}
    frame = pd.DataFrame(texts, dtype="str")
    frame = frame[chosen & (frame["value"] != "").to_numpy(bool)].sort_values("value", kind="stable")
    mode = declared.get("mode", "only")
    values = frame.drop_duplicates("record", keep="last" if mode == "last" else "first").set_index("record")["value"]
    if mode == "only":
        values = values[~values.index.isin(frame.loc[frame.duplicated("record"), "record"])]
    expected = values.reindex(rows.keys["record"]).fillna("").to_numpy(object)
    mine = rows.text(check.field)
    details = {"expected_value": expected, "other_form": _form_label(data, declared["form"], len(rows))}
    return CheckFinding((mine != "") & (expected != "") & (mine != expected), details)


@kind(
    "other_record",
    "No other record has {value} as its {other_field}.",
    "a value that another record has, or none",
    ("other_field",),
    other=CheckParameter("rows"),
)
def other_record(check: Check, rows: CheckRows, data: CheckData) -> CheckFinding:
    """A value is not that of the field of ``other`` in another record."""
    declared = check.parameters["other"]
    name, named = str(declared["field"]), data.rows(declared["form"])
    known = pd.DataFrame({"value": named.text(name), "record": named.keys["record"].to_numpy(object)}, dtype="str")
    known = known[_chosen(named, declared)]
    mine = pd.DataFrame({"value": rows.text(check.field), "record": rows.keys["record"].to_numpy(object)}, dtype="str")
    elsewhere = mine.reset_index(names="row").merge(known, on="value", suffixes=("", "_there"))
    found = elsewhere.loc[elsewhere["record"] != elsewhere["record_there"], "row"]
    label = plain(data.project.dictionary.field(name).label)
    missing = (mine["value"] != "").to_numpy(bool) & ~mine.index.isin(found)
    return CheckFinding(missing, {"other_field": np.full(len(rows), label, object)})


@kind(
    "expected_forms",
    "These forms of the visit hold nothing: {forms}.",
    "the forms filled, or each marked as not done",
    ("forms",),
    **{"except": CheckParameter("forms", required=False)},
)
def expected_forms(check: Check, rows: CheckRows, data: CheckData) -> CheckFinding:
    """Forms designated for a scheduled event hold nothing there, those of ``except`` left out."""
    skipped = {check.form, *check.parameters.get("except", [])}
    absent = np.full(len(rows), "", object)
    events, source = rows.keys["event"], rows.keys["source_row"].to_numpy()
    for form in data.project.dictionary.forms:
        expected = [
            event
            for event in data.project.event_names
            if data.project.designated(event, form) and not data.project.repeats(event, form)
        ]
        due = rows.scheduled & events.isin(expected).to_numpy(bool)
        if form in skipped or not due.any():
            continue
        lacking = due & ~np.isin(source, data.rows(form).keys["source_row"].to_numpy())
        label = _form_label(data, form, len(rows))
        absent = np.where(lacking, np.where(absent == "", "", absent + ", ") + label, absent)
    return CheckFinding(absent != "", {"forms": absent})
