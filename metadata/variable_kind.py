"""What a variable holds: text, number, date, datetime or time, of which the last three are numbers (SAS).

A date counts days since 1960-01-01, a datetime seconds since then, a time seconds since midnight; the display format
says which of them a number is. Char and Num are what ADaM and SDTM call text and number.
"""

from __future__ import annotations

from collections.abc import Iterable

CHAR, NUM, DATE, DATETIME, TIME = "Char", "Num", "date", "datetime", "time"
MOMENTS = (DATE, DATETIME, TIME)
PHRASE = {CHAR: "text", NUM: "a number", DATE: "a date", DATETIME: "a datetime", TIME: "a time"}
"""What errors and docs call each kind."""

SECONDS_A_DAY = 86400.0

DATES = ("DATE", "YYMMDD", "E8601DA", "DDMMYY", "MMDDYY", "IS8601DA")
DATETIMES = ("DATETIME", "E8601DT", "IS8601DT")
TIMES = ("TIME", "HHMM", "TOD", "E8601TM", "IS8601TM")
DISPLAY = {DATE: "DATE9.", DATETIME: "DATETIME20.", TIME: "TIME8."}
"""The display format that the engine gives to what it makes of each kind."""


class PlainNumber(str):
    """The kind number, of a variable that is known not to be a date, datetime or time: a result, a count."""


PLAIN_NUMBER = PlainNumber(NUM)


class ClosedText(str):
    """The kind text, of a variable whose texts are a closed list that is known without data.

    ``numbered`` are beginnings that a number follows: the visits that were not planned.
    """

    texts: tuple[str, ...]
    numbered: tuple[str, ...]

    def __new__(cls, texts: Iterable[str], numbered: Iterable[str] = ()) -> ClosedText:
        """Return the kind with its texts, each once, without the empty one, which is missing and always possible."""
        made = super().__new__(cls, CHAR)
        made.texts = tuple(dict.fromkeys(text for text in texts if text))
        made.numbered = tuple(dict.fromkeys(numbered))
        return made

    def with_more(self, other: ClosedText) -> ClosedText:
        """Return the kind with the texts of both."""
        return ClosedText((*self.texts, *other.texts), (*self.numbered, *other.numbered))

    def has(self, text: str) -> bool:
        """Return True for a text that the variable can have."""
        return not text or text in self.texts or any(_is_numbered(text, beginning) for beginning in self.numbered)


def _is_numbered(text: str, beginning: str) -> bool:
    number = text.removeprefix(f"{beginning} ")
    return number != text and number.replace(".", "", 1).isdigit()


def kind_of(type_: str, display: str | None = None) -> str:
    """Return the kind of a variable of a type (Char or Num; any other is not known) with a display format.

    Num without the format of a moment is a number, of which nothing more is known.
    """
    if type_ != NUM or not display:
        return type_
    formats = ((DATETIME, DATETIMES), (DATE, DATES), (TIME, TIMES))
    return next((kind for kind, shown in formats if display.upper().startswith(shown)), NUM)


def kind_of_name(name: str) -> str:
    """Return the kind that the end of an ADaM variable's name says it has, blank if it says none.

    ADaMIG 1.3, section 3.1.2: DT is a numeric date, DTM a datetime, TM a time; DY is a relative day, a number.
    """
    ends = (("DTM", DATETIME), ("DT", DATE), ("TM", TIME), ("DY", PLAIN_NUMBER))
    return next((kind for end, kind in ends if name.endswith(end) and name != end), "")


def wanted_kind(name: str, display: str | None = None) -> str:
    """Return the kind of moment or number that an ADaM variable's display format, else its name, says it has."""
    shown = kind_of(NUM, display)
    return shown if shown in MOMENTS else kind_of_name(name)


def is_number(kind: str) -> bool:
    """Return True for a kind whose values are numbers."""
    return kind in (NUM, *MOMENTS)


def differ(kind: str, other: str) -> bool:
    """Return True for two known kinds that can be neither compared nor held by one variable.

    A number of which nothing more is known may be a date, a datetime or a time; a plain number is none of them.
    """
    if not kind or not other or kind == other:
        return False
    plain = any(isinstance(one, PlainNumber) for one in (kind, other))
    return plain or CHAR in (kind, other) or NUM not in (kind, other)
