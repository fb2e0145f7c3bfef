"""How far the mapping of a study is: fields placed, places to decide, Required variables that nothing gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

WIDTH = 30
REQUIRED, OPEN, TERM = "is required: map it", "neither mapped", "is not a term of"


class Problem(Protocol):
    """What a check says of a place."""

    @property
    def severity(self) -> str:
        """Error or warning."""

    @property
    def key(self) -> str:
        """The key that is meant."""

    @property
    def message(self) -> str:
        """The sentence."""


@dataclass(frozen=True)
class MappingProgress:
    """Counts of a study: fields of its dictionary, those with a place, marks, terms and Required variables to be given.

    A field has a place if a mapping reads it or a reason says why it is not submitted. ``terms`` are choices for which
    no term is known, ``required`` variables that the guide requires and nothing gives.
    """

    fields: int
    placed: int
    marks: int
    terms: int
    required: int

    @property
    def share(self) -> float:
        """Return the share of the fields that have a place."""
        return self.placed / self.fields if self.fields else 1.0

    def __str__(self) -> str:
        """Return the bar and the counts, in ASCII, one line each."""
        filled = int(self.share * WIDTH)
        bar = "#" * filled + "-" * (WIDTH - filled)
        return (
            f"[{bar}] {self.placed} of {self.fields} fields placed ({int(self.share * 100)} %)\n"
            f"to decide: {self.marks} marks; terms open: {self.terms}; Required variables missing: {self.required}"
        )


def progress_of(study: str, problems: Sequence[Problem]) -> MappingProgress | None:
    """Return how far a study is, given what its check found; None where it has no project, or none that can be read."""
    from metadata.errors import StudyError
    from metadata.study import Study
    from sdtm.mapping.not_submitted import UNDECIDED, read_not_submitted

    try:
        opened = Study.open(study)
        fields = [name for name, item in opened.project().dictionary.fields.items() if item.type != "descriptive"]
        undecided = {name for name, reason in read_not_submitted(opened).fields.items() if reason == UNDECIDED}
    except StudyError:
        return None
    nowhere = {problem.key for problem in problems if OPEN in problem.message}
    return MappingProgress(
        fields=len(fields),
        placed=sum(name not in undecided | nowhere for name in fields),
        marks=sum(problem.severity == "warning" for problem in problems),
        terms=sum(TERM in problem.message for problem in problems),
        required=sum(REQUIRED in problem.message for problem in problems),
    )
