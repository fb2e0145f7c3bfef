"""Looking up terms and test codes in the terminology of a study, or in the package that comes with the software."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial

from metadata.errors import UsageError, nearest
from metadata.standards import sdtm_domains, sdtm_variables, shipped
from metadata.study import Study
from metadata.terminology import Codelists, Terminology, package_path
from metadata.terminology_package import Codelist, Term, read_package
from sdtm.mapping.domain_mapping import codelists

PACKAGES = "sdtm-ct-"
GUIDE = "3.3"
"""The guide whose variables are looked up where no study says which."""


def show_terms(name: str | None, text: str, study: str | None, as_json: bool) -> None:
    """Print the terms of a codelist or of a variable's codelists, of all codelists without a name.

    ``text`` keeps those that have it in the term, its code, a synonym or the preferred term, in letters of either case.
    Raises UsageError for a name that is neither a codelist nor a variable, and where no term is found.
    """
    opened = Study.open(study) if study else None
    terminology = Terminology.open(opened) if opened else _newest_shipped()
    if not name and not text:
        raise UsageError("say a codelist or a variable (RACE, LBTESTCD, DM.SEX), --find TEXT, or both")
    version = opened.standards["sdtmig"] if opened else GUIDE
    lists = _named(name.upper(), terminology, version) if name else _all(terminology)
    found = [(one, [term for term in one.terms.values() if _has(term, text.lower())]) for one in lists]
    found = [(one, terms) for one, terms in found if terms]
    if not found:
        where = ", ".join(one.name for one in lists) if name else terminology.package
        raise UsageError(f"no term of {where} ({terminology.package}) has '{text}' in its code, value or synonyms")
    if as_json:
        rows = [row for one, terms in found for row in _rows(one, terms)]
        print(json.dumps(rows, indent=2, ensure_ascii=False))  # noqa: T201
        return
    for one, terms in found:
        _show(one, terms, terminology.package)


def _newest_shipped() -> Terminology:
    name = max(other for other in shipped() if other.startswith(PACKAGES))
    return Terminology(name, Codelists([partial(read_package, package_path(name), f"{name}.csv")]))


def _named(name: str, terminology: Terminology, version: str) -> list[Codelist]:
    """Return the codelist of a name or NCI code, else those that the guide binds to a variable (AEOUT, DM.SEX)."""
    own = {listed.upper(): listed for listed in terminology.codelists}
    if name in own:
        return [terminology.codelist(own[name])]
    bound = _of_variables(version)
    if name not in bound:
        raise UsageError(f"'{name}' is neither a codelist of {terminology.package} nor a variable of SDTMIG {version}"
                         f"{nearest(name, [*own, *bound])}")  # fmt: skip
    if not bound[name]:
        raise UsageError(f"{name} has no codelist in SDTMIG {version}")
    return [terminology.codelist(code) for code in bound[name]]


def _of_variables(version: str) -> dict[str, tuple[str, ...]]:
    """Return the NCI codes of the codelists of each variable, by its name and by DOMAIN.VARIABLE."""
    made: dict[str, tuple[str, ...]] = {}
    for domain in sorted(sdtm_domains(version)):
        for variable in sdtm_variables(version, domain):
            bound = codelists(variable)
            made[f"{domain}.{variable.name}"] = bound
            made[variable.name] = tuple(dict.fromkeys([*made.get(variable.name, ()), *bound]))
    return made


def _all(terminology: Terminology) -> list[Codelist]:
    """Return every codelist once, in the order of their names."""
    lists = {one.name: one for one in map(terminology.codelist, terminology.codelists)}
    return [lists[name] for name in sorted(lists)]


def _has(term: Term, text: str) -> bool:
    return any(text in shown.lower() for shown in (term.value, term.code, term.preferred_term, *term.synonyms))


def _rows(listed: Codelist, terms: list[Term]) -> Iterator[dict[str, object]]:
    for term in terms:
        yield {
            "codelist": listed.name,
            "codelist_code": listed.code,
            "extensible": listed.extensible,
            "term": term.value,
            "term_code": term.code,
            "preferred_term": term.preferred_term,
            "synonyms": list(term.synonyms),
            "added_by_study": term.extended,
        }


def _show(listed: Codelist, terms: list[Term], package: str) -> None:
    kind = "extensible" if listed.extensible else "not extensible"
    source = f"{listed.code}, {package}" if listed.code else "the study's own"
    print(f"{listed.name} ({source}): {listed.label}; {kind}; {len(terms)} of {len(listed.terms)} terms")  # noqa: T201
    for term in terms:
        code = "study" if term.extended else term.code or "-"
        said = "; ".join(word for word in dict.fromkeys((term.preferred_term, *term.synonyms)) if word)
        print(f"  {code:8} {term.value}{f'  ({said})' if said and said != term.value else ''}")  # noqa: T201
