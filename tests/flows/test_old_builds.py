"""What the clean-up removes, and what it never does, whatever lies in the folder of builds."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from flows.old_builds import remove_old_builds, remove_old_snapshots
from publish.lock import Lock
from release.recording import Decision
from release.releasing import Candidate
from tests.release.candidates import small_package, small_study

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def build(root: Path, name: str, number: int, age: int, snapshot: str = "s") -> Path:
    folder = root / f"{name}.d" / f"{number:016x}"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"snapshot": {"id": snapshot}}))
    set_age(folder, age)
    return folder


def set_age(path: Path, days: int) -> None:
    then = NOW.timestamp() - days * 86400
    os.utime(path, (then, then))


@settings(max_examples=25, deadline=None)
@given(
    ages=st.lists(st.integers(0, 400), min_size=1, max_size=8, unique=True),
    current=st.integers(0, 7),
    keep=st.integers(0, 5),
)
def test_the_current_build_and_the_newest_stay(
    tmp_path_factory, ages: list[int], current: int, keep: int  # type: ignore[no-untyped-def]
) -> None:  # fmt: skip
    root = tmp_path_factory.mktemp("builds")
    made = [build(root, "mine", number, age) for number, age in enumerate(ages)]
    shown = made[current % len(made)]
    (root / "mine").symlink_to(shown.relative_to(root))
    removed = remove_old_builds(root, keep)
    others = sorted((age, path) for age, path in zip(ages, made, strict=True) if path != shown)
    assert sorted(removed) == sorted(path for _, path in others[keep:])
    assert {path for path in made if path.exists()} == {shown, *(path for _, path in others[:keep])}


def test_releases_other_folders_and_a_package_at_work_are_left_alone(tmp_path: Path) -> None:
    build(tmp_path, "mine", 1, 300)
    build(tmp_path / "releases", "mine", 2, 300)
    unfinished = tmp_path / "mine.d" / ".building-0"
    unfinished.mkdir()
    lock = Lock(tmp_path / "mine.d" / ".lock", "mine")
    lock.take()
    assert remove_old_builds(tmp_path, 0) == []
    lock.release()
    assert [path.name for path in remove_old_builds(tmp_path, 0)] == [f"{1:016x}"]
    assert unfinished.is_dir() and (tmp_path / "releases" / "mine.d").is_dir()


def test_a_package_that_waits_for_approval_stays(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study")
    waiting = Candidate.of(small_package(tmp_path / "mine", study, "a"), study)
    waiting.record(Decision("Boris Stein", "builder", "built", "For a release."))
    folder = waiting.package.resolve()
    small_package(tmp_path / "mine", study, "b")
    assert remove_old_builds(tmp_path, 0) == []
    Candidate.of(folder, study).record(Decision("Ana Ruiz", "data manager", "rejected", "The wrong cut-off."))
    assert remove_old_builds(tmp_path, 0) == [folder]


def test_a_snapshot_goes_when_it_is_old_and_nothing_needs_it(tmp_path: Path) -> None:
    ages = {"built": 400, "released": 400, "begun": 400, "old": 200, "young": 10, "newest": 5}
    for name, age in ages.items():
        folder = tmp_path / "snapshots" / "mine" / name
        folder.mkdir(parents=True)
        set_age(folder, age)
    build(tmp_path, "mine", 1, 1, "built")
    (tmp_path / "releases" / "mine" / "1").mkdir(parents=True)
    (tmp_path / "releases" / "mine" / "1" / "manifest.json").write_text(json.dumps({"snapshot": {"id": "released"}}))
    (tmp_path / "snapshots" / "mine" / "extractions.json").write_text(json.dumps({"p": {"snapshot": "begun"}}))
    before = datetime.fromtimestamp(NOW.timestamp() - 90 * 86400, UTC)
    assert [path.name for path in remove_old_snapshots(tmp_path, before)] == ["old"]
    assert {path.name for path in (tmp_path / "snapshots" / "mine").iterdir()} == {*ages, "extractions.json"} - {"old"}


def test_the_newest_snapshot_stays_however_old(tmp_path: Path) -> None:
    folder = tmp_path / "snapshots" / "mine" / "only"
    folder.mkdir(parents=True)
    set_age(folder, 999)
    assert remove_old_snapshots(tmp_path, NOW) == [] and folder.is_dir()
