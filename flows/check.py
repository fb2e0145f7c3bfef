"""The check of a study's files, without records: every problem with its place and the nearest right name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

from metadata.errors import StudyError

if TYPE_CHECKING:
    from adam.build.specification import AnalysisSpecification
    from metadata.condition import DatasetKinds
    from metadata.project import Project
    from metadata.study import Study

ERROR, WARNING = "error", "warning"
MARK = "TODO(check)"
"""What an author, or a draft, writes into a comment where something is to be decided: ``# TODO(check): reason``."""
Part = Callable[[], Iterable[StudyError]]


@dataclass(frozen=True)
class CheckProblem:
    """One problem; ``line`` is None where a file as a whole is meant, ``suggestion`` blank where nothing is near."""

    severity: str
    file: str
    line: int | None
    key: str
    message: str
    suggestion: str

    @classmethod
    def of(cls, error: StudyError) -> CheckProblem:
        """Return a reader's error as a problem."""
        place = str(error.file or ""), error.line, error.key or ""
        return cls(ERROR, *place, error.message, error.suggestion)


def problems_of(study: str) -> list[CheckProblem]:
    """Return the problems of a study (a bundled name or a folder), by file and line; raises UsageError for no study."""
    found: dict[tuple[Any, ...], CheckProblem] = {}
    for problem in [*map(CheckProblem.of, _errors(study)), *_undecided(study)]:
        found.setdefault((problem.file, problem.line or 0, problem.key, problem.message), problem)
    return [found[place] for place in sorted(found)]


def _errors(name: str) -> Iterator[StudyError]:
    from metadata.study import Study

    try:
        study = Study.open(name)
        project = study.project()
    except StudyError as error:
        yield from error.each
        return
    for part in _Parts(study, project):
        try:
            yield from part()
        except StudyError as error:
            yield from error.each


def _undecided(name: str) -> Iterator[CheckProblem]:
    """Yield a warning for each place of a study's YAML files that a draft, or its author, marked as uncertain."""
    from metadata.study import Study

    folder = Study.find(name)
    for path in sorted(
        [
            *folder.glob("*.yaml"),
            *folder.glob("sdtm/*.yaml"),
            *folder.glob("adam/*.yaml"),
            *folder.glob("verify/*.yaml"),
        ]
    ):
        shown = f"{folder.name}/{path.relative_to(folder).as_posix()}"
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
            _, mark, reason = line.partition(f"{MARK}:")
            if mark:
                key = line.split("#")[0].strip() or line.strip(" #-")
                yield CheckProblem(WARNING, shown, number, key.split(":")[0].strip(" -{"), reason.strip(), "")


class _Parts:
    """What each reader finds in a study's files; several of them need the same declarations, which are read once."""

    def __init__(self, study: Study, project: Project) -> None:
        self.study, self.project = study, project

    def __iter__(self) -> Iterator[Part]:
        """The parts in the order of the pipeline."""
        yield self.study_file
        yield self.terminology
        yield self.mappings
        yield self.raw_checks
        yield self.analyses
        yield self.reports
        yield self.second_derivation
        yield self.acceptance
        yield self.explanations

    @cached_property
    def specifications(self) -> list[AnalysisSpecification]:
        from adam.build.specification import read_specifications

        return read_specifications(self.study)

    @cached_property
    def datasets(self) -> DatasetKinds:
        """All datasets with the kinds of their variables; those of analyses are not known if one has mistakes."""
        from adam.build.declaration_check import declared_names
        from adam.build.variable_kinds import kinds_by_dataset
        from sdtm.build.mapping_check import kinds_by_domain

        tabulated = kinds_by_domain(self.study)
        try:
            analyses: DatasetKinds = kinds_by_dataset(self.specifications, self.study, tabulated)
        except StudyError:
            analyses = {name: {} for name in declared_names(self.study)}
        return {**analyses, **tabulated}

    def study_file(self) -> Iterable[StudyError]:
        from metadata.study_check import check_study

        return check_study(self.study, self.project)

    def terminology(self) -> Iterable[StudyError]:
        from metadata.study_check import check_terminology

        return check_terminology(self.study)

    def mappings(self) -> Iterable[StudyError]:
        from metadata.terminology import Terminology, pinned_path
        from sdtm.build.mapping_check import check_mappings
        from sdtm.build.pinned_codelists import unpinned

        terminology = Terminology.open(self.study)
        found = check_mappings(self.study, self.project, terminology)
        lacking = unpinned(self.study, terminology)
        shown = f"{self.study.name}/{pinned_path(self.study).relative_to(self.study.folder).as_posix()}"
        problem = f"the pinned terminology lacks {', '.join(lacking)}: write it again with redcap-cdisc pin"
        return [*found, StudyError(problem, shown)] if lacking else found

    def raw_checks(self) -> Iterable[StudyError]:
        from validation.checks.declaration import load_checks, severities

        severities(self.study)
        load_checks(self.study, self.project)
        return []

    def analyses(self) -> Iterable[StudyError]:
        from adam.build.declaration_check import check_analyses

        return check_analyses(self.study, self.datasets, self.specifications)

    def reports(self) -> Iterable[StudyError]:
        from reports.declaration_check import check_reports

        return check_reports(self.study, self.datasets)

    def second_derivation(self) -> Iterable[StudyError]:
        from adam.build.declaration_check import declared_names
        from reports.html.plan import read_plan
        from reports.results.builder import PUBLISHED_KINDS
        from validation.second_derivation.check import check_second_derivation
        from validation.second_derivation.declaration import FILE, RESULTS

        study = self.study
        if not study.path(FILE).is_file():
            return []
        compared = {name: self.datasets[name] for name in declared_names(study)}
        outputs = {RESULTS: PUBLISHED_KINDS} if study.path("reports.yaml").is_file() else {}
        plan = study.path(str(study.config["study"].get("analysis_plan", "sap.md")))
        sections = read_plan(study).sections if plan.is_file() else []
        return check_second_derivation(study, {**compared, **outputs}, sections)

    def acceptance(self) -> Iterable[StudyError]:
        from validation.acceptance.rules import check_acceptance

        return check_acceptance(self.study, self.datasets)

    def explanations(self) -> Iterable[StudyError]:
        from adam.build.declaration_check import declared_names
        from metadata.standards import sdtm_domains
        from validation.conformance.check import RULES
        from validation.conformance.explanations import read_explanations

        domains = sdtm_domains(self.study.standards["sdtmig"])
        known = {*declared_names(self.study), *domains, *(f"SUPP{name}" for name in domains)}
        read_explanations(self.study, RULES, known)
        return []


def show_check(study: str, as_json: bool) -> None:
    """Print the problems, as JSON or to read; exits with 1 if there is an error."""
    problems = problems_of(study)
    if as_json:
        print(json.dumps([asdict(problem) for problem in problems], indent=2, ensure_ascii=False))  # noqa: T201
    else:
        _print(study, problems)
    if any(problem.severity == ERROR for problem in problems):
        raise SystemExit(1)


def _print(study: str, problems: list[CheckProblem]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    for file, group in groupby(problems, key=lambda problem: problem.file):
        console.print(Text(file or study, style="bold"))
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(justify="right", min_width=6, style="dim", no_wrap=True)
        table.add_column(style="cyan", overflow="fold", max_width=24)
        table.add_column(overflow="fold")
        for problem in _together(list(group)):
            table.add_row(Text(str(problem.line or "")), Text(problem.key), Text(_problem_text(problem)))
        console.print(table)
    console.print(Text(_summary(study, problems), style="bold red" if problems else "bold green"))


def _together(problems: list[CheckProblem]) -> list[CheckProblem]:
    """Return the problems of one file to read: those without a line that differ by their key only, as one."""
    same: dict[str, list[CheckProblem]] = {}
    for problem in problems:
        alike = problem.line is None and problem.key and f"field '{problem.key}'" in problem.message
        message = problem.message.replace(f"field '{problem.key}'", "field") if alike else repr(problem)
        same.setdefault(message, []).append(problem)
    made = []
    for message, alike_ones in same.items():
        first, keys = alike_ones[0], ", ".join(problem.key for problem in alike_ones)
        several = replace(first, key="", message=f"{message.replace('field is', 'fields are', 1)}: {keys}")
        made.append(first if len(alike_ones) == 1 else several)
    return made


def _problem_text(problem: CheckProblem) -> str:
    return problem.message if problem.severity == ERROR else f"{problem.severity}: {problem.message}"


def _summary(study: str, problems: list[CheckProblem]) -> str:
    if not problems:
        return f"{study}: no problems found"
    files = len({problem.file for problem in problems})
    return f"{study}: {_count(len(problems), 'problem')} in {_count(files, 'file')}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")
