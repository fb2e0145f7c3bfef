"""The build of a study as a Prefect flow: the stages of ``flows.pipeline``, each a task.

Prefect sees names, times and counts. Values pass between the tasks in this process and are never persisted. Prefect
stores the error of a failed flow whatever its settings are, so every error that leaves a task or the flow is a
NeutralError: a sentence without values.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")

from prefect import flow, task
from prefect.artifacts import create_progress_artifact, create_table_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE

from flows import stage_summaries
from flows.error_messages import NeutralError, neutral
from flows.pipeline import EXTRACT, build
from flows.progress import PROGRESS_SHOWN, StagePrinter
from flows.redcap_access import api_url
from flows.run_request import API, RunRequest, RunResult
from flows.server_limit import server_turn

T = TypeVar("T")
TASKS = {"snapshot": 2, "queries": 4, "sdtm": 13, "adam": 15, "package": 23}  # about how many, for the progress


@flow(name="study-build", flow_run_name="{study}", persist_result=False, log_prints=False, validate_parameters=True)
def study_build(
    study: str,
    source: str = "api",
    records: str | None = None,
    cutoff: str | None = None,
    out: str | None = None,
    until: str = "package",
    group: str | None = None,
    previous: str | None = None,
    full_load: bool = False,
) -> dict[str, Any]:
    """Build a study as ``redcap-cdisc run`` does, with the same parameters; returns counts and paths.

    Raises NeutralError, whose text holds no value of a patient, where the command would end with an exit code that is
    not 0: also where what was built is not accepted.
    """
    folder, earlier = (Path(one) if one else None for one in (out, previous))
    return neutral(_build, study, source, records, cutoff, folder, until, group, earlier, full_load)


def _build(*asked: Any) -> dict[str, Any]:
    request = RunRequest.of(*asked)
    steps = TaskSteps(request)
    result = build(request, steps)
    steps.finish()
    _leave_tables(result, steps.rows)
    if result.exit_code:
        raise NeutralError(result.sentence(), result.exit_code)
    answers = {"unused_answers": len(result.unused_answers), "unknown_answers": len(result.unknown_answers)}
    return {**result.as_dict(), **answers, "seconds": steps.seconds}


class TaskSteps(StagePrinter):
    """Runs each stage as a task, and keeps a progress artifact and one row a stage for a table."""

    def __init__(self, request: RunRequest) -> None:
        super().__init__(quiet=not PROGRESS_SHOWN.get())
        self.rows: list[dict[str, str]] = []
        self._request, self._of = request, TASKS[request.until]
        self._progress = create_progress_artifact(0.0, f"{_key(request.study.name)}-progress", "Stages done, percent")

    def __call__(
        self, name: str, function: Callable[..., T], *values: Any, summary: Callable[[T], str] = stage_summaries.nothing
    ) -> T:
        """Run one stage as a task; raises what the stage raised, after Prefect has seen it without values."""
        try:
            with self._turn(name):
                result = super().__call__(name, _as_task(name, function), *values, summary=summary)
        except NeutralError as error:
            raise (error.original or error) from None
        self._show(100 * min(len(self.rows) / self._of, 0.99))
        return result

    def _turn(self, stage: str) -> AbstractContextManager[None]:
        """Return what lets so many flows at once read from one REDCap server."""
        if stage != EXTRACT or self._request.source != API:
            return nullcontext()
        return server_turn(api_url(self._request.study))

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
    key = _key(result.study)
    create_table_artifact(stages, f"{key}-stages", "Stages, seconds and summaries")
    if result.queries:
        rows = [{"queries": name, "count": count} for name, count in result.queries.items()]
        create_table_artifact(rows, f"{key}-queries", f"Queries of snapshot {result.snapshot_id}")
    if result.datasets:
        datasets = [{"dataset": name, **counts} for name, counts in result.datasets.items()]
        create_table_artifact(datasets, f"{key}-datasets", f"Datasets of snapshot {result.snapshot_id}")


def _key(study: str) -> str:
    """Return a study's name as an artifact's key: lower-case letters, digits and dashes."""
    return "".join(letter if letter.isalnum() else "-" for letter in study.lower())
