"""The forms that come with the software: REDCap instruments by CDASH's names, each field annotated with its variable.

The annotations are the mapping: a draft of a project that has these forms reads them, so that nothing is mapped twice.
"""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metadata.dictionary import FIELD_ATTRIBUTES, USER_INTERFACE_HEADERS
from metadata.errors import UsageError, nearest

FOLDER = Path(__file__).with_name("forms")
RECORD_ID = {"field_name": "record_id", "field_type": "text", "field_label": "Record"}
AT_FIRST, VISIT, LOG = "first", "visit", "log"
VISITS = (
    ("screening_arm_1", "Screening", -14),
    ("baseline_arm_1", "Baseline", 0),
    ("week_4_arm_1", "Week 4", 28),
    ("week_12_arm_1", "Week 12", 84),
)
"""Events to begin with, each with its label and the days since the baseline."""
LOGS = ("logs_arm_1", "Logs", 0)
ORIGIN = "redcap-cdisc"
CREATED = (2020, 1, 1, 0, 0, 0)
"""The date of the members of a ZIP, which else would be that of the clock."""


@dataclass(frozen=True)
class BundledForm:
    """One form: its short name (that of its domain), REDCap's name and label, and when it is filled in.

    ``when`` is ``first`` (at the first visit), ``visit`` (at every visit) or ``log`` (as often as needed).
    """

    form: str
    name: str
    label: str
    when: str

    def fields(self) -> list[dict[str, str]]:
        """Return the rows of its dictionary, under the API's names."""
        with (FOLDER / f"{self.form}.csv").open(encoding="utf-8", newline="") as source:
            return [{name: row.get(name) or "" for name in FIELD_ATTRIBUTES} for row in csv.DictReader(source)]

    def instrument(self) -> bytes:
        """Return the ZIP that REDCap's online designer imports: instrument.csv and OriginID.txt."""
        shown = {api: header for header, api in USER_INTERFACE_HEADERS.items()}
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([shown[name] for name in FIELD_ATTRIBUTES])
        writer.writerows([row[name] for name in FIELD_ATTRIBUTES] for row in self.fields())
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as target:
            for name, body in (("OriginID.txt", ORIGIN), ("instrument.csv", text.getvalue())):
                target.writestr(zipfile.ZipInfo(name, CREATED), body.encode(), zipfile.ZIP_DEFLATED)
        return made.getvalue()


def bundled_forms() -> dict[str, BundledForm]:
    """Return the forms by their short names."""
    with (FOLDER / "forms.csv").open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source))
    return {row["form"]: BundledForm(row["form"], row["form_name"], row["form_label"], row["when"]) for row in rows}


def chosen_forms(names: str) -> list[BundledForm]:
    """Return the forms of a list such as ``dm,ae``; raises UsageError for one that is not there, or without ``dm``."""
    known = bundled_forms()
    given = [name.strip().lower() for name in names.split(",") if name.strip()]
    for name in given:
        if name not in known:
            raise UsageError(f"there is no form '{name}'{nearest(name, known)}; the forms are {', '.join(known)}")
    if "dm" not in given:
        raise UsageError("a study needs the form dm, which says who the subjects are: --forms dm,...")
    return [known[name] for name in known if name in given]


def structure_of_forms(forms: list[BundledForm]) -> dict[str, list[dict[str, Any]]]:
    """Return the structure of a project of some forms, as ``redcap/NAME.csv`` has it.

    Subjects are entered at the first visit, findings at every visit; all other forms repeat in an event of logs.
    """
    record = {name: RECORD_ID.get(name, "") for name in FIELD_ATTRIBUTES} | {"form_name": forms[0].name}
    logs = [one for one in forms if one.when == LOG]
    visits = [*VISITS, *([LOGS] if logs else [])]
    pairs = [
        (event, one.name)
        for event, _, _ in VISITS
        for one in forms
        if one.when == VISIT or (one.when == AT_FIRST and event == VISITS[0][0])
    ]
    pairs += [(LOGS[0], one.name) for one in logs]
    made: dict[str, list[dict[str, Any]]] = {
        "dictionary": [record, *(row for one in forms for row in one.fields())],
        "project_info": [{"project_title": "", "is_longitudinal": 1, "missing_data_codes": ""}],
        "instruments": [{"instrument_name": one.name, "instrument_label": one.label} for one in forms],
        "arms": [{"arm_num": 1, "name": "Arm 1"}],
        "events": [
            {"event_name": label, "arm_num": 1, "unique_event_name": event, "day_offset": day}
            for event, label, day in visits
        ],
        "form_event_mapping": [{"arm_num": 1, "unique_event_name": event, "form": name} for event, name in pairs],
    }
    repeating = [{"event_name": LOGS[0], "form_name": one.name, "custom_form_label": ""} for one in logs]
    return made | ({"repeating": repeating} if repeating else {})
