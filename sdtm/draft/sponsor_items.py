"""Items of questionnaires and tests that the terminology does not have: each is a test of the sponsor's own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from metadata.dictionary import Field
from metadata.labels import plain_label
from sdtm.columns.text import transliterated
from sdtm.draft.instruments import CATEGORIES, answer, can_be_an_item
from sdtm.draft.names import stem_of
from sdtm.draft.proposals import CODE, LABEL, Lines
from sdtm.draft.recognised import GUESS, Guess

OF_ITEMS = ("QS", "FT", "MO", "FA", "LB", "DA")
"""Domains whose tests may be the sponsor's own: the terminology names none, or may be extended."""
OF_CHOICES = ("QS", "FA")
WITH_CHOICES = ("radio", "dropdown", "yesno", "truefalse", "slider")
ALIKE = 4


@dataclass
class SponsorItems:
    """Gives fields codes and names as tests, each code with one name in the whole study."""

    lines: Lines
    codes: dict[tuple[str, str], str] = field(default_factory=dict)

    def guesses(self, fields: Iterable[Field], open_: set[str], domain: str, label: str) -> dict[str, Guess]:
        """Return the tests that the fields in ``open_`` of a form are, by the fields' names."""
        if domain not in OF_ITEMS:
            return {}
        listed, section, made = list(fields), "", {}
        often = Counter(plain_label(item.label) for item in listed)
        category = {"category": transliterated(label)[0].upper()[:LABEL].strip()} if domain in CATEGORIES else {}
        for item in listed:
            section = plain_label(item.section_header) or section
            if item.name not in open_ or not _answered(item, domain):
                continue
            shown = plain_label(item.label)
            text, unknown = transliterated(f"{section} {shown}" if often[shown] > 1 else shown)
            name = text.strip()[:LABEL].strip()
            if unknown or not name:
                continue
            name, code = self._code(domain, name, item)
            more = {"test": name, **category, **answer(item)}
            made[item.name] = Guess(domain, f"{domain}ORRES", GUESS, f"an item of a form of {domain}", code, more)
        return made

    def _code(self, domain: str, name: str, item: Field) -> tuple[str, str]:
        """Return the name and the code of a test; fields with one name in several forms are one test."""
        if (domain, name) in self.codes:
            return name, self.codes[domain, name]
        begin = re.sub("[^A-Z0-9]", "", stem_of(item).upper())
        begin = (begin if begin[:1].isalpha() else f"{domain}{begin}")[:CODE]
        taken = {code for (own, _), code in self.codes.items() if own == domain}
        for listed in self.lines.target(domain, f"{domain}TESTCD").codelists:
            taken |= set(self.lines.terminology.codelist(listed).terms)
        number, code = 1, begin
        while code in taken:
            number += 1
            code = f"{begin[: CODE - len(str(number))]}{number}"
        self.codes[domain, name] = code
        return name, code


def _answered(item: Field, domain: str) -> bool:
    """Return True for a field that holds an answer: a choice, or a number; of tests and images numbers alone."""
    number = item.type == "text" and item.validation.startswith(("number", "integer"))
    return can_be_an_item(item) and (number or (domain in OF_CHOICES and item.type in WITH_CHOICES))


def alike(fields: Iterable[Field]) -> bool:
    """Return True where most fields of a form offer the same choices, as the questions of a questionnaire do."""
    listed = [item for item in fields if item.type not in ("descriptive", "calc")]
    given = Counter(tuple(item.choices.items()) for item in listed if item.type in WITH_CHOICES and item.choices)
    most = max(given.values(), default=0)
    return most >= ALIKE and most * 2 > len(listed)
