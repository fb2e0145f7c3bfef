"""A domain in the making: typed columns over coded texts, who each row is about, and where its values came from."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from metadata import iso8601
from metadata.coded_text import CodedText
from metadata.dataset import Edges

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
    """Texts made from tabulated variables, with the rows they came from."""

    data: CodedText
    used: tuple[UsedRows, ...] = ()


@dataclass(frozen=True)
class Withheld:
    """Stored values that are not tabulated: rows of the records, the field and the reason.

    ``without_record``: nothing is wrong with the values, but the row that holds them makes no record. ``elsewhere``:
    they are kept in a variable as they were collected, but what should be made of them is null.
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
    texts: CodedText


@dataclass
class DomainTable:
    """Rows of one domain before they are sorted; ``hidden`` holds record, event and instance of each row.

    ``followed`` is True for elements after which another starts. Edges of a supplemental value are those of ``+QNAM``.
    ``cut_off`` are values after the data cut-off.
    ``unchecked`` are the text variables that were put since values were last checked, ``used_ranges`` the lines of the
    table of reference ranges that hold for some result.
    """

    domain: str
    count: int
    texts: dict[str, CodedText] = field(default_factory=dict)
    numbers: dict[str, np.ndarray] = field(default_factory=dict)
    hidden: dict[str, CodedText] = field(default_factory=dict)
    edges: list[Edges] = field(default_factory=list)
    withheld: list[Withheld] = field(default_factory=list)
    cut_off: list[Withheld] = field(default_factory=list)
    parts: list[tuple[object, int, int]] = field(default_factory=list)
    supplements: list[SupplementalRows] = field(default_factory=list)
    unchecked: dict[str, None] = field(default_factory=dict)
    used_ranges: set[int] = field(default_factory=set)
    dropped: np.ndarray | None = None
    _cut: np.ndarray | None = None
    followed: np.ndarray = field(default_factory=lambda: np.empty(0, bool))
    _days: dict[str, tuple[CodedText, np.ndarray, np.ndarray]] = field(default_factory=dict)

    def text(self, name: str) -> CodedText:
        """Return a text variable, all blank if it is not there."""
        return self.texts[name] if name in self.texts else CodedText.constant("", self.count)

    def number(self, name: str) -> np.ndarray:
        """Return a numeric variable, all NaN if it is not there."""
        return self.numbers[name] if name in self.numbers else np.full(self.count, np.nan)

    def has(self, name: str) -> bool:
        """Return True if the variable was made."""
        return name in self.texts or name in self.numbers

    def present(self, name: str) -> np.ndarray:
        """Return True where the variable is not null."""
        return ~np.isnan(self.numbers[name]) if name in self.numbers else self.text(name).present()

    def put(self, name: str, values: np.ndarray | CodedText) -> None:
        """Set a variable to texts or to numbers (float64)."""
        if isinstance(values, CodedText):
            self.texts[name] = values
            self.unchecked[name] = None
        else:
            self.numbers[name] = values

    def derive(self, name: str, made: Derived, is_number: bool) -> None:
        """Set a variable from tabulated ones, with its lineage."""
        self.put(name, made.data.numbers() if is_number else made.data)
        for used in made.used:
            self.edges.append(Edges(used.rows, name, used.domain, used.source_rows, used.variable))

    @property
    def subject(self) -> CodedText:
        """USUBJID of each row."""
        return self.text("USUBJID")

    def kept(self) -> np.ndarray:
        """Rows that are not withheld."""
        return np.ones(self.count, bool) if self.dropped is None else ~self.dropped

    def match_subjects(self, other: DomainTable) -> np.ndarray:
        """Return for each row the code of its subject in another table, -1 if it has none there."""
        places = other.subject.places
        return self.subject.each(lambda name: places.get(name, -1) if name else -1, int)

    def match_rows(self, other: DomainTable) -> np.ndarray:
        """Return for each row its subject's first kept row in another table, -1 if it has none."""
        first = np.full(len(other.subject.texts) + 1, -1)
        rows = np.flatnonzero(other.kept())[::-1]
        first[other.subject.codes[rows]] = rows
        return first[self.match_subjects(other)]

    def days(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return earliest and latest possible day of a date variable."""
        dates = self.text(name)
        if name not in self._days or self._days[name][0] is not dates:
            first, last = iso8601.text_bounds(dates.texts)
            self._days[name] = dates, dates.spread(first), dates.spread(last)
        return self._days[name][1].copy(), self._days[name][2].copy()

    def extreme_by_subject(self, name: str, keep: np.ndarray, sign: int) -> tuple[np.ndarray, np.ndarray]:
        """Return by subject code the first (sign 1) or last (-1) day of a date variable, and its row (-1: none)."""
        day = self.days(name)[0]
        count = len(self.subject.texts) + 1
        best_day = np.full(count, NO_DAY)
        best_row = np.full(count, -1)
        rows = np.flatnonzero(keep & self.kept() & ~np.isnat(day))
        order = rows[np.argsort(day[rows], kind="stable")]
        order = order[::-1] if sign > 0 else order
        codes = self.subject.codes[order]
        best_day[codes] = day[order]
        best_row[codes] = order
        return best_day, best_row

    def withhold(self, rows: np.ndarray, reason: str) -> None:
        """Leave rows out of the dataset and list the values that they hold."""
        self._drop(rows, reason, self.withheld)

    def cut(self, rows: np.ndarray, reason: str) -> None:
        """Leave rows out because of the data cut-off."""
        self._cut = self.cut_rows() | rows
        self._drop(rows, reason, self.cut_off)

    def cut_rows(self) -> np.ndarray:
        """Rows that are left out because of the data cut-off."""
        return np.zeros(self.count, bool) if self._cut is None else self._cut

    def _drop(self, rows: np.ndarray, reason: str, into: list[Withheld]) -> None:
        self.dropped = rows.copy() if self.dropped is None else self.dropped | rows
        for edge in self.edges:
            if edge.source == REDCAP:
                lost = rows[edge.row]
                if lost.any():
                    into.append(Withheld(np.unique(edge.source_row[lost]), edge.source_variable, reason))

    def null(self, name: str, rows: np.ndarray, reason: str) -> None:
        """Blank a text variable where its value cannot be represented, and list the stored values."""
        self.texts[name] = self.text(name).where(~rows)
        self.withhold_values(name, rows, reason)

    def cut_values(self, name: str, rows: np.ndarray, reason: str) -> None:
        """Blank a text variable where its value was not known at the data cut-off."""
        self.texts[name] = self.text(name).where(~rows)
        self._take_out(name, rows, reason, self.cut_off)

    def withhold_values(self, name: str, rows: np.ndarray, reason: str) -> None:
        """List the stored values that a variable was made from in some rows, and take them out of its lineage."""
        self._take_out(name, rows, reason, self.withheld)

    def _take_out(self, name: str, rows: np.ndarray, reason: str, into: list[Withheld]) -> None:
        kept: list[Edges] = []
        for edge in self.edges:
            lost = rows[edge.row] if edge.variable == name else np.zeros(len(edge.row), bool)
            if lost.any():
                if edge.source == REDCAP:
                    into.append(Withheld(np.unique(edge.source_row[lost]), edge.source_variable, reason))
                edge = Edges(edge.row[~lost], edge.variable, edge.source, edge.source_row[~lost], edge.source_variable)
            kept.append(edge)
        self.edges = kept


class DomainTables(dict[str, DomainTable]):
    """The domains in the making, by name."""
