"""From the forms' tables to the flat export: rows and columns as REDCap orders them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from metadata.project import Project
from metadata.records import ACCESS_GROUP, EVENT, REPEAT_INSTANCE, REPEAT_INSTRUMENT

TEXT = pd.StringDtype("pyarrow", na_value=np.nan)
ORDER = ["patient", "part", "event", "instrument", "instance"]


def export_columns(project: Project) -> list[str]:
    """Return all columns of a flat export, the data access group among the keys."""
    keys = [project.dictionary.record_id, EVENT, REPEAT_INSTRUMENT, REPEAT_INSTANCE, ACCESS_GROUP]
    return keys + [column for form in project.dictionary.forms for column in project.dictionary.export_columns(form)]


def flat_rows(project: Project, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the key of every row: base rows by event, then repeating rows by event, instrument and instance.

    ``part`` is 0 for a base row and 1 for a repeating one; event and instrument are positions in the project's order,
    and the instrument is -1 where the row belongs to no repeating form.
    """
    events = {name: position for position, name in enumerate(project.event_names)}
    pieces = []
    for position, form in enumerate(project.dictionary.forms):
        if form in tables:
            table = tables[form]
            own = np.array([project.repeats(event, form) for event in project.event_names])[table["event"].map(events)]
            pieces.append(_keys(table, events, np.where(own, position, -1)))
    return pd.concat(pieces).drop_duplicates().sort_values(ORDER, ignore_index=True)


def _keys(table: pd.DataFrame, events: Mapping[str, int], instrument: np.ndarray) -> pd.DataFrame:
    """Keys of a form's rows as positions."""
    return pd.DataFrame(
        {
            "patient": table["patient"].to_numpy(int),
            "part": (table["instance"].to_numpy(int) > 0).astype(int),
            "event": table["event"].map(events).to_numpy(int),
            "instrument": instrument,
            "instance": table["instance"].to_numpy(int),
        }
    )


def flat_frame(
    project: Project, tables: Mapping[str, pd.DataFrame], names: pd.Series, groups: pd.Series
) -> pd.DataFrame:
    """Return the flat export of all forms; every column is text, blanks are empty texts."""
    rows = flat_rows(project, tables)
    forms = project.dictionary.forms
    patient, instrument = rows["patient"].to_numpy(), rows["instrument"].to_numpy()
    instance = rows["instance"].astype("str").where(rows["instance"] > 0, "")
    columns: dict[str, object] = {
        project.dictionary.record_id: _text(names.to_numpy(object)[patient]),
        EVENT: _text(np.array(project.event_names, object)[rows["event"]]),
        REPEAT_INSTRUMENT: _text(np.array([*forms, ""], object)[instrument]),
        REPEAT_INSTANCE: _text(instance.to_numpy(object)),
        ACCESS_GROUP: _text(groups.to_numpy(object)[patient]),
    }
    place = rows.reset_index(names="row").set_index(ORDER)["row"]
    events = {name: position for position, name in enumerate(project.event_names)}
    for position, form in enumerate(forms):
        if form in tables:
            columns |= _form_columns(project, form, position, tables[form], rows, place, events)
    flat = export_columns(project)
    return pd.DataFrame({name: columns[name] if name in columns else _blank(len(rows)) for name in flat})


def _form_columns(
    project: Project,
    form: str,
    position: int,
    table: pd.DataFrame,
    rows: pd.DataFrame,
    place: pd.Series,
    events: Mapping[str, int],
) -> dict[str, object]:
    """Columns of one form over all rows: values where it was saved, boxes and status 0 where it applies and was not."""
    own = np.array([project.repeats(event, form) for event in project.event_names])
    keys = _keys(table, events, np.where(own[table["event"].map(events)], position, -1))
    at = place.reindex(pd.MultiIndex.from_frame(keys[ORDER])).to_numpy(int)
    source = np.full(len(rows), len(table))
    source[at] = np.arange(len(table))
    designated = np.array([project.designated(event, form) for event in project.event_names])[rows["event"]]
    mine = np.where(own[rows["event"]], rows["instrument"] == position, rows["instrument"] == -1)
    unsaved = designated & mine & (source == len(table))
    source[unsaved] = len(table) + 1
    made: dict[str, object] = {}
    for column in project.dictionary.export_columns(form):
        box = "___" in column or column == f"{form}_complete"
        values = np.full(len(table), "2", object) if column == f"{form}_complete" else table[column].to_numpy(object)
        choices = pa.array([*values, "", "0" if box else ""], pa.large_string())
        made[column] = _arrow(choices.take(pa.array(source)))
    return made


def _arrow(values: pa.Array) -> pd.api.extensions.ExtensionArray:
    return pd.arrays.ArrowStringArray(pa.chunked_array([values]), dtype=TEXT)  # type: ignore[attr-defined,call-arg]


def _text(values: np.ndarray) -> pd.api.extensions.ExtensionArray:
    return _arrow(pa.array(values, pa.large_string()))


def _blank(size: int) -> pd.api.extensions.ExtensionArray:
    return _arrow(pc.fill_null(pa.nulls(size, pa.large_string()), ""))


def to_csv(frame: pd.DataFrame) -> bytes:
    """Return CSV as REDCap writes it: UTF-8, LF, a cell quoted only where it holds a comma, a quote or white space."""
    return header(frame.columns) + joined(csv_lines(frame))


def header(names: Iterable[str]) -> bytes:
    """Return the first line of such a CSV."""
    return ",".join(_quoted(pa.array(list(names), pa.large_string())).to_pylist()).encode() + b"\n"


def csv_lines(frame: pd.DataFrame) -> pa.Array:
    """Return the other lines of such a CSV, without their ends."""
    cells = [_quoted(pa.array(frame[column].to_numpy(object), pa.large_string())) for column in frame.columns]
    return pc.binary_join_element_wise(*cells, pa.scalar(",", pa.large_string()))


def joined(lines: pa.Array) -> bytes:
    """Return lines with their ends, as they are in a file."""
    return "".join(f"{line}\n" for line in lines.to_pylist()).encode()


def _quoted(values: pa.Array) -> pa.Array:
    """Quote cells the way of PHP's fputcsv, each different text once."""
    coded = values.dictionary_encode()
    texts, quote = coded.dictionary, pa.scalar('"', pa.large_string())
    doubled = pc.replace_substring(texts, '"', '""')
    wrapped = pc.binary_join_element_wise(quote, doubled, quote, pa.scalar("", pa.large_string()))
    return pc.if_else(pc.match_substring_regex(texts, '[, "\t\r\n]'), wrapped, texts).take(coded.indices)
