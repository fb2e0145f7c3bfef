"""What one user may see: API and page rights, his data access group, his export right on each form."""

from __future__ import annotations

from dataclasses import dataclass, field

from metadata.dictionary import Dictionary, Field

NO_ACCESS, FULL, DE_IDENTIFIED, NO_IDENTIFIERS = 0, 1, 2, 3
EDITS = (1, 3)
"""Rights on a form, as servers before 15.6 write them, under which it may be edited; 0 is none, 2 to read only."""
NEWER, EDIT_BIT = 128, 2
"""What newer servers add to the right on a form, which is made of bits then, and the bit of editing."""


def parse_form_rights(text: str) -> dict[str, int]:
    """Return ``{form: right}`` of REDCap's ``form:1,form2:0``."""
    pairs = [part.split(":") for part in text.split(",") if ":" in part]
    return {form.strip(): int(right) for form, right in pairs}


@dataclass(frozen=True)
class User:
    """One user of the project. ``rights`` None is the owner of everything; ``dag`` is a unique group name or blank."""

    name: str = ""
    dag: str = ""
    rights: dict[str, str] | None = None
    form_exports: dict[str, int] = field(default_factory=dict)
    form_rights: dict[str, int] = field(default_factory=dict)

    @classmethod
    def from_row(cls, row: dict[str, str], group_names: dict[str, str]) -> User:
        """Take a row of users.csv; ``group_names`` gives the unique name of a group from either of its names."""
        group = row.get("data_access_group", "")
        exports = parse_form_rights(row.get("forms_export", ""))
        rights = parse_form_rights(row.get("forms", ""))
        return cls(row["username"], group_names.get(group, group), dict(row), exports, rights)

    def may(self, right: str) -> bool:
        """True if the user has a right such as ``api_export`` or ``logging``; a right not on file is granted.

        A user who is in a data access group is never shown the groups.
        """
        if right == "data_access_groups" and self.dag:
            return False
        return self.rights is None or str(self.rights.get(right) or "1") != "0"

    def may_edit(self, form: str) -> bool:
        """True if the user may change data of a form; a form that is not on file may be changed."""
        right = self.form_rights.get(form, FULL)
        return bool(right & EDIT_BIT) if right >= NEWER else right in EDITS

    def may_export(self, field_: Field) -> bool:
        """True if the field's values may leave under the user's export right on its form.

        Right 2 withholds identifiers, free text, notes, dates and times; right 3 identifiers only.
        """
        right = self.form_right(field_.form)
        if right == FULL:
            return True
        if right == NO_ACCESS or field_.is_identifier:
            return False
        return right == NO_IDENTIFIERS or not _is_free(field_)

    def form_right(self, form: str) -> int:
        """Return the export right on a form: 0 none, 1 full, 2 de-identified, 3 without identifiers."""
        return self.form_exports.get(form, FULL)

    def hides_record_ids(self, dictionary: Dictionary) -> bool:
        """True if record names leave as hashes, because they are identifiers this user may not see."""
        first = dictionary.fields[dictionary.record_id]
        return first.is_identifier and self.form_right(first.form) in (DE_IDENTIFIED, NO_IDENTIFIERS)


def _is_free(field_: Field) -> bool:
    if field_.type == "notes":
        return True
    return field_.type == "text" and (not field_.validation or field_.validation.startswith(("date", "time")))
