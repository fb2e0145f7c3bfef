"""Variables and datasets of the CDISC guides, read from the tables in metadata/standards."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from metadata.errors import StudyError, nearest

FOLDER = Path(__file__).resolve().parent / "standards"
COUNTRIES, NULL_FLAVORS = "ISO 3166-1 Alpha-3", "ISO 21090 NullFlavor enumeration"
DICTIONARIES = {COUNTRIES: "iso-3166-1-alpha-3", NULL_FLAVORS: "iso-21090-null-flavor"}
"""What the guide names apart from codelists: dictionaries whose codes the values are, and the table of each."""


@dataclass(frozen=True, slots=True)
class GuideVariable:
    """One variable as a guide describes it; ``codelist`` holds NCI codes separated by ``;``.

    ``described`` names what else its values follow: ISO 8601, a dictionary.
    """

    name: str
    label: str
    type: str
    core: str
    role: str
    codelist: str
    order: int
    format: str = ""
    described: str = ""


@dataclass(frozen=True)
class GuideDataset:
    """One dataset as a guide describes it."""

    name: str
    label: str
    dataset_class: str
    structure: str


def slug(version: str) -> str:
    """Return a version as file names write it: 3.3 is 3-3."""
    return str(version).replace(".", "-")


@cache
def standard_table(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of a shipped table, by the names of its columns; raises StudyError with the nearest name."""
    path = FOLDER / f"{name}.csv"
    if not path.is_file():
        raise StudyError(f"the standard '{name}' is not among those shipped{nearest(name, shipped())}")
    with path.open(encoding="utf-8", newline="") as lines:
        return tuple(csv.DictReader(lines))


def shipped() -> list[str]:
    """Names of the tables that come with the software."""
    return sorted(path.stem for path in FOLDER.glob("*.csv"))


def dictionary_terms(name: str) -> dict[str, str]:
    """Return code to meaning of a dictionary that the guide names, nothing for one that is not shipped (MedDRA)."""
    return {row["code"]: row["name"] for row in standard_table(DICTIONARIES[name])} if name in DICTIONARIES else {}


@cache
def sdtm_domains(version: str) -> frozenset[str]:
    """Return the names of the guide's datasets."""
    return frozenset(row["dataset"] for row in standard_table(f"sdtmig-{slug(version)}-datasets"))


def _rows_of(table: str, column: str, name: str, problem: str) -> list[dict[str, str]]:
    """Return the rows that have a name in a column; raises StudyError, with the nearest name, if there are none."""
    rows = [row for row in standard_table(table) if row[column] == name]
    if not rows:
        raise StudyError(f"{problem} {name}{nearest(name, {row[column] for row in standard_table(table)})}")
    return rows


@cache
def sdtm_variables(version: str, domain: str) -> tuple[GuideVariable, ...]:
    """Return the variables of an SDTM domain in the guide's order (SDTMIG, section of the domain)."""
    rows = _rows_of(f"sdtmig-{slug(version)}-variables", "dataset", domain, f"SDTMIG {version} has no domain")
    return tuple(
        GuideVariable(
            row["variable"],
            row["label"],
            row["type"],
            row["core"],
            row["role"],
            row["codelist"],
            int(row["ordinal"]),
            described=row["described"],
        )
        for row in sorted(rows, key=lambda row: int(row["ordinal"]))
    )


@cache
def sdtm_dataset(version: str, domain: str) -> GuideDataset:
    """Return label, class and structure of an SDTM domain."""
    row = _rows_of(f"sdtmig-{slug(version)}-datasets", "dataset", domain, f"SDTMIG {version} has no domain")[0]
    return GuideDataset(domain, row["label"], row["class"], row["structure"])


@cache
def adam_variables(table: str, structure: str) -> tuple[GuideVariable, ...]:
    """Return the variables of an ADaM structure (ADSL, BDS, OCCDS, ...) from a shipped table, e.g. adamig-1-3."""
    rows = _rows_of(f"{table}-variables", "structure", structure, f"{table} has no structure")
    return tuple(
        GuideVariable(
            row["variable"],
            row["label"],
            row["type"],
            row["core"],
            row["variable_set"],
            row["codelist_code"],
            int(row["ordinal"] or 0),
            row["format"],
        )
        for row in rows
    )
