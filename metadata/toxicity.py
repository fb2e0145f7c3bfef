"""Toxicity grades of laboratory values by schemes that are tables (``toxicity_table``): half-open intervals.

A published band such as "9.5-10.9" leaves a gap before 11.0; the tables write it as ``9.5 - <11.0``, so that every
unrounded value has exactly one grade (WHO Handbook 1979, Miller 1981; see the tables' own source column).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from metadata.age_band import Ages, parse_age
from metadata.coded_text import CodedText
from metadata.errors import StudyError

TOLERANCE = 1e-9
ALTERNATIVE = " or "
Scale = float | np.ndarray
"""A factor from one unit to another: one for all results, or one for each."""
NUMBER = r"\d+(?:\.\d+)?"
MEASURED = re.compile(r"\d|ULN|LLN|[Bb]aseline|normal|[Dd]eath$")
"""What a part of a published text has that speaks of a value; a death is an event of its own."""
CLINICAL = re.compile(r"\bwith(?:out)? [A-Za-z][^<>≥\d]*$")
"""The end of a part that speaks of a value and of more: ``pH < 7.3 with life-threatening consequences``."""
LIMIT = re.compile(
    rf"(?P<sign>>=|<=|>|<)?\s*(?:(?P<factor>{NUMBER})(?:\s*x\s*(?P<times>LLN|ULN|BASE))?|(?P<alone>LLN|ULN|BASE))"
    rf"(?:\s*\+\s*(?P<plus>{NUMBER}))?"
)


@dataclass(frozen=True)
class References:
    """What limits are multiples of, one value a result: lower and upper limit of normal, and the baseline value."""

    lln: np.ndarray
    uln: np.ndarray
    base: np.ndarray

    def of(self, name: str) -> np.ndarray:
        """Return the values of LLN, ULN or BASE."""
        return {"LLN": self.lln, "ULN": self.uln, "BASE": self.base}[name]


@dataclass(frozen=True)
class BandEnd:
    """One end of a band: ``factor`` times a reference (LLN, ULN or BASE), or times nothing, and what is added to it."""

    factor: float
    reference: str
    closed: bool
    plus: float = 0.0

    @property
    def is_absolute(self) -> bool:
        """True for a limit that holds only in the unit of its table."""
        return not self.reference or bool(self.plus)

    def value(self, references: References, scale: Scale) -> np.ndarray:
        """Return the limit for each value, in the values' unit; ``scale`` turns the scheme's unit into it."""
        if self.reference:
            return self.factor * references.of(self.reference) + self.plus * scale
        return np.full(len(references.uln), (self.factor + self.plus) * scale)


@dataclass(frozen=True)
class GradeBand:
    """The values that have one grade, between two limits of which either may be open-ended (None)."""

    grade: int
    low: BandEnd | None
    high: BandEnd | None

    @property
    def ends(self) -> tuple[BandEnd, ...]:
        """The ends that there are."""
        return tuple(end for end in (self.low, self.high) if end)

    def holds(self, values: np.ndarray, references: References, scale: Scale) -> np.ndarray:
        """Return True where a value lies in the band; equality with a limit is judged to nine digits."""
        inside = ~np.isnan(values)
        for limit, sign in ((self.low, 1.0), (self.high, -1.0)):
            if limit is not None:
                bound = limit.value(references, scale)
                margin = TOLERANCE * np.abs(bound) * (-1.0 if limit.closed else 1.0)
                inside &= sign * (values - bound) > margin
        return inside


def parse_bands(text: str, grade: int) -> tuple[GradeBand, ...]:
    """Read the bands of one grade, of which any may hold: ``>1.5 - 3.0 x ULN or >1.5 x BASE``; a blank has none."""
    found = [parse_band(part, grade) for part in text.split(ALTERNATIVE)]
    return tuple(band for band in found if band)


def parse_band(text: str, grade: int) -> GradeBand | None:
    """Read ``>=11.0``, ``9.5 - <11.0``, ``>1.25 x ULN - 2.5 x ULN``, ``1.0 - <LLN``, ``>ULN + 20``.

    Returns None for a blank band. Raises StudyError for a band that is not an interval of numbers.
    """
    bare = text.strip()
    if bare in ("", "-"):
        return None
    ends = [LIMIT.fullmatch(part.strip()) for part in re.split(r"\s+-\s*|-\s+", bare)]
    signs = [end["sign"] or "" for end in ends if end]
    if None in ends or len(ends) > 2 or (len(ends) == 1 and not signs[0]) or (len(ends) == 2 and not _fit(*signs)):
        raise StudyError(f"'{text}' is not a band of numbers")
    first, last = ends[0], ends[-1]
    assert first and last
    if len(ends) == 2:
        return GradeBand(grade, _limit(first, signs[0] != ">"), _limit(last, signs[1] != "<"))
    limit = _limit(first, "=" in signs[0])
    return GradeBand(grade, limit, None) if signs[0].startswith(">") else GradeBand(grade, None, limit)


def _fit(low: str, high: str) -> bool:
    """Return True for the signs of a lower and an upper limit."""
    return not low.startswith("<") and not high.startswith(">")


def _limit(found: re.Match[str], closed: bool) -> BandEnd:
    return BandEnd(
        float(found["factor"] or 1), found["times"] or found["alone"] or "", closed, float(found["plus"] or 0)
    )


@dataclass(frozen=True)
class Criteria:
    """The bands of an item where ``fasting``, ``sex``, ``baseline`` and ``age`` hold; a blank: for all results.

    ``texts`` are the criteria of each grade as they are published.
    """

    bands: tuple[GradeBand, ...]
    texts: dict[int, str]
    fasting: str = ""
    sex: str = ""
    baseline: str = ""
    age: str = ""

    @property
    def circumstances(self) -> str:
        """When the criteria hold, as a phrase."""
        fasting = {"Y": "fasting", "N": "not fasting"}.get(self.fasting, "")
        sex = f"sex {self.sex}" if self.sex else ""
        baseline = f"{self.baseline} baseline" if self.baseline else ""
        age = f"age {self.age}" if self.age else ""
        return ", ".join(word for word in (fasting, sex, baseline, age) if word)


@dataclass(frozen=True)
class Circumstances:
    """What criteria may depend on, one value a result: sex (M, F), fasting (Y, N), and 1 for a normal baseline.

    ``normal`` is 0 for an abnormal baseline and NaN for an unknown one; ``ages`` are those on the days of the results.
    """

    sex: CodedText | None = None
    fasting: CodedText | None = None
    normal: np.ndarray | None = None
    ages: Ages | None = None

    def fit(self, criteria: Criteria, count: int) -> np.ndarray:
        """Return True for the results for which the criteria hold; False where it is not known whether they do."""
        made = np.ones(count, bool)
        for wanted, given in ((criteria.sex, self.sex), (criteria.fasting, self.fasting)):
            if wanted:
                made &= given.isin([wanted]) if given is not None else False
        if criteria.baseline:
            normal = np.full(count, np.nan) if self.normal is None else np.asarray(self.normal, float)
            made &= normal == (1 if criteria.baseline == "normal" else 0)
        if criteria.age:
            made &= parse_age(criteria.age).holds(self.ages) if self.ages is not None else False
        return made


@dataclass(frozen=True)
class ToxicityItem:
    """One graded analyte, or one scheme of an analyte: its unit, its direction (L or H) and its criteria."""

    name: str
    unit: str
    direction: str
    criteria: tuple[Criteria, ...]
    source: str

    @property
    def texts(self) -> dict[int, str]:
        """The published criteria of each grade; where they differ by circumstances, all of them, each with its own."""
        made: dict[int, str] = {}
        for grade in sorted({grade for one in self.criteria for grade in one.texts}):
            by_text: dict[str, list[str]] = {}
            for one in self.criteria:
                by_text.setdefault(one.texts.get(grade, "none"), []).append(one.circumstances)
            said = [f"{text} ({', or '.join(when)})" for text, when in by_text.items()]
            made[grade] = next(iter(by_text)) if len(by_text) == 1 else "; ".join(said)
        return made

    def meanings(self) -> dict[str, str]:
        """Return what each grade that a result can have means: the published criteria, where the table has them.

        They are numbers in the table's unit, which is added where they do not name it.
        """
        said = not self.unit or any(self.unit in text for text in self.texts.values())
        texts = {grade: text if said else f"{text} ({self.unit})" for grade, text in self.texts.items()}
        grades = sorted({*texts, *(band.grade for one in self.criteria for band in one.bands)})
        return {str(grade): texts.get(grade, "" if grade else "None of the criteria of a grade") for grade in grades}

    def clinical(self) -> dict[int, str]:
        """Return by grade what its text asks for and no number can judge: symptoms, interventions, consequences."""
        found: dict[int, list[str]] = {}
        for one in self.criteria:
            for grade, text in one.texts.items():
                parts = [part.strip() for part in text.split(";")]
                found.setdefault(grade, []).extend(part for part in parts if part and not MEASURED.search(part))
                found[grade] += [
                    words[0] for part in parts if MEASURED.search(part) and (words := CLINICAL.search(part))
                ]
        return {grade: "; ".join(dict.fromkeys(parts)) for grade, parts in sorted(found.items()) if parts}

    @property
    def bands(self) -> tuple[GradeBand, ...]:
        """The bands that hold where nothing is special: those of the criteria that come first."""
        return self.criteria[0].bands

    def limits(self) -> Iterator[BandEnd]:
        """Yield the limits of all bands."""
        return (limit for one in self.criteria for band in one.bands for limit in band.ends)

    @cached_property
    def needs(self) -> frozenset[str]:
        """What the item's limits are multiples of: LLN, ULN, BASE or nothing."""
        return frozenset(limit.reference for limit in self.limits() if limit.reference)

    @cached_property
    def is_absolute(self) -> bool:
        """True if a limit is a number of the item's unit, so that values in another unit need a factor."""
        return any(limit.is_absolute for limit in self.limits())

    @cached_property
    def depends_on(self) -> frozenset[str]:
        """What decides which criteria hold: sex, fasting, baseline, age or nothing."""
        names = ("sex", "fasting", "baseline", "age")
        return frozenset(name for one in self.criteria for name in names if getattr(one, name))

    def grade(
        self, values: np.ndarray, lln: np.ndarray | None = None, uln: np.ndarray | None = None, scale: Scale = 1.0,
        base: np.ndarray | None = None, circumstances: Circumstances | None = None,
    ) -> np.ndarray:  # fmt: skip
        """Return the grade of each value as float64; NaN where nothing that is known gives one.

        A band that needs a missing reference limit holds for no value; one with fixed limits does without. ``scale`` is
        the factor from the item's unit to the unit of ``values`` (10 for g/dL to g/L). A value that is not beyond the
        reference limit is grade 0 even where a fixed limit would say otherwise. ``base`` is the baseline value. Where
        it is not known which criteria hold there is no grade.
        """
        values = np.asarray(values, float)
        references = References(*(_positive(given, len(values)) for given in (lln, uln, base)))
        there = circumstances or Circumstances()
        grades = np.full(len(values), np.nan)
        for criteria in self.criteria:
            fit = there.fit(criteria, len(values))
            grades[fit] = _graded(criteria.bands, values, references, scale)[fit]
        return grades


def _positive(given: np.ndarray | None, count: int) -> np.ndarray:
    """Return references as numbers, NaN where there is none or none above 0."""
    numbers = np.full(count, np.nan) if given is None else np.asarray(given, float)
    return np.where(numbers > 0, numbers, np.nan)


def _graded(bands: tuple[GradeBand, ...], values: np.ndarray, references: References, scale: Scale) -> np.ndarray:
    """Return the highest grade whose bands hold a value.

    What lies within the reference limits (a band of grade 0) has grade 0 even where a fixed limit says otherwise, but
    not where it is a multiple of the baseline that is graded: a creatinine of twice the baseline may be below ULN.
    """
    grades, by_base, normal = np.full(len(values), np.nan), np.full(len(values), np.nan), np.zeros(len(values), bool)
    with np.errstate(invalid="ignore"):
        for band in sorted(bands, key=lambda band: band.grade):
            holds = band.holds(values, references, scale)
            grades[holds] = band.grade
            if band.grade and any(end.reference == "BASE" for end in band.ends):
                by_base[holds] = band.grade
            normal |= holds & (band.grade == 0)
    return np.where(normal, np.nan_to_num(by_base, nan=0.0), grades)
