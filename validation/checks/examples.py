"""The examples of the kinds of study checks: each has one in its family's YAML file, and each is run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from metadata.project import Project
from metadata.records import KEY_COLUMNS, Records
from metadata.records_lookup import RecordsLookup
from metadata.study import Study
from metadata.yaml_source import load
from validation.checks.data import CheckData
from validation.checks.declaration import load_checks
from validation.checks.run import check_findings
from validation.raw.dictionary_findings import dictionary_findings

FOLDER = Path(__file__).parent
PROJECT = FOLDER / "example_project.yaml"
VALIDATIONS = {"date": "date_ymd", "number": "number", "integer": "integer"}
EVENT, INSTRUMENT, INSTANCE, GROUP = KEY_COLUMNS


@dataclass(frozen=True)
class CheckExample:
    """One example: the check as checks.yaml says it, the given rows, which of them (1, 2, ...) are asked about and how.

    ``family`` is the module of the kind; ``expected`` are the rows that the file says will be asked about.
    """

    family: str
    declared: str
    rows: pd.DataFrame
    expected: tuple[int, ...]
    found: tuple[int, ...]
    problems: tuple[str, ...]


def all_examples() -> dict[str, CheckExample]:
    """Run every example and return them by kind, family by family."""
    files = sorted((FOLDER / "kinds").glob("*.yaml"))
    return {kind: run_example(kind, node, file) for file in files for kind, node in load(file, file.name).items()}


def run_example(kind: str, node: Any, file: Path) -> CheckExample:
    """Run the example of a kind that a family's YAML file declares."""
    given = table_of(node["rows"])
    check = {"id": "example.check", "kind": kind, "severity": "error", **node["check"]}
    with _study(check) as study:
        lookup = RecordsLookup(_records(given))
        data = CheckData(study, lookup, dictionary_findings(lookup))
        found = check_findings(data, load_checks(study, lookup.project))
    rows = tuple(int(row) + 1 for row in found["source_row"].tolist())
    declared = next(line.strip() for line in _lines_of(file, kind) if line.strip().startswith("check:"))
    return CheckExample(
        file.stem,
        f"- {{id: {file.stem}.example, kind: {kind}, severity: error, {declared.removeprefix('check: {')}",
        given,
        tuple(node["found"]),
        rows,
        tuple(found["problem"]),
    )


def _lines_of(file: Path, kind: str) -> list[str]:
    """Return the lines of a file that follow a kind's name."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return lines[lines.index(f"{kind}:") + 1 :]


def table_of(text: str) -> pd.DataFrame:
    """Return a table of columns divided by two or more blanks, all texts; a full stop is a blank cell."""
    lines = [line.split() for line in text.strip().splitlines()]
    return pd.DataFrame(lines[1:], columns=lines[0], dtype="str").replace({".": ""})


@contextmanager
def _study(check: dict[str, Any]) -> Iterator[Study]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "study.yaml").write_text(load(PROJECT, PROJECT.name)["study"], encoding="utf-8")
        text = pd.Series({"checks": [check]}).to_json()  # JSON is YAML
        (Path(folder) / "checks.yaml").write_text(text, encoding="utf-8")
        yield Study(Path(folder))


@cache
def _project() -> Project:
    """Return the project of the examples as REDCap's payloads would give it."""
    page = load(PROJECT, PROJECT.name)
    fields = [_field(name, form, kind) for form, node in page["forms"].items() for name, kind in node["fields"].items()]
    places = [(event, form) for form, node in page["forms"].items() for event in node["events"]]
    repeating = [(event, form) for event, form in places if page["forms"][form].get("repeating")]
    return Project.from_payloads(
        {
            "dictionary": fields,
            "project_info": {"project_id": "1", "is_longitudinal": "1", "has_repeating_instruments_or_events": "1"},
            "instruments": [
                {"instrument_name": form, "instrument_label": node["label"]} for form, node in page["forms"].items()
            ],
            "events": [{"event_name": label, "unique_event_name": name} for name, label in page["events"].items()],
            "form_event_mapping": [{"unique_event_name": event, "form": form} for event, form in places],
            "repeating": [{"event_name": event, "form_name": form} for event, form in repeating],
        }
    )


def _field(name: str, form: str, kind: str) -> dict[str, str]:
    field = {"field_name": name, "form_name": form, "field_type": "text", "field_label": name.replace("_", " ")}
    if kind in VALIDATIONS:
        return {**field, "text_validation_type_or_show_slider_number": VALIDATIONS[kind]}
    return field if kind == "text" else {**field, "field_type": "radio", "select_choices_or_calculations": kind}


def _records(given: pd.DataFrame) -> Records:
    project = _project()
    blank = {name: pd.Series("", given.index, dtype="str") for name in ("instance",) if name not in given}
    rows = given.assign(**blank)
    repeating = rows["event"].isin([row["event_name"] for row in project.repeating])
    form = next(row["form_name"] for row in project.repeating)
    keys = {EVENT: rows["event"], INSTRUMENT: repeating.map({True: form, False: ""}), INSTANCE: rows["instance"]}
    named = rows.drop(columns=["event", "instance"]).assign(**keys)
    columns = [
        "id",
        *KEY_COLUMNS,
        *(column for name in project.dictionary.forms for column in project.dictionary.export_columns(name)),
    ]
    return Records.from_frame(project, named.reindex(columns=list(dict.fromkeys(columns)), fill_value="").fillna(""))
