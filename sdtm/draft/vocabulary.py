"""Words by which a draft recognises forms, fields and choices; they are data, in vocabulary.yaml."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from metadata.labels import plain_label

FILE = Path(__file__).with_name("vocabulary.yaml")
BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
NUMBER = re.compile(r"^\s*\d+[a-z]?[.)]\s+")
Words = tuple[str, ...]


@cache
def vocabulary() -> dict[str, Any]:
    """Return vocabulary.yaml, every word as a text (also ``no``), which BaseLoader alone does."""
    text = FILE.read_text(encoding="utf-8")
    made: dict[str, Any] = yaml.load(text, yaml.BaseLoader)  # noqa: S506
    return made


@cache
def words(text: str) -> Words:
    """Return the words of a text that say something: lower case, without accents, brackets and its number."""
    shown = NUMBER.sub("", BRACKETS.sub(" ", plain_label(text)))
    return said(shown) or every_word(shown)


def said(text: str) -> Words:
    """Return the words of a text without the small ones."""
    small = set(vocabulary()["small"])
    return tuple(word for word in every_word(text) if word not in small)


@cache
def every_word(text: str) -> Words:
    """Return all words of a text, in lower case and without accents."""
    flat = unicodedata.normalize("NFKD", plain_label(text)).encode("ascii", "ignore").decode()
    return tuple(re.findall(r"[a-z0-9]+", flat.lower()))


@dataclass(frozen=True)
class Match:
    """What a text names, and whether the phrase is the whole text."""

    found: Any
    whole: bool
    length: int


@dataclass
class Phrases:
    """Phrases, each with what it names."""

    known: dict[Words, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, Any]]) -> Phrases:
        """Return the phrases of pairs of text and meaning; the first meaning of a phrase counts."""
        made = cls()
        for text, meaning in pairs:
            made.known.setdefault(words(text), meaning)
        return made

    def find(self, text: str) -> Match | None:
        """Return what a text names: as a whole, else by the longest phrase in it."""
        own = words(text)
        if own in self.known:
            return Match(self.known[own], True, len(own))
        for length in range(len(own) - 1, 0, -1):
            for start in range(len(own) - length + 1):
                if own[start : start + length] in self.known:
                    return Match(self.known[own[start : start + length]], False, length)
        return None


@cache
def form_phrases() -> Phrases:
    """Return the phrases that say of which domain a form is."""
    return Phrases.of((text, domain) for domain, texts in vocabulary()["forms"].items() for text in texts)


@cache
def subject_labels() -> Phrases:
    """Return the phrases of labels that name a variable of DM."""
    return Phrases.of((text, name) for name, one in vocabulary()["subject"].items() for text in one["labels"])


@cache
def subject_names() -> dict[str, str]:
    """Return the names of fields that mean a variable of DM."""
    return {name: variable for variable, one in vocabulary()["subject"].items() for name in one["names"]}


@cache
def variable_labels(domain: str) -> Phrases:
    """Return the phrases of labels that name a variable of a domain, by the end of the variable's name."""
    return Phrases.of((text, one["end"]) for one in _of_domain(domain) for text in one["labels"])


@cache
def variable_names(domain: str) -> dict[str, str]:
    """Return what the names of fields end in that mean a variable of a domain."""
    made: dict[str, str] = {}
    for one in _of_domain(domain):
        for name in one.get("names", []):
            made.setdefault(name, one["end"])
    return made


def _of_domain(domain: str) -> list[dict[str, Any]]:
    listed = vocabulary()["variables"]
    own = [one for one in listed if domain in one.get("of", ())]
    return own + [one for one in listed if "of" not in one]


@cache
def test_phrases(domain: str) -> Phrases:
    """Return the phrases that name a test of a domain."""
    return Phrases.of((text, code) for code, texts in vocabulary()["tests"].get(domain, {}).items() for text in texts)


@cache
def milestones() -> Phrases:
    """Return the phrases that name the date of a milestone of the protocol."""
    return Phrases.of((text, name) for name, texts in vocabulary()["milestones"].items() for text in texts)


def choice_terms(label: str, codelist: str) -> list[tuple[list[str], str]]:
    """Return the terms that a choice may mean in a codelist, those of the list itself first, each with its doubt."""
    own = words(label)
    if not own:
        return []
    found = [one for one in vocabulary()["choices"] if codelist in one.get("lists", (codelist,))]
    found.sort(key=lambda one: "lists" not in one)
    whole = [one for one in found if any(words(text) == own for text in one["labels"])]
    return [([str(term) for term in one["term"]], str(one.get("doubt", ""))) for one in whole]


@cache
def unit_phrases() -> dict[Words, str]:
    """Return what forms call a unit, by words."""
    return {every_word(text): unit for unit, texts in vocabulary()["units"].items() for text in texts}


def of_list(section: str, name: str, label: str) -> Match | None:
    """Return the match of a field with a section of names and labels (comments, not_submitted)."""
    for one in _entries(section):
        reason = one.get("reason", section)
        if name in one["names"]:
            return Match(reason, True, 1)
    return Phrases.of((text, one.get("reason", section)) for one in _entries(section) for text in one["labels"]).find(
        label
    )


def _entries(section: str) -> list[dict[str, Any]]:
    body = vocabulary()[section]
    return body if isinstance(body, list) else [body]
