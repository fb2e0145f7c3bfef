"""A newer terminology package than the one that a study pins, and what would change for a study that moved to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from metadata.errors import Gather, StudyError, UsageError
from metadata.iso8601 import is_full
from metadata.study import Study
from metadata.terminology import PINNED, Terminology, package_name, read_terminology, whole_package
from metadata.terminology_package import Codelist, Package, Term, read_package
from sdtm.build.pinned_codelists import codelists_used, write_subset
from sdtm.build.study_mapping import read_each


@dataclass(frozen=True)
class TerminologyChange:
    """One difference that a newer package makes in a codelist that the study uses; ``term`` is blank for the list."""

    codelist: str
    term: str
    change: str


@dataclass(frozen=True)
class TerminologyMove:
    """The file with the newer codelists, how many it has, what changes, and what the mapping would have wrong."""

    path: Path
    codelists: int
    changes: list[TerminologyChange]
    problems: list[str]


def pin_newer(study: Study, file: Path, release: str) -> TerminologyMove:
    """Write ``terminology/sdtm-ct-<release>.csv`` from a package file; the study keeps the package that it has.

    It moves when study.yaml says ``standards: {sdtm_ct: <release>}``. Raises UsageError where the release is not a
    date or is the one that the study pins, StudyError if the file is not a package.
    """
    if not is_full(release) or len(release) != len("YYYY-MM-DD"):
        raise UsageError(f"the release of a terminology package is its date, YYYY-MM-DD, not '{release}'")
    name = f"sdtm-ct-{release}"
    if name == package_name(study):
        raise UsageError(f"{name} is the package that {study.name} pins; leave --package out to write it again")
    older, newer, used = whole_package(study), read_package(file, file.name), codelists_used(study)
    path, count = write_subset(study.path(f"{PINNED}/{name}.csv"), newer, used)
    changes = [*_changes(older, newer, used), *_needless(study, older, newer)]
    return TerminologyMove(path, count, changes, _problems(study, name, newer))


def _changes(older: Package, newer: Package, used: set[str]) -> Iterator[TerminologyChange]:
    """Yield what differs in the codelists in use, by code of the list, terms in the older package's order."""
    for code in sorted({older[key].code for key in used if key in older}):
        before = older[code]
        if code not in newer:
            yield TerminologyChange(before.name, "", "the codelist is gone")
            continue
        yield from _list_changes(before, newer[code])


def _list_changes(before: Codelist, after: Codelist) -> Iterator[TerminologyChange]:
    if before.name != after.name:
        yield TerminologyChange(before.name, "", f"the codelist is now {after.name}")
    if before.extensible != after.extensible:
        yield TerminologyChange(before.name, "", f"is {'now' if after.extensible else 'no longer'} extensible")
    by_code = {term.code: term for term in after.terms.values() if term.code}
    for term in before.terms.values():
        change = _term_change(term, after.terms.get(term.value), by_code.get(term.code))
        if change:
            yield TerminologyChange(before.name, term.value, change)
    known = {term.code for term in before.terms.values() if term.code}
    added = [term.value for term in after.terms.values() if term.value not in before.terms and term.code not in known]
    if added:
        yield TerminologyChange(before.name, "", f"new terms: {', '.join(added)}")


def _term_change(before: Term, same: Term | None, renamed: Term | None) -> str:
    """Say what became of a term, blank if nothing did: ``same`` has its value, ``renamed`` its concept code."""
    if same is None:
        return f"is now '{renamed.value}'" if renamed else "is gone"
    if same.code != before.code:
        return f"has the concept code {same.code or 'none'}, not {before.code or 'none'}"
    return ""


def _needless(study: Study, older: Package, newer: Package) -> Iterator[TerminologyChange]:
    """Yield the study's extensions that the newer package has as terms of its own."""
    for name, terms in (read_terminology(study).extensions or {}).items():
        code = older[name].code if name in older else name
        held = newer[code].terms if code in newer else {}
        for term in terms:
            if term in held:
                yield TerminologyChange(name, term, f"is in the package ({held[term].code}): the extension can go")


def _problems(study: Study, name: str, newer: Package) -> list[str]:
    """Return what ``check`` would say of terminology.yaml and the mapping under the newer package."""
    gather = Gather()
    with gather.part():
        read_each(study, study.project(), Terminology.of_layers(study, name, [lambda: newer]), gather)
    return [str(error) for error in _each(gather.found)]


def _each(found: list[StudyError]) -> list[StudyError]:
    return [error for one in found for error in one.each]
