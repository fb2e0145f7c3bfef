"""The datasets as the conformance rules look at them: distinct words, numbers, days and groups, each made once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

import numpy as np
import pandas as pd

from metadata import iso8601
from metadata.dataset import Dataset
from metadata.errors import StudyError
from metadata.standards import GuideVariable, sdtm_variables
from metadata.study import Study
from metadata.terminology import Terminology

TIME = r"T(?:[01]\d|2[0-4]|-)(?::(?:[0-5]\d|-)(?::[0-5]\d(?:\.\d+)?)?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?$"
OBSERVATIONS = ("Interventions", "Events", "Findings", "Findings About")
SUPPLEMENTAL = ("SUPP", "SQ")
NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)")
MISSING_DAY = np.datetime64("NaT", "D")


class Domain:
    """One dataset; ``name`` of a variable may be given with ``--`` for the domain's prefix."""

    def __init__(self, dataset: Dataset, version: str) -> None:
        self.dataset, self.version = dataset, version
        self.metadata, self.frame = dataset.metadata, dataset.frame
        self.name = dataset.name
        self._words: dict[str, tuple[np.ndarray, pd.Series]] = {}
        self._bounds: dict[str, tuple[np.ndarray, np.ndarray]] = {}

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
        return all(self.full(name) in self.frame.columns for name in names)

    @cached_property
    def texts(self) -> list[str]:
        """Names of the variables that hold texts."""
        kinds = self.frame.dtypes
        return [str(name) for name in self.frame.columns if not pd.api.types.is_numeric_dtype(kinds[name])]

    def is_text(self, name: str) -> bool:
        """Return True for a column of texts."""
        return self.full(name) in self.texts

    def words(self, name: str) -> tuple[np.ndarray, pd.Series]:
        """Return a code for each record and the distinct texts that the codes point at; numbers as short texts."""
        full = self.full(name)
        if full not in self._words:
            self._words[full] = self._factorized(full)
        return self._words[full]

    def _factorized(self, name: str) -> tuple[np.ndarray, pd.Series]:
        if name not in self.frame.columns:
            return np.zeros(self.size, np.int64), pd.Series([""], dtype="str")
        column = self.frame[name].reset_index(drop=True)
        if not self.is_text(name):
            codes, distinct = pd.factorize(column, use_na_sentinel=True)
            texts = [*(f"{value:.15g}" for value in np.asarray(distinct, float)), ""]
            return np.where(codes < 0, len(texts) - 1, codes), pd.Series(texts, dtype="str")
        codes, distinct = pd.factorize(column)
        texts = [*np.asarray(distinct, dtype=object), ""]
        return np.where(codes < 0, len(texts) - 1, codes), pd.Series(texts, dtype="str")

    def test(self, name: str, judge: Callable[[pd.Series], pd.Series | np.ndarray]) -> np.ndarray:
        """Return for each record what ``judge`` says of its text; each distinct text is judged once."""
        codes, words = self.words(name)
        return np.asarray(judge(words), bool)[codes]

    def each(self, name: str, judge: Callable[[str], object]) -> np.ndarray:
        """Return for each record what ``judge`` says of its text, asked once a distinct text."""
        codes, words = self.words(name)
        return np.fromiter(map(bool, map(judge, words.to_numpy(object))), bool, len(words))[codes]

    def matches(self, name: str, pattern: str) -> np.ndarray:
        """Return True where the whole text matches."""
        return self.each(name, re.compile(pattern).fullmatch)

    def equals(self, name: str, *values: str) -> np.ndarray:
        """Return True where the text is one of the values."""
        return self.each(name, frozenset(values).__contains__)

    def filled(self, name: str) -> np.ndarray:
        """Return True where there is a value; all False if the dataset lacks the variable."""
        return self.each(name, bool)

    def text(self, name: str) -> np.ndarray:
        """Return the texts as objects, blank where the dataset lacks the variable."""
        codes, words = self.words(name)
        return words.to_numpy(dtype=object)[codes]

    def number(self, name: str) -> np.ndarray:
        """Return numbers; texts that are numbers are read, everything else is NaN."""
        full = self.full(name)
        if full in self.frame.columns and not self.is_text(full):
            return self.frame[full].to_numpy(float, na_value=np.nan)
        codes, words = self.words(name)
        numeric = words.str.fullmatch(NUMBER)
        return pd.to_numeric(words.where(numeric, ""), errors="coerce").to_numpy(float)[codes]

    def bounds(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return earliest and latest possible day of each date, NaT where there is none."""
        full = self.full(name)
        if full not in self._bounds:
            codes, words = self.words(full)
            first, last = iso8601.day_bounds(without_time(words))
            self._bounds[full] = first[codes], last[codes]
        return self._bounds[full]

    def day(self, name: str) -> np.ndarray:
        """Return the day of each complete date, NaT for partial ones."""
        first, last = self.bounds(name)
        complete = self.test(name, lambda words: words.str.len() >= len("YYYY-MM-DD"))
        return np.where(complete & (first == last), first, MISSING_DAY)

    def group(self, *names: str) -> np.ndarray:
        """Return a number for each distinct combination of the named variables; absent ones are blank."""
        made = np.zeros(self.size, np.int64)
        for name in names:
            codes, words = self.words(name)
            made = pd.factorize(made * len(words) + codes)[0].astype(np.int64)
        return made

    @cached_property
    def key_names(self) -> list[str]:
        """Variables that name a record to a reader: subject and sequence number, or the keys."""
        if self.is_observations and self.has("--SEQ"):
            return [name for name in ("USUBJID", self.full("--SEQ")) if self.has(name)]
        return [name for name in self.metadata.keys if self.has(name) and name not in ("STUDYID", "RDOMAIN")]

    def keys_of(self, rows: np.ndarray) -> list[str]:
        """Return the named positions in words, such as ``USUBJID=X LBSEQ=3``."""
        parts = []
        for name in self.key_names:
            codes, words = self.words(name)
            parts.append((name, words.to_numpy(dtype=object)[codes[rows]]))
        return [" ".join(f"{name}={values[at]}" for name, values in parts) for at in range(len(rows))]


def without_time(words: pd.Series) -> pd.Series:
    """Return dates without their time of day."""
    return words.str.replace(TIME, "", regex=True)


class Tabulations:
    """All datasets of a study with what the rules compare them with."""

    def __init__(self, study: Study, datasets: Mapping[str, Dataset], terminology: Terminology) -> None:
        self.study, self.terminology = study, terminology
        self.version = study.standards["sdtmig"]
        self.domains = {name: Domain(dataset, self.version) for name, dataset in datasets.items()}

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

    def subject_day(self, domain: Domain, name: str) -> np.ndarray:
        """Return a complete date of DM for each record of a domain, NaT where there is none."""
        subjects = self.get("DM")
        if subjects is None or not subjects.has(name, "USUBJID"):
            return np.full(domain.size, MISSING_DAY)
        days = pd.Series(subjects.day(name), index=subjects.text("USUBJID"))
        return _looked_up(domain, days[~days.index.duplicated()]).astype("datetime64[D]")

    def subject_text(self, domain: Domain, name: str) -> np.ndarray:
        """Return a text of DM for each record of a domain, blank where there is none."""
        subjects = self.get("DM")
        if subjects is None:
            return np.full(domain.size, "", object)
        texts = pd.Series(subjects.text(name), index=subjects.text("USUBJID"), dtype=object)
        found = _looked_up(domain, texts[~texts.index.duplicated()])
        return np.where(pd.isna(found), "", found)


def _looked_up(domain: Domain, values: pd.Series) -> np.ndarray:
    codes, words = domain.words("USUBJID")
    return values.reindex(words.to_numpy(dtype=object)).to_numpy()[codes]
