"""What a field is recognised as, how sure that is and why: by CDASH's names, by its label, as a test."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from metadata.dictionary import Field
from metadata.project import Project
from metadata.terminology import Terminology
from sdtm.draft.names import cdash, names_of, stem_of, test_codelists
from sdtm.draft.vocabulary import (
    Phrases,
    form_phrases,
    subject_labels,
    subject_names,
    test_phrases,
    variable_labels,
    variable_names,
    vocabulary,
    words,
)
from sdtm.mapping.domain_mapping import codelists

CERTAIN, LIKELY, GUESS = "certain", "likely", "guess"
TEXTS = ("text", "notes")
WITH_CHOICES = ("radio", "dropdown", "yesno", "truefalse", "checkbox")
MEASURED = ("", "number", "integer")
OF_TESTS = ("VS", "LB", "EG", "SC")
OF_CHOICES = ("SC",)
"""Domains with tests whose results are choices, besides examinations."""
COMPOUND = ("LB",)
"""Domains in which a further word makes another test: creatinine clearance, protein catabolic rate."""
EXAMINATION = "PE"
SUBJECTS = "DM"
FEW = 3


@dataclass(frozen=True)
class Guess:
    """A field's place: a variable of a domain, or the result of a test; with confidence and its reason.

    ``more`` are keys that a test has beside its result: its category, its codelists.
    """

    domain: str
    variable: str
    confidence: str
    reason: str
    test: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FormGuess:
    """The domain of a form, and the reason; blank if none is recognised."""

    domain: str
    reason: str


def form_domain(project: Project, form: str, version: str) -> FormGuess:
    """Return the domain that a form's fields, else its name or label, are of."""
    fields = project.dictionary.form_fields(form)
    named = [found[0] for item in fields if (found := cdash(item, version)) is not None and found[0] != SUBJECTS]
    most = max(sorted(set(named)), key=named.count, default="")
    if most and named.count(most) >= FEW:
        return FormGuess(most, f"{named.count(most)} fields of the form have names of {most}")
    label = label_of_form(project, form)
    said = {*words(form.replace("_", " ")), *words(label)}
    for domain, heads in vocabulary()["heads"].items():
        if said & set(heads):
            return FormGuess(domain, f"the form is called {label or form}")
    matches = [match for text in (form.replace("_", " "), label) if (match := form_phrases().find(text))]
    if matches:
        best = max(matches, key=lambda match: (match.whole, match.length))
        return FormGuess(str(best.found), f"the form is called {label or form}")
    return FormGuess(most, f"a field of the form has a name of {most}") if most else FormGuess("", "")


def label_of_form(project: Project, form: str) -> str:
    """Return the label of a form; blank if it has none."""
    return next((str(row["instrument_label"]) for row in project.instruments if row["instrument_name"] == form), "")


def surest(*guesses: Guess | None) -> Guess | None:
    """Return the first of the guesses that are surest; None if there is none."""
    order = (CERTAIN, LIKELY, GUESS)
    return min(filter(None, guesses), key=lambda one: order.index(one.confidence), default=None)


def is_date(item: Field, text_dates: frozenset[str]) -> bool:
    """Return True for a field that holds dates, by its validation or as free text."""
    return item.validation.startswith(("date_", "datetime_")) or item.name in text_dates


def recognised(
    item: Field, domain: FormGuess, prefix: str, version: str, terminology: Terminology, text_dates: frozenset[str]
) -> Guess | None:
    """Return what a field is, by the surest sign."""
    dated = is_date(item, text_dates)
    if (exact := cdash(item, version)) is not None and _fits(exact[1], item, dated):
        return _named(item, *exact, version)
    if exact is not None and exact[1].endswith("DTC") and item.type in TEXTS:
        return Guess(*exact, LIKELY, f"its name is CDASH's for {exact[1]}")  # the engine says why it takes no date
    found = [
        _of_subject(item, domain.domain, dated),
        _as_test(item, domain.domain, prefix, terminology, version),
        _of_domain(item, domain, prefix, version, dated),
    ]
    return surest(*found)


def _named(item: Field, domain: str, variable: str, version: str) -> Guess:
    """Return what a CDASH name says, or what the label says where it is another variable of the domain."""
    match = variable_labels(domain).find(item.label) if domain != SUBJECTS else None
    said = f"{domain}{match.found}" if match and match.whole else variable
    if said != variable and said in names_of(version, domain) and said.endswith("DTC") == variable.endswith("DTC"):
        return Guess(domain, said, LIKELY, f"its label says {said}, its name {variable}")
    flagged = item.identifier.lower() == "y"
    reason = f"its name is CDASH's for {variable}"
    return Guess(domain, variable, LIKELY if flagged else CERTAIN, reason)


def _fits(variable: str, item: Field, dated: bool) -> bool:
    """Return True if a field's type can hold the variable: dates go into dates, and nothing else does."""
    timing = variable.endswith("DTC")
    return timing == dated and item.type not in ("file", "descriptive", "slider", "sql")


def _of_subject(item: Field, domain: str, dated: bool) -> Guess | None:
    joined = stem_of(item).replace("_", "")
    name = subject_names().get(joined) or subject_names().get(item.name.rpartition("_")[2])
    match = subject_labels().find(item.label)
    label = str(match.found) if match else ""
    for variable in dict.fromkeys(filter(None, (name, label))):
        if not _fits(variable, item, dated) or (variable == "AGE" and item.type not in ("text", "calc")):
            continue
        by_name, whole = variable == name, bool(match) and label == variable and match.whole  # type: ignore[union-attr]
        if by_name and whole:
            sure = LIKELY if item.identifier.lower() == "y" else CERTAIN
            return Guess(SUBJECTS, variable, sure, f"its name and its label say {variable}")
        if whole or (by_name and joined in subject_names()):
            return Guess(SUBJECTS, variable, LIKELY, f"its {'label' if whole else 'name'} says {variable}")
        if (label == variable and len(words(item.label)) <= FEW + 1) or domain == SUBJECTS:
            return Guess(SUBJECTS, variable, GUESS, f"its label holds words of {variable}")
    return None


def _of_domain(item: Field, form: FormGuess, prefix: str, version: str, dated: bool) -> Guess | None:
    domain = form.domain
    if not domain or domain == SUBJECTS:
        return None
    end = own_name(item, domain, prefix)
    name = variable_names(domain).get(end, "")
    match = variable_labels(domain).find(item.label)
    label = str(match.found) if match and (match.whole or match.length > 1) else ""
    ends = [word for word in dict.fromkeys((label if match and match.whole else "", name, label)) if word]
    for word in ends:
        variable = f"{domain}{word}"
        if variable not in names_of(version, domain) or not _fits(variable, item, dated):
            continue
        by_name, by_label = word == name, word == label
        whole = by_label and bool(match and match.whole)
        signs = [text for given, text in ((by_name, "name"), (by_label, "label")) if given]
        confidence = LIKELY if whole or by_name else GUESS
        return Guess(domain, variable, confidence, f"its {' and '.join(signs)} in a form of {domain}")
    if dated and f"{domain}DTC" in names_of(version, domain) and item.validation and not name and not label:
        return Guess(domain, f"{domain}DTC", GUESS, f"it is a date in a form of {domain}")
    return None


def own_name(item: Field, domain: str, prefix: str) -> str:
    """Return a field's name without what its form and domain put before it, and without underscores."""
    return stem_of(item).removeprefix(prefix).removeprefix(f"{domain.lower()}_").replace("_", "")


@cache
def _names_of_tests(terminology: Terminology, domain: str, version: str) -> Phrases:
    """Return the tests of a domain by the names and synonyms of the terminology, as whole labels."""
    listed = test_codelists(version).get(domain)
    if not listed:
        return Phrases()
    terms = terminology.codelist(listed).terms
    pairs = [(name, code) for code, term in terms.items() for name in (term.preferred_term, *term.synonyms)]
    return Phrases.of((text.removesuffix(" Measurement"), code) for text, code in pairs)


def _as_test(item: Field, domain: str, prefix: str, terminology: Terminology, version: str) -> Guess | None:
    """Return the test that a field is a result of, by its name and label."""
    number = item.type == "text" and (not item.validation or item.validation.startswith(("number", "integer")))
    if not number and item.type not in ("radio", "dropdown"):
        return None
    if domain == EXAMINATION and not number:
        return _of_examination(item)
    stem = stem_of(item).removeprefix(prefix)
    for own in dict.fromkeys((domain, *OF_TESTS) if domain in test_codelists(version) else OF_TESTS):
        if not number and own not in OF_CHOICES:
            continue
        terms = terminology.codelist(test_codelists(version)[own]).terms
        phrases = test_phrases(own)
        shown = stem.replace("_", " ").removesuffix(" orres")
        name = phrases.known.get(words(shown)) or (shown.replace(" ", "").upper() if own == domain else "")
        match = phrases.find(item.label)
        whole = _names_of_tests(terminology, own, version).known.get(words(item.label))
        label = str(match.found) if match else str(whole or "")
        complete = bool(whole) or bool(match and match.whole)
        name = name if name in terms and len(shown) > 1 else ""
        found = _test_of(own, name, label if label in terms else "", complete, item, domain)
        if found:
            return found
    return None


def _says_no_more(label: str, test: str, domain: str) -> bool:
    """Return True if a label has, beside the words of a test, none that make it another one: serum, level, units."""
    known = {word for phrase, code in test_phrases(domain).known.items() if code == test for word in phrase}
    more = {word for word in words(label) if not word.isdigit()} - known
    return more <= set(vocabulary()["beside_tests"])


def _of_examination(item: Field) -> Guess | None:
    """Return the body system of a physical examination, which has no codelist of tests."""
    match = test_phrases(EXAMINATION).find(item.label)
    reason = f"its label says {match.found}" if match else ""
    return Guess(EXAMINATION, "PEORRES", LIKELY if match.whole else GUESS, reason, str(match.found)) if match else None


def _test_of(own: str, name: str, label: str, complete: bool, item: Field, domain: str) -> Guess | None:
    variable, numeric = f"{own}ORRES", item.validation.startswith(("number", "integer"))
    if label and name == label:
        sure = CERTAIN if complete and (numeric or domain == own) else LIKELY
        return Guess(own, variable, sure, f"its name and its label say {label}", label)
    if label and own == "SC" and not complete:
        return None
    short = domain == own or len(words(item.label)) <= FEW + 1
    if label and (complete or (short and (own not in COMPOUND or _says_no_more(item.label, label, own)))):
        return Guess(own, variable, LIKELY if complete else GUESS, f"its label says {label}", label)
    if name and domain == own and numeric:
        return Guess(own, variable, GUESS, f"its name is a test code, {name}, and its label does not say so", name)
    return None


def prefix_of(project: Project, form: str) -> str:
    """Return what the names of most fields of a form begin with: the form's short name and an underscore."""
    names = [item.name for item in project.dictionary.form_fields(form) if item.name != project.dictionary.record_id]
    begins = [name.partition("_")[0] + "_" for name in names if "_" in name]
    most = max(sorted(set(begins)), key=begins.count, default="")
    return most if most and begins.count(most) * 2 > len(names) and begins.count(most) >= FEW else ""


def bound(version: str, domain: str, variable: str) -> tuple[str, ...]:
    """Return the codelists that the guide binds to a variable."""
    from metadata.standards import sdtm_variables

    found = next((one for one in sdtm_variables(version, domain) if one.name == variable), None)
    return codelists(found) if found else ()


WRITTEN = re.compile(
    r"\b(DD|D|MM|M|YYYY|YY|AAAA|AA|JJJJ|JJ|TT)[-/. ](DD|D|MM|M|TT|JJ)[-/. ](DD|D|YYYY|YY|AAAA|AA|JJJJ)\b"
)
ORDERS = {"D": "d", "T": "d", "M": "m", "Y": "y", "A": "y", "J": "y"}
UNKNOWN = re.compile(r"\b(UNK|UN|UK|ND|NK|XX)\b")


def text_dates(project: Project) -> dict[tuple[str, str], list[str]]:
    """Return, by order (dmy) and word for the unknown, the fields of free text whose note says how to write a date."""
    made: dict[tuple[str, str], list[str]] = {}
    for item in project.dictionary.fields.values():
        found = WRITTEN.search(f"{item.field_note} {plain(item.label)}") if item.type == "text" else None
        if found is None or item.validation:
            continue
        order = "".join(ORDERS[part[0]] for part in found.groups())
        unknown = UNKNOWN.search(item.field_note)
        if sorted(order) == ["d", "m", "y"]:
            made.setdefault((order, unknown[1] if unknown else ""), []).append(item.name)
    return made


def plain(label: str) -> str:
    """Return a label without its HTML."""
    from metadata.labels import plain_label

    return plain_label(label)
