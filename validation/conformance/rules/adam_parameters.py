"""Rules about parameters, analysis values, baselines, changes, criteria and ranges of the Basic Data Structure."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from validation.conformance.adam_datasets import (
    AnalysisDataset,
    AnalysisDatasets,
    ambiguous,
    at,
    coded,
    differ,
    not_copied,
    repeated,
)
from validation.conformance.rule import Hit, analysis_rule

PARAMETER = "ADaMIG 1.3, BDS Analysis Parameters Variables"
CRITERIA = "ADaMIG 1.3, BDS Analysis Parameter Criteria Variables"
RANGES = "ADaMIG 1.3, BDS Toxicity and Range Variables"
BASELINE_FLAG = "ADaMIG 1.3, BDS Flag Variables"
PAIRS = "ADaMIG 1.3, section 3.1.1"
CODE = re.compile(r"[A-Z_][A-Z0-9_]{0,7}")
LONGEST = 200
TWIN_OF = (("APERIODC", "APERIOD"), ("ASPERC", "ASPER"))
BY_PARAMETER = re.compile(r"(AVALCA|BASECA|CHGCAT|PCHGCA|SHIFT|BCHGCA|PBCHGC|M?CRIT|A\dIND|B\dIND|DTYPE).*")
# What a record says of its own value, and of the value at baseline.
AT_BASELINE = (("AVAL", "BASE"), ("AVALC", "BASEC"), ("ANRIND", "BNRIND"), ("ATOXGR", "BTOXGR"), ("ATOXGRN", "BTOXGRN"),
               ("ATOXGRL", "BTOXGRL"), ("ATOXGRH", "BTOXGRH"), ("ATOXGRLN", "BTOXGRLN"), ("ATOXGRHN", "BTOXGRHN"),
               *((f"A{y}IND", f"B{y}IND") for y in range(1, 10)),
               *((f"AVALCAT{y}", f"BASECAT{y}") for y in range(1, 10)))  # fmt: skip
RATIOS = {"R2ANRLO": "ANRLO", "R2ANRHI": "ANRHI", **{f"R2A{y}{end}": f"A{y}{end}" for y in range(1, 10)
                                                    for end in ("LO", "HI")}}  # fmt: skip
NOTHING = re.compile(r"(NULL|MISSING|UNKNOWN|\.) to (NULL|MISSING|UNKNOWN|\.)", re.IGNORECASE)
CRITERION = re.compile(r"CRIT(\d{1,2})")


@analysis_rule("adam.parameter_pair", "A parameter has one code, and a code one parameter.", PARAMETER)
def parameter_pair(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.basic("PARAM"):
        code, name = one.parameter, coded(one, "PARAM")[0]
        yield Hit(one.name, "PARAMCD", ambiguous(code, name) | ambiguous(name, code))


@analysis_rule("adam.parameter_code", "PARAMCD is at most eight capitals, digits and underscores and begins with"
               " no digit; PARAM has at most 200 characters.", PARAMETER)  # fmt: skip
def parameter_code(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.basic():
        yield Hit(one.name, "PARAMCD", ~one.each("PARAMCD", CODE.fullmatch))
        yield Hit(one.name, "PARAM", one.each("PARAM", lambda word: len(word) > LONGEST))


@analysis_rule("adam.parameter_constant", "What describes a parameter (PARAMN, PARCATy, PARAMTYP, CRITy) is the same in"
               " all its records.", PARAMETER)  # fmt: skip
def parameter_constant(data: AnalysisDatasets) -> Iterator[Hit]:
    pattern = re.compile(r"PARAMN|PARAMTYP|PARCAT\dN?|M?CRIT\d{1,2}")
    for one in data.basic():
        for name in filter(pattern.fullmatch, one.names):
            filled = one.filled(name)
            wrong = np.zeros(one.size, bool)
            wrong[filled] = ambiguous(one.parameter[filled], coded(one, name)[0][filled])
            yield Hit(one.name, name, wrong)


def twins(one: AnalysisDataset) -> Iterator[tuple[str, str]]:
    """Yield the pairs of a variable and its numeric twin, both of which the dataset has."""
    for name in one.names:
        if name.endswith("N") and not one.is_text(name):
            stem = name[:-1]
            texts = [stem, re.sub(r"(CA)(\d)$", r"\1T\2", stem), re.sub(r"F$", "FL", stem), re.sub(r"M$", "ML", stem)]
            yield from ((text, name) for text in dict.fromkeys(texts) if one.has(text) and one.is_text(text))
    yield from ((text, name) for text, name in TWIN_OF if one.has(text, name))


@analysis_rule("adam.twin", "A text and its numeric twin (PARAM and PARAMN, AVISIT and AVISITN, *FL and *FN) go one to"
               " one, and both are null or neither.", PAIRS)  # fmt: skip
def twin(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        for text, number in twins(one):
            alone = one.filled(text) == np.isnan(one.number(number))
            codes, others = coded(one, text)[0], coded(one, number)[0]
            if one.is_basic and BY_PARAMETER.fullmatch(text):
                codes, others = one.group("PARAMCD", text), one.group("PARAMCD", number)
            several = ambiguous(codes, others) | ambiguous(others, codes)
            yield Hit(one.name, number, alone | several, f"{text} and {number}.")


@analysis_rule("adam.twin_alone", "A numeric twin is not there without its text.", PAIRS)
def twin_alone(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        paired = {number for _, number in twins(one)}
        for name in one.names:
            known = one.guided(name)
            if name not in paired and known and known.type == "Num" and known.label.endswith("(N)"):
                yield from [] if name == "ADURN" else [Hit(one.name, name)]


@analysis_rule("adam.value", "A record has AVAL or AVALC, unless it stands for one that is missing (DTYPE PHANTOM).",
               PARAMETER, "warning")  # fmt: skip
def value(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.basic():
        lacking = np.isnan(one.number("AVAL")) & ~one.filled("AVALC")
        yield Hit(one.name, "AVAL", lacking & ~one.equals("DTYPE", "PHANTOM"))


@analysis_rule("adam.value_pair", "Where a record has AVAL and AVALC, the two go one to one within the parameter.",
               PARAMETER)  # fmt: skip
def value_pair(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.basic("AVAL", "AVALC"):
        both = ~np.isnan(one.number("AVAL")) & one.filled("AVALC")
        if both.any():
            number, text = (one.group("PARAMCD", name)[both] for name in ("AVAL", "AVALC"))
            wrong = np.zeros(one.size, bool)
            wrong[both] = ambiguous(number, text) | ambiguous(text, number)
            yield Hit(one.name, "AVALC", wrong)


@analysis_rule(
    "adam.baseline_one", "A subject has at most one baseline record of a parameter and BASETYPE.", BASELINE_FLAG
)
def baseline_one(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.basic("ABLFL"):
        yield Hit(one.name, "ABLFL", repeated(one.series, one.equals("ABLFL", "Y")))


@analysis_rule(
    "adam.baseline_value", "A baseline record has a value, and is not after the first treatment.", BASELINE_FLAG
)
def baseline_value(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.basic("ABLFL"):
        flagged = one.equals("ABLFL", "Y")
        yield Hit(one.name, "ABLFL", flagged & np.isnan(one.number("AVAL")) & ~one.filled("AVALC"))
        if one.has("ADT"):
            late = flagged & (one.number("ADT") > one.of_subject("TRTSDT"))
            several = one.has("BASETYPE") or one.has("APERIOD")  # of a later period
            yield Hit(one.name, "ABLFL", late, severity="warning" if several else None)


@analysis_rule("adam.baseline_type", "BASETYPE is filled in all records of a parameter or in none.", PARAMETER)
def baseline_type(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.basic("BASETYPE"):
        filled = one.filled("BASETYPE")
        yield Hit(one.name, "BASETYPE", ~filled & ambiguous(one.parameter, filled.astype(int)))


@analysis_rule("adam.baseline_flag", "A dataset with a baseline value flags the records from which it comes.",
               BASELINE_FLAG)  # fmt: skip
def baseline_flag(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.basic():
        if (one.has("BASE") or one.has("BASEC")) and not one.has("ABLFL"):
            yield Hit(one.name, "ABLFL")


@analysis_rule("adam.baseline_copy", "A value at baseline (BASE, BASEC, BNRIND, BTOXGR) is that of the record"
               " flagged by ABLFL, in all records of the subject, parameter and BASETYPE.", PARAMETER)  # fmt: skip
def baseline_copy(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.basic("ABLFL"):
        for own, base in AT_BASELINE:
            if one.has(own, base):
                yield Hit(one.name, base, not_copied(one, base, one, own, one.baseline_rows))


@analysis_rule("adam.change", "CHG is AVAL - BASE, and PCHG is CHG in percent of BASE; both are null without"
               " a baseline.", PARAMETER)  # fmt: skip
def change(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.basic("AVAL", "BASE"):
        difference, base = one.number("AVAL") - one.number("BASE"), one.number("BASE")
        with np.errstate(divide="ignore", invalid="ignore"):
            percent = np.where(base == 0, np.nan, 100 * difference / base)
        for name, wanted in (("CHG", difference), ("PCHG", percent)):
            if one.has(name):
                given = one.number(name)
                yield Hit(one.name, name, ~np.isnan(given) & differ(given, wanted))


@analysis_rule("adam.ratio", "A ratio to a limit of the range is AVAL divided by that limit.", PARAMETER,
               "warning")  # fmt: skip
def ratio(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.basic("AVAL"):
        for name, limit in RATIOS.items():
            if one.has(name, limit):
                given, bound = one.number(name), one.number(limit)
                with np.errstate(divide="ignore", invalid="ignore"):
                    wanted = np.where(bound == 0, np.nan, one.number("AVAL") / bound)
                apart = np.abs(given - wanted) > np.maximum(0.01 * np.abs(wanted), 0.005)  # ratios may be rounded
                yield Hit(one.name, name, ~np.isnan(given) & ~np.isnan(wanted) & apart)


@analysis_rule("adam.change_missing", "A parameter with changes has one in every record after its baseline that"
               " can have one.", PARAMETER, "warning")  # fmt: skip
def change_missing(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.basic("AVAL", "BASE", "ADT"):
        possible = ~np.isnan(one.number("AVAL") - one.number("BASE"))
        possible &= one.number("ADT") > at(one.number("ADT"), one.baseline_rows)
        for name in ("CHG", "PCHG"):
            if one.has(name):
                given = ~np.isnan(one.number(name))
                used = (np.bincount(one.parameter, given) > 0)[one.parameter]
                zero = one.number("BASE") == 0 if name == "PCHG" else np.zeros(one.size, bool)
                yield Hit(one.name, name, used & possible & ~given & ~zero)


@analysis_rule("adam.criterion", "A criterion has its text and its flag: CRITyFL is Y, N or null, and is not"
               " filled where CRITy is null.", CRITERIA)  # fmt: skip
def criterion(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.basic():
        for name in one.names:
            found = CRITERION.fullmatch(name.removesuffix("FL"))
            if found and one.has(name) and not (one.has(found[0], f"{found[0]}FL")):
                yield Hit(one.name, name, detail=f"{found[0]} and {found[0]}FL come together.")
            elif found and name.endswith("FL"):
                wrong = ~one.equals(name, "Y", "N", "") | one.filled(name) & ~one.filled(found[0])
                yield Hit(one.name, name, wrong)


@analysis_rule("adam.shift", "A shift has the value at baseline and the present one.", PARAMETER)
def shift(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.basic():
        for name in filter(re.compile(r"SHIFT\d").fullmatch, one.names):
            pairs = [pair for pair in AT_BASELINE if one.has(*pair) and one.is_text(pair[0])]
            given = one.filled(name)
            if pairs and given.any():
                sets = [_not_beside(one, name, base, own) for own, base in pairs]
                yield Hit(one.name, name, given & np.logical_and.reduce(sets))


def _not_beside(one: AnalysisDataset, name: str, base: str, own: str) -> np.ndarray:
    """Return True where a shift does not begin with one variable's text and end with the other's."""
    _, first, groups = np.unique(one.group(name, base, own), return_index=True, return_inverse=True)
    given, start, end = (one.text(each)[first] for each in (name, base, own))
    sets = zip(given, start, end, strict=True)
    wrong = [not ((b or a or NOTHING.fullmatch(s)) and s.startswith(b) and s.endswith(a)) for s, b, a in sets]
    return np.asarray(np.array(wrong)[groups])


@analysis_rule("adam.range", "A range's lower limit is not above its upper one, and the indicator says where the value"
               " lies.", RANGES)  # fmt: skip
def value_range(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.basic("AVAL", "ANRLO", "ANRHI"):
        value, low, high = (one.number(name) for name in ("AVAL", "ANRLO", "ANRHI"))
        yield Hit(one.name, "ANRLO", low > high)
        if one.has("ANRIND"):
            wrong = one.equals("ANRIND", "LOW") & ~(value < low) | one.equals("ANRIND", "HIGH") & ~(value > high)
            without = np.isnan(low) & np.isnan(high)
            wrong |= one.equals("ANRIND", "NORMAL") & ((value < low) | (value > high) | without)
            yield Hit(one.name, "ANRIND", wrong)


@analysis_rule("adam.grade", "A toxicity grade is a whole number from 0 to 5.", RANGES)
def grade(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        for name in ("ATOXGR", "BTOXGR", "ATOXGRL", "ATOXGRH"):
            if one.has(name):
                # of a test with two directions a minus says that it is low
                yield Hit(one.name, name, ~one.matches(name, "(?:-?[0-5])?"))
