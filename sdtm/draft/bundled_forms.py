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
AT_FIRST, VISIT, LOG = "first", "visit", "log"
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
        return [{name: row.get(name) or "" for name in FIELD_ATTRIBUTES} for row in _rows(self.form)]

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
    return {
        row["form"]: BundledForm(row["form"], row["form_name"], row["form_label"], row["when"])
        for row in _rows("forms")
    }


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
    (record,) = _rows("record")
    (logged,) = (row["unique_event_name"] for row in _rows("events") if row["holds"] == LOG)
    visits = [row["unique_event_name"] for row in _rows("events") if row["holds"] == VISIT]
    held = {one.name: {AT_FIRST: visits[:1], VISIT: visits, LOG: [logged]}[one.when] for one in forms}
    pairs = [(event, one.name) for event in (*visits, logged) for one in forms if event in held[one.name]]
    used = {event for event, _ in pairs}
    events = [{**row, "arm_num": 1} for row in _rows("events") if row["unique_event_name"] in used]
    repeating = [
        {"event_name": logged, "form_name": one.name, "custom_form_label": ""} for one in forms if one.when == LOG
    ]
    made: dict[str, list[dict[str, Any]]] = {
        "dictionary": [
            {**{name: record.get(name, "") for name in FIELD_ATTRIBUTES}, "form_name": forms[0].name},
            *(row for one in forms for row in one.fields()),
        ],
        "project_info": [{"project_title": "", "is_longitudinal": 1, "missing_data_codes": ""}],
        "instruments": [{"instrument_name": one.name, "instrument_label": one.label} for one in forms],
        "arms": [{"arm_num": 1, "name": "Arm 1"}],
        "events": [{name: value for name, value in row.items() if name != "holds"} for row in events],
        "form_event_mapping": [{"arm_num": 1, "unique_event_name": event, "form": name} for event, name in pairs],
    }
    return made | ({"repeating": repeating} if repeating else {})


def _rows(name: str) -> list[dict[str, str]]:
    """Return the rows of one of the files of the forms."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))
