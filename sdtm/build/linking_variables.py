"""The variables of datasets that link records: supplemental qualifiers and related records, all of them texts."""

from __future__ import annotations

from collections.abc import Mapping

from metadata.dataset import Variable
from metadata.standards import sdtm_variables


def linking_variables(version: str, dataset: str, methods: Mapping[str, tuple[str, str]]) -> tuple[Variable, ...]:
    """Return the guide's variables of SUPPQUAL or RELREC; ``methods`` has origin and method of those not assigned."""
    return tuple(
        Variable(
            item.name,
            item.label,
            "Char",
            core=item.core,
            role=item.role,
            codelist=item.codelist or None,
            origin=methods.get(item.name, ("Assigned", ""))[0],
            method=methods.get(item.name, ("Assigned", ""))[1],
        )
        for item in sdtm_variables(version, dataset)
    )
