"""Questionnaires, classifications and functional tests of the terminology: which one a form is, and its items.

An instrument is a codelist of test codes whose short name (PHQ01) a category of QSCAT, FTCAT or CCCAT has as a synonym.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from metadata.dictionary import Field
from metadata.labels import plain_label
from metadata.terminology import Terminology
from sdtm.draft.names import units_in
from sdtm.draft.recognised import CERTAIN, GUESS, LIKELY, Guess, surest
from sdtm.draft.vocabulary import Words, every_word, said, vocabulary

CATEGORIES = {"QS": "QSCAT", "FT": "FTCAT", "RS": "CCCAT"}
"""Domains by the codelist of their category; one that is in two lists is of the first."""
CODES, NAMES = "TC", "TN"
SHORTEST, PART = 4, 0.5
PRINTED = re.compile(r"^\s*(\d{1,2})\s*([a-z]?)\s*[.):]", re.IGNORECASE)
NUMBERED = re.compile(r"_(\d{1,2})([a-z]?)$")
TIMES = ("s", "sec", "secs", "seconds", "segundos", "min", "minutes")


@dataclass(frozen=True)
class Item:
    """One item of an instrument: its code, its number in it (``2a``, blank if none) and the words of its names."""

    code: str
    number: str
    names: tuple[Words, ...]


@dataclass(frozen=True)
class Instrument:
    """An instrument: the domain, its category, the codelists of its tests, its names, its short names and items."""

    domain: str
    category: str
    codelists: tuple[str, str]
    names: tuple[Words, ...]
    short: tuple[Words, ...]
    items: tuple[Item, ...]


def numbered(text: Words) -> Words:
    """Return words with numbers as digits: nine hole peg test is 9 hole peg test."""
    digits = vocabulary()["numbers"]
    return tuple(digits.get(word, word) for word in text)


@cache
def named_in(text: str, terminology: Terminology) -> frozenset[Instrument]:
    """Return the instruments that a text names, in words written apart or together (PHQ-9, phq9).

    A short name of few letters, which may be a word, must be in capitals.
    """
    own, capitals = numbered(every_word(text)), set(re.findall(r"[A-Z0-9]+", plain_label(text)))
    known, found = _by_name(terminology), set()
    for length in range(1, max(map(len, known), default=0) + 1):
        for at in range(len(own) - length + 1):
            part = own[at : at + length]
            for one in known.get(part, ()):
                clear = part in one.names or len("".join(part)) >= SHORTEST
                if clear or {word.upper() for word in part} <= capitals:
                    found.add(one)
    return frozenset(found)


@cache
def _by_name(terminology: Terminology) -> dict[Words, tuple[Instrument, ...]]:
    """Return the instruments by their names and short names; the words of a short name also written together."""
    made: dict[Words, tuple[Instrument, ...]] = {}
    for one in instruments(terminology):
        for name in dict.fromkeys((*one.names, *one.short, *(("".join(short),) for short in one.short))):
            made[name] = (*made.get(name, ()), one)
    return made


@cache
def instruments(terminology: Terminology) -> tuple[Instrument, ...]:
    """Return the instruments of a terminology, in the order of their codelists."""
    made: dict[str, Instrument] = {}
    by_name = _shorts_by_name(terminology)
    for domain, listed in CATEGORIES.items():
        if listed not in terminology.codelists:
            continue
        for category, term in terminology.codelist(listed).terms.items():
            named = by_name.get(_without_kind(numbered(every_word(term.preferred_term))), "")
            short = next((one for one in (*term.synonyms, named) if one in by_name.values()), "")
            if short and short not in made:
                made[short] = _instrument(terminology, domain, category, term.preferred_term, short)
    return tuple(made[short] for short in sorted(made))


@cache
def _codes(terminology: Terminology) -> dict[str, tuple[Instrument, Item]]:
    """Return the instrument and the item of each code."""
    return {item.code: (one, item) for one in instruments(terminology) for item in one.items}


def _shorts_by_name(terminology: Terminology) -> dict[Words, str]:
    """Return the short names of the instruments by the words of their whole names."""
    made: dict[Words, str] = {}
    for name in terminology.codelists:
        short = name.removesuffix(CODES)
        if short != name and f"{short}{NAMES}" in terminology.codelists:
            label = terminology.codelist(name).label.removesuffix(" Test Code")
            made.setdefault(_without_kind(numbered(every_word(label))), short)
    return made


def _instrument(terminology: Terminology, domain: str, category: str, name: str, short: str) -> Instrument:
    codes, names = terminology.codelist(f"{short}{CODES}"), terminology.codelist(f"{short}{NAMES}")
    shown = terminology.decode(codes.code, names.code)
    items = []
    for code, term in codes.terms.items():
        if code not in shown:
            continue  # the package has no name for it
        number = re.fullmatch(r"0*(\d*)([A-Z]?)", code.removeprefix(short)) if code.startswith(short) else None
        texts = (shown[code].partition("-")[2], term.preferred_term.partition(" - ")[2])
        items.append(
            Item(
                code,
                f"{number[1]}{number[2].lower()}" if number else "",
                tuple(dict.fromkeys(filter(None, (numbered(said(text)) for text in texts)))),
            )
        )
    label = codes.label.removesuffix(" Test Code")
    whole = [_without_kind(numbered(every_word(text))) for text in (name, label)]
    return Instrument(
        domain,
        category,
        (codes.code, names.code),
        tuple(dict.fromkeys(words for words in whole if len(words) > 1)),
        (numbered(every_word(category)),),
        tuple(items),
    )


def _without_kind(words: Words) -> Words:
    """Return the words of an instrument's name without those that say what it is: scale, questionnaire, score."""
    kinds = set(vocabulary()["kinds_of_instruments"])
    while len(words) > 2 and words[-1] in kinds:
        words = words[:-1]
    return words


@dataclass
class InstrumentItems:
    """Finds the items of instruments among the fields of a form, ``called`` by its name and label."""

    terminology: Terminology
    called: str
    fields: list[Field]
    found: dict[str, Guess] = field(default_factory=dict)

    def run(self) -> dict[str, Guess]:
        """Return the items by the name of their field."""
        section = ""
        for item in self.fields:
            section = item.section_header or section
            where = (self.called, section, f"{item.name.replace('_', ' ')} {plain_label(item.label)}")
            guesses = [self._by_code(item)]
            told = [named_in(text, self.terminology) for text in where]
            for one in instruments(self.terminology):
                if any(one in named for named in told) and can_be_an_item(item):
                    guesses.append(self._item(one, item, one in told[2]))
            best = surest(*guesses)
            if best is not None:
                self.found[item.name] = best
        return self.found

    def _by_code(self, item: Field) -> Guess | None:
        """Return the item whose code a field's name is, whatever the form is called."""
        own = item.name.replace("_", "").upper()
        one, found = _codes(self.terminology).get(own, (None, None))
        if one is None or found is None or not can_be_an_item(item):
            return None
        return _guess(one, found, item, CERTAIN, f"its name is the code of {one.category}")

    def _item(self, one: Instrument, item: Field, in_field: bool) -> Guess | None:
        """Return the item of an instrument that a field is; ``in_field`` if the field itself names it."""
        label = tuple(word for word in numbered(said(item.label)) if (word,) not in one.short)
        printed = PRINTED.match(plain_label(item.label)) or (None if in_field else NUMBERED.search(item.name))
        number = f"{int(printed[1])}{printed[2].lower()}" if printed and len(one.items) > 1 else ""
        return _by_label(one, item, label, number) or _alone(one, item, label, in_field)


def _by_label(one: Instrument, item: Field, label: Words, number: str) -> Guess | None:
    """Return the item that a label names, or that has its number."""
    whole = [each for each in one.items if label in each.names]
    alike = max(one.items, key=lambda each: _alike(label, each))
    same_number = next((each for each in one.items if number and each.number == number), None)
    if len(whole) == 1:
        return _guess(one, whole[0], item, LIKELY, f"its label is that of an item of {one.category}")
    if _alike(label, alike) >= PART and same_number in (None, alike):
        return _guess(one, alike, item, LIKELY if same_number else GUESS, f"its label is like {one.category}'s")
    if same_number is not None:
        return _guess(one, same_number, item, GUESS, f"item {number} of {one.category} by its number")
    return None


def _alone(one: Instrument, item: Field, label: Words, in_field: bool) -> Guess | None:
    """Return the item of an instrument with one, where the field names the instrument; or its one time."""
    known = {word for name in (*one.names, *one.items[0].names) for word in name}
    whole, numeric = not set(label) - known, item.validation.startswith(("number", "integer"))
    if len(one.items) == 1 and in_field and item.type == "text" and (whole or numeric):
        return _guess(one, one.items[0], item, LIKELY if whole else GUESS, f"{one.category} has one item")
    timed = [each for each in one.items if each.names and each.names[0][:1] == ("time",)]
    if len(timed) == 1 and set(units_in(item.label)) & set(TIMES):
        return _guess(one, timed[0], item, GUESS, f"a time in a form of {one.category}")
    return None


def _alike(label: Words, item: Item) -> float:
    """Return the share of the words of a label and an item that both have; all of an item's words count as alike."""
    shares = [0.0]
    for name in item.names:
        both = set(label) & set(name)
        inside = len(both) == len(set(name)) and len(both) > 1
        shares.append(max(len(both) / len({*label, *name}), len(both) / (len(both) + 1) if inside else 0.0))
    return max(shares)


def can_be_an_item(item: Field) -> bool:
    """Return True for a field that may hold the answer to an item: a choice, one box to tick, a number or a text."""
    dated = item.validation.startswith(("date", "time"))
    one_box = item.type == "checkbox" and len(item.choices) == 1
    return one_box or (item.type in ("radio", "dropdown", "yesno", "truefalse", "text", "slider") and not dated)


def _guess(one: Instrument, item: Item, field: Field, confidence: str, reason: str) -> Guess:
    more: dict[str, Any] = {
        "category": one.category,
        "codelists": dict(zip(("testcd", "test"), one.codelists, strict=True)),
        **answer(field),
    }
    return Guess(one.domain, f"{one.domain}ORRES", confidence, reason, item.code, more)


def answer(item: Field) -> dict[str, Any]:
    """Return how the answer to an item is taken: a ticked box by its words, choices that are scores by their codes."""
    if item.type == "checkbox":
        code = next(iter(item.choices))
        return {"result": {"checkbox": item.name, "code": code, "checked": "CHECKED", "unchecked": "NOT CHECKED"}}
    scores = item.type in ("radio", "dropdown") and all(re.fullmatch(r"\d+", code) for code in item.choices)
    return {"standard": "code"} if scores and len(item.choices) > 2 else {}
