"""The fields of which a mapping reads some records only, each with the place of the condition in the mapping."""

from __future__ import annotations

from collections.abc import Iterator

from sdtm.build.study_mapping import StudyMapping
from sdtm.mapping.domain_mapping import Block


def limited_fields(mapping: StudyMapping) -> dict[str, str]:
    """Return by export column the places of the conditions, of fields that are read nowhere without one.

    A condition is ``where`` or ``events`` of a block, or ``where`` of a test.
    """
    free: set[str] = set()
    places: dict[str, list[str]] = {}
    for domain in mapping.domains.values():
        for block in domain.blocks:
            for names, condition in _readings(block):
                if not condition:
                    free.update(names)
                for name in names if condition else ():
                    places.setdefault(name, []).append(f"{block.place or domain.file}: {condition}")
    fields = mapping.project.dictionary.fields
    return {
        column: "; ".join(dict.fromkeys(said))
        for name, said in places.items()
        if name not in free
        for column in fields[name].columns
    }


def _readings(block: Block) -> Iterator[tuple[list[str], str]]:
    """Yield what a block reads, each time with the condition under which it does; blank if there is none."""
    events = f"events {', '.join(block.events)}" if block.events else ""
    whole = [part for part in (f"where {block.where}" if block.where else "", events) if part]
    if whole:
        yield block.fields(), " and ".join(whole)
        return
    limited = [test for test in block.tests if test.where]
    of_tests = {name for test in limited for name in test.fields()}
    others = {name for test in block.tests if not test.where for name in test.fields()}
    own = {name for made in block.variables.values() for name in made.fields()}
    own |= {name for one in block.supplemental for name in one.operation.fields()}
    yield [name for name in block.fields() if name not in of_tests or name in others | own], ""
    for test in limited:
        yield test.fields(), f"where {test.where} of the test {test.key}"
