"""Relapses 30 days apart, classes of antibodies, confirmed progression: each worked out by hand."""

import numpy as np
import pytest

from adam.derivations.progression import ConfirmedProgression, Excluded
from adam.derivations.time_course import Spaced, StatusClass
from metadata.condition import read_condition
from tests.adam.trial import columns, context, dataset, numbers, texts


def condition(value):
    return read_condition(value, {}, "where")


def test_an_event_within_thirty_days_of_the_last_is_not_counted(tmp_path):
    made = columns(
        USUBJID=["A", "A", "A", "A", "B", "B"],
        ASTDT=[131.0, 100, 130, None, 100, 129],
        CONFFL=["Y", "Y", "Y", "Y", "N", "Y"],
    )
    word = Spaced(by=("USUBJID",), date="ASTDT", days=30, to="ANL01FL", where=condition({"CONFFL": "Y"}))
    # A: day 100 is first, 130 is 30 days later, 131 is 1 day later, the undated one never. B: 100 was not confirmed.
    assert texts(word.derive(made, 6, context(tmp_path)).columns["ANL01FL"]) == ["", "Y", "Y", "", "", "Y"]


SAMPLES = {
    "N": ("NNNN", "NEGATIVE", "NEGATIVE"),
    "P": ("PPP", "PERSISTENT", "PERSISTENT"),
    "T": ("NPNN", "TRANSIENT", "NEGATIVE"),
    "U": ("PPN", "TRANSIENT", "TRANSIENT"),
    "L": ("NNPP", "LATE", "LATE"),
    "X": ("NNNP", "UNDETERMINED", "NEGATIVE"),
    "O": ("P", "PERSISTENT", "NEGATIVE"),
}


@pytest.mark.parametrize(("consecutive", "place"), [(1, 1), (2, 2)])
def test_status_classes(tmp_path, consecutive, place):
    rows = [(subject, day, sign) for subject, (signs, *_) in SAMPLES.items() for day, sign in enumerate(signs)]
    rows = rows[::-1]  # the order of the records does not matter, that of the days does
    made = columns(
        USUBJID=[row[0] for row in rows] + ["Z"],
        ADT=[float(row[1]) for row in rows] + [1.0],
        POS=[row[2] for row in rows] + [""],
    )
    word = StatusClass(
        by=("USUBJID",),
        order=("ADT",),
        where=condition({"POS": {"missing": False}}),
        condition=condition({"POS": "P"}),
        to="CLASS",
        consecutive=consecutive,
    )
    outcome = word.derive(made, len(rows) + 1, context(tmp_path))
    assert texts(outcome.columns["CLASS"]) == [SAMPLES[row[0]][place] for row in rows] + [""]
    assert len(outcome.edges[0].row) == sum(len(signs) ** 2 for signs, *_ in SAMPLES.values())


def progression(tmp_path, days, values, base=4.0, relapses=(), **parameters):
    """Return days of onset and of confirmation for one patient, with a second patient who is always worse beside."""
    count = len(days)
    made = columns(
        USUBJID=["A"] * count + ["B", "B"],
        ADT=[float(day) for day in days] + [50.0, 500.0],
        CHG=[value - base for value in values] + [2.0, 2.0],
        BASE=[base] * count + [4.0, 4.0],
    )
    events = dataset("CE", USUBJID=["A"] * len(relapses) + ["C"], ASTDT=[float(day) for day in relapses] + [90.0])
    word = ConfirmedProgression(
        by=("USUBJID",),
        where=condition({"CHG": {"missing": False}}),
        condition=condition(
            [{"BASE": {"at_most": 5.5}, "CHG": {"at_least": 1}}, {"CHG": {"at_least": 0.5}, "BASE": 6}]
        ),
        to="CDPFL",
        to_date="CDPCDT",
        **{"confirm": 91, "excluded": (Excluded(dataset="CE", event_date="ASTDT"),), **parameters},
    )
    found = word.derive(made, count + 2, context(tmp_path, events)).columns
    assert texts(found["CDPFL"])[count:] == ["Y", ""]
    rows = np.flatnonzero(np.array(texts(found["CDPFL"])[:count]) == "Y")
    assert len(rows) <= 1
    return None if not len(rows) else (days[rows[0]], numbers(found["CDPCDT"])[rows[0]])


@pytest.mark.parametrize(
    ("days", "values", "more", "expected"),
    [
        ([91, 182, 273], [4.5, 5.0, 5.0], {}, (182, 273)),
        ([91, 182, 273], [5.0, 4.5, 5.0], {}, None),  # not sustained; the last is not confirmed
        ([91, 181, 272], [5.0, 5.0, 5.0], {}, (91, 272)),  # 90 days are too few, 181 are enough
        ([91, 181, 272], [5.0, 5.0, 5.0], {"tolerance": 14}, (91, 181)),
        ([91, 120, 182], [5.0, 4.5, 5.0], {}, None),  # better in between, unscheduled
        ([91, 120, 182], [5.0, 5.5, 5.0], {}, (91, 182)),
        ([91, 182, 273], [5.0, 5.0, 5.0], {"relapses": [80]}, (182, 273)),  # onset 11 days after a relapse
        ([91, 182, 273], [5.0, 5.0, 5.0], {"relapses": [160]}, (91, 273)),  # first confirmation in a relapse
        ([91, 182, 273], [5.0, 5.0, 5.0], {"relapses": [61, 151]}, (182, 273)),  # day 30 counts, day 31 does not
        ([91, 182, 273], [5.0, 5.0, 5.0], {"relapses": [92]}, (91, 182)),  # a relapse later does not matter
        ([91, 182, 273], [6.5, 6.5, 6.5], {"base": 6.0}, (91, 182)),  # half a point from 6
        ([91, 182, 273], [4.5, 4.5, 4.5], {}, None),  # half a point from 4
    ],
)
def test_confirmed_progression(tmp_path, days, values, more, expected):
    assert progression(tmp_path, days, values, **more) == expected


@pytest.mark.parametrize(("at", "expected"), [("onset", (182, 273)), ("confirmation", (91, 182)), ("both", (182, 273))])
def test_relapse_exclusion_at_onset(tmp_path, at, expected):
    excluded = (Excluded(dataset="CE", event_date="ASTDT", at=at),)
    found = progression(tmp_path, [91, 182, 273], [5.0, 5.0, 5.0], relapses=[85], excluded=excluded)
    assert found == expected


def test_progression_without_records(tmp_path):
    word = ConfirmedProgression(
        by=("USUBJID",),
        where=condition({"CHG": {"missing": False}}),
        condition=condition({"CHG": 1}),
        confirm=91,
        to="F",
    )
    assert texts(word.derive(columns(USUBJID=[], CHG=[], ADT=[]) | {}, 0, context(tmp_path)).columns["F"]) == []
