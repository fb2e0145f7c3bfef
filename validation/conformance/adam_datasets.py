"""The analysis datasets as their rules look at them: with ADSL and with the SDTM records that they lead to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property

import numpy as np

from metadata.analysis_guide import Guide, guide
from metadata.dataset import Dataset, Variable
from metadata.standards import FOLDER, GuideVariable, slug
from metadata.study import Study
from metadata.terminology_package import Codelist, read_package
from validation.conformance.sdtm_datasets import Domain, SdtmDatasets

ADSL = "ADSL"
SUBJECT_LEVEL, BASIC, OCCURRENCE, OTHER = CLASSES = (
    "SUBJECT LEVEL ANALYSIS DATASET",
    "BASIC DATA STRUCTURE",
    "OCCURRENCE DATA STRUCTURE",
    "ADAM OTHER",
)
REPORTED = re.compile(r"[A-Z]{2}(?:TERM|TRT)")
SEQUENCE = re.compile(r"[A-Z]{2}SEQ")
WIDE = 1 << 32
"""More than any sequence number, so that subject and number make one key."""
SMALL = 1 << 20


def ambiguous(codes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return True where a code occurs with more than one of the other codes; both begin at 0."""
    if not len(codes):
        return np.zeros(0, bool)
    width = int(others.max()) + 1
    pairs = codes.astype(np.int64) * width + others
    size = (int(codes.max()) + 1) * width
    found = np.flatnonzero(np.bincount(pairs, minlength=size)) if size < SMALL else np.unique(pairs)
    return np.asarray((np.bincount(found // width) > 1)[codes])


def repeated(codes: np.ndarray, among: np.ndarray | None = None) -> np.ndarray:
    """Return True for rows whose code occurs more than once (among those marked, if any are)."""
    chosen = codes if among is None else codes[among]
    again = (np.bincount(chosen, minlength=int(codes.max(initial=-1)) + 1) > 1)[codes]
    return again if among is None else again & among


def located(wanted: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return for each wanted key the row of the known keys that has it, -1 if none; -1 is not a key."""
    if not len(known):
        return np.full(len(wanted), -1)
    order = np.argsort(known, kind="stable")
    place = np.minimum(np.searchsorted(known[order], wanted), len(known) - 1)
    row = order[place]
    return np.where((known[row] == wanted) & (wanted >= 0), row, -1)


def at(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the numbers at rows, NaN for row -1."""
    return np.append(values, np.nan)[rows]


def differ(one: np.ndarray, other: np.ndarray, tolerance: float = 1e-9) -> np.ndarray:
    """Return True where two columns of numbers are not the same; missing is the same as missing."""
    missing = np.isnan(one) | np.isnan(other)
    with np.errstate(invalid="ignore"):
        far = np.abs(one - other) > tolerance * np.maximum(1, np.abs(other))
    return np.asarray(np.where(missing, np.isnan(one) != np.isnan(other), far))


def coded(dataset: Domain, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return a code for each record and the distinct texts that the codes point at; numbers as short texts."""
    column = dataset.column(name)
    return column.codes.astype(np.int64), column.texts


def not_copied(one: Domain, name: str, source: Domain, other: str, rows: np.ndarray) -> np.ndarray:
    """Return True where a variable is not what another dataset's variable has in the given rows; -1 is a blank."""
    if not one.is_text(name) and not source.is_text(other):
        return differ(one.number(name), at(source.number(other), rows), 0.0)
    table = {"": 0}
    mine, theirs = (_shared(dataset, column, table) for dataset, column in ((one, name), (source, other)))
    return np.asarray(mine != np.append(theirs, 0)[rows])


def _shared(dataset: Domain, name: str, table: dict[str, int]) -> np.ndarray:
    """Return a number for each record's text, the same for the same text in all that share the table."""
    codes, texts = coded(dataset, name)
    return np.array([table.setdefault(text, len(table)) for text in texts], np.int64)[codes]


class AnalysisDataset(Domain):
    """One analysis dataset; its variables have no prefix of their own."""

    def __init__(self, dataset: Dataset, data: AnalysisDatasets) -> None:
        super().__init__(dataset, data.sdtm.version)
        self.data, self.kind = data, dataset.metadata.dataset_class
        self.names = [str(name) for name in dataset.frame.columns]
        self.described: dict[str, Variable] = {item.name: item for item in self.metadata.variables}
        self._is_text = {str(name): dtype.kind not in "fiu" for name, dtype in dataset.frame.dtypes.items()}
        self._source_rows: dict[str, np.ndarray] = {}
        self._guided: dict[str, GuideVariable | None] = {}

    def full(self, name: str) -> str:
        """Return the name as it is."""
        return name

    def has(self, *names: str) -> bool:
        """Return True if the dataset has all these variables."""
        return all(name in self._is_text for name in names)

    def is_text(self, name: str) -> bool:
        """Return True for a column of texts."""
        return self._is_text.get(name, False)

    @cached_property
    def key_names(self) -> list[str]:
        """Variables that name a record to a reader: its keys that are there."""
        return [name for name in self.metadata.keys if self.has(name) and name != "STUDYID"]

    @cached_property
    def is_basic(self) -> bool:
        """True for the Basic Data Structure."""
        return self.kind == BASIC

    @cached_property
    def is_events(self) -> bool:
        """True for times to events, which have a censoring variable."""
        return self.is_basic and self.has("CNSR")

    @cached_property
    def domains(self) -> dict[str, str]:
        """The SDTM domains whose sequence number is in the dataset, and its name."""
        return {name[:2]: name for name in self.names if SEQUENCE.fullmatch(name) and self.data.sdtm.get(name[:2])}

    @cached_property
    def prefix(self) -> str:
        """The SDTM domain whose records the dataset is of, by --SEQ or by its reported term; ``--`` without one."""
        named = [name[:2] for name in self.names if REPORTED.fullmatch(name)]
        return next(iter([*self.domains, *named]), "--")

    @cached_property
    def guides(self) -> list[Guide]:
        """The guide of the dataset's structure, then the others from which a variable may come."""
        standards = self.data.study.standards
        basic, occurrences = f"adamig-{slug(standards['adamig'])}", f"adam-occds-{slug(standards['occds'])}"
        prefix = self.prefix
        structures = {
            SUBJECT_LEVEL: (basic, "ADSL"),
            BASIC: (basic, "BDS"),
            OCCURRENCE: (occurrences, "AE" if self.has("AETERM") else "OCCDS"),
        }
        own = [structures[self.kind]] if self.kind in structures else []
        others = [one for one in ((basic, "ADSL"), (basic, "BDS")) if one not in own]
        return [guide(table, structure, prefix) for table, structure in [*own, *others]]

    def guided(self, name: str) -> GuideVariable | None:
        """Return the guide's variable of that name, the one of the dataset's own structure first."""
        if name not in self._guided:
            self._guided[name] = next(filter(None, (one.find(name) for one in self.guides)), None)
        return self._guided[name]

    def label_of(self, name: str) -> tuple[str, bool] | None:
        """Return what the guide says of a variable's label (see Guide.label_of)."""
        return next(filter(None, (one.label_of(name) for one in self.guides)), None)

    @cached_property
    def copied(self) -> dict[str, Domain]:
        """The SDTM datasets whose variables keep their names here: DM, and those whose --SEQ is here."""
        codes = [code for code in ("DM", *self.domains) if code in self.data.sdtm.domains]
        return {code: self.data.sdtm.domains[code] for code in codes}

    @cached_property
    def qualifiers(self) -> dict[str, Domain]:
        """The names of supplemental qualifiers of those domains that are variables here, and where their values are."""
        supplements = (self.data.sdtm.get(f"SUPP{code}") for code in self.copied)
        return {name: one for one in supplements if one for name in one.column("QNAM").texts if self.has(name)}

    @cached_property
    def subjects(self) -> np.ndarray:
        """A number for each record's subject, the same in all datasets."""
        codes, texts = coded(self, "USUBJID")
        numbers = self.data.subject_numbers
        return np.array([numbers.setdefault(text, len(numbers)) for text in texts], np.int64)[codes]

    @cached_property
    def subject_rows(self) -> np.ndarray:
        """The row of ADSL for each record, -1 where it has none."""
        level = self.data.get(ADSL)
        return np.full(self.size, -1) if level is None else located(self.subjects, level.subjects)

    def of_subject(self, name: str) -> np.ndarray:
        """Return a number of ADSL for each record, NaN where there is none."""
        level = self.data.get(ADSL)
        if level is None or not level.has(name) or level.is_text(name):
            return np.full(self.size, np.nan)
        return at(level.number(name), self.subject_rows)

    def keyed(self, sequence: str) -> np.ndarray:
        """Return one key for subject and sequence number, -1 without number."""
        return keys_of(self.subjects, self.number(sequence))

    def source_rows(self, code: str) -> np.ndarray:
        """Return the row of an SDTM domain that each record's --SEQ leads to, -1 where it leads to none."""
        if code not in self._source_rows:
            self._source_rows[code] = located(self.keyed(self.domains[code]), self.data.keys_of_domain(code))
        return self._source_rows[code]

    @cached_property
    def parameter(self) -> np.ndarray:
        """A number for each record's parameter."""
        return coded(self, "PARAMCD")[0]

    @cached_property
    def series(self) -> np.ndarray:
        """A number for each subject, parameter and type of baseline."""
        names = [name for name in ("USUBJID", "PARAMCD", "BASETYPE") if self.has(name)]
        return self.group(*names)

    @cached_property
    def baseline_rows(self) -> np.ndarray:
        """The first row flagged as baseline of each record's series, -1 where none is."""
        table = np.full(int(self.series.max(initial=-1)) + 2, -1)
        flagged = np.flatnonzero(self.equals("ABLFL", "Y"))[::-1]
        table[self.series[flagged]] = flagged
        return table[self.series]

    @cached_property
    def dates(self) -> list[str]:
        """Names of the numeric dates."""
        return [name for name in self.names if name.endswith("DT") and not self.is_text(name)]


def keys_of(subjects: np.ndarray, sequence: np.ndarray) -> np.ndarray:
    """Return one key for subject and sequence number, -1 without number."""
    known = ~np.isnan(sequence)
    return np.where(known, subjects * WIDE + np.where(known, sequence, 0).astype(np.int64), -1)


class AnalysisDatasets:
    """All analysis datasets of a study, with the SDTM datasets that they come from."""

    def __init__(self, study: Study, datasets: Mapping[str, Dataset], sdtm: SdtmDatasets) -> None:
        self.study, self.sdtm, self.terminology = study, sdtm, sdtm.terminology
        self.subject_numbers: dict[str, int] = {}
        self.domains = {name: AnalysisDataset(dataset, self) for name, dataset in datasets.items()}
        self._keys: dict[str, np.ndarray] = {}

    def __iter__(self) -> Iterator[AnalysisDataset]:
        return iter(self.domains.values())

    def get(self, name: str) -> AnalysisDataset | None:
        """Return a dataset, or None."""
        return self.domains.get(name)

    def having(self, *names: str) -> list[AnalysisDataset]:
        """Return the datasets that have all these variables."""
        return [one for one in self if one.has(*names)]

    def basic(self, *names: str) -> list[AnalysisDataset]:
        """Return the datasets of the Basic Data Structure that have all these variables."""
        return [one for one in self if one.is_basic and one.has("PARAMCD", *names)]

    def occurrences(self, *names: str) -> list[AnalysisDataset]:
        """Return the datasets of occurrences that have all these variables."""
        return [one for one in self if one.kind == OCCURRENCE and one.has(*names)]

    def subjects_of(self, domain: Domain) -> np.ndarray:
        """Return a number for each record's subject of an SDTM domain."""
        codes, texts = coded(domain, "USUBJID")
        numbers = self.subject_numbers
        return np.array([numbers.setdefault(text, len(numbers)) for text in texts], np.int64)[codes]

    def keys_of_domain(self, code: str) -> np.ndarray:
        """Return one key for subject and --SEQ of each record of an SDTM domain."""
        if code not in self._keys:
            domain = self.sdtm.domains[code]
            self._keys[code] = keys_of(self.subjects_of(domain), domain.number("--SEQ"))
        return self._keys[code]

    @cached_property
    def terms(self) -> Mapping[str, Codelist]:
        """The codelists of the ADaM terminology that the study names; none if it names none."""
        version = self.study.standards.get("adam_ct")
        path = FOLDER / f"adam-ct-{version}.csv"
        return read_package(path, path.name) if version else {}
