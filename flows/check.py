"""The check of a study's files, without records: every problem with its place and the nearest right name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from itertools import groupby
from typing import Any

from flows.later import load_later
from metadata.errors import StudyError

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
    load_later()
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
    for part in _parts(study, project):
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


def _parts(study: Any, project: Any) -> list[Part]:
    """Return what each reader finds, in the order of the pipeline."""
    from adam.build.declaration_check import check_analyses, declared_names
    from adam.build.specification import AnalysisSpecification, read_specifications
    from adam.build.variable_kinds import kinds_by_dataset
    from metadata.condition import DatasetKinds
    from metadata.standards import sdtm_domains
    from metadata.study_check import check_study, check_terminology
    from metadata.terminology import Terminology, pinned_path
    from reports.declaration_check import check_reports
    from reports.html.plan import read_plan
    from reports.results.builder import PUBLISHED_KINDS
    from sdtm.build.mapping_check import check_mappings, kinds_by_domain
    from sdtm.build.pinned_codelists import unpinned
    from validation.acceptance.rules import check_acceptance
    from validation.checks.declaration import load_checks, severities
    from validation.conformance.check import RULES
    from validation.conformance.explanations import read_explanations
    from validation.second_derivation.check import check_second_derivation
    from validation.second_derivation.declaration import FILE, RESULTS

    def mappings() -> list[StudyError]:
        terminology = Terminology.open(study)
        found = check_mappings(study, project, terminology)
        lacking = unpinned(study, terminology)
        shown = f"{study.name}/{pinned_path(study).relative_to(study.folder).as_posix()}"
        problem = f"the pinned terminology lacks {', '.join(lacking)}: write it again with redcap-cdisc pin"
        return [*found, StudyError(problem, shown)] if lacking else found

    def raw_checks() -> list[StudyError]:
        severities(study)
        load_checks(study, project)
        return []

    def second_derivation() -> Iterable[StudyError]:
        if not study.path(FILE).is_file():
            return []
        compared = {name: datasets()[name] for name in declared_names(study)}
        outputs = {RESULTS: PUBLISHED_KINDS} if study.path("reports.yaml").is_file() else {}
        plan = study.path(str(study.config["study"].get("analysis_plan", "sap.md")))
        return check_second_derivation(
            study, {**compared, **outputs}, read_plan(study).sections if plan.is_file() else []
        )

    @cache
    def specifications() -> list[AnalysisSpecification]:
        return read_specifications(study)

    @cache
    def datasets() -> DatasetKinds:
        """All datasets with the kinds of their variables; those of analyses are not known if one has mistakes."""
        tabulated = kinds_by_domain(study)
        try:
            analyses: DatasetKinds = kinds_by_dataset(specifications(), study, tabulated)
        except StudyError:
            analyses = {name: {} for name in declared_names(study)}
        return {**analyses, **tabulated}

    def explanations() -> list[StudyError]:
        domains = sdtm_domains(study.standards["sdtmig"])
        read_explanations(study, RULES, {*declared_names(study), *domains, *(f"SUPP{name}" for name in domains)})
        return []

    return [
        lambda: check_study(study, project),
        lambda: check_terminology(study),
        mappings,
        raw_checks,
        lambda: check_analyses(study, datasets(), specifications()),
        lambda: check_reports(study, datasets()),
        second_derivation,
        lambda: check_acceptance(study, datasets()),
        explanations,
    ]


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
