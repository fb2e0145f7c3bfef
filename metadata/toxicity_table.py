"""The tables of toxicity schemes: one line an item and the circumstances in which its criteria hold.

Columns: ``item``; ``unit``, that of the numbers in the bands, blank where all are multiples of LLN, ULN or BASE;
``direction``, L or H; ``fasting`` (Y or N), ``sex`` (M or F) and ``baseline`` (normal or abnormal), blank where the
criteria hold in any case; ``age``, in tables that need it, the ages (see ``age_band.parse_age``); ``grade_0`` to
``grade_4``, the bands (see ``toxicity.parse_bands``); ``text_1`` to ``text_5``, the published criteria, which
define.xml gives as the meaning of each grade of a parameter; and ``source``. An item of which several lines differ in
their circumstances has one line for each; a line with texts and without bands is of what cannot be graded by a number.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from metadata.age_band import parse_age
from metadata.errors import Gather, StudyError, nearest
from metadata.redcap_csv import read_lines
from metadata.standards import FOLDER, shipped
from metadata.study import Study
from metadata.toxicity import Criteria, GradeBand, ToxicityItem, parse_bands

OWN = ".csv"
GRADES, TEXTS = range(5), range(1, 6)
CIRCUMSTANCES = {"fasting": ("", "Y", "N"), "sex": ("", "M", "F"), "baseline": ("", "normal", "abnormal")}
COLUMNS = (
    "item", "unit", "direction", *CIRCUMSTANCES, *(f"grade_{one}" for one in GRADES),
    *(f"text_{one}" for one in TEXTS), "source",
)  # fmt: skip
AGE = "age"
"""The column that only a table whose criteria depend on the age has."""


def is_own(name: str) -> bool:
    """Return True if a table is a CSV file of the study's folder, not one that comes with the software."""
    return name.endswith(OWN)


def scheme_of(study: Study, name: str) -> dict[str, ToxicityItem]:
    """Return the items of a table, one of the study's own (``own.csv``) or a shipped one, as ``read_scheme`` does."""
    if not is_own(name):
        return read_scheme(name)
    path = study.path(name)
    if not path.is_file():
        raise StudyError(f"the study has no toxicity table {name}")
    return _graded_by_number(_read(path, f"{study.name}/{name}"))


def read_scheme(name: str, folder: Path = FOLDER) -> dict[str, ToxicityItem]:
    """Return the items of a table that can be graded by a number, by name.

    Raises StudyError for an unknown table, and, with file, line and column, for all that does not fit.
    """
    return dict(_scheme(name, folder))


@cache
def _scheme(name: str, folder: Path) -> dict[str, ToxicityItem]:
    path = folder / f"{name}.csv"
    if not path.is_file() or (folder == FOLDER and name not in schemes()):
        raise StudyError(f"there is no toxicity table '{name}'{nearest(name, schemes())}; there are"
                         f" {', '.join(schemes())}")  # fmt: skip
    return _graded_by_number(_read(path, path.name))


def texts_of(study: Study | None, name: str, item: str) -> dict[int, str]:
    """Return the published criteria of an item that is not graded by a number, nothing for one that the table lacks."""
    if study is not None and is_own(name):
        whole = _read(study.path(name), f"{study.name}/{name}")
    else:
        whole = _read(FOLDER / f"{name}.csv", f"{name}.csv")
    return whole[item].texts if item in whole else {}


def _graded_by_number(items: dict[str, ToxicityItem]) -> dict[str, ToxicityItem]:
    return {name: item for name, item in items.items() if any(one.bands for one in item.criteria)}


def _read(path: Path, shown: str) -> dict[str, ToxicityItem]:
    """Return all items of a file; ``shown`` is the name that errors give it."""
    header, rows = read_lines(path, shown=shown)
    _check_columns(header, shown)
    lines: dict[str, list[tuple[int, dict[str, str]]]] = {}
    for number, cells in rows:
        row = dict(zip(header, cells, strict=True))
        lines.setdefault(row["item"], []).append((number, row))
    with Gather() as gather:
        made = {}
        for item, found in lines.items():
            with gather.part():
                made[item] = _item(item, found, shown)
    return made


@cache
def schemes() -> tuple[str, ...]:
    """Return the names of the shipped toxicity tables: those with the columns of one."""
    names = []
    for name in shipped():
        with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            if [name for name in next(csv.reader(file), []) if name != AGE] == list(COLUMNS):
                names.append(name)
    return tuple(names)


def _check_columns(names: Sequence[str], file: str) -> None:
    """Raise StudyError unless the columns are those of a toxicity table."""
    lacking = [name for name in COLUMNS if name not in names]
    extra = [name for name in names if name not in (*COLUMNS, AGE)]
    if extra:
        raise StudyError(f"a toxicity table has no column '{extra[0]}'{nearest(extra[0], lacking)}", file, 1)
    if lacking:
        raise StudyError(f"the column '{lacking[0]}' is missing", file, 1)


def _item(name: str, rows: list[tuple[int, dict[str, str]]], file: str) -> ToxicityItem:
    criteria, cases = [], []
    for line, row in rows:
        _check_row(row, file, line)
        case = (*(row[column] for column in CIRCUMSTANCES), row.get(AGE, ""))
        if case in cases:
            raise StudyError(f"{name} has two lines of the same fasting, sex, baseline and age", file, line)
        if (row["unit"], row["direction"]) != (rows[0][1]["unit"], rows[0][1]["direction"]):
            raise StudyError(f"the lines of {name} have one unit and one direction", file, line)
        cases.append(case)
        criteria.append(_criteria(row, file, line))
    made = ToxicityItem(name, rows[0][1]["unit"], rows[0][1]["direction"], tuple(criteria), rows[0][1]["source"])
    if made.is_absolute and not made.unit:
        raise StudyError(f"{name} needs the unit of its numbers", file, rows[0][0], "unit")
    if len(rows) > 1 and not all(map(any, cases)):
        raise StudyError(f"{name} has a line for all results, and further ones; say when it holds", file, rows[0][0])
    return made


def _check_row(row: dict[str, str], file: str, line: int) -> None:
    for column in ("item", "source"):
        if not row[column]:
            raise StudyError("must not be blank", file, line, column)
    for column, allowed in {"direction": ("L", "H"), **CIRCUMSTANCES}.items():
        if row[column] not in allowed:
            choices = " or ".join(one or "blank" for one in allowed)
            raise StudyError(f"must be {choices}, not '{row[column]}'", file, line, column)
    if row.get(AGE):
        try:
            parse_age(row[AGE])
        except StudyError as error:
            raise StudyError(error.message, file, line, AGE) from None


def _criteria(row: dict[str, str], file: str, line: int) -> Criteria:
    bands: list[GradeBand] = []
    for grade in GRADES:
        try:
            bands += parse_bands(row[f"grade_{grade}"], grade)
        except StudyError as error:
            raise StudyError(error.message, file, line, f"grade_{grade}") from None
    texts = {grade: row[f"text_{grade}"] for grade in TEXTS if row[f"text_{grade}"]}
    if not bands and not texts:
        raise StudyError(f"{row['item']} has neither bands nor texts", file, line)
    return Criteria(tuple(bands), texts, **{name: row[name] for name in CIRCUMSTANCES}, age=row.get(AGE, ""))
