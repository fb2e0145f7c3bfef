"""What may go wrong, as one sentence for the user and an exit code for the shell."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class RedcapCdiscError(Exception):
    """Base of every error a user is meant to read; ``str(error)`` is one clear sentence."""

    exit_code = 1


class StudyError(RedcapCdiscError):
    """The data or the mapping is not fit: says file, line and key where they are known (exit code 1)."""

    def __init__(
        self, message: str, file: str | Path | None = None, line: int | None = None, key: str | None = None
    ) -> None:
        self.message, self.file, self.line, self.key = message, file, line, key
        places = [str(file) if file else "", f"line {line}" if line else "", f"key '{key}'" if key else ""]
        where = ", ".join(place for place in places if place)
        super().__init__(f"{where}: {message}" if where else message)


class UsageError(RedcapCdiscError):
    """The command was used wrongly (exit code 2)."""

    exit_code = 2


class OutsideError(RedcapCdiscError):
    """A part outside failed: REDCap, the network or the disk (exit code 3)."""

    exit_code = 3


def nearest(word: str, choices: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the choice closest to ``word``, or an empty text."""
    close = difflib.get_close_matches(word, sorted(choices), n=1)
    return f" (did you mean '{close[0]}'?)" if close else ""
