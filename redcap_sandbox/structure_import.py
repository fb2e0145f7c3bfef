"""Changing a project's structure: dictionary, arms, events, forms of events, what repeats, access groups, settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from metadata.dictionary import Dictionary
from metadata.errors import StudyError
from metadata.project import Project
from metadata.records import ACCESS_GROUP, EVENT, REPEAT_INSTANCE, REPEAT_INSTRUMENT, Records
from redcap_sandbox.log_entries import managed, with_entries
from redcap_sandbox.posted_rows import Row, posted_rows
from redcap_sandbox.project import SandboxProject
from redcap_sandbox.record_order import ordered, stored_columns, with_untouched
from redcap_sandbox.request import ApiError, ApiRequest
from redcap_sandbox.unique_names import event_name, group_name

CLASSIC = "You cannot {} {} for classic projects"
MISSING = 'The data being imported lacks the field "{}"'
NOT_VALID = 'The following values in the parameter "{}" are not valid: {}'
NOT_IN_DATA = "The following values of {} do not exist in this project: {}"
NO_RECORD_ID = "The first field ('{}') names the records and must be a text field"
NO_ENTRIES = 'The parameter "{}" is missing'
ONLY_IN_DEVELOPMENT = "This method is only available for projects in Development status"
"""REDCap's help says that its destructive methods are refused in production; how a server words it is not recorded."""
SETTINGS = (
    *("project_title", "project_language", "purpose", "purpose_other", "project_notes", "custom_record_label"),
    *("secondary_unique_field", "is_longitudinal", "surveys_enabled", "scheduling_enabled"),
    *("record_autonumbering_enabled", "randomization_enabled", "project_irb_number", "project_grant_number"),
    *("project_pi_firstname", "project_pi_lastname", "project_pi_email", "display_today_now_button"),
    "bypass_branching_erase_field_prompt",
)
"""The keys of the project's information that can be imported."""
Changed = tuple[SandboxProject, int]


def in_production(project: Project) -> bool:
    """Return True if a project has left the development status."""
    return str(project.info.get("in_production", "")) == "1"


def _refuse_production(served: SandboxProject) -> None:
    """Raise ApiError (400) where what is asked may destroy data of a project that is in production."""
    if in_production(served.project):
        raise ApiError(400, ONLY_IN_DEVELOPMENT)


def import_metadata(served: SandboxProject, request: ApiRequest) -> Changed:
    """Return the project with another dictionary, and its number of fields.

    Values of fields that are gone are lost; forms that are new get a label made of their name. Raises ApiError (400) in
    production, as arms and events do.
    """
    _refuse_production(served)
    rows = posted_rows(request)
    try:
        dictionary = Dictionary.from_rows(rows, "data")
    except StudyError as error:
        raise ApiError(400, str(error)) from None
    if dictionary.fields[dictionary.record_id].type != "text":
        raise ApiError(400, NO_RECORD_ID.format(dictionary.record_id))
    labels = {str(one["instrument_name"]): str(one["instrument_label"]) for one in served.project.instruments}
    instruments = [
        {"instrument_name": form, "instrument_label": labels.get(form, form.replace("_", " ").title())}
        for form in dictionary.forms
    ]
    forms = set(dictionary.forms)
    project = replace(
        served.project,
        dictionary=dictionary,
        instruments=instruments,
        form_events=[row for row in served.project.form_events if row["form"] in forms],
        repeating=[row for row in served.project.repeating if not row.get("form_name") or row["form_name"] in forms],
    )
    return _managed(with_project(served, project), "Upload data dictionary (API)"), len(rows)


def with_project(served: SandboxProject, project: Project) -> SandboxProject:
    """Return the same records in another structure: rows and columns that have no place any more are lost."""
    frame = served.records.frame
    old, new = served.project.dictionary.record_id, project.dictionary.record_id
    frame = frame.rename(columns={old: new}) if new not in frame or old == new else frame
    repeated = frame[REPEAT_INSTRUMENT] + "\x1f" + frame[EVENT]
    whole = {f"\x1f{event}" for event in project.event_names if project.event_repeats(event)}
    alone = {f"{form}\x1f{event}" for event in project.event_names for form in project.dictionary.forms
             if project.repeats(event, form)}  # fmt: skip
    fits = (frame[REPEAT_INSTANCE] == "") | repeated.isin(whole | alone)
    placed = frame[frame[EVENT].isin(project.event_names) & fits]
    extra = [name for name in map(str, frame) if name in project.missing_code_columns or name.endswith("_timestamp")]
    names = list(dict.fromkeys([*stored_columns(project), *extra]))
    laid = ordered(project, placed.reindex(columns=names, fill_value=""))
    records = Records.from_frame(project, with_untouched(project, laid))
    files = {place: file for place, file in served.files.items() if place.field in project.dictionary.fields}
    surveys = tuple(form for form in served.surveys if form in project.dictionary.forms)
    return replace(served, project=project, records=records, files=files, surveys=surveys)


def _managed(served: SandboxProject, details: str) -> SandboxProject:
    return with_entries(served, [managed(details)])


def _refuse_classic(served: SandboxProject, verb: str, what: str) -> None:
    if not served.project.longitudinal:
        raise ApiError(400, CLASSIC.format(verb, what))


def _needed(rows: list[Row], *names: str) -> list[Row]:
    """Return posted rows; raises ApiError if one lacks a column."""
    for name in names:
        if any(name not in row for row in rows):
            raise ApiError(400, MISSING.format(name))
    return rows


def _known(what: str, given: Sequence[str], known: set[str]) -> None:
    unknown = list(dict.fromkeys(one for one in given if one not in known))
    if unknown:
        raise ApiError(400, NOT_IN_DATA.format(what, ", ".join(unknown)))


def _listed(request: ApiRequest, name: str, known: set[str]) -> list[str]:
    """Return the names to delete; raises ApiError if there are none or one does not exist."""
    given = request.listed(name) or []
    if not given:
        raise ApiError(400, NO_ENTRIES.format(name))
    unknown = [f"'{one}'" for one in given if one not in known]
    if unknown:
        raise ApiError(400, NOT_VALID.format(name, ", ".join(unknown)))
    return list(dict.fromkeys(given))


def _without_events(project: Project, gone: set[str]) -> Project:
    """Return the structure without some events, the forms designated for them and what repeats in them."""
    return replace(
        project,
        events=[row for row in project.events if row["unique_event_name"] not in gone],
        form_events=[row for row in project.form_events if row["unique_event_name"] not in gone],
        repeating=[row for row in project.repeating if row.get("event_name") not in gone],
    )


def import_arms(served: SandboxProject, request: ApiRequest) -> Changed:
    """Return the project with new or renamed arms; ``override`` deletes all others, with their events."""
    _refuse_classic(served, "import", "arms")
    _refuse_production(served)
    rows = _needed(posted_rows(request), "arm_num", "name")
    project = served.project
    if request.flag("override"):
        project = replace(_without_events(project, set(project.event_names)), arms=[])
    arms = {str(arm["arm_num"]): dict(arm) for arm in project.arms}
    for row in rows:
        arms[row["arm_num"]] = {"arm_num": row["arm_num"], "name": row["name"]}
    made = replace(project, arms=[arms[number] for number in sorted(arms, key=_number)])
    return _managed(with_project(served, made), "Import arms (API)"), len(rows)


def _number(text: str) -> tuple[int, str]:
    return (int(text), "") if text.isdecimal() else (0, text)


def delete_arms(served: SandboxProject, request: ApiRequest) -> Changed:
    """Return the project without the named arms and their events, and how many they are."""
    _refuse_classic(served, "delete", "arms")
    _refuse_production(served)
    project = served.project
    gone = _listed(request, "arms", {str(arm["arm_num"]) for arm in project.arms})
    events = {row["unique_event_name"] for row in project.events if str(row["arm_num"]) in gone}
    made = replace(
        _without_events(project, events), arms=[arm for arm in project.arms if str(arm["arm_num"]) not in gone]
    )
    return _managed(with_project(served, made), "Delete arms (API)"), len(gone)


def import_events(served: SandboxProject, request: ApiRequest) -> Changed:
    """Return the project with new or changed events; one is changed where its unique name is given and exists.

    ``override`` deletes all others first. A new one is named as REDCap does, whatever name the client gave it.
    """
    _refuse_classic(served, "import", "events")
    _refuse_production(served)
    rows = _needed(posted_rows(request), "event_name", "arm_num")
    project = served.project
    if request.flag("override"):
        project = _without_events(project, set(project.event_names))
    numbers = {str(arm["arm_num"]) for arm in project.arms}
    _known("arm_num", [row["arm_num"] for row in rows], numbers)
    events = {row["unique_event_name"]: dict(row) for row in project.events}
    highest = max([0, *(int(row.get("event_id") or 0) for row in served.project.events)])
    for row in rows:
        given = row.get("unique_event_name", "")
        name = given if given in events else event_name(row["event_name"], row["arm_num"], events)
        kept = {key: row[key] for key in ("custom_event_label", "day_offset", "offset_min", "offset_max") if key in row}
        if name not in events:
            highest += 1
        base = events.get(name, {"event_id": str(highest), "custom_event_label": ""})
        named = {"event_name": row["event_name"], "arm_num": row["arm_num"], "unique_event_name": name}
        events[name] = base | kept | named
    inside = sorted(events.values(), key=lambda row: _number(str(row["arm_num"])))
    return _managed(with_project(served, replace(project, events=inside)), "Import events (API)"), len(rows)


def delete_events(served: SandboxProject, request: ApiRequest) -> Changed:
    """Return the project without the named events, and how many they are."""
    _refuse_classic(served, "delete", "events")
    _refuse_production(served)
    gone = _listed(request, "events", set(served.project.event_names))
    made = with_project(served, _without_events(served.project, set(gone)))
    return _managed(made, "Delete events (API)"), len(gone)


def import_form_events(served: SandboxProject, request: ApiRequest) -> Changed:
    """Return the project with other forms in its events: what is posted replaces all there was."""
    _refuse_classic(served, "import", "form/event mappings")
    rows = _needed(posted_rows(request), "arm_num", "unique_event_name", "form")
    _known("unique_event_name", [row["unique_event_name"] for row in rows], set(served.project.event_names))
    _known("form", [row["form"] for row in rows], set(served.project.dictionary.forms))
    order = {name: place for place, name in enumerate(served.project.event_names)}
    forms = {name: place for place, name in enumerate(served.project.dictionary.forms)}
    rows = sorted(rows, key=lambda row: (order[row["unique_event_name"]], forms[row["form"]]))
    made = with_project(served, replace(served.project, form_events=[dict(row) for row in rows]))
    return _managed(made, "Perform instrument-event mappings (API)"), len(rows)


def import_repeating(served: SandboxProject, request: ApiRequest) -> Changed:
    """Return the project in which other forms and events repeat, and how many; nothing else repeats then."""
    rows = _needed(posted_rows(request), "form_name")
    project = served.project
    _known("form_name", [row["form_name"] for row in rows if row["form_name"]], set(project.dictionary.forms))
    if project.longitudinal:
        _known("event_name", [row.get("event_name", "") for row in rows], set(project.event_names))
    names = ("event_name", "form_name", "custom_form_label")
    repeating = [{name: row.get(name, "") for name in names} for row in rows]
    info = project.info | {"has_repeating_instruments_or_events": str(int(bool(repeating)))}
    made = with_project(served, replace(project, repeating=repeating, info=info))
    return _managed(made, "Set up repeating instruments/events (API)"), len(rows)


def import_groups(served: SandboxProject, request: ApiRequest) -> Changed:
    """Return the project with new or renamed data access groups; a blank unique name is a new group."""
    rows = _needed(posted_rows(request), "data_access_group_name")
    groups = {group["unique_group_name"]: dict(group) for group in served.project.dags}
    given = [row.get("unique_group_name", "") for row in rows]
    _known("unique_group_name", [name for name in given if name], set(groups))
    highest = max([0, *(int(group.get("data_access_group_id") or 0) for group in groups.values())])
    for row, unique in zip(rows, given, strict=True):
        name = unique or group_name(row["data_access_group_name"], groups)
        highest += not unique
        groups[name] = groups.get(name, {"data_access_group_id": str(highest)}) | {
            "data_access_group_name": row["data_access_group_name"],
            "unique_group_name": name,
        }
    made = replace(served, project=replace(served.project, dags=list(groups.values())))
    return _managed(_same_records(made), "Import data access groups (API)"), len(rows)


def delete_groups(served: SandboxProject, request: ApiRequest) -> Changed:
    """Return the project without the named data access groups: their records and users are in none then."""
    project = served.project
    gone = _listed(request, "dags", {group["unique_group_name"] for group in project.dags})
    kept = [group for group in project.dags if group["unique_group_name"] not in gone]
    frame = served.records.frame
    blank = frame.assign(**{ACCESS_GROUP: frame[ACCESS_GROUP].mask(frame[ACCESS_GROUP].isin(gone), "")})
    made = replace(project, dags=kept)
    users = [user | _outside(user) if user.get("data_access_group") in gone else user for user in served.users]
    done = replace(served, project=made, users=users, records=Records.from_frame(made, blank))
    return _managed(done, "Delete data access groups (API)"), len(gone)


def _outside(user: dict[str, str]) -> dict[str, str]:
    """Return the columns of a user's group, blank."""
    return {name: "" for name in user if name.startswith("data_access_group") and name != "data_access_groups"}


def _same_records(served: SandboxProject) -> SandboxProject:
    """Return the project with its records read in its present structure."""
    return replace(served, records=Records.from_frame(served.project, served.records.frame))


def import_settings(served: SandboxProject, request: ApiRequest) -> Changed:
    """Return the project with other information about itself, and how many settings were given."""
    given: dict[str, Any] = {name: value for row in posted_rows(request)[:1] for name, value in row.items()}
    unknown = [f"'{name}'" for name in given if name not in SETTINGS]
    if unknown:
        raise ApiError(400, NOT_VALID.format("data", ", ".join(unknown)))
    made = with_project(served, replace(served.project, info=served.project.info | given))
    return _managed(made, "Update project settings (API)"), len(given)
