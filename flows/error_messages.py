"""What a user sees when something goes wrong: one sentence and an exit code, never a traceback."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from flows.masking import quotes_masked, values_masked
from metadata.errors import SUGGESTED, RedcapCdiscError, StudyError

DETAILS_VARIABLE = "REDCAP_CDISC_LOG"
ABORTED = 130
UNEXPECTED = 3
MEANT = "(?)"
NOT_PUBLISHED = ". Nothing was published; the findings are in "
T = TypeVar("T")


def run_guarded(command: Callable[[], None]) -> int:
    """Run a command and return its exit code; what it raises is printed as one sentence on standard error."""
    try:
        command()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException as error:  # the last place where a traceback can be kept from the user
        sentence, code = explain(error)
        print(f"redcap-cdisc: {sentence}", file=sys.stderr)  # noqa: T201
        return code
    return 0


def explain(error: BaseException) -> tuple[str, int]:
    """Return the sentence for the user and the exit code."""
    if isinstance(error, NeutralError):
        return explain(error.original) if error.original else (str(error), error.exit_code)
    if isinstance(error, RedcapCdiscError):
        return str(error), error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return "stopped by the user; nothing was published", ABORTED
    if isinstance(error, BrokenPipeError):
        return "the program that reads the output has gone", UNEXPECTED
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}", UNEXPECTED
    return f"{defect(error)}{_keep_details(error)}", UNEXPECTED


def defect(error: BaseException) -> str:
    """Name an unexpected error by its type and place, without its message, which may hold a patient's value."""
    frames = _frames(error)
    here = Path(__file__).parent.parent
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(here) and ".venv" not in frame.filename]
    place = own[-1] if own else frames[-1] if frames else None
    at = f" in {Path(place.filename).parent.name}/{Path(place.filename).name}, line {place.lineno}" if place else ""
    return f"a defect of redcap-cdisc stopped it ({type(error).__name__}{at}); nothing was published"


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    """Return the way to an error, through a worker if it came from there (see flows.worker)."""
    return [*traceback.extract_tb(error.__traceback__), *getattr(error, "further_frames", ())]


def details(error: BaseException) -> str:
    """Return the way to an error as types and places in the code, without messages and values."""
    lines = []
    link: BaseException | None = error
    while link is not None:
        lines.append(type(link).__name__)
        lines += [f"  {f.filename}:{f.lineno} {f.name}" for f in _frames(link)]
        link = link.__cause__ or link.__context__
    return "\n".join(lines) + "\n"


def _keep_details(error: BaseException) -> str:
    target = os.environ.get(DETAILS_VARIABLE)
    if not target:
        return f"; for the places in the code set {DETAILS_VARIABLE} to a file's name and run it again"
    try:
        Path(target).write_text(details(error), encoding="utf-8")
    except OSError as problem:
        return f"; the places in the code could not be written to {target}: {problem.strerror}"
    return f"; the places in the code are in {target}"


class NeutralError(RuntimeError):
    """An error that an orchestrator may keep: its text holds no patient's value, and nothing else of it is stored.

    ``original`` is what was raised, in the process that it was raised in; a copy (pickled, as Prefect stores it) has
    None instead.
    """

    def __init__(self, sentence: str, exit_code: int, original: Exception | None = None) -> None:
        self.exit_code, self.original = exit_code, original
        super().__init__(sentence)

    @classmethod
    def of(cls, error: Exception) -> NeutralError:
        """Return what may be kept of an error."""
        if isinstance(error, cls):
            return error
        code = error.exit_code if isinstance(error, RedcapCdiscError) else UNEXPECTED
        return cls(_without_values(error), code, error)

    def __reduce__(self) -> tuple[type[NeutralError], tuple[str, int]]:
        return NeutralError, (str(self), self.exit_code)


def neutral(function: Callable[..., T], *values: Any) -> T:
    """Return ``function(*values)``; what it raises becomes a NeutralError without cause and context."""
    try:
        return function(*values)
    except Exception as error:
        kept = NeutralError.of(error)
    raise kept


def _without_values(error: Exception) -> str:
    """Return a sentence without values: those of findings may stand anywhere in it, those of other errors in quotes."""
    if isinstance(error, StudyError):
        text, tail = str(error), ""
        if NOT_PUBLISHED in text:  # our own sentence, with the path of a folder
            text, tail = text.split(NOT_PUBLISHED, 1)
            tail = NOT_PUBLISHED + tail
        message = error.message.split(NOT_PUBLISHED)[0]
        place, meant = text.removesuffix(message), ""
        if error.file and (found := SUGGESTED.search(message)):  # a name that the mapping may have, no value
            message, meant = message.replace(found[0], MEANT), found[0]
        return f"{place}{values_masked(message).replace(MEANT, meant)}{tail}"
    if isinstance(error, RedcapCdiscError):
        return quotes_masked(str(error))
    return defect(error)
