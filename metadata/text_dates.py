"""Dates in free-text fields: in which order a study's forms write day, month and year, and how they say unknown.

study.yaml declares them once, for the generator, the checks and the tabulation:
``text_dates: [{fields: [FIELD, ...], order: dmy, unknown: [UN]}]``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from metadata import iso8601
from metadata.coded_text import CodedText

if TYPE_CHECKING:
    import pandas as pd

DateOrder = Literal["dmy", "dym", "mdy", "myd", "ydm", "ymd"]
DIGITS = {"y": "[0-9]{4}", "m": "[0-9]{1,2}", "d": "[0-9]{1,2}"}
PARTS: dict[str, Literal["year", "month", "day"]] = {"y": "year", "m": "month", "d": "day"}
SEPARATORS = "[-/. ]"


@dataclass(frozen=True)
class TextDate:
    """How a text is written as a date: ``order`` (dmy, mdy, ymd, ...) and the texts for a part that is not known."""

    order: DateOrder
    unknown: tuple[str, ...] = ()

    @cached_property
    def _patterns(self) -> list[re.Pattern[str]]:
        """The whole date, the month of a year, a year; a year has four digits, so that none is taken for another."""
        words = "".join(f"|{re.escape(word)}" for word in self.unknown)
        orders = [self.order, self.order.replace("d", ""), "y"]
        written = ([f"(?P<{part}>{DIGITS[part]}{words})" for part in order] for order in orders)
        return [re.compile(SEPARATORS.join(parts), re.IGNORECASE) for parts in written]

    @cached_property
    def _unknown(self) -> frozenset[str]:
        return frozenset(word.lower() for word in self.unknown)

    def read(self, text: str) -> str | None:
        """Return the ISO 8601 text, partial where a part is unknown; None unless it is written so and in the calendar.

        A part that is not known may be left out, the day first. A blank text is read as one.
        """
        bare = text.strip()
        found = next((match for match in (pattern.fullmatch(bare) for pattern in self._patterns) if match), None)
        if not found:
            return None if bare else ""
        parts = {part: "" if text.lower() in self._unknown else text for part, text in found.groupdict().items()}
        if not all(iso8601.is_part(text, PARTS[part]) for part, text in parts.items()):
            return None
        made = iso8601.from_parts(parts["y"], parts.get("m", ""), parts.get("d", ""))
        return made if iso8601.is_date(made) else None

    def iso(self, texts: pd.Series) -> pd.Series:
        """Return the ISO 8601 texts of a column; blank where a text cannot be read."""
        import pandas as pd

        made = CodedText.of_series(texts).map(lambda text: self.read(text) or "")
        return pd.Series(made.array(), index=texts.index, dtype="str")

    def is_readable(self, texts: pd.Series) -> pd.Series:
        """Return where a text of a column is blank, or written in this order and a date that the calendar has."""
        import pandas as pd

        readable = CodedText.of_series(texts).test(lambda text: self.read(text) is not None)
        return pd.Series(readable, index=texts.index)

    def written(self, year: pd.Series, month: pd.Series, day: pd.Series) -> pd.Series:
        """Return texts in this order, parts that are blank by the first text for unknown; blank without any part."""
        word = self.unknown[0] if self.unknown else ""
        parts = {"y": year, "m": month, "d": day}
        shown = [parts[name].where(parts[name] != "", word) for name in self.order]
        joined = shown[0] + "-" + shown[1] + "-" + shown[2]
        return joined.where((year != "") | (month != "") | (day != ""), "").astype("str")
