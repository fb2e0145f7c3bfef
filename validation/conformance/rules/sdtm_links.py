"""Rules about references between datasets: supplemental qualifiers, comments, related records, trial design."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from metadata.coded_matching import first_match
from validation.conformance.rule import Hit, rule
from validation.conformance.rules.sdtm_results import CODE, LONGEST_TEST
from validation.conformance.rules.sdtm_structure import class_variables
from validation.conformance.sdtm_datasets import (
    Domain,
    SdtmDatasets,
    not_usual,
    repeated,
)

SUPPLEMENT = "SDTMIG 3.3, section 8.4"
RELATED = "SDTMIG 3.3, section 8.2"
SUMMARY = "SDTMIG 3.3, section 7.4.2"
ORIGINS = ("CRF", "COLLECTED", "ASSIGNED", "DERIVED", "PROTOCOL", "EDT", "PREDECESSOR", "NOT AVAILABLE", "OTHER")


def _supplements(data: SdtmDatasets) -> list[Domain]:
    return [domain for domain in data if domain.is_supplemental]


def _resolved(data: SdtmDatasets, domain: Domain) -> np.ndarray:
    """Return True where RDOMAIN, USUBJID, IDVAR and IDVARVAL lead to a record."""
    found = np.zeros(domain.size, bool)
    pairs = domain.group("RDOMAIN", "IDVAR")
    for pair in range(pairs.max(initial=-1) + 1):
        at = np.flatnonzero(pairs == pair)
        code, variable = (domain.text(name)[at[0]] for name in ("RDOMAIN", "IDVAR"))
        found[at] = np.logical_or.reduce(
            [_matches(domain, at, parent, variable) for parent in data.of_domain(code)] or [np.zeros(len(at), bool)]
        )
    return found


def _matches(domain: Domain, at: np.ndarray, parent: Domain, variable: str) -> np.ndarray:
    pairs = [("USUBJID", "USUBJID")] if parent.has("USUBJID") else []
    if variable and parent.has(variable):
        pairs.append(("IDVARVAL", variable))
    elif variable:
        return np.zeros(len(at), bool)
    if not pairs:
        return np.ones(len(at), bool)
    wanted, known = [domain.column(name).take(at) for name, _ in pairs], [parent.column(name) for _, name in pairs]
    return first_match(wanted, known) >= 0


@rule("supplemental.parent", "A supplemental value belongs to a record of its parent domain.", SUPPLEMENT)
def supplemental_parent(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _supplements(data):
        yield Hit(domain.name, "IDVARVAL", ~_resolved(data, domain))


@rule("supplemental.domain", "RDOMAIN is the domain after which the dataset is named.", SUPPLEMENT, covers="CG0334")
def supplemental_domain(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _supplements(data):
        code = domain.name.removeprefix("SUPP").removeprefix("SQ")[:2]
        yield Hit(domain.name, "RDOMAIN", ~domain.equals("RDOMAIN", code))


@rule("supplemental.name", "QNAM is at most eight capitals and digits and no variable of the parent's class.",
      SUPPLEMENT, covers="CG0314, CG0417")  # fmt: skip
def supplemental_name(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _supplements(data):
        taken: set[str] = set()
        for parent in _parents(data, domain):
            taken |= {*map(str, parent.frame.columns), *(item.name for item in parent.guide)}
            taken |= class_variables(parent)
        yield Hit(domain.name, "QNAM", ~domain.matches("QNAM", CODE) | domain.equals("QNAM", *taken))


@rule("supplemental.label", "A QNAM has one QLABEL of at most 40 characters.", SUPPLEMENT, covers="FB0920")
def supplemental_label(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _supplements(data):
        long = domain.each("QLABEL", lambda word: len(word) > LONGEST_TEST)
        yield Hit(domain.name, "QLABEL", long | not_usual(domain.column("QNAM").codes, domain.column("QLABEL").codes))


@rule("supplemental.once", "A record has a QNAM once.", SUPPLEMENT)
def supplemental_once(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _supplements(data):
        group = domain.group("RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM")
        yield Hit(domain.name, "QNAM", repeated(group))


@rule("text.continued", "A text of more than 200 bytes is continued in SUPP--.", "SDTMIG 3.3, section 4.5.3.2", "note")
def text_continued(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _supplements(data):
        labels = {item.name: item.label for parent in _parents(data, domain) for item in parent.metadata.variables}
        column = domain.column("QNAM")
        continued = {name: labels.get(name[:-1], "") for name in column.texts if name[-1:].isdigit()}
        value = column.replace(continued, "").array()
        yield Hit(domain.name, "QVAL", (value != "") & (value == domain.text("QLABEL")))


def _parents(data: SdtmDatasets, domain: Domain) -> list[Domain]:
    return data.of_domain(domain.name.removeprefix("SUPP")[:2])


@rule("comment.parent", "A comment on a record leads to that record.", "SDTMIG 3.3, section 5.1")
def comment_parent(data: SdtmDatasets) -> Iterator[Hit]:
    domain = data.get("CO")
    if domain is not None and domain.has("RDOMAIN", "IDVAR", "IDVARVAL"):
        yield Hit("CO", "IDVARVAL", domain.filled("RDOMAIN") & ~_resolved(data, domain))
        yield Hit("CO", "IDVAR", domain.filled("IDVAR") & ~domain.filled("RDOMAIN"))


@rule("related.record", "A relationship leads to records, or between datasets to variables, that exist.", RELATED)
def related_record(data: SdtmDatasets) -> Iterator[Hit]:
    import pandas as pd

    domain = data.get("RELREC")
    if domain is None or not domain.has("RDOMAIN", "IDVAR", "IDVARVAL"):
        return
    whole = ~domain.filled("IDVARVAL")
    yield Hit("RELREC", "IDVARVAL", ~whole & ~_resolved(data, domain))
    known = {(parent.name[:2], str(name)) for parent in data if parent.has("DOMAIN") for name in parent.frame.columns}
    there = pd.MultiIndex.from_arrays([domain.text("RDOMAIN"), domain.text("IDVAR")]).isin(list(known))
    yield Hit("RELREC", "IDVAR", whole & ~there)
    yield Hit("RELREC", "RELTYPE", whole != domain.filled("RELTYPE"))


@rule("related.pair", "A relationship has at least two sides.", RELATED)
def related_pair(data: SdtmDatasets) -> Iterator[Hit]:
    import pandas as pd

    domain = data.get("RELREC")
    if domain is not None and domain.has("RELID"):
        group = domain.group("USUBJID", "RELID")
        alone = pd.Series(group).groupby(group).transform("size").to_numpy() < 2
        yield Hit("RELREC", "RELID", alone)


@rule("design.elements", "An element of an arm is described in TE.", "SDTMIG 3.3, section 7.2.1")
def design_elements(data: SdtmDatasets) -> Iterator[Hit]:
    arms, elements = data.get("TA"), data.get("TE")
    if arms is not None and elements is not None:
        yield Hit("TA", "ETCD", ~arms.equals("ETCD", *elements.column("ETCD").held))
        yield Hit("TE", "ETCD", ~elements.equals("ETCD", *arms.column("ETCD").held))


@rule("design.criteria", "A criterion that a subject did not meet is described in TI.", "SDTMIG 3.3, section 7.4.1")
def design_criteria(data: SdtmDatasets) -> Iterator[Hit]:
    criteria, violated = data.get("TI"), data.get("IE")
    if criteria is not None and violated is not None:
        yield Hit("IE", "IETESTCD", ~violated.equals("IETESTCD", *criteria.column("IETESTCD").held))


@rule("summary.value", "A trial summary parameter has a value or a null flavor, not both.", SUMMARY)
def summary_value(data: SdtmDatasets) -> Iterator[Hit]:
    summary = data.get("TS")
    if summary is not None and summary.has("TSVAL"):
        yield Hit("TS", "TSVAL", summary.filled("TSVAL") == summary.filled("TSVALNF"))


@rule("summary.start", "TS has the study's start date (SSTDTC), a complete ISO 8601 date.",
      "FDA Technical Rejection Criteria 1734", covers="CG0285, 1734")  # fmt: skip
def summary_start(data: SdtmDatasets) -> Iterator[Hit]:
    summary = data.get("TS")
    if summary is not None and summary.has("TSPARMCD", "TSVAL"):
        start = summary.equals("TSPARMCD", "SSTDTC")
        if not start.any():
            yield Hit("TS", "TSPARMCD", detail="It lacks SSTDTC.")
        yield Hit("TS", "TSVAL", start & np.isnat(summary.day("TSVAL")))


@rule("supplemental.origin", "A supplemental value says where it comes from, and who assigned what was assigned.",
      "SDTMIG 3.3, section 8.4", covers="CG0202")  # fmt: skip
def supplemental_origin(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        if domain.is_supplemental and domain.has("QORIG"):
            known = domain.each("QORIG", lambda text: text.upper() in ORIGINS)
            yield Hit(domain.name, "QORIG", ~known)
            assigned = domain.each("QORIG", lambda text: text.upper() == "ASSIGNED")
            yield Hit(domain.name, "QEVAL", assigned & ~domain.filled("QEVAL"), severity="warning")
