"""Problems planted into clean records, as a study's ``synthetic/planted.yaml`` lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from metadata.errors import nearest
from metadata.project import Project
from metadata.records import ACCESS_GROUP, EVENT, REPEAT_INSTANCE, REPEAT_INSTRUMENT
from metadata.study import Study
from metadata.yaml_source import complain
from redcap_sandbox.generator_patients import FOLDER


@dataclass(frozen=True)
class Planted:
    """One planted problem: what it changes and every query it must give; ``kept`` if no site can resolve it."""

    name: str
    what: str
    changes: list[dict[str, str]]
    queries: list[dict[str, str]]
    kept: bool


def read_planted(study: Study) -> list[Planted]:
    """Read the list; raises StudyError where an entry lacks a part."""
    entries = study.read_yaml(f"{FOLDER}/planted.yaml")
    made = []
    for entry in entries:
        missing = [key for key in ("id", "what", "changes", "queries", "kept") if key not in entry]
        if missing:
            raise complain(entry, None, f"a planted problem lacks its '{missing[0]}'")
        made.append(Planted(entry["id"], entry["what"], entry["changes"], entry["queries"], bool(entry["kept"])))
    return made


def plant(project: Project, frame: pd.DataFrame, problems: Sequence[Planted]) -> pd.DataFrame:
    """Return the flat export with all changes made; a row that did not exist is added where REDCap would put it."""
    changes = [change for problem in problems for change in problem.changes]
    if not changes:
        return frame
    dirty = _with_rows(project, frame, changes)
    touched = dict.fromkeys(change["field"] for change in changes)
    column = {name: dirty[name].to_numpy(object).copy() for name in touched if name in dirty}
    rows = {key: row for row, key in enumerate(_keys(project, dirty))}
    for change in changes:
        if change["field"] not in column:
            hint = nearest(change["field"], map(str, dirty.columns))
            raise complain(change, "field", f"the records have no column '{change['field']}'{hint}")
        column[change["field"]][rows[_key(project, change)]] = str(change["value"])
    return dirty.assign(**{name: pd.Series(values, dtype="str") for name, values in column.items()})


def values_at(project: Project, frame: pd.DataFrame, changes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the values at the places that changes name; blank where there is no such row."""
    rows = {key: row for row, key in enumerate(_keys(project, frame))}
    places = [(change["field"], rows.get(_key(project, change))) for change in changes]
    return ["" if row is None else str(frame[field].iloc[row]) for field, row in places]


def _key(project: Project, change: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Record, event, repeating instrument and instance of the row that a change belongs to."""
    repeats = project.repeats(change["event"], change["form"])
    instance = str(change.get("instance") or "")
    return str(change["record"]), change["event"], change["form"] if repeats else "", instance


def _keys(project: Project, frame: pd.DataFrame) -> list[tuple[str, str, str, str]]:
    """The same of every row."""
    names = [project.dictionary.record_id, EVENT, REPEAT_INSTRUMENT, REPEAT_INSTANCE]
    return list(zip(*(frame[name].to_list() for name in names), strict=True))


def _with_rows(project: Project, frame: pd.DataFrame, changes: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Add the rows that changes need and put all rows back into REDCap's order."""
    known = set(_keys(project, frame))
    wanted = [key for key in dict.fromkeys(_key(project, change) for change in changes) if key not in known]
    if not wanted:
        return frame
    names = [project.dictionary.record_id, EVENT, REPEAT_INSTRUMENT, REPEAT_INSTANCE]
    group = dict(zip(frame[names[0]], frame[ACCESS_GROUP], strict=True))
    added = pd.DataFrame(wanted, columns=names).reindex(columns=frame.columns, fill_value="")
    added[ACCESS_GROUP] = [group[key[0]] for key in wanted]
    touched = {(_key(project, change), change["form"]) for change in changes}
    for column, shown in _untouched(project, wanted, touched).items():
        added[column] = shown
    both = pd.concat([frame, added], ignore_index=True)
    return both.iloc[_order(project, both)].reset_index(drop=True).astype("str")


def _untouched(
    project: Project, wanted: Sequence[tuple[str, str, str, str]], touched: set[tuple[tuple[str, str, str, str], str]]
) -> dict[str, list[str]]:
    """Boxes and form status of added rows: 0 where the form applies, status 2 where a change fills it."""
    made: dict[str, list[str]] = {}
    for form in project.dictionary.forms:
        applies = [project.designated(key[1], form) and key[2] in ("", form) for key in wanted]
        for column in project.dictionary.export_columns(form):
            if "___" in column:
                made[column] = ["0" if here else "" for here in applies]
        status = ["2" if (key, form) in touched else "0" for key in wanted]
        made[f"{form}_complete"] = [shown if here else "" for shown, here in zip(status, applies, strict=True)]
    return made


def _order(project: Project, frame: pd.DataFrame) -> np.ndarray:
    """Positions of the rows in REDCap's order."""
    events = {name: position for position, name in enumerate(project.event_names)}
    forms = {name: position for position, name in enumerate(["", *project.dictionary.forms])}
    record = pd.factorize(frame[project.dictionary.record_id])[0]
    instance = pd.to_numeric(frame[REPEAT_INSTANCE], errors="coerce").fillna(0).to_numpy(float)
    event, form = frame[EVENT].map(events).to_numpy(), frame[REPEAT_INSTRUMENT].map(forms).to_numpy()
    return np.lexsort((instance, form, event, instance > 0, record))
