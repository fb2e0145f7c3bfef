"""What may go wrong, as one sentence for the user and an exit code for the shell."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType


class RedcapCdiscError(Exception):
    """Base of every error a user is meant to read; ``str(error)`` is one clear sentence."""

    exit_code = 1


class StudyError(RedcapCdiscError):
    """The data or the mapping is not fit: says file, line and key where they are known (exit code 1).

    Where several things are wrong (see Gather), the error speaks of the first and ``others`` holds the rest.
    """

    others: tuple[StudyError, ...] = ()

    def __init__(
        self, message: str, file: str | Path | None = None, line: int | None = None, key: str | None = None
    ) -> None:
        self.message, self.file, self.line, self.key = message, file, line, key
        places = [str(file) if file else "", f"line {line}" if line else "", f"key '{key}'" if key else ""]
        where = ", ".join(place for place in places if place)
        super().__init__(f"{where}: {message}" if where else message)

    @property
    def each(self) -> tuple[StudyError, ...]:
        """This error and the others that were found."""
        return (self, *self.others)

    @property
    def suggestion(self) -> str:
        """The nearest right name that the message proposes, or an empty text."""
        found = SUGGESTED.search(self.message)
        return found[1] if found else ""


class Gather:
    """Finds all that is wrong in several parts: ``with Gather() as gather``, and ``with gather.part()`` around each.

    A part's StudyError is kept and the next part goes on; at the end one StudyError is raised for all of them, if any.
    What the parts made is whole only where nothing is raised.
    """

    def __init__(self) -> None:
        self.found: list[StudyError] = []

    def __enter__(self) -> Gather:
        return self

    def part(self) -> _Part:
        """Keep the StudyError of this part."""
        return _Part(self.found)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, StudyError):
            self.found.extend(error.each)
        elif error is not None:
            return
        if self.found:
            first, *rest = _distinct(self.found)
            first.others = tuple(rest)
            raise first from None


class _Part:
    """Keeps a StudyError and lets all others pass; a class, since a check opens some ten thousands of them."""

    __slots__ = ("_found",)

    def __init__(self, found: list[StudyError]) -> None:
        self._found = found

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, StudyError):
            return False
        self._found.extend(error.each)
        return True


class UsageError(RedcapCdiscError):
    """The command was used wrongly (exit code 2)."""

    exit_code = 2


class OutsideError(RedcapCdiscError):
    """A part outside failed: REDCap, the network or the disk (exit code 3)."""

    exit_code = 3


def _distinct(errors: list[StudyError]) -> list[StudyError]:
    """Return the errors in their order, one that was found several times once."""
    made: dict[str, StudyError] = {}
    for error in errors:
        made.setdefault(str(error), error)
    return list(made.values())


SUGGESTED = re.compile(r"\(did you mean '([^']*)'\?\)")
"""What ``nearest`` writes."""


def nearest(word: str, choices: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the choice closest to ``word``, or an empty text."""
    names = sorted(choices)
    close = [name for name in names if name.lower() == word.lower()] or difflib.get_close_matches(word, names, n=1)
    return f" (did you mean '{close[0]}'?)" if close else ""
