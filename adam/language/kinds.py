"""Kinds on the annotated parameters of derivations: which a named variable may have, and which a new one has.

``NumberColumn`` is a variable that must hold numbers, ``NewDate`` one that the derivation makes as a date. A plain
``Column`` may be of any kind, and the derivation says itself of which kind a plain ``NewColumn`` is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

from metadata.condition import DatasetKinds
from metadata.declaration import Column, NewColumn, OtherColumn, marked_names, parameters
from metadata.declaration_limits import Limit, Written
from metadata.errors import Gather, StudyError
from metadata.variable_kind import (
    CHAR,
    DATE,
    DATETIME,
    NUM,
    PHRASE,
    PLAIN_NUMBER,
    TIME,
    PlainNumber,
    differ,
    is_number,
    wanted_kind,
)


@dataclass(frozen=True)
class OfKind:
    """The kinds that a variable may have, or the one kind of a variable that is made."""

    kinds: tuple[str, ...]

    def allows(self, kind: str) -> bool:
        """Return True for a kind that is fit, and where that is not known: a number of unknown origin may be a date."""
        may_be_date = kind == NUM and not isinstance(kind, PlainNumber)
        return not kind or kind in self.kinds or (may_be_date and any(map(is_number, self.kinds)))

    @property
    def phrase(self) -> str:
        """What errors call the kinds: a date or a datetime."""
        return " or ".join(PHRASE[kind] for kind in self.kinds)

    def __str__(self) -> str:
        return " or ".join(PHRASE[kind].removeprefix("a ") for kind in self.kinds)


TextColumn = Annotated[Column, OfKind((CHAR,))]
NumberColumn = Annotated[Column, OfKind((NUM,))]
NumericColumn = Annotated[Column, OfKind((NUM, DATE, DATETIME, TIME))]
"""Anything but a text."""
ValueColumn = Annotated[Column, OfKind((CHAR, NUM))]
"""A text or a number, of which what is written does not depend on a display format."""
DateColumn = Annotated[Column, OfKind((DATE,))]
DatetimeColumn = Annotated[Column, OfKind((DATETIME,))]
TimeColumn = Annotated[Column, OfKind((TIME,))]
DayColumn = Annotated[Column, OfKind((DATE, DATETIME))]
"""A date, or a datetime of which the day is looked at."""
OtherNumber = Annotated[OtherColumn, OfKind((NUM,))]
OtherDay = Annotated[OtherColumn, OfKind((DATE, DATETIME))]
NewText = Annotated[NewColumn, OfKind((CHAR,))]
NewNumber = Annotated[NewColumn, OfKind((PLAIN_NUMBER,))]
NewDate = Annotated[NewColumn, OfKind((DATE,))]
NewDatetime = Annotated[NewColumn, OfKind((DATETIME,))]
NewTime = Annotated[NewColumn, OfKind((TIME,))]


Days = Annotated[int, Limit(0)]
"""A number of days, or of other things that are counted."""
Several = Annotated[int, Limit(1)]
"""A count of one or more."""
ParameterCode = Annotated[
    str, Written("[A-Z_][A-Z0-9_]{0,7}", "a code of at most eight capitals, digits and underscores, no digit first")
]
"""A value of PARAMCD (ADaMIG 1.3, BDS Analysis Parameter Variables)."""
KnownParameter = Annotated[str, "parameter"]
"""A PARAMCD that the records have, or that a derivation gives them."""


class Use(NamedTuple):
    """A variable that a parameter names: the parameter, the dataset ("" the own one), the variable and its kinds."""

    parameter: str
    dataset: str
    variable: str
    wanted: OfKind


def uses(declared: Any, role: str, dataset: str = "") -> Iterator[Use]:
    """Yield the variables that a declaration names in a role (reads, other, makes), if their kinds are declared."""
    dataset = getattr(declared, "dataset", dataset)
    for parameter, annotation in parameters(type(declared)).items():
        for found in marked_names(annotation, getattr(declared, parameter)):
            owner = getattr(found.owner, "dataset", dataset) if role == "other" else ""
            for mark in found.marks:
                if found.role == role and isinstance(mark, OfKind):
                    yield Use(parameter, owner, found.name, mark)


def other_names(declared: Any) -> Iterator[tuple[str, str]]:
    """Yield dataset and name of the variables of other datasets that a derivation names, those of ``by`` among them."""
    dataset = str(getattr(declared, "dataset", ""))
    for parameter, annotation in parameters(type(declared)).items():
        for found in marked_names(annotation, getattr(declared, parameter)):
            if found.role == "other":
                yield str(getattr(found.owner, "dataset", dataset)), found.name
            elif parameter == "by" and dataset:
                yield dataset, found.name


def check_kind(use: Use, kind: str) -> None:
    """Raise StudyError if a variable is not of a kind that its parameter takes."""
    if not use.wanted.allows(kind):
        name = f"{use.dataset}.{use.variable}" if use.dataset else use.variable
        raise StudyError(f"{name} is {PHRASE[kind]}; {use.parameter} takes {use.wanted.phrase}")


def check_kinds(declared: Any, kinds: DatasetKinds) -> None:
    """Raise one StudyError for all variables of a declaration that are of another kind than it takes.

    ``kinds`` are the known kinds by dataset and variable, those of the own dataset under "".
    """
    with Gather() as gather:
        for role in ("reads", "other"):
            for use in uses(declared, role):
                with gather.part():
                    check_kind(use, kinds.get(use.dataset, {}).get(use.variable, ""))


def common_kind(kinds: DatasetKinds, names: Sequence[str]) -> str:
    """Return the kind of several variables of the own dataset that are of one kind, the one that says most."""
    known = [kinds.get("", {}).get(name, "") for name in names]
    return next((kind for kind in known if kind and kind != NUM), next((kind for kind in known if kind), ""))


def check_alike(kinds: DatasetKinds, names: Sequence[str]) -> None:
    """Raise StudyError if variables of the own dataset are of different kinds."""
    wanted = common_kind(kinds, names)
    first = next((name for name in names if kinds.get("", {}).get(name, "") == wanted), "")
    for name in names:
        kind = kinds.get("", {}).get(name, "")
        if differ(kind, wanted):
            raise StudyError(f"{first} is {PHRASE[wanted]}, {name} is {PHRASE[kind]}; all must be of one kind")


def check_moment(name: str, display: str | None, made: str) -> None:
    """Raise StudyError where format or name of a variable say date, datetime, time or day, and another is made."""
    wanted = wanted_kind(name, display)
    if made != CHAR and differ(wanted, made):
        raise StudyError(f"{name} should be {PHRASE[wanted]}, and the derivation makes {PHRASE[made]}")
