"""Controlled terminology: the CDISC/NCI package a study pins, and the extensions the study declares."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from metadata.errors import StudyError, nearest
from metadata.standards import FOLDER, shipped
from metadata.study import Study
from metadata.yaml_source import complain


@dataclass(frozen=True)
class Term:
    """One submission value: NCI concept code (blank for retired terms and extensions), preferred term, synonyms."""

    value: str
    code: str = ""
    preferred_term: str = ""
    synonyms: tuple[str, ...] = ()
    extended: bool = False


@dataclass(frozen=True)
class Codelist:
    """One codelist; ``code`` is blank for a list of the sponsor's own."""

    code: str
    name: str
    label: str
    extensible: bool
    terms: dict[str, Term] = field(default_factory=dict)

    def nearest(self, value: str) -> str:
        """Return `` (did you mean 'x'?)`` for the closest term, looked for regardless of case and among synonyms."""
        lowered = {value.lower(): value for value in self.terms}
        for term in self.terms.values():
            lowered |= {synonym.lower(): term.value for synonym in term.synonyms}
        if value.lower() in lowered:
            return f" (did you mean '{lowered[value.lower()]}'?)"
        return nearest(value, self.terms)


@cache
def _package(name: str) -> dict[str, Codelist]:
    """Read a package; codelists are found under their code and under their short name."""
    path = FOLDER / f"{name}.csv"
    if not path.is_file():
        raise StudyError(f"the terminology '{name}' is not among those shipped{nearest(name, shipped())}")
    lists: dict[str, Codelist] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.reader(lines):
            code, short, label, extensible, term_code, value, preferred, synonyms = row
            if code == "codelist_code":
                continue
            if code not in lists:
                lists[code] = lists[short] = Codelist(code, short, label, extensible in ("Y", "Yes"))
            words = tuple(word.strip() for word in synonyms.split(";") if word.strip())
            lists[code].terms[value] = Term(value, term_code, preferred, words)
    return lists


class Terminology:
    """The codelists of a study: the pinned package, the study's extensions and its own lists."""

    def __init__(self, package: str, codelists: dict[str, Codelist]) -> None:
        self.package = package
        self.codelists = codelists

    @classmethod
    def open(cls, study: Study) -> Terminology:
        """Read the package that study.yaml pins and the extensions and sponsor lists of terminology.yaml."""
        package = f"sdtm-ct-{study.standards['sdtm_ct']}"
        lists = dict(_package(package))
        if (study.folder / "terminology.yaml").is_file():
            declared = study.read_yaml("terminology.yaml") or {}
            lists |= _extended(lists, declared.get("extensions") or {})
            lists |= _sponsor_lists(declared.get("codelists") or {})
        return cls(package, lists)

    def codelist(self, code: str) -> Codelist:
        """Return a codelist by NCI code or short name; raises StudyError with the nearest name."""
        if code not in self.codelists:
            raise StudyError(f"{self.package} has no codelist '{code}'{nearest(code, self.codelists)}")
        return self.codelists[code]

    def check(self, code: str, values: pd.Series) -> pd.Series:
        """Return True where a value is blank or a term of the codelist."""
        return values.isin([*self.codelist(code).terms, ""])

    def decode(self, code_list: str, name_list: str) -> dict[str, str]:
        """Return test code to test name for a pair of codelists whose terms share concept codes."""
        names = {term.code: term.value for term in self.codelist(name_list).terms.values() if term.code}
        codes = self.codelist(code_list).terms.values()
        return {term.value: names[term.code] for term in codes if term.code in names}


def _extended(lists: dict[str, Codelist], declared: dict[str, Any]) -> dict[str, Codelist]:
    """Return the codelists to which the study adds terms; raises StudyError if one may not be extended."""
    made: dict[str, Codelist] = {}
    for name, terms in declared.items():
        if name not in lists:
            raise complain(declared, name, f"the package has no codelist '{name}'{nearest(name, lists)}")
        base = lists[name]
        if not base.extensible:
            raise complain(declared, name, f"codelist {base.name} ({base.code}) may not be extended")
        added = {value: Term(value, preferred_term=str(meaning), extended=True) for value, meaning in terms.items()}
        made[base.code] = made[base.name] = Codelist(base.code, base.name, base.label, True, base.terms | added)
    return made


def _sponsor_lists(declared: dict[str, Any]) -> dict[str, Codelist]:
    """Return the codelists of the study's own."""
    return {
        name: Codelist(
            "",
            name,
            str(body.get("label", name)),
            True,
            {
                value: Term(value, preferred_term=str(meaning), extended=True)
                for value, meaning in body["terms"].items()
            },
        )
        for name, body in declared.items()
    }


def package_path(name: str) -> Path:
    """Return the file of a shipped package, for manifests."""
    return FOLDER / f"{name}.csv"
