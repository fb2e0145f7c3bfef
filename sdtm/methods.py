"""Origin and method, in a sentence, of the variables that the engine derives itself."""

from __future__ import annotations

from sdtm.mapping import DomainMapping

DERIVED, ASSIGNED, PROTOCOL, COLLECTED = "Derived", "Assigned", "Protocol", "Collected"

COMMON = {
    "STUDYID": (PROTOCOL, ""),
    "DOMAIN": (ASSIGNED, ""),
    "USUBJID": (DERIVED, "STUDYID, SITEID and the subject's number, joined by hyphens."),
    "SUBJID": (COLLECTED, ""),
    "SITEID": (ASSIGNED, "From the record's data access group."),
    "VISITNUM": (
        PROTOCOL,
        "From the REDCap event; unscheduled visits are numbered n.1, n.2 after the planned visit before them.",
    ),
    "VISIT": (PROTOCOL, "From the REDCap event."),
    "VISITDY": (PROTOCOL, "Planned study day of the visit."),
    "EPOCH": (DERIVED, "The epoch of the SE element that holds the whole (possibly partial) start date."),
    "ETCD": (PROTOCOL, ""),
    "ELEMENT": (PROTOCOL, ""),
    "TAETORD": (PROTOCOL, ""),
    "SESTDTC": (DERIVED, "Start of the element by the rule of the study's elements, from DM."),
    "SEENDTC": (DERIVED, "Start of the next element of the subject; RFPENDTC for the last."),
    "SVSTDTC": (DERIVED, "Earliest date on the visit's forms."),
    "SVENDTC": (DERIVED, "Latest date on the visit's forms."),
}
BY_SUFFIX = {
    "SEQ": (DERIVED, "Number of the record within the subject, in the order of the dataset's keys."),
    "SPID": (ASSIGNED, "REDCap event, form and instance of the record."),
    "TESTCD": (ASSIGNED, ""),
    "TEST": (ASSIGNED, "Decoded from the test code by the terminology's concept code."),
    "ORRES": (COLLECTED, ""),
    "ORRESU": (COLLECTED, ""),
    "ORNRLO": (
        ASSIGNED,
        "From the study's table of reference ranges by laboratory, sex, age and date, in the unit of the result.",
    ),
    "ORNRHI": (
        ASSIGNED,
        "From the study's table of reference ranges by laboratory, sex, age and date, in the unit of the result.",
    ),
    "STRESC": (
        DERIVED,
        "The result in the standard unit, by the factor declared for the test; text as collected otherwise.",
    ),
    "STRESN": (DERIVED, "The number of the result in the standard unit; null for text and for limits such as <20."),
    "STRESU": (ASSIGNED, "The standard unit declared for the test."),
    "STNRLO": (DERIVED, "The lower limit of the reference range in the standard unit."),
    "STNRHI": (DERIVED, "The upper limit of the reference range in the standard unit."),
    "NRIND": (DERIVED, "LOW, NORMAL or HIGH against the reference range in standard units."),
    "STAT": (COLLECTED, "NOT DONE where the form says so, or where a missing-data code stands for the result."),
    "REASND": (COLLECTED, "The reason on the form, or the meaning of the missing-data code."),
    "LOBXFL": (
        DERIVED,
        "Y on the last result before RFXSTDTC; a result of that day counts at a visit declared predose.",
    ),
    "BLFL": (DERIVED, "Y on the last result before RFXSTDTC, as --LOBXFL."),
    "TOX": (ASSIGNED, "The item of the toxicity scheme by which the result is graded."),
    "TOXGR": (DERIVED, "Grade by the declared toxicity scheme on the unrounded result in standard units."),
    "STDY": (DERIVED, "Days from RFSTDTC to the start date, day 1 being RFSTDTC and no day 0; null for partial dates."),
    "ENDY": (DERIVED, "Days from RFSTDTC to the end date, day 1 being RFSTDTC and no day 0; null for partial dates."),
    "DY": (DERIVED, "Days from RFSTDTC, day 1 being RFSTDTC and no day 0; null for partial dates."),
}


def derived_method(mapping: DomainMapping, name: str) -> tuple[str, str]:
    """Return origin and method sentence of a variable that the engine makes; blanks if it does not."""
    if name in COMMON:
        return COMMON[name]
    return BY_SUFFIX.get(name.removeprefix(mapping.domain), ("", ""))


def is_derived(domain: str, name: str) -> bool:
    """Return True for a variable that the engine makes in every study, so that no mapping needs to."""
    return name in COMMON or name.removeprefix(domain) in BY_SUFFIX
