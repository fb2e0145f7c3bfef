"""Confirmed progression against independent programs, with the matching parameters.

* msprog (R, and Python as pymsprog 1.0.7; Montobbio 2024, Mult Scler 30:1185; MIT): its toy patients, whose dates and
  scores stand below, and 120 invented patients under 19 settings. ``msprog/results.csv`` is what pymsprog gave for
  them (event firstCDW, fixed baseline, relapse_to_bl 0).
* The program of Bsteh, Marti and Hoepner (github.com/drstrupf/multiple-sclerosis-disability-progression), whose
  tests/tests.py, test_relapse_independent_confirmation, has the cases at the end.
"""

import csv
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from adam.derivations.progression import ConfirmedProgression, Excluded
from metadata.condition import read_condition
from tests.adam.trial import columns, context, dataset, numbers, texts

FOLDER = Path(__file__).parent / "msprog"
# The step of both programs: 1.5 from 0, 1.0 from 1.0 to 5.0, 0.5 from 5.5 on.
STEP = [
    {"BASE": 0, "CHG": {"at_least": 1.5}},
    {"BASE": {"above": 0, "at_most": 5.0}, "CHG": {"at_least": 1.0}},
    {"BASE": {"above": 5.0}, "CHG": {"at_least": 0.5}},
]


def progressed(tmp_path, visits, relapses=(), **parameters):
    """Return for each subject with confirmed progression the days of onset and confirmation.

    ``visits`` are triples of subject, day and score, each subject's first being the baseline.
    """
    first = {}
    for subject, _, score in visits:
        first.setdefault(subject, score)
    later = [
        subject == before for before, (subject, *_) in zip(["", *(row[0] for row in visits)], visits, strict=False)
    ]
    made = columns(
        USUBJID=[row[0] for row in visits],
        ADT=[row[1] for row in visits],
        BASE=[first[row[0]] for row in visits],
        CHG=[row[2] - first[row[0]] for row in visits],
        AFTER=["Y" if one else "N" for one in later],
    )
    events = dataset("CE", USUBJID=[*(row[0] for row in relapses), "Z"], ASTDT=[*(row[1] for row in relapses), 0.0])
    word = ConfirmedProgression(
        by=("USUBJID",),
        where=read_condition({"AFTER": "Y"}, {}, "where"),
        condition=read_condition(STEP, {}, "condition"),
        to="F",
        to_date="C",
        **parameters,
    )
    found = word.derive(made, len(visits), context(tmp_path, events)).columns
    confirmed = numbers(found["C"])
    rows = np.flatnonzero(np.array(texts(found["F"])) == "Y")
    return {visits[row][0]: (visits[row][1], confirmed[row]) for row in rows}


def distant(after, before, at):
    """Return the exclusion of msprog's distances to the last and the next relapse, of which the day itself is free."""
    return (
        (Excluded(dataset="CE", event_date="ASTDT", after=after - 1, before=max(before - 1, 0), at=at),)
        if after
        else ()
    )


def rows_of(name):
    with (FOLDER / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


VISITS = [(row["id"], float(row["day"]), float(row["edss"])) for row in rows_of("visits.csv")]
RELAPSES = [(row["id"], float(row["day"])) for row in rows_of("relapses.csv")]
SETTINGS = {key: list(rows) for key, rows in groupby(rows_of("results.csv"), key=lambda row: row["setting"])}


@pytest.mark.parametrize("setting", SETTINGS)
def test_invented_patients_as_msprog(tmp_path, setting):
    rows = SETTINGS[setting]
    one = rows[0]
    found = progressed(
        tmp_path,
        VISITS,
        RELAPSES,
        confirm=int(one["confirm"]),
        tolerance=int(one["tolerance"]),
        latest=int(one["latest"]) if one["latest"] else None,
        between="all" if one["intermediate"] == "Y" else "none",
        sustained=float(one["sustained"]),
        excluded=(
            *distant(int(one["event_after"]), int(one["event_before"]), "onset"),
            *distant(int(one["confirmation_after"]), int(one["confirmation_before"]), "confirmation"),
        ),
    )
    assert found == {row["id"]: (float(row["onset"]), float(row["confirmed"])) for row in rows}


TOY = {
    "1": ([0, 41, 118, 216, 292, 409, 443, 534], [5.5, 5.5, 5.5, 5.5, 6, 6, 6, 6]),
    "2": ([0, 34, 118, 198, 282, 371, 454, 539, 640, 730], [4, 4, 4.5, 5.5, 5, 4.5, 4.5, 6, 6, 6]),
    "3": ([0, 44, 120, 320, 352, 430, 491], [3.5, 4.5, 3.5, 3.5, 3.5, 3, 3]),
    "4": ([0, 77, 175, 304, 382, 485, 586], [4.5, 3.5, 3.5, 5, 5, 5.5, 5]),
    "5": ([0, 90, 140, 217, 320, 387, 513, 549, 637], [4, 4, 5, 5.5, 5, 5.5, 5.5, 5, 5.5]),
    "6": ([0, 44, 120, 320, 352, 430, 491], [5.5, 5.5, 4.5, 4.5, 5, 6, 6]),
    "7": ([0, 91, 185, 267, 372, 499, 575, 674, 779], [3.5, 3.5, 5, 3.5, 4.5, 4.5, 4.5, 5, 5]),
}
TOY_VISITS = [(name, float(day), score) for name, pair in TOY.items() for day, score in zip(*pair, strict=True)]
TOY_RELAPSES = [("2", 198.0), ("2", 698.0), ("3", 409.0), ("6", 426.0), ("7", 185.0)]


@pytest.mark.parametrize(
    ("parameters", "onset", "confirmation", "expected"),
    [
        ({"confirm": 84, "latest": 730}, 0, 30, {"1": (292, 409), "2": (198, 282), "5": (140, 217), "7": (372, 499)}),
        ({"confirm": 168, "latest": 730}, 0, 30, {"1": (292, 534), "2": (539, 730), "5": (140, 320), "7": (372, 575)}),
        ({"confirm": 168, "latest": 30}, 0, 30, {"2": (539, 730), "5": (140, 320), "7": (499, 674)}),
        ({"confirm": 84, "latest": 730}, 90, 90, {"1": (292, 409), "2": (539, 640), "5": (140, 217), "7": (372, 499)}),
        (
            {"confirm": 84, "latest": 730, "sustained": float("inf")},
            0,
            30,
            {"1": (292, 409), "2": (539, 640), "5": (140, 217), "7": (372, 499)},
        ),
        (
            {"confirm": 168, "latest": 730, "between": "none"},
            0,
            30,
            {"1": (292, 534), "2": (539, 730), "5": (140, 320), "7": (185, 372)},
        ),
        ({"confirm": 84}, 0, 30, {"1": (292, 409), "2": (198, 282), "5": (140, 217), "7": (372, 499)}),
    ],
)
def test_toy_patients_of_msprog(tmp_path, parameters, onset, confirmation, expected):
    """Tolerance 7 days, default of msprog; relapse_to_event and relapse_to_conf as given (90: also 30 days before)."""
    excluded = (
        *distant(onset, 30 if onset else 0, "onset"),
        *distant(confirmation, 30 if onset else 0, "confirmation"),
    )
    assert progressed(tmp_path, TOY_VISITS, TOY_RELAPSES, tolerance=7, excluded=excluded, **parameters) == expected


@pytest.mark.parametrize(
    ("days", "scores", "parameters", "onset"),
    [
        ([0, 10, 20, 30, 40, 50], [1, 1, 1.5, 2, 2, 1.5], {"confirm": 1}, 30),  # test 2: next-confirmed
        ([0, 10, 20, 30, 40, 50], [1, 1, 1.5, 2, 2, 1.5], {"confirm": 1, "sustained": np.inf}, None),  # test 3
        ([0, 10, 20, 30, 40], [1, 2.5, 2.5, 2, 1.5], {"confirm": 10}, 10),  # test 4
        ([0, 10, 20, 30, 40], [1, 2.5, 2.5, 2, 1.5], {"confirm": 20}, 10),  # test 5
        ([0, 10, 20, 30, 40], [1, 2.5, 2.5, 2, 1.5], {"confirm": 30}, None),  # test 6
        ([0, 10, 20, 30, 40], [1, 2.5, 2.5, 2, 1.5], {"confirm": 15}, 10),  # test 7
        ([0, 10, 20, 30, 40], [1, 2.5, 2.5, 2, 1.5], {"confirm": 15, "tolerance": 5}, 10),  # test 8
        ([0, 10, 30, 40], [1, 2.5, 2, 2], {"confirm": 10, "latest": 10}, 10),  # test 9
        ([0, 10, 30, 40], [1, 2.5, 2, 2], {"confirm": 10, "latest": 5}, 30),  # test 10
        ([0, 10, 20, 30], [1, 2.5, 2, 2], {"confirm": 20, "sustained": np.inf}, 10),  # test 11
        ([0, 10, 20, 30], [1, 2.5, 2, 2], {"confirm": 21, "sustained": np.inf}, None),  # test 12
        ([0, 10, 20, 30, 40], [1, 2, 1.5, 1.5, 2.5], {"confirm": 30}, None),  # test 13
        ([0, 10, 20, 30, 40], [1, 2, 1.5, 1.5, 2.5], {"confirm": 30, "between": "none"}, 10),  # test 14
        ([0, 10, 20, 30, 40], [1, 2.5, 2, 2, 2.5], {"confirm": 30}, 10),  # test 15
        ([0, 10, 20, 30, 40], [1, 2.5, 2.5, 3, 1.5], {"confirm": 20}, 10),  # test 17
    ],
)
def test_cases_of_bsteh_and_colleagues(tmp_path, days, scores, parameters, onset):
    visits = [("A", float(day), score) for day, score in zip(days, scores, strict=True)]
    found = progressed(tmp_path, visits, **parameters)
    assert (found["A"][0] if found else None) == onset


@pytest.mark.parametrize(
    ("base", "score", "worse"),
    [(0, 1.0, False), (0, 1.5, True), (2, 2.5, False), (2, 3, True), (5, 5.5, False), (5, 6, True), (5.5, 6, True)],
)
def test_the_step_for_a_baseline(tmp_path, base, score, worse):
    """The same program, test_is_above_progress_threshold, test 4 (standard case)."""
    visits = [("A", 0.0, float(base)), ("A", 100.0, float(score)), ("A", 200.0, float(score))]
    assert bool(progressed(tmp_path, visits, confirm=91)) is worse
