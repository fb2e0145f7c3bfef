"""Answers to the form that asks for approval: each is recorded once, however often the waiting run starts anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from metadata.errors import UsageError
from release.log import LogRecord, read_log
from release.recording import Decision

if TYPE_CHECKING:
    from release.releasing import Candidate

MEANINGS = ("reviewed", "approved", "rejected", "waived")
FIELDS = ("name", "role", "meaning", "reason", "item")


def take_answers(candidate: Candidate, answers: Sequence[Mapping[str, Any]]) -> str:
    """Record those of the answers, all in their order, that the log does not have yet.

    Returns what is wrong with the last one, which is then not recorded and asked again; blank if it was taken. An
    earlier one that was wrong has been asked again.
    """
    problem = ""
    left = [one for one in read_log(candidate.log) if one.subject == candidate.subject and one.meaning in MEANINGS]
    for answer in answers:
        said = {name: str(answer.get(name) or "") for name in FIELDS}
        known = next((place for place, one in enumerate(left) if _is_record_of(said, one)), None)
        if known is not None:
            del left[: known + 1]
            problem = ""
        else:
            problem = _recorded(candidate, said)
    return problem


def _is_record_of(said: Mapping[str, str], record: LogRecord) -> bool:
    written = {**said, "reason": " ".join(said["reason"].split())}
    return all(getattr(record, name) == text for name, text in written.items())


def _recorded(candidate: Candidate, said: Mapping[str, str]) -> str:
    try:
        if said["meaning"] not in MEANINGS:
            raise UsageError(f"'{said['meaning']}' is none of {', '.join(MEANINGS)}")
        if (said["meaning"] == "waived") != bool(said["item"]):
            raise UsageError("the item is what is waived: fill it in with the meaning waived, and with no other")
        candidate.record(Decision(**said))  # type: ignore[arg-type]  # the meaning was looked up
    except UsageError as error:
        return str(error)
    return ""
