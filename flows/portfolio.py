"""Many studies in one run: each build a task on Dask workers, so many at once, of this machine or of a cluster.

A build that runs here starts no process of its own, so that a machine has as many as it has workers. It makes the same
bytes as ``redcap-cdisc run``. It needs the extra ``redcap-cdisc[dask]``.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from typing import Any

os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from flows.error_messages import NeutralError, neutral
from flows.masking import knowing
from flows.pipeline import build
from flows.place.environment import build_folder, study_at
from flows.run_request import RunRequest
from flows.study_build import Source, TurnTaker, Until, source_of
from flows.worker import cores
from metadata.errors import UsageError
from metadata.study import Study

WITHOUT_DASK = "a portfolio runs on Dask, which is not installed: pip install 'redcap-cdisc[dask]'"


@dataclass(frozen=True)
class Outcome:
    """What became of one study: the exit code that the command would have, and its last sentence, without values."""

    study: str
    exit_code: int
    sentence: str


@flow(name="portfolio", flow_run_name="portfolio", persist_result=False, log_prints=False)
def portfolio(
    studies: list[str],
    source: Source = "api",
    until: Until = "package",
    at_once: int = 0,
    scheduler: str = "",
) -> list[dict[str, Any]]:
    """Build many studies; returns for each its name, exit code and last sentence.

    A study that fails stops no other. Raises NeutralError at the end if one failed or is not accepted, naming it.

    Args:
        studies: The studies to build, each once.
        source: As of a build of one study.
        until: How far, as of a build of one study.
        at_once: How many at once on this machine; 0 is one for each of its cores.
        scheduler: Address of a Dask scheduler whose workers see the same folders; without it, workers of this machine.
    """
    return neutral(_portfolio, studies, source, until, at_once, scheduler)


def _portfolio(studies: list[str], source: str, until: str, at_once: int, scheduler: str) -> list[dict[str, Any]]:
    names = [Study.open(study_at(name)).name for name in studies]
    twice = next((name for name in names if names.count(name) > 1), "")
    if twice or not studies:
        raise UsageError(f"the study '{twice}' is named twice" if twice else "no study is named")
    runner = _runner(at_once or cores(), scheduler)
    outcomes: list[Outcome] = _side_by_side.with_options(task_runner=runner)(studies, source, until)
    rows = [{"study": one.study, "exit code": one.exit_code, "result": one.sentence} for one in outcomes]
    create_table_artifact(rows, "portfolio", "Each study and what became of it")
    failed = [one for one in outcomes if one.exit_code]
    if failed:
        said = "; ".join(f"{one.study}: {one.sentence}" for one in failed)
        raise NeutralError(f"{len(failed)} of {len(outcomes)} studies: {said}", max(one.exit_code for one in failed))
    return [asdict(one) for one in outcomes]


def _runner(at_once: int, scheduler: str) -> Any:
    """Return the task runner; raises UsageError where Dask is not installed."""
    try:
        from prefect_dask import DaskTaskRunner
    except ImportError:
        raise UsageError(WITHOUT_DASK) from None
    if scheduler:
        return DaskTaskRunner(address=scheduler)
    workers = {"n_workers": at_once, "threads_per_worker": 1, "processes": True, "memory_limit": 0}
    return DaskTaskRunner(cluster_kwargs={**workers, "host": "127.0.0.1", "dashboard_address": None})


@flow(name="portfolio-builds", persist_result=False, log_prints=False)
def _side_by_side(studies: list[str], source: str, until: str) -> list[Outcome]:
    futures = [build_one.with_options(task_run_name=name).submit(name, source, until) for name in studies]
    return [future.result() for future in futures]


@task(name="build a study", persist_result=False, cache_policy=NO_CACHE, log_prints=False)
def build_one(study: str, source: str, until: str) -> Outcome:
    """Build one study in this process; an error becomes the outcome's sentence, without values."""
    opened = Study.open(study_at(study))
    try:
        with knowing(opened):
            return neutral(_build_one, opened, source, until)
    except NeutralError as error:
        return Outcome(opened.name, error.exit_code, str(error))


def _build_one(opened: Study, source: str, until: str) -> Outcome:
    folder = build_folder(opened.name, None, until)
    request = RunRequest.of(str(opened.folder), source_of(opened, source), out=folder, until=until)
    request = replace(request, in_one_process=True)
    result = build(request, TurnTaker(request))
    return Outcome(opened.name, result.exit_code, result.sentence())
