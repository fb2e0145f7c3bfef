"""The derivation time_to_event: for each parameter the first of several events, or the last day without one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from adam.columns.columns import Columns, SourceColumns, Values, day, number, present, stack, take
from adam.columns.grouping import first_rows, group_codes, matching_rows
from adam.derivations.dates import DAYS_OF
from adam.derivations.merging import SUBJECT
from adam.language.derivation import (
    AddedRows,
    Derivation,
    DerivationContext,
    ParameterLabel,
    keyed,
)
from adam.language.kinds import DayColumn, OtherDay, OtherNumber, ParameterCode, Several
from metadata.coded_text import CodedText
from metadata.condition import OtherCondition
from metadata.dataset import Edges
from metadata.declaration import Place
from metadata.errors import StudyError
from metadata.units import significant
from metadata.variable_kind import CHAR, DATE, NUM

Earlier = Literal["ignored", "at_start"]
WithoutDate = Literal["ignored"]


@dataclass(frozen=True)
class Moment:
    """A kind of event or of censoring: the records of a dataset that fulfil ``where``, and their date.

    ``description`` is what EVNTDESC says, ``sequence`` the variable that SRCSEQ takes, ``censor`` the value of CNSR for
    a censoring (0 is the event). ``earlier`` and ``without_date`` say for this kind of event what one before the start,
    or one without a date, means.
    """

    dataset: str
    date: OtherDay
    description: str
    where: OtherCondition | None = None
    sequence: OtherNumber | None = None
    censor: Several = 1
    earlier: Earlier | None = None
    without_date: WithoutDate | None = None


@dataclass(frozen=True)
class TimeToEventParameter:
    """One parameter: its label and number, events and censorings.

    Of the events the earliest counts, of one day the first listed; of the censorings the latest, of one day the last
    listed; of several records of one kind and day that with the lowest ``sequence``.
    """

    param: str
    paramn: int
    events: tuple[Moment, ...]
    censorings: tuple[Moment, ...]
    node: Place = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class FirstEvent:
    """For each subject the chosen date, which of the moments it was (-1 none), and the row of its dataset."""

    date: np.ndarray
    moment: np.ndarray
    row: np.ndarray


@keyed("time_to_event")
@dataclass(frozen=True, kw_only=True)
class TimeToEvent(Derivation):
    """Add for each record (one a subject) one record a parameter, with time, censoring and where both come from.

    ADT is the date of the earliest event on or after ``start``, and CNSR 0; without one the latest date of censoring,
    and CNSR as the censoring says. A censoring before ``start`` counts on the day of ``start``, which SRCDOM and SRCVAR
    then name, and CNSDTDSC is ``start_description``. An event before ``start`` is not looked at (``earlier`` ignored),
    or counts on the day of ``start`` (at_start, as in admiral's derive_param_tte). Where the study says neither, an
    event that can happen again is not looked at; one of a dataset with one record a subject, such as a death, and one
    of a subject who has no later date at all, is an error: it is never counted as time without an event. So is an event
    that fulfils its ``where``, or has a record of its own, and has no date, unless ``without_date`` is ignored (admiral
    leaves it out). AVAL is ADT - STARTDT + 1 in ``unit``. Without a date, or without ``start``, AVAL, ADT and
    CNSR are missing. ``ends`` names dates at which the time at risk ends, whichever comes first, with what CNSDTDSC
    says of each (the start of another therapy, the cut-off): an event after it does not count, and a later censoring is
    on that day. An end before ``start`` leaves no time at risk: AVAL, ADT and CNSR are missing. Two records of one
    subject are an error. Variables are those of ADaM BDS for TTE 1.0; CNSDTDSC
    says what the censoring date is.
    """

    start: DayColumn
    paramcd: dict[ParameterCode, TimeToEventParameter]
    unit: Literal["days", "weeks", "months", "years"] = "days"
    earlier: Earlier | None = None
    without_date: WithoutDate | None = None
    start_description: str = "Start of the time at risk"
    ends: dict[DayColumn, str] = field(default_factory=dict)

    adds_rows = True

    def add(self, columns: Columns, count: int, context: DerivationContext) -> AddedRows:
        subjects = group_codes([columns[SUBJECT]])
        if len(np.unique(subjects)) < count:
            raise StudyError(f"there are {count - len(np.unique(subjects))} further record(s) of the same {SUBJECT};"
                             " narrow the source's 'where' to one record a subject")  # fmt: skip
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
        origin = day(columns, self.start)
        self._check_dated(endpoint, origin, columns, context)
        events = [_earliest(one, columns, self._since(one, origin), context) for one in endpoint.events]
        event = _best(events, count, latest=False)
        censored = _best([_latest(one, columns, context) for one in endpoint.censorings], count, latest=True)
        self._check_earlier(endpoint, origin, np.fmax(event.date, censored.date), columns, context)
        end, which = self._end(columns, count)
        with np.errstate(invalid="ignore"):
            happened = (event.moment >= 0) & ~(event.date > end)
            cut = ~happened & (censored.date > end)
        chosen = np.where(happened, event.date, np.where(cut, end, censored.date))
        with np.errstate(invalid="ignore"):
            known = ~np.isnan(origin) & ~np.isnan(chosen) & ~(end < origin)
        later = np.where(censored.moment >= 0, censored.moment + len(endpoint.events), -1)
        moment = np.where(known, np.where(happened, event.moment, later), -1)
        row = np.where(happened, event.row, censored.row)
        moved = known & (chosen < origin)
        date = np.where(known, np.fmax(chosen, origin), np.nan)
        moments = [*endpoint.events, *endpoint.censorings]
        one = np.zeros(count, int)
        made = {
            "PARAMCD": CodedText.of_codes(one, [code]),
            "PARAM": CodedText.of_codes(one, [endpoint.param]),
            "PARAMN": np.full(count, float(endpoint.paramn)),
            "STARTDT": origin,
            "ADT": date,
            "AVAL": significant((date - origin + 1) / DAYS_OF[self.unit]),
            **self._event_columns(moments, moment, len(endpoint.events)),
            **self._sources(moments, moment, moved, np.where(known & cut, which, -1), len(endpoint.events), columns,
                            context),
            "SRCSEQ": _sequence(moments, np.where(moved | cut, -1, moment), row, context),
        }  # fmt: skip
        return made, [_edge(kind, np.flatnonzero((moment == place) & ~cut), row) for place, kind in enumerate(moments)]

    def _end(self, columns: Columns, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return for each record the day on which its time at risk ends (NaN: not before the last), and which it is."""
        end, which = np.full(count, np.nan), np.full(count, -1)
        for place, name in enumerate(self.ends):
            on = day(columns, name)
            with np.errstate(invalid="ignore"):
                sooner = ~np.isnan(on) & (np.isnan(end) | (on < end))
            end, which = np.where(sooner, on, end), np.where(sooner, place, which)
        return end, which

    def _since(self, moment: Moment, origin: np.ndarray) -> np.ndarray | None:
        """Return the day before which an event of this kind is not looked at, None if it always counts."""
        return None if (moment.earlier or self.earlier) == "at_start" else origin

    def _check_earlier(
        self, endpoint: TimeToEventParameter, origin: np.ndarray, last: np.ndarray, columns: Columns,
        context: DerivationContext,
    ) -> None:  # fmt: skip
        """Raise StudyError for events before the start if the declaration does not say what to do with them."""
        with np.errstate(invalid="ignore"):
            unseen = ~(last >= origin)
            for moment in endpoint.events:
                if moment.earlier or self.earlier:
                    continue
                once = _once_a_subject(moment.dataset, context)
                before = (_earliest(moment, columns, None, context)[0] < origin) & (once | unseen)
                if before.any():
                    raise StudyError(
                        f"'{moment.description}' ({moment.dataset}.{moment.date}) lies before {self.start} in"
                        f" {int(before.sum())} subject(s); say 'earlier: at_start' (it counts on the day of"
                        f" {self.start}) or 'earlier: ignored' (it does not count)"
                    )

    def _check_dated(
        self, endpoint: TimeToEventParameter, origin: np.ndarray, columns: Columns, context: DerivationContext
    ) -> None:
        """Raise StudyError for events of subjects at risk that have no date, unless they are to be left out."""
        for moment in endpoint.events:
            if (
                moment.without_date
                or self.without_date
                or (moment.where is None and _once_a_subject(moment.dataset, context))
            ):
                continue
            place = matching_rows([context.variable(moment.dataset, SUBJECT)], [columns[SUBJECT]])
            at_risk = np.append(~np.isnan(origin), False)[place]
            undated = at_risk & context.fulfil(moment.dataset, moment.where)
            undated &= ~present(context.day(moment.dataset, moment.date))
            if undated.any():
                raise StudyError(
                    f"'{moment.description}' ({moment.dataset}.{moment.date}) has no date in {int(undated.sum())}"
                    " record(s), so that it would not count; impute it, or say 'without_date: ignored'"
                )

    def _event_columns(self, moments: list[Moment], moment: np.ndarray, events: int) -> dict[str, Values]:
        values = [0.0 if place < events else float(one.censor) for place, one in enumerate(moments)]
        return {
            "CNSR": np.array([*values, np.nan])[moment],
            "EVNTDESC": CodedText.of_codes(moment, [one.description for one in moments]),
        }

    def _sources(
        self, moments: list[Moment], moment: np.ndarray, moved: np.ndarray, end: np.ndarray, events: int,
        columns: Columns, context: DerivationContext,
    ) -> dict[str, Values]:  # fmt: skip
        """Return where ADT comes from: a record of a moment, or a date of the record itself.

        That is the start, where a date before it was moved there, or the ``end`` of the time at risk (-1: none).
        """
        own = [self.start, *self.ends]
        stored = [name in columns.source if isinstance(columns, SourceColumns) else False for name in own]
        place = np.where(end >= 0, len(moments) + 1 + end, np.where(moved, len(moments), moment))
        dates = [one.description if number >= events else "" for number, one in enumerate(moments)]
        moved_event = moved & (moment < events)
        described = np.where(moved_event, -1, place)
        domains = [context.source if there else "" for there in stored]
        return {
            "CNSDTDSC": CodedText.of_codes(described, [*dates, self.start_description, *self.ends.values()]),
            "SRCDOM": CodedText.of_codes(place, [*(one.dataset for one in moments), *domains]),
            "SRCVAR": CodedText.of_codes(place, [*(one.date for one in moments), *own]),
        }

    def also_reads(self) -> tuple[str, ...]:
        return (SUBJECT,)

    def also_makes(self) -> dict[str, str]:
        return {
            "STARTDT": DATE,
            "PARAMCD": CHAR,
            "PARAM": CHAR,
            "PARAMN": NUM,
            "ADT": DATE,
            "AVAL": NUM,
            "CNSR": NUM,
            "EVNTDESC": CHAR,
            "CNSDTDSC": CHAR,
            "SRCDOM": CHAR,
            "SRCVAR": CHAR,
            "SRCSEQ": NUM,
        }

    def parameters_made(self) -> tuple[str, ...]:
        return tuple(self.paramcd)

    def parameter_labels(self) -> list[ParameterLabel]:
        return [ParameterLabel(code, one.param, one.paramn, one.node) for code, one in self.paramcd.items()]

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
        sentences = [
            f"{code}: earliest of {_places(one.events)}, else latest of {_places(one.censorings)}."
            for code, one in self.paramcd.items()
        ]
        ended = f" The time at risk ends on the earliest of {' and '.join(self.ends)}." if self.ends else ""
        return " ".join(sentences) + ended


def _once_a_subject(dataset: str, context: DerivationContext) -> bool:
    """Return True for a dataset of one record a subject: what it dates happens once."""
    keyed = set(context.datasets[dataset].metadata.keys) <= {"STUDYID", SUBJECT}
    subjects = group_codes([context.variable(dataset, SUBJECT)])
    return keyed and len(np.unique(subjects)) == len(subjects)


def _edge(moment: Moment, rows: np.ndarray, row: np.ndarray) -> Edges:
    return Edges(rows, "ADT", moment.dataset, row[rows], moment.date)


def _places(moments: tuple[Moment, ...]) -> str:
    tests = [one.where.parts if one.where else () for one in moments]
    return " and ".join(
        " where ".join([f"{one.dataset}.{one.date}", *parts]) for one, parts in zip(moments, tests, strict=True)
    )


Found = tuple[np.ndarray, np.ndarray]
"""For each subject the date of one moment (NaN without one), and the row of its dataset that has it."""


def _best(found: list[Found], count: int, latest: bool) -> FirstEvent:
    """Return the earliest date of several moments for each subject, or the latest; of equal ones the first, or last."""
    best = FirstEvent(np.full(count, np.nan), np.full(count, -1), np.full(count, -1))
    for place, (date, row) in enumerate(found):
        with np.errstate(invalid="ignore"):
            better = ~np.isnan(date) & (np.isnan(best.date) | (date >= best.date if latest else date < best.date))
        best = FirstEvent(*(np.where(better, new, old) for new, old in zip((date, np.full(count, place), row),
                     (best.date, best.moment, best.row), strict=True)))  # fmt: skip
    return best


def _earliest(moment: Moment, columns: Columns, since: np.ndarray | None, context: DerivationContext) -> Found:
    """Return each subject's first date of one moment, not before ``since``."""
    dates = context.day(moment.dataset, moment.date)
    if since is None:
        return _dated(moment, columns, dates, np.ones(len(dates), bool), context, latest=False)
    place = matching_rows([context.variable(moment.dataset, SUBJECT)], [columns[SUBJECT]])
    with np.errstate(invalid="ignore"):
        late = dates >= np.append(since, np.nan)[place]
    return _dated(moment, columns, dates, late, context, latest=False)


def _latest(moment: Moment, columns: Columns, context: DerivationContext) -> Found:
    """Return each subject's last date of one moment."""
    dates = context.day(moment.dataset, moment.date)
    return _dated(moment, columns, dates, np.ones(len(dates), bool), context, latest=True)


def _dated(
    moment: Moment, columns: Columns, dates: np.ndarray, wanted: np.ndarray, context: DerivationContext, latest: bool
) -> Found:
    """Return each subject's first or last date among the wanted records; of one date that of the lowest sequence."""
    subject = context.variable(moment.dataset, SUBJECT)
    eligible = wanted & present(dates) & context.fulfil(moment.dataset, moment.where)
    order: list[tuple[Values, bool]] = [(dates, latest)]
    if moment.sequence:
        order.append((context.variable(moment.dataset, moment.sequence), False))
    rows = first_rows(group_codes([subject]), order, eligible)
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
