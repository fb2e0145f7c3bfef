"""Rules about ADSL: its subjects, populations, treatments and trial experience, and its copies in other datasets."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from validation.conformance.adam_datasets import (
    ADSL,
    SUBJECT_LEVEL,
    AnalysisDataset,
    AnalysisDatasets,
    located,
    not_copied,
    repeated,
)
from validation.conformance.rule import Hit, analysis_rule

LEVEL = "ADaMIG 1.3, section 2.3.1"
POPULATIONS = "ADaMIG 1.3, ADSL Population Indicator"
TREATMENT = "ADaMIG 1.3, ADSL Treatment"
EXPOSURE = "ADaMIG 1.3, ADSL Treatment Timing Variables"
EXPERIENCE = "ADaMIG 1.3, ADSL Trial Experience"
FLAGS = ("FASFL", "SAFFL", "ITTFL", "PPROTFL", "COMPLFL", "RANDFL", "ENRLFL")
SCREEN_FAILURE = ("SCREEN FAILURE", "NOT ASSIGNED", "SCRNFAIL", "NOTASSGN")
OWN = ("STUDYID", "USUBJID")


@analysis_rule("adam.subjects", "ADSL has one record for each subject of DM, and no other.", LEVEL)
def subjects(data: AnalysisDatasets) -> Iterator[Hit]:
    level, listed = data.get(ADSL), data.sdtm.get("DM")
    if level is None or listed is None:
        return
    known = data.subjects_of(listed)
    yield Hit(ADSL, "USUBJID", (located(level.subjects, known) < 0) | repeated(level.subjects))
    absent = np.flatnonzero(located(known, level.subjects) < 0)
    arm = data.sdtm.assigned()[absent] if listed.has("ARMCD") else np.ones(len(absent), bool)
    for rows, severity in ((absent[arm], None), (absent[~arm], "warning")):  # a screen failure need not be analysed
        if len(rows):
            places = tuple(listed.keys_of(rows))
            yield Hit(ADSL, "USUBJID", None, "Subjects of DM are missing.", places, severity)  # type: ignore[arg-type]


@analysis_rule("adam.subject_known", "Every subject of a dataset is in ADSL.", LEVEL)
def subject_known(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.having("USUBJID"):
        if one.name != ADSL and data.get(ADSL):
            yield Hit(one.name, "USUBJID", one.subject_rows < 0)


def _populations(one: AnalysisDataset) -> list[str]:
    return [name for name in FLAGS if one.has(name)]


@analysis_rule(
    "adam.population", "ADSL has a population flag; population flags are Y or N and never null.", POPULATIONS
)
def population(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        if one.kind == SUBJECT_LEVEL and not _populations(one):
            yield Hit(one.name)
        known = one.subject_rows >= 0 if data.get(ADSL) else np.ones(one.size, bool)
        for name in _populations(one):
            yield Hit(one.name, name, known & ~one.equals(name, "Y", "N"))


@analysis_rule(
    "adam.screen_failure", "A subject who failed screening is in no population: all flags are N.", POPULATIONS
)
def screen_failure(data: AnalysisDatasets) -> Iterator[Hit]:
    level, listed = data.get(ADSL), data.sdtm.get("DM")
    if level is None or listed is None:
        return
    failed = listed.equals("ARMNRS", *SCREEN_FAILURE) | listed.equals("ARMCD", *SCREEN_FAILURE)
    rows = located(level.subjects, data.subjects_of(listed)[failed]) >= 0
    for name in _populations(level):
        yield Hit(ADSL, name, rows & ~level.equals(name, "N"))


@analysis_rule("adam.planned_treatment", "A randomized or intent-to-treat subject has a planned treatment.",
               TREATMENT)  # fmt: skip
def planned_treatment(data: AnalysisDatasets) -> Iterator[Hit]:
    level = data.get(ADSL)
    if level is not None and level.has("TRT01P"):
        planned = level.equals("RANDFL", "Y") | level.equals("ITTFL", "Y")
        yield Hit(ADSL, "TRT01P", planned & ~level.filled("TRT01P"))


@analysis_rule("adam.exposure", "Subjects of the safety population, and only they, have a first date of treatment.",
               EXPOSURE)  # fmt: skip
def exposure(data: AnalysisDatasets) -> Iterator[Hit]:
    level = data.get(ADSL)
    if level is not None and level.has("SAFFL", "TRTSDT"):
        treated = level.equals("SAFFL", "Y")
        yield Hit(ADSL, "TRTSDT", treated == np.isnan(level.number("TRTSDT")))
        if level.has("TRT01A"):
            yield Hit(ADSL, "TRT01A", treated & ~level.filled("TRT01A"))


@analysis_rule("adam.study_status", "The end of study has its status: a date unless it goes on, and a reason if"
               " and only if the subject discontinued.", EXPERIENCE)  # fmt: skip
def study_status(data: AnalysisDatasets) -> Iterator[Hit]:
    level = data.get(ADSL)
    if level is None or not level.has("EOSSTT"):
        return
    if level.has("EOSDT"):
        over = level.equals("EOSSTT", "COMPLETED", "DISCONTINUED")
        yield Hit(ADSL, "EOSDT", over == np.isnan(level.number("EOSDT")))
    if level.has("DCSREAS"):
        yield Hit(ADSL, "DCSREAS", level.equals("EOSSTT", "DISCONTINUED") != level.filled("DCSREAS"))


@analysis_rule("adam.death", "A subject who died has DTHFL and DTHDT, and is not known alive later.", EXPERIENCE)
def death(data: AnalysisDatasets) -> Iterator[Hit]:
    level = data.get(ADSL)
    if level is None or not level.has("DTHDT"):
        return
    day = level.number("DTHDT")
    if level.has("DTHFL"):
        yield Hit(ADSL, "DTHDT", ~np.isnan(day) & ~level.equals("DTHFL", "Y"))
    for name in ("LSTALVDT", "TRTEDT", "EOSDT"):
        if level.has(name):
            yield Hit(ADSL, name, level.number(name) > day)
    if level.has("DTHCAUS"):
        yield Hit(ADSL, "DTHCAUS", level.filled("DTHCAUS") & np.isnan(day) & ~level.equals("DTHFL", "Y"))


@analysis_rule("adam.level_copy", "A variable of ADSL has the same value in every dataset that has it.",
               "ADaMIG 1.3, section 3.2")  # fmt: skip
def level_copy(data: AnalysisDatasets) -> Iterator[Hit]:
    level = data.get(ADSL)
    if level is None:
        return
    for one in data:
        for name in one.names if one is not level else ():
            if level.has(name) and name not in OWN:
                known = one.subject_rows >= 0
                yield Hit(one.name, name, known & not_copied(one, name, level, name, one.subject_rows))


@analysis_rule("adam.record_treatment", "A record's treatment is one of the subject's in ADSL.",
               "ADaMIG 1.3, BDS Record Level Treatment Variables")  # fmt: skip
def record_treatment(data: AnalysisDatasets) -> Iterator[Hit]:
    level = data.get(ADSL)
    if level is None:
        return
    for one in data:
        for name in ("TRTP", "TRTA", "TRTPN", "TRTAN"):
            pattern = re.compile(rf"TRT\d\d{name[3:]}")
            periods = [other for other in level.names if pattern.fullmatch(other)]
            if one.has(name) and one is not level and periods:
                wrong = [not_copied(one, name, level, period, one.subject_rows) for period in periods]
                filled = one.filled(name) if one.is_text(name) else ~np.isnan(one.number(name))
                yield Hit(one.name, name, filled & np.logical_and.reduce(wrong))
