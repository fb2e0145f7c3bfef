"""The second process: results and errors come back, nothing outlives the build, one core is enough."""

from __future__ import annotations

import math
import operator
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows import beside
from flows.beside import Beside
from flows.error_messages import defect
from metadata.errors import OutsideError, StudyError
from metadata.study import Study
from metadata.terminology import Terminology


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "cores", lambda: 2)


def test_results_come_back_from_another_process() -> None:
    with Beside() as second:
        process, root = second.start(os.getpid), second.start(math.sqrt, 2.25)
        assert process() != os.getpid()
        assert root() == 1.5


def test_one_core_does_the_work_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "cores", lambda: 1)
    with Beside() as second:
        assert second.start(os.getpid)() == os.getpid()


def test_work_that_is_not_wanted_beside_is_done_here() -> None:
    with Beside(wanted=False) as second:
        assert second.start(os.getpid)() == os.getpid()


def test_an_error_comes_back_with_its_place_and_those_beside_it(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text("study: {id: X}\n", encoding="utf-8")
    said = r"study\.yaml, line 1: the file needs the key 'standards'"
    with Beside() as second, pytest.raises(StudyError, match=said) as raised:
        second.start(Study.open, tmp_path)()
    assert raised.value.file == f"{tmp_path.name}/study.yaml"
    assert len(raised.value.others) == 3


def test_a_defect_is_named_by_its_place_and_not_by_its_values() -> None:
    with Beside() as second, pytest.raises(ZeroDivisionError) as raised:
        second.start(_divide, 17)()
    assert "ZeroDivisionError in flows/test_beside.py, line" in defect(raised.value)
    assert "17" not in defect(raised.value).rpartition("line")[0]


def _divide(number: int) -> float:
    return number / (number - number)


def test_a_process_that_was_killed_is_a_part_outside_that_failed() -> None:
    with Beside() as second, pytest.raises(OutsideError, match="was ended from outside"):
        second.start(_end_at_once)()


def _end_at_once() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_study_and_its_terminology_travel() -> None:
    study = Study.open("spms_aza")
    with Beside() as second:
        assert second.start(_sexes, study, Terminology.open(study))() == ["F", "M", "U"]


def _sexes(study: Study, terminology: Terminology) -> list[str]:
    assert study.studyid
    return sorted(term.value for term in terminology.codelist("SEX").terms.values())


def test_what_is_shared_travels_once_and_is_there_for_every_call() -> None:
    shared, other = {"a": list(range(1000))}, ["b"]
    with Beside() as second:
        second.share(shared)
        second.share(other)
        first = second.start(_identity_and_sum, shared)()
        assert second.start(_identity_and_sum, shared)() == first
        assert first[1] == 499500
        assert second.start(len, (other, {"within": shared}))() == 2
        assert second.start(_within, {"within": shared})() == 1000


def _identity_and_sum(value: dict[str, list[int]]) -> tuple[int, int]:
    return id(value), sum(value["a"])


def _within(value: dict[str, dict[str, list[int]]]) -> int:
    return len(value["within"]["a"])


def test_what_the_work_prints_does_not_stand_between_the_answers(capfd: pytest.CaptureFixture[str]) -> None:
    with Beside() as second:
        second.start(print, "said aloud")()
        assert second.start(operator.add, 1, 2)() == 3
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "said aloud" in captured.err


def test_work_that_was_begun_is_waited_for_and_the_rest_dropped(tmp_path: Path) -> None:
    begun, dropped = tmp_path / "begun", tmp_path / "dropped"
    with pytest.raises(StudyError, match="a later stage"), Beside() as second:
        ready = second.start(os.getpid)
        ready()
        second.start(_touch_late, begun)
        second.start(_touch_late, dropped)
        time.sleep(0.1)
        raise StudyError("a later stage")
    assert begun.exists()
    assert not dropped.exists()


def _touch_late(path: Path) -> None:
    time.sleep(0.5)
    path.touch()


def test_the_process_ends_when_the_build_is_killed(tmp_path: Path) -> None:
    begun, late = tmp_path / "begun", tmp_path / "late"
    code = (
        "import os, signal\nfrom pathlib import Path\nfrom flows import beside\n"
        "beside.cores = lambda: 2\nfrom tests.flows.test_beside import _touch_twice\n"
        f"second = beside.Beside()\nsecond.start(os.getpid)()\nsecond.start(_touch_twice, Path({str(tmp_path)!r}))\n"
        f"while not os.path.exists({str(begun)!r}): pass\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=beside.ROOT, check=False, timeout=60)
    time.sleep(1.5)
    assert begun.exists()
    assert not late.exists()


def _touch_twice(folder: Path) -> None:
    (folder / "begun").touch()
    time.sleep(1)
    (folder / "late").touch()


def test_what_changes_after_the_start_is_not_seen() -> None:
    values = {"a": [1, 2]}
    with Beside() as second:
        second.start(time.sleep, 0.2)
        total = second.start(_identity_and_sum, values)
        values["a"].append(1000)
        assert total()[1] == 3
