"""Criteria of eligibility: IE has the texts and categories that the study declares once, in TI (SDTMIG 3.3, 7.4.1)."""

from __future__ import annotations

from metadata.errors import Gather
from metadata.study import Study
from metadata.yaml_source import LocatedDict, LocatedList, complain
from sdtm.mapping.declared_rows import declared_rows

DOMAIN = "IE"
DECLARED_IN = "TI"
WORDS = {"test": "IETEST", "category": "IECAT", "subcategory": "IESCAT"}
"""What a test of the mapping says, and the variable of TI that says it."""


def check_criteria(study: Study) -> None:
    """Raise StudyError for criteria that TI declares twice in one version of the protocol."""
    seen: dict[tuple[str, str], LocatedDict] = {}
    with Gather() as gather:
        for row in declared_rows(study, DECLARED_IN):
            code, version = str(row.get("IETESTCD")), str(row.get("TIVERS") or "")
            with gather.part():
                if (code, version) in seen:
                    of_version = f" in version {version}" if version else ""
                    raise complain(row, "IETESTCD", f"the criterion '{code}' is declared twice{of_version}")
            seen[code, version] = row


def with_criteria(study: Study, body: LocatedDict) -> None:
    """Complete the tests of a mapping of IE with what TI says of the criterion of the same code."""
    if body.get("domain") != DOMAIN:
        return
    rows: dict[str, LocatedDict] = {}
    for row in declared_rows(study, DECLARED_IN):
        rows.setdefault(str(row.get("IETESTCD")), row)
    records = body["records"]
    for block in records if isinstance(records, LocatedList) else [records]:
        for key, spec in (block.get("tests") or {}).items():
            row = rows.get(str(spec.get("testcd", key)), LocatedDict())
            for word, variable in WORDS.items():
                if word not in spec and row.get(variable):
                    spec[word] = row[variable]
