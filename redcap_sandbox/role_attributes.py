"""A role's rights under the names that a project's XML has for them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from redcap_sandbox.rights import parse_form_rights

RENAMED = {
    "role_label": "role_name",
    "logging": "data_logging",
    "data_quality_create": "data_quality_design",
    "manage_survey_participants": "participants",
    "stats_and_charts": "graphical",
    "lock_records": "lock_record",
    "lock_records_all_forms": "lock_record_multiform",
    "lock_records_customization": "lock_record_customize",
    "forms": "data_entry",
    "forms_export": "data_export_instruments",
}
FORMS = ("forms", "forms_export")
PAIR = re.compile(r"\[([^,\]]+),(\d+)\]")


def written_role(role: Mapping[str, str]) -> dict[str, str]:
    """Return a role as the XML has it: rights on forms are ``[form,1][form2,0]``."""
    made = {RENAMED.get(name, name): value for name, value in role.items() if name not in FORMS}
    for name in FORMS:
        pairs = parse_form_rights(role.get(name, ""))
        made[RENAMED[name]] = "".join(f"[{form},{right}]" for form, right in pairs.items())
    return made


def read_role(attributes: Mapping[str, str], plain: Mapping[str, str]) -> dict[str, str]:
    """Return a role of the XML as the API has it; ``plain`` has a role's columns, and what they are unless given."""
    made = {name: attributes.get(RENAMED.get(name, name), value) for name, value in plain.items() if name not in FORMS}
    for name in FORMS:
        pairs = PAIR.findall(attributes.get(RENAMED[name], ""))
        made[name] = ",".join(f"{form}:{right}" for form, right in pairs) or plain[name]
    return made
