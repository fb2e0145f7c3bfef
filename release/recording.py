"""Making one record: person, role and reason are checked, the statement is signed if it must be, and it is added."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from metadata.errors import UsageError
from release.approvers import RECORD, SIGNATURE, ApproversFile
from release.log import LogRecord, Meaning, append, head_of, now, read_log
from release.signature import is_signed, sign
from release.standing import BY_HAND

LONGEST = 2000
"""Letters of a reason."""


@dataclass(frozen=True)
class Decision:
    """What a person says: ``item`` is what is waived or the version that is released, ``key`` the person's own."""

    name: str
    role: str
    meaning: Meaning
    reason: str
    item: str = ""
    key: Path | None = None


def record(log: Path, study: str, subject: str, decision: Decision, approvers: ApproversFile) -> LogRecord:
    """Add a decision to a log and return its record; ``subject`` is the SHA-256 that it is about.

    Raises UsageError for a blank or unknown name, a role that the person has not, a blank reason, a key that is
    missing or not the person's, and a log that is not right; OutsideError.
    """
    person = approvers.acting(decision.name, decision.role)
    reason = " ".join(decision.reason.split())
    if not reason:
        raise UsageError("the reason is blank: say why in a sentence")
    if len(reason) > LONGEST or not reason.isprintable():
        raise UsageError(f"the reason is a text of at most {LONGEST:,} letters")
    records = read_log(log)
    strength = SIGNATURE if decision.key else RECORD
    if strength == RECORD and approvers.strength == SIGNATURE and decision.meaning in BY_HAND:
        raise UsageError("the study asks for signatures (approvers.yaml): give your private key with --key")
    made = LogRecord(
        len(records) + 1, head_of(records), study, subject, person.name, decision.role, decision.meaning,
        decision.item, reason, now(), strength,
    )  # fmt: skip
    made = made.sealed(sign(made.statement, decision.key) if decision.key else "")
    if decision.key and not is_signed(made, person.key):
        raise UsageError(f"--key {decision.key} is not the key that approvers.yaml has for {person.name}")
    append(log, made)
    return made
