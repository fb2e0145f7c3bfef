"""The variables that a mapping file names, and those that continue a long text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from metadata.standards import GuideVariable
from metadata.yaml_source import LocatedDict, LocatedList

CONTINUED = {"CO": "COVAL", "TS": "TSVAL"}
"""Domains whose long texts go on in numbered variables instead of SUPP-- (SDTMIG 3.3, sections 5.1 and 7.4.2)."""
MOST = 9


def with_continuations(domain: str, variables: tuple[GuideVariable, ...]) -> tuple[GuideVariable, ...]:
    """Return the guide's variables with those that continue a long text: COVAL1, COVAL2, ... after COVAL."""
    if domain not in CONTINUED:
        return variables
    first = CONTINUED[domain]
    place = next(number for number, variable in enumerate(variables, start=1) if variable.name == first)
    parent = variables[place - 1]
    more = tuple(
        GuideVariable(f"{first}{number}", parent.label, "Char", "Perm", "", "", parent.order)
        for number in range(1, MOST + 1)
    )
    return (*variables[:place], *more, *variables[place:])


def variables_named(body: LocatedDict) -> set[str]:
    """Return the names of all variables that a mapping file declares, in blocks and in tests."""
    return set(_named(body))


def _named(node: Any) -> Iterable[str]:
    if isinstance(node, LocatedList):
        for item in node:
            yield from _named(item)
    elif isinstance(node, LocatedDict):
        for key, value in node.items():
            if key == "variables" and isinstance(value, LocatedDict):
                yield from (str(name) for name in value)
            else:
                yield from _named(value)
