"""What is known of the variables without data: their names, and their kinds (see ``metadata.variable_kind``)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from adam.build.dataset_metadata import guides
from adam.build.derivation_order import ordered_steps
from adam.build.specification import AnalysisSpecification, DerivationStep, needed_first
from adam.language.derivation import Derivation
from metadata.analysis_guide import Guide
from metadata.condition import Condition, DatasetKinds
from metadata.declaration import alternatives, annotations_of, role_of
from metadata.errors import Gather, StudyError
from metadata.study import Study
from metadata.variable_kind import CHAR, MOMENTS, NUM, ClosedText, PlainNumber, kind_of
from metadata.yaml_source import LocatedDict


def kinds_by_dataset(
    specifications: list[AnalysisSpecification], study: Study, tabulated: DatasetKinds
) -> dict[str, dict[str, str]]:
    """Return the kind, or "" where it is not known, of the variables of each analysis dataset.

    ``tabulated`` are those of the SDTM datasets. Raises StudyError for datasets that wait for one another in a circle.
    """
    made: dict[str, dict[str, str]] = {}
    for specification in needed_first(specifications):
        every = kinds_within(specification, study, {**tabulated, **made})
        made[specification.name] = {name: every.get(name, "") for name in specification.variables}
    return made


def kinds_within(specification: AnalysisSpecification, study: Study, others: DatasetKinds) -> dict[str, str]:
    """Return the kinds of all variables of a dataset in the making: those of its source, and those that it makes.

    None are known if nothing is known of the source.
    """
    source = others.get(specification.header.source.dataset, {})
    if not source:
        return {}
    known_guides, kinds = guides(specification, study), dict(source)
    for step in _ordered(specification, source):
        for name in step.derivation.gives():
            before, known = kinds.get(name, ""), {**others, "": kinds}
            kind = before or _kind(name, step.derivation, specification, known_guides, known)
            kinds[name] = _with_texts(kind, before, step.derivation.closed_texts(name, known))
    return kinds


def _with_texts(kind: str, before: str, more: ClosedText | None) -> str:
    """Return a kind with the texts that a variable had before and those that a derivation gives, if both are closed."""
    if kind != CHAR or more is None or (before and not isinstance(before, ClosedText)):
        return CHAR if kind == CHAR else kind
    return before.with_more(more) if isinstance(before, ClosedText) else more


def _ordered(specification: AnalysisSpecification, source: Collection[str]) -> Sequence[DerivationStep]:
    """Return the steps in the order in which they are done; as they are written if that is not known."""
    try:
        return ordered_steps(specification, source)
    except StudyError:
        return specification.steps


def _kind(
    name: str,
    derivation: Derivation,
    specification: AnalysisSpecification,
    known_guides: list[Guide],
    others: DatasetKinds,
) -> str:
    """Return what the dataset says of a variable, else what the derivation makes, else what the guide says."""
    said = specification.variables.get(name)
    if said and kind_of("Num", said.format) in MOMENTS:
        return kind_of("Num", said.format)
    made = derivation.kind(name, others)
    if made and (made != NUM or isinstance(made, PlainNumber)):
        return made
    if said and said.type:
        return said.type
    known = next((found for found in (guide.find(name) for guide in known_guides) if found), None) if said else None
    return made or (known.type if known else "")


def check_conditions(declared: Any, name: str, kinds: DatasetKinds) -> None:
    """Raise StudyError for variables of conditions that no dataset has, and that are tested as another kind.

    ``name`` is that of the dataset in the making, whose variables ``kinds`` has under no name.
    """
    with Gather() as gather:
        for dataset, condition in conditions_in(declared):
            known = kinds.get(dataset, {})
            with gather.part():
                if known:
                    condition.check(known, dataset or name)


def conditions_in(declared: Any, dataset: str = "") -> Iterator[tuple[str, Condition]]:
    """Yield the conditions of a declaration, each with the other dataset that it is on, blank for the own one."""
    if isinstance(declared, tuple | list):
        for part in declared:
            yield from conditions_in(part, dataset)
    elif isinstance(declared, dict):
        yield from conditions_in(list(declared.values()), dataset)
    elif is_dataclass(declared) and not isinstance(declared, type):
        dataset = getattr(declared, "dataset", dataset)
        for name, is_other in _fields(type(declared)):
            value = getattr(declared, name)
            if isinstance(value, Condition):
                yield dataset if is_other else "", value
            elif not isinstance(value, str | LocatedDict):
                yield from conditions_in(value, dataset)


@cache
def _fields(declared: type) -> tuple[tuple[str, bool], ...]:
    """Return the names of a dataclass's fields, and whether each speaks of another dataset."""
    kinds = annotations_of(declared)
    return tuple(
        (one.name, any(role_of(part) == "other" for part in (kinds[one.name], *alternatives(kinds[one.name]))))
        for one in fields(declared)
    )
