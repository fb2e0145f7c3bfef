"""The whole way of the data as plain functions: from REDCap, exports or a snapshot to the package, with no Prefect.

``build`` calls each stage through a ``StageRunner``. The command line's calls the function and prints a line; Prefect's
runs the same function as a task. So the stages have one sequence, and it is written here. A stage that a worker
runs meanwhile is a step that waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pandas as pd

from flows import quality_gates, receiving, stage_summaries, stages, study_page
from flows.built_datasets import BuiltDatasets, Datasets
from flows.error_messages import NOT_PUBLISHED
from flows.memory import collecting_seldom, give_back
from flows.run_request import RunRequest, RunResult, relative
from flows.worker import Shared, Workers, cores
from metadata.dataset import Dataset
from metadata.errors import StudyError
from metadata.study import Study
from metadata.terminology import Terminology

if TYPE_CHECKING:
    from extract.snapshot import Snapshot, StoredSnapshot
    from metadata.records import Records
    from publish.manifest import Inputs
    from publish.package import PackageLayout
    from publish.received_sdtm import ReceivedSdtm
    from publish.study_page.forms import KeptForms
    from sdtm.build.study_mapping import StudyMapping
    from validation.queries.history import Queries

EXTRACT = "extract"  # the stage that reads from REDCap
T = TypeVar("T")
FEW_ROWS = 10_000  # of records: with fewer only the acceptance, for its library, is worth a process
MOST_WORKERS = 3  # each has a copy of the datasets


class StageRunner(Protocol):
    """Runs one stage: calls ``function`` with ``values`` and reports the ``summary`` of what it returned."""

    def __call__(
        self, name: str, function: Callable[..., T], *values: Any, summary: Callable[[T], str] = stage_summaries.nothing
    ) -> T:
        """Return what the function returned."""
        ...


def build(request: RunRequest, step: StageRunner) -> RunResult:
    """Run the stages as far as the request asks; raises RedcapCdiscError, after a StudyError the findings are kept."""
    with collecting_seldom():
        return _build(request, _giving_back(step))


def _giving_back(step: StageRunner) -> StageRunner:
    """Return what runs a stage and then gives freed memory back, so that the next one does not begin on top of it."""

    def run(
        name: str, function: Callable[..., T], *values: Any, summary: Callable[[T], str] = stage_summaries.nothing
    ) -> T:
        result = step(name, function, *values, summary=summary)
        give_back()
        return result

    return run


def _build(request: RunRequest, step: StageRunner) -> RunResult:
    if request.study.received is not None:
        return _build_received(request, step)
    folder = step(EXTRACT, stages.receive, request, summary=stage_summaries.of_folder)
    stored = step("open snapshot", stages.open_snapshot, request, folder, summary=stage_summaries.of_snapshot)
    result = RunResult(request.study.name, request.until, folder, stored.snapshot.id, stored.snapshot.date)
    fill, rows = partial(_fill, stored=stored), len(stored.snapshot.records)
    if request.until == "package":
        _build_package(request, fill, rows, step, result)
    elif request.until != "snapshot":
        _build_part(request, fill, step, result)
    return result


def _build_received(request: RunRequest, step: StageRunner) -> RunResult:
    """Run the stages of a study that begins with datasets: there are no records, no queries and no CRF."""
    received = step("read SDTM", receiving.receive, request, summary=stage_summaries.of_received)
    result = RunResult(request.study.name, request.until, received.folder, received.id, request.study.cutoff)
    fill = partial(_fill_received, received=received)
    if request.until == "package":
        _build_package(request, fill, received.rows, step, result)
    else:
        _build_part(request, fill, step, result)
    return result


def _build_package(
    request: RunRequest, fill: Callable[[Run], None], rows: int, step: StageRunner, result: RunResult
) -> None:
    """Fill a new package, made from so many rows, next to the old one and put it in its place."""
    from publish.manifest import Inputs, package_id
    from publish.package import Build

    study = request.study
    inputs = Inputs(study, result.snapshot_id, result.snapshot_date, request.options)
    target = Build(request.out, package_id(inputs), study.studyid)
    try:
        few = rows <= FEW_ROWS
        spare = 0 if request.in_one_process else min(cores() - 1, 1 if few else MOST_WORKERS)
        with target, Workers(spare, stages.load_acceptance) as workers:
            others = Workers(0) if few else workers
            fill(Run(request, step, target.layout, result, workers, others))
            step("publish", stages.publish, target, inputs, summary=stage_summaries.of_folder)
    except StudyError as error:
        sentence = f"{error.message}{NOT_PUBLISHED}{relative(target.stopped)}"
        raise StudyError(sentence, error.file, error.line, error.key) from None
    result.out = request.out


def _build_part(request: RunRequest, fill: Callable[[Run], None], step: StageRunner, result: RunResult) -> None:
    """Run as far as the queries or datasets and leave their files in an ordinary folder."""
    from publish.package import PackageLayout
    from publish.part import mark_files

    layout, here = PackageLayout(request.out, request.study.studyid), Workers(0)
    fill(Run(request, step, layout, result, here, here))
    mark_files(request.out, request.study.part)
    result.out = request.out


@dataclass(frozen=True)
class Run:
    """What the stages of one run share: the files go where ``layout`` says, the counts into ``result``.

    ``acceptance_workers`` run the acceptance, ``workers`` the other stages whose results no stage needs.
    """

    request: RunRequest
    step: StageRunner
    layout: PackageLayout
    result: RunResult
    acceptance_workers: Workers
    workers: Workers

    @property
    def study(self) -> Study:
        """The study of the request."""
        return self.request.study

    @property
    def date(self) -> str:
        """The date of the data, YYYY-MM-DD."""
        return self.result.snapshot_date

    @property
    def inputs(self) -> Inputs:
        """What the run makes its package from."""
        from publish.manifest import Inputs

        return Inputs(self.study, self.result.snapshot_id, self.date, self.request.options)

    @property
    def validation(self) -> Path:
        """The folder of the findings."""
        return self.request.out if self.request.until == "queries" else self.layout.validation


@dataclass(frozen=True)
class Beginning:
    """What the datasets were made from, as far as files and pages are about it.

    Datasets that were received have no ``mapping`` and no ``records``, and ``forms`` without entries. ``count`` is the
    number of records in the snapshot, or of subjects received.
    """

    terminology: Terminology
    count: int
    mapping: StudyMapping | None = None
    records: Records | None = None
    forms: KeptForms | None = None


def _fill_received(run: Run, received: ReceivedSdtm) -> None:
    """Check the datasets received, analyse them, and make as many files as the request asks for."""
    checked = run.study, received, run.validation
    run.step("check SDTM", receiving.check, *checked, summary=stage_summaries.of_checks)
    built = _make_datasets(run, received.datasets, is_received=True)
    copied = run.layout, received, built
    run.step("copy SDTM", receiving.copy, *copied, summary=stage_summaries.of_paths)
    subjects = len(received.datasets["DM"].frame)
    forms = study_page.no_forms(run.study, run.layout) if run.request.until == "package" else None
    _make_files(run, built, Beginning(Terminology.open(run.study), subjects, forms=forms))


def _fill(run: Run, stored: StoredSnapshot) -> None:
    """Check the records, then make as many datasets and outputs of them as the request asks for.

    The mapping is read first, so that a mistake in it is reported at once. It is not read for a project that is no
    longer the one that was mapped: such a run stops when its queries are written.
    """
    from extract.drift import stops_build

    request, step, snapshot = run.request, run.step, stored.snapshot
    arguments = run.study, snapshot, run.validation
    drift = step("check drift", quality_gates.find_drift, *arguments, summary=stage_summaries.of_drift)
    mapping = None
    if request.reaches("sdtm") and not stops_build(drift):
        mapping = step("read mapping", stages.read_mapping, run.study, snapshot)
        snapshot = stages.with_mapped_identifiers(stored, mapping)
    asked = request, stored, run.validation
    queries = step("find queries", stages.find_queries, *asked, summary=stage_summaries.of_queries)
    run.result.queries = stage_summaries.count_queries(queries.listed)
    quality_gates.stop_at_drift(drift)
    if mapping is not None:
        sdtm = _tabulate(run, mapping, snapshot, queries)
        forms, count = None, snapshot.records.record.nunique()
        if request.until == "package":
            kept = run.study, snapshot, sdtm, run.layout
            forms = step("keep forms", study_page.keep_forms, *kept, summary=stage_summaries.of_forms)
        for records in (stored, snapshot.records):
            records.forget_values()
        beginning = Beginning(mapping.terminology, count, mapping, snapshot.records, forms)
        _make_files(run, _make_datasets(run, sdtm), beginning)


def _tabulate(run: Run, mapping: StudyMapping, snapshot: Snapshot, queries: Queries) -> Datasets:
    """Tabulate, and compare the result with the records and the declarations."""
    from validation.queries.listing import unused_answers

    study, records, step = run.study, snapshot.records, run.step
    tabulation = step("tabulate", stages.tabulate, mapping, records, summary=stage_summaries.of_tabulation)
    quality_gates.stop_without_subjects(tabulation, records, run.validation)
    queries = stages.ask_about_withheld(run.request, snapshot, tabulation, queries, run.validation)
    run.result.queries = stage_summaries.count_queries(queries.listed)
    run.result.unused_answers, run.result.unknown_answers = unused_answers(study, queries.listed)
    step(
        "check SDTM",
        quality_gates.check_sdtm,
        study,
        tabulation,
        records,
        run.validation,
        summary=stage_summaries.of_checks,
    )
    if run.request.until == "package":
        quality_gates.stop_release(tabulation)
    return tabulation.datasets


def _make_datasets(run: Run, sdtm: Datasets, is_received: bool = False) -> BuiltDatasets:
    """Analyse, compare the result with the declarations, and set the lengths of the datasets that are written."""
    study, step = run.study, run.step
    adam: dict[str, Dataset] = {}
    if run.request.reaches("adam"):
        adam = step("analyse", stages.analyse, study, sdtm, summary=stage_summaries.of_datasets)
        step("check ADaM", quality_gates.check_adam, study, adam, run.validation, summary=stage_summaries.of_checks)
    built: BuiltDatasets = step("resolve lengths", stages.resolve_lengths, sdtm, adam, run.study, is_received)
    run.result.datasets = stage_summaries.count_datasets(built.standards)
    return built


def _make_files(run: Run, built: BuiltDatasets, beginning: Beginning) -> None:
    """Write the datasets, what describes them and what judges them; of a package also the pages, with the forms."""
    study, layout, created, step, workers = run.study, run.layout, run.date, run.step, run.workers
    terminology, forms = beginning.terminology, beginning.forms
    shared = run.acceptance_workers.share(built)
    accepted = None
    if run.request.until == "package":
        judged_by = study, shared, created, run.validation, beginning.count
        accepted = run.acceptance_workers.start(stages.accept, *judged_by)
    conformance = workers.offer(stages.judge_conformance, study, shared, terminology, run.validation, created)
    step("write transport files", stages.write_transport, layout, built, created, summary=stage_summaries.of_paths)
    define = _define_tabulations(run, built, shared, beginning.mapping)
    browsed = workers.offer(study_page.write_records, layout, study, shared, forms) if forms else None
    verified = workers.offer(stages.read_back, layout, shared, created, run.validation)
    results = None
    if accepted:
        results = _report(run, built, shared, beginning)
    elif built.adam:
        _define_analysis(run, built, terminology)()
    step("read back", verified, summary=stage_summaries.of_paths)
    if define:
        step("write define.xml", define, summary=stage_summaries.of_paths)
    if accepted:
        written = [workers.offer(stages.write_dataset_json, layout, name, shared, created) for name, _ in built.written]
        step("write Dataset-JSON", stages.finish_all, written, summary=stage_summaries.of_paths)
    conforming = step("check conformance", conformance, summary=stage_summaries.of_conformance)
    run.result.conformance = stage_summaries.count_conformance(conforming)
    if accepted:
        judged = step("accept", accepted, summary=stage_summaries.of_acceptance)
        run.result.acceptance = stage_summaries.count_acceptance(judged)
        arguments = run.inputs, layout, terminology, beginning.mapping, built, run.validation
        step("write reviewer's guides", stages.write_guides, *arguments, summary=stage_summaries.of_paths)
        step("write programs", stages.write_programs, layout, study, built, summary=stage_summaries.of_paths)
    if browsed:
        step("write records", browsed)
        step("write pages", study_page.write_pages, run.inputs, layout, built, forms, results)


def _define_tabulations(
    run: Run, built: BuiltDatasets, shared: Shared, mapping: StudyMapping | None
) -> Callable[[], list[Path]] | None:
    """Annotate the CRF and start to write define.xml of the tabulations; nothing where these were received."""
    if mapping is None:
        return None
    package = run.request.until == "package"
    crf_summary = partial(stage_summaries.of_crf, unshown=stages.unshown_on_crf(mapping))
    pages = run.step("annotate CRF", stages.annotate_crf, run.layout, mapping, built.sdtm, summary=crf_summary)
    arguments = run.layout, "sdtm", run.study, shared, mapping.terminology, run.date, None, pages, package
    return run.workers.offer(stages.write_define, *arguments)


def _define_analysis(
    run: Run, built: BuiltDatasets | Shared, terminology: Terminology, results: pd.DataFrame | None = None
) -> Callable[[], list[Path]]:
    """Start to write define.xml of the analysis datasets; the callable returned is the step that waits for it."""
    package = run.request.until == "package"
    arguments = run.layout, "adam", run.study, built, terminology, run.date, results, None, package
    written = run.workers.offer(stages.write_define, *arguments)
    return lambda: run.step("write analysis define.xml", written, summary=stage_summaries.of_paths)


def _report(run: Run, built: BuiltDatasets, shared: Shared, beginning: Beginning) -> pd.DataFrame | None:
    """Compute the results, compare them with a second derivation, print them, and write where each value came from.

    Returns the results, if the study declares any.
    """
    study, step, folder = run.study, run.step, run.layout.reports
    lineage = run.workers.offer(stages.write_lineage, run.layout, shared, beginning.records)
    results = None
    if study.path("reports.yaml").is_file():
        results = step("compute results", stages.compute_results, study, built, summary=stage_summaries.of_results)
    define = _define_analysis(run, shared, beginning.terminology, results) if built.adam else None
    second = run.workers.offer(stages.derive_a_second_time, study, shared, results, run.validation, run.date)
    if results is not None:
        start = partial(_offer_to, run.workers, shared)
        arguments = study, results, folder, run.inputs, built.everything, start
        pages = step("write reports", stages.write_reports, *arguments, summary=stage_summaries.of_paths)
        run.result.outputs = sum(path.suffix == ".html" for path in pages)
    if define:
        define()
    step("write lineage", lineage)
    step("derive a second time", second, summary=stage_summaries.of_second_derivation)
    return results


def _offer_to(workers: Workers, built: Shared, function: Callable[..., T], *values: Any) -> Callable[[], T]:
    return workers.offer(stages.call_with, function, built, *values)
