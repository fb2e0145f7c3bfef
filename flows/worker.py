"""Processes for the stages that no other stage waits for: calls run there while the build continues here.

``concurrent.futures`` spawns them. Each holds one end of a pipe and ends at once when the other end is closed: after an
interruption of the build, and also when the build is killed. What passes between the processes is never stored.
"""

from __future__ import annotations

import os
import pickle
import signal
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import Thread
from types import TracebackType
from typing import Any, TypeVar

from metadata.errors import OutsideError

T = TypeVar("T")
SHARED_VALUES: dict[int, object] = {}  # by their numbers: in a worker those it was sent, here those of open Workers
NUMBERS = count(1)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, eq=False)
class Shared:
    """A value that every worker has already: among the values of a call it becomes the worker's own."""

    value: Any
    number: int

    def __reduce__(self) -> tuple[Callable[[int], object], tuple[int]]:
        return _shared_value, (self.number,)


class Workers:
    """Runs calls in so many processes, each of which calls ``prepare`` first; without any, when a result is asked for.

    To be used as a context. At its end calls that run are waited for, after an interruption ended, and calls that were
    not begun are dropped.
    """

    def __init__(self, processes: int, prepare: Callable[[], object] | None = None) -> None:
        context = get_context("spawn")
        reader, self._open_end = context.Pipe(duplex=False)
        self._pools = [_Pool(ProcessPoolExecutor(1, context, _initialise, (reader,))) for _ in range(processes)]
        self._shared: list[int] = []
        for pool in self._pools:
            pool.submit(pickle.dumps((prepare or _nothing, ())))

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and not isinstance(error, Exception):
            self._open_end.close()
        for pool in self._pools:
            pool.executor.shutdown(cancel_futures=True)
        self._open_end.close()
        for number in self._shared:
            del SHARED_VALUES[number]

    def start(self, function: Callable[..., T], *values: Any) -> Callable[[], T]:
        """Start ``function(*values)``; the callable returned waits for the result, or raises what the function raised.

        The function is one of a module, and values and result can be pickled, which is done before this returns. An
        error has the frames of the worker as its ``further_frames``. Raises OutsideError if the worker has ended.
        """
        return self._start(False, function, values)

    def offer(self, function: Callable[..., T], *values: Any) -> Callable[[], T]:
        """Start a call as ``start`` does, but do it here if no process has begun with it when its result is asked for.

        So nobody waits for a process that is busy with other calls.
        """
        return self._start(True, function, values)

    def _start(self, here_if_waiting: bool, function: Callable[..., T], values: tuple[Any, ...]) -> Callable[[], T]:
        if not self._pools:
            return lambda: function(*(value.value if isinstance(value, Shared) else value for value in values))
        pool = min(self._pools, key=_Pool.waiting)
        call = pickle.dumps((function, values), pickle.HIGHEST_PROTOCOL)
        future = pool.submit(call)
        return lambda: _answer(call) if here_if_waiting and future.cancel() else _result(future)

    def share(self, value: T) -> Shared:
        """Send a value once to all workers for several calls; it must not be changed afterwards."""
        number = next(NUMBERS)
        if self._pools:
            self._shared.append(number)
            SHARED_VALUES[number] = value
        call = pickle.dumps((_store_shared, (number, value)), pickle.HIGHEST_PROTOCOL) if self._pools else b""
        for pool in self._pools:
            pool.submit(call)
        return Shared(value, number)


class _Pool:
    """One process and what it was asked to do."""

    def __init__(self, executor: ProcessPoolExecutor) -> None:
        self.executor = executor
        self._asked: list[Future[Any]] = []

    def submit(self, call: bytes) -> Future[Any]:
        with _interruptions_blocked():
            self._asked.append(self.executor.submit(_answer, call))
        return self._asked[-1]

    def waiting(self) -> int:
        return sum(not future.done() for future in self._asked)


@contextmanager
def _interruptions_blocked() -> Iterator[None]:
    """Keep interruptions from a process that is started here: the build decides when it ends."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _result(future: Future[T]) -> T:
    try:
        return future.result()
    except BrokenProcessPool:
        raise OutsideError("a process of the build was ended from outside; is there memory enough?") from None
    except Exception as error:
        error.__cause__ = None  # the other process's traceback as a text, which may hold values
        raise


def _initialise(pipe: Connection) -> None:
    """Initialise a worker: printed text goes to standard error, not into the output of the command."""
    os.dup2(2, 1)
    Thread(target=_end_with, args=(pipe,), daemon=True).start()


def _end_with(pipe: Connection) -> None:
    pipe.poll(None)
    os._exit(1)


def _answer(call: bytes) -> Any:
    """Call the function that was packed with its values."""
    function, values = pickle.loads(call)  # noqa: S301 - from the process that started this one
    try:
        return function(*values)
    except Exception as error:
        error.further_frames = traceback.extract_tb(error.__traceback__)  # type: ignore[attr-defined]
        raise


def _store_shared(number: int, value: object) -> None:
    SHARED_VALUES[number] = value


def _shared_value(number: int) -> object:
    return SHARED_VALUES[number]


def _nothing() -> None:
    """Do nothing: the first call starts the process."""
