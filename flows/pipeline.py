"""The whole way of the data as plain functions: from REDCap, exports or a snapshot to the package, with no Prefect.

``build`` calls each stage through a ``Step``. The command line's step calls the function and tells the user; Prefect's
step runs the same function as a task. So there is one order of the stages, and it stands here. A stage that was begun
beside the others is a step that waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pandas as pd

from flows import quality_gates, stage_summaries
from flows.beside import Beside
from flows.conformance import check_conformance
from flows.garbage import seldom_collected
from flows.run_request import (
    API,
    RunRequest,
    RunResult,
    relative,
)
from metadata.dataset import Dataset
from metadata.errors import StudyError
from metadata.records import Records
from metadata.study import Study
from metadata.terminology import Terminology

if TYPE_CHECKING:
    from extract.snapshot import Snapshot
    from publish.manifest import Inputs
    from publish.package import Build, PackageLayout
    from publish.refusals import Standard
    from sdtm.build.tabulate import Tabulation

T = TypeVar("T")
FEW_ROWS = 10_000  # of records: the datasets of more take longer to hand over than a second process saves
Datasets = Mapping[str, Dataset]


@dataclass(frozen=True)
class BuiltDatasets:
    """Datasets of both standards, ready to be written."""

    sdtm: Datasets
    adam: Datasets

    @property
    def everything(self) -> dict[str, Dataset]:
        """All datasets by name."""
        return {**self.sdtm, **self.adam}

    @property
    def standards(self) -> list[tuple[Standard, Datasets]]:
        """The datasets of each standard that has any."""
        both: list[tuple[Standard, Datasets]] = [("sdtm", self.sdtm), ("adam", self.adam)]
        return [(standard, datasets) for standard, datasets in both if datasets]


class StageRunner(Protocol):
    """Runs one stage: calls ``function`` with ``values``, and tells ``fact`` of what it returned."""

    def __call__(
        self, name: str, function: Callable[..., T], *values: Any, fact: Callable[[T], str] = stage_summaries.nothing
    ) -> T:
        """Return what the function returned."""
        ...


def build(order: RunRequest, step: StageRunner) -> RunResult:
    """Run the stages as far as the order says; raises RedcapCdiscError, after a StudyError the findings are kept."""
    with seldom_collected():
        return _build(order, step)


def _build(order: RunRequest, step: StageRunner) -> RunResult:
    folder = step("extract", receive, order, fact=stage_summaries.of_folder)
    snapshot = step("open snapshot", open_snapshot, order, folder, fact=stage_summaries.of_snapshot)
    result = RunResult(order.study.name, order.until, folder, snapshot.id, snapshot.date)
    if order.until == "package":
        _build_package(order, snapshot, step, result)
    elif order.until != "snapshot":
        _build_part(order, snapshot, step, result)
    return result


def _build_package(order: RunRequest, snapshot: Snapshot, step: StageRunner, result: RunResult) -> None:
    """Fill a new package beside the old one and switch to it."""
    from publish.manifest import Inputs, package_id
    from publish.package import Build

    study = order.study
    inputs = Inputs(study, snapshot.id, snapshot.date, order.options)
    target = Build(order.out, package_id(inputs), study.studyid)
    try:
        with target, Beside(wanted=len(snapshot.records.frame) <= FEW_ROWS) as beside:
            _fill(Run(order, snapshot, step, target.layout, result, beside))
            step("publish", publish, target, inputs, fact=stage_summaries.of_folder)
    except StudyError as error:
        raise StudyError(f"{error}. Nothing was published; the findings are in {relative(target.stopped)}") from None
    result.out = order.out


def _build_part(order: RunRequest, snapshot: Snapshot, step: StageRunner, result: RunResult) -> None:
    """Run as far as the queries or datasets and leave their files in an ordinary folder."""
    from publish.package import PackageLayout

    with Beside(wanted=False) as beside:
        _fill(Run(order, snapshot, step, PackageLayout(order.out, order.study.studyid), result, beside))
    result.out = order.out


@dataclass(frozen=True)
class Run:
    """What the stages of one run share: the files go where ``layout`` says, the counts into ``result``."""

    order: RunRequest
    snapshot: Snapshot
    step: StageRunner
    layout: PackageLayout
    result: RunResult
    beside: Beside

    @property
    def study(self) -> Study:
        """The study of the order."""
        return self.order.study

    @property
    def validation(self) -> Path:
        """The folder of the findings."""
        return self.order.out if self.order.until == "queries" else self.layout.validation


def _fill(run: Run) -> None:
    """Check the records, then make as many datasets and outputs of them as the order asks for."""
    order, snapshot, step = run.order, run.snapshot, run.step
    queries = step("find queries", find_queries, order, snapshot, fact=stage_summaries.of_queries)
    step("write queries", write_queries, order, snapshot, queries, run.validation, fact=stage_summaries.of_paths)
    run.result.queries = stage_summaries.count_queries(queries)
    step("check drift", quality_gates.check_drift, run.study, snapshot, run.validation, fact=stage_summaries.of_drift)
    if order.reaches("sdtm"):
        terminology = Terminology.open(run.study)
        _make_files(run, _make_datasets(run, queries, terminology), terminology)


def _make_datasets(run: Run, queries: pd.DataFrame, terminology: Terminology) -> BuiltDatasets:
    """Tabulate and analyse, and hold what was made against the records and the declarations."""
    study, records, step = run.study, run.snapshot.records, run.step
    tabulation = step("tabulate", tabulate, study, records, terminology, fact=stage_summaries.of_tabulation)
    queries = ask_about_withheld(run.order, run.snapshot, tabulation, queries, run.validation)
    run.result.queries = stage_summaries.count_queries(queries)
    step(
        "check SDTM",
        quality_gates.check_sdtm,
        study,
        tabulation,
        records,
        run.validation,
        fact=stage_summaries.of_checks,
    )
    adam: dict[str, Dataset] = {}
    if run.order.reaches("adam"):
        adam = step("analyse", analyse, study, tabulation.datasets, terminology, fact=stage_summaries.of_datasets)
        step("check ADaM", quality_gates.check_adam, study, adam, run.validation, fact=stage_summaries.of_checks)
    made: BuiltDatasets = step("resolve lengths", resolve_lengths, tabulation.datasets, adam)
    run.result.datasets = stage_summaries.count_datasets(made.standards)
    return made


def _make_files(run: Run, made: BuiltDatasets, terminology: Terminology) -> None:
    """Write the datasets, what describes them and what judges them."""
    study, layout, created, step, beside = run.study, run.layout, run.snapshot.date, run.step, run.beside
    beside.share(made.sdtm)
    beside.share(made.adam)
    conformance = beside.start(check_conformance, study, made.sdtm, made.adam, terminology, run.validation, created)
    step("write transport files", write_transport, layout, made, created, fact=stage_summaries.of_paths)
    define = beside.start(write_define, layout, study, made.sdtm, terminology, created)  # it looks for the files
    same = beside.start(read_back, layout, made, created)
    accepted = _report(run, made) if run.order.until == "package" else None
    step("read back", same, fact=stage_summaries.of_paths)
    step("write define.xml", define, fact=stage_summaries.of_paths)
    step("check conformance", conformance, fact=stage_summaries.of_conformance)
    if accepted:
        run.result.acceptance = stage_summaries.count_acceptance(
            step("accept", accepted, fact=stage_summaries.of_acceptance)
        )


def _report(run: Run, made: BuiltDatasets) -> Callable[[], Mapping[str, Any]]:
    """Make the results and hold them against a second derivation, print them, and write where each value came from.

    Returns what waits for the acceptance of the datasets.
    """
    study, snapshot, step, folder = run.study, run.snapshot, run.step, run.layout.reports
    lineage = run.beside.start(write_lineage, run.layout, made, snapshot.records)
    declared = study.path("reports.yaml").is_file()
    results = (
        step("compute results", compute_results, study, made, fact=stage_summaries.of_results) if declared else None
    )
    second = run.beside.start(
        quality_gates.derive_a_second_time, study, made.sdtm, made.adam, results, run.validation, snapshot.date
    )
    accepted = run.beside.start(accept, study, made, snapshot.date, run.validation)
    if results is not None:
        pages = step(
            "write reports", write_reports, study, results, folder, snapshot, made, fact=stage_summaries.of_paths
        )
        run.result.outputs = sum(path.suffix == ".html" for path in pages)
    step("write lineage", lineage)
    step("derive a second time", second, fact=stage_summaries.of_second_derivation)
    return accepted


def receive(order: RunRequest) -> Path:
    """Take a snapshot from the API or from exports, or point at one that is there, and return its folder."""
    if order.source == API:
        from extract.client import Client
        from extract.snapshot import take
        from flows.redcap_access import api_url, patience, token

        study = order.study
        return take(study, Client(api_url(study), token(study), patience(study)), order.snapshots)
    from extract.exports import snapshot_of

    return snapshot_of(order.study, Path(order.source), order.snapshots, order.records)


def open_snapshot(order: RunRequest, folder: Path) -> Snapshot:
    """Read a snapshot; identifiers stay behind, except those that the mapping reads."""
    from extract import snapshot

    opened = snapshot.open_snapshot(folder)
    kept = opened.blanked & _fields_mapped(order)
    if kept:
        opened = snapshot.open_snapshot(folder, keep=kept)
    return replace(opened, date=order.options.get("cutoff", opened.date))


def write_queries(order: RunRequest, snapshot: Snapshot, queries: pd.DataFrame, folder: Path) -> list[Path]:
    """Write the query listing as queries.csv and as a page, and return both."""
    from validation.queries.listing import write_csv
    from validation.queries.page import write_page

    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "queries.csv", folder / "queries.html"]
    write_csv(queries, paths[0])
    write_page(order.study, snapshot.records, queries, paths[1], snapshot.date)
    return paths


def _fields_mapped(order: RunRequest) -> set[str]:
    """Return the fields that the mapping reads; none for a run that ends before the mapping is used."""
    from sdtm.build.tabulate import mapped_fields, read_mappings

    if not order.reaches("sdtm"):
        return set()
    study, project = order.study, order.study.project()
    return set(mapped_fields(study, read_mappings(study, project, Terminology.open(study)), project))


def find_queries(order: RunRequest, snapshot: Snapshot) -> pd.DataFrame:
    """Return the query listing of the snapshot's records: identifiers are checked as well, and masked."""
    from extract import snapshot as snapshots
    from validation.queries.listing import query_listing

    identifiers = [field.name for field in snapshot.project.dictionary.fields.values() if field.is_identifier]
    whole = snapshots.open_snapshot(snapshot.path, keep=identifiers)
    return query_listing(order.study, whole.records, links_of(order, whole))


def links_of(order: RunRequest, snapshot: Snapshot) -> Callable[[pd.DataFrame], pd.Series]:
    """Return what gives queries their links."""
    from validation.queries.listing import form_links

    version = str(order.study.config["redcap"].get("version", ""))  # not the server's: same data, same bytes
    return form_links(order.study, snapshot.project, snapshot.event_ids, version)


def ask_about_withheld(
    order: RunRequest, snapshot: Snapshot, tabulation: Tabulation, queries: pd.DataFrame, folder: Path
) -> pd.DataFrame:
    """Return the queries with those about values that tabulation withheld, and write them where any are new."""
    from validation.queries.listing import with_withheld

    records = snapshot.records
    asked = with_withheld(order.study, records, queries, tabulation.withheld, links_of(order, snapshot))
    if len(asked) > len(queries):
        write_queries(order, snapshot, asked, folder)
    return asked


def tabulate(study: Study, records: Records, terminology: Terminology) -> Tabulation:
    """Return the SDTM datasets with what was withheld or not submitted."""
    from sdtm.build import tabulate as engine

    return engine.tabulate(study, records, terminology)


def analyse(study: Study, sdtm: Datasets, terminology: Terminology) -> dict[str, Dataset]:
    """Return the analysis datasets."""
    from adam.build import analyse as engine

    return engine.analyse(study, sdtm, terminology)


def resolve_lengths(sdtm: Datasets, adam: Datasets) -> BuiltDatasets:
    """Return all datasets with lengths that hold over all of them."""
    from publish import lengths

    sized = lengths.resolve({**sdtm, **adam})
    return BuiltDatasets({name: sized[name] for name in sdtm}, {name: sized[name] for name in adam})


def write_transport(layout: PackageLayout, made: BuiltDatasets, created: str) -> list[Path]:
    """Write transport and parquet files of all datasets and return the transport files."""
    from publish.package import write_transport

    paths = []
    for standard, datasets in made.standards:
        for folder in (layout.transport(standard), layout.parquet(standard)):
            folder.mkdir(parents=True, exist_ok=True)
        paths += write_transport(layout, standard, datasets, date.fromisoformat(created))
    return paths


def read_back(layout: PackageLayout, made: BuiltDatasets, created: str) -> list[Path]:
    """Compare every transport file with its dataset, value for value, and return the files."""
    from publish.package import verify_transport

    for standard, datasets in made.standards:
        verify_transport(layout, standard, datasets, date.fromisoformat(created))
    return [path for standard, _ in made.standards for path in sorted(layout.transport(standard).glob("*.xpt"))]


def write_define(
    layout: PackageLayout, study: Study, sdtm: Datasets, terminology: Terminology, created: str
) -> list[Path]:
    """Write define.xml of the tabulations and its stylesheet beside their transport files."""
    from publish import define

    return define.write(study, sdtm, terminology, created, layout.transport("sdtm"))


def write_lineage(layout: PackageLayout, made: BuiltDatasets, records: Records) -> None:
    """Write the edges of all datasets, rendered to keys."""
    from publish.package import write_lineage

    write_lineage(layout, made.everything, records)


def compute_results(study: Study, made: BuiltDatasets) -> pd.DataFrame:
    """Return the results data of all declared outputs."""
    from reports.compute import compute

    return compute(study, made.everything)


def write_reports(
    study: Study, results: pd.DataFrame, folder: Path, snapshot: Snapshot, made: BuiltDatasets
) -> list[Path]:
    """Write tables, figures and their index, and return the files."""
    from reports.html.pages import write

    return write(study, results, folder, snapshot.date, snapshot.id, made.everything)


def accept(study: Study, made: BuiltDatasets, snapshot_date: str, folder: Path) -> Mapping[str, Any]:
    """Judge the final datasets with Great Expectations, keep acceptance.json and its page, and return the result."""
    from validation.acceptance import judge

    result = judge.accept(study, made.everything, Terminology.open(study))
    judge.write_json(result, folder / "acceptance.json")
    judge.write_page(study, result, folder / "acceptance.html", snapshot_date)
    return result


def publish(target: Build, inputs: Inputs) -> Path:
    """Write the manifest and put the new package in the place of the old one."""
    from publish import manifest

    manifest.write(target.layout.root, inputs)
    return target.publish()
