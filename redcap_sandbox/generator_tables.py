"""The forms of all patients as tables of texts: rows, values, then what REDCap itself does with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from metadata.dictionary import Field
from metadata.errors import StudyError, nearest
from metadata.expression import Reference
from metadata.expression_column import ExpressionColumn
from metadata.expression_evaluator import evaluate_condition, evaluate_text
from metadata.expression_parser import parse
from metadata.project import Project
from redcap_sandbox.generator_filling import Filling, World
from redcap_sandbox.generator_values import make

KEYS = ("patient", "event", "instance", "day")


def visit_rows(world: World, form: str, unplanned: pd.DataFrame | None) -> pd.DataFrame:
    """Return the rows of a form that is filled at visits: planned ones, and the instances of a repeating event."""
    pieces = []
    for event in world.project.event_names:
        if not world.project.designated(event, form) or world.project.repeats(event, form):
            continue
        if world.project.event_repeats(event):
            pieces.append(pd.DataFrame() if unplanned is None else unplanned.assign(event=event))
        else:
            day = world.calendar.days.get(world.calendar.moment_of_form.get(form, event))
            if day is None:
                where = f"in the event '{event}'" if event else "by itself"
                raise StudyError(f"form '{form}' is set up {where}, which is not a visit of study.yaml")
            seen = np.flatnonzero(~np.isnan(day))
            pieces.append(pd.DataFrame({"patient": seen, "event": event, "instance": 0, "day": day[seen].astype(int)}))
    rows = pd.concat(pieces, ignore_index=True).sort_values("patient", kind="stable", ignore_index=True)
    extra = [column for column in rows.columns if column not in KEYS]
    return rows.assign(**{column: rows[column].astype("str").fillna("") for column in extra})


def log_rows(world: World, form: str, course: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a form that repeats on its own: one an instance of its declared course."""
    event = next(name for name in world.project.event_names if world.project.repeats(name, form))
    return course.assign(event=event)


def fill(world: World, form: str, rows: pd.DataFrame, specs: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return the form's table: keys, then its export columns as texts; a course's own columns are values already."""
    filling = Filling(world, form, rows[list(KEYS)].reset_index(drop=True))
    extra = [column for column in rows.columns if column not in KEYS]
    filling.known |= {column: rows[column].to_numpy(object) for column in extra}
    for name, spec in specs.items():
        make(filling, name, spec)
    columns = [column for item in world.project.dictionary.form_fields(form) for column in item.columns]
    unknown = [name for name in specs if not name.startswith("_") and not _is_known(world.project, form, name)]
    if unknown:
        raise StudyError(f"form '{form}' has no field '{unknown[0]}'{nearest(unknown[0], columns)}")
    texts = {column: filling.written(column) for column in columns if column in filling.known}
    empty = {column: np.full(len(rows), _empty(world.project, column), object) for column in columns}
    return pd.concat([filling.rows, pd.DataFrame(empty | texts)[columns].astype("str")], axis="columns")


def _is_known(project: Project, form: str, name: str) -> bool:
    """True for a field of the form and for the prefix of a date in parts."""
    fields = project.dictionary.fields
    return any(key in fields and fields[key].form_name == form for key in (name, f"{name}_y"))


def _empty(project: Project, column: str) -> str:
    """An unticked box is 0, anything else blank."""
    owner = project.dictionary.fields[project.dictionary.column_field[column]]
    return "0" if owner.field_type == "checkbox" else ""


@dataclass(eq=False)
class TableContext:
    """The rows of one form's table, for the logic and the calculations of the dictionary."""

    project: Project
    tables: Mapping[str, pd.DataFrame]
    form: str
    known: dict[Reference, ExpressionColumn] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(self.tables[self.form])

    def column(self, reference: Reference) -> ExpressionColumn:
        """Return the values of a field of the same row, of another form or of another event of the same patient."""
        dictionary = self.project.dictionary
        item = dictionary.field(reference.name)
        name = reference.name if reference.code is None else item.columns[list(item.choices).index(reference.code)]
        own = self.tables[self.form]
        if reference.event is None and item.form_name == self.form:
            values = own[name]
        else:
            values = self._elsewhere(name, item, reference.event)
        return ExpressionColumn.stored(values, self.project.missing_codes, "comma" in item.validation)

    def _elsewhere(self, name: str, item: Field, event: str | None) -> pd.Series:
        """Values of a field in another event, or on another form of each row's own; blank where there are none."""
        own, there = self.tables[self.form], self.tables[item.form_name]
        by_place = there.drop_duplicates(["patient", "event"]).set_index(["patient", "event"])[name]
        places = pd.MultiIndex.from_arrays([own["patient"], own["event"] if event is None else [event] * len(own)])
        return by_place.reindex(places).fillna("").astype("str").reset_index(drop=True)


def close_branches(project: Project, tables: dict[str, pd.DataFrame]) -> None:
    """Empty every value whose branching logic hides it, field by field in the dictionary's order."""
    for item in project.dictionary.fields.values():
        if not item.branching_logic or item.form_name not in tables or not item.columns:
            continue
        context = TableContext(project, tables, item.form_name)
        shown = evaluate_condition(parse(item.branching_logic, f"branching logic of field {item.name}"), context)
        for column in item.columns:
            table = tables[item.form_name]
            table[column] = table[column].where(shown, _empty(project, column))


def calculate(project: Project, tables: dict[str, pd.DataFrame]) -> None:
    """Compute every calc field, in the dictionary's order."""
    for item in project.dictionary.fields.values():
        if item.field_type == "calc" and item.form_name in tables:
            context = TableContext(project, tables, item.form_name)
            value = evaluate_text(parse(item.calculation, f"calculation of field {item.name}"), context)
            tables[item.form_name][item.name] = value.to_numpy(object)
