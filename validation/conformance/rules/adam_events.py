"""Rules about times to events: censoring, origin, dates and what the event was."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from validation.conformance.adam_datasets import (
    AnalysisDataset,
    AnalysisDatasets,
    differ,
    repeated,
)
from validation.conformance.rule import Hit, analysis_rule

VARIABLES = "ADaM BDS for TTE 1.0, Time-to-Event Variables; ADaMIG 1.3, BDS Time to Event Variables"
IN_DAYS = re.compile(r".*\(\s*days\s*\).*", re.IGNORECASE)


def _events(data: AnalysisDatasets) -> list[AnalysisDataset]:
    return [one for one in data if one.is_events]


@analysis_rule("adam.censor", "CNSR is 0 for an event or a whole number above 0, and a time has it.", VARIABLES)
def censor(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in _events(data):
        number, time = one.number("CNSR"), one.number("AVAL")
        yield Hit(one.name, "CNSR", np.where(np.isnan(time), ~np.isnan(number), ~((number >= 0) & (number % 1 == 0))))


@analysis_rule("adam.event_described", "EVNTDESC says what the event or censoring was, and CNSDTDSC what the date of a"
               " censoring is, only then.", VARIABLES)  # fmt: skip
def event_described(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in _events(data):
        number = one.number("CNSR")
        if one.has("EVNTDESC"):
            yield Hit(one.name, "EVNTDESC", ~np.isnan(number) & ~one.filled("EVNTDESC"))
        if one.has("CNSDTDSC"):
            yield Hit(one.name, "CNSDTDSC", ~np.isnan(number) & (one.filled("CNSDTDSC") != (number > 0)))


@analysis_rule("adam.event_once", "A subject has one record of a time to event.", "ADaM BDS for TTE 1.0, section 3")
def event_once(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in _events(data):
        yield Hit(one.name, "PARAMCD", repeated(one.series))


@analysis_rule("adam.event_time", "A time is not negative, and in days it is ADT - STARTDT, or one more if the"
               " first day counts.", VARIABLES)  # fmt: skip
def event_time(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in _events(data):
        time = one.number("AVAL")
        yield Hit(one.name, "AVAL", time < 0)
        if one.has("STARTDT", "ADT"):
            apart = one.number("ADT") - one.number("STARTDT")
            in_days = one.each("PARAM", IN_DAYS.fullmatch)
            first = differ(time, apart + 1)
            wrong = in_days & ~np.isnan(time) & first & differ(time, apart)
            yield Hit(one.name, "AVAL", wrong)


@analysis_rule("adam.event_dates", "A time to event has its origin and the date of its event or censoring.", VARIABLES)
def event_dates(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in _events(data):
        for name in ("STARTDT", "ADT"):
            if one.has(name):
                yield Hit(one.name, name, ~np.isnan(one.number("AVAL")) & np.isnan(one.number(name)))
