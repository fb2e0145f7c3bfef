"""Where a package stands on its way to a release: who approved it, what is open, and what is in the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from metadata.errors import UsageError
from release.approvers import SIGNATURE, ApproversFile, Kind, distinct_people
from release.log import LogRecord
from release.open_points import OpenPoint
from release.signature import is_signed

DECISIONS = ("approved", "rejected")
BY_HAND = ("reviewed", "approved", "rejected", "waived", "unblinded")
"""Meanings that are a person's decision; the others record what was done in a person's name."""


@dataclass(frozen=True)
class Standing:
    """What the log says of one manifest.

    ``approvals`` are those that count, ``opened`` the points that are neither resolved nor waived, ``waived`` the
    others with the waiver of each. ``obstacles`` are sentences; without any the package may be released.
    """

    approvals: tuple[LogRecord, ...]
    builders: tuple[str, ...]
    opened: tuple[OpenPoint, ...]
    waived: tuple[tuple[OpenPoint, LogRecord], ...]
    obstacles: tuple[str, ...]

    @property
    def rejected(self) -> bool:
        """True if a rejection counts."""
        return any(one.startswith("rejected by") for one in self.obstacles)


def wrong_record(record: LogRecord, approvers: ApproversFile) -> str:
    """Return what is wrong with a record: nobody of this name and role, not signed, signed by another; or blank."""
    try:
        person = approvers.acting(record.name, record.role)
    except UsageError as error:
        return str(error)
    if record.strength == SIGNATURE:
        return "" if is_signed(record, person.key) else f"the signature is not by the key that {record.name} has"
    if record.signature:
        return "the record says that it is not signed, and holds a signature"
    if approvers.strength == SIGNATURE and record.meaning in BY_HAND:
        return "the study asks for signatures, and the record has none"
    return ""


def standing(
    records: Sequence[LogRecord], points: Sequence[OpenPoint], subject: str, approvers: ApproversFile, kind: Kind
) -> Standing:
    """Return where the manifest whose hash is ``subject`` stands; raises UsageError for a record that cannot count."""
    own = [one for one in records if one.subject == subject]
    for record in own:
        if problem := wrong_record(record, approvers):
            said = f"record {record.number} of the log ({record.meaning} by {record.name})"
            raise UsageError(f"{said} is not right: {problem}")
    given = [one for one in records if one.meaning == "waived" and one.item in {point.id for point in points}]
    waivers = {one.item: one for one in given if not wrong_record(one, approvers)}  # also those of packages before
    waived = [(point, waivers[point.id]) for point in points if point.id in waivers]
    builders = tuple(dict.fromkeys(one.name for one in own if one.meaning == "built"))
    opened = tuple(point for point in points if point.id not in waivers)
    last = {(one.name, one.role): one for one in own if one.meaning in DECISIONS}.values()
    since = max((waiver.number for _, waiver in waived), default=0)
    approvals = tuple(one for one in last if one.meaning == "approved" and one.number > since)
    obstacles = [f"rejected by {one.name} ({one.role}): {one.reason}" for one in last if one.meaning == "rejected"]
    obstacles += _missing(approvals, builders, approvers.needed(kind))
    if any(one.meaning == "approved" and one.number < since for one in last):
        obstacles.append("a waiver came after an approval, which is given again")
    if opened:
        obstacles.append(f"{_counted(opened)} neither resolved nor waived")
    return Standing(approvals, builders, opened, tuple(waived), tuple(obstacles))


def _counted(opened: Sequence[OpenPoint]) -> str:
    kinds = {kind: sum(point.kind == kind for point in opened) for kind in dict.fromkeys(one.kind for one in opened)}
    plural = {"query": "queries"}
    said = [f"{count} {kind if count == 1 else plural.get(kind, kind + 's')}" for kind, count in kinds.items()]
    return " and ".join(said) + (" is" if len(opened) == 1 else " are")


def _missing(approvals: Sequence[LogRecord], builders: Sequence[str], needed: list[str]) -> list[str]:
    """Return what of the approvals is missing: a builder's name, a role, another person than the builder."""
    who = {role: {one.name for one in approvals if one.role == role} for role in needed}
    found = [] if builders else ["nobody is recorded as the one who built it (meaning 'built')"]
    lacking = [role for role in needed if not who[role]]
    found += [f"the approval of the role '{role}' is missing" for role in lacking]
    if not lacking and not distinct_people(needed, who):
        found.append(f"{', '.join(needed)} approve as different persons, and there are fewer")
    names = {one.name for one in approvals}
    if names and names <= set(builders):
        found.append(f"{', '.join(sorted(names))} built it, and the builder alone cannot approve")
    return found
