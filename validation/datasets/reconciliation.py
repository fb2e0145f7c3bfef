"""Reconciliation per form: values received are tabulated, declared not submitted or withheld, and the counts add up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from metadata.dictionary import Field
from metadata.records import EVENT, REPEAT_INSTANCE, Records

SOURCE = "REDCAP"
COLUMNS = (
    "form", "received", "tabulated", "not_submitted", "withheld", "after_cutoff", "unaccounted", "reconciled", "places"
)  # fmt: skip
FIRST_PLACES = 5
ANY = "*"
AT = " at "
SEPARATOR = "\x1f"

RowsOf = Mapping[str, np.ndarray]


def reconcile(
    records: Records, edges: pd.DataFrame | Iterable[pd.DataFrame], withheld: pd.DataFrame, not_submitted: pd.DataFrame,
    cut: pd.DataFrame | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Return one row a form: what it received, what became of it, and whether that adds up (``COLUMNS``).

    A value is a distinct pair of row and export column that is not blank; a ticked option of a checkbox is one value,
    form status and record id are none. A value that is several of these counts as the first of tabulated, withheld,
    after the cut-off (``cut``) and not submitted. ``edges`` is the lineage of the SDTM datasets; an edge or a withheld
    row may name the field or, for a checkbox, the option's column. A row of ``not_submitted`` with a ``record``
    declares that record's values only. ``places`` names the first values that are unaccounted for.
    """
    frames = [edges] if isinstance(edges, pd.DataFrame) else list(edges)
    used, held, later = rows_by_field(frames), _rows_of(withheld), {} if cut is None else _rows_of(cut)
    declared = _declared(not_submitted)
    dictionary = records.project.dictionary
    rows = []
    for form in dictionary.forms:
        fields = [field for field in dictionary.form_fields(form) if field.name != dictionary.record_id]
        rows.append(_form_row(records, form, fields, (used, held, later), declared))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def rows_by_field(edges: Iterable[pd.DataFrame]) -> dict[str, np.ndarray]:
    """Return the records' rows that lineage edges name, by field."""
    parts: dict[str, list[np.ndarray]] = {}
    for frame in edges:
        names, sources = (frame[column].astype("category").array for column in ("source_variable", "source"))
        at = np.flatnonzero(np.array([*(source == SOURCE for source in sources.categories), False])[sources.codes])
        order = at[np.argsort(names.codes[at], kind="stable")]
        bounds = np.searchsorted(names.codes[order], np.arange(len(names.categories) + 1))
        rows = frame["source_row"].to_numpy()[order]
        for name, first, last in zip(names.categories, bounds[:-1], bounds[1:], strict=True):
            if last > first:
                parts.setdefault(str(name), []).append(rows[first:last])
    return {name: np.concatenate(rows) for name, rows in parts.items()}


def _declared(not_submitted: pd.DataFrame) -> dict[str, set[str]]:
    """Return by form and field the records whose values are declared not submitted; a blank means all."""
    made: dict[str, set[str]] = {}
    given = not_submitted if "record" in not_submitted else not_submitted.assign(record="")
    for form, field, record in zip(given["form"], given["field"], given["record"], strict=True):
        made.setdefault(f"{form}{SEPARATOR}{field}", set()).add(str(record))
    return made


def _rows_of(withheld: pd.DataFrame) -> dict[str, np.ndarray]:
    grouped = withheld.groupby("field", observed=True, sort=False)["source_row"]
    return {str(name): rows.to_numpy() for name, rows in grouped}


def _marked(rows: RowsOf, names: Iterable[str], size: int) -> np.ndarray:
    marked = np.zeros(size, bool)
    for name in names:
        if name in rows:
            marked[rows[name].astype(np.int64)] = True
    return marked


def _form_row(
    records: Records, form: str, fields: list[Field], found: tuple[RowsOf, ...], declared: Mapping[str, set[str]]
) -> tuple[object, ...]:
    size, sums = len(records), np.zeros(6, np.int64)
    places: list[str] = []
    for field in fields:
        for column in field.columns:
            if column not in records.table:
                continue
            value = records.holds(column)
            names = dict.fromkeys((field.name, column))
            left, parts = value, list[np.ndarray]()
            for rows in found:
                parts.append(left & _marked(rows, names, size))
                left = left & ~parts[-1]
            tabulated, withheld, later = parts
            unaccounted = left & ~_waived(records, left, [form + SEPARATOR + name for name in (*names, ANY)], declared)
            counted = value, tabulated, left & ~unaccounted, withheld, later, unaccounted
            sums += [part.sum() for part in counted]
            places += _places(records, column, np.flatnonzero(unaccounted), FIRST_PLACES - len(places))
    reconciled = bool(sums[0] == sums[1:5].sum())
    return (form, *map(int, sums), reconciled, "; ".join(places))


def _waived(records: Records, left: np.ndarray, names: list[str], declared: Mapping[str, set[str]]) -> np.ndarray:
    """Return the rows whose values are declared not submitted; nothing is looked up where no value is left."""
    waived = set().union(*(declared.get(name, set()) for name in names))
    if "" in waived or not left.any():
        return np.full(len(left), "" in waived)
    return records.record.isin(waived).to_numpy(bool)


def _places(records: Records, column: str, rows: np.ndarray, most: int) -> list[str]:
    """Return the first places of a column as text, without its values."""
    return [f"{column}{AT}{place_of(records, int(row))}" for row in rows[: max(most, 0)]]


def place_of(records: Records, row: int) -> str:
    """Return a row of the records as text: record, event and instance."""
    columns = (records.project.dictionary.record_id, EVENT, REPEAT_INSTANCE)
    record, event, instance = (records.column(name)[row].as_py() for name in columns)
    parts = [f"record {record}", f"event {event}" if event else ""]
    return ", ".join(part for part in [*parts, f"instance {instance}" if instance else ""] if part)


def unreconciled(reconciliation: pd.DataFrame, conditions: Mapping[str, str] | None = None) -> list[str]:
    """Return one sentence for each form whose values are not all accounted for.

    ``conditions`` has the places in the mapping, by export column, of fields that it reads under a condition only.
    """
    wrong = reconciliation[~reconciliation["reconciled"].astype(bool)]
    sentences = (
        "form "
        + wrong["form"].astype("str")
        + ": "
        + wrong["unaccounted"].astype("str")
        + " of "
        + wrong["received"].astype("str")
        + " values are neither tabulated, withheld nor declared not submitted, first "
        + wrong["places"].astype("str")
    )
    return [
        sentence + _why(places, conditions or {}) for sentence, places in zip(sentences, wrong["places"], strict=True)
    ]


def _why(places: str, conditions: Mapping[str, str]) -> str:
    """Return what to do about the columns of some places that are read under a condition only."""
    columns = dict.fromkeys(place.partition(AT)[0] for place in places.split("; "))
    read = [f"{column} only at {conditions[column]}" for column in columns if column in conditions]
    if not read:
        return ""
    return (
        f" (the mapping reads {', '.join(read)}: map the other records too, or give the reason under without_record of"
        " sdtm/not_submitted.yaml)"
    )
