"""The trial summary parameters of the guide: which are asked for, how each is written, and in what it is coded.

Source: SDTMIG 3.3, section 7.4 and appendix C1 (Trial Summary Codes).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from metadata import iso8601
from metadata.standards import FOLDER

TABLE = "ts-parameters.csv"
WHOLE, SHARE = re.compile(r"[1-9]\d*", re.ASCII), re.compile(r"0?\.\d+|[01](\.0+)?", re.ASCII)


def _is_date(text: str) -> bool:
    return bool(iso8601.text_is_valid([text.partition("T")[0]])[0])


WRITTEN: dict[str, Callable[[str], object]] = {
    "count": WHOLE.fullmatch,
    "yes_no": ("Y", "N").__contains__,
    "share": SHARE.fullmatch,
    "date": _is_date,
}
"""Which texts the forms of parameters allow, but for durations."""
MEANT = {
    "count": "a whole number above 0",
    "yes_no": "Y or N",
    "share": "a share between 0 and 1",
    "date": "a date of ISO 8601, such as 2001-12-31",
}


@dataclass(frozen=True)
class GuideParameter:
    """One parameter: whether it is asked for, or only if another has a value; its form; its code systems.

    ``form`` is count, date, duration, share, yes_no, country, or blank for any text; ``codelist`` is the short name of
    the codelist of its values, blank if it has none.
    """

    paramcd: str
    is_required: bool
    condition: tuple[str, str] | None
    form: str
    references: tuple[str, ...]
    is_single: bool
    codelist: str


@cache
def summary_parameters() -> tuple[GuideParameter, ...]:
    """Return the parameters of the shipped table."""
    with (FOLDER / TABLE).open(encoding="utf-8", newline="") as lines:
        return tuple(_parameter(row) for row in csv.DictReader(lines))


def _parameter(row: dict[str, str]) -> GuideParameter:
    code, _, value = row["when"].partition("=")
    references = tuple(row["reference"].split(";")) if row["reference"] else ()
    condition = (code, value) if code else None
    return GuideParameter(
        row["paramcd"],
        row["asked"] == "yes",
        condition,
        row["form"],
        references,
        row["once"] == "Y",
        row["codelist"],
    )
