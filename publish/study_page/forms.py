"""REDCap's forms as tables of the study's pages: each record's values, the link that opens the form, no identifiers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from metadata.coded_text import CodedText
from metadata.dataset import Dataset
from metadata.labels import plain_label
from metadata.records import ACCESS_GROUP, EVENT, REPEAT_INSTANCE, REPEAT_INSTRUMENT, Records
from publish.lineage import REDCAP
from publish.study_page.sources import RECORDS, FormPlaces, form_table
from publish.study_page.tables import ShownColumn, ShownTable, write_parts

GROUP = "REDCap forms"
KEYS = ("record", "event", "instance")
LINK = "link"
PLACE = (
    ShownColumn("record", "Record"), ShownColumn("event", "Event"), ShownColumn("instance", "Instance"),
    ShownColumn(LINK, "Opens the form"),
)  # fmt: skip
STATUS = {"0": "Incomplete", "1": "Unverified", "2": "Complete"}
UNTICKED = {"0": "Unchecked", "1": "Checked"}
Links = Callable[[pd.DataFrame], pd.Series]
"""Gives the address of the form for rows with record, event, form and instance."""


@dataclass(frozen=True)
class FormState:
    """How many entries of a form there are, and how many of them have each status."""

    form: str
    label: str
    entries: int
    complete: int
    unverified: int
    incomplete: int


@dataclass(frozen=True)
class KeptForms:
    """What the pages need to know of the forms once their values were written."""

    tables: tuple[ShownTable, ...]
    places: FormPlaces
    states: tuple[FormState, ...]
    identifiers: frozenset[str]


def identifier_fields(records: Records) -> frozenset[str]:
    """Return the export columns of fields that the dictionary flags as identifiers, and the names of those fields."""
    fields = [field for field in records.project.dictionary.fields.values() if field.is_identifier]
    return frozenset(name for field in fields for name in (field.name, *field.columns))


def keep_forms(records: Records, datasets: Mapping[str, Dataset], links: Links, folder: Path | None) -> KeptForms:
    """Write each form's records to ``folder``, without one only count them.

    Kept are the records with a value in the form, and those that an edge of ``datasets`` leads to. Raises OutsideError.
    """
    dictionary, project = records.project.dictionary, records.project
    form_of = {name: field.form for field in dictionary.fields.values() for name in (field.name, *field.columns)}
    form_of |= {f"{form}_complete": form for form in dictionary.forms}
    named = _named_by_edges(datasets, form_of)
    positions = {
        form: np.union1d(records.rows_of(form) if form else [], named.get(form, [])).astype(np.int64)
        for form in ("", *dictionary.forms)
    }
    labels = {item["instrument_name"]: plain_label(str(item["instrument_label"])) for item in project.instruments}
    hidden = identifier_fields(records)
    tables = []
    for form, rows in positions.items():
        tables.append(_table(records, form, labels.get(form, form), len(rows), hidden))
        if folder is not None:
            write_parts(folder, tables[-1].name, len(rows), _columns(records, form, tables[-1], rows, links))
    states = tuple(_state(records, form, labels.get(form, form)) for form in dictionary.forms)
    places = FormPlaces(form_of, {form_table(form): rows for form, rows in positions.items()})
    return KeptForms(tuple(tables), places, states, hidden)


def _named_by_edges(datasets: Mapping[str, Dataset], form_of: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Return the records of each form that some edge leads to."""
    found: dict[str, list[np.ndarray]] = {}
    for dataset in datasets.values():
        edges = dataset.lineage
        mine = edges["source"].eq(REDCAP).to_numpy()
        fields, rows = edges["source_variable"].array[mine], edges["source_row"].to_numpy()[mine]
        forms = [form_of.get(str(name), "") for name in fields.categories]
        for form in set(forms):
            own = np.array([one == form for one in forms])[fields.codes]
            found.setdefault(form, []).append(np.unique(rows[own]))
    return {form: np.concatenate(parts) for form, parts in found.items()}


def _table(records: Records, form: str, label: str, rows: int, hidden: frozenset[str]) -> ShownTable:
    """Return how the page shows a form; of the table of records there is no form."""
    dictionary = records.project.dictionary
    if not form:
        group = ShownColumn(ACCESS_GROUP, "Data access group")
        return ShownTable(RECORDS, "Records", GROUP, rows, KEYS, (*PLACE, group))
    columns = []
    for name in dictionary.export_columns(form):
        if name not in records.table:
            continue
        field = dictionary.fields.get(dictionary.column_field.get(name, name))
        if field is None:
            columns.append(ShownColumn(name, "Form status", choices=STATUS))
            continue
        text, choices = plain_label(field.label), {code: plain_label(one) for code, one in field.choices.items()}
        if field.type == "checkbox":
            option = choices.get(name.rpartition("___")[2], "")
            columns.append(ShownColumn(name, f"{text}: {option}" if option else text, choices=UNTICKED))
        else:
            columns.append(ShownColumn(name, text, choices=choices))
    shown = tuple(one for one in columns if one.name not in hidden)
    withheld = tuple(one for one in columns if one.name in hidden)
    return ShownTable(form_table(form), label, GROUP, rows, KEYS, (*PLACE, *shown), withheld)


def _columns(
    records: Records, form: str, table: ShownTable, positions: np.ndarray, links: Links
) -> Iterator[CodedText]:
    """Yield the columns of a form's table."""
    place = _place(records, form, positions)
    yield from (CodedText.of_series(place[name]) for name in KEYS)
    yield CodedText.of_series(links(place).astype("str").where(place["form"].ne(""), ""))
    for column in table.columns[len(PLACE) :]:
        yield records.table.coded(column.name, positions)


def _place(records: Records, form: str, positions: np.ndarray) -> pd.DataFrame:
    """Return record, event, form and instance of rows."""
    name = records.project.dictionary.record_id
    rows = records.table.select([name, EVENT, REPEAT_INSTRUMENT, REPEAT_INSTANCE]).take(positions).frame()
    rows = rows.rename(columns={name: "record", EVENT: "event", REPEAT_INSTANCE: "instance"})
    rows["form"] = form or rows[REPEAT_INSTRUMENT]
    return rows.drop(columns=REPEAT_INSTRUMENT)


def _state(records: Records, form: str, label: str) -> FormState:
    """Count the entries of a form by their status; of a file beside REDCap all rows are complete."""
    rows, status = records.rows_of(form), f"{form}_complete"
    if status not in records.table:
        return FormState(form, label, len(rows), len(rows), 0, 0)
    coded = records.table.coded(status, rows)
    complete, unverified = (int(coded.isin([code]).sum()) for code in ("2", "1"))
    return FormState(form, label, len(rows), complete, unverified, len(rows) - complete - unverified)
