"""Every line of CTCAE 4.03, 5.0 and 6.0 on both sides of each of its bounds, expected from the published texts.

The bands of the tables were typed. Here the texts are read by another way: a grade begins beyond the first limit that
its text names ("<100 - 80 g/L": below 100), and the highest grade that has begun counts. What texts say with
conditions, gaps or slips is written out by hand.
"""

import csv
import re

import numpy as np
import pytest

from metadata.standards import FOLDER
from metadata.toxicity import Circumstances
from metadata.toxicity_table import read_scheme

NAMES = [f"ctcae-{version}-{units}" for version in ("v4-03", "v5", "v6") for units in ("si", "us")]
NUMBER = r"\d[\d,]*(?:\.\d+)?"
WRITTEN = {
    "g/L": ("g/L", 1), "g/dL": ("g/dL", 1), "10^9/L": (r"x 10(?:e9|\^9) ?/L", 1), "10^3/uL": ("/mm3", 0.001),
    "cells/uL": ("/mm3", 1), "mmol/L": ("mmol/L", 1), "mg/dL": ("mg/dL", 1),
}  # fmt: skip
"""How the texts write each unit, and the factor from what they write to the table's."""
ULN, LLN, BASE = "ULN", "LLN", "BASE"


def begins(*starts):
    """Grades in their order of severity, each with the sign and the limits beyond any of which it begins."""
    return [(grade, [(sign, float(factor), reference) for sign, factor, reference in every]) for grade, every in starts]


def limits(sign, given):
    """Limits as (sign, factor, reference): of a number alone, of (factor, reference), or as they are."""
    whole = [one if isinstance(one, tuple) else (one, "") for one in given]
    return [one if len(one) == 3 else (sign, *one) for one in whole]


def above(grade, *given):
    return grade, limits(">", given)


def below(grade, *given):
    return grade, limits("<", given)


ATP = begins(above(1, (1, ULN)), above(2, (1.5, ULN)), above(3, (5, ULN)))
BY_HAND = {
    "Hemoglobin increased": lambda name, row: begins(*[
        above(grade, (1, f"{BASE if row['baseline'] == 'abnormal' else ULN}{more}"))
        for grade, more in ((1, ""), (2, {"g/L": "+20", "g/dL": "+2"}[row["unit"]]),
                            (3, {"g/L": "+40", "g/dL": "+4"}[row["unit"]]))
    ]),
    "Thrombocytopenia": lambda name, row: begins(below(1, (1, LLN)), below(2, 75), below(3, 50), below(4, 10)),
    "Leukocytosis": lambda name, row: begins(above(3, 100)),
    "Lymphocyte count increased": lambda name, row: begins(above(2, 4), above(3, 20)),
    "Creatinine clearance decreased": lambda name, row: begins(below(2, 50), below(3, 26), ("none", [("<", 10, "")])),
    "CD4 lymphocytes decreased": lambda name, row: begins(
        below(1, (1, LLN)), *(below(grade, limit * (1000 if row["unit"] == "cells/uL" else 1))
                              for grade, limit in ((2, 0.5), (3, 0.2), (4, 0.05)))
    ),
    "Creatinine increased": lambda name, row: {
        "v4": begins(above(1, (1, ULN), (1, BASE)), above(2, (1.5, ULN), (1.5, BASE)), above(3, (3, ULN), (3, BASE)),
                     above(4, (6, ULN))),
        "v5": begins(above(1, (1, ULN)), above(2, (1.5, ULN), (1.5, BASE)), above(3, (3, ULN), (3, BASE)),
                     above(4, (6, ULN))),
        "v6": begins(above(1, (1, ULN)), above(2, (1.5, ULN)), above(3, (3, ULN)), above(4, (6, ULN))),
    }[name[6:8]],
    "Fibrinogen decreased": lambda name, row: begins(
        below(1, (1, LLN), *([(1, BASE)] if "v4" in name else [])),
        below(2, (0.75, LLN), *([("<=", 0.75, BASE)] if "v4" in name else [])),
        below(3, (0.5, LLN), *([("<=", 0.5, BASE)] if "v4" in name else [])),
        below(4, (0.25, LLN), 50 if row["unit"] == "mg/dL" else 0.5, *([("<=", 0.25, BASE)] if "v4" in name else [])),
    ),
    "INR increased": lambda name, row: begins(above(1, (1, ULN)), above(2, (1.5, ULN)), above(3, (2.5, ULN)))
    if "v4" in name else begins(above(1, 1.2), above(2, 1.5), above(3, 2.5)),
    "Lipase increased": lambda name, row: begins(above(1, (1, ULN)), above(2, (1.5, ULN)), above(3, (2, ULN)),
                                                 above(4, (5, ULN))) if "v4" in name else ATP,
    "Serum amylase increased": lambda name, row: BY_HAND["Lipase increased"](name, row),
    "Acidosis": lambda name, row: begins(below(1, (1, LLN)), below(3, 7.3)),
    "Alkalosis": lambda name, row: begins(above(1, (1, ULN)), above(3, 7.5)),
    "Hyperuricemia": lambda name, row: begins(above(1, (1, ULN)), above(4, {"mg/dL": 10, "umol/L": 590}[row["unit"]]))
    if row["unit"] else begins(above(1, (1, ULN))),
    "Hyperglycemia": lambda name, row: begins(*[
        above(grade, limit)
        for grade, limit in {
            "Ymmol/L": [(1, (1, ULN)), (2, 8.9), (3, 13.9), (4, 27.8)], "Nmmol/L": [(3, 13.9), (4, 27.8)],
            "Ymg/dL": [(1, (1, ULN)), (2, 160), (3, 250), (4, 500)], "Nmg/dL": [(3, 250), (4, 500)],
        }[row["fasting"] + row["unit"]]
    ]),
    "Hypokalemia": lambda name, row: begins(below(1, (1, LLN)), below(3, 3.0), below(4, 2.5)),
    "Hyponatremia": lambda name, row: begins(below(1, (1, LLN)), below(3, 130), below(4, 120)) if "v4" in name
    else begins(below(1, (1, LLN)), below(2, 130), below(3, 125), below(4, 120)),
    "Alkaline phosphatase increased": lambda name, row: begins(
        above(1, (1, BASE if row["baseline"] == "abnormal" else ULN))
    ) if "v6" in name else read(row),
    "Hypertriglyceridemia": lambda name, row: begins(*[
        (grade, [("" if grade == 1 else ">", limit, "")])
        for grade, limit in enumerate(
            {"mmol/L": (1.71, 3.42, 5.7, 11.4), "mg/dL": (150, 300, 500, 1000)}[row["unit"]], start=1
        )
    ]),
}  # fmt: skip


def lines():
    for name in NAMES:
        with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if any(row[f"grade_{grade}"] for grade in range(5)):
                    yield name, row


def piece(text, row):
    """The part of a text that is of the table's unit, and of the line's baseline."""
    parts = [part.strip() for part in text.split(";")]
    parts = [part for part in parts if ("Ionized" in part) == ("Ionized" in row["item"])]
    if row["unit"] and "x ULN" not in text:
        parts = [part for part in parts if re.search(rf"\d ?{WRITTEN[row['unit']][0]}", part)]
    else:
        parts = [part for part in parts if re.search("LN|baseline", part)]
    high = [part for part in parts if re.search(r"abnormal|baseline was >ULN", part)]
    return (high if row["baseline"] == "abnormal" else [part for part in parts if part not in high] or [""])[0]


def read(row):
    """Where each grade begins by its text: beyond the first limit that it names; a bare number is part of the grade."""
    scale = WRITTEN[row["unit"]][1] if row["unit"] else 1
    multiple = BASE if row["baseline"] == "abnormal" else {"H": ULN, "L": LLN}[row["direction"]]
    found = []
    for grade in (1, 2, 3, 4):
        if not row[f"grade_{grade}"]:
            continue
        said = piece(row[f"text_{grade}"], row)
        match = re.search(rf"([<>])?\s*(?:(ULN|LLN)|({NUMBER}))", said)
        assert match, (row["item"], grade, row[f"text_{grade}"])
        sign, word, number = match.groups(default="")
        limit = float(number.replace(",", "")) if number else 1.0
        reference = word or ("" if row["unit"] else multiple)
        found.append((grade, [(sign, limit if reference else limit * scale, reference)]))
    return found


def has_begun(value, limits, references, falling):
    """Whether a value is beyond any limit; a bare limit belongs to the grade."""

    def beyond(sign, factor, reference):
        limit = factor * references[reference]
        if sign == "<=":
            return value <= limit
        if sign == "":
            return value <= limit if falling else value >= limit
        return value < limit if falling else value > limit

    return any(beyond(*limit) for limit in limits)


def expected(value, starts, references, falling):
    """The highest grade that has begun; within the limit of normal only a multiple of the baseline grades."""
    limit_of_normal = LLN if falling else ULN
    by_normal = any(reference == limit_of_normal for _, every in starts for _, _, reference in every)
    normal = by_normal and (value >= references[LLN] if falling else value <= references[ULN])
    begun = 0
    for grade, every in starts:
        if has_begun(value, [one for one in every if one[2] == BASE or not normal], references, falling):
            begun = grade
    return None if begun == "none" else begun


@pytest.mark.parametrize(
    ("name", "row"),
    [
        pytest.param(name, row, id=" ".join((name, row["item"], row["baseline"], row["fasting"])))
        for name, row in lines()
    ],
)
def test_both_sides_of_every_bound(name, row):
    starts = BY_HAND[row["item"]](name, row) if row["item"] in BY_HAND else read(row)
    falling = row["direction"] == "L"
    numbers = [limit[1] for _, limits in starts for limit in limits if not limit[2]]
    references = {"": 1.0, LLN: 1.25 * max(numbers, default=8.0), ULN: 0.8 * min(numbers, default=50.0)}
    references[BASE] = (
        references[ULN] * (1.3 if row["baseline"] == "abnormal" else 0.9) if not falling else references[LLN]
    )
    for reference in (ULN, BASE):
        references |= {f"{reference}+{more}": references[reference] + more for more in (2, 4, 20, 40)}
    bounds = [factor * references[reference] for _, limits in starts for _, factor, reference in limits]
    values = np.array([bound * by for bound in bounds for by in (1 - 1e-6, 1.0, 1 + 1e-6)])
    item = read_scheme(name)[row["item"]]
    count = len(values)
    given = Circumstances(
        None, None if not row["fasting"] else _text(row["fasting"], count),
        np.full(count, 0.0 if row["baseline"] == "abnormal" else 1.0),
    )  # fmt: skip
    made = item.grade(values, *(np.full(count, references[one]) for one in (LLN, ULN)), 1.0,
                      np.full(count, references[BASE]), given)  # fmt: skip
    found = [None if np.isnan(one) else int(one) for one in made]
    assert found == [expected(value, starts, references, falling) for value in values], list(
        zip(values, found, strict=True)
    )


def _text(value, count):
    from metadata.coded_text import CodedText

    return CodedText.constant(value, count)


def test_what_no_number_can_judge_says_so():
    assert {"Hyperglycemia", "Hypophosphatemia"}.isdisjoint(read_scheme("ctcae-v5-si"))
    assert {"Hyperglycemia", "Hypophosphatemia"} <= set(read_scheme("ctcae-v4-03-si"))
    meanings = read_scheme("ctcae-v5-si")["Anemia"].meanings()
    assert "transfusion indicated" in meanings["3"] and "Life-threatening" in meanings["4"]
