"""The order of derivations, computed from what each reads and makes.

A word that adds records divides the list: what is written before it is done before it, what is written after it is
done for the added records too. Between two such words the written order matters only where nothing else decides.
"""

from __future__ import annotations

from collections.abc import Collection

from adam.build.specification import AnalysisSpecification, DerivationStep
from metadata.schema_errors import no_variable


def in_order(specification: AnalysisSpecification, source: Collection[str]) -> list[DerivationStep]:
    """Return the steps in an order in which each finds what it reads.

    Raises StudyError if a variable is made twice, hides one of the source, or is read but never made.
    """
    _check_made_once(specification, source)
    available = set(source)
    result: list[DerivationStep] = []
    segment: list[DerivationStep] = []
    for step in [*specification.steps, None]:
        if step is not None and not step.derivation.adds_rows:
            segment.append(step)
            continue
        result += _sorted(segment, available, specification)
        segment = []
        if step is not None:
            result += _sorted([step], available, specification)
    return result


def _sorted(
    segment: list[DerivationStep], available: set[str], specification: AnalysisSpecification
) -> list[DerivationStep]:
    """Return a segment in order, adding what it makes to ``available``."""
    waiting, result = list(segment), []
    while waiting:
        ready = next((step for step in waiting if set(step.derivation.reads) <= available), None)
        if ready is None:
            raise _stuck(waiting, available, specification)
        waiting.remove(ready)
        result.append(ready)
        available |= set(ready.derivation.makes)
    return result


def _stuck(waiting: list[DerivationStep], available: set[str], specification: AnalysisSpecification) -> Exception:
    made = {name for step in waiting for name in step.derivation.makes}
    for step in waiting:
        for name in step.derivation.reads:
            if name not in available | made:
                later = {other for one in specification.steps for other in one.derivation.makes}
                if name in later:
                    return step.error(f"{name} is made only after a word that adds records; write it before that word")
                return step.error(no_variable(specification.name, name, available | made))
    names = ", ".join(sorted(made))
    return waiting[0].error(f"these derivations wait for one another in a circle: {names}")


def _check_made_once(specification: AnalysisSpecification, source: Collection[str]) -> None:
    made: set[str] = set()
    for step in specification.steps:
        for name in step.derivation.makes:
            if name in made and not step.derivation.adds_rows:
                raise step.error(f"{name} is made twice; one derivation may not overwrite another")
            if name in source and step.derivation.inherits(name) != ("", name):
                raise step.error(f"{name} would hide the variable {name} of {specification.header.source.dataset}")
        made |= set(step.derivation.makes)
