"""Kinds of checks that hold a row against other rows of the same record."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as attribute
from typing import TYPE_CHECKING, Annotated

import numpy as np

from metadata.declaration_limits import Entries
from metadata.labels import plain
from metadata.project import Project
from metadata.schema_errors import needed_key, quoted
from validation.checks.data import CheckData, CheckRows
from validation.checks.kind import (
    Check,
    CheckFinding,
    FieldName,
    FormName,
    Operand,
    OtherRows,
    kind,
)

if TYPE_CHECKING:
    import pandas as pd


@kind(
    "unique",
    "The same value {value} stands at {other} already.",
    "one of the two corrected or removed",
    ("other",),
)
@dataclass(frozen=True, kw_only=True)
class UniqueRows(Check):
    """Two rows of a record have the same values in the fields ``by``; the later one is queried."""

    by: list[FieldName]

    def judge(self, rows: CheckRows, data: CheckData) -> CheckFinding:
        """Return the rows."""
        import pandas as pd

        names = self.by
        frame = pd.DataFrame({name: rows.text(name) for name in names})
        filled = (frame != "").all(axis="columns").to_numpy(bool)
        frame = frame.assign(record=rows.keys["record"], label=_places(rows, data), order=rows.event_position)
        frame = frame.assign(event_instance=rows.instance_number, late=~rows.scheduled)[filled]
        ordered = frame.sort_values(["record", "late", "order", "event_instance"], kind="stable")
        first = ordered.groupby(["record", *names], sort=False)["label"].transform("first")
        first = first.reindex(np.arange(len(rows)))
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
)
@dataclass(frozen=True, kw_only=True)
class CounterpartRow(Check):
    """The record has no row of another form that meets a condition and has the same key.

    Without ``key`` the record alone must match; a blank key is not judged. With ``if_any`` only records with any row of
    the other form are judged.
    """

    other: OtherRows
    key: Operand | None = None
    if_any: bool = False

    def check(self, project: Project) -> None:
        """Raise StudyError where only one side has a key."""
        if self.key is not None and self.other.key is None:
            raise needed_key(self.other.node, "key", quoted("other"))
        if self.key is None and self.other.key is not None:
            raise needed_key(self.node, "key", quoted(self.kind))

    def judge(self, rows: CheckRows, data: CheckData) -> CheckFinding:
        """Return the rows."""
        import pandas as pd

        other = data.rows(self.other.form)
        chosen = _chosen(other, self.other)
        judged = np.ones(len(rows), bool)
        mine = rows.keys["record"].to_numpy(object)
        theirs = other.keys["record"].to_numpy(object)
        if self.if_any:
            judged &= np.isin(mine, theirs)
        if self.key is not None and self.other.key is not None:
            key = rows.text(self.key)
            judged &= key != ""
            mine, theirs = mine + "\x1f" + key, theirs + "\x1f" + other.text(self.other.key)
        found = judged & ~pd.Series(mine).isin(set(theirs[chosen])).to_numpy(bool)
        return CheckFinding(found, {"other_form": _form_label(data, self.other.form, len(rows))})


def _chosen(other: CheckRows, declared: OtherRows) -> np.ndarray:
    return other.condition(declared.when_logic) if declared.when_logic else np.ones(len(other), bool)


def _form_label(data: CheckData, form: str, size: int) -> np.ndarray:
    labels = {item["instrument_name"]: plain(str(item["instrument_label"])) for item in data.project.instruments}
    return np.full(size, labels.get(form) or form, object)


@dataclass(frozen=True, kw_only=True)
class ComparedValue(Check):
    """Shared by the kinds that compare with a field of other rows."""

    other: OtherRows

    def check(self, project: Project) -> None:
        """Raise StudyError unless the other rows name their field."""
        if not self.other.field:
            raise needed_key(self.other.node, "field", quoted("other"))


@kind(
    "agree",
    "The value {value} does not agree with {expected_value} in {other_form}.",
    "{expected_value}, or the entry in {other_form} corrected",
    ("expected_value", "other_form"),
)
@dataclass(frozen=True, kw_only=True)
class AgreeingValue(ComparedValue):
    """A value differs from the one in another form of the record: by ``mode`` its last, its first or its only one."""

    def judge(self, rows: CheckRows, data: CheckData) -> CheckFinding:
        """Return the rows."""
        import pandas as pd

        other = data.rows(self.other.form)
        chosen = _chosen(other, self.other)
        texts = {"record": other.keys["record"].to_numpy(object), "value": other.text(self.other.field)}
        frame = pd.DataFrame(texts, dtype="str")
        frame = frame[chosen & (frame["value"] != "").to_numpy(bool)].sort_values("value", kind="stable")
        mode = self.other.mode
        values = frame.drop_duplicates("record", keep="last" if mode == "last" else "first").set_index("record")[
            "value"
        ]
        if mode == "only":
            values = values[~values.index.isin(frame.loc[frame.duplicated("record"), "record"])]
        expected = values.reindex(rows.keys["record"]).fillna("").to_numpy(object)
        mine = rows.text(self.field)
        details = {"expected_value": expected, "other_form": _form_label(data, self.other.form, len(rows))}
        return CheckFinding((mine != "") & (expected != "") & (mine != expected), details)


@kind(
    "other_record",
    "No other record has {value} as its {other_field}.",
    "a value that another record has, or none",
    ("other_field",),
)
@dataclass(frozen=True, kw_only=True)
class OtherRecord(ComparedValue):
    """A value is not that of the field of ``other`` in another record."""

    def judge(self, rows: CheckRows, data: CheckData) -> CheckFinding:
        """Return the rows."""
        name, named = self.other.field, data.rows(self.other.form)
        known = _values_of(named, name)[_chosen(named, self.other)]
        mine = _values_of(rows, self.field)
        elsewhere = mine.reset_index(names="row").merge(known, on="value", suffixes=("", "_there"))
        found = elsewhere.loc[elsewhere["record"] != elsewhere["record_there"], "row"]
        label = plain(data.project.dictionary.field(name).label)
        missing = (mine["value"] != "").to_numpy(bool) & ~mine.index.isin(found)
        return CheckFinding(missing, {"other_field": np.full(len(rows), label, object)})


def _values_of(rows: CheckRows, field: str) -> pd.DataFrame:
    """Return value and record of each row."""
    import pandas as pd

    return pd.DataFrame({"value": rows.text(field), "record": rows.keys["record"].to_numpy(object)}, dtype="str")


@kind(
    "expected_forms",
    "These forms of the visit hold nothing: {forms}.",
    "the forms filled, or each marked as not done",
    ("forms",),
)
@dataclass(frozen=True, kw_only=True)
class ExpectedForms(Check):
    """Forms designated for a scheduled event hold nothing there, those of ``except`` left out."""

    except_: Annotated[list[FormName], Entries(0)] = attribute(default_factory=list)

    def judge(self, rows: CheckRows, data: CheckData) -> CheckFinding:
        """Return the rows."""
        skipped = {self.form, *self.except_}
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
