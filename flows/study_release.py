"""A release as a Prefect flow: a build that waits, suspended, until those whom approvers.yaml names have approved it.

The run keeps nothing in memory or in Prefect's results: which package it built is a record of the approval log, the
answers are the run's inputs in Prefect's database, and each is recorded in the log once. So it may be killed at any
moment and goes on from there. Prefect's open server knows no accounts: with ``strength: record`` an answer says who
somebody claims to be, and the release says so.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")

from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.orchestration import get_client
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from prefect.runtime import flow_run
from pydantic import Field, create_model

from flows.approval_view import ApprovalView, view
from flows.error_messages import NeutralError, neutral
from flows.pipeline import build
from flows.place.environment import build_folder, page_link, releases_folder, study_at
from flows.release_answers import MEANINGS, take_answers
from flows.run_request import RunRequest
from flows.study_build import Source, TaskSteps, source_of
from metadata.errors import StudyError, UsageError
from metadata.study import Study
from publish import manifest
from publish.verification import read_manifest
from release.approvers import RECORD, Kind, read_approvers
from release.log import log_of, read_log
from release.recording import Decision
from release.releasing import RELEASE, VERSION, Candidate, Order, release

ASKED = "decision-"
MOST_ANSWERS = 200  # of one run
ROWS = 100
"""Most rows of an artifact; the package's pages have all."""


@flow(name="study-release", flow_run_name="{study}-{version}", persist_result=False, log_prints=False)
def study_release(
    study: str,
    version: str,
    builder: str,
    reason: str,
    kind: Literal["final", "interim"] = "final",
    source: Source = "api",
    records: str | None = None,
    cutoff: str | None = None,
    out: str | None = None,
    releases: str | None = None,
) -> dict[str, Any]:
    """Build a study, wait until its package is approved, and release it.

    Args:
        study: The study to release.
        version: The version of the release, such as 1.0; one that is taken is refused.
        builder: Full name of the person who starts this, as approvers.yaml has it. The builder alone cannot approve.
        reason: What the release is for.
        kind: Which roles of approvers.yaml must approve.
        source: api reads from the study's REDCap; exports takes the records that are exported in the study's folder.
        records: Which of the exported records, as-entered or locked. Leave it empty with source api.
        cutoff: Data cut-off, YYYY-MM-DD, instead of the study's.
        out: Folder of the package; without it, that of the study's builds.
        releases: The folder of all releases; without it, the usual one.

    Raises NeutralError, whose text holds no value of a patient.
    """
    request = neutral(_request, study, source, records, cutoff, out)
    released = Path(releases) if releases else releases_folder()
    candidate = neutral(_candidate, request, builder, reason, version, released / request.study.name)
    _wait_for_approval(candidate, released, kind)
    return neutral(_release, candidate, released, version, kind, reason)


def _request(study: str, source: str, records: str | None, cutoff: str | None, out: str | None) -> RunRequest:
    opened = Study.open(study_at(study))
    folder = Path(out) if out else build_folder(opened.name)
    return RunRequest.of(str(opened.folder), source_of(opened, source), records, cutoff, folder)


def _candidate(request: RunRequest, builder: str, reason: str, version: str, folder: Path) -> Candidate:
    """Return the package that this run built, after building it if it has not yet."""
    person = read_approvers(request.study).person(builder)
    if not VERSION.fullmatch(version):
        raise UsageError(f"'{version}' is no version: letters, digits, and . _ - between them, at most 40")
    if not reason.strip():
        raise UsageError("the reason is blank: say what the release is for")
    run = f"flow run {flow_run.get_id()}"
    subject = next(
        (one.subject for one in read_log(log_of(request.out)) if (one.meaning, one.item) == ("built", run)), ""
    )
    if subject:
        return Candidate.of(_folder_of(request.out, subject), request.study)
    if (folder / version).exists():
        raise UsageError(f"{folder / version} is there already: a version is released once; give the next one")
    steps = TaskSteps(request)
    result = build(request, steps)
    steps.finish()
    if result.unknown_answers:
        raise UsageError(f"answers.csv has ids that no query has: {', '.join(result.unknown_answers)}")
    candidate = Candidate.of(request.out.resolve(), request.study)
    role = "builder" if "builder" in person.roles else person.roles[0]
    candidate.record(Decision(person.name, role, "built", reason, run))
    return candidate


def _folder_of(out: Path, subject: str) -> Path:
    """Return the package of a manifest's hash among those beside ``out``; raises StudyError if it is gone."""
    for path in sorted(out.with_name(f"{out.name}.d").glob(f"[!.]*/{manifest.FILE}")):
        if manifest.seal(read_manifest(path.parent)) == subject:
            return path.parent
    raise StudyError("the package that this run built is gone; start a new run")


def _wait_for_approval(candidate: Candidate, releases: Path, kind: Kind) -> None:
    """Return once nothing is in the way; until then the run is suspended, which ends its process."""
    asked, answers = _answers()
    problem = neutral(take_answers, candidate, answers)
    seen = neutral(view, candidate, releases, kind)
    if seen.standing.rejected:
        _leave(seen)
        raise NeutralError("the package was rejected; the approval log beside it says by whom and why", 1)
    if not seen.standing.obstacles:
        return
    _leave(seen)
    if problem:
        get_run_logger().warning("The last answer was not taken; the form says why.")
    if candidate.approvers.strength == RECORD:
        suspend_flow_run(wait_for_input=_form(seen, problem), key=f"{ASKED}{asked + 1}", timeout=None)
    else:  # a key that was used once suspends nothing
        suspend_flow_run(key=f"signing-{uuid4()}", timeout=None)


def _answers() -> tuple[int, list[dict[str, Any]]]:
    """Return the number of the last form that was shown, and the answers so far, in order."""
    with get_client(sync_client=True) as client:
        body = {"prefix": f"suspended-{ASKED}", "limit": 3 * MOST_ANSWERS, "exclude_keys": []}
        found = client.request("POST", "/flow_runs/{id}/input/filter", path_params={"id": flow_run.get_id()}, json=body)
    given: dict[int, dict[str, Any]] = {}
    shown = 0
    for one in found.json():
        number, _, part = str(one["key"]).removeprefix(f"suspended-{ASKED}").partition("-")
        shown = max(shown, int(number))
        if part == "response":
            given[int(number)] = _as_answer(one["value"])
    return shown, [given[number] for number in sorted(given)]


def _as_answer(value: str) -> dict[str, Any]:
    content = json.loads(value)
    return content if isinstance(content, dict) else {}


def _form(seen: ApprovalView, problem: str) -> type[RunInput]:
    """Return the form: nothing is filled in beforehand, roles and meanings are choices."""
    roles, meanings = tuple(seen.candidate.approvers.roles), MEANINGS
    hint = "Blank, or with the meaning waived the one query, finding or expectation, such as query:e98a38564f47"
    fields: dict[str, Any] = {
        "name": (str, Field(min_length=1, title="Your full name, as approvers.yaml has it")),
        "role": (Literal[roles], Field(title="The role in which you decide")),
        "meaning": (Literal[meanings], Field(title="What you say of the package")),
        "reason": (str, Field(min_length=1, title="Why, in a sentence")),
        "item": (str, Field("", title="What is waived", description=hint)),
    }
    form: type[RunInput] = create_model("Approval", __base__=RunInput, **fields)
    lines = [f"**The last answer was not taken: {problem}.**"] if problem else []
    lines += [f"- {sentence}" for sentence in seen.standing.obstacles]
    lines += [f"Look at: {', '.join(_links(seen))}."]
    lines += ["The artifacts of this run show the differences from the last release and what is open."]
    lines += ["Prefect's open server knows no accounts: what you fill in is recorded, not proved."]
    return form.with_initial_data(description="\n\n".join(lines))


def _leave(seen: ApprovalView) -> None:
    """Leave what is to be looked at: differences, open points, waivers, and where the pages are, without values."""
    key = "".join(letter if letter.isalnum() else "-" for letter in seen.candidate.study.name.lower())
    found, differences = seen.standing, seen.differences
    opened = [{"open": one.id, "severity": one.severity, "what": one.sentence} for one in found.opened[:ROWS]]
    create_table_artifact(opened, f"{key}-release-open", f"{len(found.opened)} open queries and findings")
    before = f"Differences from release {differences.version}" if differences else "Nothing was released before"
    changed = list(differences.datasets) if differences else []
    create_table_artifact(changed, f"{key}-release-differences", before)
    folder = seen.candidate.package.resolve()
    lines = [f"Package `{folder}`, manifest `{seen.candidate.subject}`", ""]
    lines += [f"- {link}" for link in _links(seen)]
    lines += [f"- {one.name} ({one.role}) approved, {one.time}" for one in found.approvals]
    lines += [f"- {point.id} waived by {waiver.name}" for point, waiver in found.waived[:ROWS]]
    lines += [f"- in the way: {sentence}" for sentence in found.obstacles]
    if seen.candidate.approvers.strength != RECORD:
        lines += ["", f"Sign with `{COMMAND.format(folder)}`, then resume this run."]
    create_markdown_artifact("\n".join(lines), f"{key}-release", "What is to be approved")


def _links(seen: ApprovalView) -> list[str]:
    """Return links to the pages of the package: where they are served, else as files."""
    folder = seen.candidate.package.resolve()
    there = [(title, folder / page) for title, page in PAGES if (folder / page).is_file()]
    return [f"[{title}]({page_link(page) or page.as_uri()})" for title, page in there]


PAGES = (
    ("First page", "index.html"),
    ("Queries", "validation/queries.html"),
    ("Conformance", "validation/conformance.html"),
    ("Acceptance", "validation/acceptance.html"),
    ("Tables, figures and listings", "reports/index.html"),
)
COMMAND = (
    'redcap-cdisc approve {} --study STUDY --name "FULL NAME" --role ROLE --meaning approved --reason "WHY" --key KEY'
)


def _release(candidate: Candidate, releases: Path, version: str, kind: Kind, reason: str) -> dict[str, Any]:
    """Release the package, unless this run did so before it was killed."""
    folder = releases / candidate.study.name / version
    done = folder / RELEASE
    if not done.is_file() or read_manifest(folder / "package")[manifest.SEAL] != candidate.subject:
        last = candidate.standing(kind).approvals[-1]
        folder = release(candidate, releases, Order(version, kind, last.name, last.role, reason))
    return {"release": str(folder), "manifest": candidate.subject, "strength": candidate.approvers.strength}
