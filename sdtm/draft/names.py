"""Names of fields: CDASH's, with underscores or not, and the companions that a name with another end is.

CDASHIG 2.1: --DAT and --TIM are collected where SDTM has --DTC; BRTHDAT, RFICDAT and DTHDAT are those of DM.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from metadata.dictionary import Dictionary, Field
from metadata.labels import plain_label
from metadata.standards import sdtm_dataset, sdtm_domains, sdtm_variables
from sdtm.mapping.domain_mapping import codelists

DATES = {"STDAT": "STDTC", "ENDAT": "ENDTC", "DAT": "DTC", "STDTC": "STDTC", "ENDTC": "ENDTC", "DTC": "DTC"}
OF_SUBJECT = {"BRTHDAT": "BRTHDTC", "RFICDAT": "RFICDTC", "DTHDAT": "DTHDTC"}
COLLECTED_OF_SUBJECT = ("SEX", "AGE", "AGEU", "RACE", "ETHNIC", "COUNTRY", "BRTHDTC", "RFICDTC", "DTHDTC", "INVNAM")
NOT_COLLECTED = ("SEQ", "SPID", "DY", "STDY", "ENDY", "TESTCD", "TEST", "ORRES", "ORRESU", "STRESC", "STRESN", "STRESU")
PARTS = (("y", "m", "d"), ("yy", "mm", "dd"), ("yyyy", "mm", "dd"), ("yr", "mo", "dy"), ("year", "month", "day"))
COMPANIONS = {
    "unit": ("_u", "_unit", "_units", "u", "unit", "_orresu", "orresu"),
    "not_done": ("_nd", "_notdone", "_not_done", "nd", "_stat"),
    "reason": ("_reasnd", "_rsn", "_ndreason", "_nd_reason"),
    "ORNRLO": ("_lo", "_low", "_lln", "_ornrlo", "_nrlo"),
    "ORNRHI": ("_hi", "_high", "_uln", "_ornrhi", "_nrhi"),
}
"""How fields end that go with the result of a test: a key of the test, or the end of a variable."""
VISIT_END = re.compile(r"_(?:v|visit|w|wk|week|m|month|d|day|s|c|t|b)?\d*$")


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
    return VISIT_END.sub("", name) if re.search(r"\d$", name) else name


def cdash(field: Field, version: str) -> tuple[str, str] | None:
    """Return the domain and variable that a field's name is, as CDASH or SDTM write it."""
    joined = stem_of(field).replace("_", "").upper()
    subject = joined.removeprefix("DM")
    if joined in COLLECTED_OF_SUBJECT or (subject != joined and subject in (*COLLECTED_OF_SUBJECT, *OF_SUBJECT)):
        return "DM", OF_SUBJECT.get(subject, subject) if subject != joined else joined
    if joined in OF_SUBJECT:
        return "DM", OF_SUBJECT[joined]
    domain, rest = joined[:2], joined[2:]
    if domain not in sdtm_domains(version) or domain == "DM" or rest in NOT_COLLECTED:
        return None
    variable = f"{domain}{DATES.get(rest, rest)}"
    return (domain, variable) if rest and variable in names_of(version, domain) else None


@dataclass(frozen=True)
class DateParts:
    """Year, month and day of one date in three fields, or the first of them alone."""

    stem: str
    fields: tuple[str, ...]


def date_parts(dictionary: Dictionary, form: str) -> list[DateParts]:
    """Return the dates of a form that are spread over fields of year, month and day (the last may be lacking)."""
    names = {field.name for field in dictionary.form_fields(form)}
    made = []
    for field in dictionary.form_fields(form):
        stem, _, end = field.name.rpartition("_")
        for parts in PARTS:
            if not stem or end != parts[0] or field.validation.startswith("date"):
                continue
            named = [f"{stem}_{part}" for part in parts]
            there = named[: next((place for place, one in enumerate(named) if one not in names), len(named))]
            own = [dictionary.fields[one].identifier.lower() != "y" for one in there]
            kept = there[: own.index(False) if False in own else len(there)]  # identifiers are not submitted
            if len(there) > 1 and kept:
                made.append(DateParts(stem, tuple(kept)))
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


def companion(dictionary: Dictionary, field: Field, ends: tuple[str, ...]) -> Field | None:
    """Return the field of the same form that is named as another with one of the ends (its unit, its not done)."""
    stem = stem_of(field)
    suffix, bare = field.name.lower().removeprefix(stem), field.name.removesuffix("_orres").removesuffix("orres")
    for end in ends:
        for name in (f"{field.name}{end}", f"{stem}{end}{suffix}", f"{bare}{end}"):
            found = dictionary.fields.get(name)
            if found is not None and found.form == field.form and found.name != field.name:
                return found
    return None


def units_in(label: str) -> list[str]:
    """Return what a label has in brackets, which may be a unit: Height (cm), ALT (GPT) (U/L); the last first."""
    return re.findall(r"[(\[]\s*([^()\[\]]+?)\s*[)\]]", plain_label(label))[::-1]
