"""The stages that make the study's pages: the forms' values, the records behind each number, and the first page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from flows.built_datasets import BuiltDatasets, Datasets
from metadata.study import Study

if TYPE_CHECKING:
    from extract.snapshot import Snapshot
    from publish.manifest import Inputs
    from publish.package import PackageLayout
    from publish.study_page.forms import KeptForms
    from publish.study_page.page import ListedOutput, StudyStatus


def keep_forms(study: Study, snapshot: Snapshot, datasets: Datasets, layout: PackageLayout) -> KeptForms:
    """Write the forms' values for the page of records, unless the study shows summaries only, and count the entries."""
    from publish.study_page.forms import keep_forms
    from validation.queries.listing import form_links

    folder = _folder_of_records(study, layout)
    links = form_links(study, snapshot.project, snapshot.event_ids, study.declared.redcap.version)
    return keep_forms(snapshot.records, datasets, links, folder)


def no_forms(study: Study, layout: PackageLayout) -> KeptForms:
    """Make place for the page of records of a study that begins with datasets, which has no forms."""
    from publish.study_page.forms import KeptForms
    from publish.study_page.sources import FormPlaces

    _folder_of_records(study, layout)
    return KeptForms((), FormPlaces({}, {}), (), frozenset())


def _folder_of_records(study: Study, layout: PackageLayout) -> Path | None:
    from publish.study_page.records import BROWSE, DATA

    if not study.shows_patients:
        return None
    folder = layout.root / BROWSE / DATA
    layout.make(folder)
    return folder


def write_records(layout: PackageLayout, study: Study, built: BuiltDatasets, forms: KeptForms) -> None:
    """Write the tables of datasets and what their records were made from, unless the study shows summaries only."""
    from publish.study_page.records import write_datasets

    if study.shows_patients:
        write_datasets(layout.root, {str(name): datasets for name, datasets in built.standards}, forms)


def write_pages(
    inputs: Inputs, layout: PackageLayout, built: BuiltDatasets, forms: KeptForms, results: pd.DataFrame | None
) -> Path:
    """Write the page of records with the results of each output, and the first page, over all other files."""
    from publish.manifest import describe
    from publish.study_page import page
    from publish.study_page.records import write_page

    study = inputs.study
    about = {**describe(inputs), "notice": study.notice}
    outputs = _outputs(study, results)
    if study.shows_patients:
        write_page(layout.root, about, results, {one.id: one.title for one in outputs})
    folders: dict[str, Path] = {name: layout.transport(name) for name, _ in built.standards}
    datasets = {str(name): own for name, own in built.standards}
    status = _status(study, built, forms, inputs.snapshot_date)
    return page.write(layout.root, about, folders, datasets, status, outputs, study.shows_patients)


def _outputs(study: Study, results: pd.DataFrame | None) -> list[ListedOutput]:
    """Return the outputs that have pages."""
    from publish.study_page.page import ListedOutput

    if results is None:
        return []
    from reports.html.pages import output_heads

    return [ListedOutput(head.id, head.number, head.title, head.population) for head in output_heads(study, results)]


def _status(study: Study, built: BuiltDatasets, forms: KeptForms, date: str) -> StudyStatus | None:
    from publish.study_page import status
    from publish.study_page.page import StudyStatus

    subjects = status.named(built.sdtm, "DM")
    if subjects is None:
        return None
    return StudyStatus(
        status.site_states(subjects),
        status.consents_by_month(subjects),
        status.visit_states(study.visits, subjects, status.named(built.sdtm, "SV"), date),
        [state for state in forms.states if state.entries],
        status.safety_state(status.named(built.sdtm, "AE"), subjects),
    )
