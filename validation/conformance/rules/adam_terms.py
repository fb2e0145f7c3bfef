"""Rules about flags and controlled terms of analysis datasets."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from metadata.terminology_package import Codelist
from validation.conformance.adam_datasets import AnalysisDataset, AnalysisDatasets, coded
from validation.conformance.rule import Hit, analysis_rule
from validation.conformance.rules.sdtm_values import certainty

TERMS = "ADaMIG 1.3, section 3.1.1"
FLAGS = "ADaMIG 1.3, section 3.1.4"
RECORDS = "ADaMIG 1.3, BDS Flag Variables; OCCDS 1.1, OCCDS Indicator Variables"
YES_OR_NULL = re.compile(
    r"ABLFL|ANL\d\dFL|ONTRT\d{0,2}FL|LVOTFL|TRTEM\d?FL|TREM\d\dFL|PREFL|FUPFL|AOCC[A-Z]{0,2}FL|AOCC\d\dFL"
)
CODE = re.compile(r"[;\s]+")
SHOWN = 3
NUMBER = re.compile(r"(?:<=|>=|<|>)?\s*-?\d+(?:\.\d+)?")
MULTIPLE = "MULTIPLE"


@analysis_rule("adam.record_flag", "A flag that chooses records (ABLFL, ANLzzFL, TRTEMFL, ONTRTFL, AOCCFL) is Y"
               " or null.", RECORDS)  # fmt: skip
def record_flag(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        for name in filter(YES_OR_NULL.fullmatch, one.names):
            yield Hit(one.name, name, ~one.equals(name, "", "Y"))


@analysis_rule("adam.flag", "A flag is Y, N or null, and its numeric twin 1 for Y and 0 for N.", FLAGS)
def flag(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        for name in one.names:
            if name.endswith("FL") and one.is_text(name):
                yield Hit(one.name, name, ~one.equals(name, "", "Y", "N"))
                twin = name[:-2] + "FN"
                if one.has(twin):
                    wanted = np.where(one.equals(name, "Y"), 1.0, np.where(one.equals(name, "N"), 0.0, np.nan))
                    given = one.number(twin)
                    yield Hit(one.name, twin, ~np.isnan(given) & (given != wanted))


@analysis_rule(
    "adam.term",
    "A coded value is a term of its codelist, or an extension that the study declares.",
    TERMS,
    version="terminology",
)
def term(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        for item in one.metadata.variables:
            known = one.guided(item.name)
            named = item.codelist or (known.codelist if known else "")
            if named and one.has(item.name) and one.is_text(item.name):
                yield from _not_terms(data, one, item.name, named)


def _not_terms(data: AnalysisDatasets, one: AnalysisDataset, name: str, named: str) -> Iterator[Hit]:
    lists = list(filter(None, (_codelist(data, code) for code in CODE.split(named))))
    if not lists:
        return
    codes, texts = coded(one, name)
    wrong = np.array([not _is_term(text, name, lists) for text in texts], bool)
    used = np.unique(codes[wrong[codes]])
    if len(used):
        shown = ", ".join(f"'{texts[code]}'{lists[0].nearest(texts[code])}" for code in used[:SHOWN].tolist())
        more = f" and {len(used) - SHOWN} more" if len(used) > SHOWN else ""
        detail = f"Codelist {lists[0].name} does not have {shown}{more}."
        yield Hit(one.name, name, wrong[codes], detail, severity=certainty(lists))


def _codelist(data: AnalysisDatasets, code: str) -> Codelist | None:
    """Return a codelist of the ADaM terminology, or of the study's SDTM terminology."""
    if code in data.terms:
        return data.terms[code]
    return data.terminology.codelists.get(code)


def _is_term(word: str, name: str, lists: list[Codelist]) -> bool:
    if not word or word == MULTIPLE or any(word in one.terms for one in lists):
        return True
    return name.endswith("STRESC") and NUMBER.fullmatch(word) is not None
