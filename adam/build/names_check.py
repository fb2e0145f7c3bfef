"""The names of the analysis datasets, without data: what is read must be made before, what is kept must be made.

A dataset of which nothing is known (its mapping has mistakes of its own) may have any variable.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, get_type_hints

from adam.build.dataset_metadata import LABEL_BYTES, guides, missing_variables
from adam.build.derivation_order import in_order, with_copies
from adam.build.specification import AnalysisSpecification, needed_first
from adam.derivations.merging import Lookup
from metadata.condition import Condition
from metadata.declaration import names_in
from metadata.errors import Gather, StudyError, nearest
from metadata.study import Study
from metadata.yaml_source import LocatedDict

VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,7}", re.ASCII)
CODE = re.compile(r"[A-Z_][A-Z0-9_]{0,7}", re.ASCII)
DatasetNames = Mapping[str, Collection[str]]


def check_names(specifications: list[AnalysisSpecification], study: Study, tabulated: DatasetNames) -> list[StudyError]:
    """Return all that is wrong with the names of the analysis datasets.

    ``tabulated`` are the names of the variables that each SDTM dataset can have.
    """
    gather = Gather()
    known = dict(tabulated)
    for specification in needed_first(specifications):
        with gather.part():
            _check_form(specification, gather)
        with gather.part():
            _check_guide(specification, study)
        with gather.part():
            _check_others(specification, known, gather)
        with gather.part():
            _check_made(specification, known.get(specification.header.source.dataset, ()), study, gather)
        known[specification.name] = list(specification.variables)
    return gather.found


def _check_form(specification: AnalysisSpecification, gather: Gather) -> None:
    """Check that the names are those of SAS transport files, and that PARAMCD is one."""
    header = specification.header
    for name, key in [(header.dataset, "dataset"), *((name, "variables") for name in specification.variables)]:
        with gather.part():
            if not VARIABLE.fullmatch(name):
                problem = f"'{name}' is no name: capital letters, digits and _, at most 8, a letter first"
                raise specification.error(problem, key)
    for step in specification.steps:
        given = getattr(step.derivation, "paramcd", ())
        for code in [given] if isinstance(given, str) else list(given):
            with gather.part():
                if not CODE.fullmatch(code):
                    raise step.error(f"PARAMCD '{code}' has to be at most 8 capital letters, digits and _")
    for key in header.keys:
        with gather.part():
            if header.keys.count(key) > 1:
                raise specification.error(f"the key {key} is named twice", "keys")


def _check_guide(specification: AnalysisSpecification, study: Study) -> None:
    """Check that the dataset has the variables that its structure requires."""
    missing = missing_variables(specification, study)
    if missing:
        problem = f"{specification.name} lacks {', '.join(missing)}, which {specification.header.guide} requires"
        raise specification.error(problem, "variables")


def _check_others(specification: AnalysisSpecification, known: DatasetNames, gather: Gather) -> None:
    """Check the variables that are taken from other datasets."""
    for step in specification.steps:
        for dataset, name in _other_names(step.derivation):
            with gather.part():
                there = known.get(dataset, ())
                if there and name not in there:
                    raise step.error(f"{dataset} has no variable {name}{nearest(name, there)}")


def _check_made(specification: AnalysisSpecification, source: Collection[str], study: Study, gather: Gather) -> None:
    """Check that all that is read and kept is there, and that the derivations need one another in no circle."""
    if not source:
        return
    specification = with_copies(specification, source)
    steps = in_order(specification, source)
    made = {name for step in steps for name in (*step.derivation.makes, *step.derivation.changes())}
    for name in specification.variables:
        with gather.part():
            if name not in made:
                raise specification.error(f"no derivation makes {name}{nearest(name, made | set(source))}", "variables")
    for name in specification.header.keys:
        with gather.part():
            if name not in made | set(source):
                raise specification.error(f"there is no variable {name}{nearest(name, made)}", "keys")
    for name in specification.variables:
        with gather.part():
            if name in made and not _has_label(specification, name, study):
                raise specification.error(f"{name} needs a label of at most {LABEL_BYTES} bytes", "variables")


def _has_label(specification: AnalysisSpecification, name: str, study: Study) -> bool:
    """Return True where the mapping, the variable's source or the guide gives a label."""
    said = specification.variables[name].label
    if said:
        return len(said.encode()) <= LABEL_BYTES
    makers = [step.derivation for step in specification.steps if name in step.derivation.makes]
    copied = any((maker.inherits(name) or ("", ""))[1] == name for maker in makers)
    return copied or not makers or any(book.find(name) for book in guides(specification, study))


def _other_names(declared: Any, dataset: str = "") -> Iterator[tuple[str, str]]:
    """Yield dataset and variable of each name of another dataset in a declaration, those of conditions left out."""
    if isinstance(declared, tuple | list):
        for part in declared:
            yield from _other_names(part, dataset)
    elif isinstance(declared, dict) and not isinstance(declared, LocatedDict):
        yield from _other_names(list(declared.values()), dataset)
    elif is_dataclass(declared) and not isinstance(declared, type | Condition):
        dataset = str(getattr(declared, "dataset", dataset) or "")
        if isinstance(declared, Lookup):
            yield from ((dataset, name) for name in declared.by)
        for name, kind in _fields(type(declared)):
            value = getattr(declared, name)
            if not isinstance(value, Condition):
                yield from ((dataset, one.removeprefix("-")) for one in _named(kind, value) if dataset)
            yield from _other_names(value, dataset)


def _named(kind: Any, value: Any) -> Iterator[str]:
    """Yield the names of another dataset that a value holds itself, not those of declarations within it."""
    return names_in(kind, value, "other") if not _holds_declarations(value) else iter(())


def _holds_declarations(value: Any) -> bool:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, tuple | list) else (value,)
    return any(is_dataclass(part) and not isinstance(part, type) for part in parts)


@cache
def _fields(declared: type) -> tuple[tuple[str, Any], ...]:
    kinds = get_type_hints(declared, include_extras=True)
    return tuple((one.name, kinds[one.name]) for one in fields(declared))
