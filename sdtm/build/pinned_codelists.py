"""The codelists that a study uses, written next to its mapping: it still runs when its package is shipped no more."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from metadata.errors import Gather
from metadata.standards import sdtm_domains, sdtm_variables
from metadata.study import Study
from metadata.terminology import Codelists, Terminology, pinned_path, whole_package
from metadata.terminology_package import COLUMNS, Package, read_package
from sdtm.build.study_mapping import read_each
from sdtm.mapping.domain_mapping import codelists

COMPANIONS = ("SUPPQUAL", "RELREC", "CO")
"""Datasets that are made besides the mapped domains."""


def pin(study: Study) -> tuple[Path, int]:
    """Write ``terminology/<package>.csv`` and return its path and the number of codelists in it.

    It holds, whole, the codelists that reading the mapping asks for and those that the guide binds to variables of
    the mapped domains. Raises StudyError if the mapping does not fit the package.
    """
    return write_subset(pinned_path(study), whole_package(study), codelists_used(study))


def write_subset(target: Path, package: Package, used: Iterable[str]) -> tuple[Path, int]:
    """Write some codelists of a package, whole, with its remarks; return the path and how many there are."""
    rows = package.rows(used)
    target.parent.mkdir(exist_ok=True)
    text = io.StringIO(newline="")
    text.writelines(f"{remark}\n" for remark in package.remarks)
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *rows])
    part = target.with_suffix(".part")
    part.write_text(text.getvalue(), encoding="utf-8", newline="")
    part.replace(target)
    return target, len({row[0] for row in rows})


def unpinned(study: Study, terminology: Terminology) -> list[str]:
    """Return the codelists that reading the mapping asked for and that the study's pinned subset lacks.

    None if the study pins nothing; a list of the study's own needs no pin.
    """
    subset = pinned_path(study)
    if not subset.is_file() or not isinstance(terminology.codelists, Codelists):
        return []
    held = read_package(subset, subset.name)
    return sorted(name for name in terminology.codelists.asked if name not in held and terminology.codelist(name).code)


def codelists_used(study: Study) -> set[str]:
    """Return codes and names of the codelists that a study's mapping uses."""
    terminology = Terminology.open(study, pinned=False)
    with Gather() as gather:
        mappings = read_each(study, study.project(), terminology, gather)
    version = study.standards["sdtmig"]
    domains = [*mappings, *(name for name in COMPANIONS if name in sdtm_domains(version))]
    bound = {code for domain in domains for item in sdtm_variables(version, domain) for code in codelists(item)}
    assert isinstance(terminology.codelists, Codelists)
    return terminology.codelists.asked | bound
