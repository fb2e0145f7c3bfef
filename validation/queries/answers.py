"""What sites answered to queries: answers.csv of the study, each line checked."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pandas as pd

from metadata.errors import Gather
from metadata.study import Study
from metadata.study_table import TableRow, read_table

COLUMNS = ("query_id", "answer", "answered_by", "answered_on")
ID_LENGTH = 12
QUERY_ID = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}", re.ASCII)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def answers_path(study: Study) -> Path:
    """Return the path of the study's answers, which need not exist."""
    return study.path(str(study.config["redcap"].get("answers") or "answers.csv"))


def read_answers(study: Study) -> pd.DataFrame:
    """Return what sites answered: query_id, answer, answered_by, answered_on; raises StudyError as answer_rows does."""
    return pd.DataFrame([row.cells for row in answer_rows(study)], columns=list(COLUMNS), dtype="str")


def answer_rows(study: Study) -> list[TableRow]:
    """Return the lines of the study's answers, nothing without the file.

    Raises StudyError, with the line, for an id that no query can have, a query answered twice, an empty answer and a
    day that the calendar does not have. Who answered and when may be blank.
    """
    path = answers_path(study)
    if not path.is_file():
        return []
    table = read_table(path, f"{study.name}/{path.relative_to(study.folder).as_posix()}")
    table.check_columns(COLUMNS)
    lines: dict[str, int] = {}
    with Gather() as gather:
        for row in table.rows:
            with gather.part():
                _check(row, lines)
    return table.rows


def _check(row: TableRow, lines: dict[str, int]) -> None:
    """Raise StudyError for what is wrong with one answer; ``lines`` are those of the ids before it."""
    query, day = row["query_id"], row["answered_on"]
    if not QUERY_ID.fullmatch(query):
        has = f"it has {ID_LENGTH} digits and letters from a to f, as in queries.csv"
        raise row.error(f"'{query}' is not the id of a query: {has}")
    if query in lines:
        raise row.error(f"query {query} is answered twice, first on line {lines[query]}")
    lines[query] = row.line
    if not row["answer"].strip():
        raise row.error(f"the answer to query {query} is empty: write what the site answered, or delete the line")
    if day and not _is_day(day):
        raise row.error(f"answered_on '{day}' is not a day of the calendar, written YYYY-MM-DD")


def _is_day(text: str) -> bool:
    try:
        return DAY.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False
