"""Data types of columns, found from their values: data type, length, digits (Define-XML 2.1, 5.3.12)."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from metadata.dataset import Variable
from metadata.frame_columns import FrameColumns
from metadata.units import text_of

DATE = r"\d{4}-\d{2}-\d{2}"
TIME = r"\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?"
SHAPES = {
    "date": re.compile(DATE),
    "datetime": re.compile(rf"{DATE}T{TIME}"),
    "time": re.compile(rf"T?{TIME}"),
    "partialDate": re.compile(r"\d{4}(-\d{2}(-\d{2})?)?"),
    "partialDatetime": re.compile(r"\d{4}(-\d{2}(-\d{2}(T\d{2}(:\d{2}(:\d{2}(\.\d+)?)?)?)?)?)?"),
    "durationDatetime": re.compile(r"[+-]?P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?"),
    "intervalDatetime": re.compile(r"[^/]+/[^/]+"),
    "incompleteDatetime": re.compile(r"[\d:T./-]+"),
}
"""ISO 8601 shapes, from the most to the least specific."""
INTEGER = re.compile(r"-?(0|[1-9]\d*)")
NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
TEXT, WHOLE, FLOAT = "text", "integer", "float"
REFERENCE_POINTS = ("STTPT", "ENTPT")
"""Reference time points are dates or free text (SDTMIG 3.3, 4.4.7)."""
NEEDS_LENGTH = (TEXT, WHOLE, FLOAT)


@dataclass(frozen=True)
class DefineType:
    """Data type of an ItemDef, ``length`` in characters (0 for dates) and ``digits`` after the point."""

    data_type: str
    length: int = 0
    digits: int = 0

    @property
    def display_format(self) -> str:
        """SAS display format of a number with decimals, such as 8.2."""
        return f"{self.length}.{self.digits}" if self.data_type == FLOAT else ""


def kind_of_variable(variable: Variable, texts: list[str]) -> DefineType:
    """Return the kind of a whole variable from its different texts: the length is that in the transport file."""
    if variable.type == "Num":
        return _kind_of_number_texts(texts) or DefineType(WHOLE, 1)
    if is_date(variable.name) or (texts and variable.name.endswith(REFERENCE_POINTS)):
        return _kind_of_dates(texts)
    return DefineType(TEXT, variable.length or max(map(len, texts), default=1) or 1)


def kind_of_texts(variable: Variable, texts: list[str]) -> DefineType:
    """Return the kind of some records' different texts: a text variable may hold numbers or dates in them."""
    if variable.type == "Num" or not texts:
        return kind_of_variable(variable, texts) if texts else DefineType(TEXT, 1)
    if all(SHAPES["date"].fullmatch(text) for text in texts):
        return DefineType("date")
    return _kind_of_number_texts(texts) or DefineType(TEXT, max(map(len, texts)))


def texts_of(columns: FrameColumns, name: str, rows: np.ndarray) -> list[str]:
    """Return the different values of some rows as texts, sorted; numbers in their shortest decimal form."""
    if columns.is_text(name):
        return [text for text in columns.coded(name).among(rows) if text]
    return texts_of_numbers(columns.numbers(name)[rows])


def texts_of_numbers(values: np.ndarray) -> list[str]:
    """Return the different numbers that are there in their shortest decimal form, sorted as texts."""
    numbers = pd.unique(values)  # by hashes: few numbers in many rows, which need not be sorted
    return sorted(text_of(numbers[~np.isnan(numbers)]).held)


def each_text(values: pd.Series) -> list[str]:
    """Return the text of each value in order; numbers in their shortest decimal form."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        return text_of(values.to_numpy(float, na_value=np.nan)).array().tolist()
    return [str(text) for text in values]


def is_date(name: str) -> bool:
    """True for a variable whose values are ISO 8601: dates, reference dates, durations (SDTMIG 3.3, 4.4)."""
    return name.endswith(("DTC", "DUR", "ELTM", "EVLINT", "STINT", "ENINT", "TDSTOFF", "TDTGTPAI", "TDMINPAI"))


def _kind_of_dates(texts: list[str]) -> DefineType:
    if not texts:
        return DefineType("date")
    fitting = (name for name, shape in SHAPES.items() if all(shape.fullmatch(text) for text in texts))
    found = next(fitting, "")
    return DefineType(found) if found else DefineType(TEXT, max(map(len, texts)))


def _kind_of_number_texts(texts: list[str]) -> DefineType | None:
    """Return integer or float with the digits of the longest; None if one is not a number, or there are none."""
    if not texts or not all(NUMBER.fullmatch(text) for text in texts):
        return None
    if all(INTEGER.fullmatch(text) for text in texts):
        return DefineType(WHOLE, max(map(len, texts)))
    digits = max(len(text.partition(".")[2]) for text in texts)
    whole = max(len(text.partition(".")[0]) for text in texts)
    return DefineType(FLOAT, whole + 1 + digits, digits)
