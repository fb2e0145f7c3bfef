"""Sentences that an orchestrator may keep: what is wrong and where in the mapping, without a patient's value.

A word that the study's own files have (a field, an event, a term, a key) tells nothing of a patient and stays. Any
other quoted text, each number that is no count and no line of a file, and what follows a record or subject goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metadata.study import Study

MASK = "..."
OPENING = re.compile(r"(?<!\w)['\"]")
QUOTED = re.compile(r"(?<!\w)'[^']*'(?!\w)|\"[^\"]*\"")
REST = re.compile(r"(?<!\w)['\"].*['\"](?!\w)", re.DOTALL)  # from the first quote to the last: a value may hold quotes
OWNER = re.compile(r"\b(records?|subjects?|USUBJID|SUBJID|patients?|names?)(\s+|=)(?!\.\.\.|')([^\s,;:.]+)")
PLAIN = {
    "is", "are", "was", "were", "has", "have", "of", "in", "without", "with", "that", "whose", "and", "or", "to", "the",
    "a", "an", "came", "comes", "cannot", "do", "does", "did", "may", "not", "from", "by", "for", "on", "who", "which",
    "id", "ids", "alone", "although", "there", "here", "too", "at", "no", "as", "than", "if", "where",
}  # fmt: skip
DIGITS = re.compile(r"[^\s()\[\],;']*\d[^\s()\[\],;']*")
PLACED = re.compile(r"[\w./-]*\.(yaml|csv|sql|py)(:\d+)?[.:]?")
COUNTED = re.compile(r"\d{1,3}(,\d{3})*|\d+")
NOUNS = re.compile(
    r"\s+(more|other|of|different|records?|rows?|values?|subjects?|checks?|quer(y|ies)|datasets?|variables?|columns?|lines?"
    r"|findings?|expectations?|conformance|characters?|bytes|seconds?|minutes?|days?|s\b)"
)  # fmt: skip
SCREENED = ("records", "log", "users", "participants")
_words: ContextVar[str] = ContextVar("words", default="")


@contextmanager
def knowing(study: Study) -> Iterator[None]:
    """Let sentences keep the words of a study's own files."""
    before = _words.set(_definition(study.folder))
    try:
        yield
    finally:
        _words.reset(before)


@cache
def _definition(folder: Path) -> str:
    """Return the texts of a study's mapping and of its project's structure; no record, no log, no comment."""
    project = [path for path in sorted((folder / "redcap").glob("*.csv")) if not path.stem.startswith(SCREENED)]
    files = [*sorted(folder.glob("*.yaml")), *sorted(folder.glob("*/*.yaml")), *project]
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in files]
    return "\n".join(re.sub(r"(?m)(^|\s)#.*$", "", text) for text in texts)


def quotes_masked(sentence: str) -> str:
    """Return a sentence without what is quoted and no word of the study: from the first such text to the last quote."""
    at = 0
    while begin := OPENING.search(sentence, at):
        whole = QUOTED.match(sentence, begin.start())
        if whole is None or not _known(whole[0][1:-1]):
            return sentence[: begin.start()] + REST.sub(f"'{MASK}'", sentence[begin.start() :])
        at = whole.end()
    return sentence


def values_masked(sentence: str) -> str:
    """Return a sentence of a finding without values: quoted ones, numbers, dates, names of records and subjects."""
    owned = OWNER.sub(
        lambda found: found[0] if found[3] in PLAIN else f"{found[1]}{found[2]}{MASK}", quotes_masked(sentence)
    )
    return DIGITS.sub(lambda found: found[0] if _may_stay(found, owned) else MASK, owned)


def _may_stay(found: re.Match[str], sentence: str) -> bool:
    token = found[0]
    if PLACED.fullmatch(token):
        return True
    if COUNTED.fullmatch(token):
        return bool(NOUNS.match(sentence, found.end())) or sentence[: found.start()].endswith("line ")
    return any(letter.isalpha() or letter == "^" for letter in token) and _known(token)


def _known(text: str) -> bool:
    """Return True for a word of the study, except one of digits alone: a code or number may be a patient's value."""
    if not any(letter.isalpha() or letter == "^" for letter in text):
        return False
    return re.search(rf"(?<!\w){re.escape(text)}(?!\w)", _words.get()) is not None
