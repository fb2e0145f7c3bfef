"""A CDISC/NCI terminology package: the tab-delimited file that NCI publishes, or the CSV form of metadata/standards.

Codelists are made when they are asked for: a package has tens of thousands of terms, and a study needs a few lists.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from metadata.errors import StudyError, nearest

COLUMNS = (
    "codelist_code",
    "codelist",
    "codelist_name",
    "extensible",
    "term_code",
    "term",
    "preferred_term",
    "synonyms",
)
NCI_COLUMNS = (
    "Code",
    "Codelist Code",
    "Codelist Extensible (Yes/No)",
    "Codelist Name",
    "CDISC Submission Value",
    "CDISC Synonym(s)",
    "NCI Preferred Term",
)
"""Those read of NCI's columns; the definition, and the standard and date of newer files, are left out."""


@dataclass(frozen=True, slots=True)
class Term:
    """One submission value: NCI concept code (blank for retired terms and extensions), preferred term, synonyms."""

    value: str
    code: str = ""
    preferred_term: str = ""
    synonyms: tuple[str, ...] = ()
    extended: bool = False


@dataclass(frozen=True)
class Codelist:
    """One codelist; ``code`` is blank for a list of the sponsor's own."""

    code: str
    name: str
    label: str
    extensible: bool
    terms: dict[str, Term] = field(default_factory=dict)

    @cached_property
    def _by_word(self) -> dict[str, list[str]]:
        """Terms by each of their names, in lower case: the term itself, its synonyms and its preferred term."""
        made: dict[str, list[str]] = {}
        for term in self.terms.values():
            for word in dict.fromkeys(word.lower() for word in (term.value, *term.synonyms, term.preferred_term)):
                made.setdefault(word, []).append(term.value)
        return made

    def nearest(self, value: str) -> str:
        """Return `` (did you mean 'x'?)`` for the closest term, looked for regardless of case and among synonyms."""
        meant = self._by_word.get(value.strip().lower())
        return (
            f" (did you mean '{meant[0]}'?)"
            if meant and value
            else nearest(value, self.terms) or nearest(value.upper(), self.terms)
        )

    def meant(self, value: str) -> str:
        """Return the one term that a value names: the term, a synonym or a preferred term, regardless of case.

        Blank if no term has the name, or if several have it.
        """
        if value in self.terms:
            return value
        lowered = value.strip().lower()
        same = [term for term in self.terms if term.lower() == lowered]
        found = same or self._by_word.get(lowered, [])
        return found[0] if len(found) == 1 and lowered else ""


class Package(Mapping[str, Codelist]):
    """The codelists of one file, by NCI code and by short name; ``remarks`` are the lines above its header."""

    def __init__(self, rows: Iterable[tuple[str, ...]], remarks: tuple[str, ...] = ()) -> None:
        self.remarks = remarks
        self._rows: dict[str, list[tuple[str, ...]]] = {}
        for code, together in groupby(rows, key=itemgetter(0)):
            self._rows.setdefault(code, []).extend(together)
        self._codes = {name: code for code, own in self._rows.items() for name in (own[0][1], code)}
        self._made: dict[str, Codelist] = {}

    def __getitem__(self, key: str) -> Codelist:
        code = self._codes[key]
        if code not in self._made:
            self._made[code] = _codelist(self._rows[code])
        return self._made[code]

    def __contains__(self, key: object) -> bool:
        return key in self._codes

    def __iter__(self) -> Iterator[str]:
        return iter(self._codes)

    def __len__(self) -> int:
        return len(self._codes)

    def rows(self, keys: Iterable[str]) -> list[tuple[str, ...]]:
        """Return the rows of some codelists (by code or short name), by code, terms in the package's order."""
        codes = sorted({self._codes[key] for key in keys if key in self._codes})
        return [row for code in codes for row in self._rows[code]]


def _codelist(rows: list[tuple[str, ...]]) -> Codelist:
    code, name, label, extensible = rows[0][:4]
    terms = {
        row[5]: Term(row[5], row[4], row[6], tuple(word.strip() for word in row[7].split(";") if word.strip()))
        for row in rows
        if row[5]
    }
    return Codelist(code, name, label, extensible in ("Y", "Yes"), terms)


EXTENSIBLE = ("Y", "N", "Yes", "No", "")


def read_package(path: Path, shown: str) -> Package:
    """Read a package file; ``shown`` is its name in errors. Raises StudyError if it is in neither of the forms."""
    if not path.is_file():
        raise StudyError("the terminology package does not exist", shown)
    return _read(path, shown, path.stat().st_mtime_ns)


@cache
def _read(path: Path, shown: str, written: int) -> Package:
    """Read a file once for each time at which it was written."""
    text = _text(path)
    if "\t" in text.partition("\n")[0]:
        return Package(_nci_rows(text.splitlines(), shown))
    remarks, text = _remarks(text)
    rows = [*map(tuple, csv.reader(io.StringIO(text, newline="")))]  # unlike lists these cost the collector nothing
    if (rows[0] if rows else ()) != COLUMNS:
        raise StudyError(
            "this is not a terminology package: neither NCI's tab-delimited file (Code, Codelist Code, ...) nor the CSV"
            f" with the columns {', '.join(COLUMNS)}",
            shown,
            len(remarks) + 1,
        )
    _check_width(rows, len(COLUMNS), shown, after=len(remarks))
    known = set(EXTENSIBLE)
    for number, row in enumerate(rows[1:] if {row[3] for row in rows[1:]} - known else [], start=len(remarks) + 2):
        if row[3] not in known:
            raise StudyError(f"a codelist is extensible, Y or N, not '{row[3]}'", shown, number, COLUMNS[3])
    return Package(rows[1:], remarks)


def _remarks(text: str) -> tuple[tuple[str, ...], str]:
    """Return the lines that begin with # above the header of a CSV package, and the text below them."""
    lines = text.split("\n")
    count = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return tuple(line.rstrip("\r") for line in lines[:count]), "\n".join(lines[count:])


def _text(path: Path) -> str:
    """Return a file's text: UTF-8, or Windows-1252 as NCI wrote older files."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _nci_rows(lines: list[str], shown: str) -> list[tuple[str, ...]]:
    """Return NCI's rows under our columns; a row without a codelist's code is a codelist, whose terms follow."""
    rows = [line.split("\t") for line in lines if line.strip()]
    header = [name.strip() for name in rows[0]]
    missing = [name for name in NCI_COLUMNS if name not in header]
    if missing:
        raise StudyError(f"NCI's file lacks the column '{missing[0]}'", shown, 1)
    _check_width(rows, len(header), shown)
    at = [header.index(name) for name in NCI_COLUMNS]
    picked = [[row[place].strip() for place in at] for row in rows[1:]]
    lists = {row[0]: row for row in picked if not row[1]}
    made: list[tuple[str, ...]] = []
    for number, (code, of, _, _, value, synonyms, preferred) in enumerate(picked, start=2):
        if not of:
            continue
        if of not in lists:
            raise StudyError(
                f"the term '{value}' belongs to the codelist {of}, which the file does not have", shown, number
            )
        _, _, extensible, label, short, _, _ = lists[of]
        made.append((of, short, label, extensible[:1], code, value, preferred, synonyms))
    return made


def _check_width(rows: Sequence[Sequence[str]], width: int, shown: str, after: int = 0) -> None:
    for number, row in enumerate(rows if {*map(len, rows)} - {width} else [], start=after + 1):
        if len(row) != width:
            raise StudyError(f"the row has {len(row)} columns, the header {width}", shown, number)
