"""Workers: results and errors come back, values are packed at once, nothing outlives the build or is heard of twice."""

from __future__ import annotations

import math
import operator
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sized
from pathlib import Path

import pytest

from flows.error_messages import defect
from flows.worker import SHARED_VALUES, Workers
from metadata.errors import OutsideError, StudyError
from metadata.study import Study
from metadata.terminology import Terminology

ROOT = Path(__file__).resolve().parents[2]


def test_results_come_back_from_another_process() -> None:
    with Workers(1) as workers:
        process, root = workers.start(os.getpid), workers.start(math.sqrt, 2.25)
        assert process() != os.getpid()
        assert root() == 1.5


def test_calls_are_spread_over_the_processes() -> None:
    with Workers(2) as workers:
        used = [workers.start(_after_a_while, os.getpid) for _ in range(2)]
        assert len({process() for process in used}) == 2


def _after_a_while(function: Callable[[], int]) -> int:
    time.sleep(0.5)
    return function()


def test_without_processes_the_work_is_done_here() -> None:
    with Workers(0) as workers:
        assert workers.start(os.getpid)() == os.getpid()
        assert workers.start(len, workers.share([1, 2]))() == 2


def test_a_process_is_prepared_before_its_first_call() -> None:
    with Workers(1, _prepare) as workers:
        assert workers.start(os.getenv, "PREPARED")() == "yes"
    assert os.getenv("PREPARED") is None


def _prepare() -> None:
    os.environ["PREPARED"] = "yes"


def test_an_error_comes_back_with_its_place_and_those_beside_it(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text("study: {id: X}\n", encoding="utf-8")
    with (
        Workers(1) as workers,
        pytest.raises(StudyError, match=r"study\.yaml, line 1: the file needs the key 'standards'") as raised,
    ):
        workers.start(Study.open, tmp_path)()
    assert raised.value.file == f"{tmp_path.name}/study.yaml"
    assert len(raised.value.others) == 2


def test_a_defect_is_named_by_its_place_and_not_by_its_values() -> None:
    with Workers(1) as workers, pytest.raises(ZeroDivisionError) as raised:
        workers.start(_divide, 17)()
    assert "ZeroDivisionError in flows/test_worker.py, line" in defect(raised.value)
    assert "17" not in defect(raised.value).rpartition("line")[0]
    assert raised.value.__cause__ is None


def _divide(number: int) -> float:
    return number / (number - number)


def test_a_process_that_was_killed_is_a_failure_from_outside() -> None:
    with Workers(1) as workers, pytest.raises(OutsideError, match="was ended from outside") as raised:
        workers.start(_end_at_once)()
    assert raised.value.exit_code == 3


def _end_at_once() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_study_and_its_terminology_travel() -> None:
    study = Study.open("spms_aza")
    with Workers(1) as workers:
        assert workers.start(_sexes, study, Terminology.open(study))() == ["F", "M", "U", "UNDIFFERENTIATED"]


def _sexes(study: Study, terminology: Terminology) -> list[str]:
    assert study.studyid
    return sorted(term.value for term in terminology.codelist("SEX").terms.values())


def test_what_is_shared_travels_once_and_is_there_for_every_call() -> None:
    with Workers(1) as workers:
        shared, other = workers.share({"a": list(range(1000))}), workers.share(["b"])
        first = workers.start(_identity_and_sum, shared)()
        assert workers.start(_identity_and_sum, shared)() == first
        assert first[1] == 499500
        assert workers.start(len, (other, {"within": shared}))() == 2
        assert workers.start(_within, {"within": shared})() == 1000


def test_what_no_process_has_begun_is_done_here_when_it_is_asked_for() -> None:
    with Workers(1) as workers:
        shared, values = workers.share({"a": [1, 2, 3]}), [1]
        busy = workers.start(time.sleep, 1)
        waiting = [workers.offer(_process_and_lengths, shared, {"within": shared}, values) for _ in range(6)]
        values.append(2)
        assert waiting[-1]() == (os.getpid(), [1, 1, 1])
        busy()
        assert waiting[0]()[0] != os.getpid()
        assert waiting[0]()[1] == [1, 1, 1]
        assert SHARED_VALUES
    assert not SHARED_VALUES


def _process_and_lengths(*values: Sized) -> tuple[int, list[int]]:
    return os.getpid(), [len(value) for value in values]


def test_the_error_of_a_call_that_is_done_here_names_its_place(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text("study: {id: X}\n", encoding="utf-8")
    with Workers(1) as workers:
        for _ in range(5):
            workers.start(time.sleep, 0.2)
        with pytest.raises(StudyError, match=r"study\.yaml, line 1: the file needs the key 'standards'"):
            workers.offer(Study.open, tmp_path)()


def _identity_and_sum(value: dict[str, list[int]]) -> tuple[int, int]:
    return id(value), sum(value["a"])


def _within(value: dict[str, dict[str, list[int]]]) -> int:
    return len(value["within"]["a"])


def test_what_the_work_prints_stays_out_of_the_output(capfd: pytest.CaptureFixture[str]) -> None:
    with Workers(1) as workers:
        workers.start(print, "said aloud")()
        assert workers.start(operator.add, 1, 2)() == 3
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "said aloud" in captured.err


def test_work_that_was_begun_is_waited_for_and_the_rest_dropped(tmp_path: Path) -> None:
    begun, dropped = tmp_path / "begun", tmp_path / "dropped"
    with pytest.raises(StudyError, match="a later stage"), Workers(1) as workers:
        workers.start(os.getpid)()
        for path in (begun, tmp_path / "2", tmp_path / "3", tmp_path / "4", dropped):
            workers.start(_touch_late, path)  # one runs and the executor's own queue holds two, which also run
        time.sleep(0.1)
        raise StudyError("a later stage")
    assert begun.exists()
    assert not dropped.exists()


def _touch_late(path: Path) -> None:
    time.sleep(0.5)
    path.touch()


def test_what_changes_after_the_start_is_not_seen() -> None:
    values = {"a": [1, 2]}
    with Workers(1) as workers:
        workers.start(time.sleep, 0.2)
        total = workers.start(_identity_and_sum, values)
        values["a"].append(1000)
        assert total()[1] == 3


BUILD = """
import sys
from pathlib import Path
from flows.error_messages import run_guarded
from flows.worker import SHARED_VALUES, Workers
from tests.flows.test_worker import _touch_twice

def build():
    with Workers(1) as workers:
        workers.start(_touch_twice, Path(sys.argv[1]))()

sys.exit(run_guarded(build))
"""


@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGKILL])
def test_nothing_outlives_a_build_that_is_ended(tmp_path: Path, ended_by: signal.Signals) -> None:
    """An interruption from the keyboard goes to all processes of the build, a kill to the first alone."""
    process = subprocess.Popen(
        [sys.executable, "-c", BUILD, str(tmp_path)],
        cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )  # fmt: skip
    wait_for((tmp_path / "begun").exists)
    (os.killpg if ended_by == signal.SIGINT else os.kill)(process.pid, ended_by)
    _, said = process.communicate(timeout=60)
    if ended_by == signal.SIGINT:
        assert (process.returncode, said) == (130, "redcap-cdisc: stopped by the user; nothing was published\n")
    wait_for(lambda: not processes_of(process.pid))
    assert not (tmp_path / "late").exists()


def _touch_twice(folder: Path) -> None:
    (folder / "begun").touch()
    time.sleep(120)
    (folder / "late").touch()


def processes_of(session: int) -> list[str]:
    """Return the processes of a session that have not ended."""
    listed = subprocess.run(["ps", "-e", "-o", "sid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=2) for line in listed.splitlines()]
    return [row[-1] for row in rows if int(row[0]) == session and not row[1].startswith("Z")]


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.05)
