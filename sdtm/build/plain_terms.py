"""The texts that a mapping itself gives to variables: those that no dataset can hold are refused."""

from __future__ import annotations

from collections.abc import Iterator

from metadata.errors import Gather
from metadata.yaml_source import complain
from sdtm.columns.text import transliterated
from sdtm.mapping.domain_mapping import DomainMapping
from sdtm.operations.operation import Operation
from sdtm.operations.value_sets import values_of


def check_plain(mapping: DomainMapping) -> None:
    """Raise one StudyError for all constants and terms of a mapping with letters that have no ASCII in their place.

    They are those that the declared transliteration lacks, such as a Cyrillic letter that looks like a Latin one.
    """
    with Gather() as gather:
        for operation in dict.fromkeys(operations_of(mapping)):
            for text in values_of(operation) or ():
                with gather.part():
                    if unknown := transliterated(text)[1]:
                        problem = f"'{text}' holds characters that no dataset can hold: {unknown}"
                        raise complain(operation.spec, operation.key, problem)


def operations_of(mapping: DomainMapping) -> Iterator[Operation]:
    """Yield all operations that give values of a domain."""
    for made in mapping.operations.values():
        yield from made
    for block in mapping.blocks:
        yield from (one.operation for one in block.supplemental)
        for test in block.tests:
            yield from (one for one in (test.result, test.unit, test.reason) if one)
