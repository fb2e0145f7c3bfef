"""A second process for stages that no other stage waits for, so that a build uses two cores.

The process is run by the same Python. It reads calls from its standard input, answers each on its standard
output, imports what it needs while the build still reads records, and ends at once when its input ends: when the build
is done, and also when it is killed. What passes between the two is never stored.
"""

from __future__ import annotations

import io
import os
import pickle
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Any, BinaryIO, TypeVar

from flows.garbage import seldom_collected
from metadata.errors import OutsideError

T = TypeVar("T")
Call = tuple[Callable[..., Any], tuple[Any, ...]]
ROOT = Path(__file__).parent.parent
KEPT: list[object] = []  # in the second process: the shared values
NEEDED = (
    "flows.pipeline",
    "publish.define",
    "publish.package",
    "pyreadstat",
    "validation.conformance.check",
    "validation.conformance.page",
    "validation.second_derivation.check",
    "validation.second_derivation.page",
    "duckdb",
)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Beside:
    """Runs calls in a second process, one after the other, or here where that is not ``wanted`` or there is one core.

    To be used as a context: at its end the call that runs is waited for, and calls that were not begun are dropped.
    """

    def __init__(self, wanted: bool = True) -> None:
        self._process = _started() if wanted and cores() > 1 else None
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._shared: list[object] = []

    def __enter__(self) -> Beside:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(cancel_futures=True)
        if self._process:
            self._process.communicate()

    def start(self, function: Callable[..., T], *values: Any) -> Callable[[], T]:
        """Begin ``function(*values)``; what is returned waits for the result, or raises what the function raised.

        The function is one of a module, and values and result can be pickled. An error brings the way it took as its
        ``further_frames``. Raises OutsideError if the second process is no more.
        """
        if not self._process:
            return lambda: function(*values)
        call = io.BytesIO()  # packed here and now: no thread sees values while this one goes on with them
        _Packer(call, [] if function is _keep else self._shared).dump((function, values))
        answer: Future[T] = self._thread.submit(self._ask, call.getbuffer())
        return answer.result

    def share(self, value: object) -> None:
        """Hand a value over once that several calls are to have; it must stay as it is."""
        if self._process:
            self.start(_keep, value)
            self._shared.append(value)

    def _ask(self, call: memoryview) -> Any:
        assert self._process and self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(call)
            self._process.stdin.flush()
            returned, answer = pickle.load(self._process.stdout)  # noqa: S301 - from the process started here
        except (EOFError, BrokenPipeError):
            raise OutsideError("the build's second process was ended from outside; is there memory enough?") from None
        if not returned:
            raise answer
        return answer


class _Packer(pickle.Pickler):
    """Writes calls with the numbers of shared values in their place."""

    def __init__(self, file: BinaryIO, shared: list[object]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._numbers = {id(value): number for number, value in enumerate(shared)}

    def persistent_id(self, obj: object) -> int | None:
        return self._numbers.get(id(obj))


class _Unpacker(pickle.Unpickler):
    """Reads calls, with the shared values at their numbers."""

    def persistent_load(self, pid: int) -> object:
        return KEPT[pid]


def _started() -> subprocess.Popen[bytes]:
    """Start the process, which finds the same modules as this one."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return subprocess.Popen(
        [sys.executable, "-c", "from flows.beside import main; main()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )


def _keep(value: object) -> None:
    """Keep a shared value under the next number, in the second process."""
    KEPT.append(value)


def serve(calls: BinaryIO, answers: BinaryIO) -> None:
    """Answer the calls one after the other, until the process ends with its input."""
    waiting: SimpleQueue[Call] = SimpleQueue()
    Thread(target=_receive, args=(calls, waiting), daemon=True).start()
    for name in NEEDED:
        import_module(name)
    with seldom_collected():
        while True:
            function, values = waiting.get()
            answers.write(pickle.dumps(_answer(function, values), pickle.HIGHEST_PROTOCOL))
            answers.flush()


def _receive(calls: BinaryIO, waiting: SimpleQueue[Call]) -> None:
    """Queue what comes in; without a build to work for the process ends, whatever it is at."""
    try:
        while True:
            waiting.put(_Unpacker(calls).load())
    except EOFError:
        os._exit(0)


def _answer(function: Callable[..., Any], values: tuple[Any, ...]) -> tuple[bool, Any]:
    """Return True and what the function returned, or False and what it raised."""
    try:
        return True, function(*values)
    except Exception as error:
        error.further_frames = traceback.extract_tb(error.__traceback__)  # type: ignore[attr-defined]
        return False, error


def main() -> None:
    """Be the second process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the build decides what an interruption ends
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not stand between the answers
    serve(sys.stdin.buffer, answers)
