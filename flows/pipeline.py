"""The whole way of the data as plain functions: from REDCap, exports or a snapshot to the package, with no Prefect.

``build`` calls each stage through a ``StageRunner``. The command line's calls the function and prints a line; Prefect's
runs the same function as a task. So the stages have one sequence, and it is written here. A stage that a worker
runs meanwhile is a step that waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pandas as pd

from flows import quality_gates, stage_summaries, study_page
from flows.built_datasets import BuiltDatasets, Datasets
from flows.conformance import check_conformance
from flows.error_messages import NOT_PUBLISHED
from flows.memory import collecting_seldom, give_back
from flows.run_request import (
    API,
    RunRequest,
    RunResult,
    relative,
)
from flows.worker import Shared, Workers, cores
from metadata.dataset import Dataset
from metadata.errors import StudyError
from metadata.records import Records
from metadata.study import Study
from metadata.terminology import Terminology

if TYPE_CHECKING:
    from extract.snapshot import Snapshot, StoredSnapshot
    from metadata.analysis_result import ResultDisplay
    from publish.crf.annotations import CrfPages
    from publish.manifest import Inputs
    from publish.package import Build, PackageLayout
    from publish.refusals import Standard
    from publish.study_page.forms import KeptForms
    from reports.html.pages import Start
    from sdtm.build.study_mapping import StudyMapping
    from sdtm.build.tabulate import Tabulation
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
    folder = step(EXTRACT, receive, request, summary=stage_summaries.of_folder)
    stored = step("open snapshot", open_snapshot, request, folder, summary=stage_summaries.of_snapshot)
    result = RunResult(request.study.name, request.until, folder, stored.snapshot.id, stored.snapshot.date)
    if request.until == "package":
        _build_package(request, stored, step, result)
    elif request.until != "snapshot":
        _build_part(request, stored, step, result)
    return result


def _build_package(request: RunRequest, stored: StoredSnapshot, step: StageRunner, result: RunResult) -> None:
    """Fill a new package next to the old one and put it in its place."""
    from publish.manifest import Inputs, package_id
    from publish.package import Build

    study, snapshot = request.study, stored.snapshot
    inputs = Inputs(study, snapshot.id, snapshot.date, request.options)
    target = Build(request.out, package_id(inputs), study.studyid)
    try:
        few = len(snapshot.records) <= FEW_ROWS
        spare = 0 if request.in_one_process else min(cores() - 1, 1 if few else MOST_WORKERS)
        with target, Workers(spare, load_acceptance) as workers:
            others = Workers(0) if few else workers
            _fill(Run(request, snapshot, step, target.layout, result, workers, others), stored)
            step("publish", publish, target, inputs, summary=stage_summaries.of_folder)
    except StudyError as error:
        sentence = f"{error.message}{NOT_PUBLISHED}{relative(target.stopped)}"
        raise StudyError(sentence, error.file, error.line, error.key) from None
    result.out = request.out


def _build_part(request: RunRequest, stored: StoredSnapshot, step: StageRunner, result: RunResult) -> None:
    """Run as far as the queries or datasets and leave their files in an ordinary folder."""
    from publish.package import PackageLayout
    from publish.part import mark_files

    layout, here = PackageLayout(request.out, request.study.studyid), Workers(0)
    _fill(Run(request, stored.snapshot, step, layout, result, here, here), stored)
    mark_files(request.out, request.study.part)
    result.out = request.out


@dataclass(frozen=True)
class Run:
    """What the stages of one run share: the files go where ``layout`` says, the counts into ``result``.

    ``acceptance_workers`` run the acceptance, ``workers`` the other stages whose results no stage needs.
    """

    request: RunRequest
    snapshot: Snapshot
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
    def inputs(self) -> Inputs:
        """What the run makes its package from."""
        from publish.manifest import Inputs

        return Inputs(self.study, self.snapshot.id, self.snapshot.date, self.request.options)

    @property
    def validation(self) -> Path:
        """The folder of the findings."""
        return self.request.out if self.request.until == "queries" else self.layout.validation


def _fill(run: Run, stored: StoredSnapshot) -> None:
    """Check the records, then make as many datasets and outputs of them as the request asks for.

    The mapping is read first, so that a mistake in it is reported at once. It is not read for a project that is no
    longer the one that was mapped: such a run stops when its queries are written.
    """
    from extract.drift import stops_build

    request, step, received = run.request, run.step, stored.snapshot
    arguments = run.study, received, run.validation
    drift = step("check drift", quality_gates.find_drift, *arguments, summary=stage_summaries.of_drift)
    mapping = None
    if request.reaches("sdtm") and not stops_build(drift):
        mapping = step("read mapping", read_mapping, run.study, received)
        run = replace(run, snapshot=with_mapped_identifiers(stored, mapping))
    queries = step("find queries", find_queries, request, stored, run.validation, summary=stage_summaries.of_queries)
    run.result.queries = stage_summaries.count_queries(queries.listed)
    quality_gates.stop_at_drift(drift)
    if mapping is not None:
        sdtm = _tabulate(run, mapping, queries)
        forms = None
        if request.until == "package":
            kept = run.study, run.snapshot, sdtm, run.layout
            forms = step("keep forms", study_page.keep_forms, *kept, summary=stage_summaries.of_forms)
        for records in (stored, run.snapshot.records):
            records.forget_values()
        _make_files(run, _make_datasets(run, sdtm), mapping, forms)


def _tabulate(run: Run, mapping: StudyMapping, queries: Queries) -> Datasets:
    """Tabulate, and compare the result with the records and the declarations."""
    from validation.queries.listing import unused_answers

    study, records, step = run.study, run.snapshot.records, run.step
    tabulation = step("tabulate", tabulate, mapping, records, summary=stage_summaries.of_tabulation)
    quality_gates.stop_without_subjects(tabulation, records, run.validation)
    queries = ask_about_withheld(run.request, run.snapshot, tabulation, queries, run.validation)
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


def _make_datasets(run: Run, sdtm: Datasets) -> BuiltDatasets:
    """Analyse, compare the result with the declarations, and set the lengths of all datasets."""
    study, step = run.study, run.step
    adam: dict[str, Dataset] = {}
    if run.request.reaches("adam"):
        adam = step("analyse", analyse, study, sdtm, summary=stage_summaries.of_datasets)
        step("check ADaM", quality_gates.check_adam, study, adam, run.validation, summary=stage_summaries.of_checks)
    built: BuiltDatasets = step("resolve lengths", resolve_lengths, sdtm, adam, run.study)
    run.result.datasets = stage_summaries.count_datasets(built.standards)
    return built


def _make_files(run: Run, built: BuiltDatasets, mapping: StudyMapping, forms: KeptForms | None) -> None:
    """Write the datasets, what describes them and what judges them; of a package also the pages, with its ``forms``."""
    study, layout, created, step, workers = run.study, run.layout, run.snapshot.date, run.step, run.workers
    terminology = mapping.terminology
    shared = run.acceptance_workers.share(built)
    accepted = None
    if run.request.until == "package":
        records = run.snapshot.records.record.nunique()
        accepted = run.acceptance_workers.start(accept, study, shared, created, run.validation, records)
    conformance = workers.offer(judge_conformance, study, shared, terminology, run.validation, created)
    step("write transport files", write_transport, layout, built, created, summary=stage_summaries.of_paths)
    crf_summary = partial(stage_summaries.of_crf, unshown=unshown_on_crf(mapping))
    pages = step("annotate CRF", annotate_crf, layout, mapping, built.sdtm, summary=crf_summary)
    browsed = workers.offer(study_page.write_records, layout, study, shared, forms) if forms else None
    define = workers.offer(
        write_define, layout, "sdtm", study, shared, terminology, created, None, pages, bool(accepted)
    )
    verified = workers.offer(read_back, layout, shared, created, run.validation)
    results = None
    if accepted:
        results = _report(run, built, shared, terminology)
    elif built.adam:
        _define_analysis(run, built, terminology)()
    step("read back", verified, summary=stage_summaries.of_paths)
    step("write define.xml", define, summary=stage_summaries.of_paths)
    if accepted:
        written = [workers.offer(write_dataset_json, layout, name, shared, created) for name, _ in built.standards]
        step("write Dataset-JSON", finish_all, written, summary=stage_summaries.of_paths)
    conforming = step("check conformance", conformance, summary=stage_summaries.of_conformance)
    run.result.conformance = stage_summaries.count_conformance(conforming)
    if accepted:
        judged = step("accept", accepted, summary=stage_summaries.of_acceptance)
        run.result.acceptance = stage_summaries.count_acceptance(judged)
        arguments = run.inputs, layout, mapping, built, run.validation
        step("write reviewer's guides", write_guides, *arguments, summary=stage_summaries.of_paths)
        step("write programs", write_programs, layout, study, built, summary=stage_summaries.of_paths)
    if browsed:
        step("write records", browsed)
        step("write pages", study_page.write_pages, run.inputs, layout, built, forms, results)


def _define_analysis(
    run: Run, built: BuiltDatasets | Shared, terminology: Terminology, results: pd.DataFrame | None = None
) -> Callable[[], list[Path]]:
    """Start to write define.xml of the analysis datasets; the callable returned is the step that waits for it."""
    package = run.request.until == "package"
    arguments = run.layout, "adam", run.study, built, terminology, run.snapshot.date, results, None, package
    written = run.workers.offer(write_define, *arguments)
    return lambda: run.step("write analysis define.xml", written, summary=stage_summaries.of_paths)


def _report(run: Run, built: BuiltDatasets, shared: Shared, terminology: Terminology) -> pd.DataFrame | None:
    """Compute the results, compare them with a second derivation, print them, and write where each value came from.

    Returns the results, if the study declares any.
    """
    study, snapshot, step, folder = run.study, run.snapshot, run.step, run.layout.reports
    lineage = run.workers.offer(write_lineage, run.layout, shared, snapshot.records)
    results = None
    if study.path("reports.yaml").is_file():
        results = step("compute results", compute_results, study, built, summary=stage_summaries.of_results)
    define = _define_analysis(run, shared, terminology, results) if built.adam else None
    second = run.workers.offer(derive_a_second_time, study, shared, results, run.validation, snapshot.date)
    if results is not None:
        arguments = study, results, folder, snapshot, built.everything, partial(_offer_to, run.workers, shared)
        pages = step("write reports", write_reports, *arguments, summary=stage_summaries.of_paths)
        run.result.outputs = sum(path.suffix == ".html" for path in pages)
    if define:
        define()
    step("write lineage", lineage)
    step("derive a second time", second, summary=stage_summaries.of_second_derivation)
    return results


def receive(request: RunRequest) -> Path:
    """Take a snapshot from the API or from exports, or point at one that is there, and return its folder."""
    if request.source == API:
        from extract.api import take
        from extract.client import Client
        from flows.redcap_access import api_url, full_load_days, patience, token

        study = request.study
        client = Client(api_url(study), token(study), patience(study), encoding=study.encoding)
        days = 0 if request.full_load else full_load_days(study)
        return take(study, client, request.snapshots, request.group, days)
    from extract.exports import snapshot_of

    return snapshot_of(request.study, Path(request.source), request.snapshots, request.records, request.group)


def open_snapshot(request: RunRequest, folder: Path) -> StoredSnapshot:
    """Read a snapshot, dated by the cut-off that the user gave; else by that of study.yaml, if it had no other date.

    Raises UsageError if it has the records of a data access group that was not asked for, or of others.
    """
    from extract import snapshot
    from extract.groups import check_group

    stored = snapshot.open_snapshot(folder)
    check_group(request.group, stored.snapshot.group, stored.snapshot.project.dags or request.study.project().dags)
    request.study.group = stored.snapshot.group
    stored = stored.with_sources(request.study)
    own = request.study.cutoff if stored.snapshot.dated_by_cutoff else stored.snapshot.date
    return stored.dated(request.options.get("cutoff", own))


def read_mapping(study: Study, snapshot: Snapshot) -> StudyMapping:
    """Read the study's mapping for the snapshot's project."""
    from sdtm.build import study_mapping

    return study_mapping.read_mapping(study, snapshot.project, Terminology.open(study))


def with_mapped_identifiers(stored: StoredSnapshot, mapping: StudyMapping) -> Snapshot:
    """Return the snapshot without its identifiers, except those that the mapping reads.

    Raises StudyError if the mapping reads a field whose values did not come.
    """
    lacking = sorted(stored.snapshot.not_exported & set(mapping.fields))
    if lacking:
        raise StudyError(
            f"the mapping reads the field '{lacking[0]}', whose values are not in the records: the token's user may not"
            " export them; give it full export rights"
        )
    return stored.keeping(stored.snapshot.blanked & set(mapping.fields))


def list_queries(
    request: RunRequest, snapshot: Snapshot, found: pd.DataFrame, folder: Path, tabulated: bool
) -> Queries:
    """Compare queries with the previous listing and write them: CSV, workbook and page, of all sites and of each."""
    from validation.queries.files import write_files
    from validation.queries.history import Queries, followed

    links = links_of(request, snapshot)
    listed = followed(request.study, snapshot.records, found, snapshot.date, request.previous, tabulated, links)
    write_files(request.study, snapshot.project, listed, folder, snapshot.date)
    return Queries(found, listed)


def find_queries(request: RunRequest, stored: StoredSnapshot, folder: Path) -> Queries:
    """Return and write the query listing of the snapshot's records: identifiers are checked as well, and masked."""
    from flows.redcap_access import answers_key
    from validation.queries.listing import query_listing

    whole = stored.keeping(stored.snapshot.blanked)
    found = query_listing(request.study, whole.records, links_of(request, whole), answers_key(request.study))
    return list_queries(request, stored.snapshot, found, folder, tabulated=False)


def links_of(request: RunRequest, snapshot: Snapshot) -> Callable[[pd.DataFrame], pd.Series]:
    """Return what gives queries their links."""
    from validation.queries.listing import form_links

    version = request.study.declared.redcap.version  # not the server's: same data, same bytes
    return form_links(request.study, snapshot.project, snapshot.event_ids, version)


def ask_about_withheld(
    request: RunRequest, snapshot: Snapshot, tabulation: Tabulation, queries: Queries, folder: Path
) -> Queries:
    """Return the queries with those about values that tabulation withheld, and write them where that changes any."""
    from flows.redcap_access import answers_key
    from validation.queries.listing import with_withheld

    records, found, key = snapshot.records, queries.found, answers_key(request.study)
    asked = with_withheld(request.study, records, found, tabulation.withheld, links_of(request, snapshot), key)
    if len(asked) == len(found) and request.previous is None:
        return queries
    return list_queries(request, snapshot, asked, folder, tabulated=True)


def tabulate(mapping: StudyMapping, records: Records) -> Tabulation:
    """Return the SDTM datasets with what was withheld or not submitted."""
    from sdtm.build import tabulate as engine

    return engine.tabulate(mapping, records)


def analyse(study: Study, sdtm: Datasets) -> dict[str, Dataset]:
    """Return the analysis datasets."""
    from adam.build import analyse as engine

    return engine.analyse(study, sdtm)


def resolve_lengths(sdtm: Datasets, adam: Datasets, study: Study) -> BuiltDatasets:
    """Return all datasets with lengths that hold over all of them."""
    from publish import lengths

    sized = lengths.resolve({**sdtm, **adam})
    both = {name: sized[name] for name in sdtm}, {name: sized[name] for name in adam}
    return BuiltDatasets(*both, study.label_mark, study.largest_file, study.json_forms)


def write_transport(layout: PackageLayout, built: BuiltDatasets, created: str) -> list[Path]:
    """Write transport and parquet files of all datasets and return the transport files."""
    from publish.package import write_transport

    paths = []
    for standard, datasets in built.standards:
        for folder in (layout.transport(standard), layout.parquet(standard)):
            folder.mkdir(parents=True, exist_ok=True)
        paths += write_transport(layout, standard, datasets, date.fromisoformat(created), built.largest_file)
    return paths


def read_back(layout: PackageLayout, built: BuiltDatasets, created: str, folder: Path) -> list[Path]:
    """Compare every transport file with its dataset, value for value, and return the files.

    Writes read_back.csv into ``folder``: the rows of each file, and how many of them ReadStat read.
    """
    from publish.package import verify_transport

    day = date.fromisoformat(created)
    verified = [
        one
        for name, datasets in built.standards
        for one in verify_transport(layout, name, datasets, day, built.largest_file)
    ]
    rows = [(path.name, count, by_readstat) for path, count, by_readstat in verified]
    table = pd.DataFrame(rows, columns=["file", "rows_compared", "rows_read_by_readstat"])
    quality_gates.write_findings(table, folder / "read_back.csv")
    return sorted(path for path, _, _ in verified)


def annotate_crf(layout: PackageLayout, mapping: StudyMapping, sdtm: Datasets) -> CrfPages:
    """Write the annotated CRF and return on which of its pages each variable is annotated."""
    from publish.crf import document
    from sdtm.build.field_uses import form_uses

    return document.write(mapping.study, mapping.project, form_uses(mapping, sdtm), layout.transport("sdtm"))


def unshown_on_crf(mapping: StudyMapping) -> list[str]:
    """Return the forms and fields of which the annotated CRF shows letters as boxes."""
    from publish.crf.unshown import unshown_fields

    return unshown_fields(mapping.project)


def write_define(
    layout: PackageLayout,
    standard: Standard,
    study: Study,
    built: BuiltDatasets,
    terminology: Terminology,
    created: str,
    results: pd.DataFrame | None = None,
    pages: CrfPages | None = None,
    guide_comes: bool = False,
) -> list[Path]:
    """Write define.xml of a standard's datasets, its stylesheet and its page into the folder of their transport files.

    With the analysis datasets the analysis plan is written, and with ``results`` the key results are described. With
    ``guide_comes``, the reviewer's guide is referred to.
    """
    from publish import define, plan_document, splitting
    from publish.define_documents import Documents
    from publish.define_standards import define_content

    folder = layout.transport(standard)
    content = define_content(standard, study, terminology)
    datasets, displays = dict(built.standards)[standard], key_results(study, built, results)
    sections = plan_document.write(study, folder) if standard == "adam" else {}
    documents = Documents.of_folder(folder, standard, pages, sections, guide_comes)
    split = {name: tuple(splitting.files(dataset, built.largest_file)) for name, dataset in datasets.items()}
    return define.write(
        study,
        content,
        datasets,
        created,
        folder,
        replace(documents, parts=split, vendor_fields=study.source_fields),
        displays,
    )


def write_guides(
    inputs: Inputs, layout: PackageLayout, mapping: StudyMapping, built: BuiltDatasets, validation: Path
) -> list[Path]:
    """Write the reviewer's guides of tabulations and analysis datasets, from what the run has found so far."""
    from publish.guides import document
    from publish.guides.facts import GuideFacts
    from publish.manifest import describe
    from sdtm.build.field_uses import form_uses

    standards: tuple[Standard, ...] = ("sdtm", "adam")
    facts = GuideFacts(
        inputs.study,
        mapping.project,
        mapping.terminology,
        form_uses(mapping, built.sdtm),
        built.sdtm,
        built.adam,
        describe(inputs),
        {name: layout.transport(name) for name in standards},
        validation,
    )
    return document.write(facts)


def key_results(study: Study, built: BuiltDatasets, results: pd.DataFrame | None) -> tuple[ResultDisplay, ...]:
    """Return the key results of the analysis datasets for define.xml; nothing without results data."""
    if results is None:
        return ()
    from reports.exchange.arm import result_displays

    return result_displays(study, results, built.adam)


def write_dataset_json(layout: PackageLayout, standard: Standard, built: BuiltDatasets, created: str) -> list[Path]:
    """Write Dataset-JSON of a standard's datasets, described as their define.xml describes them; return the files."""
    from publish.package import write_dataset_json

    return write_dataset_json(layout, standard, dict(built.standards)[standard], created, built.json_forms)


def finish_all(calls: Sequence[Callable[[], list[Path]]]) -> list[Path]:
    """Wait for offered calls, the last first, and return their files in the order of the calls."""
    written = [call() for call in reversed(calls)]
    return [path for paths in reversed(written) for path in paths]


def write_programs(layout: PackageLayout, study: Study, built: BuiltDatasets) -> list[Path]:
    """Write what made the analysis datasets and outputs as ASCII text, and return the files."""
    from publish import programs

    return programs.write(study, built.adam, layout.programs) if built.adam else []


def write_lineage(layout: PackageLayout, built: BuiltDatasets, records: Records) -> None:
    """Write the edges of all datasets, rendered to keys."""
    from publish.package import write_lineage

    write_lineage(layout, built.everything, records)


def compute_results(study: Study, built: BuiltDatasets) -> pd.DataFrame:
    """Return the results data of all declared outputs."""
    from reports.compute import compute

    return compute(study, built.everything)


def write_reports(
    study: Study, results: pd.DataFrame, folder: Path, snapshot: Snapshot, datasets: Datasets, start: Start
) -> list[Path]:
    """Write tables, figures and their index, and return the files."""
    from reports.html.pages import write

    return write(study, results, folder, snapshot.date, snapshot.id, datasets, start, in_package=True)


def _offer_to(workers: Workers, built: Shared, function: Callable[..., T], *values: Any) -> Callable[[], T]:
    return workers.offer(_call_with, function, built, *values)


def _call_with(function: Callable[..., T], built: BuiltDatasets, *values: Any) -> T:
    """Call a function with all datasets, which a worker has already, and further values."""
    return function(built.everything, *values)


def judge_conformance(
    study: Study, built: BuiltDatasets, terminology: Terminology, folder: Path, created: str
) -> dict[str, int]:
    """Judge the final datasets by our rules, keep the result and its page, and return the counts."""
    return check_conformance(study, built.sdtm, built.adam, terminology, folder, created)


def derive_a_second_time(
    study: Study, built: BuiltDatasets, results: pd.DataFrame | None, folder: Path, created: str
) -> Mapping[str, int]:
    """Derive the study's key endpoints again and return the counts; raises StudyError where anything differs."""
    return quality_gates.derive_a_second_time(study, built.sdtm, built.adam, results, folder, created)


def load_acceptance() -> None:
    """Import the library of the acceptance, which takes longer than the acceptance of a small study."""
    from validation.acceptance import judge

    judge.load_library()


def accept(study: Study, built: BuiltDatasets, snapshot_date: str, folder: Path, records: int) -> Mapping[str, Any]:
    """Judge the final datasets with Great Expectations, keep acceptance.json and its page, and return the result.

    ``records`` is the number of records in the snapshot.
    """
    from validation.acceptance import judge

    result = judge.accept(study, built.everything, Terminology.open(study), records)
    judge.write_json(result, folder / "acceptance.json")
    judge.write_page(study, result, folder / "acceptance.html", snapshot_date)
    return result


def publish(target: Build, inputs: Inputs) -> Path:
    """Write the manifest and put the new package in the place of the old one."""
    from publish import manifest
    from publish.part import mark_files

    mark_files(target.layout.root, inputs.study.part)
    manifest.write(target.layout.root, inputs)
    return target.publish()
