"""Columns that remember from which stored values they were made, and what could not be represented.

Texts are held as codes into their few distinct words, so that an operation works on the words and never on the rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa

NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
LIMITED = re.compile(r"(<=|>=|<|>)\s*(\d+(?:\.\d+)?)")
"""A result beyond a limit of quantification, such as <5."""


class Text:
    """A column of texts: ``codes`` (int32, one a row) into distinct ``words`` in any order; blank is an empty text."""

    __slots__ = ("codes", "words")

    def __init__(self, codes: np.ndarray, words: list[str]) -> None:
        self.codes, self.words = codes, words

    @property
    def texts(self) -> list[str]:
        """The words, as a condition asks for them."""
        return self.words

    @classmethod
    def of(cls, values: pa.Array) -> Text:
        """Return the texts of Arrow text without nulls, their words in the order in which they come."""
        coded = values.dictionary_encode()
        return cls(coded.indices.to_numpy(zero_copy_only=False), coded.dictionary.to_pylist())

    @classmethod
    def of_array(cls, values: np.ndarray) -> Text:
        """Return the texts of an array, their words in order."""
        codes, words = pd.factorize(np.asarray(values, dtype=object))
        return cls(codes.astype(np.int32), words.tolist()).in_order()

    @classmethod
    def constant(cls, word: str, count: int) -> Text:
        """Return ``count`` times the same text."""
        return cls(np.zeros(count, np.int32), [word])

    @classmethod
    def distinct(cls, words: list[str]) -> Text:
        """Return a column of different texts."""
        return cls(np.arange(len(words), dtype=np.int32), words)

    @classmethod
    def choose(cls, words: Iterable[str], places: np.ndarray) -> Text:
        """Return ``words[place]`` for each place."""
        return cls(np.asarray(places, np.int32), list(words)).map(str)

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, at: np.ndarray | slice) -> Text:
        """Return the rows at positions ``at``."""
        return Text(self.codes[at], self.words)

    def in_order(self) -> Text:
        """Return the same texts, their words in order and without those that stand nowhere."""
        used = np.flatnonzero(np.bincount(self.codes, minlength=len(self.words)) if len(self) else ())
        words = [self.words[code] for code in used.tolist()]
        order = sorted(range(len(words)), key=words.__getitem__)
        place = np.zeros(len(self.words) + 1, np.int32)
        place[used[order]] = np.arange(len(order))
        return Text(place[self.codes], [words[number] for number in order])

    def map(self, change: Callable[[str], str]) -> Text:
        """Return the texts with each distinct word changed."""
        place: dict[str, int] = {}
        moved = [place.setdefault(change(word), len(place)) for word in self.words]
        return Text(np.array(moved, np.int32)[self.codes] if moved else self.codes, list(place))

    def replace(self, terms: Mapping[str, str], otherwise: str | None = None) -> Text:
        """Return the texts with words replaced by ``terms``; the others stay, or become ``otherwise``."""
        return self.map(lambda word: terms.get(word, word if otherwise is None else otherwise))

    def where(self, keep: np.ndarray, other: str | Text = "") -> Text:
        """Return the texts where ``keep`` holds, and ``other`` (a word or a column) elsewhere."""
        if isinstance(other, str):
            words = self.words if other in self.words else [*self.words, other]
            return Text(np.where(keep, self.codes, words.index(other)), words)
        place = {word: number for number, word in enumerate(self.words)}
        moved = np.array([place.setdefault(word, len(place)) for word in other.words] or [0], np.int32)
        return Text(np.where(keep, self.codes, moved[other.codes]), list(place))

    def test(self, holds: Callable[[str], bool]) -> np.ndarray:
        """Return True where a text's word passes."""
        return np.array([holds(word) for word in self.words] or [False], bool)[self.codes]

    def isin(self, words: Iterable[str]) -> np.ndarray:
        """Return True where a text is one of ``words``."""
        wanted = set(words)
        return self.test(lambda word: word in wanted)

    def present(self) -> np.ndarray:
        """Return True where a text is not blank."""
        return self.test(bool)

    def numbers(self, read: Callable[[str], float]) -> np.ndarray:
        """Return one number for each text, read from its word."""
        return np.array([read(word) for word in self.words] or [np.nan], float)[self.codes]

    def join(self, other: Text, separator: str = "") -> Text:
        """Return each pair of texts joined, with the separator where both are there."""
        pairs = self.codes.astype(np.int64) * max(len(other.words), 1) + other.codes
        unique, codes = np.unique(pairs, return_inverse=True)
        first, second = np.divmod(unique, max(len(other.words), 1))
        words = [
            self.words[one] + (separator if self.words[one] and other.words[two] else "") + other.words[two]
            for one, two in zip(first.tolist(), second.tolist(), strict=True)
        ]
        return Text(codes.astype(np.int32), words).map(str)

    def array(self) -> np.ndarray:
        """Return the texts as an object array."""
        return np.array([*self.words, ""], dtype=object)[self.codes]


@dataclass(frozen=True)
class Read:
    """One field read for each row of a column: its row in the records (-1: none) and whether anything stands there.

    ``ticked`` is True where a checkbox has a tick: an unticked box is exported as 0, but it is no stored value.
    """

    field: str
    rows: np.ndarray
    held: np.ndarray
    ticked: np.ndarray | None = None

    @property
    def stored(self) -> np.ndarray:
        """True where a value is stored that must be accounted for."""
        return (self.held if self.ticked is None else self.ticked) & (self.rows >= 0)

    def take(self, at: np.ndarray) -> Read:
        """Return the same field for other rows."""
        return Read(self.field, self.rows[at], self.held[at], None if self.ticked is None else self.ticked[at])


@dataclass(frozen=True)
class UnrepresentedValues:
    """Rows of a column whose values in ``fields`` cannot be represented, so that the result is null.

    ``elsewhere``: the values stand in another variable as they were collected, and are asked about all the same.
    """

    rows: np.ndarray
    fields: tuple[str, ...]
    reason: str
    elsewhere: bool = False


@dataclass(frozen=True)
class Column:
    """Texts or numbers (float64), the fields they came from and what was wrong."""

    data: Text | np.ndarray
    reads: tuple[Read, ...] = ()
    problems: tuple[UnrepresentedValues, ...] = ()

    @property
    def text(self) -> Text:
        """The texts of a text column."""
        assert isinstance(self.data, Text)
        return self.data

    def present(self) -> np.ndarray:
        """Return True where there is a value."""
        return self.data.present() if isinstance(self.data, Text) else ~np.isnan(self.data)

    def take(self, at: np.ndarray) -> Column:
        """Return the rows at positions ``at``."""
        data = self.data.take(at) if isinstance(self.data, Text) else self.data[at]
        problems = tuple(replace(problem, rows=problem.rows[at]) for problem in self.problems)
        return Column(data, tuple(read.take(at) for read in self.reads), problems)

    def only(self, at: np.ndarray) -> Column:
        """Return the column blanked outside ``at``; what was read there is not counted as used."""
        data = self.data.where(at) if isinstance(self.data, Text) else np.where(at, self.data, np.nan)
        reads = tuple(Read(read.field, read.rows, read.held & at, read.ticked) for read in self.reads)
        problems = tuple(replace(problem, rows=problem.rows & at) for problem in self.problems)
        return Column(data, reads, problems)

    def with_data(self, data: Text | np.ndarray) -> Column:
        """Return other values with the same lineage and problems."""
        return Column(data, self.reads, self.problems)


def first_present(one: Text | np.ndarray, other: Text | np.ndarray) -> Text | np.ndarray:
    """Return ``one`` where it has a value, else ``other``."""
    here = Column(one).present()
    if isinstance(one, Text) and isinstance(other, Text):
        return one.where(here, other)
    return np.where(here, one, other)  # type: ignore[arg-type]


def plain_number(word: str) -> float:
    """Return the number that a plain decimal text says, NaN for any other text."""
    return float(word) if NUMBER.fullmatch(word) else np.nan


def is_number(word: str) -> bool:
    """Return True for a plain decimal text."""
    return NUMBER.fullmatch(word) is not None


def stack(pieces: list[Text]) -> Text:
    """Return all pieces one below the other, with their words and the empty text in order."""
    union = sorted({word for piece in pieces for word in _used(piece)} | {""})
    place = {word: number for number, word in enumerate(union)}
    codes = [np.array([place.get(word, 0) for word in piece.words] or [0], np.int32)[piece.codes] for piece in pieces]
    return Text(np.concatenate(codes) if codes else np.empty(0, np.int32), union)


def _used(piece: Text) -> list[str]:
    """Return the words that stand in a column (others may be left over from wider columns)."""
    counts = np.bincount(piece.codes, minlength=len(piece.words)) if len(piece) else np.zeros(len(piece.words), int)
    return [word for word, count in zip(piece.words, counts.tolist(), strict=True) if count]


def translate(values: Text, made: Iterable[str]) -> Text:
    """Return the texts with each distinct word replaced by the one in ``made`` at its place, words in order."""
    words = list(made)
    union = sorted({*words, ""})
    place = {word: number for number, word in enumerate(union)}
    return Text(np.array([place[word] for word in words] or [0], np.int32)[values.codes], union)


def match(mine: Sequence[Text], theirs: Sequence[Text]) -> np.ndarray:
    """Return for each row the first row of other columns that holds the same texts, -1 if there is none."""
    numbers = np.zeros(len(mine[0]) + len(theirs[0]), np.int64)
    for one, other in zip(mine, theirs, strict=True):
        both = stack([one, other])
        numbers = numbers * len(both.words) + both.codes
    own, known = numbers[: len(mine[0])], numbers[len(mine[0]) :]
    distinct, first = np.unique(known, return_index=True)
    place = np.minimum(np.searchsorted(distinct, own), max(len(distinct) - 1, 0))
    return np.where(distinct[place] == own, first[place], -1) if len(distinct) else np.full(len(own), -1)


def first_of_each(columns: Sequence[Text]) -> np.ndarray:
    """Return the position of the first row of each distinct combination of texts, in the order of the rows."""
    numbers = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        numbers = numbers * max(len(column.words), 1) + column.codes
    return np.sort(np.unique(numbers, return_index=True)[1])


def place_within(groups: np.ndarray) -> np.ndarray:
    """Return 0, 1, ... for each row within its group (a code), in the order of the rows."""
    order = np.argsort(groups, kind="stable")
    counts = np.unique(groups, return_counts=True)[1]
    made = np.empty(len(groups), np.int64)
    made[order] = np.arange(len(groups)) - np.repeat(np.cumsum(counts) - counts, counts)
    return made
