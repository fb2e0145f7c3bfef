"""Unblinding on the command line: who opens the list of treatments is recorded beside the study's folder."""

from __future__ import annotations

from pathlib import Path

from metadata.study import Study


def show_unblinding(study: str, by: tuple[str, str, str], key: Path | None, closed: bool) -> int:
    """Record that a person opens the list, or closes it again, and say where; ``by`` are name, role and reason."""
    from flows.approving import print_record
    from release.log import log_of
    from release.recording import Decision
    from release.unblinding import unblind

    opened = Study.open(study)
    name, role, reason = by
    made = unblind(opened, Decision(name, role, "rejected" if closed else "unblinded", reason, "", key))
    print_record(made, log_of(opened.folder))
    return 0
