"""Dates in free-text fields: in which order a study's forms write day, month and year, and how they say unknown.

study.yaml declares them once, for the generator, the checks and the tabulation:
``text_dates: [{fields: [FIELD, ...], order: dmy, unknown: [UN]}]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import pandas as pd

from metadata import iso8601
from metadata.errors import nearest
from metadata.yaml_source import complain

ORDERS = tuple("".join(order) for order in permutations("dmy"))
DIGITS = {"y": r"\d{4}", "m": r"\d{1,2}", "d": r"\d{1,2}"}
SEPARATORS = "[-/. ]"


@dataclass(frozen=True)
class TextDate:
    """How a text is written as a date: ``order`` (dmy, mdy, ymd, ...) and the words of a part that is not known."""

    order: str
    unknown: tuple[str, ...] = ()

    def _parts(self, texts: pd.Series) -> pd.DataFrame:
        """Return year, month and day of each text, NaN throughout where it is not written so."""
        words = "".join(f"|{re.escape(word)}" for word in self.unknown)
        parts = [f"(?P<{part}>{DIGITS[part]}{words})" for part in self.order]
        pattern = "^" + SEPARATORS.join(parts) + "$"
        return texts.astype("str").str.strip().str.extract(pattern, flags=re.IGNORECASE)

    def iso(self, texts: pd.Series) -> pd.Series:
        """Return ISO 8601 texts, partial where a part is unknown; blank where a text cannot be read."""
        parts = self._parts(texts).fillna("")
        made = iso8601.from_parts(parts["y"], parts["m"], parts["d"])
        return made.where(self.is_readable(texts), "")

    def is_readable(self, texts: pd.Series) -> pd.Series:
        """Return True where a text is blank, or written in this order and a date that the calendar has."""
        parts = self._parts(texts)
        made = iso8601.from_parts(*(parts[name].fillna("") for name in "ymd"))
        return (parts["y"].notna() & iso8601.is_valid(made)) | (texts.astype("str").str.strip() == "")

    def written(self, year: pd.Series, month: pd.Series, day: pd.Series) -> pd.Series:
        """Return texts in this order, parts that are blank by the first word for unknown; blank without any part."""
        word = self.unknown[0] if self.unknown else ""
        parts = {"y": year, "m": month, "d": day}
        shown = [parts[name].where(parts[name] != "", word) for name in self.order]
        joined = shown[0] + "-" + shown[1] + "-" + shown[2]
        return joined.where((year != "") | (month != "") | (day != ""), "").astype("str")


def read_text_dates(config: Mapping[str, Any]) -> dict[str, TextDate]:
    """Return by field how its dates are written; raises StudyError for an order or a key that there is not."""
    made: dict[str, TextDate] = {}
    for node in config.get("text_dates") or []:
        for key in ("fields", "order"):
            if key not in node:
                raise complain(node, None, f"an entry of text_dates needs the key '{key}'")
        if node["order"] not in ORDERS:
            hint = nearest(str(node["order"]), ORDERS)
            raise complain(node, "order", f"'{node['order']}' is no order of day, month and year{hint}")
        written = TextDate(str(node["order"]), tuple(str(word) for word in node.get("unknown", [])))
        made |= {str(name): written for name in node["fields"]}
    return made


def check_text_dates(config: Mapping[str, Any], fields: Iterable[str]) -> None:
    """Raise StudyError, with the nearest name, for a field that the dictionary does not have."""
    known = list(fields)
    for node in config.get("text_dates") or []:
        for name in node["fields"]:
            if name not in known:
                raise complain(node, "fields", f"the dictionary has no field '{name}'{nearest(str(name), known)}")
