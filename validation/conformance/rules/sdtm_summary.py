"""Rules about the trial summary: its parameters, how each is written and coded, and what it says of the subjects."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np

from metadata.standards import COUNTRIES, NULL_FLAVORS, dictionary_terms
from metadata.trial_summary import WRITTEN, GuideParameter, summary_parameters
from validation.conformance.rule import Hit, rule
from validation.conformance.rules.sdtm_values import DURATION, certainty
from validation.conformance.sdtm_datasets import Domain, SdtmDatasets, repeated

SUMMARY = "SDTMIG 3.3, section 7.4 and appendix C1"
CODED = {"UNII", "MED-RT", "SNOMED"}
UNII = re.compile(r"[A-Z0-9]{10}")
NCI = re.compile(r"C\d+")
CONCEPT = re.compile(r"\d{6,18}")
CLASS = re.compile(r"N\d{10}")
YEARS = re.compile(r"P(\d+(?:\.\d+)?)Y")


def _summary(data: SdtmDatasets) -> Domain | None:
    found = data.get("TS")
    return found if found is not None and found.has("TSPARMCD", "TSVAL") else None


def _values(summary: Domain, code: str) -> list[str]:
    """Return the values of a parameter that are not blank."""
    return [text for text in summary.text("TSVAL")[summary.equals("TSPARMCD", code)].tolist() if text]


@rule("summary.required", "TS has the parameters that the guide requires.", SUMMARY, covers="CG0287", version="guide")
def summary_required(data: SdtmDatasets) -> Iterator[Hit]:
    summary = _summary(data)
    if summary is not None:
        there = set(summary.column("TSPARMCD").held)
        wanted = [one.paramcd for one in summary_parameters() if one.is_required and one.paramcd != "SSTDTC"]
        lacking = [code for code in wanted if code not in there]
        if lacking and len(there) > 1:  # a simplified TS has the start date alone
            yield Hit("TS", "TSPARMCD", detail=f"It lacks {', '.join(lacking)}.")


@rule("summary.conditional", "TS has what another parameter makes necessary: of an interventional study TRT, INTMODEL"
      " and INTTYPE, of one of patients TDIGRP, of one added on to a treatment CURTRT.", SUMMARY,
      covers="CG0272, CG0273, CG0275, CG0276, CG0277, CG0278", version="guide")  # fmt: skip
def summary_conditional(data: SdtmDatasets) -> Iterator[Hit]:
    summary = _summary(data)
    for one in summary_parameters() if summary is not None else ():
        if summary is not None and one.condition and one.condition[1] in _values(summary, one.condition[0]):
            answered = summary.equals("TSPARMCD", one.paramcd) & (summary.filled("TSVAL") | summary.filled("TSVALNF"))
            if not answered.any():
                code, value = one.condition
                yield Hit("TS", "TSPARMCD", detail=f"{code} is {value}, and {one.paramcd} is not given.")


@rule("summary.form", "A parameter is written as its kind asks: a count as a whole number above 0, a duration or date"
      " in ISO 8601, an answer as Y or N, a share between 0 and 1.", SUMMARY,
      covers="CG0269, CG0270, CG0271, CG0280, CG0282, CG0283, CG0284, CG0286, CG0438, CG0439, CG0440,"
      " CG0457")  # fmt: skip
def summary_form(data: SdtmDatasets) -> Iterator[Hit]:
    summary = _summary(data)
    if summary is not None:
        wrong = np.zeros(summary.size, bool)
        for one in summary_parameters():
            if one.form in FORMS:
                wrong |= summary.equals("TSPARMCD", one.paramcd) & ~summary.each("TSVAL", FORMS[one.form])
        yield Hit("TS", "TSVAL", wrong & summary.filled("TSVAL"))


FORMS: dict[str, Callable[[str], object]] = {**WRITTEN, "duration": re.compile(DURATION).fullmatch}


@rule(
    "summary.country", "A country is a code of ISO 3166-1 alpha-3.", "SDTMIG 3.3, sections 5.2 and 7.4", covers="CG0456"
)
def summary_country(data: SdtmDatasets) -> Iterator[Hit]:
    countries = dictionary_terms(COUNTRIES)
    summary, subjects = _summary(data), data.get("DM")
    if summary is not None:
        wrong = summary.equals("TSPARMCD", "FCNTRY") & ~summary.equals("TSVAL", "", *countries)
        yield Hit("TS", "TSVAL", wrong)
    if subjects is not None and subjects.has("COUNTRY"):
        yield Hit("DM", "COUNTRY", ~subjects.equals("COUNTRY", "", *countries))


@rule("summary.null_flavor", "A null flavor is one of ISO 21090.", SUMMARY)
def summary_null_flavor(data: SdtmDatasets) -> Iterator[Hit]:
    summary = _summary(data)
    if summary is not None and summary.has("TSVALNF"):
        yield Hit("TS", "TSVALNF", ~summary.equals("TSVALNF", "", *dictionary_terms(NULL_FLAVORS)))


@rule("summary.reference", "A parameter is coded in the system that the guide gives it: treatments in UNII, classes in"
      " MED-RT, diagnoses in SNOMED, countries by ISO 3166-1.", SUMMARY,
      covers="CG0444, CG0455, CG0456, CG0458", version="guide")  # fmt: skip
def summary_reference(data: SdtmDatasets) -> Iterator[Hit]:
    summary = _summary(data)
    if summary is not None and summary.has("TSVCDREF"):
        wrong = np.zeros(summary.size, bool)
        for one in summary_parameters():
            if one.references:
                wrong |= summary.equals("TSPARMCD", one.paramcd) & ~summary.each("TSVCDREF", _named(one))
        yield Hit("TS", "TSVCDREF", wrong & summary.filled("TSVAL"))


def _named(one: GuideParameter) -> Callable[[str], bool]:
    wanted = {name.upper() for name in one.references}
    return lambda text: text.upper() in wanted or (text.upper().startswith("SNOMED") and "SNOMED" in wanted)


@rule("summary.code", "A code has the form of its system: UNII ten letters and digits, CDISC the C-code of NCI, SNOMED"
      " digits, MED-RT and NDF-RT an N and ten digits.", SUMMARY)  # fmt: skip
def summary_code(data: SdtmDatasets) -> Iterator[Hit]:
    summary = _summary(data)
    if summary is not None and summary.has("TSVALCD", "TSVCDREF"):
        given = summary.filled("TSVALCD")
        unii = summary.equals("TSVCDREF", "UNII") & ~summary.each("TSVALCD", UNII.fullmatch)
        nci = summary.each("TSVCDREF", lambda text: text.startswith("CDISC")) & ~summary.each("TSVALCD", NCI.fullmatch)
        snomed = summary.each("TSVCDREF", lambda text: text.upper().startswith("SNOMED"))
        snomed &= ~summary.each("TSVALCD", CONCEPT.fullmatch)
        classes = summary.equals("TSVCDREF", "MED-RT", "NDF-RT") & ~summary.each("TSVALCD", CLASS.fullmatch)
        yield Hit("TS", "TSVALCD", given & (unii | nci | snomed | classes))
        yield Hit("TS", "TSVCDREF", given & ~summary.filled("TSVCDREF"), "A code has no system.")


@rule("summary.coded", "A treatment, a class and a diagnosis have the code of their system (TSVALCD).", SUMMARY,
      "warning", version="guide")  # fmt: skip
def summary_coded(data: SdtmDatasets) -> Iterator[Hit]:
    summary = _summary(data)
    if summary is not None and summary.has("TSVALCD"):
        coded = [one.paramcd for one in summary_parameters() if set(one.references) & CODED]
        valued = summary.equals("TSPARMCD", *coded) & summary.filled("TSVAL")
        yield Hit("TS", "TSVALCD", valued & ~summary.filled("TSVALCD"))


@rule(
    "summary.term", "The value of a parameter that has a codelist is one of its terms.", SUMMARY, version="terminology"
)
def summary_term(data: SdtmDatasets) -> Iterator[Hit]:
    summary = _summary(data)
    for one in summary_parameters() if summary is not None else ():
        if summary is not None and one.codelist and one.codelist in data.terminology.codelists:
            listed = data.terminology.codelists[one.codelist]
            wrong = summary.equals("TSPARMCD", one.paramcd) & ~summary.equals("TSVAL", "", *listed.terms)
            yield Hit("TS", "TSVAL", wrong, f"It is {one.paramcd}.", severity=certainty([listed]))


@rule("summary.once", "A parameter that is one of the study, such as its title, is given once.", SUMMARY)
def summary_once(data: SdtmDatasets) -> Iterator[Hit]:
    summary = _summary(data)
    if summary is not None:
        single = summary.equals("TSPARMCD", *(one.paramcd for one in summary_parameters() if one.is_single))
        yield Hit("TS", "TSPARMCD", single & repeated(np.where(single, summary.column("TSPARMCD").codes, -1)))


@rule("summary.arms", "NARMS is the number of arms in TA.", SUMMARY)
def summary_arms(data: SdtmDatasets) -> Iterator[Hit]:
    summary, design = _summary(data), data.get("TA")
    if summary is not None and design is not None and design.has("ARMCD"):
        count = len([code for code in design.column("ARMCD").held if code])
        yield Hit("TS", "TSVAL", summary.equals("TSPARMCD", "NARMS") & ~summary.equals("TSVAL", "", str(count)),
                  f"TA has {count}.")  # fmt: skip


@rule("summary.subjects", "ACTSUB is the number of subjects that were enrolled: those of DM with an arm.", SUMMARY)
def summary_subjects(data: SdtmDatasets) -> Iterator[Hit]:
    summary, subjects = _summary(data), data.get("DM")
    if summary is not None and subjects is not None and subjects.has("ARMCD"):
        enrolled = {int(data.assigned().sum()), subjects.size}
        wrong = summary.equals("TSPARMCD", "ACTSUB") & ~summary.equals("TSVAL", "", *map(str, sorted(enrolled)))
        yield Hit("TS", "TSVAL", wrong, f"DM has {int(data.assigned().sum())} with an arm.")


@rule("summary.dates", "The study's start is not after its end, nor after a subject's first consent or treatment; no"
      " participation ends after the study.", SUMMARY)  # fmt: skip
def summary_dates(data: SdtmDatasets) -> Iterator[Hit]:
    summary, subjects = _summary(data), data.get("DM")
    if summary is None:
        return
    first, last = summary.bounds("TSVAL")
    start, end = (summary.equals("TSPARMCD", code) for code in ("SSTDTC", "SENDTC"))
    if start.any() and end.any():
        yield Hit("TS", "TSVAL", start & (first > last[end].max()), "The study ends before it starts.")
    if subjects is not None:
        for names, rows, is_wrong in ((("RFICDTC", "RFXSTDTC"), start, np.greater), (("RFPENDTC",), end, np.less)):
            for name in names:
                bound = last if is_wrong is np.less else first
                known = subjects.bounds(name)[0 if is_wrong is np.less else 1]
                known = known[~np.isnat(known)]
                if len(known):
                    extreme = known.max() if is_wrong is np.less else known.min()
                    detail = f"DM has {name} {np.datetime_as_string(extreme, 'D')}."
                    yield Hit("TS", "TSVAL", rows & is_wrong(bound, extreme), detail, severity="warning")


@rule("summary.age", "AGEMIN is not above AGEMAX, and the subjects are between them.", SUMMARY)
def summary_age(data: SdtmDatasets) -> Iterator[Hit]:
    summary, subjects = _summary(data), data.get("DM")
    if summary is None:
        return
    low, high = (_years(summary, code) for code in ("AGEMIN", "AGEMAX"))
    if low is not None and high is not None:
        yield Hit("TS", "TSVAL", summary.equals("TSPARMCD", "AGEMIN") & (low > high))
    if subjects is not None and subjects.has("AGE") and subjects.has("ARMCD"):
        age, in_years = subjects.number("AGE"), subjects.equals("AGEU", "YEARS") & data.assigned()
        outside = np.zeros(subjects.size, bool)
        outside |= age < low if low is not None else False
        outside |= age > high if high is not None else False
        yield Hit("DM", "AGE", outside & in_years, severity="warning")


def _years(summary: Domain, code: str) -> float | None:
    """Return a limit of age that is given in whole years."""
    found = [YEARS.fullmatch(text) for text in _values(summary, code)]
    return float(found[0].group(1)) if len(found) == 1 and found[0] else None
