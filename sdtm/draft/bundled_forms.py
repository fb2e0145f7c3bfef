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
ORIGIN = "redcap-cdisc"
CREATED = (2020, 1, 1, 0, 0, 0)
"""The date of the members of a ZIP, which else would be that of the clock."""


@dataclass(frozen=True)
class BundledForm:
    """One form: its short name (that of its domain), REDCap's name and label, and whether it repeats."""

    form: str
    name: str
    label: str
    repeats: bool

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
    return {
        row["form"]: BundledForm(row["form"], row["form_name"], row["form_label"], row["repeats"] == "1")
        for row in rows
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
    """Return the structure of a classic project of some forms, as ``redcap/NAME.csv`` has it."""
    record = {name: RECORD_ID.get(name, "") for name in FIELD_ATTRIBUTES} | {"form_name": forms[0].name}
    info = {"project_title": "", "is_longitudinal": 0, "missing_data_codes": ""}
    repeating = [{"event_name": "", "form_name": one.name, "custom_form_label": ""} for one in forms if one.repeats]
    made: dict[str, list[dict[str, Any]]] = {
        "dictionary": [record, *(row for one in forms for row in one.fields())],
        "project_info": [info],
        "instruments": [{"instrument_name": one.name, "instrument_label": one.label} for one in forms],
    }
    return made | ({"repeating": repeating} if repeating else {})
