"""Rules about terms and their codes, records that are there twice, doses, and dates with gaps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from metadata.coded_matching import first_match
from validation.conformance.rule import Hit, rule
from validation.conformance.sdtm_datasets import Domain, SdtmDatasets, not_usual, repeated

ADVERSE = "SDTMIG 3.3, section 6.2.1"
CODING = "SDTMIG 3.3, sections 4.2.6 and 6.2"
EXPOSURE = "SDTMIG 3.3, section 6.1.3"
NO_TERM = (
    "NA",
    "N/A",
    "N.A.",
    "NONE",
    "UNK",
    "UNKNOWN",
    "NOT APPLICABLE",
    "NOT DONE",
    "ND",
    ".",
    "-",
    "?",
    "NULL",
    "TBD",
)
HIERARCHY = (("--LLT", "--LLTCD"), ("--DECOD", "--PTCD"), ("--HLT", "--HLTCD"),
             ("--HLGT", "--HLGTCD"), ("--SOC", "--SOCCD"), ("--BODSYS", "--BDSYCD"),
             ("--CLAS", "--CLASCD"))  # fmt: skip
OF_A_RECORD = ("SEQ", "SPID", "GRPID", "REFID", "LNKID", "LNKGRP", "RECID")
USUAL = 10


def _reported(domain: Domain) -> str:
    """Return the variable of the reported term, --TERM or --TRT, blank if the dataset has none."""
    return next((name for name in ("--TERM", "--TRT") if domain.has(name)), "")


@rule("term.missing_word", "A reported term is a term, and not a word for one that is missing.", CODING)
def term_missing_word(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        name = _reported(domain)
        if name and domain.is_observations:
            yield Hit(domain.name, domain.full(name), domain.each(name, lambda text: text.strip().upper() in NO_TERM))


def _ambiguous(domain: Domain, one: str, other: str) -> np.ndarray:
    """Return True where one text goes with several of the other; blanks are not looked at."""
    both = domain.filled(one) & domain.filled(other)
    codes = domain.column(one).each(str.upper).astype("U") if domain.is_text(one) else domain.column(one).array()
    _, codes = np.unique(codes, return_inverse=True)
    if not both.any():
        return np.zeros(domain.size, bool)
    pairs = np.unique(np.stack([codes[both], domain.column(other).codes[both]], axis=1), axis=0)[:, 0]
    several = np.bincount(pairs, minlength=int(codes.max()) + 1) > 1
    return np.asarray(both & several[codes])


@rule("coding.term", "The same reported term is coded in the same way.", CODING, "warning")
def coding_term(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        name = _reported(domain)
        if name and domain.has("--DECOD") and domain.is_observations and domain.name != "DS":
            yield Hit(domain.name, domain.full("--DECOD"), _ambiguous(domain, name, "--DECOD"))


@rule("coding.class", "A preferred term is in one body system.", CODING, "warning")
def coding_class(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        for name in ("--BODSYS", "--SOC"):
            if domain.has("--DECOD", name):
                yield Hit(domain.name, domain.full(name), _ambiguous(domain, "--DECOD", name))


@rule("coding.pair", "A term of a dictionary and its code go one to one.", CODING,
      covers="CG0049, CG0083, FB0905, FB0906, FB0907, FB0908, FB0909, FB0910, FB0911")  # fmt: skip
def coding_pair(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        for name, code in HIERARCHY:
            if domain.has(name, code):
                wrong = _ambiguous(domain, name, code) | _ambiguous(domain, code, name)
                yield Hit(domain.name, domain.full(code), wrong)


@rule("event.severity", "An adverse event has a severity or a grade.", ADVERSE, "warning")
def event_severity(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.of_domain("AE"):
        named = [name for name in ("AESEV", "AETOXGR") if domain.has(name)]
        if not named:
            yield Hit(domain.name, detail="It has neither AESEV nor AETOXGR.")
        else:
            said = np.logical_or.reduce([domain.filled(name) for name in named])
            yield Hit(domain.name, named[0], ~said)


@rule("record.twice", "No record is there twice, different only in its number.", "SDTMIG 3.3, section 4.1.9", "warning")
def record_twice(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        if domain.is_observations and domain.has("USUBJID", "--SEQ") and domain.size > 1:
            own = {domain.full(f"--{name}") for name in OF_A_RECORD}
            names = [str(name) for name in domain.frame.columns if name not in own]
            yield Hit(domain.name, "", repeated(domain.group(*names)))


@rule("event.twice", "A subject has an event, treatment or procedure of the same name and start once.",
      "SDTMIG 3.3, section 4.1.9", "warning")  # fmt: skip
def event_twice(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        name = _reported(domain)
        if (
            name
            and domain.is_observations
            and domain.has("USUBJID", "--STDTC")
            and domain.name[:2] in ("AE", "CE", "EX")
        ):
            names = [
                "USUBJID",
                name,
                "--STDTC",
                "--ENDTC",
                "--LOC",
                "--LAT",
                "--SEV",
                "--TOXGR",
                "--DOSE",
                "--CAT",
                "--SCAT",
            ]
            group = domain.group(*(one for one in names if domain.has(one)))
            dated = domain.filled("--STDTC")
            yield Hit(domain.name, domain.full(name), repeated(np.where(dated, group, -1)) & dated)


@rule("date.gap", "A date that has its day has its month as well.", "SDTMIG 3.3, section 4.4.2", "warning")
def date_gap(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        for name in [str(name) for name in domain.frame.columns if str(name).endswith("DTC")]:
            yield Hit(domain.name, name, domain.matches(name, r"\d{4}---\d{2}.*|--\d{2}-\d{2}.*|----?\d{2}.*"))


@rule("exposure.given", "A record of exposure has its dose, as a number or as a text.", EXPOSURE, covers="CG0462")
def exposure_given(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.of_domain("EX"):
        if domain.has("EXDOSE"):
            taken = ~domain.equals("EXOCCUR", "N") & ~domain.filled("EXSTAT")
            yield Hit(domain.name, "EXDOSE", taken & np.isnan(domain.number("EXDOSE")) & ~domain.filled("EXDOSTXT"))


@rule("exposure.zero", "A dose of 0 is one of placebo, and a dose of placebo is 0.", EXPOSURE, covers="CG0102")
def exposure_zero(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.of_domain("EX"):
        if domain.has("EXDOSE", "EXTRT"):
            dose, placebo = domain.number("EXDOSE"), domain.each("EXTRT", lambda text: "PLACEBO" in text.upper())
            yield Hit(domain.name, "EXDOSE", domain.equals("EXTRT", "PLACEBO") & (dose > 0))
            yield Hit(domain.name, "EXDOSE", ~placebo & (dose == 0), "It is none of placebo.", severity="warning")


@rule("exposure.unit", "A treatment is dosed in one unit, form and route.", EXPOSURE, "warning")
def exposure_unit(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.of_domain("EX"):
        for name in ("EXDOSU", "EXROUTE"):
            if domain.has("EXTRT", name):
                filled = domain.filled(name)
                unusual = not_usual(domain.column("EXTRT").codes, domain.column(name).codes, filled)
                yield Hit(domain.name, name, unusual & filled)


@rule("exposure.arm", "A subject takes what others of its arm take: not what one in ten of them take or fewer, and"
      " another arm as a rule.", EXPOSURE, "warning")  # fmt: skip
def exposure_arm(data: SdtmDatasets) -> Iterator[Hit]:
    domain, subjects = data.get("EX"), data.get("DM")
    if domain is None or subjects is None or not domain.has("EXTRT", "USUBJID") or not subjects.has("ACTARMCD"):
        return
    arms, arm = np.unique(data.subject_text(domain, "ACTARMCD").astype("U"), return_inverse=True)
    drug, owner = domain.column("EXTRT").codes, domain.column("USUBJID").codes
    takers = np.zeros((len(arms), len(domain.column("EXTRT").texts)), int)
    distinct = np.unique(np.stack([arm, drug, owner], axis=1), axis=0)
    np.add.at(takers, (distinct[:, 0], distinct[:, 1]), 1)
    of_arm = np.bincount(np.unique(np.stack([arm, owner], axis=1), axis=0)[:, 0], minlength=len(arms))
    share = takers / np.maximum(of_arm, 1)[:, None]
    rare = (share[arm, drug] <= 1 / USUAL) & (share[:, drug].max(axis=0) > 1 / 2) & (arms[arm] != "")
    yield Hit("EX", "EXTRT", rare)


@rule("element.arm", "A subject's element is one of its arm, with the epoch and in the order of the arm.",
      "SDTMIG 3.3, sections 5.3 and 7.2.1", covers="CG0414")  # fmt: skip
def element_arm(data: SdtmDatasets) -> Iterator[Hit]:
    elements, design, subjects = data.get("SE"), data.get("TA"), data.get("DM")
    if elements is None or design is None or subjects is None or not elements.has("ETCD", "USUBJID"):
        return
    if not design.has("ARMCD", "ETCD", "EPOCH", "TAETORD"):
        return
    arms = zip(design.text("ARMCD"), design.text("ETCD"), design.text("EPOCH"), design.text("TAETORD"), strict=True)
    plan = {(arm, element): (epoch, order) for arm, element, epoch, order in arms}
    planned, actual = (data.subject_text(elements, name) for name in ("ARMCD", "ACTARMCD"))
    own = elements.text("ETCD")
    found = [_planned(plan, one, (a, p)) for one, a, p in zip(own, actual, planned, strict=True)]
    unplanned = elements.equals("ETCD", "UNPLAN", "")
    yield Hit("SE", "ETCD", ~unplanned & np.array([one is None for one in found], bool))
    for at, name in enumerate(("EPOCH", "TAETORD")):
        if elements.has(name):
            wanted = np.array([one[at] if one else "" for one in found], object)
            wrong = elements.filled(name) & (wanted != "") & (wanted != elements.text(name))
            yield Hit("SE", name, wrong & ~unplanned)
    if elements.has("SESTDTC"):
        order = np.array([float(one[1]) if one else np.nan for one in found])
        yield Hit("SE", "SESTDTC", _backwards(elements, order), "The elements are in another order.")


def _planned(
    plan: dict[tuple[str, str], tuple[str, str]], element: str, arms: tuple[str, str]
) -> tuple[str, str] | None:
    """Return epoch and order of an element in one of the subject's arms; without an arm, in any arm."""
    own = [plan[arm, element] for arm in arms if (arm, element) in plan]
    if own:
        return own[0]
    known = {arm for arm, _ in plan}
    if known.isdisjoint(arms):
        return next((where for (_, name), where in plan.items() if name == element), None)
    return None


def _backwards(elements: Domain, order: np.ndarray) -> np.ndarray:
    """Return True for an element that starts after one that comes later in the arm."""
    start, owner = elements.bounds("SESTDTC")[0], elements.column("USUBJID").codes
    known = np.flatnonzero(~np.isnan(order) & ~np.isnat(start))
    rows = known[np.lexsort((order[known], start[known], owner[known]))]
    wrong = np.zeros(elements.size, bool)
    wrong[rows[1:]] = (owner[rows[1:]] == owner[rows[:-1]]) & (order[rows[1:]] < order[rows[:-1]])
    return wrong


@rule("element.unplanned", "An unplanned element (UNPLAN) says what it was (SEUPDES), and no other does.",
      "SDTMIG 3.3, section 5.3", covers="CG0206, CG0210, CG0211")  # fmt: skip
def element_unplanned(data: SdtmDatasets) -> Iterator[Hit]:
    elements = data.get("SE")
    if elements is not None and elements.has("ETCD"):
        unplanned = elements.equals("ETCD", "UNPLAN")
        yield Hit("SE", "SEUPDES", unplanned != elements.filled("SEUPDES"))
        yield Hit("SE", "TAETORD", unplanned & elements.filled("TAETORD"))


@rule("milestone.planned", "A milestone is of a type that TM has, once if TM says so, and its name is used once by a"
      " subject.", "SDTMIG 3.3, sections 5.4 and 7.3.3", covers="CG0501, CG0545")  # fmt: skip
def milestone_planned(data: SdtmDatasets) -> Iterator[Hit]:
    milestones, design = data.get("SM"), data.get("TM")
    if milestones is None or not milestones.has("MIDSTYPE", "USUBJID"):
        return
    if design is None:
        yield Hit("TM", detail="SM is there, and TM is missing.")
        return
    yield Hit("SM", "MIDSTYPE", ~milestones.equals("MIDSTYPE", *design.column("MIDSTYPE").held))
    yield Hit("SM", "MIDS", repeated(milestones.group("USUBJID", "MIDS")))
    if design.has("TMRPT"):
        single = design.column("MIDSTYPE").take(design.equals("TMRPT", "N")).held
        once = milestones.equals("MIDSTYPE", *single)
        yield Hit("SM", "MIDSTYPE", once & repeated(np.where(once, milestones.group("USUBJID", "MIDSTYPE"), -1)))


@rule("milestone.known", "The milestone of a record is one of the subject's in SM.", "SDTMIG 3.3, section 5.4",
      covers="CG0502")  # fmt: skip
def milestone_known(data: SdtmDatasets) -> Iterator[Hit]:
    milestones = data.get("SM")
    for domain in data.having("USUBJID"):
        if domain.has("MIDS") and domain.name != "SM":
            row = np.full(domain.size, -1)
            if milestones is not None:
                keys = ("USUBJID", "MIDS")
                row = first_match([domain.column(key) for key in keys], [milestones.column(key) for key in keys])
            yield Hit(domain.name, "MIDS", domain.filled("MIDS") & (row < 0))


@rule("supplemental.origin", "A supplemental value says where it comes from, and who assigned what was assigned.",
      "SDTMIG 3.3, section 8.4", covers="CG0202")  # fmt: skip
def supplemental_origin(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        if domain.is_supplemental and domain.has("QORIG"):
            known = domain.each("QORIG", lambda text: text.upper() in ORIGINS)
            yield Hit(domain.name, "QORIG", ~known)
            assigned = domain.each("QORIG", lambda text: text.upper() == "ASSIGNED")
            yield Hit(domain.name, "QEVAL", assigned & ~domain.filled("QEVAL"), severity="warning")


ORIGINS = ("CRF", "COLLECTED", "ASSIGNED", "DERIVED", "PROTOCOL", "EDT", "PREDECESSOR", "NOT AVAILABLE", "OTHER")
