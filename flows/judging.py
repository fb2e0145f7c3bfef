"""The judge: the datasets that lie in a folder are read and judged by our rules now, whoever made them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metadata.errors import UsageError
from metadata.standards import shipped, slug
from metadata.study import Study
from metadata.terminology import Terminology
from metadata.terminology_package import Codelist, Term
from metadata.unknown_study import UnknownStudy

if TYPE_CHECKING:
    from publish.define_reading import DefinedDataset, DefinedStudy
    from publish.found_datasets import FoundDatasets, FoundFile
    from validation.conformance.package_facts import FileFacts, PackageFacts

DEFAULTS = {"sdtmig": "3.3", "adamig": "1.3", "occds": "1.1", "sdtm_ct": "2019-09-27", "adam_ct": "2026-03-27"}
"""The versions to which datasets are held that name none, or one that is not shipped."""
TABLES = {
    "sdtmig": "sdtmig-{}-variables",
    "adamig": "adamig-{}-variables",
    "sdtm_ct": "sdtm-ct-{}",
    "adam_ct": "adam-ct-{}",
}
MANIFEST = "manifest.json"
NAMES = {"SDTMIG": "sdtmig", "ADAMIG": "adamig"}


@dataclass(frozen=True)
class Verdict:
    """The result of our rules and what it was judged with."""

    result: dict[str, Any]
    study: Study


def judge(folder: Path, study: Study | None, define: Path | None) -> Verdict:
    """Read all datasets below ``folder`` and judge them; nothing that was written about them before is looked at.

    Raises UsageError if there are no datasets, StudyError if the study's conformance.yaml is not fit.
    """
    from publish import found_datasets
    from validation.conformance.check import conformance

    found = found_datasets.find(folder, define)
    changed = _changed(folder)
    declared, exact = _standards(found.defines)
    held = study or UnknownStudy(found.studyid, declared)
    terminology = Terminology.open(held)
    if study is None:
        terminology = _extended(terminology, found.defines)
    given = _given(found, study is not None, exact, changed is not None)
    given |= {"pdf"} if any(folder.rglob("*.pdf")) else set()
    facts = _facts(folder, found, changed)
    adam = found.adam if found.adam or not found.sdtm else None
    result = conformance(held, found.sdtm, terminology, adam, facts, given)
    return Verdict({**result, "held_to": "" if study else _assumed(declared, exact)}, held)


def _changed(folder: Path) -> list[tuple[str, str]] | None:
    """Return what differs from our manifest; None without one, or where manifest.json is another software's."""
    from publish import verification

    path = folder / MANIFEST
    try:
        return verification.changed(folder)
    except UsageError as error:
        is_ours = b'"snapshot"' in path.read_bytes()
        return [(MANIFEST, f"cannot be read: {error}")] if is_ours else None


def _standards(defines: Mapping[Any, DefinedStudy]) -> tuple[dict[str, str], frozenset[str]]:
    """Return the versions to judge by, and those among them that the define.xml itself names."""
    named: dict[str, str] = {}
    for define in defines.values():
        for name, version, kind in define.standards:
            key = NAMES.get(name.upper(), "")
            if name.upper().startswith("CDISC/NCI"):
                key = {"SDTM": "sdtm_ct", "ADAM": "adam_ct"}.get(kind.upper(), "")
            if key:
                named.setdefault(key, version)
    exact = {
        key
        for key, version in named.items()
        if TABLES[key].format(slug(version) if key.endswith("ig") else version) in shipped()
    }
    return {**DEFAULTS, **{key: named[key] for key in exact}}, frozenset(exact)


def _assumed(standards: Mapping[str, str], exact: frozenset[str]) -> str:
    """Return a sentence on the versions to which datasets were held that do not name these versions."""
    assumed = [
        f"{key.replace('_', ' ').upper()} {standards[key]}" for key in DEFAULTS if key in TABLES and key not in exact
    ]
    return ", ".join(assumed)


def _given(found: FoundDatasets, declared: bool, exact: frozenset[str], signed: bool) -> frozenset[str]:
    transport = any(one.path.suffix.lower() == ".xpt" for one in found.files.values())
    facts = {
        "study": declared,
        "guide": declared or ((not found.sdtm or "sdtmig" in exact) and (not found.adam or "adamig" in exact)),
        "terminology": declared or "sdtm_ct" in exact,
        "define": bool(found.defines),
        "define_sdtm": "sdtm" in found.defines,
        "define_adam": "adam" in found.defines,
        "manifest": signed,
        "transport": transport,
        "lengths": transport,
        "formats": bool(found.defines) or any(_has_formats(one) for one in found.files.values()),
        "sdtm": bool(found.sdtm),
    }
    return frozenset(name for name, is_there in facts.items() if is_there)


def _has_formats(found: FoundFile) -> bool:
    return any(one.format for one in found.table.variables.values())


def _extended(terminology: Terminology, defines: Mapping[Any, DefinedStudy]) -> Terminology:
    """Return the terminology with the terms that a define.xml marks as extensions of extensible codelists."""
    lists: dict[str, Codelist] = {}
    for define in defines.values():
        for dataset in define.datasets.values():
            for terms in (variable.terms for variable in dataset.variables):
                code = terms.code if terms else ""
                if terms and terms.extended and code in terminology.codelists:
                    base = lists.get(code, terminology.codelists[code])
                    added = {word: Term(word, extended=True) for word in terms.extended}
                    lists[code] = replace(base, terms=base.terms | added) if base.extensible else base
    return Terminology(terminology.package, {**terminology.codelists, **lists}) if lists else terminology


def _facts(folder: Path, found: FoundDatasets, changed: list[tuple[str, str]] | None) -> PackageFacts:
    from publish.package_inspection import inspect
    from validation.conformance.package_facts import PackageFacts
    from validation.conformance.sdtm_datasets import Domain

    files = tuple(_file(folder, one) for one in found.files.values())
    defined: dict[str, tuple[FileFacts, ...]] = {
        kind: tuple(map(_defined, one.datasets.values())) for kind, one in found.defines.items()
    }
    domains = {name: Domain(dataset, DEFAULTS["sdtmig"]) for name, dataset in {**found.sdtm, **found.adam}.items()}
    return PackageFacts(
        files, found.problems, None if changed is None else tuple(changed), defined, domains, tuple(inspect(folder))
    )


def _file(folder: Path, found: FoundFile) -> FileFacts:
    from publish.splitting import parts_beside
    from validation.conformance.package_facts import FileFacts, VariableFacts

    table = found.table
    variables = tuple(
        VariableFacts(name, one.label, one.type, int(one.length) if re.fullmatch(r"\d+", one.length) else 0)
        for name, one in table.variables.items()
    )
    formats = tuple((name, f"{one.format}." if "." not in one.format else one.format) for name, one in
                    table.variables.items() if one.format)  # fmt: skip
    path, size = found.path.relative_to(folder).as_posix(), found.path.stat().st_size
    parts = len(parts_beside(found.path, table.name))
    return FileFacts(table.name, path, table.label, variables, found.kind, size, formats, parts)


def _defined(described: DefinedDataset) -> FileFacts:
    from publish.define_reading import is_number
    from validation.conformance.package_facts import FileFacts, VariableFacts

    variables = tuple(
        VariableFacts(one.name, one.label, "Num" if is_number(one.type) else "Char", one.length or 0, one.origin)
        for one in described.variables
    )
    return FileFacts(described.name, described.file, described.label, variables)
