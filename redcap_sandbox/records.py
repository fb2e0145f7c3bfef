"""Record export: which columns and rows a request gets, flat or as entity-attribute-value, raw or labelled."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from metadata.records import ACCESS_GROUP, EVENT, REPEAT_INSTANCE, REPEAT_INSTRUMENT, SURVEY_IDENTIFIER
from redcap_sandbox.activity import changed_records
from redcap_sandbox.conditions import true_of
from redcap_sandbox.project import ExportColumn, SandboxProject
from redcap_sandbox.request import ApiError, ApiRequest

STATUS_LABELS = {"0": "Incomplete", "1": "Unverified", "2": "Complete"}
HEADER_LABELS = {
    EVENT: "Event Name",
    REPEAT_INSTRUMENT: "Repeat Instrument",
    REPEAT_INSTANCE: "Repeat Instance",
    ACCESS_GROUP: "Data Access Group",
    SURVEY_IDENTIFIER: "Survey Identifier",
}


@dataclass(frozen=True)
class RecordSelection:
    """What a request selected: rows (positions in the records' frame), key columns and data columns."""

    rows: np.ndarray
    keys: list[str]
    columns: list[ExportColumn]


def export_records(served: SandboxProject, request: ApiRequest) -> tuple[pd.DataFrame, list[str] | None]:
    """Return the frame a record request gets, and the labels that replace its headers if they were asked for.

    Raises ApiError (400) on unknown fields, forms or events and on parameters this sandbox does not carry out.
    """
    _refuse_unsupported(request)
    kind = request.choice("type", ("flat", "eav"))
    labels = request.choice("rawOrLabel", ("raw", "label")) == "label"
    label_headers = request.choice("rawOrLabelHeaders", ("raw", "label")) == "label"
    selection = _select(served, request)
    if kind == "eav":
        return _eav(served, request, selection, labels), None
    return _flat(served, request, selection, labels), _headers(served, selection) if label_headers else None


def _refuse_unsupported(request: ApiRequest) -> None:
    request.choice("decimalCharacter", ("", ",", "."))
    if request.flag("combineCheckboxOptions"):
        raise ApiError(400, 'The parameter "combineCheckboxOptions" is not supported by this sandbox; leave it out')


def _select(served: SandboxProject, request: ApiRequest) -> RecordSelection:
    columns = [column for column in _requested_columns(served, request) if _allowed(served, column)]
    record_id = served.project.dictionary.record_id
    with_id = any(column.name == record_id for column in columns)
    rows = np.flatnonzero(_wanted_rows(served, request) & _filled_rows(served, columns, with_id))
    return RecordSelection(rows, _key_columns(served, request, with_id), columns)


def _allowed(served: SandboxProject, column: ExportColumn) -> bool:
    """True if the user's rights let the column out; record names always leave, as hashes where they are hidden."""
    if column.field is None:
        return served.user.form_right(column.form) != 0
    return column.field.name == served.project.dictionary.record_id or served.user.may_export(column.field)


def _requested_columns(served: SandboxProject, request: ApiRequest) -> list[ExportColumn]:
    """Return the columns of the named fields and forms, in the dictionary's order; all when nothing was named."""
    dictionary = served.project.dictionary
    fields, forms = request.listed("fields"), request.listed("forms")
    statuses = {f"{form}_complete" for form in dictionary.forms}
    refuse_unknown("fields", fields, set(dictionary.fields) | statuses)
    refuse_unknown("forms", forms, set(dictionary.forms))
    named, on_forms = set(fields or ()), set(forms or ())
    everything = fields is None and forms is None
    chosen = [
        column
        for column in served.columns
        if everything or column.form in on_forms or (column.field.name if column.field else column.name) in named
    ]
    return _with_timestamps(served, chosen) if request.flag("exportSurveyFields") else chosen


def _with_timestamps(served: SandboxProject, columns: list[ExportColumn]) -> list[ExportColumn]:
    """Return columns with the time of each survey before those of its form, but after the record id."""
    record_id = served.project.dictionary.record_id
    made: list[ExportColumn] = []
    for column in columns:
        begun = any(one.form == column.form and one.name != record_id for one in made)
        if column.form in served.surveys and column.name != record_id and not begun:
            made.append(ExportColumn(f"{column.form}_timestamp", column.form, None, is_time=True))
        made.append(column)
    return made


def refuse_unknown(parameter: str, given: list[str] | None, known: set[str]) -> None:
    """Refuse names that do not exist, with REDCap's message."""
    unknown = [name for name in given or () if name not in known]
    if unknown:
        listed = ", ".join(f"'{name}'" for name in unknown)
        raise ApiError(400, f'The following values in the parameter "{parameter}" are not valid: {listed}')


def _key_columns(served: SandboxProject, request: ApiRequest, with_id: bool) -> list[str]:
    """Event and repeat columns come along with the record id; the group's when asked by a user outside all groups."""
    keys: list[str] = []
    if with_id and served.project.longitudinal:
        keys.append(EVENT)
    if with_id and served.project.has_repeating:
        keys += [REPEAT_INSTRUMENT, REPEAT_INSTANCE]
    if request.flag("exportDataAccessGroups") and served.project.dags and not served.user.dag:
        keys.append(ACCESS_GROUP)
    if request.flag("exportSurveyFields") and served.surveys:
        keys.append(SURVEY_IDENTIFIER)
    return keys


def _wanted_rows(served: SandboxProject, request: ApiRequest) -> np.ndarray:
    """Return a mask of the rows within the records, events, range of time and access group of a request."""
    frame, names = served.records.frame, served.records.record
    wanted = np.ones(len(frame), bool)
    if served.user.dag:
        wanted &= (frame[ACCESS_GROUP] == served.user.dag).to_numpy(bool)
    if request.listed("records") is not None:
        wanted &= names.isin(request.listed("records") or []).to_numpy(bool)
    events = request.listed("events")
    if events is not None:
        refuse_unknown("events", events, set(served.project.event_names))
        wanted &= frame[EVENT].isin(events).to_numpy(bool)
    begin, end = request.text("dateRangeBegin"), request.text("dateRangeEnd")
    if begin or end:
        wanted &= names.isin(changed_records(served, begin, end)).to_numpy(bool)
    return true_of(served, request.text("filterLogic"), wanted) if request.text("filterLogic") else wanted


def _filled_rows(served: SandboxProject, columns: list[ExportColumn], with_id: bool) -> np.ndarray:
    """Return a mask of the rows that a choice of columns has anything to say about.

    A row of a repeating instrument comes with that instrument's columns only; other rows come with the record id,
    or else where one of the columns is filled.
    """
    frame = served.records.frame
    instrument = frame[REPEAT_INSTRUMENT]
    own = instrument.isin(list({column.form for column in columns})).to_numpy(bool)
    plain = (instrument == "").to_numpy(bool)
    if with_id:
        return own | plain
    filled = np.zeros(len(frame), bool)
    for column in columns:
        if column.name in frame.columns:
            filled |= (frame[column.name] != "").to_numpy(bool)
    return (own | plain) & filled


def _values(served: SandboxProject, request: ApiRequest, selection: RecordSelection) -> pd.DataFrame:
    """Return the raw data columns of a selection; a column that the export lacks is blank."""
    frame = served.records.frame
    names = [column.name for column in selection.columns]
    values = frame.reindex(columns=names, fill_value="").iloc[selection.rows].reset_index(drop=True).astype("str")
    record_id = served.project.dictionary.record_id
    if record_id in names and served.user.hides_record_ids(served.project.dictionary):
        values[record_id] = values[record_id].map(hidden_name)
    if request.flag("exportBlankForGrayFormStatus"):
        for column in selection.columns:
            if column.field is None and not column.is_time:
                never = (values[column.name] == "0").to_numpy() & ~_form_filled(served, column.form, selection.rows)
                values[column.name] = values[column.name].mask(never, "")
    mark = request.text("decimalCharacter")
    if mark:
        numbers = [one.name for one in selection.columns if one.field is not None and one.field.is_numeric]
        values = values.assign(**{name: _with_decimal(values[name], mark) for name in numbers})
    return values


def _with_decimal(values: pd.Series, mark: str) -> pd.Series:
    """Return the texts with another decimal character in each number; other texts stay as they are."""
    return values.str.replace(r"^([-+]?\d*)[.,](\d+)$", rf"\g<1>{mark}\g<2>", regex=True)


def hidden_name(record: str) -> str:
    """Return the 32-character hash under which a record leaves whose name is an identifier."""
    return hashlib.sha256(record.encode()).hexdigest()[:32]


def _form_filled(served: SandboxProject, form: str, rows: np.ndarray) -> np.ndarray:
    """Return a mask over ``rows``: the form holds a value other than unticked boxes and its own status."""
    frame = served.records.frame
    filled = np.zeros(len(rows), bool)
    record_id = served.project.dictionary.record_id
    for column in served.columns:
        if column.form == form and column.field is not None and column.name in frame.columns.difference([record_id]):
            unset = ["", "0"] if column.code else [""]
            filled |= ~frame[column.name].iloc[rows].isin(unset).to_numpy(bool)
    return filled


def _keys(served: SandboxProject, selection: RecordSelection, names: list[str], labels: bool) -> pd.DataFrame:
    """Return the key columns of a selection; the repeat instance is an integer, or blank."""
    frame = served.records.frame.reindex(columns=names, fill_value="")
    keys = frame.iloc[selection.rows].reset_index(drop=True)
    if labels:
        keys = _label_keys(served, keys)
    if REPEAT_INSTANCE in names:
        instance = pd.to_numeric(keys[REPEAT_INSTANCE], errors="coerce")
        whole = instance.fillna(0).astype(int).astype(object)
        keys = keys.assign(**{REPEAT_INSTANCE: whole.where(instance.notna(), "")})
    return keys


def _label_keys(served: SandboxProject, keys: pd.DataFrame) -> pd.DataFrame:
    """Return key columns with the labels of events, instruments and groups."""
    project = served.project
    maps = {
        EVENT: {row["unique_event_name"]: str(row.get("event_name", "")) for row in project.events},
        REPEAT_INSTRUMENT: {row["instrument_name"]: row["instrument_label"] for row in project.instruments},
        ACCESS_GROUP: {row["unique_group_name"]: row["data_access_group_name"] for row in project.dags},
    }
    labelled = {name: _relabelled(keys[name], labels) for name, labels in maps.items() if name in keys}
    return keys.assign(**labelled)


def _relabelled(values: pd.Series, labels: dict[str, str]) -> pd.Series:
    """Return labels for codes; what has no label stays as it is."""
    return values.replace(labels) if labels else values


def _flat(served: SandboxProject, request: ApiRequest, selection: RecordSelection, labels: bool) -> pd.DataFrame:
    values = _values(served, request, selection)
    if labels:
        boxes = request.flag("exportCheckboxLabel")
        changed = {column.name: _labelled(served, column, values[column.name], boxes) for column in selection.columns}
        values = values.assign(**changed)
    keys = _keys(served, selection, selection.keys, labels)
    record_id = served.project.dictionary.record_id
    first = [record_id] if record_id in values else []
    rest = [name for name in values if name != record_id]
    return pd.concat([values[first], keys, values[rest]], axis="columns")


def _labelled(served: SandboxProject, column: ExportColumn, values: pd.Series, boxes: bool) -> pd.Series:
    if column.is_time:
        return values
    if column.field is None:
        return _relabelled(values, STATUS_LABELS)
    missing = served.project.missing_codes
    if column.code:
        option = column.field.choices.get(column.code) or missing.get(column.code, column.code)
        return _relabelled(values, {"1": option, "0": ""} if boxes else {"1": "Checked", "0": "Unchecked"})
    return _relabelled(values, missing | column.field.choices)


def _headers(served: SandboxProject, selection: RecordSelection) -> list[str]:
    """Return the labels of the columns of a flat export, in order."""
    record_id = served.project.dictionary.record_id
    first = [column for column in selection.columns if column.name == record_id]
    rest = [column for column in selection.columns if column.name != record_id]
    keys = [HEADER_LABELS[name] for name in selection.keys]
    return [*(_header(served, column) for column in first), *keys, *(_header(served, column) for column in rest)]


def _header(served: SandboxProject, column: ExportColumn) -> str:
    if column.is_time:
        return "Survey Timestamp"
    if column.field is None:
        return "Complete?"
    if column.code:
        option = column.field.choices.get(column.code) or served.project.missing_codes[column.code]
        return f"{column.field.label} (choice={option})"
    return column.field.label


def _eav(served: SandboxProject, request: ApiRequest, selection: RecordSelection, labels: bool) -> pd.DataFrame:
    """Return one row a stored value; a ticked box is its field with the code, an unticked one is absent."""
    values = _values(served, request, selection)
    keys = _eav_keys(served, selection, labels)
    parts = [_eav_column(served, column, values[column.name], selection, labels) for column in selection.columns]
    if ACCESS_GROUP in selection.keys:
        group = _keys(served, selection, [ACCESS_GROUP], labels)[ACCESS_GROUP]
        parts.append(pd.DataFrame({"field_name": ACCESS_GROUP, "value": group[group != ""]}))
    stored = pd.concat(parts) if parts else pd.DataFrame(columns=["field_name", "value"])
    stored = stored.sort_index(kind="stable")
    return keys.join(stored, how="inner").reset_index(drop=True)


def _eav_keys(served: SandboxProject, selection: RecordSelection, labels: bool) -> pd.DataFrame:
    """Return record, event and repeat columns of a selection, indexed by its rows."""
    project = served.project
    names = [EVENT] if project.longitudinal else []
    names += [REPEAT_INSTRUMENT, REPEAT_INSTANCE] if project.has_repeating else []
    record = served.records.record.iloc[selection.rows].reset_index(drop=True).rename("record")
    if served.user.hides_record_ids(project.dictionary):
        record = record.map(hidden_name)
    return pd.concat([record, _keys(served, selection, names, labels)], axis="columns")


def _eav_column(
    served: SandboxProject, column: ExportColumn, values: pd.Series, selection: RecordSelection, labels: bool
) -> pd.DataFrame:
    """Return field_name and value where one column holds a stored value, indexed by the selection's rows."""
    record_id = served.project.dictionary.record_id
    if column.field is not None and column.field.type == "file":
        values = _document_numbers(served, column, values, selection)
    if column.is_time:
        stored = values != ""
    elif column.field is None:
        stored = values.isin(["1", "2"]) | ((values == "0") & _form_filled(served, column.form, selection.rows))
    elif column.code:
        stored, values = values == "1", pd.Series(column.code, values.index, dtype="str")
    elif column.name == record_id:
        plain = served.records.frame[REPEAT_INSTRUMENT].iloc[selection.rows] == ""
        stored = pd.Series(plain.to_numpy(bool), values.index)
    else:
        stored = values != ""
    if labels and column.code and column.field is not None:
        values = _relabelled(values, served.project.missing_codes | column.field.choices)
    elif labels:
        values = _labelled(served, column, values, boxes=False)
    return pd.DataFrame({"field_name": column.field.name if column.field else column.name, "value": values[stored]})


def _document_numbers(
    served: SandboxProject, column: ExportColumn, values: pd.Series, selection: RecordSelection
) -> pd.Series:
    """Return the document ids of uploaded files in place of their names."""
    numbers = {tuple(place[:4]): str(file.number) for place, file in served.files.items() if place.field == column.name}
    record_id = served.project.dictionary.record_id
    keys = served.records.frame[[record_id, EVENT, REPEAT_INSTRUMENT, REPEAT_INSTANCE]].iloc[selection.rows]
    named = dict(zip(pd.MultiIndex.from_frame(keys), values.index, strict=True)) if numbers else {}
    found = pd.Series({named[key]: number for key, number in numbers.items() if key in named}, dtype="object")
    return found.reindex(values.index).fillna(values)
