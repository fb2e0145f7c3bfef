"""Choices of a field that became the same term, so that the dataset no longer shows which one was chosen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sdtm.build.plain_terms import operations_of
from sdtm.mapping.domain_mapping import DomainMapping
from sdtm.operations.operation import Operation

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("domain", "variable", "field", "term", "choices")
Row = tuple[str, str, str, str, str]


def merged_choices(domains: dict[str, DomainMapping]) -> pd.DataFrame:
    """Return domain, variable, field and term, and the choices, ``1, Label | 2, Label``, that became that term."""
    import pandas as pd

    found = [
        row for name in sorted(domains) for operation in operations_of(domains[name]) for row in _merged(operation)
    ]
    return pd.DataFrame(list(dict.fromkeys(found)), columns=list(COLUMNS))


def _merged(operation: Operation) -> Iterator[Row]:
    """Yield each term of an operation's own that several choices of its field have, those of its parts as well."""
    for part in getattr(operation, "parts", ()):
        yield from _merged(part)
    terms, field = getattr(operation, "terms", None), getattr(operation, "found", None)
    if not terms or field is None:
        return
    for term in dict.fromkeys(str(term) for term in terms.values() if term):
        codes = [code for code, given in terms.items() if str(given) == term and code in field.choices]
        if len(codes) > 1:
            choices = " | ".join(f"{code}, {field.choices[code]}" for code in codes)
            yield operation.target.domain, operation.target.variable, field.name, term, choices
