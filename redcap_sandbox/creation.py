"""New projects: made by a super token, of a project's XML or of nothing but a title."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
from lxml import etree

from extract.odm.document import ODM, REDCAP, parse_document, redcap
from extract.odm.records import records_of
from extract.odm.structure import structure_of
from metadata.errors import RedcapCdiscError
from metadata.project import Project
from metadata.records import ACCESS_GROUP, Records
from metadata.redcap_csv import read_rows
from redcap_sandbox.file_store import FilePlace, StoredFile
from redcap_sandbox.log_entries import NOBODY, Entry, managed, with_entries
from redcap_sandbox.people import new_role, new_user
from redcap_sandbox.posted_rows import posted_rows
from redcap_sandbox.project import Report, SandboxProject
from redcap_sandbox.record_order import ordered, stored_columns, with_untouched
from redcap_sandbox.request import ApiError, ApiRequest
from redcap_sandbox.role_attributes import read_role

NO_TITLE = 'The data being imported lacks the field "project_title"'
NO_PURPOSE = 'The data being imported lacks the field "purpose"'
NOT_READ = "The project XML could not be read: {}"
DATA_ONLY = "The project XML has no metadata: it cannot make a project"
NOT_GIVEN = ("record_delete", "record_rename", "lock_records", "lock_records_all_forms", "lock_records_customization")
"""Rights that the creator of a project gives himself only later."""
BLANK = Path(__file__).with_name("blank_dictionary.csv")
"""The dictionary of a project that was made of nothing: its record id."""
INFORMATION: dict[str, str] = {
    "project_id": "", "project_title": "", "creation_time": "", "production_time": "", "in_production": "0",
    "project_language": "English", "purpose": "0", "purpose_other": "", "project_notes": "", "custom_record_label": "",
    "secondary_unique_field": "", "is_longitudinal": "0", "has_repeating_instruments_or_events": "0",
    "surveys_enabled": "0", "scheduling_enabled": "0", "record_autonumbering_enabled": "0",
    "randomization_enabled": "0", "ddp_enabled": "0", "project_irb_number": "", "project_grant_number": "",
    "project_pi_firstname": "", "project_pi_lastname": "", "display_today_now_button": "1", "missing_data_codes": "",
    "external_modules": "", "bypass_branching_erase_field_prompt": "0",
}  # fmt: skip
"""What is said of a project, in REDCap's order, and what it is in a new one."""


def created(request: ApiRequest, number: int, clock: Callable[[], datetime], version: str) -> SandboxProject:
    """Return a new project with the id ``number`` on a server of a version, seen by its creator.

    ``data`` has its title and purpose, and what is said of it beside; ``odm`` may have its XML, with records or not.
    Raises ApiError (400) if either is not fit.
    """
    given = next(iter(posted_rows(request)), {})
    for name, text in (("project_title", NO_TITLE), ("purpose", NO_PURPOSE)):
        if not given.get(name, "").strip():
            raise ApiError(400, text)
    root = _parsed(request.raw("odm"))
    made = _blank(number, given, clock) if root is None else _of_document(root, number, given, clock)
    user = new_user(made, NOBODY, "1", "1") | dict.fromkeys(NOT_GIVEN, "0")
    owned = replace(made, users=[user], version=version).as_user(NOBODY)
    how = "Create project (API)" if root is None else "Create project using REDCap XML file (API)"
    return with_entries(owned, [Entry(f"Add user {NOBODY}", f"user = '{NOBODY}'"), managed(how)])


def _parsed(odm: str) -> etree._Element | None:
    """Return the root of a project's XML, or None if none was posted."""
    if not odm.strip():
        return None
    try:
        return parse_document(odm.encode(), "odm")
    except RedcapCdiscError as error:
        raise ApiError(400, NOT_READ.format(error)) from None


def _blank(number: int, given: dict[str, str], clock: Callable[[], datetime]) -> SandboxProject:
    payloads = {"dictionary": read_rows(BLANK), "project_info": [{}]}
    project = _project(payloads, number, given, clock)
    return _served(project, Records.from_frame(project, _no_rows(project)), clock)


def _no_rows(project: Project) -> pd.DataFrame:
    return pd.DataFrame(columns=stored_columns(project), dtype="str")


def _served(project: Project, records: Records, clock: Callable[[], datetime]) -> SandboxProject:
    return SandboxProject(project, records, clock=clock, log_exports=True)


def _project(payloads: dict[str, Any], number: int, given: dict[str, str], clock: Callable[[], datetime]) -> Project:
    """Return a structure with the ids that a server gives: of the project, of its events and of its groups."""
    found = {name: value for name, value in payloads["project_info"][0].items() if value != ""}
    time = {"project_id": str(number), "creation_time": clock().strftime("%Y-%m-%d %H:%M:%S")}
    events = [
        {"custom_event_label": "", **row, "event_id": str(1000 * number + place)}
        for place, row in enumerate(payloads.get("events", []), start=1)
    ]
    groups = [
        {**row, "data_access_group_id": str(100 * number + place)}
        for place, row in enumerate(payloads.get("dags", []), start=1)
    ]
    info = INFORMATION | found | {name: value for name, value in given.items() if name in INFORMATION} | time
    return Project.from_payloads(payloads | {"project_info": [info], "events": events, "dags": groups})


def _of_document(
    root: etree._Element, number: int, given: dict[str, str], clock: Callable[[], datetime]
) -> SandboxProject:
    """Return the project of an XML: structure, records, files, groups, roles, surveys and reports.

    Calculated values are not taken over; REDCap computes them when their record is saved next.
    """
    try:
        payloads = structure_of(root, "odm")
        if payloads is None:
            raise ApiError(400, DATA_ONLY)
        project = _project(payloads, number, given, clock)
        frame = records_of(root, project)
    except RedcapCdiscError as error:
        raise ApiError(400, NOT_READ.format(error)) from None
    found = Records.from_frame(project, frame).frame
    _check_groups(project, found)
    calculated = {field.name: "" for field in project.dictionary.fields.values() if field.type == "calc"}
    columns = list(dict.fromkeys([*stored_columns(project), *found.columns]))
    placed = found.reindex(columns=columns, fill_value="").assign(**calculated)
    laid = with_untouched(project, ordered(project, placed))
    made = _served(project, Records.from_frame(project, laid), clock)
    plain = new_role(made, "")
    roles = [
        read_role({str(name): str(value) for name, value in one.attrib.items()}, plain)
        for one in root.iter(f"{REDCAP}UserRoles")
    ]
    surveys = [str(one.get("form_name")) for one in root.iter(f"{REDCAP}Surveys")]
    reports = [
        Report(
            1000 * number + place, str(one.get("title", "")), _report_fields(one), str(one.get("advanced_logic") or "")
        )
        for place, one in enumerate(root.iter(f"{REDCAP}Reports"), start=1)
    ]
    known = tuple(form for form in surveys if form in project.dictionary.forms)
    return replace(made, roles=roles, surveys=known, reports=tuple(reports), files=dict(_files(root, project)))


def _check_groups(project: Project, frame: pd.DataFrame) -> None:
    """Raise ApiError (400) if a record is in a data access group that the XML does not make."""
    known = {group["unique_group_name"] for group in project.dags}
    strange = frame[(frame[ACCESS_GROUP] != "") & ~frame[ACCESS_GROUP].isin(known)]
    if len(strange):
        record, group = strange[project.dictionary.record_id].iloc[0], strange[ACCESS_GROUP].iloc[0]
        raise ApiError(400, NOT_READ.format(f"record '{record}' is in the data access group '{group}', which it lacks"))


def _report_fields(report: etree._Element) -> tuple[str, ...]:
    return tuple(filter(None, str(report.get("redcap_reports_fields") or "").split(",")))


def _files(root: etree._Element, project: Project) -> Iterator[tuple[FilePlace, StoredFile]]:
    """Yield the files that a project's XML has inside it, by the fields that hold them."""
    for number, item in enumerate(root.iter(f"{ODM}ItemDataBase64Binary"), start=1):
        form = next(item.iterancestors(f"{ODM}FormData"))
        event = next(item.iterancestors(f"{ODM}StudyEventData"), None)
        name = "" if event is None else redcap(event, "UniqueEventName")
        repeat = "1" if event is None else str(event.get("StudyEventRepeatKey") or "1")
        own = str(form.get("FormOID")).removeprefix("Form.")
        alone = project.repeats(name, own)
        instance = str(form.get("FormRepeatKey") or "1") if alone else repeat if project.event_repeats(name) else ""
        record = str(next(item.iterancestors(f"{ODM}SubjectData")).get("SubjectKey"))
        place = FilePlace(record, name, own if alone else "", instance, str(item.get("ItemOID")))
        media = redcap(item, "MimeType") or "application/octet-stream"
        yield place, StoredFile(number, redcap(item, "DocName"), media, _decoded(item.text or ""))


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text)
    except NotBase64:
        raise ApiError(400, NOT_READ.format("a file in it is not in Base64")) from None
