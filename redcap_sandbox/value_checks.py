"""Whether a posted value may be stored in its field: dates to ISO, validation types, codes."""

from __future__ import annotations

import re
from datetime import datetime

from metadata.dictionary import Field

NOT_EXPECTED = (
    "The value you provided could not be validated because it does not follow the expected format. Please try again."
)
NO_CATEGORY = "The value is not a valid category for {}"
NO_BOX = "A checkbox option may only have the values 0 and 1"
NO_FILE = "A file cannot be imported with the records; it has a method of its own"
CATEGORIES = ("dropdown", "radio", "yesno", "truefalse")
STATUSES = ("0", "1", "2")
DATE_PARTS = {"YMD": ("year", "month", "day"), "MDY": ("month", "day", "year"), "DMY": ("day", "month", "year")}
DATE = re.compile(r"(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})(?:[ T](\d{1,2}:\d{2}(?::\d{2})?))?")
SHAPES = {
    "time": r"([01]?\d|2[0-3]):[0-5]\d",
    "time_hh_mm_ss": r"([01]?\d|2[0-3]):[0-5]\d:[0-5]\d",
    "time_mm_ss": r"[0-5]\d:[0-5]\d",
    "integer": r"[-+]?\d+",
    "number": r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?",
    "number_comma_decimal": r"[-+]?(\d+,?\d*|,\d+)",
    "email": r"[^\s@]+@[^\s@]+\.[^\s@]+",
    "phone": r"[-+().\d\sx#]{7,}",
    "zipcode": r"\d{5}(-\d{4})?",
    "ssn": r"\d{3}-\d\d-\d{4}",
    "alpha_only": r"[A-Za-z]+",
    "mrn_10d": r"\d{10}",
    "vmrn": r"\d{4,9}",
    "postalcode_australia": r"\d{4}",
    "postalcode_canada": r"[A-Za-z]\d[A-Za-z] ?\d[A-Za-z]\d",
    "postalcode_french": r"\d{5}",
    "postalcode_germany": r"\d{5}",
}
"""Patterns of the validation types; one that a site added of its own is not known here and lets everything pass."""
PLACES = re.compile(r"number_(\d)dp(_comma_decimal)?")
SECONDS = {"date": 0, "datetime_seconds": 2, "datetime": 1}
"""Colons in the time of each kind of date."""


def problem_of(field: Field | None, code: str, value: str, missing: dict[str, str]) -> str:
    """Return what is wrong with a value that is not blank, or a blank text; dates are ISO already.

    ``field`` None is a form's status; ``code`` is that of a checkbox option. A missing-data code is always right.
    """
    if field is None:
        return "" if value in STATUSES else NO_CATEGORY.format("Complete?")
    if code:
        return "" if value in ("0", "1") else NO_BOX
    if value in missing or field.type == "calc":
        return ""
    if field.type in CATEGORIES:
        return "" if value in field.choices else NO_CATEGORY.format(field.name)
    if field.type == "file":
        return NO_FILE
    return "" if _valid("integer" if field.type == "slider" else field.validation, value) else NOT_EXPECTED


def _valid(kind: str, value: str) -> bool:
    if kind.startswith("date"):
        return _is_iso(kind, value)
    places = PLACES.fullmatch(kind)
    if places:
        mark = "," if places[2] else "[.]"
        return bool(re.fullmatch(rf"[-+]?\d*{mark}\d{{{places[1]}}}", value))
    return kind not in SHAPES or bool(re.fullmatch(SHAPES[kind], value))


def _is_iso(kind: str, value: str) -> bool:
    """True for a day that exists, with as much of a time as the kind has."""
    colons = SECONDS[kind.rsplit("_", 1)[0]]
    shape = "%Y-%m-%d" + ["", " %H:%M", " %H:%M:%S"][colons]
    try:
        return datetime.strptime(value, shape).strftime(shape) == value
    except ValueError:
        return False


def iso_date(field: Field, value: str, order: str) -> str:
    """Return a date in the order a client named (YMD, MDY, DMY) as ISO; what is no date stays as it is.

    A time without seconds gets them where the field has seconds, as on a real server.
    """
    found = DATE.fullmatch(value.strip())
    if not field.validation.startswith("date") or not found:
        return value
    parts = dict(zip(DATE_PARTS[order], found.groups()[:3], strict=True))
    if len(parts["year"]) != 4 and order == "YMD":
        return value
    year = parts["year"] if len(parts["year"]) == 4 else f"20{parts['year']:0>2}"
    day = f"{year}-{parts['month']:0>2}-{parts['day']:0>2}"
    time = found[4] or ""
    if time and field.validation.startswith("datetime_seconds") and time.count(":") == 1:
        time += ":00"
    return f"{day} {time}".strip()
