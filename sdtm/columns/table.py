"""A domain in the making: typed columns over coded texts, who each row is about, and where its values came from."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from metadata import iso8601
from metadata.dataset import Edges
from sdtm.columns.column import Text

NO_DAY = np.datetime64("NaT", "D")
REDCAP = "REDCAP"


@dataclass(frozen=True)
class UsedRows:
    """Rows of another domain that values of a variable were taken from."""

    domain: str
    variable: str
    rows: np.ndarray
    source_rows: np.ndarray


@dataclass(frozen=True)
class Derived:
    """Texts (object array) or numbers (float64) made from tabulated variables, with the rows they came from."""

    data: np.ndarray
    used: tuple[UsedRows, ...] = ()


@dataclass(frozen=True)
class Withheld:
    """Stored values that are not tabulated: rows of the records, the field and the reason.

    ``without_record``: nothing is wrong with the values, but the row that holds them makes no record. ``elsewhere``:
    they stand in a variable as they were collected, but what should be made of them is null.
    """

    source_rows: np.ndarray
    field: str
    reason: str
    without_record: bool = False
    elsewhere: bool = False


@dataclass(frozen=True)
class SupplementalRows:
    """Supplemental values of one QNAM: rows of the domain's table and the texts."""

    qnam: str
    label: str
    qorig: str
    qeval: str
    rows: np.ndarray
    texts: Text


@dataclass
class DomainTable:
    """Rows of one domain before they are sorted; ``hidden`` holds record, event and instance of each row.

    ``followed`` is True for elements after which another starts. Edges of a supplemental value are those of ``+QNAM``.
    ``unchecked`` are the text variables that were put since values were last checked.
    """

    domain: str
    count: int
    texts: dict[str, Text] = field(default_factory=dict)
    numbers: dict[str, np.ndarray] = field(default_factory=dict)
    hidden: dict[str, Text] = field(default_factory=dict)
    edges: list[Edges] = field(default_factory=list)
    withheld: list[Withheld] = field(default_factory=list)
    parts: list[tuple[object, int, int]] = field(default_factory=list)
    supplements: list[SupplementalRows] = field(default_factory=list)
    unchecked: dict[str, None] = field(default_factory=dict)
    dropped: np.ndarray | None = None
    followed: np.ndarray = field(default_factory=lambda: np.empty(0, bool))
    _days: dict[str, tuple[Text, np.ndarray, np.ndarray]] = field(default_factory=dict)

    def text(self, name: str) -> Text:
        """Return a text variable, all blank if it is not there."""
        return self.texts[name] if name in self.texts else Text.constant("", self.count)

    def number(self, name: str) -> np.ndarray:
        """Return a numeric variable, all NaN if it is not there."""
        return self.numbers[name] if name in self.numbers else np.full(self.count, np.nan)

    def has(self, name: str) -> bool:
        """Return True if the variable was made."""
        return name in self.texts or name in self.numbers

    def present(self, name: str) -> np.ndarray:
        """Return True where the variable is not null."""
        return ~np.isnan(self.numbers[name]) if name in self.numbers else self.text(name).present()

    def put(self, name: str, values: np.ndarray | Text) -> None:
        """Set a variable: float64 is numeric, anything else text."""
        if isinstance(values, np.ndarray) and values.dtype.kind == "f":
            self.numbers[name] = values
        else:
            self.texts[name] = values if isinstance(values, Text) else Text.of_array(values)
            self.unchecked[name] = None

    def derive(self, name: str, made: Derived, is_number: bool) -> None:
        """Set a variable from tabulated ones, with its lineage."""
        values = pd.to_numeric(pd.Series(made.data), errors="coerce").to_numpy(float) if is_number else made.data
        self.put(name, values)
        for used in made.used:
            self.edges.append(Edges(used.rows, name, used.domain, used.source_rows, used.variable))

    @property
    def subject(self) -> Text:
        """USUBJID of each row."""
        return self.text("USUBJID")

    def kept(self) -> np.ndarray:
        """Rows that are not withheld."""
        return np.ones(self.count, bool) if self.dropped is None else ~self.dropped

    def match_subjects(self, other: DomainTable) -> np.ndarray:
        """Return for each row the code of its subject in another table, -1 if it has none there."""
        places = {word: place for place, word in enumerate(other.subject.words) if word}
        return np.array([*(places.get(word, -1) for word in self.subject.words), -1])[self.subject.codes]

    def match_rows(self, other: DomainTable) -> np.ndarray:
        """Return for each row its subject's first kept row in another table, -1 if it has none."""
        first = np.full(len(other.subject.words) + 1, -1)
        rows = np.flatnonzero(other.kept())[::-1]
        first[other.subject.codes[rows]] = rows
        return first[self.match_subjects(other)]

    def days(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return earliest and latest possible day of a date variable."""
        dates = self.text(name)
        if name not in self._days or self._days[name][0] is not dates:
            first, last = iso8601.word_bounds(dates.words)
            self._days[name] = dates, np.append(first, NO_DAY)[dates.codes], np.append(last, NO_DAY)[dates.codes]
        return self._days[name][1].copy(), self._days[name][2].copy()

    def extreme_by_subject(self, name: str, keep: np.ndarray, sign: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return by subject code the first (sign 1) or last (-1) day of a date variable, its text and its row."""
        day = self.days(name)[0]
        count = len(self.subject.words) + 1
        best_day = np.full(count, NO_DAY)
        best_text = np.full(count, "", dtype=object)
        best_row = np.full(count, -1)
        rows = np.flatnonzero(keep & self.kept() & ~np.isnat(day))
        order = rows[np.argsort(day[rows], kind="stable")]
        order = order[::-1] if sign > 0 else order
        codes = self.subject.codes[order]
        best_day[codes] = day[order]
        best_text[codes] = self.text(name).take(order).array()
        best_row[codes] = order
        return best_day, best_text, best_row

    def withhold(self, rows: np.ndarray, reason: str) -> None:
        """Leave rows out of the dataset and list the values that they hold."""
        self.dropped = rows.copy() if self.dropped is None else self.dropped | rows
        for edge in self.edges:
            if edge.source == REDCAP:
                lost = rows[edge.row]
                if lost.any():
                    self.withheld.append(Withheld(np.unique(edge.source_row[lost]), edge.source_variable, reason))

    def null(self, name: str, rows: np.ndarray, reason: str) -> None:
        """Blank a text variable where its value cannot be represented, and list the stored values."""
        self.texts[name] = self.text(name).where(~rows)
        self.withhold_values(name, rows, reason)

    def withhold_values(self, name: str, rows: np.ndarray, reason: str) -> None:
        """List the stored values that a variable was made from in some rows, and take them out of its lineage."""
        kept: list[Edges] = []
        for edge in self.edges:
            lost = rows[edge.row] if edge.variable == name else np.zeros(len(edge.row), bool)
            if lost.any():
                if edge.source == REDCAP:
                    self.withheld.append(Withheld(np.unique(edge.source_row[lost]), edge.source_variable, reason))
                edge = Edges(edge.row[~lost], edge.variable, edge.source, edge.source_row[~lost], edge.source_variable)
            kept.append(edge)
        self.edges = kept


class DomainTables(dict[str, DomainTable]):
    """The domains in the making, by name."""
