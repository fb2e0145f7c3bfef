"""Records with random edits: each stored value is tabulated, declared as not submitted or asked about, none twice."""

from __future__ import annotations

from random import Random

import pytest

from metadata.errors import RedcapCdiscError
from tests.flows.changed_records import STUDIES, WEIGHTS, edited, entered, lost_or_doubled

SAMPLE, ALL = 1, 8


@pytest.mark.parametrize("name", [STUDIES[0], pytest.param(STUDIES[1], marks=pytest.mark.soak)])
def test_nothing_of_the_records_as_they_were_entered_is_lost(name: str) -> None:
    assert lost_or_doubled(name, entered(name).copy()) == []


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[pytest.mark.soak] if seed >= SAMPLE else []) for seed in range(ALL)]
)
def test_an_edit_of_the_records_is_tabulated_or_asked_about(seed: int) -> None:
    random = Random(seed)
    name = random.choices(STUDIES, WEIGHTS)[0]
    frame, done = edited(name, random)
    try:
        assert lost_or_doubled(name, frame) == [], done
    except RedcapCdiscError as refused:
        assert str(refused), done
