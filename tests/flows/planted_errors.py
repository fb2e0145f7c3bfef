"""Errors that hold a patient's values, of each class that a stage may raise."""

from __future__ import annotations

from collections.abc import Callable

from metadata.errors import OutsideError, StudyError, UsageError

NAME, BIRTH = "Zebedea O'Plantagenet-Quux", "1907-02-03"
PLANTED = f"record \"{NAME}\", field 'brthdat': born {BIRTH}"


def outside(text: str) -> OutsideError:
    """Return an error as extract raises it, with a value in quotes."""
    return OutsideError(f"REDCap listed 3 records, but '{text}' did not come; try again")


ERRORS: dict[str, Callable[[str], Exception]] = {
    "ValueError": ValueError,
    "StudyError": StudyError,
    "OutsideError": outside,
    "UsageError": lambda text: UsageError(f"--records '{text}' is not right"),
    "unprotected": ValueError,
}
