"""Origin and method, in a sentence, of the variables that the engine derives itself."""

from __future__ import annotations

from sdtm.mapping.domain_mapping import DomainMapping

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
    "EPOCH": (DERIVED, "The epoch of the SE element that holds the whole (possibly partial) {date}."),
    "ETCD": (PROTOCOL, ""),
    "ELEMENT": (PROTOCOL, ""),
    "TAETORD": (PROTOCOL, ""),
    "SESTDTC": (DERIVED, "Start of the element by the rule of the study's elements, from DM."),
    "SEENDTC": (DERIVED, "Start of the next element of the subject; RFPENDTC for the last."),
    "RDOMAIN": (ASSIGNED, "The domain that the comment is about; null if its form made no record there."),
    "IDVAR": (ASSIGNED, "The variable that holds event, form and instance of the records that the comment is about."),
    "IDVARVAL": (DERIVED, "Event, form and instance on which the comment was written."),
    "COREF": (DERIVED, "Event, form and instance on which the comment was written, where no record stands for it."),
    "SVSTDTC": (DERIVED, "Earliest date on the visit's forms."),
    "SVENDTC": (DERIVED, "Latest of the dates of which SVSTDTC is the earliest."),
}
RANGE = (
    "From the study's table of reference ranges by laboratory (--NAM), sex (DM.SEX), age (DM.AGE) and date (--DTC), in"
    " the unit of the result (--ORRESU)."
)
DAYS = "Days from DM.RFSTDTC to {}, day 1 being that of DM.RFSTDTC and no day 0; null for partial dates."
# -- stands for the domain's prefix. A sentence names the variables that a value is made from: a trace follows them.
BY_SUFFIX = {
    "SEQ": (DERIVED, "Number of the record within the subject, in the order of the dataset's keys."),
    "SPID": (ASSIGNED, "REDCap event, form and instance of the record."),
    "TESTCD": (ASSIGNED, ""),
    "TEST": (ASSIGNED, "Decoded from the test code by the terminology's concept code."),
    "ORRES": (COLLECTED, ""),
    "ORRESU": (COLLECTED, ""),
    "ORNRLO": (ASSIGNED, RANGE),
    "ORNRHI": (ASSIGNED, RANGE),
    "STRESC": (DERIVED, "--ORRES in the standard form declared for the test: its code, its term or the text itself."),
    "STRESN": (DERIVED, "The number of --STRESC; null for text and for limits such as <20."),
    "STRESU": (ASSIGNED, "The standard unit declared for the test."),
    "STNRLO": (DERIVED, "--ORNRLO in the standard unit, by the factor declared for --ORRESU."),
    "STNRHI": (DERIVED, "--ORNRHI in the standard unit, by the factor declared for --ORRESU."),
    "NRIND": (DERIVED, "LOW, NORMAL or HIGH: --STRESC against the range from --STNRLO to --STNRHI."),
    "STAT": (COLLECTED, "NOT DONE where the form says so, or where a missing-data code stands for the result."),
    "REASND": (COLLECTED, "The reason on the form, or the meaning of the missing-data code."),
    "LOBXFL": (
        DERIVED,
        "Y on the last record with --ORRES whose --DTC is before DM.RFXSTDTC; one of that day counts at a VISITNUM"
        " declared predose, or at an earlier time of day.",
    ),
    "BLFL": (DERIVED, "Y on the last result before the first dose, as --LOBXFL."),
    "TOX": (ASSIGNED, "The item of the toxicity scheme by which the result is graded."),
    "TOXGR": (
        DERIVED,
        "Grade of --STRESC by the declared toxicity scheme, on the result in standard units with the digits that it has"
        " there; multiples of the upper limit of normal are those of --STNRHI.",
    ),
    "STDY": (DERIVED, DAYS.format("--STDTC")),
    "ENDY": (DERIVED, DAYS.format("--ENDTC")),
    "DY": (DERIVED, DAYS.format("--DTC")),
}
CONVERTED = (
    "--ORRES in the standard unit, by the factor declared for the test and --ORRESU{rounded}; text as collected"
    " otherwise."
)
ROUNDED = ", with the decimals or significant digits declared for the test"


def derived_method(mapping: DomainMapping, name: str) -> tuple[str, str]:
    """Return origin and method sentence of a variable that the engine makes; blanks if it does not."""
    origin, sentence = COMMON.get(name) or BY_SUFFIX.get(name.removeprefix(mapping.domain), ("", ""))
    if name == mapping.prefixed("STRESC") and _has_units(mapping):
        sentence = CONVERTED.replace("{rounded}", ROUNDED if _rounds(mapping) else "")
    if name == "USUBJID" and mapping.subject_pattern:
        sentence = f"{mapping.subject_pattern}, with STUDYID, SITEID and the subject's number in its places."
    date = mapping.prefixed("STDTC" if mapping.has(mapping.prefixed("STDTC")) else "DTC")
    return origin, sentence.replace("{date}", date).replace("--", mapping.domain)


def _has_units(mapping: DomainMapping) -> bool:
    return any(test.unit or test.units.standard for block in mapping.blocks for test in block.tests)


def _rounds(mapping: DomainMapping) -> bool:
    units = [test.units for block in mapping.blocks for test in block.tests]
    return any((one.digits, one.decimals) != (None, None) for one in units)


def is_derived(domain: str, name: str) -> bool:
    """Return True for a variable that the engine makes in every study, so that no mapping needs to."""
    return name in COMMON or name.removeprefix(domain) in BY_SUFFIX
