"""Agreeing with a draft: the marks of what is likely, or guessed, become plain comments, file by file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from flows.check import MARK
from metadata.errors import UsageError
from sdtm.draft.completion import NEEDED
from sdtm.draft.recognised import CERTAIN, GUESS, LIKELY

FOLDER = "sdtm"


def agree(study: Path, files: Sequence[str] = (), guesses: bool = False) -> dict[Path, int]:
    """Make plain comments of the marks of some files of a study (``ae`` is sdtm/ae.yaml), of all without ``files``.

    The reason stays. Agreed is with lines that a draft calls likely and has no doubt of, with ``guesses`` also with the
    others; what stands in for a value that the forms do not give, and a field that is not decided yet, stay open.
    Returns the number of marks by file; raises UsageError for a file that is not there.
    """
    there = {path.stem: path for path in sorted((study / FOLDER).glob("*.yaml"))}
    if not there:
        raise UsageError(f"{study} has no {FOLDER}/*.yaml, so it is no study's folder")
    named = [name.removeprefix(f"{FOLDER}/").removesuffix(".yaml").lower() for name in files]
    for name in named:
        if name not in there:
            raise UsageError(f"{study} has no {FOLDER}/{name}.yaml; there are {', '.join(there)}")
    meant = rf"(?!.*{NEEDED})({CERTAIN}|{LIKELY}|{GUESS}):" if guesses else f"{LIKELY}:[^;]*$"
    marks = re.compile(rf"# {re.escape(MARK)}: (?={meant})", re.MULTILINE)
    made = {}
    for path in [there[name] for name in named] or there.values():
        text, count = marks.subn("# ", path.read_text(encoding="utf-8"))
        if count:
            path.write_text(text, encoding="utf-8", newline="\n")
            made[path] = count
    return made


def show_agreement(study: Path, files: Sequence[str], guesses: bool) -> None:
    """Agree, and say with how many marks and how far the mapping is."""
    from flows.check import show_progress

    for path, count in agree(study, files, guesses).items():
        print(f"{path}  {count} agreed")  # noqa: T201
    show_progress(str(study))
