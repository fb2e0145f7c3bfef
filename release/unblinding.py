"""Unblinding: the real list of treatments is read only after it was opened by those whom approvers.yaml names.

The records lie in the log beside the study's folder and name the list by its SHA-256, so that another list, or one that
grew, is opened anew.
"""

from __future__ import annotations

from pathlib import Path

from metadata.errors import StudyError, UsageError
from metadata.study import Study
from publish.disk import sha256
from release.approvers import FILE, ApproversFile, distinct_people, read_approvers
from release.log import LogRecord, log_of, read_log
from release.recording import Decision, record
from release.standing import wrong_record

DECISIONS = ("unblinded", "rejected")


def unblind(study: Study, decision: Decision) -> LogRecord:
    """Record that a person opens the list, or takes that back (``rejected``); raises UsageError, OutsideError."""
    approvers = read_approvers(study)
    if decision.role not in _roles(study, approvers):
        raise UsageError(
            f"the role '{decision.role}' does not unblind: {FILE} names {', '.join(approvers.unblinding or [])}"
        )
    return record(log_of(study.folder), study.studyid, sha256(real_list(study)), decision, approvers)


def unblinding_of(study: Study) -> LogRecord:
    """Return the record that opened the list last; raises StudyError if it is not open, with what is missing."""
    approvers = read_approvers(study)
    roles = _roles(study, approvers)
    subject, log = sha256(real_list(study)), log_of(study.folder)
    own = [one for one in read_log(log) if one.subject == subject and one.study == study.studyid]
    for one in own:
        if problem := wrong_record(one, approvers):
            raise UsageError(f"{log}, line {one.number}: {problem}")
    last = {(one.name, one.role): one for one in own if one.meaning in DECISIONS}.values()
    opened = [one for one in last if one.meaning == "unblinded"]
    taken_back = [one for one in last if one.meaning == "rejected"]
    if taken_back:
        raise StudyError(f"the list stays closed: {taken_back[-1].name} ({taken_back[-1].role}) said so in {log}")
    who = {role: {one.name for one in opened if one.role == role} for role in roles}
    if not distinct_people(roles, who):
        lacking = [role for role in roles if not who[role]] or roles
        raise StudyError(
            f"the study is blinded: the role '{lacking[0]}' has not opened this list (redcap-cdisc unblind); without"
            " --unblinded the dummy list is read"
        )
    return max(opened, key=lambda one: one.number)


def real_list(study: Study) -> Path:
    """Return the file of the real list; raises UsageError if the study is not blinded or the file is not there."""
    blinding = study.declared.blinding
    if blinding is None:
        raise UsageError(f"the study {study.name} is not blinded: its study.yaml has no 'blinding'")
    path = study.path((study.declared.sources or {})[blinding.list_].file)
    if not path.is_file():
        raise UsageError(f"the list of treatments, {path}, is not there")
    return path


def _roles(study: Study, approvers: ApproversFile) -> list[str]:
    if not approvers.unblinding:
        raise UsageError(f"{study.name}/{FILE} does not say who unblinds: name the roles under 'unblinding'")
    return approvers.unblinding
