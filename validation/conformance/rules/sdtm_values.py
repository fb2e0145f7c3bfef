"""Rules about coded values, flags and the writing of dates and durations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from metadata import iso8601
from metadata.terminology_package import Codelist
from validation.conformance.rule import Hit, Severity, rule
from validation.conformance.sdtm_datasets import Domain, SdtmDatasets, without_time

SHOWN_TERMS = 3
NCI_CODE = re.compile(r"C\d+")
RESULT = re.compile(r"(?:<=|>=|<|>)?\s*-?\d+(?:\.\d+)?")
TESTS = ("--TESTCD", "--TEST")
MULTIPLE = "MULTIPLE"
SHARED_LETTERS = 6  # AEACNOTH is continued by AEACNO1, AEACNO2
DATE_PART, TIME_PART = ("".join(rf"(?:\d+(?:\.\d+)?{unit})?" for unit in units) for units in ("YMD", "HMS"))
DURATION = rf"[+-]?P(?=\d|T\d)(?:\d+W|{DATE_PART}(?:T(?=\d){TIME_PART})?)"
YES_ONLY = ("--LOBXFL", "--BLFL", "--DRVFL", "DTHFL")


@rule("term.codelist", "A coded value is a term of its codelist, or an extension that the study declares.",
      "SDTMIG 3.3, section 4.3.3", version="terminology")  # fmt: skip
def term_codelist(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        coded = {item.name: item.codelist for item in domain.metadata.variables if item.codelist}
        # some instruments have tests of the codelist and tests of the sponsor's own
        coded = {name: codelists for name, codelists in coded.items() if name not in map(domain.full, TESTS)}
        coded |= {item.name: item.codelist for item in domain.guide if item.codelist}
        for name, codelists in coded.items():
            if domain.has(name) and domain.is_text(name):
                yield _not_terms(data, domain, name, codelists)


def _not_terms(data: SdtmDatasets, domain: Domain, name: str, codelists: str) -> Hit:
    shipped = data.terminology.codelists
    lists = [shipped[code] for code in re.split(r"[;\s]+", codelists) if code in shipped]
    if not lists:
        return Hit(domain.name, name, np.zeros(domain.size, bool))
    column, others = domain.column(name), {""}
    if _has_supplemental(data, domain):
        others.add(MULTIPLE)  # the values are in SUPP-- (SDTMIG 3.3, section 4.2.8.3)
    unknown = [text for text in column.texts if text not in others and not any(text in one.terms for one in lists)]
    if name.endswith("STRESC"):
        unknown = [text for text in unknown if not RESULT.fullmatch(text)]
    shown = ", ".join(f"'{text}'{lists[0].nearest(text)}" for text in unknown[:SHOWN_TERMS])
    more = f" and {len(unknown) - SHOWN_TERMS} more" if len(unknown) > SHOWN_TERMS else ""
    detail = f"Codelist {lists[0].name} does not have {shown}{more}."
    return Hit(domain.name, name, column.isin(unknown), detail, severity=certainty(lists))


def certainty(lists: Sequence[Codelist]) -> Severity | None:
    """Return that a list which nobody may extend has the same terms in all packages, or that it depends."""
    return None if any(one.extensible for one in lists) else "error"


def _has_supplemental(data: SdtmDatasets, domain: Domain) -> bool:
    return data.get(f"SUPP{domain.name[:2]}") is not None


@rule("term.own_list", "A value of a variable with a list of the study's own is in that list.",
      "SDTMIG 3.3, section 4.3.1")  # fmt: skip
def term_own_list(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        for item in domain.metadata.variables:
            if item.terms and domain.has(item.name):
                yield Hit(domain.name, item.name, ~domain.equals(item.name, "", *(value for value, _ in item.terms)))
        for value in domain.metadata.values:
            names = [name for name, _ in value.where]
            if value.terms and domain.has(value.variable, *names):
                there = np.logical_and.reduce([domain.equals(name, wanted) for name, wanted in value.where])
                listed = domain.equals(value.variable, "", *(term for term, _ in value.terms))
                yield Hit(domain.name, value.variable, there & ~listed, f"Where {_words(value.where)}.")


def _words(where: tuple[tuple[str, str], ...]) -> str:
    return " and ".join(f"{name} is {value}" for name, value in where)


@rule("test.described", "A test is one of those that the metadata describe.", "Define-XML 2.1, value level metadata")
def test_described(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        code = "QNAM" if domain.is_supplemental else domain.full("--TESTCD")
        known = {wanted for value in domain.metadata.values for name, wanted in value.where if name == code}
        if known and domain.has(code):
            yield Hit(domain.name, code, ~domain.equals(code, *known))


@rule("term.codelist_known", "The codelist of a variable is in the pinned terminology or declared by the study.",
      "SDTMIG 3.3, section 4.3.1", "warning")  # fmt: skip
def term_codelist_known(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        for item in domain.metadata.variables:
            named = [code for code in re.split(r"[;\s]+", item.codelist or "") if NCI_CODE.fullmatch(code)]
            if named and not any(code in data.terminology.codelists for code in named):
                yield Hit(domain.name, item.name, detail=f"{data.terminology.package} has no {', '.join(named)}.")


@rule("flag.yes", "A flag of a record is Y or null.", "SDTMIG 3.3, section 4.3.7", covers="CG0131")
def flag_yes(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        for name in YES_ONLY:
            if domain.has(name):
                yield Hit(domain.name, domain.full(name), ~domain.equals(name, "", "Y"))


@rule("text.multiple", "MULTIPLE is given only where SUPP-- has the values.", "SDTMIG 3.3, section 4.2.8.3")
def text_multiple(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        extra = data.get(f"SUPP{domain.name[:2]}")
        for name in domain.texts:
            rows = domain.equals(name, MULTIPLE)
            if rows.any() and not domain.is_supplemental and name[-4:] not in ("TEST", "QVAL"):
                yield Hit(domain.name, name, rows & ~_supplemented(domain, extra, name[:SHARED_LETTERS]))


def _supplemented(domain: Domain, extra: Domain | None, start: str) -> np.ndarray:
    """Return True for records to which SUPP-- adds at least two values whose QNAM begins as the variable does."""
    import pandas as pd

    if extra is None:
        return np.zeros(domain.size, bool)
    own = extra.each("QNAM", lambda text: text.startswith(start))
    by_subject = not domain.has("--SEQ")
    owner = ["USUBJID"] if by_subject else ["USUBJID", "IDVARVAL"]
    counts = pd.MultiIndex.from_arrays([extra.text(name)[own] for name in owner]).to_flat_index().value_counts()
    wanted = [domain.text("USUBJID")] if by_subject else [domain.text("USUBJID"), domain.text("--SEQ")]
    index = pd.MultiIndex.from_arrays(wanted).to_flat_index()
    return counts.reindex(index).fillna(0).to_numpy() >= 2


@rule("date.iso8601", "A date is written as ISO 8601, full, partial or as an interval, and is in the calendar.",
      "SDTMIG 3.3, section 4.4.1")  # fmt: skip
def date_iso8601(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        for name in [str(name) for name in domain.frame.columns if str(name).endswith("DTC")]:
            column = domain.column(name)
            yield Hit(domain.name, name, column.spread(_is_no_date(column.texts)))


def _is_no_date(texts: Sequence[str]) -> np.ndarray:
    """Return True for a text that is neither a date, a date with a time, nor an interval of two of these."""
    wrong = ~iso8601.text_is_valid(texts)
    longer = [at for at, text in enumerate(texts) if "T" in text or "/" in text]
    if longer:
        sides = [texts[at].partition("/") for at in longer]
        both = np.array([not slash or bool(start and end) for start, slash, end in sides], bool)
        starts, ends = ([side[part] for side in sides] for part in (0, 2))
        wrong[longer] = ~(both & _is_moment(starts) & _is_moment(ends))
    return wrong


def _is_moment(texts: list[str]) -> np.ndarray:
    """Return True for a date, and for a complete date with a time."""
    bare = [without_time(text) for text in texts]
    timed = np.array([text != date for text, date in zip(texts, bare, strict=True)], bool)
    fits = iso8601.text_is_valid(bare) & np.array(["T" not in date for date in bare], bool)
    first, last = iso8601.text_bounds(bare)
    long = np.array([len(date) >= len("YYYY-MM-DD") for date in bare], bool)
    return fits & (~timed | long & (first == last))


@rule("duration.iso8601", "A duration is written as ISO 8601.", "SDTMIG 3.3, section 4.4.3")
def duration_iso8601(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        for name in ("--DUR", "--ELTM", "--EVLINT", "TEDUR"):
            if domain.has(name):
                yield Hit(domain.name, domain.full(name), ~domain.matches(name, f"(?:{DURATION})?"))


@rule("toxicity.grade", "A toxicity grade is a whole number from 0 to 5.", "SDTMIG 3.3, section 6.3.6")
def toxicity_grade(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.having("--TOXGR"):
        yield Hit(domain.name, domain.full("--TOXGR"), ~domain.matches("--TOXGR", "[0-5]?"))
