"""Ages as criteria of grades have them: completed days, months or years at the day of a result."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from metadata.errors import StudyError
from metadata.iso8601 import SAS_EPOCH

UNITS = {"d": "days", "mo": "months", "y": "years"}
END = re.compile(r"(?P<sign>>=|<=|>|<)?\s*(?P<count>\d+)\s*(?P<unit>d|mo|y)?")


@dataclass(frozen=True)
class Ages:
    """Completed days, months and years of each result's subject, NaN where birth or day is not known."""

    days: np.ndarray
    months: np.ndarray
    years: np.ndarray

    @classmethod
    def at(cls, on: np.ndarray, birth: np.ndarray) -> Ages:
        """Return the ages on days, both counted from 1960-01-01; a month is completed on the same day of the month."""
        known = ~np.isnan(on) & ~np.isnan(birth)
        then, born = (SAS_EPOCH + np.nan_to_num(one).astype("timedelta64[D]") for one in (on, birth))
        months = (then.astype("datetime64[M]") - born.astype("datetime64[M]")).astype(int)
        months -= _day_of_month(then) < _day_of_month(born)
        return cls(*(np.where(known, one, np.nan) for one in (on - birth, months, months // 12)))


def _day_of_month(days: np.ndarray) -> np.ndarray:
    return np.asarray((days - days.astype("datetime64[M]")).astype(int))


@dataclass(frozen=True)
class AgeEnd:
    """One end of a band of ages: so many completed units, themselves within it or not."""

    count: int
    unit: str
    closed: bool


@dataclass(frozen=True)
class AgeBand:
    """The ages for which criteria hold, with an end on either side or on both."""

    low: AgeEnd | None
    high: AgeEnd | None

    def holds(self, ages: Ages) -> np.ndarray:
        """Return True for ages within the band, False where the age is not known."""
        made = ~np.isnan(ages.days)
        with np.errstate(invalid="ignore"):
            for end, sign in ((self.low, 1), (self.high, -1)):
                if end is not None:
                    beyond = sign * (getattr(ages, UNITS[end.unit]) - end.count)
                    made &= beyond >= 0 if end.closed else beyond > 0
        return made


def parse_age(text: str) -> AgeBand:
    """Read ``>28 d``, ``<=7 d``, ``2 - 7 d``, ``57 d - <13 y``; raises StudyError for what is no band of ages.

    The ends of an interval belong to it unless they have a sign.
    """
    ends = [END.fullmatch(part.strip()) for part in text.split(" - ")]
    units = [end["unit"] for end in ends if end]
    signs = [end["sign"] or "" for end in ends if end]
    alone = len(ends) == 1 and bool(signs and signs[0])
    both = len(ends) == 2 and len(signs) == 2 and not signs[0].startswith("<") and not signs[1].startswith(">")
    if None in ends or not (alone or both) or not units[-1]:
        raise StudyError(f"'{text}' is not a band of ages, such as '>28 d', '2 - 7 d' or '57 d - <13 y'")
    made = [
        AgeEnd(int(end["count"]), end["unit"] or units[-1], sign not in ("<", ">"))
        for end, sign in zip(ends, signs, strict=True)
        if end
    ]
    if both:
        return AgeBand(*made)
    return AgeBand(made[0], None) if signs[0].startswith(">") else AgeBand(None, made[0])
