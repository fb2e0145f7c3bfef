"""Posted records as cells: which record, event and instance each posted value belongs to, and what is wrong."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import pandas as pd

from metadata.dictionary import checkbox_column
from metadata.records import ACCESS_GROUP, EVENT, REPEAT_INSTANCE, REPEAT_INSTRUMENT, SURVEY_IDENTIFIER
from redcap_sandbox.posted_rows import Row
from redcap_sandbox.project import ExportColumn, SandboxProject
from redcap_sandbox.request import ApiError
from redcap_sandbox.value_checks import iso_date, problem_of

UNKNOWN = "The following fields were not found in the project as real data fields: {}"
NO_RECORD_ID = "The record ID field ('{}') is missing from the data being imported"
NO_NAME = "A row of data has no value for the record ID field"
NO_EVENT = "The event name is not a unique event name of this project"
NOT_DESIGNATED = (
    "This field ('{}') exists on an instrument that is not designated for the event named '{}'."
    " You are not allowed to import data for this field into this event."
)
NO_REPEATING_FORM = (
    "redcap_repeat_instrument must be the unique form name of a Repeating Instrument."
    " It currently does not match the unique form name of any Repeating Instruments. "
    " Please fix this in the data import file and try again."
)
NO_INSTANCE = (
    "redcap_repeat_instance cannot have a value since this instrument or event is not a repeating instrument or"
    " repeating event, respectively.  The redcap_repeat_instance field must be left blank for this row of data."
)
ON_REPEATING = (
    "This field ('{}') exists on a Repeating Instrument named '{}'. However, the fields 'redcap_repeat_instance' and/or"
    " 'redcap_repeat_instrument' for this row of data have no value, which are both required for importing data into a"
    " Repeating Instrument.  You are not allowed to import data for this field into a non-repeating instrument."
)
NOT_ON_THIS = (
    "This field ('{}') does not exist on the Repeating Instrument named '{}'."
    " You are not allowed to import data for this field into this row."
)
BAD_INSTANCE = "The value of redcap_repeat_instance must be a positive whole number"
NO_GROUP = "The value is not a unique group name of a Data Access Group of this project"
SERVER_FIELDS = (EVENT, REPEAT_INSTRUMENT, REPEAT_INSTANCE, ACCESS_GROUP, SURVEY_IDENTIFIER)


class RowKey(NamedTuple):
    """What names a stored row."""

    record: str
    event: str
    instrument: str
    instance: str


@dataclass
class PostedRecords:
    """Values by row and column, in the order posted; ``groups`` the access groups named for records."""

    cells: dict[RowKey, Row] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)


class Problem(NamedTuple):
    """One refused value, as REDCap lists it."""

    record: str
    field: str
    value: str
    text: str


def refuse(problems: Iterable[Problem]) -> None:
    """Raise ApiError (400) with a line a problem, each cell in quotes, if there is any."""
    listed = list(problems)
    if listed:
        text = io.StringIO()
        csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(listed)
        raise ApiError(400, text.getvalue().rstrip("\n"))


def read_records(served: SandboxProject, rows: list[Row], order: str) -> PostedRecords:
    """Return the cells of posted flat rows, dates as ISO; ``order`` is that of the parts of posted dates.

    Raises ApiError (400) with every problem there is: fields that do not exist first, else values.
    """
    columns = {column.name: column for column in importable(served)}
    record_id = served.project.dictionary.record_id
    _refuse_unknown(served, rows, columns)
    if any(record_id not in row for row in rows):
        raise ApiError(400, NO_RECORD_ID.format(record_id))
    if any(not row[record_id].strip() for row in rows):
        raise ApiError(400, NO_NAME)
    instances = _Instances(served)
    problems: list[Problem] = []
    posted = PostedRecords()
    for row in rows:
        key = _key(served, row, instances, problems.append)
        if key is not None:
            _take(served, posted, key, dict(_values(row, columns, order)), columns, problems.append)
            if row.get(ACCESS_GROUP, "").strip():
                posted.groups[key.record] = _group(served, row, key.record, problems.append)
    refuse(problems)
    return posted


def importable(served: SandboxProject) -> Iterator[ExportColumn]:
    """Yield the columns that may be posted: all data columns, and options of missing-data codes of checkboxes."""
    yield from served.columns
    known = {column.name for column in served.columns}
    for item in served.project.dictionary.fields.values():
        for code in served.project.missing_codes if item.type == "checkbox" else ():
            name = checkbox_column(item.name, code)
            if name not in known:
                yield ExportColumn(name, item.form, item, code)


def _refuse_unknown(served: SandboxProject, rows: list[Row], columns: dict[str, ExportColumn]) -> None:
    ignored = {f"{form}_timestamp" for form in served.project.dictionary.forms} | set(SERVER_FIELDS)
    named = dict.fromkeys(name for row in rows for name in row)
    unknown = [name for name in named if name not in columns and name not in ignored]
    if unknown:
        raise ApiError(400, UNKNOWN.format(", ".join(unknown)))


def _values(row: Row, columns: dict[str, ExportColumn], order: str) -> Iterator[tuple[str, str]]:
    """Yield the posted data values; calculated fields are computed by the server and never taken."""
    for name, value in row.items():
        column = columns.get(name)
        if column is None or (column.field is not None and column.field.type in ("calc", "descriptive")):
            continue
        yield name, iso_date(column.field, value, order) if column.field is not None else value


class _Instances:
    """The instances there are, counted on for rows that ask for a ``new`` one."""

    def __init__(self, served: SandboxProject) -> None:
        place = [served.project.dictionary.record_id, EVENT, REPEAT_INSTRUMENT]
        frame = served.records.frame[[*place, REPEAT_INSTANCE]]
        numbered = frame.assign(number=pd.to_numeric(frame[REPEAT_INSTANCE], errors="coerce")).dropna(subset=["number"])
        highest = numbered.groupby(place)["number"].max().astype(int)
        self._highest: dict[tuple[str, str, str], int] = dict(zip(highest.index, highest, strict=True))

    def note(self, place: tuple[str, str, str], instance: int) -> None:
        self._highest[place] = max(instance, self._highest.get(place, 0))

    def new(self, place: tuple[str, str, str]) -> str:
        self.note(place, self._highest.get(place, 0) + 1)
        return str(self._highest[place])


def _key(served: SandboxProject, row: Row, instances: _Instances, wrong: Callable[[Problem], None]) -> RowKey | None:
    """Return the row a posted row is meant for, or None after saying what is wrong with it."""
    project = served.project
    record, event = row[project.dictionary.record_id].strip(), ""
    if project.longitudinal:
        event = row.get(EVENT, "").strip() or project.event_names[0]
        if event not in project.event_names:
            wrong(Problem(record, EVENT, event, NO_EVENT))
            return None
    form, instance = row.get(REPEAT_INSTRUMENT, "").strip(), row.get(REPEAT_INSTANCE, "").strip()
    if form and not project.repeats(event, form):
        wrong(Problem(record, REPEAT_INSTRUMENT, form, NO_REPEATING_FORM))
    if instance and not (form and project.repeats(event, form)) and not project.event_repeats(event):
        wrong(Problem(record, REPEAT_INSTANCE, instance, NO_INSTANCE))
        return None
    if form and not project.repeats(event, form):
        return None
    if instance == "new":
        return RowKey(record, event, form, instances.new((record, event, form)))
    if instance and not (instance.isdecimal() and int(instance) > 0):
        wrong(Problem(record, REPEAT_INSTANCE, instance, BAD_INSTANCE))
        return None
    number = str(int(instance)) if instance else "1" if form or project.event_repeats(event) else ""
    if number:
        instances.note((record, event, form), int(number))
    return RowKey(record, event, form, number)


def _take(
    served: SandboxProject,
    posted: PostedRecords,
    key: RowKey,
    values: Row,
    columns: dict[str, ExportColumn],
    wrong: Callable[[Problem], None],
) -> None:
    """Add the values of a row to its cells after checking them; the last of two values of one cell counts."""
    record_id = served.project.dictionary.record_id
    kept = posted.cells.setdefault(key, {})
    for name, value in values.items():
        if name == record_id:
            continue
        column = columns[name]
        if value != "":
            text = _misplaced(served, key, column) or problem_of(
                column.field, column.code, value, served.project.missing_codes
            )
            if text:
                wrong(Problem(key.record, name, value, text))
        elif _misplaced(served, key, column):
            continue
        kept[name] = value


def _misplaced(served: SandboxProject, key: RowKey, column: ExportColumn) -> str:
    """Return why a field cannot hold a value in a row, or a blank text."""
    project, name = served.project, column.field.name if column.field else column.name
    if key.instrument and column.form != key.instrument:
        return NOT_ON_THIS.format(name, key.instrument)
    if not project.designated(key.event, column.form):
        return NOT_DESIGNATED.format(name, event_title(served, key.event))
    if not key.instrument and project.repeats(key.event, column.form):
        return ON_REPEATING.format(name, column.form)
    return ""


def event_title(served: SandboxProject, event: str) -> str:
    """Return an event as REDCap names it to people: ``Screening (Arm 1: Drug A)``."""
    arms = {str(arm["arm_num"]): str(arm.get("name", "")) for arm in served.project.arms}
    row = next(row for row in served.project.events if row["unique_event_name"] == event)
    number = str(row.get("arm_num", "1"))
    return f"{row['event_name']} (Arm {number}: {arms.get(number, '')})"


def _group(served: SandboxProject, row: Row, record: str, wrong: Callable[[Problem], None]) -> str:
    name = row[ACCESS_GROUP].strip()
    if name not in {group["unique_group_name"] for group in served.project.dags}:
        wrong(Problem(record, ACCESS_GROUP, name, NO_GROUP))
    return name
