"""Checks of a dataset's metadata: what a transport file cannot hold or the agency that receives it refuses.

Sources: TS-140 for the format (names of 8, labels of 40 bytes, four digits for the number of variables); FDA Study Data
Technical Conformance Guide, sections 3.3.1 to 3.3.3, for names, labels, lengths, ASCII and file size.
"""

from __future__ import annotations

import re
from typing import Literal

from metadata.dataset import Dataset, DatasetMetadata, Variable
from metadata.errors import StudyError

Standard = Literal["sdtm", "adam"]
LONGEST_LABEL = 40
LONGEST_TEXT = 200
MOST_VARIABLES = 9999
NAME = re.compile(r"[A-Z][A-Z0-9]{0,7}")
PRINTABLE = re.compile(r"[ -~]*")
FORMAT = re.compile(r"(?P<name>[A-Z][A-Z0-9]*?[A-Z])?(?P<width>\d{1,2})?\.(?P<decimals>\d{1,2})?")
WIDTHS = {"": (1, 32), "DATE": (5, 11), "DATETIME": (7, 40), "TIME": (2, 20), "E8601DA": (10, 10), "E8601DT": (16, 26),
          "E8601TM": (8, 15), "YYMMDD": (2, 10), "YYMMDDN": (2, 8)}  # fmt: skip
"""The narrowest and widest of each format (SAS Formats and Informats: Reference); blank is that of w.d."""
BRACKETS = {")": "(", "]": "[", "}": "{"}


def refuse_metadata(dataset: Dataset, standard: Standard) -> None:
    """Raise StudyError for the first thing in names, labels, lengths or formats that would be refused."""
    metadata = dataset.metadata
    if not NAME.fullmatch(metadata.name):
        raise StudyError(f"the dataset name {metadata.name!r} is refused: {_NAME_RULE}")
    _refuse_label(metadata.name, metadata.label)
    _refuse_shape(dataset)
    for variable in metadata.variables:
        _refuse_variable(metadata, variable, standard)


_NAME_RULE = "a name is one upper-case letter, then at most seven upper-case letters and digits"


def _refuse_shape(dataset: Dataset) -> None:
    names = dataset.metadata.names
    if not names:
        raise StudyError(f"{dataset.name} has no variables, and a file without any cannot be read")
    if len(names) > MOST_VARIABLES:
        raise StudyError(f"{dataset.name} has {len(names)} variables; the format counts to {MOST_VARIABLES}")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise StudyError(
            f"{dataset.name} {twice[0]}: the name occurs more than once; each variable needs a name of its own"
        )
    if names != list(dataset.frame.columns):
        differing = set(names) ^ set(dataset.frame.columns)
        which = f": {', '.join(sorted(map(str, differing)))}" if differing else " by their order"
        raise StudyError(f"{dataset.name}: the columns of the data and the variables of the metadata differ{which}")


def _refuse_variable(metadata: DatasetMetadata, variable: Variable, standard: Standard) -> None:
    place = f"{metadata.name} {variable.name}"
    if not NAME.fullmatch(variable.name):
        raise StudyError(f"{place}: the name is refused: {_NAME_RULE}")
    _refuse_label(place, variable.label)
    _refuse_length(place, variable)
    _refuse_format(place, variable, standard)


def _refuse_label(place: str, label: str) -> None:
    if not label.strip():
        raise StudyError(f"{place}: the label is empty; write one of 1 to {LONGEST_LABEL} characters")
    if not PRINTABLE.fullmatch(label):
        raise StudyError(f"{place}: the label {label!r} has a character that is not printable ASCII; write it without")
    if len(label) > LONGEST_LABEL:
        raise StudyError(f"{place}: the label {label!r} has {len(label)} characters; {LONGEST_LABEL} are allowed")
    if label != label.strip():
        raise StudyError(f"{place}: the label {label!r} begins or ends with a blank; remove it")
    if not is_balanced(label):
        raise StudyError(f"{place}: the label {label!r} has a quote or bracket without its partner; close or remove it")


def is_balanced(label: str) -> bool:
    """Return True if quotes and apostrophes come in pairs and brackets close in the order in which they open."""
    if label.count("'") % 2 or label.count('"') % 2:
        return False
    open_brackets: list[str] = []
    for character in label:
        if character in BRACKETS.values():
            open_brackets.append(character)
        elif character in BRACKETS and (not open_brackets or open_brackets.pop() != BRACKETS[character]):
            return False
    return not open_brackets


def _refuse_length(place: str, variable: Variable) -> None:
    if variable.type not in ("Char", "Num"):
        raise StudyError(f"{place}: the type {variable.type!r} is unknown; it is Char or Num")
    if variable.type == "Num":
        if variable.length not in (None, 8):
            raise StudyError(f"{place}: a number takes 8 bytes, not {variable.length}")
    elif variable.length is None:
        raise StudyError(f"{place}: the length is not resolved yet; lengths resolve over all datasets of the study")
    elif not 1 <= variable.length <= LONGEST_TEXT:
        raise StudyError(f"{place}: the length {variable.length} is refused; a text takes 1 to {LONGEST_TEXT} bytes")


def _refuse_format(place: str, variable: Variable, standard: Standard) -> None:
    if not variable.format:
        return
    if standard == "sdtm":
        raise StudyError(f"{place}: the format {variable.format} is refused; SDTM variables have none")
    match = FORMAT.fullmatch(variable.format)
    if variable.type == "Char" or not match or (match["name"] or "") not in WIDTHS:
        raise StudyError(
            f"{place}: the format {variable.format} is refused; analysis variables that are numbers may have a date,"
            f" time or w.d format, such as DATE9. or 8.2"
        )
    _refuse_width(place, variable.format, match["name"] or "", match["width"], match["decimals"])


def _refuse_width(place: str, shown: str, name: str, width: str | None, decimals: str | None) -> None:
    """Refuse a width that SAS does not know, with which it could not read the file; without one it takes its own."""
    narrowest, widest = WIDTHS[name]
    if width is not None and not narrowest <= int(width) <= widest:
        raise StudyError(f"{place}: the format {shown} is refused; its width is from {narrowest} to {widest}")
    if decimals is not None and int(decimals) >= int(width or 1):
        raise StudyError(f"{place}: the format {shown} is refused; it has fewer decimals than its width")
