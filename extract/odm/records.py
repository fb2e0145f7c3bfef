"""The records of a project's XML as the flat export has them: one row a record, event and instance."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lxml import etree

from extract.odm.document import ODM, redcap
from metadata.project import Project
from metadata.records import ACCESS_GROUP, EVENT, REPEAT_INSTANCE, REPEAT_INSTRUMENT

if TYPE_CHECKING:
    import pandas as pd

KEYS = ["record", EVENT, REPEAT_INSTRUMENT, REPEAT_INSTANCE]
DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?")
UNTOUCHED = "0"
Cell = tuple[str, str, str, str, str, str]


def records_of(root: etree._Element, project: Project) -> pd.DataFrame:
    """Return the records as texts, blanks as empty texts, in the order of the file.

    A file's value is its name. Untouched forms, whose status and boxes the XML leaves out, have 0 in them, as in the
    flat export.
    """
    import pandas as pd

    cells = pd.DataFrame(cells_of(root, project), columns=[*KEYS, "column", "value"], dtype="str")
    index = pd.MultiIndex.from_frame(cells[KEYS]).drop_duplicates()
    found = cells[cells["column"] != ""].drop_duplicates([*KEYS, "column"], keep="last")
    wide = found.set_index([*KEYS, "column"])["value"].unstack("column").reindex(index).fillna("")  # noqa: PD010 texts
    names = _columns(project, {*wide.columns, *_no_fields(root)})
    frame = wide.reindex(columns=names, fill_value="").reset_index()
    if ACCESS_GROUP in frame:  # which the XML has once a record
        named = frame.groupby("record")[ACCESS_GROUP].transform("max")
        frame[ACCESS_GROUP] = frame[ACCESS_GROUP].where(frame[ACCESS_GROUP] != "", named)
    filled = _with_untouched(project, frame).rename(columns={"record": project.dictionary.record_id})
    keys = [project.dictionary.record_id, *([EVENT] if project.longitudinal else [])]
    keys += [REPEAT_INSTRUMENT, REPEAT_INSTANCE] if project.has_repeating else []
    return filled[[*keys, *names]].astype("str")


def _columns(project: Project, found: set[str]) -> list[str]:
    """Return the columns of the flat export; those of groups, surveys and missing-data codes where the file has them.

    A column that the project has not is kept, so that it is refused as in any export.
    """
    dictionary = project.dictionary
    listed = [column for form in dictionary.forms for column in dictionary.export_columns(form)]
    extra = sorted(found - {*listed, dictionary.record_id})
    groups = [ACCESS_GROUP] if project.dags and ACCESS_GROUP not in extra else []
    return [*groups, *extra, *(name for name in listed if name != dictionary.record_id)]


def _no_fields(root: etree._Element) -> Iterator[str]:
    """Yield the columns that the metadata describe and that are no fields: survey columns and the access group."""
    for item in root.iter(f"{ODM}ItemDef"):
        if not redcap(item, "FieldType"):
            yield str(item.get("OID"))


def cells_of(root: etree._Element, project: Project) -> Iterator[Cell]:
    """Yield record, event, repeat instrument, instance, column and value; a record without any has one blank column."""
    for subject in root.iter(f"{ODM}SubjectData"):
        record, held = str(subject.get("SubjectKey")), False
        for event, repeat, form in _forms(subject):
            name = str(form.get("FormOID")).removeprefix("Form.")
            key = (record, event, *_instance(project, event, name, repeat, str(form.get("FormRepeatKey") or "1")))
            for item in form.iter(f"{ODM}ItemData", f"{ODM}ItemDataBase64Binary"):
                held, column = True, str(item.get("ItemOID"))
                yield *key, _column(project, column), _stored(project, column, _value(item))
        if not held:
            yield record, project.event_names[0], "", "", "", ""


def _forms(subject: etree._Element) -> Iterator[tuple[str, str, etree._Element]]:
    """Yield event, its repeat and form; a classic project's forms are in no event."""
    for form in subject.findall(f"{ODM}FormData"):
        yield "", "1", form
    for event in subject.findall(f"{ODM}StudyEventData"):
        name = redcap(event, "UniqueEventName") or str(event.get("StudyEventOID")).removeprefix("Event.")
        for form in event.findall(f"{ODM}FormData"):
            yield name, str(event.get("StudyEventRepeatKey") or "1"), form


def _instance(project: Project, event: str, form: str, event_repeat: str, form_repeat: str) -> tuple[str, str]:
    if project.repeats(event, form):
        return form, form_repeat
    return "", event_repeat if project.event_repeats(event) else ""


def _column(project: Project, item: str) -> str:
    """Return the export column of an item; the record id is a key and no column."""
    return "" if item == project.dictionary.record_id else item


def _value(item: etree._Element) -> str:
    return redcap(item, "DocName") if item.tag == f"{ODM}ItemDataBase64Binary" else str(item.get("Value") or "")


def _stored(project: Project, column: str, value: str) -> str:
    """Return a value as the flat export has it: older versions write datetimes with the T of ISO 8601."""
    field = project.dictionary.fields.get(column)
    timed = field is not None and field.validation.startswith("datetime") and DATETIME.fullmatch(value)
    return value.replace("T", " ") if timed else value


def _with_untouched(project: Project, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with 0 as status and boxes of forms that have a place in a row and no value there."""
    dictionary, changed = project.dictionary, {}
    for form in dictionary.forms:
        events = [event for event in project.event_names if project.designated(event, form)]
        alone = [event for event in events if project.repeats(event, form)]
        placed = frame[EVENT].isin(events) & (
            frame[REPEAT_INSTRUMENT] == frame[EVENT].isin(alone).map({True: form, False: ""})
        )
        boxes = [column for one in dictionary.form_fields(form) if one.type == "checkbox" for column in one.columns]
        for column in [*boxes, f"{form}_complete"]:
            changed[column] = frame[column].mask(placed & (frame[column] == ""), UNTOUCHED)
    return frame.assign(**changed)
