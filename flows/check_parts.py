"""What each reader of a study finds wrong in its files, in the order of the pipeline; none reads a record.

The libraries of a part are loaded when it runs: those that need none of the heavy ones make a check start at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from metadata.errors import StudyError

if TYPE_CHECKING:
    from adam.build.parameter_check import StandardUnits
    from adam.build.specification import AnalysisSpecification
    from metadata.condition import DatasetKinds
    from metadata.project import Project
    from metadata.study import Study
    from metadata.terminology import Terminology
    from sdtm.build.study_mapping import StudyMapping
    from sdtm.mapping.domain_mapping import DomainMapping

Part = Callable[[], Iterable[StudyError]]
FILES = {
    "structure": "redcap", "received": "study.yaml", "declaration": "study.yaml", "sources": "study.yaml",
    "terms": "terminology.yaml",
    "mappings": "sdtm", "codelists": "terminology", "raw_checks": "checks.yaml", "answers": "study.yaml",
    "analyses": "adam", "reports": "reports.yaml", "second_derivation": "verify/verify.yaml",
    "acceptance": "acceptance.yaml", "explanations": "conformance.yaml", "guides": "guides.yaml",
    "approvers": "approvers.yaml",
    "monitoring": "monitoring.yaml",
}  # fmt: skip
"""The file or folder of each part, the place of what says none."""


def with_place(error: StudyError, part: Part, study: Study) -> StudyError:
    """Return the error; one that names no file gets the file or folder of the part that found it."""
    if error.file:
        return error
    return StudyError(error.message, f"{study.name}/{FILES[part.__name__]}", error.line, error.key)


class AnalysisParts:
    """The parts of the check that are about datasets, whatever these are made from."""

    def __init__(self, study: Study) -> None:
        self.study = study

    @property
    def datasets(self) -> DatasetKinds:
        """All datasets that a build has, with the kinds of their variables."""
        raise NotImplementedError

    @property
    def units(self) -> StandardUnits:
        """The standard units of the tests, as far as they are declared."""
        return {}

    def read(self, part: Part) -> Iterable[StudyError]:
        """Yield what one part finds, what it raises as well, each with a place."""
        try:
            found = list(part())
        except StudyError as error:
            found = list(error.each)
        return [with_place(error, part, self.study) for error in found]

    def terms(self) -> Iterable[StudyError]:
        """terminology.yaml."""
        from metadata.study_check import check_terminology

        return check_terminology(self.study)

    def codelists(self) -> Iterable[StudyError]:
        """The codelists that the study pins."""
        from metadata.terminology import pinned_path
        from sdtm.build.pinned_codelists import unpinned

        lacking = unpinned(self.study, self._terminology)
        shown = f"{self.study.name}/{pinned_path(self.study).relative_to(self.study.folder).as_posix()}"
        problem = f"the pinned terminology lacks {', '.join(lacking)}: write it again with redcap-cdisc pin"
        return [StudyError(problem, shown)] if lacking else []

    def analyses(self) -> Iterable[StudyError]:
        """adam/*.yaml with the tables that they name."""
        from adam.build.declaration_check import check_analyses

        return check_analyses(self.study, self.datasets, self._specifications, self._terminology, self.units)

    def reports(self) -> Iterable[StudyError]:
        """reports.yaml and the analysis plan."""
        from reports.declaration_check import check_reports

        return check_reports(self.study, self.datasets)

    def second_derivation(self) -> Iterable[StudyError]:
        """verify/verify.yaml and its queries."""
        from adam.build.declaration_check import declared_names
        from reports.results.builder import PUBLISHED_KINDS
        from reports.results.plan import read_plan
        from validation.second_derivation.check import check_second_derivation
        from validation.second_derivation.declaration import FILE, RESULTS

        study = self.study
        if not study.path(FILE).is_file():
            return []
        compared = {name: self.datasets[name] for name in declared_names(study)}
        outputs = {RESULTS: PUBLISHED_KINDS} if study.path("reports.yaml").is_file() else {}
        plan = study.path(study.declared.study.analysis_plan)
        sections = read_plan(study).sections if plan.is_file() else []
        tabulated = {name: kinds for name, kinds in self.datasets.items() if name not in compared}
        return check_second_derivation(study, {**compared, **outputs}, sections, tabulated)

    def acceptance(self) -> Iterable[StudyError]:
        """acceptance.yaml."""
        from validation.acceptance.rules import check_acceptance

        return check_acceptance(self.study, self.datasets)

    def explanations(self) -> Iterable[StudyError]:
        """conformance.yaml."""
        from adam.build.declaration_check import declared_names
        from sdtm.build.mapping_check import kinds_of_model
        from validation.conformance.check import RULES
        from validation.conformance.explanations import read_explanations

        analyses: DatasetKinds = {name: {} for name in declared_names(self.study)}
        read_explanations(self.study, RULES, {**analyses, **kinds_of_model(self.study)})
        return []

    def approvers(self) -> Iterable[StudyError]:
        """approvers.yaml."""
        from release.approvers import check_approvers

        return check_approvers(self.study)

    def analyses_with(self, tabulated: DatasetKinds) -> DatasetKinds:
        """Return tabulations and analyses; those of the latter are not known if one has mistakes."""
        from adam.build.declaration_check import declared_names
        from adam.build.variable_kinds import kinds_by_dataset

        try:
            analyses: DatasetKinds = kinds_by_dataset(self._specifications, self.study, tabulated)
        except StudyError:
            analyses = {name: {} for name in declared_names(self.study)}
        return {**analyses, **tabulated}

    @cached_property
    def _terminology(self) -> Terminology:
        from metadata.terminology import Terminology

        return Terminology.open(self.study)

    @cached_property
    def _specifications(self) -> list[AnalysisSpecification]:
        from adam.build.specification import read_specifications

        return read_specifications(self.study)


class CheckParts(AnalysisParts):
    """The parts of the check of a study with a REDCap project; what several of them need is read once."""

    def __init__(self, study: Study, project: Project) -> None:
        super().__init__(study)
        self.project = project

    @property
    def all(self) -> list[Part]:
        """All parts, in the order of the pipeline."""
        return [
            self.structure,
            self.declaration,
            self.sources,
            self.terms,
            self.mappings,
            self.codelists,
            self.raw_checks,
            self.answers,
            self.analyses,
            self.reports,
            self.second_derivation,
            self.acceptance,
            self.explanations,
            self.guides,
            self.approvers,
            self.monitoring,
        ]

    def doubts(self) -> Iterable[StudyError]:
        """What may be meant and is better looked at: tests without ranges in a table that has some, unused grades."""
        from sdtm.domains.reference_ranges import without_ranges

        mapping = self._mapping[1]
        for domain in mapping.domains.values() if mapping else ():
            for key in without_ranges(self.study, domain) if domain.ranges_file else ():
                problem = f"the table of reference ranges has no {key}, so that its results have no range indicator"
                yield StudyError(problem, f"{self.study.name}/{domain.ranges_file}", None, key)
        with suppress(StudyError):  # what is wrong with adam/*.yaml is another part's
            yield from self._unused_items(list(mapping.domains.values()) if mapping else [])

    def _unused_items(self, domains: list[DomainMapping]) -> list[StudyError]:
        """Return the items of the study's own toxicity tables that nothing is graded by."""
        from adam.derivations.grades import Grade
        from metadata.toxicity_table import is_own, scheme_of

        used: dict[str, set[str]] = {}
        for domain in (one for one in domains if one.toxicity_scheme):
            tests = (test.toxicity for block in domain.blocks for test in block.tests)
            used.setdefault(domain.toxicity_scheme, set()).update(tests)
        for step in (step for specification in self._specifications for step in specification.steps):
            for scheme in step.derivation.schemes if isinstance(step.derivation, Grade) else ():
                used.setdefault(scheme.table, set()).update(scheme.items.values())
        problem = "no test and no parameter is graded by this item"
        return [
            StudyError(problem, f"{self.study.name}/{table}", None, item)
            for table in sorted(filter(is_own, used))
            for item in sorted(scheme_of(self.study, table).keys() - used[table])
        ]

    def structure(self) -> Iterable[StudyError]:
        """The copy of the REDCap project in the study's folder."""
        from metadata.project_check import check_project

        return check_project(self.project, f"{self.study.name}/redcap")

    def declaration(self) -> Iterable[StudyError]:
        """study.yaml against the project."""
        from metadata.study_check import check_study

        return check_study(self.study, self.project)

    def sources(self) -> Iterable[StudyError]:
        """The files beside REDCap, as far as they are there."""
        if not self.study.declared.sources:
            return []
        from extract.other_sources import check_files

        return check_files(self.study)

    def mappings(self) -> Iterable[StudyError]:
        """sdtm/*.yaml with the tables that they name."""
        return self._mapping[0]

    def raw_checks(self) -> Iterable[StudyError]:
        """checks.yaml."""
        from validation.checks.declaration import load_checks, severities

        severities(self.study)
        load_checks(self.study, self.project)
        return []

    def answers(self) -> Iterable[StudyError]:
        """The answers of the sites."""
        from validation.queries.answers import answer_rows

        answer_rows(self.study)
        return []

    def guides(self) -> Iterable[StudyError]:
        """guides.yaml."""
        from publish.guides.texts import check_absent, read_texts

        mapping = self._mapping[1]
        if mapping is None:
            read_texts(self.study)
            return []
        return check_absent(self.study, {name: domain.operations for name, domain in mapping.domains.items()})

    def monitoring(self) -> Iterable[StudyError]:
        """monitoring.yaml, which a study need not have."""
        from monitoring.declaration import check_plan

        return check_plan(self.study, self.project)

    @cached_property
    def _mapping(self) -> tuple[list[StudyError], StudyMapping | None]:
        from sdtm.build.mapping_check import checked_mapping

        return checked_mapping(self.study, self.project, self._terminology)

    @property
    def units(self) -> StandardUnits:
        """The standard units that the mapping gives the tests."""
        from sdtm.build.closed_texts import standard_units

        return standard_units(self._mapping[1]) if self._mapping[1] else {}

    @cached_property
    def datasets(self) -> DatasetKinds:  # type: ignore[override]  # read once
        """All datasets with the kinds of their variables."""
        from sdtm.build.mapping_check import kinds_of_tabulated

        return self.analyses_with(kinds_of_tabulated(self.study, self._mapping[1]))
