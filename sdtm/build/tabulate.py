"""Tabulation: from a study's records to SDTM datasets with their lineage, and everything that is not in them."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from metadata.dataset import Dataset
from metadata.errors import Gather, StudyError
from metadata.project import Project
from metadata.records import Records
from metadata.study import Study
from metadata.terminology import Terminology
from metadata.text_dates import check_text_dates
from sdtm.build.engine import Engine, epoch_codelists
from sdtm.build.finish import Finished, finish
from sdtm.build.lineage import from_moved, moved, with_lineage
from sdtm.build.relations import FILE as RELATIONS
from sdtm.build.relations import (
    RelatableRecords,
    Related,
    check_relations,
    related,
    relation_fields,
)
from sdtm.build.supplemental import supplemental
from sdtm.build.withheld import left_out, parted, withheld
from sdtm.columns.source import Forms
from sdtm.domains.elements import check_elements
from sdtm.domains.identity import check_identity, identify
from sdtm.domains.reference_ranges import check_toxicity
from sdtm.domains.trial_design import design_rows, trial_design
from sdtm.domains.trial_summary import DOMAIN as SUMMARY
from sdtm.domains.trial_summary import check_summary, trial_summary
from sdtm.domains.visits import date_fields, visit_events
from sdtm.mapping.declared_rows import (
    DECLARED,
    checked_rows,
    declared_dataset,
    declared_rows,
)
from sdtm.mapping.domain_mapping import DomainMapping
from sdtm.mapping.not_submitted import FILE, not_submitted, without_record
from sdtm.mapping.reading import Reader

OTHER_FILES = (FILE, RELATIONS, *(f"sdtm/{name.lower()}.yaml" for name in (*DECLARED, SUMMARY)))
"""Files beside the mappings of domains."""


@dataclass(frozen=True)
class Tabulation:
    """What tabulation made.

    ``withheld``: source_row, field, domain, reason of each stored value that is in no dataset. ``not_submitted``: form,
    field, reason, record (blank: of every record). ``transliterations``: domain, variable, original, transliterated,
    records.
    """

    datasets: dict[str, Dataset]
    withheld: pd.DataFrame
    not_submitted: pd.DataFrame
    transliterations: pd.DataFrame


def read_mappings(study: Study, project: Project, terminology: Terminology) -> dict[str, DomainMapping]:
    """Read and check every mapping file of a study, by domain; raises StudyError for all that does not fit."""
    with Gather() as gather:
        return read_each(study, project, terminology, gather)


def read_each(study: Study, project: Project, terminology: Terminology, gather: Gather) -> dict[str, DomainMapping]:
    """Return the mappings that fit; ``gather`` gets what is wrong with the others."""
    made: dict[str, DomainMapping] = {}
    paths = [path for path in sorted((study.folder / "sdtm").glob("*.yaml")) if f"sdtm/{path.name}" not in OTHER_FILES]
    for path in paths:
        with gather.part():
            mapping = Reader(study, project, terminology, f"sdtm/{path.name}").read()
            if mapping.domain in made:
                twice = f"domain {mapping.domain} is mapped in {made[mapping.domain].file} as well"
                raise StudyError(twice, mapping.file)
            check_toxicity(study, mapping)
            made[mapping.domain] = mapping
    with gather.part():
        if not paths:
            raise StudyError("there are no mappings", f"{study.name}/sdtm")
    with gather.part():
        check_text_dates(study.config, project.dictionary.fields)
    with gather.part():
        check_identity(study, {name: found.form for name, found in project.dictionary.fields.items()})
    with gather.part():
        if "SE" in made:
            check_elements(study, terminology, epoch_codelists(made["SE"]))
    with gather.part():
        check_planned(study, terminology)
    with gather.part():
        check_summary(study, terminology)
    with gather.part():
        if len(made) == len(paths):
            check_relations(study, project, made)
    return made


def check_planned(study: Study, terminology: Terminology) -> None:
    """Raise StudyError for all that does not fit in the datasets of trial design."""
    with Gather() as gather:
        for name, rows in design_rows(study).items():
            with gather.part():
                checked_rows(study, terminology, name, rows)
        for name in DECLARED:
            with gather.part():
                checked_rows(study, terminology, name, declared_rows(study, name))


def planned(study: Study, terminology: Terminology) -> dict[str, Dataset]:
    """Return the datasets of trial design that need no subject: TA, TE, TV, and those declared row by row."""
    made = trial_design(study, terminology)
    for domain in DECLARED:
        rows = declared_rows(study, domain)
        if rows:
            made[domain] = declared_dataset(study, terminology, domain, rows)
    return made


def mapped_fields(study: Study, mappings: dict[str, DomainMapping], project: Project) -> dict[str, list[str]]:
    """Return the domains that read each field of the dictionary."""
    made: dict[str, list[str]] = {}
    for domain, mapping in mappings.items():
        named = mapping.fields()
        for block in mapping.blocks:
            if block.each == "visit":
                dated = date_fields(block, project, visit_events(study), study.visit_of_form)
                named += [name for names in dated.values() for name in names]
        for name in dict.fromkeys(named):
            made.setdefault(name, []).append(domain)
    for name, domain in relation_fields(study).items():
        made.setdefault(name, []).append(domain)
    declared = study.config["identity"]
    for key in ("subject", "site"):
        if isinstance(declared.get(key), str):
            made.setdefault(str(declared[key]), []).append("DM")
    return made


def tabulate(study: Study, records: Records, terminology: Terminology) -> Tabulation:
    """Return the SDTM datasets of a study's records, sorted by their keys, with lineage and what was left out.

    Raises StudyError if a mapping does not fit the dictionary, the guide or the terminology.
    """
    project = records.project
    mappings = read_mappings(study, project, terminology)
    mapped = set(mapped_fields(study, mappings, project))
    declared = not_submitted(study, project.dictionary, mapped)
    forms = Forms(records, study.visit_of_form)
    engine = Engine(study, terminology, mappings, forms, identify(study, forms))
    engine.run()
    finished = {domain: finish(mappings[domain], engine.tables[domain]) for domain in sorted(mappings)}
    linked = related(study, RelatableRecords(forms, engine.identity, engine.tables, finished))
    datasets = _datasets(study, mappings, finished, linked) | planned(study, terminology)
    summary = trial_summary(study, terminology, datasets.get("DM"))
    if summary is not None:
        datasets[summary.name] = summary
    unused = {name for _, name, _ in without_record(study, project.dictionary, mapped)}
    listed, superseded = parted(records, withheld(left_out(engine.tables, linked, unused), datasets))
    declared = pd.concat([declared.assign(record=""), superseded], ignore_index=True).astype("str")
    return Tabulation(datasets, listed, declared, _transliterations(finished))


def _datasets(
    study: Study, mappings: dict[str, DomainMapping], finished: dict[str, Finished], linked: Related
) -> dict[str, Dataset]:
    """Return the domains, their supplemental qualifiers and their relations, with lineage."""
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
