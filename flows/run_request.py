"""What a user asks for, checked once, and the result of the run."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metadata.errors import UsageError
from metadata.study import Study

if TYPE_CHECKING:
    import pandas as pd

API = "api"
BUILD = Path("build")
NOT_ACCEPTED = 4
"""Exit code of a run whose datasets were made, and written, and something speaks against them."""
STAGES = ("snapshot", "queries", "sdtm", "adam", "package")
FIRST_OF_DATASETS = "sdtm"


@dataclass(frozen=True)
class RunRequest:
    """One run: of which study, from where, how far and to which folder.

    ``source`` is ``api``, a snapshot's folder, or exports (a folder or a records CSV); of a study that begins with
    datasets it is their folder. ``records`` names the state of a folder's records.
    ``snapshots`` is the folder of all studies' snapshots. ``group`` is the data access group of which alone a part of
    the study is built, blank for the whole study. ``previous`` is the query listing of an earlier run. ``full_load``
    reads all records, not only those that changed. ``in_one_process`` is for a build beside others.
    """

    study: Study
    source: str
    records: str
    out: Path
    until: str
    snapshots: Path
    options: dict[str, str] = field(default_factory=dict)
    group: str = ""
    previous: pd.DataFrame | None = field(default=None, repr=False, compare=False)
    full_load: bool = False
    in_one_process: bool = False

    @classmethod
    def of(
        cls,
        study: str,
        source: str = API,
        records: str | None = None,
        cutoff: str | None = None,
        out: Path | None = None,
        until: str = "package",
        group: str | None = None,
        previous: Path | None = None,
        full_load: bool = False,
        summaries: bool = False,
        unblinded: bool = False,
    ) -> RunRequest:
        """Read what was typed.

        Raises UsageError that names what would be right, StudyError for a faulty study.yaml or previous listing.
        """
        opened = Study.open(study)
        if opened.received is not None:
            refused = {"--records": records, "--group": group, "--previous": previous, "--full-load": full_load,
                       "--unblinded": unblinded}  # fmt: skip
            source = _received(opened, source, until, [name for name, given in refused.items() if given])
        if source == API and records:
            raise UsageError("--records chooses among a folder's record files; with --source api there is no choice")
        if source != API and not Path(source).exists():
            known = "'api', a snapshot, a folder of exports or a project's XML"
            raise UsageError(f"--source {source}: it does not exist; give {known}")
        if until not in STAGES:
            raise UsageError(f"--until is one of {', '.join(STAGES)}, not '{until}'")
        options = {}
        if cutoff:
            options["cutoff"] = _checked_date(cutoff)
            opened.declared = replace(opened.declared, cutoff=cutoff)
        if group:
            options["group"] = group
        if summaries:
            options["study_page"] = "summaries"
            opened.declared = replace(opened.declared, study_page="summaries")
        if unblinded:
            options["unblinded"] = _unblinded(opened)
        parts = [group, "unblinded" if unblinded else "", until if until != "package" else ""]
        folder = out or BUILD / "-".join([opened.name, *filter(None, parts)])
        _refuse_package(folder, until)
        earlier = _previous(opened, previous, folder, options)
        snapshots = (out.absolute().parent if out else BUILD.absolute()) / "snapshots"
        state = records or "locked"
        return cls(opened, source, state, folder, until, snapshots, options, group or "", earlier, full_load)

    def reaches(self, stage: str) -> bool:
        """Return True if the run goes as far as ``stage``."""
        return STAGES.index(self.until) >= STAGES.index(stage)


def _received(study: Study, source: str, until: str, given: list[str]) -> str:
    """Return the folder of the datasets with which a study begins; raises UsageError for what is about records."""
    begins = f"{study.name} begins with datasets (input: in study.yaml)"
    if given:
        raise UsageError(f"{given[0]} is about REDCap's records, and {begins}")
    if until in STAGES[: STAGES.index(FIRST_OF_DATASETS)]:
        possible = ", ".join(STAGES[STAGES.index(FIRST_OF_DATASETS) :])
        raise UsageError(f"--until {until}: {begins}; give one of {possible}")
    folder = study.received if source == API else Path(source)
    if folder is None or not folder.is_dir():
        raise UsageError(f"there is no folder {folder}: give that of the study's SDTM with --source")
    return str(folder)


def _unblinded(study: Study) -> str:
    """Let the study read the real list of treatments, and return the hash of the record that allows it."""
    from release.unblinding import unblinding_of

    record = unblinding_of(study)
    study.unblinded = True
    return record.hash


def _previous(study: Study, given: Path | None, out: Path, options: dict[str, str]) -> pd.DataFrame | None:
    """Read the previous listing, whose hash becomes an option; the folder of the run itself may have none yet."""
    if given is None or (given.absolute() == out.absolute() and not given.exists()):
        return None
    from validation.queries.history import previous_path, read_previous

    path = previous_path(given)
    options["previous_queries"] = hashlib.sha256(path.read_bytes()).hexdigest()
    return read_previous(study, path)


def _checked_date(text: str) -> str:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise UsageError(f"--cutoff {text}: write the date as YYYY-MM-DD")
    try:
        date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--cutoff {text}: this day does not exist") from None
    return text


def _refuse_package(folder: Path, until: str) -> None:
    """A part of a run never goes into a finished package."""
    if until != "package" and (folder / "manifest.json").exists():
        raise UsageError(f"--out {folder} is a finished package; give another folder for a run --until {until}")


@dataclass
class RunResult:
    """What a run made: a path, and counts without any patient's value."""

    study: str
    until: str
    snapshot: Path
    snapshot_id: str
    snapshot_date: str
    out: Path | None = None
    queries: dict[str, int] = field(default_factory=dict)
    unused_answers: list[str] = field(default_factory=list)
    unknown_answers: list[str] = field(default_factory=list)
    datasets: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: int = 0
    acceptance: dict[str, int] = field(default_factory=dict)
    conformance: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the result as plain values, paths as text."""
        paths = {"snapshot": str(self.snapshot), "out": str(self.out) if self.out else None}
        return {**asdict(self), **paths, "accepted": self.accepted}

    @property
    def accepted(self) -> bool | None:
        """Whether nothing speaks against the datasets; None without datasets to judge."""
        if not self.conformance:
            return None
        return not self._objections()

    @property
    def exit_code(self) -> int:
        """The exit code of a run that came to its end."""
        return NOT_ACCEPTED if self.accepted is False else 0

    def _objections(self) -> list[str]:
        """Return what speaks against the datasets: expectations, conformance errors, answers to nothing."""
        judged = self.acceptance.get("expectations", 0) - self.acceptance.get("not_judged", 0)
        missed = judged - self.acceptance.get("met", 0)
        errors = self.conformance.get("errors", 0)
        found = []
        if missed:
            found.append(f"{missed} of {judged} expectations not met (acceptance.html)")
        if errors:
            found.append(f"{errors} conformance error{'s' * (errors != 1)} not explained (conformance.html)")
        if self.unknown_answers:
            found.append(f"answers.csv has ids that no query has: {', '.join(self.unknown_answers)}")
        return found

    def sentence(self) -> str:
        """Say where it is, what speaks against it, and which answers are to queries that no longer exist."""
        made = relative(self.out) if self.out else relative(self.snapshot)
        against = "; ".join(self._objections())
        verdict = f"; NOT ACCEPTED: {against}" if against else ""
        unused = f"; answers to queries that no longer exist: {', '.join(self.unused_answers)}"
        unused = unused if self.unused_answers else ""
        return f"{'package' if self.until == 'package' else self.until} of {self.study}: {made}{verdict}{unused}"


def relative(path: Path) -> str:
    """Return a path as a user would type it: below the working folder without its beginning."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100  a link stays a link: resolve() would follow it
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(absolute)
