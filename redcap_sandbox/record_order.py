"""The order and the form of stored rows: REDCap's order of records, 0 in boxes and status of forms that apply."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from metadata.dictionary import checkbox_column
from metadata.project import Project
from metadata.records import ACCESS_GROUP, EVENT, KEY_COLUMNS, REPEAT_INSTANCE, REPEAT_INSTRUMENT

UNTOUCHED = "0"
DIGITS = re.compile(r"(\d+)")


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return what a record's name is sorted by: numbers by their value, other text by its letters."""
    parts = [part for part in DIGITS.split(name) if part]
    return tuple((0, int(part), part) if part.isdecimal() else (1, 0, part.lower()) for part in parts)


def next_name(names: Iterable[str], group: str = "") -> str:
    """Return the name that REDCap gives the next record: one above the highest whole number.

    ``group`` is the number of a user's data access group, which comes before the number: ``331-1``.
    """
    head = f"{group}-" if group else ""
    taken = [name.removeprefix(head) for name in names if name.startswith(head)]
    return f"{head}{max([0, *(int(name) for name in taken if name.isdecimal())]) + 1}"


def ordered(project: Project, frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows by record, then those of events, then repeating ones by event, instrument and instance."""
    names = sorted(frame[project.dictionary.record_id].unique(), key=natural)
    instance = pd.to_numeric(frame[REPEAT_INSTANCE], errors="coerce").fillna(0)
    by = pd.DataFrame(
        {
            "record": frame[project.dictionary.record_id].map({name: place for place, name in enumerate(names)}),
            "repeats": instance > 0,
            "event": frame[EVENT].map({name: place for place, name in enumerate(project.event_names)}).fillna(-1),
            "form": frame[REPEAT_INSTRUMENT].map({name: place for place, name in enumerate(project.dictionary.forms)}),
            "instance": instance,
        }
    ).fillna({"form": -1})
    return frame.loc[
        by.sort_values(["record", "repeats", "event", "form", "instance"], kind="stable").index
    ].reset_index(drop=True)


def applies(project: Project, frame: pd.DataFrame, form: str) -> np.ndarray:
    """Return a mask of the rows that a form has a place in."""
    events = [event for event in project.event_names if project.designated(event, form)]
    alone = [event for event in events if project.repeats(event, form)]
    wanted = frame[EVENT].isin(alone).map({True: form, False: ""})
    return np.asarray(frame[EVENT].isin(events) & (frame[REPEAT_INSTRUMENT] == wanted), bool)


def with_untouched(project: Project, frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows with 0 as status and boxes wherever a form applies and nothing is stored.

    A missing-data code leaves the boxes of its field blank.
    """
    changed: dict[str, pd.Series] = {}
    for form in project.dictionary.forms:
        place = applies(project, frame, form)
        status = f"{form}_complete"
        changed[status] = frame[status].mask(place & (frame[status] == ""), UNTOUCHED)
        for item in project.dictionary.form_fields(form):
            if item.type == "checkbox":
                coded = _coded(project, frame, item.name)
                boxes = {name: frame[name] for name in item.columns}
                changed |= {
                    name: box.mask(coded, "").mask(place & ~coded & (box == ""), UNTOUCHED)
                    for name, box in boxes.items()
                }
    return frame.assign(**changed)


def _coded(project: Project, frame: pd.DataFrame, field: str) -> np.ndarray:
    """Return a mask of the rows in which a checkbox has a missing-data code."""
    held = np.zeros(len(frame), bool)
    for code in project.missing_codes:
        name = checkbox_column(field, code)
        if name in frame.columns and name not in project.dictionary.fields[field].columns:
            held |= np.asarray(frame[name] == "1", bool)
    return held


def stored_columns(project: Project) -> list[str]:
    """Return the columns of a project's records: record id, keys, and each form's columns with its status."""
    dictionary = project.dictionary
    columns = [column for form in dictionary.forms for column in dictionary.export_columns(form)]
    return [dictionary.record_id, *KEY_COLUMNS, *(name for name in columns if name != dictionary.record_id)]


def touched(project: Project, frame: pd.DataFrame) -> np.ndarray:
    """Return a mask of the rows that hold more than their keys, untouched status and unticked boxes."""
    dictionary = project.dictionary
    boxes = {column for one in dictionary.fields.values() if one.type == "checkbox" for column in one.columns}
    zeros = boxes | {f"{form}_complete" for form in dictionary.forms}
    held = np.zeros(len(frame), bool)
    for column in frame.columns:
        if column not in (dictionary.record_id, EVENT, REPEAT_INSTRUMENT, REPEAT_INSTANCE, ACCESS_GROUP):
            held |= ~frame[column].isin(["", UNTOUCHED] if column in zeros else [""]).to_numpy(bool)
    return held
