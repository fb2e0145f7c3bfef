"""Conditions of a mapping on tabulated variables against the texts that these can have: what never holds is refused."""

from __future__ import annotations

from collections.abc import Iterator

from metadata.condition import Condition, DatasetKinds
from metadata.errors import Gather
from sdtm.build.relations import relation_conditions
from sdtm.build.study_mapping import StudyMapping
from sdtm.domains.elements import element_conditions


def check_possible(mapping: StudyMapping, kinds: DatasetKinds) -> None:
    """Raise one StudyError for all conditions that name a text that the variable never has, or a variable never made.

    ``kinds`` are those of all tabulated variables, with the closed lists of their texts (``closed_texts``).
    """
    with Gather() as gather:
        for domain, condition in _conditions(mapping):
            with gather.part():
                if domain in kinds:
                    condition.check(kinds[domain], domain)


def _conditions(mapping: StudyMapping) -> Iterator[tuple[str, Condition]]:
    """Yield all conditions on tabulated variables, each with its domain."""
    for domain in mapping.domains.values():
        for operation in domain.table_operations.values():
            yield from operation.conditions()
    yield from element_conditions(mapping.study)
    yield from relation_conditions(mapping.study)
