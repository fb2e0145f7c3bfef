"""How a text field's validation type wants its value written, as REDCap exports it (dates are always ISO)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from metadata.expression_column import matches

Kind = Literal["integer", "number", "date", "datetime", "time", "text"]

ANY_NUMBER = r"[+-]?(?:\d+[.,]?\d*|[.,]\d+)"
DATE = r"\d{4}-\d{2}-\d{2}"
CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d"
PHRASE = {
    "integer": "a whole number",
    "number": "a number",
    "date": "a date of the calendar as YYYY-MM-DD",
    "datetime": "a date of the calendar with a time of day",
    "time": "a time of day",
    "text": "a text",
}


@dataclass(frozen=True)
class Format:
    """What kind of value a validation type takes, the pattern it must be written in and what that pattern is called."""

    kind: Kind
    pattern: str
    words: str
    decimal_comma: bool = False

    def is_of_kind(self, values: np.ndarray) -> np.ndarray:
        """Return True where a text can be read as this kind of value, however it is written."""
        if self.kind == "number":
            return matches(values, ANY_NUMBER)
        if self.kind in ("date", "datetime"):
            return matches(values, self.pattern) & _in_calendar(values)
        return matches(values, self.pattern) if self.kind != "text" else np.ones(len(values), bool)

    def is_written(self, values: np.ndarray) -> np.ndarray:
        """Return True where a text is written as the validation type asks."""
        return matches(values, self.pattern)


def _in_calendar(values: np.ndarray) -> np.ndarray:
    days = pd.Series(values, dtype="str").str.slice(0, 10)
    return pd.to_datetime(days, format="%Y-%m-%d", errors="coerce").notna().to_numpy(bool)


TEXTS = {
    "email": (r"[^@\s]+@[^@\s]+\.[^@\s.]{2,}", "an e-mail address"),
    "phone": (r"[0-9()+.\-\s]{7,}(?:\s*(?:x|ext\.?)\s*\d+)?", "a telephone number"),
    "zipcode": (r"\d{5}(?:-\d{4})?", "a five-digit postal code"),
    "ssn": (r"\d{3}-\d{2}-\d{4}", "a number as 123-45-6789"),
    "alpha_only": (r"[A-Za-z]+", "letters only"),
    "mrn_10d": (r"\d{10}", "ten digits"),
}
TIMES = {
    "time": (CLOCK, "a time as HH:MM"),
    "time_hh_mm_ss": (rf"{CLOCK}:[0-5]\d", "a time as HH:MM:SS"),
    "time_mm_ss": (r"[0-5]\d:[0-5]\d", "a time as MM:SS"),
}
SIMPLE = {
    "integer": Format("integer", r"[+-]?\d+", "a whole number"),
    **{name: Format("time", *words) for name, words in TIMES.items()},
    **{name: Format("text", *words) for name, words in TEXTS.items()},
}
DATES = {  # by how the validation type begins, the longest first
    "datetime_seconds_": Format("datetime", rf"{DATE} {CLOCK}:[0-5]\d", "a date and time as YYYY-MM-DD HH:MM:SS"),
    "datetime_": Format("datetime", rf"{DATE} {CLOCK}", "a date and time as YYYY-MM-DD HH:MM"),
    "date_": Format("date", DATE, PHRASE["date"]),
}
NUMBER_TYPE = re.compile(r"number(?:_(\d+)dp)?(?:_comma_decimal)?")


def format_of(validation: str) -> Format | None:
    """Return the format of a REDCap validation type; None if it has none that is known here."""
    if found := NUMBER_TYPE.fullmatch(validation):
        return _number(found[1], validation.endswith("comma_decimal"))
    for prefix, written in DATES.items():
        if validation.startswith(prefix):
            return written
    return SIMPLE.get(validation)


def _number(decimals: str | None, comma: bool) -> Format:
    mark, name = (",", "a decimal comma") if comma else (r"\.", "a decimal point")
    if decimals is None:
        return Format("number", rf"[+-]?(?:\d+(?:{mark}\d*)?|{mark}\d+)", f"a number with {name}, if any", comma)
    places = f"{decimals} decimal" + ("" if decimals == "1" else "s")
    return Format("number", rf"[+-]?\d*{mark}\d{{{decimals}}}", f"a number with {places} and {name}", comma)
