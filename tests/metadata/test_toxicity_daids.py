"""Every line of DAIDS 2.1 on both sides of each of its bounds, expected from the published texts.

The bands of the tables were typed. Here each text is read by another way, as the interval that it writes ("1.75 to
< 1.95 mmol/L"), and the value has the grade whose interval holds it. What the texts write with gaps between whole
numbers, with alternatives or with conditions is written out by hand.
"""

from __future__ import annotations

import csv
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adam.derivations.grades import Grade, ToxicityScheme
from metadata.age_band import Ages, parse_age
from metadata.coded_text import CodedText
from metadata.errors import StudyError
from metadata.iso8601 import SAS_EPOCH
from metadata.standards import FOLDER
from metadata.toxicity import Circumstances
from metadata.toxicity_table import read_scheme
from tests.adam.trial import columns, context, numbers

NAMES = ("daids-v2-1-si", "daids-v2-1-us")
NUMBER = r"\d[\d,]*(?:\.\d+)?"
INTERVAL = re.compile(rf"(ULN|{NUMBER})[^<>\d]*(?:to|-)\s*(<|≤)?\s*({NUMBER}|ULN|LLN)")
BOUND = re.compile(rf"(≥|>=|<=|<|>)\s*({NUMBER}|ULN)")
WRITTEN = {
    "g/L": ("g/L", 1), "g/dL": ("g/dL", 1), "mmol/L": ("mmol/L", 1), "mg/dL": ("mg/dL", 1), "mEq/L": ("mEq/L", 1),
    "10^9/L": (r"x 10(?:e9|\^9) ?/L", 1), "10^3/uL": ("/mm3", 0.001), "cells/uL": ("/mm3", 1), "%": ("%", 1),
}  # fmt: skip
"""How the texts write each unit, and the factor from what they write to the table's."""
FALLING, RISING = "L", "H"
# Lower bounds of grades 1, 2, ... of what rises, upper bounds of what falls: in the table's unit, SI and US. Whole
# numbers with a gap ("10.0 to 10.9 g/dL", then "9.0 to < 10.0") begin at the next one (below 11.0).
BY_HAND = {
    "Glucose, Low >=1 mo": ((3.55, 3.05, 2.22, 1.67), (65, 55, 40, 30)),
    "Glucose, Low <1 mo": ((3.00, 2.78, 2.22, 1.67), (55, 50, 40, 30)),
    "Hemoglobin, Low >=13 y M": ((110, 100, 90, 70), (11.0, 10.0, 9.0, 7.0)),
    "Hemoglobin, Low >=13 y F": ((105, 95, 85, 65), (10.5, 9.5, 8.5, 6.5)),
    "Hemoglobin, Low 57 d - <13 y": ((105, 95, 85, 65), (10.5, 9.5, 8.5, 6.5)),
    "Hemoglobin, Low 36 - 56 d": ((97, 85, 70, 60), (9.7, 8.5, 7.0, 6.0)),
    "Hemoglobin, Low 22 - 35 d": ((111, 95, 80, 67), (11.1, 9.5, 8.0, 6.7)),
    "Hemoglobin, Low 8 - 21 d": ((131, 110, 90, 80), (13.1, 11.0, 9.0, 8.0)),
    "Hemoglobin, Low <=7 d": ((141, 130, 100, 90), (14.1, 13.0, 10.0, 9.0)),
    "WBC, Decreased >7 d": ((2.5, 2.0, 1.5, 1.0),) * 2,
    "WBC, Decreased <=7 d": ((7.0, 5.5, 4.0, 2.5),) * 2,
    "Uric Acid, High": ((450, 590, 710, 890), (7.5, 10, 12, 15)),
    "Absolute CD4+ Count, Low >5 y": ((0.4, 0.3, 0.2, 0.1), (400, 300, 200, 100)),
    "Absolute Lymphocyte Count, Low >5 y": ((0.65, 0.6, 0.5, 0.35),) * 2,
    "Platelets, Decreased": ((125, 100, 50, 25),) * 2,
}
# As (grade, low, is low in it, high, is high in it); None is open. Multiples are of an upper limit of 40, lower of 20.
ULN, LLN, BASE = 40.0, 20.0, 30.0
WHOLE = {
    "Acidosis": [(2, 7.3, True, "LLN", False), (3, None, False, 7.3, False)],
    "Alkalosis": [(2, "ULN", False, 7.5, True), (3, 7.5, False, None, False)],
    "Lactate, High": [(1, "ULN", False, 2 * ULN, False), (2, 2 * ULN, True, None, False)],
    "Creatinine, High": [
        (1, 1.1 * ULN, True, 1.3 * ULN, True), (2, 1.3 * ULN, False, 1.8 * ULN, True),
        (2, 1.3 * BASE, True, 1.5 * BASE, False),
        (3, 1.8 * ULN, False, 3.5 * ULN, False), (3, 1.5 * BASE, True, 2 * BASE, False),
        (4, 3.5 * ULN, True, None, False), (4, 2 * BASE, True, None, False),
    ],
    "Sodium, Low": [
        (1, 130, True, 135, False), (2, 125, True, 130, False),
        (3, 120, False, 125, False), (4, None, False, 120, True),
    ],
    "Direct Bilirubin, High <=28 d mg/dL": [
        (1, "ULN", False, 1, True), (2, 1, False, 1.5, True),
        (3, 1.5, False, 2, True), (4, 2, False, None, False),
    ],
    "Direct Bilirubin, High <=28 d umol/L": [
        (1, "ULN", False, 17.1, True), (2, 17.1, False, 25.65, True),
        (3, 25.65, False, 34.2, True), (4, 34.2, False, None, False),
    ],
    "Glucose Fasting, High mg/dL": [
        (1, 110, True, 125, True), (2, 125, False, 250, True),
        (3, 250, False, 500, False), (4, 500, True, None, False),
    ],
    "Glucose Nonfasting, High mg/dL": [
        (1, 116, True, 160, True), (2, 160, False, 250, True),
        (3, 250, False, 500, False), (4, 500, True, None, False),
    ],
    "Triglycerides, Fasting, High mg/dL": [
        (1, 150, True, 300, True), (2, 300, False, 500, True),
        (3, 500, False, 1000, True), (4, 1000, False, None, False),
    ],
    "Triglycerides, Fasting, High mmol/L": [
        (1, 1.71, True, 3.42, True), (2, 3.42, False, 5.7, True),
        (3, 5.7, False, 11.4, True), (4, 11.4, False, None, False),
    ],
    "Fibrinogen Decreased g/L": [
        (1, 1, True, 2, False), (2, 0.75, True, 1, False), (3, 0.5, True, 0.75, False), (4, None, False, 0.5, False),
        (1, 0.75 * LLN, True, LLN, False), (2, 0.5 * LLN, True, 0.75 * LLN, False),
        (3, 0.25 * LLN, True, 0.5 * LLN, False), (4, None, False, 0.25 * LLN, False),
    ],
    "Fibrinogen Decreased mg/dL": [
        (1, 100, True, 200, False), (2, 75, True, 100, False), (3, 50, True, 75, False), (4, None, False, 50, False),
        (1, 0.75 * LLN, True, LLN, False), (2, 0.5 * LLN, True, 0.75 * LLN, False),
        (3, 0.25 * LLN, True, 0.5 * LLN, False), (4, None, False, 0.25 * LLN, False),
    ],
    "Absolute Neutrophil Count (ANC), Low >7 d": [
        (1, 0.8, True, 1, True), (2, 0.6, True, 0.8, False),
        (3, 0.4, True, 0.6, False), (4, None, False, 0.4, False),
    ],
    "Absolute Neutrophil Count (ANC), Low 2 - 7 d": [
        (1, 1.25, True, 1.5, True), (2, 1, True, 1.25, False),
        (3, 0.75, True, 1, False), (4, None, False, 0.75, False),
    ],
    "Absolute Neutrophil Count (ANC), Low <=1 d": [
        (1, 4, True, 5, True), (2, 3, True, 4, False),
        (3, 1.5, True, 3, False), (4, None, False, 1.5, False),
    ],
}  # fmt: skip


def lines():
    for name in NAMES:
        with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield pytest.param(name, row, id=" ".join(filter(None, (name, row["item"], row["age"], row["sex"]))))


def piece(text, row):
    """The part of a text that is of the table's unit, or the whole of one with multiples."""
    if not row["unit"]:
        return text
    parts = [part.strip() for part in re.split(r";|, (?=\d|<)|(?<=g/dL) (?=\d|≥|<|>)", text)]
    found = [part for part in parts if re.search(rf"{WRITTEN[row['unit']][0]}", part)]
    return (found or parts)[0]


def number(text, row):
    if text in ("ULN", "LLN"):
        return text
    scale = WRITTEN[row["unit"]][1] if row["unit"] else ULN if row["direction"] == RISING else LLN
    return float(text.replace(",", "")) * scale


def read(row):
    """Return the intervals that the texts write."""
    found = []
    for grade in (1, 2, 3, 4):
        said = piece(row[f"text_{grade}"], row)
        if not said:
            continue
        interval, bound, below = INTERVAL.search(said), BOUND.search(said), re.match(r"<\s*LLN to", said)
        if below or re.match(r">\s*ULN to", said):  # "< LLN to 1.0": from 1.0 up to below LLN
            other = number(re.findall(NUMBER, said)[0], row)
            found.append((grade, other, True, "LLN", False) if below else (grade, "ULN", False, other, False))
        elif interval:
            low, sign, high = interval.groups()
            found.append((grade, number(low, row), True, number(high, row), sign != "<"))
        else:
            sign, limit = bound.groups()
            value = number(limit, row)
            rises = sign in ("≥", ">=", ">")
            found.append((grade, *((value, sign != ">", None, False) if rises else (None, False, value, sign == "<="))))
    return found


def intervals(row):
    key = " ".join(filter(None, (row["item"], row["age"], row["sex"])))
    for place in (f"{key} {row['unit']}", key):
        if place in WHOLE:
            return WHOLE[place]
    if key in BY_HAND:
        bounds = BY_HAND[key][0 if row["unit"] in ("mmol/L", "g/L", "10^9/L", "umol/L") else 1]
        ends = [*bounds, None]
        pairs = [(grade, ends[grade - 1], ends[grade]) for grade in range(1, len(ends))]
        if row["direction"] == FALLING:
            return [(grade, low, low is not None, high, False) for grade, high, low in pairs]
        return [(grade, low, True, high, False) for grade, low, high in pairs]
    return read(row)


def limits_of(found, row):
    """Limits of normal near which nothing is fixed, unless the line is of multiples."""
    fixed = [one for _, low, _, high, _ in found for one in (low, high) if isinstance(one, float | int)]
    if row["unit"] in ("", "g/L", "mg/dL") and (not row["unit"] or "Fibrinogen" in row["item"]):
        return LLN, ULN
    return 1.25 * max(fixed), 0.8 * min(fixed)


AGES = {
    "": 9999, ">28 d": 29, "<=28 d": 28, ">=7 d": 7, "<7 d": 6, ">7 d": 8, "<=7 d": 7, "2 - 7 d": 2, "<=1 d": 1,
    ">=1 mo": 31, "<1 mo": 29, "57 d - <13 y": 57, "36 - 56 d": 56, "22 - 35 d": 22, "8 - 21 d": 21, "<1 y": 364,
    "1 - 14 y": 366, ">14 y": 5480, ">5 y": 2192, ">2 - <18 y": 1096, ">=18 y": 6576, "<18 y": 6570, ">=13 y": 4749,
}  # fmt: skip
"""An age in days at an end of each band, within it."""


@pytest.mark.parametrize(("name", "row"), list(lines()))
def test_both_sides_of_every_bound(name, row):
    if not row["grade_1"] and not row["grade_2"]:
        assert row["item"] == "Direct Bilirubin, High" and row["age"] == ">28 d"
        return
    found = intervals(row)
    lln, uln = limits_of(found, row)
    named = {"LLN": lln, "ULN": uln}
    ends = [(grade, named.get(low, low), a, named.get(high, high), b) for grade, low, a, high, b in found]
    bounds = [end for _, low, _, high, _ in ends for end in (low, high) if end is not None]
    values = np.array([bound * by for bound in bounds for by in (1 - 1e-6, 1.0, 1 + 1e-6)])
    on, age = 14619.0, AGES[row["age"]]
    count = len(values)
    there = Circumstances(
        CodedText.constant(row["sex"], count) if row["sex"] else None, None, None,
        Ages.at(np.full(count, on), np.full(count, on - age)),
    )  # fmt: skip
    item = read_scheme(name)[row["item"]]
    made = item.grade(values, np.full(count, lln), np.full(count, uln), 1.0, np.full(count, BASE), there)
    assert [0 if np.isnan(one) else int(one) for one in made] == [expected(value, ends, row, lln) for value in values]


def expected(value, ends, row, lln):
    """The highest grade whose interval holds the value; within the limits of normal none does."""
    close = 1e-9 * value
    held = [
        grade
        for grade, low, low_in, high, high_in in ends
        if (low is None or value > low + close or (low_in and abs(value - low) <= close))
        and (high is None or value < high - close or (high_in and abs(value - high) <= close))
    ]
    if row["item"] == "Fibrinogen Decreased" and value >= lln - close:
        return 0
    return max(held, default=0)


@pytest.mark.parametrize(
    ("text", "held", "other"),
    [
        (">28 d", [29, 400], [28, 0]), ("<=28 d", [0, 28], [29]),
        ("2 - 7 d", [2, 7], [1, 8]), ("<1 mo", [0, 29], [31]),
        ("57 d - <13 y", [57, 4747], [56, 4750]), (">5 y", [2192], [2190]),
        (">2 - <18 y", [1096, 6573], [1094, 6576]),
    ],
)  # fmt: skip
def test_ages_are_completed_on_the_day(text: str, held: list[int], other: list[int]) -> None:
    """Born on 2000-03-01: 2192 days later is 2006-03-02, and 4748 days is 13 years (2013-03-01)."""
    birth = float((np.datetime64("2000-03-01") - SAS_EPOCH) / np.timedelta64(1, "D"))
    for days, wanted in ((held, True), (other, False)):
        ages = Ages.at(birth + np.array(days, float), np.full(len(days), birth))
        assert parse_age(text).holds(ages).tolist() == [wanted] * len(days), (text, days)
    assert not parse_age(text).holds(Ages.at(np.array([np.nan, birth]), np.array([birth, np.nan]))).any()


@given(st.dates(), st.dates())
def test_completed_years_are_those_of_a_calendar(one, other):
    born, then = sorted((one, other))
    birth, on = (float((np.datetime64(day) - SAS_EPOCH) / np.timedelta64(1, "D")) for day in (born, then))
    years = then.year - born.year - ((then.month, then.day) < (born.month, born.day))
    found = Ages.at(np.array([on]), np.array([birth]))
    assert (found.years[0], found.days[0]) == (years, (then - born).days)


@pytest.mark.parametrize("text", ["28 d", "<5", "7 - 2", "> d", "<2 - <3 y", "adult"])
def test_what_is_no_band_of_ages_is_refused(text: str) -> None:
    with pytest.raises(StudyError, match="is not a band of ages"):
        parse_age(text)


def test_a_derivation_grades_by_the_date_of_birth(tmp_path) -> None:
    scheme = ToxicityScheme("daids-v2-1-us", "DAIDS", {"HGB": "Hemoglobin, Low"})
    word = Grade(schemes=(scheme,), birth="BRTHDT", sex="SEX", value_unit="U")
    data = columns(
        PARAMCD=["HGB"] * 4, AVAL=[10.5] * 4, ANRLO=[None] * 4, ANRHI=[None] * 4, U=["g/dL"] * 4, SEX=list("MFMM"),
        ADT=[14619.0] * 4, BRTHDT=[5000.0, 5000.0, 14619 - 5, None],
    )  # fmt: skip
    made = word.derive(data, 4, context(tmp_path))
    # A man: below 11.0; a woman: not below 10.5; five days old: 10.0 to < 13.0; without a date of birth: none.
    assert numbers(made.columns["ATOXGRN"]) == [1, 0, 2, None]
    with pytest.raises(StudyError, match="depends on age: 'birth' is needed"):
        Grade(schemes=(scheme,), sex="SEX", value_unit="U").check()
