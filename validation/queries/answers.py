"""What sites answered to queries: answers.csv of the study, each line checked.

A line may also have the columns of queries.csv that say what was asked. Then its id is checked against them, and once
the value has changed the answer is known as that to a query that no longer exists. Without them it cannot be kept apart
from an answer whose id is mistyped.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from metadata.errors import Gather
from metadata.study import Study
from metadata.study_table import TableRow, read_table
from metadata.yaml_source import complain
from validation.queries.identity import ASKED, ID_LENGTH, query_id

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("query_id", "answer", "answered_by", "answered_on")
QUERY_ID = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}", re.ASCII)
EARLIEST_ZONE = timedelta(days=1)
"""Where the site is, it may be tomorrow already."""
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def answers_path(study: Study) -> Path:
    """Return the path of the study's answers, which need not exist."""
    return study.path(study.declared.redcap.answers or "answers.csv")


def read_answers(study: Study) -> pd.DataFrame:
    """Return what sites answered: query_id, answer, answered_by, answered_on; raises StudyError as answer_rows does."""
    import pandas as pd

    rows = [{name: row[name] for name in COLUMNS} for row in answer_rows(study)]
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype="str")


def answer_rows(study: Study) -> list[TableRow]:
    """Return the lines of the study's answers, nothing without the file.

    Raises StudyError, with the line, for an id that no query can have or that is not that of what was asked, a query
    answered twice, an answer without text or name, and a day that the calendar does not have or that is still to come.
    When it was answered may be blank.
    """
    path, declared = answers_path(study), study.declared.redcap
    if not path.is_file():
        if declared.answers:
            problem = f"the file '{declared.answers}' does not exist: leave the key out until a site has answered"
            raise complain(declared.node, "answers", problem)
        return []
    table = read_table(path, f"{study.name}/{path.relative_to(study.folder).as_posix()}")
    table.check_columns([*COLUMNS, *(ASKED if set(ASKED) & set(table.columns) else ())])
    lines: dict[str, int] = {}
    with Gather() as gather:
        for row in table.rows:
            with gather.part():
                _check(study.studyid, row, lines)
    return table.rows


def tells_its_query(row: TableRow) -> bool:
    """Return True if an answer has what was asked, from which its id follows."""
    return any(row.cells.get(name) for name in ASKED)


def _check(studyid: str, row: TableRow, lines: dict[str, int]) -> None:
    """Raise StudyError for what is wrong with one answer; ``lines`` are those of the ids before it."""
    query, day = row["query_id"], row["answered_on"]
    if not QUERY_ID.fullmatch(query):
        has = f"it has {ID_LENGTH} digits and letters from a to f, as in queries.csv"
        raise row.error(f"'{query}' is not the id of a query: {has}")
    if query in lines:
        raise row.error(f"query {query} is answered twice, first on line {lines[query]}")
    if tells_its_query(row) and query not in _ids(studyid, row):
        raise row.error(f"query {query} did not ask what the line says: copy {', '.join(ASKED)} from queries.csv")
    lines[query] = row.line
    if not row["answer"].strip():
        raise row.error(f"the answer to query {query} is empty: write what the site answered, or delete the line")
    if not row["answered_by"].strip():
        raise row.error(f"the answer to query {query} has no name: write under answered_by who gave it")
    if day and not _is_day(day):
        raise row.error(f"answered_on '{day}' is not a day of the calendar, written YYYY-MM-DD")
    if day and date.fromisoformat(day) > date.today() + EARLIEST_ZONE:
        raise row.error(f"answered_on '{day}' is still to come")


def _ids(studyid: str, row: TableRow) -> set[str]:
    """Return the ids that a query with the texts of a line may have: queries.csv guards some by a ``'``."""
    texts = [row[name] for name in ASKED]
    return {query_id(studyid, texts), query_id(studyid, [re.sub("^'(?=[=+@\\t\\r-])", "", text) for text in texts])}


def _is_day(text: str) -> bool:
    try:
        return DAY.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False
