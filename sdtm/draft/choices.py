"""The terms of a field's choices: as the labels name them, in the codelist of the variable."""

from __future__ import annotations

from dataclasses import dataclass, field

from metadata.dictionary import Field
from metadata.labels import plain_label
from metadata.terminology import Terminology
from metadata.terminology_package import Codelist
from sdtm.columns.text import transliterated
from sdtm.draft.vocabulary import BRACKETS, choice_terms, every_word, unit_phrases

YES_NO = {"yes": "Y", "no": "N"}
UNITS = "UNIT"


@dataclass
class ChoiceTerms:
    """Terms by code; what is doubtful of them, the choices that have none, and terms to be added to a codelist.

    ``guessed`` is True if a term is not quite what its label says.
    """

    terms: dict[str, str] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    added: dict[str, dict[str, str]] = field(default_factory=dict)
    guessed: bool = False


def terms_of(item: Field, codes: tuple[str, ...], terminology: Terminology) -> ChoiceTerms:
    """Return the terms of a field's choices in some codelists; what an extensible list lacks is added to it."""
    lists, made = [terminology.codelist(code) for code in codes], ChoiceTerms()
    for code, label in item.choices.items():
        term, doubt = term_of(label, lists)
        made.guessed |= bool(doubt)
        if not term and (wide := next((one for one in lists if one.extensible), None)) and _can_be_a_term(label):
            term = plain_label(label).upper()
            made.added.setdefault(wide.name, {})[term] = plain_label(label)
            doubt = f"'{term}' is added to {wide.name} in terminology.yaml"
        if term:
            made.terms[code] = term
        else:
            made.open.append(plain_label(label))
        made.doubts += [doubt] if doubt else []
    return made


def term_of(label: str, lists: list[Codelist]) -> tuple[str, str]:
    """Return the term that a label names and what is doubtful of it; blanks if no codelist has one."""
    plain = plain_label(label)
    inside = [found[1:-1].strip() for found in BRACKETS.findall(plain)]
    outside = BRACKETS.sub(" ", plain).strip()
    for listed in lists:
        for shown in (plain, plain.upper(), YES_NO.get(plain.lower(), "")):
            if shown in listed.terms:
                return shown, ""
        for terms, doubt in choice_terms(plain, listed.name):
            for term in terms:
                if term in listed.terms:
                    return term, doubt
        for shown in (plain, outside, *inside, plain.split("/")[0].strip()):
            if term := listed.meant(shown):
                return term, ""
        if listed.name == UNITS and (term := unit_term(plain, [listed])):
            return term, ""
    return "", ""


def unit_term(text: str, lists: list[Codelist]) -> str:
    """Return the unit that a text writes, as the codelist does; blank if it is none."""
    shown = text.replace("µ", "u").replace("μ", "u").strip()
    for listed in lists:
        for word in (text.strip(), shown):
            if word in listed.terms:
                return word
        for term in (unit_phrases().get(every_word(shown), ""), listed.meant(shown)):
            if term in listed.terms and term:
                return term
    return ""


def _can_be_a_term(label: str) -> bool:
    text, unknown = transliterated(plain_label(label))
    return bool(text.strip()) and not unknown and len(text) <= 200 and text == plain_label(label)
