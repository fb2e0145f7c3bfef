"""Tabulation: from a study's records to SDTM datasets with their lineage, and everything that is not in them."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from metadata.dataset import Dataset
from metadata.records import Records
from metadata.study import Study
from metadata.terminology import Terminology
from sdtm.build.engine import Engine
from sdtm.build.finish import Finished, finish
from sdtm.build.lineage import from_moved, moved, with_lineage
from sdtm.build.merged_choices import merged_choices
from sdtm.build.range_questions import list_unranged
from sdtm.build.relations import (
    RelatableRecords,
    Related,
    related,
)
from sdtm.build.standard_results import list_unstandardised
from sdtm.build.study_mapping import StudyMapping
from sdtm.build.supplemental import supplemental
from sdtm.build.unused_rows import unused_rows
from sdtm.build.withheld import cut_by_domain, list_withheld, split_superseded, withheld_by_domain
from sdtm.build.without_subject import withhold_without_subject
from sdtm.columns.source import Forms
from sdtm.domains.data_cut import COLUMNS
from sdtm.domains.identity import identify
from sdtm.domains.trial_design import trial_design
from sdtm.domains.trial_summary import trial_summary
from sdtm.mapping.declared_rows import (
    DECLARED,
    declared_dataset,
    declared_rows,
)
from sdtm.mapping.not_submitted import not_submitted, without_record


@dataclass(frozen=True)
class Tabulation:
    """What tabulation made.

    ``withheld``: source_row, field, domain, reason of each stored value that is in no dataset. ``not_submitted``: form,
    field, reason, record (blank: of every record). ``transliterations``: domain, variable, original, transliterated,
    records. ``without_subject``: record, domain, rows, of subjects who are not in DM, whose rows are withheld.
    ``unused_rows``: file, line, row, of rows of coding files and of reference ranges that nothing uses.
    ``cut_values``: source_row, field, domain, reason of each stored value that is in no dataset because of the data
    cut-off. ``data_cut``: domain, record, address, variable, value, outcome of each record or value that it concerned.
    ``merged_choices``: domain, variable, field, term, choices, of terms that several choices of a field became.
    """

    datasets: dict[str, Dataset]
    withheld: pd.DataFrame
    not_submitted: pd.DataFrame
    transliterations: pd.DataFrame
    without_subject: pd.DataFrame
    unused_rows: pd.DataFrame
    merged_choices: pd.DataFrame
    cut_values: pd.DataFrame
    data_cut: pd.DataFrame


def planned_datasets(study: Study, terminology: Terminology) -> dict[str, Dataset]:
    """Return the datasets of trial design that need no subject: TA, TE, TV, and those declared row by row."""
    made = trial_design(study, terminology)
    for domain in DECLARED:
        rows = declared_rows(study, domain)
        if rows:
            made[domain] = declared_dataset(study, terminology, domain, rows)
    return made


def tabulate(mapping: StudyMapping, records: Records) -> Tabulation:
    """Return the SDTM datasets of a study's records, sorted by their keys, with lineage and what was left out.

    ``mapping`` was read for the project of these records.
    """
    study, terminology, project, domains = mapping.study, mapping.terminology, mapping.project, mapping.domains
    mapped = set(mapping.fields)
    declared = not_submitted(study, project.dictionary, mapped)
    forms = Forms(records, study.visit_of_form)
    engine = Engine(study, terminology, domains, forms, identify(study, forms))
    engine.run()
    without_subject = withhold_without_subject(engine.tables)
    for domain, table in engine.tables.items():
        list_unstandardised(domains[domain], table, terminology)
        list_unranged(study, domains[domain], table)
    finished = {domain: finish(domains[domain], engine.tables[domain]) for domain in sorted(domains)}
    linked = related(study, RelatableRecords(forms, engine.identity, engine.tables, finished))
    datasets = _datasets(mapping, finished, linked) | planned_datasets(study, terminology)
    summary = trial_summary(study, terminology, datasets.get("DM"))
    if summary is not None:
        datasets[summary.name] = summary
    unused = {name for _, name, _ in without_record(study, project.dictionary, mapped)}
    items = withheld_by_domain(engine.tables, linked, unused)
    listed, superseded = split_superseded(records, list_withheld(items, datasets))
    declared = pd.concat([declared.assign(record=""), superseded], ignore_index=True).astype("str")
    cut = list_withheld(cut_by_domain(engine.tables, linked), datasets)
    decided = engine.cut.listed if engine.cut else pd.DataFrame(columns=list(COLUMNS), dtype="str")
    nothing = unused_rows(study, domains, forms, engine.tables)
    merged = merged_choices(domains)
    return Tabulation(
        datasets, listed, declared, _transliterations(finished), without_subject, nothing, merged, cut, decided
    )


def _datasets(mapping: StudyMapping, finished: dict[str, Finished], linked: Related) -> dict[str, Dataset]:
    """Return the domains, their supplemental qualifiers and their relations, with lineage."""
    study, mappings = mapping.study, mapping.domains
    positions = {domain: made.position for domain, made in finished.items()}
    made: dict[str, Dataset] = {}
    for domain, one in finished.items():
        if mappings[domain].omit_empty and not len(one.dataset.frame):
            continue
        edges = [*moved(one, positions, domain), *linked.read.get(domain, [])]
        made[domain] = with_lineage(one.dataset, edges)
        extra = supplemental(study.standards["sdtmig"], mappings[domain], one, study.studyid)
        if extra is not None:
            dataset, kept = extra
            made[dataset.name] = with_lineage(dataset, from_moved(kept, positions))
    if linked.dataset is not None:
        made[linked.dataset.name] = with_lineage(linked.dataset, linked.edges)
    return made


def _transliterations(finished: dict[str, Finished]) -> pd.DataFrame:
    rows = [
        (domain, change.variable, change.original, change.transliterated, change.records)
        for domain, made in finished.items()
        for change in made.changes
    ]
    return pd.DataFrame(rows, columns=["domain", "variable", "original", "transliterated", "records"])
