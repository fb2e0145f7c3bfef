"""The datasets as the conformance rules look at them: coded texts, numbers, days and groups, each made once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Literal

import numpy as np

from metadata import iso8601
from metadata.coded_matching import first_match, group_numbers
from metadata.coded_text import CodedText
from metadata.dataset import Dataset
from metadata.errors import StudyError
from metadata.standards import GuideVariable, sdtm_variables
from metadata.study import Study
from metadata.terminology import Terminology

TIME = re.compile(r"T(?:[01]\d|2[0-4]|-)(?::(?:[0-5]\d|-)(?::[0-5]\d(?:\.\d+)?)?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?$")
OBSERVATIONS = ("Interventions", "Events", "Findings", "Findings About")
SUPPLEMENTAL = ("SUPP", "SQ")
NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)")
MISSING_DAY = np.datetime64("NaT", "D")
NAMING = ("USUBJID", "PARAMCD", "AVISIT", "ARMCD", "ETCD", "VISITNUM", "TSPARMCD", "IDVARVAL", "QNAM")
"""Variables that help to find a record in a dataset of which the keys are not known."""
NO_ARM = ("SCRNFAIL", "NOTASSGN", "NOTTRT")
"""What guides before SDTMIG 3.3 wrote as the arm of a subject without one."""


class Domain:
    """One dataset; ``name`` of a variable may be given with ``--`` for the domain's prefix."""

    def __init__(self, dataset: Dataset, version: str) -> None:
        self.dataset, self.version = dataset, version
        self.metadata, self.frame = dataset.metadata, dataset.frame
        self.name = dataset.name
        self._bounds: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._groups: dict[tuple[str, ...], np.ndarray] = {}

    @property
    def size(self) -> int:
        """Number of records."""
        return len(self.frame)

    @cached_property
    def is_supplemental(self) -> bool:
        """True for SUPP-- and its continuation SQ--."""
        return self.name.startswith(SUPPLEMENTAL) and "QNAM" in self.frame.columns

    @cached_property
    def is_observations(self) -> bool:
        """True for a domain of the three general observation classes."""
        return self.metadata.dataset_class in OBSERVATIONS

    @cached_property
    def is_findings(self) -> bool:
        """True for a domain of findings."""
        return self.full("--TESTCD") in self.frame.columns

    @cached_property
    def guide(self) -> tuple[GuideVariable, ...]:
        """Variables that the guide lists for this domain; none for a domain that it does not have."""
        wanted = "SUPPQUAL" if self.is_supplemental else self.name
        for name in (wanted, wanted[:2]):  # a part of a split domain is named after it
            try:
                return sdtm_variables(self.version, name)
            except StudyError:
                continue
        return ()

    def full(self, name: str) -> str:
        """Return a variable's name with the domain's prefix in the place of ``--``."""
        return name.replace("--", self.name[:2], 1)

    def has(self, *names: str) -> bool:
        """Return True if the dataset has all these variables."""
        return all(self.full(name) in self.dataset.columns for name in names)

    @cached_property
    def texts(self) -> list[str]:
        """Names of the variables that hold texts."""
        return [name for name in self.dataset.columns.names if self.dataset.columns.is_text(name)]

    def is_text(self, name: str) -> bool:
        """Return True for a column of texts."""
        full = self.full(name)
        return full in self.dataset.columns and self.dataset.columns.is_text(full)

    def column(self, name: str) -> CodedText:
        """Return a variable as codes into its distinct texts; one blank if the dataset lacks the variable."""
        full = self.full(name)
        if full in self.dataset.columns:
            return self.dataset.coded(full)
        return CodedText.constant("", self.size)

    def each(self, name: str, judge: Callable[[str], object]) -> np.ndarray:
        """Return for each record what ``judge`` says of its text, asked once a distinct text."""
        return self.column(name).test(judge)

    def matches(self, name: str, pattern: str) -> np.ndarray:
        """Return True where the whole text matches."""
        return self.each(name, re.compile(pattern).fullmatch)

    def equals(self, name: str, *values: str) -> np.ndarray:
        """Return True where the text is one of the values."""
        return self.column(name).isin(values)

    def filled(self, name: str) -> np.ndarray:
        """Return True where there is a value; all False if the dataset lacks the variable."""
        return self.column(name).present()

    def text(self, name: str) -> np.ndarray:
        """Return the texts as objects, blank where the dataset lacks the variable."""
        return self.column(name).array()

    def number(self, name: str) -> np.ndarray:
        """Return numbers; texts that are numbers are read, everything else is NaN."""
        full = self.full(name)
        if full in self.dataset.columns and not self.is_text(full):
            return self.dataset.columns.numbers(full)
        column = self.column(full)
        return column.each(lambda text: float(text) if NUMBER.fullmatch(text) else np.nan, float)

    def bounds(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return earliest and latest possible day of each date, NaT where there is none."""
        full = self.full(name)
        if full not in self._bounds:
            column = self.column(full)
            first, last = iso8601.text_bounds([without_time(text) for text in column.texts])
            self._bounds[full] = column.spread(first), column.spread(last)
        return self._bounds[full]

    def moments(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return earliest and latest possible second of each date, NaT where there is none."""
        first, last = (days.astype("datetime64[s]") for days in self.bounds(name))
        column = self.column(name)
        known = [clock(text) for text in column.texts]
        early, late = (column.spread(np.array([one[at] for one in known], "timedelta64[s]")) for at in range(2))
        return first + early, last + late

    def day(self, name: str) -> np.ndarray:
        """Return the day of each complete date, NaT for partial ones."""
        first, last = self.bounds(name)
        complete = self.each(name, lambda text: len(text) >= len("YYYY-MM-DD"))
        return np.where(complete & (first == last), first, MISSING_DAY)

    def group(self, *names: str) -> np.ndarray:
        """Return a number for each distinct combination of the named variables; absent ones are blank."""
        if names not in self._groups:
            self._groups[names] = group_numbers([self.column(name).codes for name in names])
        return self._groups[names]

    @cached_property
    def key_names(self) -> list[str]:
        """Variables that name a record to a reader: subject and sequence number, or the keys.

        Where no define.xml says the keys, those that most datasets have; they need not tell two records apart.
        """
        if self.is_observations and self.has("--SEQ"):
            return [name for name in ("USUBJID", self.full("--SEQ")) if self.has(name)]
        keys = self.metadata.keys or NAMING
        return [name for name in keys if self.has(name) and name not in ("STUDYID", "RDOMAIN")]

    def keys_of(self, rows: np.ndarray) -> list[str]:
        """Return the named positions as text, such as ``USUBJID=X LBSEQ=3``; without keys, with the record's number."""
        is_numbered = not self.metadata.keys and not (self.is_observations and self.has("--SEQ"))
        numbers = [f" record={row + 1}" if is_numbered else "" for row in rows]
        parts = []
        for name in self.key_names:
            column = self.column(name)
            parts.append((name, column.take(rows).array()))
        named = [" ".join(f"{name}={values[at]}" for name, values in parts) for at in range(len(rows))]
        return [f"{name}{number}".strip() for name, number in zip(named, numbers, strict=True)]


def repeated(group: np.ndarray, keep: Literal["first", False] = "first") -> np.ndarray:
    """Return True for a number that occurred before; with ``keep`` False for all that occur twice."""
    import pandas as pd

    return pd.Series(group).duplicated(keep).to_numpy(bool)


def not_usual(group: np.ndarray, codes: np.ndarray, counted: np.ndarray | None = None) -> np.ndarray:
    """Return True for a record whose code is not the commonest of its group; ``counted`` are those to look at."""
    among = np.arange(len(codes)) if counted is None else np.flatnonzero(counted)
    several = int(codes.max(initial=0)) + 1
    pairs, places, counts = np.unique(
        group[among].astype(np.int64) * several + codes[among], return_inverse=True, return_counts=True
    )
    owners = pairs // several
    best = np.lexsort((-counts, owners))
    usual = best[np.searchsorted(owners[best], owners)]
    made = np.zeros(len(codes), bool)
    made[among] = usual[places] != places
    return made


def without_time(date: str) -> str:
    """Return a date without its time of day."""
    return TIME.sub("", date) if "T" in date else date


def clock(date: str) -> tuple[int, int]:
    """Return earliest and latest possible second of the day of an ISO 8601 date; the zone is not looked at."""
    first, last = (
        [default if np.isnan(part) else part for part, default in zip(iso8601.time_parts(date), defaults, strict=True)]
        for defaults in ((0.0, 0.0, 0.0), (23.0, 59.0, 59.0))
    )
    early, late = (int(3600 * hour + 60 * minute + second) for hour, minute, second in (first, last))
    return early, late


class SdtmDatasets:
    """All datasets of a study with what the rules compare them with."""

    def __init__(self, study: Study, datasets: Mapping[str, Dataset], terminology: Terminology) -> None:
        self.study, self.terminology = study, terminology
        self.version = study.standards["sdtmig"]
        self.domains = {name: Domain(dataset, self.version) for name, dataset in datasets.items()}
        self._rows: dict[str, np.ndarray] = {}

    def __iter__(self) -> Iterator[Domain]:
        return iter(self.domains.values())

    def get(self, name: str) -> Domain | None:
        """Return a dataset, or None."""
        return self.domains.get(name)

    def having(self, *names: str) -> list[Domain]:
        """Return the datasets that have all these variables."""
        return [domain for domain in self.domains.values() if domain.has(*names)]

    def of_domain(self, code: str) -> list[Domain]:
        """Return the dataset of a domain, or the parts into which it is split."""
        return [domain for domain in self.domains.values() if domain.name[:2] == code and domain.has("DOMAIN")]

    def assigned(self, name: str = "ARMCD") -> np.ndarray:
        """Return True for the subjects of DM that have an arm; a code such as NOTASSGN is not one."""
        subjects = self.domains["DM"]
        return subjects.filled(name) & ~subjects.each(name, lambda code: code.upper() in NO_ARM)

    def subject_day(self, domain: Domain, name: str) -> np.ndarray:
        """Return a complete date of DM for each record of a domain, NaT where there is none."""
        subjects = self.get("DM")
        if subjects is None or not subjects.has(name, "USUBJID"):
            return np.full(domain.size, MISSING_DAY)
        return np.append(subjects.day(name), MISSING_DAY)[self._subject_rows(domain, subjects)]

    def subject_bounds(self, domain: Domain, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return earliest and latest day of a date of DM for each record of a domain, NaT where there is none."""
        subjects = self.get("DM")
        if subjects is None or not subjects.has(name, "USUBJID"):
            return np.full(domain.size, MISSING_DAY), np.full(domain.size, MISSING_DAY)
        rows = self._subject_rows(domain, subjects)
        first, last = (np.append(days, MISSING_DAY)[rows] for days in subjects.bounds(name))
        return first, last

    def subject_text(self, domain: Domain, name: str) -> np.ndarray:
        """Return a text of DM for each record of a domain, blank where there is none."""
        subjects = self.get("DM")
        if subjects is None:
            return np.full(domain.size, "", object)
        return np.append(subjects.text(name), "")[self._subject_rows(domain, subjects)]

    def _subject_rows(self, domain: Domain, subjects: Domain) -> np.ndarray:
        """Return the row of DM for each record of a domain, -1 where there is none."""
        if domain.name not in self._rows:
            self._rows[domain.name] = first_match([domain.column("USUBJID")], [subjects.column("USUBJID")])
        return self._rows[domain.name]
