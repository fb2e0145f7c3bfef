"""The structure contents: dictionary, export names, instruments, events, arms, repeating set-up, groups, users."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pandas as pd

from redcap_sandbox.project import SandboxProject
from redcap_sandbox.records import refuse_unknown
from redcap_sandbox.request import ApiError, ApiRequest
from redcap_sandbox.rights import parse_form_rights

INTEGERS = {
    "project_id", "in_production", "purpose", "is_longitudinal", "has_repeating_instruments_or_events",
    "surveys_enabled", "scheduling_enabled", "record_autonumbering_enabled", "randomization_enabled", "ddp_enabled",
    "display_today_now_button", "bypass_branching_erase_field_prompt", "arm_num", "event_id", "day_offset",
    "days_offset", "offset_min", "offset_max", "data_access_group_id",
}  # fmt: skip
USER_TEXTS = {
    "username",
    "email",
    "firstname",
    "lastname",
    "expiration",
    "data_access_group",
    "data_access_group_label",
}
EVENT_COLUMNS = (
    *("event_name", "arm_num", "unique_event_name", "custom_event_label", "event_id", "day_offset"),
    *("offset_min", "offset_max"),
)
GROUPS_OF_ROLES, LABELS_OF_GROUPS = "15.8.2", "16.0.0"
"""Versions since which the groups of users are in the roles' table, and the groups' labels in that of users."""
NOT_LONGITUDINAL = "for classic projects"
NOTHING_REPEATS = (
    "You cannot export repeating instruments and events because the project does not contain any repeating"
    " instruments and events"
)


def _typed(row: dict[str, Any], integers: set[str]) -> dict[str, Any]:
    """Return a row whose flags and ids are integers, as REDCap's JSON has them."""
    return {name: int(value) if name in integers and _is_whole(value) else value for name, value in row.items()}


def _is_whole(value: object) -> bool:
    return str(value).strip().lstrip("-").isdigit()


def _table(rows: list[dict[str, Any]], integers: set[str] = INTEGERS) -> pd.DataFrame:
    """Return rows as a frame of objects, so that integers and texts stay what they are."""
    return pd.DataFrame([_typed(row, integers) for row in rows]).astype(object)


def project_info(served: SandboxProject) -> dict[str, Any]:
    """Return the one object of content=project."""
    return _typed(served.project.info, INTEGERS)


def metadata(served: SandboxProject, request: ApiRequest) -> pd.DataFrame:
    """Return the dictionary's 18 columns, limited to fields and forms where they are named."""
    dictionary = served.project.dictionary
    fields, forms = request.listed("fields"), request.listed("forms")
    refuse_unknown("fields", fields, set(dictionary.fields))
    refuse_unknown("forms", forms, set(dictionary.forms))
    everything = fields is None and forms is None
    rows = [
        asdict(item)
        for item in dictionary.fields.values()
        if everything or item.name in (fields or ()) or item.form in (forms or ())
    ]
    return _table(rows, set())


def export_field_names(served: SandboxProject, request: ApiRequest) -> pd.DataFrame:
    """Return one row an export column: original name, checkbox code, column; follows the user's rights."""
    dictionary = served.project.dictionary
    asked = request.text("field")
    if asked and asked not in dictionary.fields:
        raise ApiError(400, 'The value of the parameter "field" is not valid')
    rows = []
    for column in served.columns:
        name = column.field.name if column.field else column.name
        shown = served.user.may_export(column.field) if column.field else served.user.form_right(column.form) != 0
        is_file = column.field is not None and column.field.type == "file"
        if (shown or name == dictionary.record_id) and not is_file and asked in ("", name):
            rows.append({"original_field_name": name, "choice_value": column.code, "export_field_name": column.name})
    return _table(rows, set())


def instruments(served: SandboxProject, _: ApiRequest) -> pd.DataFrame:
    """Return instrument names and labels."""
    names = ("instrument_name", "instrument_label")
    return _table([{name: row.get(name, "") for name in names} for row in served.project.instruments], set())


def events(served: SandboxProject, request: ApiRequest) -> pd.DataFrame:
    """Return the events, of the named arms only if arms are named."""
    _refuse_classic(served, "events")
    rows = [{name: row[name] for name in EVENT_COLUMNS if name in row} for row in served.project.events]
    return _table(_of_arms(rows, request))


def arms(served: SandboxProject, request: ApiRequest) -> pd.DataFrame:
    """Return the arms that have events."""
    _refuse_classic(served, "arms")
    used = {str(row["arm_num"]) for row in served.project.events}
    rows = [{"arm_num": row["arm_num"], "name": row["name"]} for row in served.project.arms]
    return _table(_of_arms([row for row in rows if str(row["arm_num"]) in used], request))


def form_event_mapping(served: SandboxProject, request: ApiRequest) -> pd.DataFrame:
    """Return which instrument is designated for which event."""
    _refuse_classic(served, "form/event mappings")
    names = ("arm_num", "unique_event_name", "form")
    return _table(_of_arms([{name: row[name] for name in names} for row in served.project.form_events], request))


def repeating(served: SandboxProject, _: ApiRequest) -> pd.DataFrame:
    """Return the repeating set-up; refused where nothing repeats."""
    if not served.project.has_repeating:
        raise ApiError(400, NOTHING_REPEATS)
    names = ["form_name", "custom_form_label"]
    names = ["event_name", *names] if served.project.longitudinal else names
    return _table([{name: row.get(name) or "" for name in names} for row in served.project.repeating], set())


def access_groups(served: SandboxProject, _: ApiRequest) -> pd.DataFrame:
    """Return the data access groups."""
    names = ("data_access_group_name", "unique_group_name", "data_access_group_id")
    return _table([{name: row.get(name, "") for name in names} for row in served.project.dags])


def users(served: SandboxProject, request: ApiRequest) -> pd.DataFrame:
    """Return the users by name, their rights as integers.

    Rights on forms are an object in JSON, ``form:1,...`` in CSV.
    """
    rows = [served.rights_of(row) for row in sorted(served.users, key=lambda user: user["username"])]
    if not served.is_since(LABELS_OF_GROUPS):
        rows = [{name: value for name, value in row.items() if name != "data_access_group_label"} for row in rows]
    return _table([_with_rights(row, request, set(row) - USER_TEXTS) for row in rows], set())


def roles(served: SandboxProject, request: ApiRequest) -> pd.DataFrame:
    """Return the roles with their rights, which are texts here; only those on forms are integers."""
    return _table([_with_rights(row, request, set()) for row in served.roles], set())


def _with_rights(row: dict[str, str], request: ApiRequest, integers: set[str]) -> dict[str, Any]:
    typed = _typed(row, integers)
    if request.format == "json":
        typed |= {name: parse_form_rights(row.get(name, "")) for name in ("forms", "forms_export")}
    return typed


def role_mapping(served: SandboxProject, _: ApiRequest) -> pd.DataFrame:
    """Return the role of each user, blank for none; newer versions say his data access group as well."""
    names = ("username", "unique_role_name", *(["data_access_group"] if served.is_since(GROUPS_OF_ROLES) else []))
    rows = [
        {"data_access_group": "", **user, "unique_role_name": served.role_of.get(user["username"], "")}
        for user in sorted(served.users, key=lambda user: user["username"])
    ]
    return _table([{name: row[name] for name in names} for row in rows], set())


def group_mapping(served: SandboxProject, _: ApiRequest) -> pd.DataFrame:
    """Return the data access group of each user, blank for none."""
    rows = [
        {
            "username": user["username"],
            "redcap_data_access_group": served.group_names.get(user.get("data_access_group", ""), ""),
        }
        for user in sorted(served.users, key=lambda user: user["username"])
    ]
    return _table(rows, set())


def _refuse_classic(served: SandboxProject, what: str) -> None:
    if not served.project.longitudinal:
        raise ApiError(400, f"You cannot export {what} {NOT_LONGITUDINAL}")


def _of_arms(rows: list[dict[str, Any]], request: ApiRequest) -> list[dict[str, Any]]:
    wanted = request.listed("arms")
    return rows if wanted is None else [row for row in rows if str(row["arm_num"]) in wanted]
