"""What sites answered to queries: answers.csv of the study, each line checked."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import pandas as pd

from metadata.errors import Gather, StudyError, nearest
from metadata.redcap_csv import decode, delimiter_of
from metadata.study import Study

COLUMNS = ("query_id", "answer", "answered_by", "answered_on")
ID_LENGTH = 12
QUERY_ID = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}", re.ASCII)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def answers_path(study: Study) -> Path:
    """Return the path of the study's answers, which need not exist."""
    return study.path(str(study.config["redcap"].get("answers") or "answers.csv"))


def read_answers(study: Study) -> pd.DataFrame:
    """Return what sites answered: query_id, answer, answered_by, answered_on; nothing without the file.

    Raises StudyError, with the line, for an id that no query can have, a query answered twice, an empty answer and a
    day that the calendar does not have. Who answered and when may be blank.
    """
    path = answers_path(study)
    file = f"{study.name}/{path.name}"
    rows: list[Mapping[str, str]] = []
    if path.is_file():
        lines: dict[str, int] = {}
        with Gather() as gather:
            for line, row in _rows(path, file):
                rows.append(row)
                with gather.part():
                    _check(row, file, line, lines)
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype="str")


def _rows(path: Path, file: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield each row with its first line."""
    text = decode(path.read_bytes(), file)
    if not text.strip():
        raise StudyError(f"the file is empty: its columns are {', '.join(COLUMNS)}", file, 1)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter_of(text.split("\n", 1)[0]))
    names = list(reader.fieldnames or ())
    for name in names:
        if name not in COLUMNS:
            raise StudyError(f"there is no column '{name}'{nearest(name, COLUMNS)}", file, 1)
    for column in COLUMNS:
        if column not in names:
            raise StudyError(f"the column '{column}' is missing", file, 1)
    line = reader.line_num + 1
    for row in reader:
        if None in row or None in row.values():
            raise StudyError("the line has another number of cells than the header", file, line)
        yield line, row
        line = reader.line_num + 1


def _check(row: Mapping[str, str], file: str, line: int, lines: dict[str, int]) -> None:
    """Raise StudyError for what is wrong with one answer; ``lines`` are those of the ids before it."""
    query, day = row["query_id"], row["answered_on"]
    if not QUERY_ID.fullmatch(query):
        raise StudyError(
            f"'{query}' is not the id of a query: it has {ID_LENGTH} digits and letters from a to f, as in queries.csv",
            file,
            line,
        )
    if query in lines:
        raise StudyError(f"query {query} is answered twice, first on line {lines[query]}", file, line)
    lines[query] = line
    if not row["answer"].strip():
        raise StudyError(
            f"the answer to query {query} is empty: write what the site answered, or delete the line", file, line
        )
    if day and not _is_day(day):
        raise StudyError(f"answered_on '{day}' is not a day of the calendar, written YYYY-MM-DD", file, line)


def _is_day(text: str) -> bool:
    try:
        return DAY.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False
