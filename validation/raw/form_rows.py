"""The rows of one form as the dictionary's checks see them: where the form may be, what is shown, what is coded."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from metadata.dictionary import Field, checkbox_column
from metadata.errors import StudyError
from metadata.expression import Expression
from metadata.expression_column import ExpressionColumn
from metadata.expression_context import FormContext
from metadata.expression_evaluator import evaluate
from metadata.expression_parser import parse
from metadata.project import Project
from metadata.records import ACCESS_GROUP, EVENT, REPEAT_INSTANCE, REPEAT_INSTRUMENT
from metadata.records_lookup import RecordsLookup

if TYPE_CHECKING:
    import pandas as pd

ON_OWN_ROW, ON_EVENT_ROW, NOWHERE = "own", "event", "nowhere"


def row_mode(project: Project, event: str, form: str) -> str:
    """Return on which kind of row of an event the form may be: its own repeating rows, the event's, or none."""
    if project.repeats(event, form):
        return ON_OWN_ROW
    return ON_EVENT_ROW if project.designated(event, form) else NOWHERE


def may_hold_values(project: Project, form: str, keys: pd.DataFrame) -> np.ndarray:
    """Return True for rows (event, instrument, instance) in which the form may hold values.

    An event that repeats has numbered rows, one that does not has rows without a number.
    """
    events, instrument, instance = (keys[name].to_numpy(object) for name in ("event", "instrument", "instance"))
    allowed = np.zeros(len(keys), bool)
    for event in project.event_names:
        mode = row_mode(project, event, form)
        if mode == ON_OWN_ROW:
            allowed |= (events == event) & (instrument == form)
        elif mode == ON_EVENT_ROW:
            counted = (instance != "") == project.event_repeats(event)
            allowed |= (events == event) & (instrument == "") & counted
    return allowed


def stored_rows(lookup: RecordsLookup, form: str) -> pd.DataFrame:
    """Return keys of every row in which the form holds a value, those where it may not be included.

    Columns: source_row, record, event, instrument, instance, dag. As in ``Records.rows_of``, a status of 0 and an
    unticked box are not values.
    """
    if form not in lookup.form_keys:
        lookup.form_keys[form] = _keys(lookup, np.flatnonzero(_held(lookup, form)))
    return lookup.form_keys[form]


def _held(lookup: RecordsLookup, form: str) -> np.ndarray:
    dictionary, records = lookup.project.dictionary, lookup.records
    held = np.zeros(len(records), bool)
    own = records.table.where(REPEAT_INSTRUMENT, {"": True, form: True}, False)
    for column in dictionary.export_columns(form):
        if column in records.table:
            of_status = dictionary.column_field.get(column) is None
            held |= records.holds(column) & own if of_status else records.holds(column)
    return held


def _keys(lookup: RecordsLookup, rows: np.ndarray) -> pd.DataFrame:
    named = {"record": lookup.project.dictionary.record_id, "event": EVENT, "instrument": REPEAT_INSTRUMENT}
    named |= {"instance": REPEAT_INSTANCE, "dag": ACCESS_GROUP}
    texts = lookup.records.table.select(named.values()).take(rows).frame().set_axis(list(named), axis="columns")
    texts.insert(0, "source_row", rows.astype(np.int32))
    return texts


def stored_column(lookup: RecordsLookup, name: str, source_rows: np.ndarray) -> np.ndarray:
    """Return an export column at rows of the records; blanks if the export lacks it."""
    if name not in lookup.records.table:
        return np.full(len(source_rows), "", object)
    return lookup.records.table.texts_at(name, source_rows)


def stored_values(lookup: RecordsLookup, field: Field, source_rows: np.ndarray) -> np.ndarray:
    """Return a field's values at rows of the records; of a checkbox the codes ticked, joined by commas."""
    if field.type != "checkbox":
        return stored_column(lookup, field.name, source_rows)
    ticked = np.full(len(source_rows), "", object)
    for code in {**field.choices, **lookup.project.missing_codes}:
        on = stored_column(lookup, checkbox_column(field.name, code), source_rows) == "1"
        ticked = np.where(on, np.where(ticked == "", "", ticked + ", ") + code, ticked)
    return ticked


class FormValues:
    """Values, codes and visibility of one form's fields, each an array over the same rows."""

    def __init__(self, lookup: RecordsLookup, form: str) -> None:
        self.lookup, self.records, self.project, self.form = lookup, lookup.records, lookup.project, form
        self.keys = stored_rows(lookup, form)
        self.placed = may_hold_values(self.project, form, self.keys)
        self.context = FormContext(lookup, form, self.keys)
        self.refused: dict[str, StudyError] = {}
        self._logic: dict[str, ExpressionColumn | None] = {}

    @property
    def fields(self) -> list[Field]:
        """Fields of the form that hold values; the record id, and what the export lacks, are left out."""
        received = set(self.records.table.names) - {self.project.dictionary.record_id}
        fields = self.project.dictionary.form_fields(self.form)
        return [field for field in fields if received.intersection(field.columns)]

    def column(self, name: str) -> np.ndarray:
        """Return an export column at these rows; blanks if the export lacks it."""
        return stored_column(self.lookup, name, self.keys["source_row"].to_numpy())

    def values(self, field: Field) -> np.ndarray:
        """Return a field's values; of a checkbox the codes ticked, joined by commas, missing-data codes included."""
        return stored_values(self.lookup, field, self.keys["source_row"].to_numpy())

    def coded(self, field: Field, values: np.ndarray) -> np.ndarray:
        """Return True where the value is a missing-data code (a choice of the same code is the choice)."""
        return np.isin(values, [code for code in self.project.missing_codes if code not in field.choices])

    def boxes(self, field: Field) -> dict[str, np.ndarray]:
        """Return a checkbox's option columns."""
        return {column: self.column(column) for column in field.columns}

    @cached_property
    def status(self) -> np.ndarray:
        """The form's status column."""
        return self.column(f"{self.form}_complete")

    def shown(self, field: Field) -> np.ndarray | None:
        """Return True where branching logic shows the field; None if that cannot be evaluated."""
        if not field.branching_logic.strip():
            return np.ones(len(self.keys), bool)
        logic = self._evaluated(field, field.branching_logic, "branching logic")
        return None if logic is None else logic.truth

    def recomputed(self, field: Field) -> ExpressionColumn | None:
        """Return what a calc field's formula gives; None if it cannot be evaluated."""
        return self._evaluated(field, field.calculation, "calculation")

    def _evaluated(self, field: Field, text: str, what: str) -> ExpressionColumn | None:
        if text not in self._logic:
            try:
                self._logic[text] = evaluate(self._parsed(field, text, what), self.context)
            except StudyError as error:
                self._logic[text] = None
                self.refused.setdefault(field.name, error)
        elif self._logic[text] is None:
            self._refuse_again(field, text, what)
        return self._logic[text]

    def _refuse_again(self, field: Field, text: str, what: str) -> None:
        try:
            evaluate(self._parsed(field, text, what), self.context)
        except StudyError as error:
            self.refused.setdefault(field.name, error)

    @staticmethod
    def _parsed(field: Field, text: str, what: str) -> Expression:
        return parse(text, f"{what} of field '{field.name}'")
