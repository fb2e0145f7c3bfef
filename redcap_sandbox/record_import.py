"""Importing records: rows and values are made or changed, calculated fields follow, the log says what changed."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from extract.odm.document import parse_document
from extract.odm.records import cells_of
from metadata.errors import RedcapCdiscError
from metadata.records import ACCESS_GROUP, EVENT, REPEAT_INSTANCE, REPEAT_INSTRUMENT
from redcap_sandbox.calculations import with_calculations
from redcap_sandbox.log_entries import Entry, record_entry, with_entries
from redcap_sandbox.posted_records import PostedRecords, RowKey, importable, read_records
from redcap_sandbox.posted_rows import Row, posted_rows
from redcap_sandbox.project import SandboxProject
from redcap_sandbox.record_order import next_name, ordered, with_untouched
from redcap_sandbox.request import ApiError, ApiRequest
from redcap_sandbox.value_checks import DATE_PARTS

OTHER_GROUP = "The record '{}' does not belong to your Data Access Group"
NOT_ASSIGNED = "You cannot assign records to another Data Access Group than your own"
NO_BACKGROUND = 'The parameter "backgroundProcess" is not supported by this sandbox; leave it out'
NO_EDIT = "You do not have edit rights on the instrument(s): {}"
"""How a server words this refusal is not recorded."""
NO_CREATE = "You do not have Create Record privileges"
EAV_COLUMNS = ("record", "field_name", "value")
NOT_EAV = "The data being imported lacks one of the fields record, field_name and value"


def import_records(served: SandboxProject, request: ApiRequest) -> tuple[SandboxProject, list[tuple[str, str]]]:
    """Return the project with the posted records, and their names with those that they were posted under.

    Raises ApiError (400) if anything in the data is wrong: then nothing is stored.
    """
    if request.flag("backgroundProcess"):
        raise ApiError(400, NO_BACKGROUND)
    if request.text("format") == "odm":
        rows = _document_rows(served, request.raw("data"))
    else:
        rows = posted_rows(request)
        rows = list(_flat_rows(served, rows)) if request.choice("type", ("flat", "eav")) == "eav" else rows
    blanks = request.choice("overwriteBehavior", ("normal", "overwrite")) == "overwrite"
    posted = read_records(served, rows, request.choice("dateFormat", tuple(DATE_PARTS)))
    refuse_forms(served, {name for row in posted.cells.values() for name, value in row.items() if value or blanks})
    names = {key.record: key.record for key in posted.cells}
    if request.flag("forceAutoNumber"):
        names = _numbered(served, names)
        posted = _renamed(posted, names)
    return store(served, posted, blanks), [(new, old) for old, new in names.items()]


def refuse_forms(served: SandboxProject, columns: set[str]) -> None:
    """Raise ApiError (403) if some columns are of forms that the user may not edit."""
    forms = dict.fromkeys(one.form for one in served.columns if one.name in columns)
    refused = [form for form in forms if not served.user.may_edit(form)]
    if refused:
        raise ApiError(403, NO_EDIT.format(", ".join(refused)))


def _document_rows(served: SandboxProject, data: str) -> list[Row]:
    """Return the records of a posted ODM document as flat rows, with what the document has of each and no more."""
    record_id, rows = served.project.dictionary.record_id, dict[RowKey, Row]()
    try:
        for record, event, form, instance, column, value in cells_of(
            parse_document(data.encode(), "data"), served.project
        ):
            row = rows.setdefault(RowKey(record, event, form, instance), {record_id: record})
            if column and not _is_file(served, column):
                row[column] = value
    except RedcapCdiscError as error:
        raise ApiError(400, str(error)) from None
    names = (EVENT, REPEAT_INSTRUMENT, REPEAT_INSTANCE)
    return [dict(zip(names, key[1:], strict=True)) | row for key, row in rows.items()]


def _is_file(served: SandboxProject, name: str) -> bool:
    field = served.project.dictionary.fields.get(name)
    return field is not None and field.type == "file"


def _flat_rows(served: SandboxProject, rows: list[Row]) -> Iterator[Row]:
    """Yield a flat row a posted value; a checkbox is ``field___code`` with 0 or 1, or its field with a code."""
    record_id = served.project.dictionary.record_id
    boxes = {
        (column.field.name, column.code): column.name for column in importable(served) if column.field and column.code
    }
    for row in rows:
        if any(name not in row for name in EAV_COLUMNS):
            raise ApiError(400, NOT_EAV)
        keys = {name: row[name] for name in (EVENT, REPEAT_INSTRUMENT, REPEAT_INSTANCE) if name in row}
        name, value = row["field_name"].strip(), row["value"]
        if (name, value) in boxes:
            name, value = boxes[name, value], "1"
        yield {record_id: row["record"], **keys} | ({} if name == record_id else {name: value})


def _numbered(served: SandboxProject, names: dict[str, str]) -> dict[str, str]:
    taken = list(served.records.record.unique())
    made: dict[str, str] = {}
    for name in names:
        made[name] = next_name(taken, served.group_number)
        taken.append(made[name])
    return made


def _renamed(posted: PostedRecords, names: dict[str, str]) -> PostedRecords:
    cells = {key._replace(record=names[key.record]): row for key, row in posted.cells.items()}
    return PostedRecords(cells, {names[record]: group for record, group in posted.groups.items()})


def store(served: SandboxProject, posted: PostedRecords, blanks: bool, by: str = "(API) ") -> SandboxProject:
    """Return the project with posted cells stored and logged; ``blanks`` says whether a blank erases a value."""
    before = keyed(served)
    groups = _groups(served, posted, set(before.index.get_level_values("record")))
    names = {name for row in posted.cells.values() for name, value in row.items() if value != ""}
    columns = list(dict.fromkeys([*before.columns, *(one.name for one in importable(served) if one.name in names)]))
    frame = before.reindex(columns=columns, fill_value="")
    changed = _laid_over(frame, posted, blanks)
    record = changed.index.get_level_values("record")
    changed[ACCESS_GROUP] = pd.Series(groups, dtype="str").reindex(record).fillna("").to_numpy()
    project = served.project
    flat = changed.reset_index(names=[project.dictionary.record_id, EVENT, REPEAT_INSTRUMENT, REPEAT_INSTANCE])
    stored = served.with_frame(with_untouched(project, ordered(project, flat)))
    after = keyed(stored)
    entries = list(_entries(served, before, after, posted, groups, by))
    computed = with_calculations(stored, {key.record for key in posted.cells})
    return with_entries(computed, [*entries, *_calculated(served, after, keyed(computed))])


def keyed(served: SandboxProject) -> pd.DataFrame:
    """Return the records' frame indexed by record, event, repeat instrument and instance."""
    record_id = served.project.dictionary.record_id
    return served.records.frame.set_index([record_id, EVENT, REPEAT_INSTRUMENT, REPEAT_INSTANCE]).rename_axis(
        RowKey._fields
    )


def _laid_over(frame: pd.DataFrame, posted: PostedRecords, blanks: bool) -> pd.DataFrame:
    """Return the frame with new rows and with the posted values over the stored ones."""
    keys = pd.MultiIndex.from_tuples(list(posted.cells), names=RowKey._fields)
    over = pd.DataFrame(list(posted.cells.values()), index=keys).reindex(columns=frame.columns)
    if not blanks:
        over = over.where(over != "")
    whole = frame.reindex(frame.index.append(keys[~keys.isin(frame.index)]), fill_value="")
    laid = {
        name: over[name].reindex(whole.index).fillna(whole[name]) for name in map(str, over) if over[name].notna().any()
    }
    return whole.assign(**laid)


def _groups(served: SandboxProject, posted: PostedRecords, known: set[str]) -> dict[str, str]:
    """Return the access group of each record: a posted one, the user's own for his new records, else the stored one."""
    frame = served.records.frame
    stored = dict(zip(served.records.record, frame[ACCESS_GROUP], strict=True))
    new = {key.record for key in posted.cells} - known
    if new and not served.user.may("record_create"):
        raise ApiError(403, NO_CREATE)
    if served.user.dag:
        for record in {key.record for key in posted.cells} & known:
            if stored[record] != served.user.dag:
                raise ApiError(400, OTHER_GROUP.format(record))
        if set(posted.groups.values()) - {served.user.dag}:
            raise ApiError(400, NOT_ASSIGNED)
        return stored | dict.fromkeys(new, served.user.dag)
    return stored | posted.groups


def _entries(
    served: SandboxProject,
    before: pd.DataFrame,
    after: pd.DataFrame,
    posted: PostedRecords,
    groups: dict[str, str],
    by: str,
) -> Iterator[Entry]:
    """Yield what the log says: one entry a row with values that changed, nothing where none did."""
    created = set(before.index.get_level_values("record"))
    record_id = served.project.dictionary.record_id
    for key in posted.cells:
        details = changed_values(served, before, after, key)
        if key.record not in created:
            created.add(key.record)
            yield record_entry("Create", key.record, ", ".join([f"{record_id} = '{key.record}'", *details]), by)
        elif details:
            yield record_entry("Update", key.record, ", ".join(details), by)
    earlier = dict(zip(served.records.record, served.records.frame[ACCESS_GROUP], strict=True))
    for record in posted.groups:
        if groups[record] != earlier.get(record, ""):
            yield record_entry(
                "Update", record, f"Assign record to Data Access Group ({ACCESS_GROUP} = '{groups[record]}')", by
            )


def changed_values(served: SandboxProject, before: pd.DataFrame, after: pd.DataFrame, key: RowKey) -> list[str]:
    """Return the changed values of a row as the log writes them: ``f = 'v'``, ``cb(1) = checked``."""
    now = after.loc[[tuple(key)]].iloc[0]
    then = before.loc[[tuple(key)]].iloc[0] if tuple(key) in before.index else None
    told = [] if key.instance in ("", "1") else [f"[instance = {key.instance}]"]
    for column in importable(served):
        if column.name not in now.index:
            continue
        unset = ("", "0") if column.code else ("",)
        earlier = "" if then is None or column.name not in then.index else then[column.name]
        value = now[column.name]
        if (
            value == earlier
            or (value in unset and earlier in unset)
            or (column.field is None and value == "0" and not earlier)
        ):
            continue
        if column.code and column.field:
            told.append(f"{column.field.name}({column.code}) = {'checked' if value == '1' else 'unchecked'}")
        else:
            told.append(f"{column.name} = '{value}'")
    return told if told and told != [f"[instance = {key.instance}]"] else []


def _calculated(served: SandboxProject, before: pd.DataFrame, after: pd.DataFrame) -> Iterator[Entry]:
    """Yield an entry a row whose calculated values followed."""
    moved = (before != after[before.columns]).any(axis="columns")
    for key in before.index[moved]:
        details = ", ".join(changed_values(served, before, after, RowKey(*key)))
        yield record_entry("Update", key[0], details, "(Auto calculation) ")
