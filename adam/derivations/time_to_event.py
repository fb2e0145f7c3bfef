"""The word time_to_event: for each parameter the first of several events, or the last day known to be without one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from adam.columns.columns import Columns, Values, number, present, stack, take
from adam.columns.grouping import first_rows, group_codes, matching_rows
from adam.derivations.dates import DAYS_OF
from adam.derivations.merging import SUBJECT
from adam.language.derivation import (
    AddedRows,
    Derivation,
    DerivationContext,
    word,
)
from metadata.coded_text import CodedText
from metadata.condition import OtherCondition
from metadata.dataset import Edges
from metadata.declaration import Column, OtherColumn
from metadata.units import significant


@dataclass(frozen=True)
class Moment:
    """A kind of event or of censoring: the records of a dataset that fulfil ``where``, and their date.

    ``description`` is what EVNTDESC says, ``sequence`` the variable that SRCSEQ takes, ``censor`` the value of CNSR for
    a censoring (0 is the event).
    """

    dataset: str
    date: OtherColumn
    description: str
    where: OtherCondition | None = None
    sequence: OtherColumn | None = None
    censor: int = 1


@dataclass(frozen=True)
class TimeToEventParameter:
    """One parameter: its label and number, events and censorings.

    Of the events the earliest counts, of one day the first listed; of the censorings the latest, of one day the last
    listed.
    """

    param: str
    paramn: int
    events: tuple[Moment, ...]
    censorings: tuple[Moment, ...]


@dataclass(frozen=True)
class FirstEvent:
    """For each subject the chosen date, which of the moments it was (-1 none), and the row of its dataset."""

    date: np.ndarray
    moment: np.ndarray
    row: np.ndarray


@word("time_to_event")
@dataclass(frozen=True, kw_only=True)
class TimeToEvent(Derivation):
    """Add for each record (one a subject) one record a parameter, with time, censoring and where both come from.

    ADT is the date of the earliest event on or after ``start``, and CNSR 0; without one the latest date of censoring,
    not before that, and CNSR as the censoring says. An event before ``start`` is not looked at; with ``earlier``
    at_start it counts, on the day of ``start`` (as in admiral's derive_param_tte). AVAL is ADT - STARTDT + 1 in
    ``unit``. Without a date, or without ``start``, AVAL, ADT and CNSR are missing. Variables are those of ADaM BDS for
    TTE 1.0; CNSDTDSC says what the censoring date is.
    """

    start: Column
    paramcd: dict[str, TimeToEventParameter]
    unit: Literal["days", "weeks", "months", "years"] = "days"
    earlier: Literal["ignored", "at_start"] = "ignored"

    adds_rows = True

    def add(self, columns: Columns, count: int, context: DerivationContext) -> AddedRows:
        parts = [self._endpoint(code, one, columns, count, context) for code, one in self.paramcd.items()]
        rows = np.tile(np.arange(count), len(parts))
        changed = {name: stack([part[name] for part, _ in parts]) for name in parts[0][0]}
        edges = [
            edge._replace(row=edge.row + place * count) for place, (_, found) in enumerate(parts) for edge in found
        ]
        return AddedRows(rows, changed, (np.zeros(0, int), np.zeros(0, int)), tuple(edges))

    def _endpoint(
        self, code: str, endpoint: TimeToEventParameter, columns: Columns, count: int, context: DerivationContext
    ) -> tuple[dict[str, Values], list[Edges]]:
        origin = number(columns, self.start)
        since = origin if self.earlier == "ignored" else None
        event = _chosen(endpoint.events, columns, since, context, latest=False)
        censored = _chosen(endpoint.censorings, columns, None, context, latest=True)
        for found in (event, censored):
            found.moment[np.isnan(origin)] = -1
        happened = event.moment >= 0
        date = np.fmax(np.where(happened, event.date, censored.date), origin)
        date = np.where(happened | (censored.moment >= 0), date, np.nan)
        moments = [*endpoint.events, *endpoint.censorings]
        later = np.where(censored.moment >= 0, censored.moment + len(endpoint.events), -1)
        moment = np.where(happened, event.moment, later)
        row = np.where(happened, event.row, censored.row)
        one = np.zeros(count, int)
        made = {
            "PARAMCD": CodedText.of_codes(one, [code]),
            "PARAM": CodedText.of_codes(one, [endpoint.param]),
            "PARAMN": np.full(count, float(endpoint.paramn)),
            "STARTDT": origin,
            "ADT": date,
            "AVAL": significant((date - origin + 1) / DAYS_OF[self.unit]),
            **self._event_columns(moments, moment, len(endpoint.events)),
            "SRCSEQ": _sequence(moments, moment, row, context),
        }
        return made, [_edge(kind, np.flatnonzero(moment == place), row) for place, kind in enumerate(moments)]

    def _event_columns(self, moments: list[Moment], moment: np.ndarray, events: int) -> dict[str, Values]:
        values = [0.0 if place < events else float(one.censor) for place, one in enumerate(moments)]
        dates = [one.description if place >= events else "" for place, one in enumerate(moments)]
        return {
            "CNSR": np.array([*values, np.nan])[moment],
            "EVNTDESC": CodedText.of_codes(moment, [one.description for one in moments]),
            "CNSDTDSC": CodedText.of_codes(moment, dates),
            "SRCDOM": CodedText.of_codes(moment, [one.dataset for one in moments]),
            "SRCVAR": CodedText.of_codes(moment, [one.date for one in moments]),
        }

    def also_reads(self) -> tuple[str, ...]:
        return (SUBJECT,)

    def also_makes(self) -> tuple[str, ...]:
        return (
            "STARTDT",
            "PARAMCD",
            "PARAM",
            "PARAMN",
            "ADT",
            "AVAL",
            "CNSR",
            "EVNTDESC",
            "CNSDTDSC",
            "SRCDOM",
            "SRCVAR",
            "SRCSEQ",
        )

    def datasets(self) -> tuple[str, ...]:
        moments = (one for endpoint in self.paramcd.values() for one in (*endpoint.events, *endpoint.censorings))
        return tuple(dict.fromkeys(one.dataset for one in moments))

    def sentence(self, variable: str) -> str:
        texts = {
            "STARTDT": f"{self.start}.",
            "AVAL": f"(ADT - STARTDT + 1) / {DAYS_OF[self.unit]:g}, in {self.unit}.",
            "CNSR": "0 for an event, above 0 for a censored time.",
            "EVNTDESC": "What the event or the censoring was.",
            "CNSDTDSC": "What the date of censoring is; missing for an event.",
            "SRCDOM": "Dataset from which ADT comes.",
            "SRCVAR": "Variable of SRCDOM from which ADT comes.",
            "SRCSEQ": "Sequence number of the record of SRCDOM from which ADT comes.",
        }
        return texts.get(variable) or (self._dates() if variable == "ADT" else "Assigned by the table of endpoints.")

    def _dates(self) -> str:
        said = [
            f"{code}: earliest of {_places(one.events)}, else latest of {_places(one.censorings)}."
            for code, one in self.paramcd.items()
        ]
        return " ".join(said)

    def is_date(self, variable: str) -> bool:
        return variable in ("STARTDT", "ADT")


def _edge(moment: Moment, rows: np.ndarray, row: np.ndarray) -> Edges:
    return Edges(rows, "ADT", moment.dataset, row[rows], moment.date)


def _places(moments: tuple[Moment, ...]) -> str:
    tests = [one.where.parts if one.where else () for one in moments]
    return " and ".join(
        " where ".join([f"{one.dataset}.{one.date}", *parts]) for one, parts in zip(moments, tests, strict=True)
    )


def _chosen(
    moments: tuple[Moment, ...], columns: Columns, since: np.ndarray | None, context: DerivationContext, latest: bool
) -> FirstEvent:
    """Return the earliest date, not before ``since``, or the latest date, of several moments for each subject."""
    size = len(columns[SUBJECT])
    best = FirstEvent(np.full(size, np.nan), np.full(size, -1), np.full(size, -1))
    for place, moment in enumerate(moments):
        date, row = _dates_of(moment, columns, since, context, latest)
        with np.errstate(invalid="ignore"):
            better = ~np.isnan(date) & (np.isnan(best.date) | (date >= best.date if latest else date < best.date))
        best = FirstEvent(*(np.where(better, new, old) for new, old in zip((date, np.full(size, place), row),
                     (best.date, best.moment, best.row), strict=True)))  # fmt: skip
    return best


def _dates_of(
    moment: Moment, columns: Columns, since: np.ndarray | None, context: DerivationContext, latest: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return for each subject the first or last date of one moment, not before ``since``, and the row that has it."""
    dates = number({moment.date: context.variable(moment.dataset, moment.date)}, moment.date)
    subject = context.variable(moment.dataset, SUBJECT)
    eligible = present(dates) & context.fulfil(moment.dataset, moment.where)
    if since is not None:
        known = present(since)
        start = np.append(since[known], np.nan)[
            matching_rows([subject], [take(columns[SUBJECT], np.flatnonzero(known))])
        ]
        with np.errstate(invalid="ignore"):
            eligible &= dates >= start
    rows = first_rows(group_codes([subject]), [(dates, latest)], eligible)
    match = matching_rows([columns[SUBJECT]], [take(subject, rows)])
    row = np.where(match < 0, -1, np.append(rows, -1)[match])
    return np.append(dates, np.nan)[row], row


def _sequence(moments: list[Moment], moment: np.ndarray, row: np.ndarray, context: DerivationContext) -> np.ndarray:
    made = np.full(len(moment), np.nan)
    for place, one in enumerate(moments):
        if one.sequence:
            mine = np.flatnonzero(moment == place)
            made[mine] = number({"": context.variable(one.dataset, one.sequence)}, "")[row[mine]]
    return made
