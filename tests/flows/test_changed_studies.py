"""A check of a study with a random mistake ends in sentences and an exit code: no defect, no traceback, no hang.

A study that nobody can mean is refused.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from types import FrameType

import pytest

from metadata.study import BUNDLED
from tests.flows.conftest import Answer
from tests.flows.mutations import mutate

STUDIES = sorted(path.parent for path in BUNDLED.glob("*/redcap"))
WEIGHTS = [2 if path.name == "hta_duo" else 1 for path in STUDIES]
"""The smaller study is checked in a third of the time."""
SAMPLE, ALL = 20, 500
LIMIT = 60  # seconds; a check takes one or two
UNREAD = shutil.ignore_patterns("synthetic", "records_*", "log*.csv")


@pytest.fixture
def limit() -> Iterator[None]:
    """Stop a check that does not end."""

    def stop(_: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"no end after {LIMIT} s")

    usual = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LIMIT)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, usual)


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[pytest.mark.soak] if seed >= SAMPLE else []) for seed in range(ALL)]
)
def test_a_mistake_is_said_in_a_sentence(
    seed: int, command: Callable[..., Answer], tmp_path: Path, limit: None
) -> None:
    random = Random(seed)
    assert_said(random.choices(STUDIES, WEIGHTS)[0], random, command, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(60))
def test_so_it_is_in_a_study_that_begins_with_datasets(
    seed: int, command: Callable[..., Answer], tmp_path: Path, limit: None
) -> None:
    assert_said(BUNDLED / "cdisc_pilot", Random(seed), command, tmp_path)


def assert_said(original: Path, random: Random, command: Callable[..., Answer], tmp_path: Path) -> None:
    """Change a copy of a study, and assert that its check says what is wrong, and where."""
    study = tmp_path / "trial"
    shutil.copytree(original, study, ignore=UNREAD)
    change = mutate(study, random)
    answer = command("check", study)
    said = answer.out + answer.err
    codes = (1, 2) if change.meaningless else (0, 1, 2)
    assert answer.code in codes, f"{change}: exit code {answer.code}: {answer.err}"
    assert said.strip()
    assert "Traceback" not in said, str(change)
    assert "defect of redcap-cdisc" not in said, f"{change}: {answer.err}"
    if answer.code:
        assert "trial" in said, f"{change}: no file is named: {said}"
