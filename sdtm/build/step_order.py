"""The order in which domains are made, computed from what each step needs and gives.

A step is a part of a domain: the records it collects, one variable taken from other domains, its visits, days, epoch,
ranges, grades and flags. Domains may need one another (DM needs EX for RFXSTDTC, EX needs DM for EXSTDY), steps not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from metadata.errors import StudyError


@dataclass(frozen=True)
class TabulationStep:
    """One step: a name, what it needs and gives (DOMAIN.VARIABLE), and what to do."""

    name: str
    needs: frozenset[str]
    gives: frozenset[str]
    do: Callable[[], None]
    domain: str = ""


def in_order(steps: list[TabulationStep]) -> list[TabulationStep]:
    """Return the steps so that each comes after those that give what it needs; raises StudyError if that cannot be."""
    givers: dict[str, list[str]] = {}
    for step in steps:
        for variable in step.gives:
            givers.setdefault(variable, []).append(step.name)
    graph: dict[str, list[str]] = {}
    for step in steps:
        graph[step.name] = sorted({name for variable in step.needs for name in givers.get(variable, [])} - {step.name})
    by_name = {step.name: step for step in steps}
    try:
        return [by_name[name] for name in TopologicalSorter(graph).static_order()]
    except CycleError as error:
        circle = " needs ".join(reversed(error.args[1]))
        raise StudyError(f"the mappings need one another in a circle: {circle}") from None
