"""The check of a study's files, without records: every problem with its place and the nearest right name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Any

from flows.memory import collecting_seldom
from metadata.errors import StudyError

ERROR, WARNING = "error", "warning"
MARK = "TODO(check)"
"""What an author, or a draft, writes into a comment where something is to be decided: ``# TODO(check): reason``."""
WAITING = "the study's other files are checked once this one is right"


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
    def of(cls, error: StudyError, severity: str = ERROR) -> CheckProblem:
        """Return a reader's error as a problem."""
        place = str(error.file or ""), error.line, error.key or ""
        return cls(severity, *place, error.message, error.suggestion)


def problems_of(study: str) -> list[CheckProblem]:
    """Return the problems of a study (a bundled name or a folder), by file and line; raises UsageError for no study."""
    found: dict[tuple[Any, ...], CheckProblem] = {}
    with collecting_seldom():
        for problem in [*_found(study), *_undecided(study)]:
            found.setdefault((problem.file, problem.line or 0, problem.key.casefold(), problem.message), problem)
    return [found[place] for place in sorted(found)]


def _found(name: str) -> Iterator[CheckProblem]:
    """Yield what is wrong; all other files need study.yaml and the REDCap project, and wait until these are right."""
    from flows.check_parts import CheckParts
    from flows.received_check_parts import ReceivedCheckParts
    from metadata.study import Study

    try:
        study = Study.open(name)
        project = study.project() if study.received is None else None
    except StudyError as error:
        yield from map(CheckProblem.of, error.each)
        yield CheckProblem(WARNING, str(error.file or ""), None, "", WAITING, "")
        return
    parts = ReceivedCheckParts(study) if project is None else CheckParts(study, project)
    for part in parts.all:
        yield from map(CheckProblem.of, parts.read(part))
    yield from (CheckProblem.of(doubt, WARNING) for doubt in parts.doubts())


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


def show_check(study: str, as_json: bool) -> None:
    """Print the problems, as JSON or to read; exits with 1 if there is an error."""
    problems = problems_of(study)
    if as_json:
        print(json.dumps([asdict(problem) for problem in problems], indent=2, ensure_ascii=False))  # noqa: T201
    else:
        _print(study, problems)
    if any(problem.severity == ERROR for problem in problems):
        raise SystemExit(1)


def show_progress(study: str) -> None:
    """Print how far the mapping of a study is."""
    from flows.mapping_progress import progress_of

    found = progress_of(study, problems_of(study))
    if found is not None:
        print(found)  # noqa: T201


def _print(study: str, problems: list[CheckProblem]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from flows.mapping_progress import progress_of

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
    progress = progress_of(study, problems)
    if progress is not None:
        console.print(Text(str(progress)), soft_wrap=True)
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


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
