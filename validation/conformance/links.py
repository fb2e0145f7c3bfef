"""Rules about references between datasets: supplemental qualifiers, comments, related records, trial design."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from validation.conformance.findings import CODE, LONGEST_TEST, not_usual
from validation.conformance.rule import Hit, rule
from validation.conformance.structure import class_variables
from validation.conformance.tabulations import Domain, Tabulations

SUPPLEMENT = "SDTMIG 3.3, section 8.4"
RELATED = "SDTMIG 3.3, section 8.2"
SUMMARY = "SDTMIG 3.3, section 7.4.2"


def _supplements(data: Tabulations) -> list[Domain]:
    return [domain for domain in data if domain.is_supplemental]


def _resolved(data: Tabulations, domain: Domain) -> np.ndarray:
    """Return True where RDOMAIN, USUBJID, IDVAR and IDVARVAL lead to a record."""
    found = np.zeros(domain.size, bool)
    pairs, groups = domain.group("RDOMAIN", "IDVAR"), pd.Series(np.arange(domain.size))
    for _, rows in groups.groupby(pairs):
        at = rows.to_numpy()
        code, variable = (domain.text(name)[at[0]] for name in ("RDOMAIN", "IDVAR"))
        found[at] = np.logical_or.reduce(
            [_matches(domain, at, parent, variable) for parent in data.of_domain(code)] or [np.zeros(len(at), bool)]
        )
    return found


def _matches(domain: Domain, at: np.ndarray, parent: Domain, variable: str) -> np.ndarray:
    names = ["USUBJID"] if parent.has("USUBJID") else []
    wanted, known = [domain.text(name)[at] for name in names], [parent.text(name) for name in names]
    values = domain.text("IDVARVAL")[at]
    if variable and parent.has(variable):
        wanted, known = [*wanted, values], [*known, parent.text(variable)]
    elif variable:
        return np.zeros(len(at), bool)
    if not known:
        return np.ones(len(at), bool)
    return pd.MultiIndex.from_arrays(wanted).isin(pd.MultiIndex.from_arrays(known))


@rule("supplemental.parent", "A supplemental value belongs to a record of its parent domain.", SUPPLEMENT)
def supplemental_parent(data: Tabulations) -> Iterator[Hit]:
    for domain in _supplements(data):
        yield Hit(domain.name, "IDVARVAL", ~_resolved(data, domain))


@rule("supplemental.domain", "RDOMAIN is the domain after which the dataset is named.", SUPPLEMENT)
def supplemental_domain(data: Tabulations) -> Iterator[Hit]:
    for domain in _supplements(data):
        code = domain.name.removeprefix("SUPP").removeprefix("SQ")[:2]
        yield Hit(domain.name, "RDOMAIN", ~domain.equals("RDOMAIN", code))


@rule("supplemental.name", "QNAM is at most eight capitals and digits and no variable of the parent's class.",
      SUPPLEMENT)  # fmt: skip
def supplemental_name(data: Tabulations) -> Iterator[Hit]:
    for domain in _supplements(data):
        taken: set[str] = set()
        for parent in _parents(data, domain):
            taken |= {*map(str, parent.frame.columns), *(item.name for item in parent.guide)}
            taken |= class_variables(data.version, parent)
        yield Hit(domain.name, "QNAM", ~domain.matches("QNAM", CODE) | domain.equals("QNAM", *taken))


@rule("supplemental.label", "A QNAM has one QLABEL of at most 40 characters.", SUPPLEMENT)
def supplemental_label(data: Tabulations) -> Iterator[Hit]:
    for domain in _supplements(data):
        long = domain.each("QLABEL", lambda word: len(word) > LONGEST_TEST)
        yield Hit(domain.name, "QLABEL", long | not_usual(domain.words("QNAM")[0], domain.words("QLABEL")[0]))


@rule("supplemental.once", "A record has a QNAM once.", SUPPLEMENT)
def supplemental_once(data: Tabulations) -> Iterator[Hit]:
    for domain in _supplements(data):
        group = domain.group("RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM")
        yield Hit(domain.name, "QNAM", pd.Series(group).duplicated().to_numpy(bool))


@rule("text.continued", "A text of more than 200 bytes is continued in SUPP--.", "SDTMIG 3.3, section 4.5.3.2", "note")
def text_continued(data: Tabulations) -> Iterator[Hit]:
    for domain in _supplements(data):
        labels = {item.name: item.label for parent in _parents(data, domain) for item in parent.metadata.variables}
        codes, names = domain.words("QNAM")
        continued = [labels.get(name[:-1]) if name[-1:].isdigit() else None for name in names]
        told = np.array([label or "" for label in continued], object)[codes]
        yield Hit(domain.name, "QVAL", (told != "") & (told == domain.text("QLABEL")))


def _parents(data: Tabulations, domain: Domain) -> list[Domain]:
    return data.of_domain(domain.name.removeprefix("SUPP")[:2])


@rule("comment.parent", "A comment on a record leads to that record.", "SDTMIG 3.3, section 5.1")
def comment_parent(data: Tabulations) -> Iterator[Hit]:
    domain = data.get("CO")
    if domain is not None and domain.has("RDOMAIN", "IDVAR", "IDVARVAL"):
        yield Hit("CO", "IDVARVAL", domain.filled("RDOMAIN") & ~_resolved(data, domain))
        yield Hit("CO", "IDVAR", domain.filled("IDVAR") & ~domain.filled("RDOMAIN"))


@rule("related.record", "A relationship leads to records, or between datasets to variables, that exist.", RELATED)
def related_record(data: Tabulations) -> Iterator[Hit]:
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
def related_pair(data: Tabulations) -> Iterator[Hit]:
    domain = data.get("RELREC")
    if domain is not None and domain.has("RELID"):
        group = domain.group("USUBJID", "RELID")
        alone = pd.Series(group).groupby(group).transform("size").to_numpy() < 2
        yield Hit("RELREC", "RELID", alone)


@rule("design.elements", "An element of an arm is described in TE.", "SDTMIG 3.3, section 7.2.1")
def design_elements(data: Tabulations) -> Iterator[Hit]:
    arms, elements = data.get("TA"), data.get("TE")
    if arms is not None and elements is not None:
        yield Hit("TA", "ETCD", ~arms.equals("ETCD", *elements.words("ETCD")[1]))
        yield Hit("TE", "ETCD", ~elements.equals("ETCD", *arms.words("ETCD")[1]))


@rule("design.criteria", "A criterion that a subject did not meet is described in TI.", "SDTMIG 3.3, section 7.4.1")
def design_criteria(data: Tabulations) -> Iterator[Hit]:
    criteria, violated = data.get("TI"), data.get("IE")
    if criteria is not None and violated is not None:
        yield Hit("IE", "IETESTCD", ~violated.equals("IETESTCD", *criteria.words("IETESTCD")[1]))


@rule("summary.value", "A trial summary parameter has a value or a null flavor, not both.", SUMMARY)
def summary_value(data: Tabulations) -> Iterator[Hit]:
    summary = data.get("TS")
    if summary is not None and summary.has("TSVAL"):
        yield Hit("TS", "TSVAL", summary.filled("TSVAL") == summary.filled("TSVALNF"))


@rule("summary.start", "TS has the study's start date (SSTDTC), a complete ISO 8601 date.",
      "FDA Technical Rejection Criteria 1734")  # fmt: skip
def summary_start(data: Tabulations) -> Iterator[Hit]:
    summary = data.get("TS")
    if summary is not None and summary.has("TSPARMCD", "TSVAL"):
        start = summary.equals("TSPARMCD", "SSTDTC")
        if not start.any():
            yield Hit("TS", "TSPARMCD", detail="It lacks SSTDTC.")
        yield Hit("TS", "TSVAL", start & np.isnat(summary.day("TSVAL")))
