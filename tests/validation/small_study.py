"""A small study: a visit form, a repeating log, and records that a test writes as it needs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from metadata.dataset import Edges, join_edges
from metadata.project import Project
from metadata.records import KEY_COLUMNS, Records
from metadata.study import Study

HEADERS = {
    "required": "required_field",
    "identifier": "identifier",
    "type": "field_type",
    "label": "field_label",
    "choices": "select_choices_or_calculations",
    "validation": "text_validation_type_or_show_slider_number",
    "min": "text_validation_min",
    "max": "text_validation_max",
    "logic": "branching_logic",
    "annotation": "field_annotation",
}


def field(name: str, form: str, kind: str = "text", **given: str) -> dict[str, str]:
    row = {"field_name": name, "form_name": form, "field_type": kind}
    return row | {HEADERS[key]: value for key, value in given.items()}


FIELDS = [
    field("id", "enrol"),
    field("name", "enrol", identifier="y", validation="alpha_only"),
    field("consent", "enrol", required="y", validation="date_dmy", annotation="@NOMISSING"),
    field("sex", "enrol", "radio", choices="1, Male | 2, <b>Female</b>"),
    field("arms", "enrol", "checkbox", required="y", choices="1, Left | 2, Right"),
    field("done", "exam", "yesno", required="y"),
    field("day", "exam", required="y", validation="date_dmy", min="1998-01-01", max="2001-12-31", logic="[done] = '1'"),
    field("weight", "exam", validation="number_1dp", min="30", max="[limit]"),
    field("limit", "exam", validation="number"),
    field("score", "exam", validation="number_1dp_comma_decimal", min="0", max="10"),
    field("count", "exam", validation="integer", min="0"),
    field("mail", "exam", validation="email"),
    field("clock", "exam", validation="time", max="12:00"),
    field("twice", "exam", "calc", choices="[count] * 2"),
    field("change", "exam", "calc", choices="[count] - [start_arm_1][count]"),
    field("pain", "exam", "slider"),
    field("term", "log", required="y"),
    field("from_y", "log", validation="integer"),
    field("from_m", "log", validation="integer"),
    field("from_d", "log", validation="integer"),
    field("to_y", "log", validation="integer"),
    field("to_m", "log", validation="integer"),
    field("to_d", "log", validation="integer"),
    field("first", "log", validation="date_dmy"),
    field("last", "log", validation="date_dmy"),
    field("going", "log", "yesno"),
    field("drug", "log", "radio", choices="1, A | 2, B"),
    field("number", "log", validation="integer"),
]
EVENTS = ["start_arm_1", "later_arm_1", "end_arm_1", "extra_arm_1", "logs_arm_1"]
FORM_EVENTS = [("start_arm_1", "enrol"), *((event, "exam") for event in EVENTS[:4]), ("logs_arm_1", "log")]
INFO = {
    "project_id": "7",
    "is_longitudinal": "1",
    "has_repeating_instruments_or_events": "1",
    "missing_data_codes": "UNK, Unknown | -99, Not done",
}


def project(fields: list[dict[str, str]] | None = None) -> Project:
    return Project.from_payloads(
        {
            "dictionary": fields or FIELDS,
            "project_info": INFO,
            "instruments": [
                {"instrument_name": "enrol", "instrument_label": "Enrolment"},
                {"instrument_name": "exam", "instrument_label": "Examination"},
                {"instrument_name": "log", "instrument_label": "Event <i>log</i>"},
            ],
            "events": [
                {"event_name": name.split("_")[0].capitalize(), "unique_event_name": name, "event_id": 40 + position}
                for position, name in enumerate(EVENTS)
            ],
            "form_event_mapping": [{"unique_event_name": event, "form": form} for event, form in FORM_EVENTS],
            "repeating": [
                {"event_name": "logs_arm_1", "form_name": "log"},
                {"event_name": "extra_arm_1", "form_name": ""},
            ],
            "dags": [{"data_access_group_name": "North & South", "unique_group_name": "north"}],
        }
    )


def records(*rows: dict[str, str], fields: list[dict[str, str]] | None = None) -> Records:
    made = project(fields)
    columns = ["id", *KEY_COLUMNS]
    columns += [column for form in made.dictionary.forms for column in made.dictionary.export_columns(form)]
    merged: dict[tuple[str, ...], dict[str, str]] = {}
    for row in rows:  # one row a record, event and instance, whatever forms it holds
        merged.setdefault(tuple(row.get(column, "") for column in columns[:4]), {}).update(row)
    cells = [{column: row.get(column, "") for column in columns} for row in merged.values()]
    return Records.from_frame(made, pd.DataFrame(cells, columns=columns, dtype="str"))


def enrol(record: str = "1", **values: str) -> dict[str, str]:
    base = {"consent": "1998-05-01", "arms___1": "1", "arms___2": "0"}
    return {"id": record, "redcap_event_name": "start_arm_1", "redcap_data_access_group": "north", **base, **values}


def exam(event: str = "later", record: str = "1", instance: str = "", **values: str) -> dict[str, str]:
    place = {"id": record, "redcap_event_name": f"{event}_arm_1", "redcap_repeat_instance": instance}
    return {**place, "redcap_data_access_group": "north", "done": "0", **values}


def log(instance: str = "1", record: str = "1", **values: str) -> dict[str, str]:
    place = {"redcap_event_name": "logs_arm_1", "redcap_repeat_instrument": "log", "redcap_repeat_instance": instance}
    return {"id": record, **place, "redcap_data_access_group": "north", "term": "something", **values}


STUDY_YAML = """
study: {id: SMALL, title: A small study, synthetic: true}
standards: {sdtmig: '3.3', sdtm_ct: 2019-09-27}
redcap: {base_url: https://redcap.example.org}
cutoff: 2001-12-31
visits:
  - {visitnum: 1, visit: START, event: start_arm_1, day: 1, window: [0, 0]}
  - {visitnum: 2, visit: LATER, event: later_arm_1, day: 31, window: [-7, 7]}
  - {visitnum: 3, visit: END, event: end_arm_1, day: 61, window: [-7, 7]}
"""


def study(folder: Path, checks: str = "", **files: str) -> Study:
    (folder / "study.yaml").write_text(STUDY_YAML, encoding="utf-8")
    if checks:
        (folder / "checks.yaml").write_text(checks, encoding="utf-8")
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return Study(folder)


def places(listing: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    """Rows of a listing as tuples of some columns."""
    return list(listing[list(columns)].itertuples(index=False, name=None))


def edges(row: np.ndarray, variable: str, source: str, source_row: np.ndarray, source_variable: str) -> pd.DataFrame:
    """Lineage edges between rows of equal shape."""
    pairs = Edges(np.asarray(row, np.int32), variable, source, np.asarray(source_row, np.int32), source_variable)
    return join_edges([pairs])
