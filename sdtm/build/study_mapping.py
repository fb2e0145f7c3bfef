"""The mapping of a study: its files read once, with everything that they must fit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from metadata.errors import Gather, StudyError, nearest
from metadata.project import Project
from metadata.study import Study
from metadata.study_check import check_text_dates
from metadata.terminology import Terminology
from sdtm.build.data_cut_check import check_data_cut
from sdtm.build.declared_and_used import check_used
from sdtm.build.engine import epoch_codelists
from sdtm.build.mapped_and_made import check_mapped
from sdtm.build.plain_terms import check_plain
from sdtm.build.relations import FILE as RELATIONS
from sdtm.build.relations import check_relations, relation_fields
from sdtm.domains.elements import check_elements
from sdtm.domains.identity import check_identity, check_site
from sdtm.domains.reference_ranges import check_ranges, check_toxicity
from sdtm.domains.trial_design import design_rows
from sdtm.domains.trial_summary import DOMAIN as SUMMARY
from sdtm.domains.trial_summary import check_summary
from sdtm.domains.visits import date_fields, visit_events
from sdtm.mapping.criteria import check_criteria
from sdtm.mapping.declared_rows import DECLARED, checked_rows, declared_rows
from sdtm.mapping.domain_mapping import DomainMapping
from sdtm.mapping.not_submitted import FILE
from sdtm.mapping.reading import Reader

OTHER_FILES = (FILE, RELATIONS, *(f"sdtm/{name.lower()}.yaml" for name in (*DECLARED, SUMMARY)))
"""Files next to the mappings of domains."""


@dataclass(frozen=True)
class StudyMapping:
    """All mapping files of a study, read and checked against one project, by domain."""

    study: Study
    terminology: Terminology
    project: Project
    domains: dict[str, DomainMapping]

    @cached_property
    def fields(self) -> dict[str, list[str]]:
        """The domains that read each field of the dictionary."""
        made: dict[str, list[str]] = {}
        for domain, mapping in self.domains.items():
            named = mapping.fields()
            for block in mapping.blocks:
                if block.each == "visit":
                    dated = date_fields(block, self.project, visit_events(self.study), self.study.visit_of_form)
                    named += [name for names in dated.values() for name in names]
            for name in dict.fromkeys(named):
                made.setdefault(name, []).append(domain)
        for name, domain in relation_fields(self.study).items():
            made.setdefault(name, []).append(domain)
        declared = self.study.identity
        for field in (declared.subject, declared.site):
            if isinstance(field, str):
                made.setdefault(field, []).append("DM")
        return made


def read_mapping(study: Study, project: Project, terminology: Terminology) -> StudyMapping:
    """Read and check every mapping file of a study; raises StudyError for all that does not fit.

    It is checked against the project's dictionary, the guide and the terminology.
    """
    with Gather() as gather:
        return StudyMapping(study, terminology, project, read_each(study, project, terminology, gather))


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
            made[mapping.domain] = mapping
            with gather.part():
                check_used(study.read_yaml(f"sdtm/{path.name}"), mapping, study, project)
            with gather.part():
                check_plain(mapping)
            check_toxicity(study, mapping)
            if mapping.ranges_file:
                check_ranges(study, mapping, terminology)
    with gather.part():
        check_mapped(study, terminology, made)
    with gather.part():
        if not paths:
            raise StudyError("there are no mappings", f"{study.name}/sdtm")
    check_text_dates(study, project, gather)
    with gather.part():
        check_identity(study, {name: found.form for name, found in project.dictionary.fields.items()})
    with gather.part():
        if "DM" in made:
            check_site(study)
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
    with gather.part():
        if len(made) == len(paths):
            check_data_cut(study, terminology, made)
    with gather.part():
        if len(made) == len(paths):
            _check_comments(made)
    return made


def _check_comments(mappings: dict[str, DomainMapping]) -> None:
    """Raise StudyError for comments about a domain that no file maps."""
    with Gather() as gather:
        for mapping in mappings.values():
            for block in mapping.blocks:
                with gather.part():
                    if block.about and block.about not in mappings:
                        near = nearest(block.about, mappings)
                        problem = (
                            f"the comments of form '{block.form}' are about {block.about}, which no file maps{near}"
                        )
                        raise StudyError(problem, mapping.file, key="about")


def check_planned(study: Study, terminology: Terminology) -> None:
    """Raise StudyError for all that does not fit in the datasets of trial design."""
    with Gather() as gather:
        for name, rows in design_rows(study).items():
            with gather.part():
                checked_rows(study, terminology, name, rows)
        with gather.part():
            check_criteria(study)
        for name in DECLARED:
            with gather.part():
                checked_rows(study, terminology, name, declared_rows(study, name))
