"""Each stage of a build as a plain function, in the order of the pipeline; ``flows.pipeline`` calls them.

What a stage needs of the other packages is imported inside it, so that a run loads only what it uses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from flows import quality_gates
from flows.built_datasets import BuiltDatasets, Datasets
from flows.conformance import check_conformance
from flows.run_request import API, RunRequest
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
    from reports.html.pages import Start
    from sdtm.build.study_mapping import StudyMapping
    from sdtm.build.tabulate import Tabulation
    from validation.queries.history import Queries

T = TypeVar("T")


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


def resolve_lengths(sdtm: Datasets, adam: Datasets, study: Study, is_received: bool = False) -> BuiltDatasets:
    """Return all datasets with lengths that hold over all of them."""
    from publish import lengths

    sized = lengths.resolve({**sdtm, **adam})
    both = {name: sized[name] for name in sdtm}, {name: sized[name] for name in adam}
    return BuiltDatasets(*both, study.label_mark, study.largest_file, study.json_forms, is_received)


def write_transport(layout: PackageLayout, built: BuiltDatasets, created: str) -> list[Path]:
    """Write transport and parquet files of all datasets and return the transport files."""
    from publish.package import write_transport

    paths = []
    for standard, datasets in built.written:
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
        for name, datasets in built.written
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
    inputs: Inputs,
    layout: PackageLayout,
    terminology: Terminology,
    mapping: StudyMapping | None,
    built: BuiltDatasets,
    validation: Path,
) -> list[Path]:
    """Write the reviewer's guides of tabulations and analysis datasets, from what the run has found so far."""
    from publish.guides import document
    from publish.guides.facts import GuideFacts, MappedForms
    from publish.manifest import describe
    from sdtm.build.field_uses import form_uses

    standards: tuple[Standard, ...] = ("sdtm", "adam")
    facts = GuideFacts(
        inputs.study,
        terminology,
        MappedForms(mapping.project, form_uses(mapping, built.sdtm)) if mapping else None,
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


def write_lineage(layout: PackageLayout, built: BuiltDatasets, records: Records | None) -> None:
    """Write the edges of all datasets, rendered to keys."""
    from publish.package import write_lineage

    write_lineage(layout, built.everything, records)


def compute_results(study: Study, built: BuiltDatasets) -> pd.DataFrame:
    """Return the results data of all declared outputs."""
    from reports.compute import compute

    return compute(study, built.everything)


def write_reports(
    study: Study, results: pd.DataFrame, folder: Path, inputs: Inputs, datasets: Datasets, start: Start
) -> list[Path]:
    """Write tables, figures and their index, and return the files."""
    from reports.html.pages import write

    return write(study, results, folder, inputs.snapshot_date, inputs.snapshot_id, datasets, start, in_package=True)


def call_with(function: Callable[..., T], built: BuiltDatasets, *values: Any) -> T:
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
