"""One request in, one answer out: permission, content, format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from redcap_sandbox import file_requests, structure
from redcap_sandbox.activity import export_log
from redcap_sandbox.answer import Answer, error_answer
from redcap_sandbox.faults import Fault, spoiled
from redcap_sandbox.form_pdf import pdf_answer
from redcap_sandbox.log_entries import EXPORT, Entry, managed, with_entries
from redcap_sandbox.project import SandboxProject
from redcap_sandbox.project_xml import ProjectExtras, project_xml, records_xml
from redcap_sandbox.record_order import next_name
from redcap_sandbox.records import export_records
from redcap_sandbox.rendering import render_object, render_table
from redcap_sandbox.reports import export_report
from redcap_sandbox.request import ApiError, ApiRequest
from redcap_sandbox.surveys import participants, survey_answer
from redcap_sandbox.writing import WRITES, write_of, written

NO_API = "You do not have permissions to use the API"
NO_EXPORT = "You do not have API Export privileges"
NO_RIGHT = "Insufficient user privileges: You must have 'API Export' privileges and '{}' privileges in the project."
NO_CONTENT = 'The value of the parameter "content" is not valid'
NO_ACTION = 'The value of the parameter "action" is not valid'
READING = ("", "export", "list")
NOT_SERVED = ("appRightsCheck", "attachment", "authkey", "fieldValidation", "mycap", "projectMigration", "tableau")
"""Contents of REDCap's own tools, which this sandbox does not have; so is the randomisation of a record."""
Outcome = tuple[SandboxProject, Answer]


@dataclass(frozen=True)
class ContentTable:
    """How one tabular content is made and written; ``right`` is what its export needs in addition to API Export."""

    make: Callable[[SandboxProject, ApiRequest], pd.DataFrame]
    root: str
    item: str = "item"
    last_newline: bool = True
    right: tuple[str, str] | None = None
    logged: str = ""


SURVEYS = ("manage_survey_participants", "Survey Distribution Tools")
PEOPLE = ("user_rights", "User Rights")
GROUPS = ("data_access_groups", "Data Access Groups")
REPOSITORY = ("file_repository", "File Repository")
TABLES = {
    "metadata": ContentTable(structure.metadata, "records", logged="Download data dictionary (API)"),
    "exportFieldNames": ContentTable(
        structure.export_field_names, "fields", "field", logged="Export field names (API)"
    ),
    "instrument": ContentTable(structure.instruments, "instruments", logged="Export instruments (API)"),
    "event": ContentTable(structure.events, "events", last_newline=False, logged="Export events (API)"),
    "arm": ContentTable(structure.arms, "arms", last_newline=False, logged="Export arms (API)"),
    "formEventMapping": ContentTable(
        structure.form_event_mapping, "items", last_newline=False, logged="Export instrument-event mappings (API)"
    ),
    "repeatingFormsEvents": ContentTable(
        structure.repeating,
        "items",
        right=("design", "Project Design and Setup"),
        logged="Export repeating instruments/events (API)",
    ),
    "dag": ContentTable(structure.access_groups, "dags", right=GROUPS, logged="Export data access groups (API)"),
    "user": ContentTable(structure.users, "users", right=PEOPLE, logged="Export users (API)"),
    "userRole": ContentTable(structure.roles, "roles", right=PEOPLE, logged="Export user roles (API)"),
    "userRoleMapping": ContentTable(structure.role_mapping, "items", right=PEOPLE, logged="Export user roles (API)"),
    "userDagMapping": ContentTable(structure.group_mapping, "items", right=GROUPS, logged="Export user DAGs (API)"),
    "log": ContentTable(export_log, "records", right=("logging", "Logging"), logged="Export Logging (API)"),
    "fileRepository": ContentTable(file_requests.list_repository, "items", right=REPOSITORY),
    "participantList": ContentTable(
        participants, "participants", right=SURVEYS, logged="Export participant list (API)"
    ),
}
LINKS = ("surveyLink", "surveyQueueLink", "surveyReturnCode", "surveyAccessCode")


def answer(
    projects: Mapping[str, SandboxProject], request: ApiRequest, fault: Fault | None = None
) -> tuple[SandboxProject | None, Answer]:
    """Return the answer to one request and the project after it, None if it is unchanged.

    ``projects`` are keyed by token, in upper case. ``fault`` is one that changes the rows or columns of a table.
    """
    try:
        served = projects.get(request.text("token").upper())
        if served is None or _expired(served):
            raise ApiError(403, NO_API)
        after, given = _content(served, request, fault)
        return (None if after is served else after), given
    except ApiError as error:
        return None, error_answer(error.status, error.text, request)


def _expired(served: SandboxProject) -> bool:
    """True if the user's account has run out."""
    expiration = (served.user.rights or {}).get("expiration") or ""
    return bool(expiration) and expiration[:10] <= served.clock().date().isoformat()


def _content(served: SandboxProject, request: ApiRequest, fault: Fault | None) -> Outcome:
    content = request.text("content")
    if content in NOT_SERVED:
        raise ApiError(400, f"This sandbox does not serve content={content}")
    if content not in (*TABLES, *READS) and content not in {name for name, _ in WRITES}:
        raise ApiError(400, NO_CONTENT)
    write = write_of(request)
    if write is not None:
        return written(served, write, request)
    if content == "project_settings" or request.text("action") not in READING:
        raise ApiError(400, NO_ACTION)
    if not served.user.may("api_export"):
        raise ApiError(403, NO_EXPORT)
    if content == "fileRepository" and request.text("action") != "list":
        return _document(served, request)
    if content in TABLES:
        return _table(served, request, TABLES[content], fault)
    return _logged(READS[content](served, request, fault), _told(content))


def _told(content: str) -> Entry:
    """Return what the log says of an export that is no table of the set-up."""
    if content in ("record", "report", "project_xml", "file", "pdf"):
        return Entry(EXPORT, f"Export {content.replace('_', ' ')} (API)")
    return managed(f"Export {content} (API)")


def _logged(outcome: Outcome, entry: Entry) -> Outcome:
    """Return the outcome with an entry in the project's log, where reading is logged."""
    served, given = outcome
    return (with_entries(served, [entry]) if served.log_exports else served), given


def _document(served: SandboxProject, request: ApiRequest) -> Outcome:
    if not served.user.may(REPOSITORY[0]):
        raise ApiError(403, NO_RIGHT.format(REPOSITORY[1]))
    return _logged(file_requests.export_from_repository(served, request), managed("Download file (API)"))


def _table(served: SandboxProject, request: ApiRequest, table: ContentTable, fault: Fault | None) -> Outcome:
    if table.right and not served.user.may(table.right[0]):
        raise ApiError(403, NO_RIGHT.format(table.right[1]))
    frame = table.make(served, request)
    frame = spoiled(fault, frame) if fault else frame
    newline, doubled, kind = table.last_newline, served.doubled_quotes, request.format
    quoted = ("instrument_label",) if request.text("content") == "instrument" else ()
    body = render_table(
        frame, kind, root=table.root, item=table.item, last_newline=newline, doubled=doubled, quoted=quoted
    )
    outcome = served, Answer.text(body, kind)
    return _logged(outcome, managed(table.logged)) if table.logged else outcome


def _version(served: SandboxProject, request: ApiRequest, _: Fault | None) -> Outcome:
    return served, Answer.text(served.version)


def _project(served: SandboxProject, request: ApiRequest, _: Fault | None) -> Outcome:
    kind = request.format
    return served, Answer.text(render_object(structure.project_info(served), kind, served.doubled_quotes), kind)


def _project_xml(served: SandboxProject, request: ApiRequest, _: Fault | None) -> Outcome:
    """Return the whole project; without its records for returnMetadataOnly."""
    records = None if request.flag("returnMetadataOnly") else export_records(served, _plain(request))[0]
    files = served.files if request.flag("exportFiles") else {}
    extras = ProjectExtras(tuple(served.roles), served.surveys, served.reports, files)
    return served, Answer.text(project_xml(served.project, records, served.version, extras), "xml")


def _plain(request: ApiRequest) -> ApiRequest:
    """Return the request for rows of raw values, which a document is made of whatever the client named."""
    return request.with_values(format="xml", rawOrLabel="raw", rawOrLabelHeaders="raw", type="flat")


def _records(served: SandboxProject, request: ApiRequest, fault: Fault | None) -> Outcome:
    if request.text("format") == "odm":
        records, _ = export_records(served, _plain(request))
        return served, Answer.text(records_xml(served.project, records, served.version), "xml")
    return served, _flat(served, request, export_records(served, request), fault)


def _report(served: SandboxProject, request: ApiRequest, fault: Fault | None) -> Outcome:
    if not served.user.may("reports"):
        raise ApiError(403, NO_RIGHT.format("Reports & Report Builder"))
    return served, _flat(served, request, export_report(served, request), fault)


def _flat(
    served: SandboxProject, request: ApiRequest, found: tuple[pd.DataFrame, list[str] | None], fault: Fault | None
) -> Answer:
    kind, delimiter, (frame, headers) = request.format, request.delimiter, found
    frame = spoiled(fault, frame) if fault else frame
    doubled = served.doubled_quotes
    body = render_table(frame, kind, root="records", delimiter=delimiter, headers=headers, doubled=doubled)
    return Answer.text(body, kind)


def _next_name(served: SandboxProject, request: ApiRequest, _: Fault | None) -> Outcome:
    return served, Answer.text(next_name(served.records.record.unique(), served.group_number))


def _survey(served: SandboxProject, request: ApiRequest, _: Fault | None) -> Outcome:
    if not served.user.may(SURVEYS[0]):
        raise ApiError(403, NO_RIGHT.format(SURVEYS[1]))
    return served, survey_answer(served, request)


def _pdf(served: SandboxProject, request: ApiRequest, _: Fault | None) -> Outcome:
    return served, pdf_answer(served, request)


def _file(served: SandboxProject, request: ApiRequest, _: Fault | None) -> Outcome:
    if request.text("content") == "file":
        return file_requests.export_file(served, request)
    return file_requests.file_info(served, request)


READS: dict[str, Callable[[SandboxProject, ApiRequest, Fault | None], Outcome]] = {
    "version": _version,
    "project": _project,
    "project_xml": _project_xml,
    "record": _records,
    "report": _report,
    "generateNextRecordName": _next_name,
    "pdf": _pdf,
    "file": _file,
    "fileinfo": _file,
    "filesize": _file,
    **dict.fromkeys(LINKS, _survey),
}
