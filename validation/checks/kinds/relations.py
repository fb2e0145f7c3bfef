"""Kinds of checks that hold a row against other rows of the same record."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as attribute
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np

from metadata.declaration_limits import Entries, Limit
from metadata.labels import plain_label
from metadata.project import Project
from metadata.schema_errors import needed_key, quoted
from metadata.study import Study
from metadata.yaml_source import complain
from validation.checks.compared_values import SAME, ComparedValues, comparison_of
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

MOST_INSTANCES = 1_000_000
"""REDCap numbers instances up to 32,767."""


@kind(
    "unique",
    "The same value {value} is at {other} already.",
    "one of the two corrected or removed",
    ("other",),
)
@dataclass(frozen=True, kw_only=True)
class UniqueRows(Check):
    """Two rows of a record have the same values in the fields ``by``; the later one is queried.

    With ``within: study`` the rows are those of different records instead (one person who was entered twice); a row
    with a blank in ``by`` is not judged.
    """

    by: list[FieldName]
    within: Literal["record", "study"] = "record"

    def judge(self, rows: CheckRows, data: CheckData) -> CheckFinding:
        """Return the rows."""
        import pandas as pd

        names = self.by
        frame = pd.DataFrame({name: rows.text(name) for name in names})
        filled = (frame != "").all(axis="columns").to_numpy(bool)
        frame = frame.assign(record=rows.keys["record"], label=_places(rows, data), order=rows.event_position)
        frame = frame.assign(event_instance=rows.instance_number, late=~rows.scheduled)[filled]
        ordered = frame.sort_values(["record", "late", "order", "event_instance"], kind="stable")
        if self.within == "study":
            return _in_other_records(ordered, names, len(rows))
        first = ordered.groupby(["record", *names], sort=False)["label"].transform("first")
        first = first.reindex(np.arange(len(rows)))
        repeated = ordered.duplicated(["record", *names]).reindex(np.arange(len(rows)), fill_value=False)
        return CheckFinding(repeated.to_numpy(bool), {"other": first.fillna("").to_numpy(object)})


def _in_other_records(ordered: pd.DataFrame, names: list[str], count: int) -> CheckFinding:
    """Return the first row of each record whose values an earlier record has."""
    once = ordered.drop_duplicates(["record", *names])
    place = "record " + once["record"].astype("str") + once["label"].map(lambda label: f", {label}" if label else "")
    first = place.groupby([once[name] for name in names], sort=False).transform("first").reindex(np.arange(count))
    repeated = once.duplicated(names).reindex(np.arange(count), fill_value=False)
    return CheckFinding(repeated.to_numpy(bool), {"other": first.fillna("").to_numpy(object)})


def _places(rows: CheckRows, data: CheckData) -> np.ndarray:
    """Return the place of each row as a text: event label and instance."""
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

    Without ``key`` the record alone must match; a blank key is not judged. With ``same_event`` of ``other`` the event
    must match as well. With ``if_any`` only records with any row of the other form are judged.
    """

    other: OtherRows
    key: Operand | None = None
    if_any: bool = False

    def check(self, project: Project, study: Study) -> None:
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
        mine, theirs = _owners(rows, self.other), _owners(other, self.other)
        if self.if_any:
            judged &= np.isin(mine, theirs)
        if self.key is not None and self.other.key is not None:
            key = rows.text(self.key)
            judged &= key != ""
            mine, theirs = mine + "\x1f" + key, theirs + "\x1f" + other.text(self.other.key)
        found = judged & ~pd.Series(mine).isin(set(theirs[chosen])).to_numpy(bool)
        return CheckFinding(found, {"other_form": _form_label(data, self.other.form, len(rows))})


def _owners(rows: CheckRows, declared: OtherRows) -> np.ndarray:
    """Return the record of each row, with ``same_event`` also its event, as one text."""
    record = rows.keys["record"].to_numpy(object)
    return record + "\x1f" + rows.keys["event"].to_numpy(object) if declared.same_event else record


def _chosen(other: CheckRows, declared: OtherRows) -> np.ndarray:
    return other.condition(declared.when_logic) if declared.when_logic else np.ones(len(other), bool)


def _form_label(data: CheckData, form: str, size: int) -> np.ndarray:
    labels = {item["instrument_name"]: plain_label(str(item["instrument_label"])) for item in data.project.instruments}
    return np.full(size, labels.get(form) or form, object)


@dataclass(frozen=True, kw_only=True)
class ComparedValue(Check):
    """Shared by the kinds that compare with a field of other rows."""

    other: OtherRows

    def check(self, project: Project, study: Study) -> None:
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
    """A value differs from the one in another form of the record.

    By ``mode`` that is its first, its last or its only one there (in the order of dates, numbers or texts), or
    ``previous``: the one at the event or instance before, also of the same form (a unit that jumps between visits).
    Dates are compared as dates, however each field writes them, numbers as numbers (8 and 8.0 agree), else the texts.
    With ``key``, here and in ``other``, only rows of the same key are meant (an accession number), with ``same_event``
    those of the same event. Numbers may be apart by the ``tolerance``, or by a ``share`` of the expected one.
    """

    key: Operand | None = None
    tolerance: Annotated[float, Limit(0)] = 0.0
    share: Annotated[float, Limit(0)] = 0.0

    def check(self, project: Project, study: Study) -> None:
        """Raise StudyError for a date that is held against a text which is not read as one."""
        super().check(project, study)
        if (self.key is None) != (self.other.key is None):
            node, owner = (self.other.node, "other") if self.key else (self.node, self.kind)
            raise needed_key(node, "key", quoted(owner))
        if self.other.mode == "previous" and (self.key or self.other.same_event):
            raise complain(self.other.node, "mode", "previous values are of other events: leave out key and same_event")
        fields = project.dictionary.fields
        both = [name for name in (self.field, self.other.field) if name in fields]
        dates = [name for name in both if name in study.text_dates or fields[name].validation.startswith("date")]
        if dates and len(dates) < len(both):
            word = next(name for name in both if name not in dates)
            problem = f"'{dates[0]}' is a date and '{word}' is not read as one: text_dates of study.yaml says how it is"
            raise complain(self.node, "field", problem)

    def judge(self, rows: CheckRows, data: CheckData) -> CheckFinding:
        """Return the rows."""
        other = data.rows(self.other.form)
        how = comparison_of(rows, self.field, other, self.other.field)
        values = ComparedValues.of(other, self.other.field, how)
        filled = np.flatnonzero(_chosen(other, self.other) & np.asarray(values.text != "", bool))
        before = self.other.mode == "previous"
        source = _row_before(rows, other, filled) if before else self._row(rows, other, filled, values)
        expected = values.take(source)
        details = {"expected_value": expected.text, "other_form": _form_label(data, self.other.form, len(rows))}
        mine = ComparedValues.of(rows, self.field, how)
        return CheckFinding(mine.differs(expected) & ~self._near(mine, expected), details)

    def _near(self, mine: ComparedValues, expected: ComparedValues) -> np.ndarray:
        """Return where two numbers are no more apart than is allowed, in the last digit of a sum as well."""
        allowed = np.fmax(self.tolerance, self.share * np.abs(expected.number))
        return np.asarray(np.abs(mine.number - expected.number) <= allowed * (1 + SAME), bool)

    def _owners(self, rows: CheckRows, key: Operand | None) -> np.ndarray:
        owners = _owners(rows, self.other)
        return owners if key is None else np.asarray(owners + "\x1f" + rows.text(key), object)

    def _row(self, rows: CheckRows, other: CheckRows, filled: np.ndarray, values: ComparedValues) -> np.ndarray:
        """Return for each row the other form's row that ``mode`` means, -1 if there is none."""
        import pandas as pd

        mine, theirs = self._owners(rows, self.key), self._owners(other, self.other.key)[filled]
        frame = pd.DataFrame({"record": theirs, "order": values.order.to_numpy()[filled], "row": filled})
        frame = frame.sort_values("order", kind="stable")
        if self.other.mode == "only":
            frame = frame[~frame.duplicated("record", keep=False)]
        chosen = frame.drop_duplicates("record", keep="last" if self.other.mode == "last" else "first")
        row = chosen.set_index("record")["row"].reindex(mine)
        if self.key is not None:
            row = row.where(rows.text(self.key) != "")
        return row.fillna(-1).to_numpy(np.int64)


def _row_before(rows: CheckRows, other: CheckRows, filled: np.ndarray) -> np.ndarray:
    """Return for each row the last of the ``filled`` rows at an earlier event or instance of its record, -1 if none."""
    import pandas as pd

    mine, theirs = (
        pd.DataFrame({"record": one.keys["record"].to_numpy(object), "place": _order_of_places(one)}).astype(
            {"record": "str"}
        )
        for one in (rows, other)
    )
    theirs = theirs.assign(before=np.arange(len(other))).iloc[filled].sort_values("place", kind="stable")
    ordered = mine.assign(row=np.arange(len(rows))).sort_values("place", kind="stable")
    found = pd.merge_asof(ordered, theirs, on="place", by="record", allow_exact_matches=False)
    return found.set_index("row")["before"].reindex(np.arange(len(rows))).fillna(-1).to_numpy(np.int64)


def _order_of_places(rows: CheckRows) -> np.ndarray:
    """Return a number for each row that grows with its event and, within this, with its instance."""
    return rows.event_position * MOST_INSTANCES + rows.instance_number


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
        label = plain_label(data.project.dictionary.field(name).label)
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
