"""Changing who may do what: users, roles, users' roles and data access groups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from redcap_sandbox.log_entries import Entry, managed, with_entries
from redcap_sandbox.posted_rows import Row, posted_rows
from redcap_sandbox.project import SandboxProject
from redcap_sandbox.request import ApiError, ApiRequest
from redcap_sandbox.rights import parse_form_rights
from redcap_sandbox.unique_names import code_of

ABOUT = (
    *("username", "email", "firstname", "lastname", "expiration", "data_access_group", "data_access_group_id"),
    "data_access_group_label",
)
RIGHTS = (
    *("design", "alerts", "user_rights", "data_access_groups", "reports", "stats_and_charts"),
    *("manage_survey_participants", "calendar", "data_import_tool", "data_comparison_tool", "logging"),
    *("email_logging", "file_repository", "data_quality_create", "data_quality_execute", "data_quality_resolution"),
    *("api_export", "api_import", "api_modules", "mobile_app", "mobile_app_download_data", "record_create"),
    *("record_rename", "record_delete", "lock_records_all_forms", "lock_records", "lock_records_customization"),
)
FORM_RIGHTS = ("forms", "forms_export")
LAST_OF_ROLES = ("lock_records_customization", "lock_records", "lock_records_all_forms", "data_quality_resolution")
"""Rights that stand last in the table of roles, before those on forms."""
NO_USERNAME = 'The data being imported lacks the field "username"'
NO_LABEL = 'The data being imported lacks the field "role_label"'
NOT_FOUND = 'The following values in the parameter "{}" are not valid: {}'
NO_USER = "The following users do not exist in this project: {}"
NO_ROLE = "The following roles do not exist in this project: {}"
NO_GROUP = "The following data access groups do not exist in this project: {}"
NO_FORM_RIGHT = "The value of {} is not valid: '{}' is not a form of this project with a number"
NO_ENTRIES = 'The parameter "{}" is missing'
ROLE_LETTERS = 10
Changed = tuple[SandboxProject, int]


def new_user(served: SandboxProject, username: str, right: str = "0", form_right: str = "0") -> Row:
    """Return the row of a user with one right everywhere."""
    return dict.fromkeys(ABOUT, "") | {"username": username} | _all_rights(served, right, form_right)


def _all_rights(served: SandboxProject, right: str, form_right: str) -> Row:
    forms = ",".join(f"{form}:{form_right}" for form in served.project.dictionary.forms)
    return dict.fromkeys(RIGHTS, right) | dict.fromkeys(FORM_RIGHTS, forms)


def new_role(served: SandboxProject, name: str) -> Row:
    """Return the row of a role that may do nothing; its columns are in another order than those of a user."""
    rights = [*(right for right in RIGHTS if right not in LAST_OF_ROLES), *LAST_OF_ROLES, *FORM_RIGHTS]
    none = _all_rights(served, "0", "0")
    return {"unique_role_name": name, "role_label": "", **{right: none[right] for right in rights}}


def import_users(served: SandboxProject, request: ApiRequest) -> Changed:
    """Return the project with new users, who may do nothing that is not given, and with changed ones."""
    rows = posted_rows(request)
    if any(not row.get("username", "").strip() for row in rows):
        raise ApiError(400, NO_USERNAME)
    _refuse(NO_GROUP, [row.get("data_access_group", "") for row in rows], [*served.group_names, ""])
    users = {user["username"]: dict(user) for user in served.users}
    entries: list[Entry] = []
    for row in rows:
        name = row["username"].strip()
        entries.append(Entry(f"{'Edit' if name in users else 'Add'} user {name}", f"user = '{name}'"))
        users[name] = _updated(served, users.get(name) or new_user(served, name), row)
    return with_entries(replace(served, users=list(users.values())), entries), len(rows)


def _updated(served: SandboxProject, kept: Row, row: Row) -> Row:
    """Return a user or role with the given columns; rights on forms that are not named stay."""
    given = {name: value for name, value in row.items() if name in kept or name in (*ABOUT, *RIGHTS, *FORM_RIGHTS)}
    for name in FORM_RIGHTS:
        if name in given:
            _check_rights(served, name, given[name])
            rights = parse_form_rights(kept.get(name, "")) | parse_form_rights(given[name])
            given[name] = ",".join(f"{form}:{right}" for form, right in rights.items())
    made = kept | given
    return made | _grouped(served, made, given["data_access_group"]) if "data_access_group" in given else made


def _check_rights(served: SandboxProject, name: str, text: str) -> None:
    """Raise ApiError (400) unless the rights on forms are numbers, each of a form of the project."""
    for pair in filter(None, text.split(",")):
        form, _, right = pair.partition(":")
        if form.strip() not in served.project.dictionary.forms or not right.strip().isdecimal():
            raise ApiError(400, NO_FORM_RIGHT.format(name, pair))


def _grouped(served: SandboxProject, user: Row, group: str) -> Row:
    """Return the columns of a user's group, by any of its names."""
    unique = served.group_names.get(group, "")
    found = next((one for one in served.project.dags if one["unique_group_name"] == unique), {})
    named = {
        "data_access_group": unique,
        "data_access_group_id": str(found.get("data_access_group_id", "")),
        "data_access_group_label": str(found.get("data_access_group_name", "")),
    }
    return {name: value for name, value in named.items() if name in user}


def delete_users(served: SandboxProject, request: ApiRequest) -> Changed:
    """Return the project without the named users, and how many they are."""
    gone = _listed(request, "users", [user["username"] for user in served.users])
    kept = [user for user in served.users if user["username"] not in gone]
    roles = {name: role for name, role in served.role_of.items() if name not in gone}
    entries = [Entry(f"Delete user {name}", f"user = '{name}'") for name in gone]
    return with_entries(replace(served, users=kept, role_of=roles), entries), len(gone)


def import_roles(served: SandboxProject, request: ApiRequest) -> Changed:
    """Return the project with new roles, which may do nothing that is not given, and with changed ones."""
    rows = posted_rows(request)
    if any("role_label" not in row for row in rows):
        raise ApiError(400, NO_LABEL)
    roles = {role["unique_role_name"]: dict(role) for role in served.roles}
    _refuse(NO_ROLE, [row.get("unique_role_name", "") for row in rows], [*roles, ""])
    entries: list[Entry] = []
    for row in rows:
        name = row.get("unique_role_name", "") or new_role_name(served, roles)
        entries.append(Entry(f"{'Edit' if name in roles else 'Add'} role {row['role_label']}"))
        roles[name] = _updated(served, roles.get(name) or new_role(served, name), row | {"unique_role_name": name})
    return with_entries(replace(served, roles=list(roles.values())), entries), len(rows)


def new_role_name(served: SandboxProject, taken: Iterable[str]) -> str:
    """Return a unique name for a role that the project has not yet."""
    names = set(taken) | set(served.role_of.values())
    numbers = range(len(names) + 1)
    made = (f"U-{code_of(ROLE_LETTERS, served.project.info.get('project_id', ''), number)}" for number in numbers)
    return next(name for name in made if name not in names)


def delete_roles(served: SandboxProject, request: ApiRequest) -> Changed:
    """Return the project without the named roles, and how many they are; their users keep their own rights."""
    gone = _listed(request, "roles", [role["unique_role_name"] for role in served.roles])
    labels = {role["unique_role_name"]: role["role_label"] for role in served.roles}
    kept = [role for role in served.roles if role["unique_role_name"] not in gone]
    held = {name: role for name, role in served.role_of.items() if role not in gone}
    entries = [Entry(f"Delete role {labels[name]}") for name in gone]
    return with_entries(replace(served, roles=kept, role_of=held), entries), len(gone)


def import_role_mapping(served: SandboxProject, request: ApiRequest) -> Changed:
    """Return the project with users in other roles; a blank role is none."""
    rows = posted_rows(request)
    _refuse(NO_USER, [row.get("username", "") for row in rows], [user["username"] for user in served.users])
    _refuse(NO_ROLE, [row.get("unique_role_name", "") for row in rows], [*_names(served.roles), ""])
    held = dict(served.role_of) | {row["username"]: row.get("unique_role_name", "") for row in rows}
    made = replace(served, role_of={name: role for name, role in held.items() if role})
    return with_entries(made, [Entry(f"Edit user {row['username']}", "Assign user role") for row in rows]), len(rows)


def _names(roles: list[Row]) -> list[str]:
    return [role["unique_role_name"] for role in roles]


def import_group_mapping(served: SandboxProject, request: ApiRequest) -> Changed:
    """Return the project with users in other data access groups; a blank group is none."""
    rows = posted_rows(request)
    _refuse(NO_USER, [row.get("username", "") for row in rows], [user["username"] for user in served.users])
    _refuse(NO_GROUP, [row.get("redcap_data_access_group", "") for row in rows], [*served.group_names, ""])
    wanted = {row["username"]: row.get("redcap_data_access_group", "") for row in rows}
    users = [
        user | _grouped(served, {"data_access_group": ""} | user, wanted[user["username"]])
        if user["username"] in wanted
        else user
        for user in served.users
    ]
    made = replace(served, users=users)
    return with_entries(made, [managed(f"Assign user {name} to data access group") for name in wanted]), len(rows)


def switch_group(served: SandboxProject, request: ApiRequest) -> SandboxProject:
    """Return the project in which the token's user is in another data access group, blank being none.

    Only the group that the set-up gives him and those that he was in before can be chosen on a real server; here any.
    """
    wanted = request.text("dag")
    _refuse(NO_GROUP, [wanted], [*served.group_names, ""])
    name = served.user.name
    users = [user | _grouped(served, user, wanted) if user["username"] == name else user for user in served.users]
    user = replace(served.user, dag=served.group_names.get(wanted, ""))
    return with_entries(replace(served, users=users, user=user), [managed("Switch DAG (API)")])


def _refuse(text: str, given: Iterable[str], known: Iterable[str]) -> None:
    there = set(known)
    unknown = list(dict.fromkeys(one for one in given if one not in there))
    if unknown:
        raise ApiError(400, text.format(", ".join(unknown)))


def _listed(request: ApiRequest, name: str, known: Iterable[str]) -> list[str]:
    """Return the names to delete; raises ApiError if there are none or one does not exist."""
    given = request.listed(name) or []
    if not given:
        raise ApiError(400, NO_ENTRIES.format(name))
    unknown = [f"'{one}'" for one in given if one not in set(known)]
    if unknown:
        raise ApiError(400, NOT_FOUND.format(name, ", ".join(unknown)))
    return list(dict.fromkeys(given))
