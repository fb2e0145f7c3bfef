"""The build of a study as a Prefect flow: the stages of ``flows.pipeline``, each a task.

Prefect sees names, times and counts. Values pass between the tasks in this process and are never persisted. Prefect
stores the error of a failed flow whatever its settings are, so every error that leaves a task or the flow is a
NeutralError: a sentence without values.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")

from prefect import flow, task
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE
from pydantic import Field

from flows import stage_summaries
from flows.error_messages import NeutralError, neutral
from flows.masking import knowing
from flows.pipeline import EXTRACT, build
from flows.place.connections import key_of
from flows.place.environment import build_folder, study_at
from flows.progress import PROGRESS_SHOWN, StagePrinter
from flows.redcap_access import api_url
from flows.run_artifacts import RunStory, story_markdown
from flows.run_request import API, RunRequest, RunResult
from flows.server_limit import server_turn
from metadata.study import Study

T = TypeVar("T")
EXPORTS = "exports"
TASKS = {"snapshot": 2, "queries": 4, "sdtm": 13, "adam": 15, "package": 23}  # about how many, for the progress


Source = Annotated[str, Field(json_schema_extra={"enum": ["api", EXPORTS]})]
Until = Literal["snapshot", "queries", "sdtm", "adam", "package"]


@flow(name="study-build", flow_run_name="{study} {until}", persist_result=False, log_prints=False)
def study_build(
    study: str,
    source: Source = "api",
    records: Literal["as-entered", "locked"] | None = None,
    cutoff: date | None = None,
    until: Until = "package",
    publish: bool = True,
    full_load: bool = False,
    group: str | None = None,
    summaries: bool = False,
    out: str | None = None,
    previous: str | None = None,
) -> dict[str, Any]:
    """Build a study as ``redcap-cdisc run`` does; returns counts and paths.

    Raises NeutralError, whose text holds no value of a patient, where the command would end with an exit code that is
    not 0: also where what was built is not accepted.

    Args:
        study: The study to build.
        source: api reads from the study's REDCap; exports takes the records that are exported in the study's folder.
        records: Which of the exported records, if there are several: as they were entered, or locked after cleaning.
            Leave it empty with source api.
        cutoff: Data cut-off instead of the study's own: dates the headers and bounds imputed dates.
        until: How far. queries lists what the sites are asked; package is everything.
        publish: Put the package in the place of the last one. Switched off, the build goes beside it, as a trial.
        full_load: Read all records from REDCap, not only those that changed since the last run.
        group: One data access group, to build a part of the study on purpose. Leave it empty for the whole study.
        summaries: Pages for those who may see no single patient; such a build has a folder of its own.
        out: Folder of the build; without it, a folder of that name among the builds.
        previous: queries.csv or folder of an earlier run; without it, a query listing follows the one that is there.
    """
    return neutral(_build, study, source, records, cutoff, until, publish, full_load, group, summaries, out, previous)


def _build(
    study: str,
    source: str,
    records: str | None,
    cutoff: date | None,
    until: str,
    publish: bool,
    full_load: bool,
    group: str | None,
    summaries: bool,
    out: str | None,
    previous: str | None,
) -> dict[str, Any]:
    opened = Study.open(study_at(study))
    folder = Path(out) if out else build_folder(opened.name, group, until, publish, summaries)
    earlier = Path(previous) if previous else folder if until == "queries" else None
    day = cutoff.isoformat() if cutoff else None
    choices = (records, day, folder, until, group, earlier, full_load, summaries)
    asked = (str(opened.folder), source_of(opened, source), *choices)
    story = RunStory(opened.name, until, folder, time.time(), stages=[])
    made: dict[str, Any] = {}
    failure: NeutralError | None = None
    with knowing(opened):
        try:
            made = neutral(_run_stages, asked, story.stages)
        except NeutralError as error:
            failure = error
    _leave_page(replace(story, reason=str(failure)) if failure else story)
    if failure:
        raise failure
    return made


def source_of(study: Study, source: str) -> str:
    """Return a source as a run takes it: ``exports`` is the folder of the study's exported project."""
    return str(study.folder / "redcap") if source == EXPORTS else source


def _run_stages(asked: tuple[Any, ...], stages: list[dict[str, str]]) -> dict[str, Any]:
    """Run the stages, each of which leaves a row in ``stages``; returns counts and paths."""
    request = RunRequest.of(*asked)
    steps = TaskSteps(request, stages)
    result = build(request, steps)
    steps.finish()
    _leave_tables(result, steps.rows)
    if result.exit_code:
        raise NeutralError(result.sentence(), result.exit_code)
    answers = {"unused_answers": len(result.unused_answers), "unknown_answers": len(result.unknown_answers)}
    return {**result.as_dict(), **answers, "seconds": steps.seconds}


def _leave_page(story: RunStory) -> None:
    create_markdown_artifact(story_markdown(story), f"{key_of(story.study)}-run", "What the run did, and where to look")


class TurnTaker(StagePrinter):
    """Runs each stage; for that which reads from REDCap it waits until the server has a slot."""

    def __init__(self, request: RunRequest) -> None:
        super().__init__(quiet=not PROGRESS_SHOWN.get())
        self._request = request

    def __call__(
        self, name: str, function: Callable[..., T], *values: Any, summary: Callable[[T], str] = stage_summaries.nothing
    ) -> T:
        """Run one stage."""
        with self._turn(name):
            return super().__call__(name, function, *values, summary=summary)

    def _turn(self, stage: str) -> AbstractContextManager[None]:
        """Return what lets so many flows at once read from one REDCap server."""
        if stage != EXTRACT or self._request.source != API:
            return nullcontext()
        return server_turn(api_url(self._request.study))


class TaskSteps(TurnTaker):
    """Runs each stage as a task, and keeps a progress artifact and one row a stage for a table."""

    def __init__(self, request: RunRequest, rows: list[dict[str, str]] | None = None) -> None:
        super().__init__(request)
        self.rows = [] if rows is None else rows
        self._of = TASKS[request.until]
        self._progress = create_progress_artifact(0.0, f"{key_of(request.study.name)}-progress", "Stages done, percent")

    def __call__(
        self, name: str, function: Callable[..., T], *values: Any, summary: Callable[[T], str] = stage_summaries.nothing
    ) -> T:
        """Run one stage as a task; raises what the stage raised, after Prefect has seen it without values."""
        try:
            result = super().__call__(name, _as_task(name, function), *values, summary=summary)
        except NeutralError as error:
            raise (error.original or error) from None
        self._show(100 * min(len(self.rows) / self._of, 0.99))
        return result

    def report(self, name: str, summary: str, seconds: float) -> None:
        """Keep a row for the table as well."""
        super().report(name, summary, seconds)
        self.rows.append({"stage": name, "seconds": f"{seconds:.2f}", "result": summary})

    def finish(self) -> None:
        """Show that all stages are done."""
        self._show(100.0)

    def _show(self, percent: float) -> None:
        if isinstance(self._progress, UUID):
            update_progress_artifact(self._progress, round(percent, 1))


def _as_task(name: str, function: Callable[..., T]) -> Callable[..., T]:
    """Return the stage as a task whose result stays in memory."""

    def stage(*values: Any) -> T:
        return neutral(function, *values)

    stage.__doc__ = function.__doc__
    return task(name=name, persist_result=False, cache_policy=NO_CACHE, log_prints=False)(stage)


def _leave_tables(result: RunResult, stages: list[dict[str, str]]) -> None:
    """Leave tables of counts: stages, queries and datasets."""
    key = key_of(result.study)
    create_table_artifact(stages, f"{key}-stages", "Stages, seconds and summaries")
    if result.queries:
        rows = [{"queries": name, "count": count} for name, count in result.queries.items()]
        create_table_artifact(rows, f"{key}-queries", f"Queries of snapshot {result.snapshot_id}")
    if result.datasets:
        datasets = [{"dataset": name, **counts} for name, counts in result.datasets.items()]
        create_table_artifact(datasets, f"{key}-datasets", f"Datasets of snapshot {result.snapshot_id}")
