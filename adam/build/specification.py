"""The declaration of one analysis dataset, read from the study's adam/<dataset>.yaml and checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import adam.derivations
from adam.language.derivation import DERIVATIONS, Derivation
from metadata.condition import OtherCondition
from metadata.declaration import Place, read_parameters
from metadata.declaration_limits import Written
from metadata.errors import Gather, StudyError, nearest
from metadata.registration import load_modules
from metadata.schema_errors import FILE, entry_twice, needed_key, quoted, wrong_type
from metadata.study import Study
from metadata.yaml_source import complain, file_of, line_of, list_at

FOLDER = "adam"
DISPLAY_FORMAT = Written(r"\$?[A-Z]*[0-9]*\.[0-9]*", "a format of SAS, such as DATE9. or 8.1")
load_modules(adam.derivations)


@dataclass(frozen=True)
class SourceRecords:
    """The dataset whose records the analysis dataset starts from, and which of them.

    With ``as_template`` they are not in the analysis dataset; they are templates for the records that derivations add.
    """

    dataset: str
    where: OtherCondition | None = None
    as_template: bool = False


@dataclass(frozen=True)
class ListedVariable:
    """What a mapping says of a variable beyond the guide and the variable's source."""

    label: str = ""
    type: Literal["Char", "Num"] | None = None
    codelist: str | None = None
    format: Annotated[str, DISPLAY_FORMAT] | None = None
    node: Place = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Header:
    """What a dataset's file says before its derivations."""

    dataset: str
    label: str
    guide: Literal["ADSL", "BDS", "OCCDS", "AE"]
    structure: str
    source: SourceRecords
    keys: tuple[str, ...]


@dataclass(frozen=True)
class DerivationStep:
    """One derivation with the place where it is written."""

    derivation: Derivation
    file: str | None = None
    line: int | None = None

    def error(self, message: str) -> StudyError:
        """Return the error that names this derivation's place."""
        return StudyError(message, self.file, self.line, self.derivation.key)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Give errors that are raised within the place of this derivation, unless they have one of their own."""
        try:
            yield
        except StudyError as error:
            first, *rest = [
                one if one.line or (one.file and one.file != self.file) else self.error(one.message)
                for one in error.each
            ]
            first.others = tuple(rest)
            raise first from None


@dataclass(frozen=True)
class AnalysisSpecification:
    """One analysis dataset as declared; ``lines`` are those of the file's keys and of the variables that it lists."""

    header: Header
    steps: tuple[DerivationStep, ...]
    variables: dict[str, ListedVariable]
    file: str | None = None
    lines: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the dataset."""
        return self.header.dataset

    def error(self, message: str, key: str | None = None) -> StudyError:
        """Return the error that names this file."""
        return StudyError(message, self.file, self.lines.get(key or ""), key)

    def uses(self) -> set[str]:
        """Names of the datasets that are read."""
        return {name for step in self.steps for name in step.derivation.datasets()} | {self.header.source.dataset}


def read_specifications(study: Study) -> list[AnalysisSpecification]:
    """Read all of a study's analysis datasets, in the order of their files' names."""
    files = sorted((study.folder / FOLDER).glob("*.yaml"))
    made: list[AnalysisSpecification] = []
    with Gather() as gather:
        for path in files:
            with gather.part():
                made.append(read_specification(study.read_yaml(f"{FOLDER}/{path.name}")))
        names = [specification.name for specification in made]
        for specification in made:
            with gather.part():
                if names.count(specification.name) > 1:
                    raise specification.error(f"{specification.name} is declared in two files", "dataset")
    return made


def needed_first(specifications: list[AnalysisSpecification]) -> list[AnalysisSpecification]:
    """Return the declarations so that each comes after those it reads; raises StudyError for a circle."""
    waiting, result = list(specifications), []
    while waiting:
        names = {specification.name for specification in waiting}
        ready = next((one for one in waiting if not (one.uses() & names) - {one.name}), None)
        if ready is None:
            raise waiting[0].error(f"these datasets wait for one another in a circle: {', '.join(sorted(names))}")
        waiting.remove(ready)
        result.append(ready)
    return result


def read_specification(node: Any) -> AnalysisSpecification:
    """Read one dataset's declaration; raises StudyError with file, line, key and the nearest name."""
    if not isinstance(node, dict):
        raise StudyError("a dataset's file is a mapping that begins with 'dataset'", file_of(node), line_of(node))
    for key in ("derivations", "variables"):
        if key not in node:
            raise needed_key(node, key, FILE)
    with Gather() as gather:
        with gather.part():
            header = _header(node)
        with gather.part():
            steps = read_steps(list_at(node, "derivations"))
        with gather.part():
            variables = _variables(node)
    lines = {**getattr(node["variables"], "lines", {}), **getattr(node, "lines", {})}
    return AnalysisSpecification(header, tuple(steps), variables, file_of(node), lines)


def read_steps(items: Any) -> list[DerivationStep]:
    """Read a list of derivations; raises StudyError with file, line, key and the nearest name."""
    steps: list[DerivationStep] = []
    with Gather() as gather:
        for index in range(len(items)):
            with gather.part():
                if isinstance(items[index], dict) and items[index] in items[:index]:
                    raise entry_twice(items, index, "derivations")
                steps.append(_step(items, index))
    return steps


def _header(node: Any) -> Header:
    shown = copy(node)
    del shown["derivations"], shown["variables"]
    header: Header = read_parameters(Header, shown, FILE)
    return header


def _step(items: Any, index: int) -> DerivationStep:
    item = items[index]
    if not isinstance(item, dict) or len(item) != 1:
        raise complain(items, index, "a derivation is a key with its parameters, e.g. '- study_day: {...}'")
    ((name, given),) = item.items()
    if name not in DERIVATIONS:
        raise complain(item, name, f"'{name}' is not a derivation{nearest(name, DERIVATIONS)}")
    if not isinstance(given, dict):
        raise wrong_type(item, name, given, "a mapping of parameters")
    step = DerivationStep(read_parameters(DERIVATIONS[name], given, quoted(name)), file_of(item), line_of(item, name))
    with step.place():
        if step.derivation.adds_rows and step.derivation.when:
            raise StudyError(
                "a derivation that adds records has no 'when'; narrow the records that it looks at instead"
            )
        step.derivation.check()
    return step


def _variables(node: Any) -> dict[str, ListedVariable]:
    declared = node["variables"]
    if not isinstance(declared, dict):
        raise wrong_type(node, "variables", declared, "a mapping of names, in the order of the dataset")
    made: dict[str, ListedVariable] = {}
    with Gather() as gather:
        for name, body in declared.items():
            with gather.part():
                if body is not None and not isinstance(body, dict):
                    raise wrong_type(declared, name, body, "a mapping, or nothing")
                made[name] = read_parameters(ListedVariable, body or {}, quoted(name))
    return made
