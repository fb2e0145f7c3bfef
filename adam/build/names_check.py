"""The names and labels of an analysis dataset as SAS transport files can hold them, without data."""

from __future__ import annotations

import re

from adam.build.dataset_metadata import LABEL_BYTES, guides
from adam.build.specification import AnalysisSpecification
from metadata.errors import Gather
from metadata.study import Study

VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,7}", re.ASCII)
CODE = re.compile(r"[A-Z_][A-Z0-9_]{0,7}", re.ASCII)


def check_names(specification: AnalysisSpecification, study: Study) -> None:
    """Raise StudyError for names that a transport file cannot have, keys named twice and variables without label."""
    with Gather() as gather:
        _check_form(specification, gather)
        made = {name for step in specification.steps for name in step.derivation.makes}
        for name in specification.variables:
            with gather.part():
                if name in made and not _has_label(specification, name, study):
                    raise specification.error(f"{name} needs a label of at most {LABEL_BYTES} bytes", "variables")


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


def _has_label(specification: AnalysisSpecification, name: str, study: Study) -> bool:
    """Return True where the mapping, the variable's source or the guide gives a label."""
    said = specification.variables[name].label
    if said:
        return len(said.encode()) <= LABEL_BYTES
    makers = [step.derivation for step in specification.steps if name in step.derivation.makes]
    copied = any((maker.inherits(name) or ("", ""))[1] == name for maker in makers)
    return copied or not makers or any(book.find(name) for book in guides(specification, study))
