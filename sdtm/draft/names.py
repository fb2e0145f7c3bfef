"""Fields recognised by their names: SDTM and CDASH names, with underscores or not, and common abbreviations of them.

CDASHIG 2.1: --DAT and --TIM are collected where SDTM has --DTC; BRTHDAT, RFICDAT and DTHDAT are those of DM.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from metadata.dictionary import Dictionary, Field
from metadata.labels import plain_label
from metadata.standards import sdtm_dataset, sdtm_domains, sdtm_variables
from metadata.terminology import Terminology
from metadata.terminology_package import Term
from sdtm.mapping.domain_mapping import codelists

CERTAIN = ""
DATES = {"STDAT": "STDTC", "ENDAT": "ENDTC", "DAT": "DTC", "STDTC": "STDTC", "ENDTC": "ENDTC", "DTC": "DTC"}
LIKE_DATES = {
    **dict.fromkeys(("ST", "START", "STDT", "STDATE", "STARTDATE", "ONSET"), "STDTC"),
    **dict.fromkeys(("EN", "END", "ENDT", "ENDATE", "ENDDATE", "STOP"), "ENDTC"),
    **dict.fromkeys(("DT", "DATE", "DTM", "DTTM", "DATETIME"), "DTC"),
    **dict.fromkeys(("STDTM", "STDTTM"), "STDTC"),
    **dict.fromkeys(("ENDTM", "ENDTTM"), "ENDTC"),
}
LIKE = {
    "SEVERITY": "SEV", "SERIOUS": "SER", "OUTCOME": "OUT", "RELATED": "REL", "CAUSALITY": "REL", "ACTION": "ACN",
    "FREQ": "DOSFRQ", "FRQ": "DOSFRQ", "UNIT": "DOSU", "DRUG": "TRT", "NAME": "TRT", "INDIC": "INDC",
}  # fmt: skip
OF_SUBJECT = {"BRTHDAT": "BRTHDTC", "RFICDAT": "RFICDTC", "DTHDAT": "DTHDTC"}
LIKE_OF_SUBJECT = {
    "GENDER": "SEX",
    "DOB": "BRTHDTC",
    "BIRTHDATE": "BRTHDTC",
    "ETHNICITY": "ETHNIC",
    "YEARS": "AGE",
} | dict.fromkeys(("ICFDT", "ICFDTM", "ICFDAT", "ICFDTC", "ICDT", "CONSENTDT", "CONSENTDATE", "CONSENTDTM"), "RFICDTC")
ABBREVIATIONS = {
    "HT": "HEIGHT", "WT": "WEIGHT", "SBP": "SYSBP", "DBP": "DIABP", "HB": "HGB", "LEUK": "WBC", "PLT": "PLAT",
    "CREA": "CREAT", "GLU": "GLUC", "POT": "K", "SOD": "SODIUM", "CHOLEST": "CHOL",
    "BILIRUBIN": "BILI", "LYMPH": "LYM", "NEU": "NEUT",
}  # fmt: skip
"""What forms call a test that the terminology calls otherwise."""
UNIT_IN_LABEL = re.compile(r"[(\[]\s*([^()\[\]]+?)\s*[)\]]\s*:?\s*$")
COLLECTED_OF_SUBJECT = ("SEX", "AGE", "AGEU", "RACE", "ETHNIC", "COUNTRY", "BRTHDTC", "RFICDTC", "DTHDTC", "INVNAM")
PARTS = (("y", "m", "d"), ("yy", "mm", "dd"), ("yyyy", "mm", "dd"), ("yr", "mo", "dy"), ("year", "month", "day"))
UNIT_ENDS, NOT_DONE_ENDS = ("_u", "_unit", "_units", "u", "unit", "_orresu"), ("_nd", "_notdone", "_not_done", "nd")
VISIT_END = re.compile(r"_(?:v|visit|w|wk|week|m|month|d|day|s|c|t)?\d+$")
USUAL = ("LB", "VS")
"""Where several domains have a test code, that of one of these is meant."""
MANY, ALIKE = 3, 5
"""As many tests of one domain on one form are no coincidence, nor words that begin with as many letters alike."""


@dataclass(frozen=True)
class Guess:
    """A field's likely place; ``doubt`` says why it is not certain, and is blank if it is."""

    domain: str
    variable: str
    doubt: str = CERTAIN


@cache
def names_of(version: str, domain: str) -> frozenset[str]:
    """Return the guide's variables of a domain."""
    return frozenset(variable.name for variable in sdtm_variables(version, domain))


def stem_of(field: Field) -> str:
    """Return a field's name without what repeats its visit: the end of its form's name, or v1, week4."""
    name = field.name.lower()
    _, _, end = field.form.rpartition("_")
    if end and name.endswith(f"_{end}"):
        return name.removesuffix(f"_{end}")
    return VISIT_END.sub("", name)


def guess(field: Field, version: str) -> Guess | None:
    """Return the variable that a field's own name means."""
    joined = stem_of(field).replace("_", "").upper()
    if joined in COLLECTED_OF_SUBJECT:
        return Guess("DM", joined)
    if joined in OF_SUBJECT:
        return Guess("DM", OF_SUBJECT[joined])
    if joined in LIKE_OF_SUBJECT:
        return Guess("DM", LIKE_OF_SUBJECT[joined], f"recognised by its name only, as {LIKE_OF_SUBJECT[joined]}")
    domain, rest = joined[:2], joined[2:]
    if domain not in sdtm_domains(version) or domain == "DM":
        return None
    return _of_domain(domain, rest, version)


def _of_domain(domain: str, rest: str, version: str) -> Guess | None:
    known = names_of(version, domain)
    for words, doubt in (({rest: rest} | DATES, False), (LIKE_DATES | LIKE, True)):
        variable = f"{domain}{words.get(rest, '-')}"
        if variable in known:
            return Guess(domain, variable, f"recognised by its name only, as {variable}" if doubt else CERTAIN)
    return None


@dataclass(frozen=True)
class DateParts:
    """Year, month and day of one date in three fields."""

    stem: str
    fields: tuple[str, str, str]


def date_parts(dictionary: Dictionary, form: str) -> list[DateParts]:
    """Return the dates of a form that are spread over fields of year, month and day."""
    names = [field.name for field in dictionary.form_fields(form)]
    made = []
    for name in names:
        stem, _, end = name.rpartition("_")
        for parts in PARTS:
            named = (f"{stem}_{parts[0]}", f"{stem}_{parts[1]}", f"{stem}_{parts[2]}")
            if stem and end == parts[0] and set(named) <= set(names):
                made.append(DateParts(stem, named))
    return made


@cache
def test_codelists(version: str) -> dict[str, str]:
    """Return the codelist of the test codes of each findings domain that the guide binds one to."""
    made = {}
    for domain in sorted(sdtm_domains(version)):
        if sdtm_dataset(version, domain).dataset_class.startswith("Findings"):
            bound = {variable.name: codelists(variable) for variable in sdtm_variables(version, domain)}
            if bound.get(f"{domain}TESTCD"):
                made[domain] = bound[f"{domain}TESTCD"][0]
    return made


def tests_of(dictionary: Dictionary, form: str, terminology: Terminology, version: str) -> dict[str, tuple[Guess, str]]:
    """Return by field the finding's domain (as --ORRES) and test code, of fields named as a test code."""
    named = {field.name: stem_of(field).replace("_", "").upper() for field in dictionary.form_fields(form)}
    candidates = {domain: terminology.codelist(code).terms for domain, code in test_codelists(version).items()}
    hits = {
        domain: {name: code for name, word in named.items() if (code := _code(word, domain, terms)) is not None}
        for domain, terms in candidates.items()
    }
    if not any(hits.values()):
        return {}
    best = max(sorted(hits), key=lambda domain: (len(hits[domain]), domain in USUAL))
    few = len(hits[best]) < MANY
    if few and best not in USUAL:
        return {}
    made = {}
    for name, code in hits[best].items():
        term = candidates[best][code]
        doubt = (
            "" if says(dictionary.fields[name].label, code, term) else f"its label does not say {term.preferred_term}"
        )
        doubt = "recognised by its name only, as a test code" if few else doubt
        made[name] = (Guess(best, f"{best}ORRES", doubt), code)
    return made


def says(label: str, code: str, term: Term) -> bool:
    """Return True if a label holds the test's code, or a word that begins as one of the test's names do."""
    words = re.findall(r"\w+", plain_label(label).lower())
    known = re.findall(r"\w+", " ".join((term.preferred_term, *term.synonyms)).lower())
    return code.lower() in words or any(
        word == other or (len(word) >= ALIKE and word[:ALIKE] == other[:ALIKE]) for word in words for other in known
    )


def _code(word: str, domain: str, terms: dict[str, Term]) -> str | None:
    """Return the test code that a name is, alone or with the domain or --ORRES at either end."""
    result = f"{domain}ORRES"
    for shown in (word, word.removeprefix(result), word.removesuffix(result), word.removeprefix(domain)):
        code = ABBREVIATIONS.get(shown, shown)
        if code in terms and len(shown) > 1:
            return code
    return None


def companion(dictionary: Dictionary, field: Field, ends: tuple[str, ...], suffix: str = "") -> Field | None:
    """Return the field of the same form that is named as another with one of the ends (its unit, its not done)."""
    for end in ends:
        found = dictionary.fields.get(f"{field.name}{end}") or dictionary.fields.get(f"{stem_of(field)}{end}{suffix}")
        if found is not None and found.form == field.form and found.name != field.name:
            return found
    return None


def unit_in(label: str) -> str:
    """Return what is in brackets at the end of a label, which may be the unit: Height (cm)."""
    found = UNIT_IN_LABEL.search(plain_label(label))
    return found[1] if found else ""
