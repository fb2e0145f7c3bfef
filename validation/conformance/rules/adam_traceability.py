"""Rules about where the values of analysis datasets come from: sequence numbers, SRCDOM, and copies from SDTM."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from validation.conformance.adam_datasets import (
    ADSL,
    AnalysisDataset,
    AnalysisDatasets,
    at,
    coded,
    differ,
    keys_of,
    located,
    not_copied,
)
from validation.conformance.rule import Hit, analysis_rule
from validation.conformance.sdtm_datasets import Domain

POINTS = "ADaMIG 1.3, BDS Datapoint Traceability Variables"
COPIES = "ADaMIG 1.3, section 3.1.1"


@analysis_rule("adam.trace", "A dataset leads to its source by the --SEQ of a domain or by SRCDOM and SRCVAR.", POINTS,
               "warning")  # fmt: skip
def trace(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        if one.name != ADSL and not one.domains and not one.has("SRCDOM", "SRCVAR"):
            yield Hit(one.name)


@analysis_rule("adam.trace_sequence", "A --SEQ leads to a record of the subject in its domain.", POINTS)
def trace_sequence(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.having("USUBJID"):
        for code, name in one.domains.items():
            yield Hit(one.name, name, ~np.isnan(one.number(name)) & (one.source_rows(code) < 0))


@analysis_rule("adam.trace_source", "SRCDOM names a dataset, SRCVAR a variable of it and SRCSEQ a record of the"
               " subject in it.", POINTS, needs=("sdtm",))  # fmt: skip
def trace_source(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.having("SRCDOM", "USUBJID"):
        number = one.number("SRCSEQ")
        unknown, strange, lost = (np.zeros(one.size, bool) for _ in range(3))
        codes, texts = coded(one, "SRCDOM")
        for code, text in enumerate(texts):
            rows = np.flatnonzero(codes == code)
            source = _dataset(data, text)
            if source is None:
                unknown[rows] = bool(text)
                lost[rows] = ~np.isnan(number[rows])
            else:
                strange[rows] = (
                    one.filled("SRCVAR")[rows] & ~one.each("SRCVAR", set(source.frame.columns).__contains__)[rows]
                )
                lost[rows] = ~np.isnan(number[rows]) & (source_rows(data, one, source)[rows] < 0)
        yield Hit(one.name, "SRCDOM", unknown)
        yield Hit(one.name, "SRCVAR", strange | one.filled("SRCVAR") & ~one.filled("SRCDOM"))
        yield Hit(one.name, "SRCSEQ", lost)


def _dataset(data: AnalysisDatasets, name: str) -> Domain | None:
    return data.get(name) or data.sdtm.get(name)


def source_rows(data: AnalysisDatasets, one: AnalysisDataset, source: Domain) -> np.ndarray:
    """Return for each record the row of another dataset that SRCSEQ, or the subject alone in ADSL, leads to."""
    subjects = source.subjects if isinstance(source, AnalysisDataset) else data.subjects_of(source)
    if source.name == ADSL:
        return located(one.subjects, subjects)
    names = [name for name in ("ASEQ", *_sequences(source)) if source.has(name)]
    wanted = keys_of(one.subjects, one.number("SRCSEQ"))
    return located(wanted, keys_of(subjects, source.number(names[0]))) if names else np.full(one.size, -1)


def _sequences(source: Domain) -> list[str]:
    return list(source.domains.values()) if isinstance(source, AnalysisDataset) else ["--SEQ"]


@analysis_rule(
    "adam.trace_date", "The date of a time to event is the one to which SRCDOM, SRCVAR and SRCSEQ lead.", POINTS
)
def trace_date(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in (each for each in data.having("SRCDOM", "SRCVAR", "ADT", "CNSR") if each.is_events):
        group = one.group("SRCDOM", "SRCVAR")
        wrong = np.zeros(one.size, bool)
        for rows in (np.flatnonzero(group == number) for number in np.unique(group)):
            name, variable = one.text("SRCDOM")[rows[0]], one.text("SRCVAR")[rows[0]]
            source = data.get(name)
            if source is not None and source.has(variable) and not source.is_text(variable):
                led = source_rows(data, one, source)[rows]
                later = np.fmax(at(source.number(variable), led), one.number("STARTDT")[rows])
                wrong[rows] = (led >= 0) & differ(one.number("ADT")[rows], later)
        yield Hit(one.name, "ADT", wrong)


@analysis_rule("adam.copy", "A variable with the name of an SDTM variable is an unchanged copy of it.", COPIES)
def copy(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.having("USUBJID"):
        for code, domain in one.copied.items():
            subject = code == "DM" and "DM" not in one.domains
            rows = located(one.subjects, data.subjects_of(domain)) if subject else one.source_rows(code)
            for name in one.names:
                own = code != "DM" or not any(one.copied[other].has(name) for other in one.domains)
                if domain.has(name) and own and name != "USUBJID" and not name.endswith("SEQ"):
                    yield Hit(one.name, name, (rows >= 0) & not_copied(one, name, domain, name, rows))


@analysis_rule("adam.copy_supplemental", "A variable with the name of a supplemental qualifier has its value.", COPIES)
def copy_supplemental(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.having("USUBJID"):
        for name, supplement in one.qualifiers.items():
            code = supplement.name.removeprefix("SUPP")
            own = np.flatnonzero(supplement.equals("QNAM", name))
            subjects = data.subjects_of(supplement)[own]
            if one.is_text(name) and code in one.domains:
                known = keys_of(subjects, supplement.number("IDVARVAL")[own])
                found = located(one.keyed(one.domains[code]), known)
                rows = np.where(found < 0, -1, np.append(own, -1)[found])
                yield Hit(one.name, name, not_copied(one, name, supplement, "QVAL", rows))
