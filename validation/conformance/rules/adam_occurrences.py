"""Rules about occurrence datasets: flags of emergence, of treatment and of first occurrences."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from validation.conformance.adam_datasets import AnalysisDataset, AnalysisDatasets, repeated
from validation.conformance.rule import Hit, analysis_rule

EVENTS = "OCCDS 1.1, OCCDS Adverse Events Indicator Variables"
PERIODS = "OCCDS 1.1, OCCDS Adverse Events and Concomitant Medications Indicator Variables"
FIRST = "OCCDS 1.1, OCCDS Occurrence Flag Variables"
TERMS = ("--DECOD", "--TERM", "--TRT")
# Each flag of a first occurrence with what it is the first of within the subject.
FIRST_OF = {"AOCCFL": (), "AOCCIFL": (), "AOCCPFL": ("--DECOD",), "AOCCPIFL": ("--DECOD",), "AOCCSFL": ("--BODSYS",),
            "AOCCSIFL": ("--BODSYS",)}  # fmt: skip


@analysis_rule("adam.emergent", "An event is treatment-emergent only in a treated subject, and not if it ended"
               " before the first treatment.", EVENTS)  # fmt: skip
def emergent(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.occurrences("TRTEMFL"):
        start, flagged = one.of_subject("TRTSDT"), one.equals("TRTEMFL", "Y")
        yield Hit(one.name, "TRTEMFL", flagged & (np.isnan(start) | (one.number("AENDT") < start)))


@analysis_rule("adam.emergent_missing", "An event that starts from the first to the last day of treatment is"
               " treatment-emergent.", EVENTS)  # fmt: skip
def emergent_missing(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.occurrences("TRTEMFL", "ASTDT"):
        began = one.number("ASTDT")
        during = (began >= one.of_subject("TRTSDT")) & (began <= one.of_subject("TRTEDT"))
        yield Hit(one.name, "TRTEMFL", during & ~one.equals("TRTEMFL", "Y"))


@analysis_rule("adam.emergent_before", "An event that starts before the first treatment is treatment-emergent only"
               " if it became worse on it.", EVENTS, "warning")  # fmt: skip
def emergent_before(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.occurrences("TRTEMFL", "ASTDT"):
        before = one.number("ASTDT") < one.of_subject("TRTSDT")
        yield Hit(one.name, "TRTEMFL", before & one.equals("TRTEMFL", "Y"))


@analysis_rule("adam.before_and_after", "PREFL is of what starts before the first treatment, FUPFL of what starts after"
               " the last.", PERIODS)  # fmt: skip
def before_and_after(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.occurrences("ASTDT"):
        began = one.number("ASTDT")
        if one.has("PREFL"):
            yield Hit(one.name, "PREFL", one.equals("PREFL", "Y") & (began >= one.of_subject("TRTSDT")))
        if one.has("FUPFL"):
            yield Hit(one.name, "FUPFL", one.equals("FUPFL", "Y") & ~(began > one.of_subject("TRTEDT")))


@analysis_rule("adam.first_occurrence", "A subject has at most one first occurrence: of all, of a preferred term, of a"
               " body system.", FIRST)  # fmt: skip
def first_occurrence(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.occurrences():
        for name, of in FIRST_OF.items():
            groups = ["USUBJID", *(_named(one, wanted) for wanted in of)]
            if one.has(name, *groups):
                yield Hit(one.name, name, repeated(one.group(*groups), one.equals(name, "Y")))


@analysis_rule("adam.first_missing", "Where first occurrences are flagged among treatment-emergent events, every"
               " subject (and term) that has such an event has its first.", FIRST)  # fmt: skip
def first_missing(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.occurrences("TRTEMFL"):
        for name, of in FIRST_OF.items():
            groups = ["USUBJID", *(_named(one, wanted) for wanted in of)]
            if one.has(name, *groups):
                flagged, emergent = one.equals(name, "Y"), one.equals("TRTEMFL", "Y")
                if not (flagged & ~emergent).any():  # the first among treatment-emergent events
                    codes = one.group(*groups)
                    has_first = (np.bincount(codes, flagged) > 0)[codes]
                    yield Hit(one.name, name, emergent & ~has_first)


@analysis_rule(
    "adam.worst_occurrence", "The occurrence flagged as most severe is so among those treatment-emergent.", FIRST
)
def worst_occurrence(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.occurrences("TRTEMFL", "ASEVN"):
        for name in ("AOCCIFL", "AOCCPIFL", "AOCCSIFL"):
            groups = ["USUBJID", *(_named(one, wanted) for wanted in FIRST_OF[name])]
            if one.has(name, *groups):
                codes, grade = one.group(*groups), one.number("ASEVN")
                counted = one.equals("TRTEMFL", "Y") & ~np.isnan(grade)
                worst = np.full(int(codes.max(initial=-1)) + 1, -np.inf)
                np.maximum.at(worst, codes[counted], grade[counted])
                yield Hit(one.name, name, one.equals(name, "Y") & counted & (grade < worst[codes]))


def _named(one: AnalysisDataset, name: str) -> str:
    """Return a variable's name with the prefix of the domain that the dataset has it of."""
    found = (other for other in one.names if other[2:] == name.removeprefix("--") and other[:2] in one.domains)
    return next(found, name)
