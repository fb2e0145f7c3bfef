"""Derivations that add records for visits without one: locf_records, expected_records."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from adam.columns.columns import Columns, Values, constant, known_names, number, present, stack, take, text
from adam.columns.grouping import Order, first_rows, group_codes, ordered
from adam.derivations.windows import Schedule, check_schedules, planned_visits, visits_of
from adam.language.added_records import AddedRecords
from adam.language.derivation import (
    AddedRows,
    DerivationContext,
    keyed,
    listed,
)
from metadata.coded_text import CodedText
from metadata.condition import Condition, DatasetKinds, OtherCondition
from metadata.dataset import Edges
from metadata.declaration import (
    Column,
    OrderColumn,
)
from metadata.errors import StudyError
from metadata.study import Study
from metadata.variable_kind import CHAR, ClosedText

ADSL, SUBJECT = "ADSL", "USUBJID"
NO_ROWS = np.empty(0, np.int64)
VISIT = {"AVISIT": "The visit that had no value", "AVISITN": "Number of the visit that had no value"}


class Wanted(NamedTuple):
    """Pairs of a group of records and a visit expected in it: the group's first row, and the visit's place."""

    first: np.ndarray
    visit: np.ndarray


class Absent(NamedTuple):
    """Visits of parameters of which a group has no record: a row of the group, the parameter's place, the visit's.

    The row is -1 for a subject without any record; ``people`` are the rows of these, the last ones, in ADSL or what
    else ``subjects`` names.
    """

    subject: np.ndarray
    parameter: np.ndarray
    visit: np.ndarray
    parameters: list[str]
    people: np.ndarray = NO_ROWS


OF_PARAMETER = re.compile(r"PARAMN?|PARCAT\dN?")
"""Variables of a parameter (ADaMIG 1.3, BDS Analysis Parameter Variables)."""


@dataclass(frozen=True, kw_only=True)
class Expecting(AddedRecords):
    """Base of derivations that know which visits a group of records should have."""

    by: tuple[Column, ...]
    schedules: tuple[Schedule, ...]
    where: Condition | None = None

    def expected(
        self, columns: Columns, count: int, context: DerivationContext
    ) -> tuple[list[str], np.ndarray, Wanted]:
        """Return names and numbers of the visits of all schedules, and which of them each group should have."""
        groups = group_codes([columns[name] for name in self.by])
        first = first_rows(groups, [], np.ones(count, bool))
        names: list[str] = []
        numbers: list[float] = []
        pairs: list[tuple[np.ndarray, np.ndarray]] = [(NO_ROWS, NO_ROWS)]
        for schedule, rows in zip(self.schedules, self._rows_of(columns, first), strict=True):
            visits = planned_visits(schedule, context.study)
            places = np.arange(len(visits)) + len(names)
            pairs.append((np.repeat(rows, len(visits)), np.tile(places, len(rows))))
            names += [visit for visit, _, _ in visits]
            numbers += [visitnum for _, visitnum, _ in visits]
        wanted = Wanted(*(np.concatenate(part) for part in zip(*pairs, strict=True)))
        return names, np.array(numbers, float), wanted

    def _rows_of(self, columns: Columns, first: np.ndarray) -> list[np.ndarray]:
        """Return for each schedule the groups (their first rows) whose parameter it is for."""
        codes = text(columns, "PARAMCD")
        named = {name for schedule in self.schedules for name in schedule.paramcd}
        made = []
        for schedule in self.schedules:
            wanted = codes.isin(schedule.paramcd) if schedule.paramcd else ~codes.isin(named)
            made.append(first[wanted[first]])
        return made

    def at_visits(
        self, columns: Columns, names: list[str], numbers: np.ndarray, visit: np.ndarray
    ) -> dict[str, Values]:
        """Return what the new records have instead of what they copy; ``visit`` are places in names and numbers."""
        return {
            **self.changed(columns, len(visit)),
            "AVISIT": CodedText.of_codes(visit, names),
            "AVISITN": numbers[visit],
        }

    def check_files(self, study: Study) -> None:
        check_schedules(self.schedules, study)

    def closed_texts(self, variable: str, kinds: DatasetKinds) -> ClosedText | None:
        return visits_of(self.schedules) if variable == "AVISIT" else super().closed_texts(variable, kinds)

    def changes(self) -> tuple[str, ...]:
        return (*VISIT, *self.own())

    def also_reads(self) -> tuple[str, ...]:
        return ("PARAMCD", *VISIT)

    def content(self, variable: str) -> str:
        """Return what ``variable`` holds in the new records, or an empty text."""
        return {**self.own_texts(), **VISIT}.get(variable, "")


@keyed("locf_records")
@dataclass(frozen=True, kw_only=True)
class LocfRecords(Expecting):
    """Add for each expected visit without a value a copy of the last record before it that has one (DTYPE LOCF).

    ``schedules`` say which visits of study.yaml a parameter should have; a visit has a value if one of the records for
    which ``where`` holds does, and only such records are carried forward: baseline is not if ``where`` leaves it out.
    A record whose value is missing stays as it is, next to the new one. Before the first value nothing is added. The
    new record keeps its template's date; ``set`` and ``blank`` say what it has of its own. Last records of a visit that
    ``order`` does not tell apart are an error if their values differ.
    """

    value: Column = "AVAL"
    order: tuple[OrderColumn, ...] = ("ADT",)
    blank: tuple[Column, ...] = ()

    def add(self, columns: Columns, count: int, context: DerivationContext) -> AddedRows:
        names, numbers, wanted = self.expected(columns, count, context)
        groups, visit = group_codes([columns[name] for name in self.by]), number(columns, "AVISITN")
        order = [(columns[name.removeprefix("-")], name.startswith("-")) for name in self.order]
        eligible = np.flatnonzero(self._eligible(columns, count) & ~np.isnan(visit))
        rows = ordered([(visit, False), *order], eligible, groups)
        lowest = min([*numbers.tolist(), *visit[rows].tolist()], default=0.0)
        scale = max([*numbers.tolist(), *visit[rows].tolist()], default=0.0) - lowest + 2
        keys = groups[rows] * scale + (visit[rows] - lowest)
        sought = groups[wanted.first] * scale + (numbers[wanted.visit] - lowest)
        before = np.searchsorted(keys, sought, side="left")
        there = np.searchsorted(keys, sought, side="right") > before
        last = np.append(rows, -1)[before - 1]
        carried = ~there & (before > 0) & (groups[last] == groups[wanted.first])
        template, place = last[carried], wanted.visit[carried]
        self._check_order(columns, groups, [(visit, False), *order], eligible, template)
        changed = self.at_visits(columns, names, numbers, place)
        changed |= {name: take(columns[name], np.full(len(place), -1)) for name in self.blank}
        changed["DTYPE"] = constant("LOCF", len(place))
        return AddedRows(template, changed, (np.arange(len(template)), template))

    def _check_order(
        self, columns: Columns, groups: np.ndarray, order: Order, eligible: np.ndarray, template: np.ndarray
    ) -> None:
        place = group_codes([groups.astype(float), *(values for values, _ in order)])
        both = group_codes([place.astype(float), columns[self.value]])
        values = np.bincount(np.unique(np.column_stack([place, both])[eligible], axis=0)[:, 0], minlength=len(place))
        if (values[place[template]] > 1).any():
            raise StudyError(f"several records are the last of a visit within {listed(self.by)} and differ;"
                             " add a variable to 'order' that tells them apart")  # fmt: skip

    def _eligible(self, columns: Columns, count: int) -> np.ndarray:
        eligible = present(columns[self.value])
        return eligible & self.where.holds(columns, count) if self.where else eligible

    def also_makes(self) -> dict[str, str]:
        return {"DTYPE": CHAR}

    def sentence(self, variable: str) -> str:
        among = f" among records where {self.where}" if self.where else ""
        what = self.content(variable) or "LOCF"
        return (
            f"{what} in the record added for each expected visit without {self.value}, a copy of the last record before"
            f" it within {listed(self.by)}{among}."
        )


@dataclass(frozen=True)
class Subjects:
    """Who should have records: the subjects of a dataset that fulfil ``where``."""

    dataset: str
    where: OtherCondition | None = None


@keyed("expected_records")
@dataclass(frozen=True, kw_only=True)
class ExpectedRecords(Expecting):
    """Add a record without a value for each expected visit of which a group has no record at all.

    ``schedules`` say which visits of study.yaml a parameter should have. Where ``by`` names PARAMCD, each of its other
    groups (a subject) should have all parameters that the dataset has or the schedules name, also those of which it has
    no record. The new record holds the variables of ``by`` and ``keep``, the visit and ``set``; all others are missing.
    Of ``keep`` PARAM, PARAMN and PARCATy are those of the parameter, others those of the subject. ``where`` narrows
    which records count as there. ``subjects`` says who should have records even without any, as {dataset: ADSL,
    where: {SAFFL: Y}}; their ``by`` and ``keep`` are taken from that dataset. A build in which a subject of ADSL
    has no record is refused without it. admiral's derive_expected_records.
    """

    keep: tuple[Column, ...] = ()
    subjects: Subjects | None = None

    def check(self) -> None:
        if self.subjects and not {SUBJECT, "PARAMCD"} <= set(self.by):
            raise StudyError(f"'subjects' needs {SUBJECT} and PARAMCD among 'by'")

    def datasets(self) -> tuple[str, ...]:
        return (self.subjects.dataset,) if self.subjects else ()

    def add(self, columns: Columns, count: int, context: DerivationContext) -> AddedRows:
        names, numbers, wanted = self.expected(columns, count, context)
        groups, visit = group_codes([columns[name] for name in self.by]), number(columns, "AVISITN")
        there = self.where.holds(columns, count) if self.where else np.ones(count, bool)
        both = group_codes(
            [np.concatenate([groups[there], groups[wanted.first]]).astype(float),
             np.concatenate([visit[there], numbers[wanted.visit]])]
        )  # fmt: skip
        lacking = ~np.isin(both[there.sum() :], both[: there.sum()])
        absent = self._with_people(self._absent(columns, count, context), columns, context)
        template = np.concatenate([wanted.first[lacking], absent.subject])
        place = np.concatenate([wanted.visit[lacking], absent.visit])
        known = known_names(columns) - {*self.by, *self.keep, "PARAMCD"}
        nothing = np.full(len(template), -1)
        changed = {name: take(columns[name], nothing) for name in sorted(known)}
        changed |= self._of_parameter(columns, wanted.first[lacking], absent)
        changed |= self._of_people(columns, template, absent.people, context)
        changed |= self.at_visits(columns, names, numbers, place)
        led = np.arange(len(template) - len(absent.people), len(template))
        source = self.subjects.dataset if self.subjects else ADSL
        edges = (Edges(led, "*", source, absent.people, "*"),) if len(led) else ()
        return AddedRows(template, changed, (NO_ROWS, NO_ROWS), edges)

    def _with_people(self, absent: Absent, columns: Columns, context: DerivationContext) -> Absent:
        """Add the visits of subjects without a record; raises StudyError if ``subjects`` does not say who they are."""
        people = self._without_record(columns, context)
        if not len(people):
            return absent
        if self.subjects is None:
            first = text({SUBJECT: context.variable(ADSL, SUBJECT)}, SUBJECT).array()[people[0]]
            raise StudyError(f"{len(people)} subject(s) of {ADSL} have no record, the first {first}: say under"
                             f" 'subjects' whose visits are expected, as {{dataset: {ADSL}, where: ...}}")  # fmt: skip
        parameters = self._parameters(columns)
        each = np.tile(np.arange(len(parameters)), len(people))
        repeats, visit = self._visits(each, parameters, context)
        rows = np.repeat(np.repeat(people, len(parameters)), repeats)
        return Absent(
            np.concatenate([absent.subject, np.full(len(rows), -1)]),
            np.concatenate([absent.parameter, np.repeat(each, repeats)]),
            np.concatenate([absent.visit, visit]),
            parameters,
            rows,
        )

    def _without_record(self, columns: Columns, context: DerivationContext) -> np.ndarray:
        """Return the rows of ``subjects``, or of ADSL, whose subject has no record here."""
        if SUBJECT not in self.by or (self.subjects is None and ADSL not in context.datasets):
            return NO_ROWS
        wanted = self.subjects or Subjects(ADSL)
        theirs = text({SUBJECT: context.variable(wanted.dataset, SUBJECT)}, SUBJECT)
        return np.flatnonzero(context.fulfil(wanted.dataset, wanted.where) & ~theirs.isin(text(columns, SUBJECT).held))

    def _of_people(
        self, columns: Columns, template: np.ndarray, people: np.ndarray, context: DerivationContext
    ) -> dict[str, Values]:
        """Return ``by`` and ``keep`` of all new records, of subjects without any other record from their dataset."""
        if not len(people) or self.subjects is None:
            return {}
        names = [name for name in dict.fromkeys([*self.by, *self.keep]) if not OF_PARAMETER.fullmatch(name)]
        copied = template[: len(template) - len(people)]
        return {
            name: stack(
                [take(columns[name], copied), take(context.variable(self.subjects.dataset, name), people)], name
            )
            for name in names
            if name != "PARAMCD"
        }

    def _parameters(self, columns: Columns) -> list[str]:
        """Return the parameters that the dataset has or the schedules name."""
        named = [code for schedule in self.schedules for code in schedule.paramcd]
        return sorted({*text(columns, "PARAMCD").held, *named})

    def _absent(self, columns: Columns, count: int, context: DerivationContext) -> Absent:
        """Return the visits of the parameters of which a group has no record, one entry each."""
        if "PARAMCD" not in self.by:
            return Absent(NO_ROWS, NO_ROWS, NO_ROWS, [])
        codes = text(columns, "PARAMCD")
        parameters = self._parameters(columns)
        owners = [columns[name] for name in self.by if name != "PARAMCD"]
        groups = group_codes(owners) if owners else np.zeros(count, np.int64)
        first = first_rows(groups, [], np.ones(count, bool))
        row_of = {code: place for place, code in enumerate(parameters)}
        mine = codes.each(lambda code: row_of.get(code, -1), int)
        there = np.zeros((int(groups.max(initial=-1)) + 1, len(parameters)), bool)
        there[groups[mine >= 0], mine[mine >= 0]] = True
        lacking, parameter = np.nonzero(~there[groups[first]])
        repeats, visit = self._visits(parameter, parameters, context)
        return Absent(first[np.repeat(lacking, repeats)], np.repeat(parameter, repeats), visit, parameters)

    def _visits(
        self, parameter: np.ndarray, parameters: list[str], context: DerivationContext
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return of each parameter's place how many visits it should have, and the places of all these visits."""
        named = {code for schedule in self.schedules for code in schedule.paramcd}
        lengths = [len(planned_visits(schedule, context.study)) for schedule in self.schedules]
        starts = np.cumsum([0, *lengths])
        schedule = np.array([self._schedule_of(code, named) for code in parameters], int)[parameter]
        repeats = np.append(lengths, 0)[schedule]
        within = np.arange(repeats.sum()) - np.repeat(np.cumsum(repeats) - repeats, repeats)
        return repeats, np.repeat(starts[schedule], repeats) + within

    def _schedule_of(self, code: str, named: set[str]) -> int:
        """Return the place of a parameter's schedule, -1 if there is none."""
        fits = [code in one.paramcd if one.paramcd else code not in named for one in self.schedules]
        return fits.index(True) if any(fits) else -1

    def _of_parameter(self, columns: Columns, first: np.ndarray, absent: Absent) -> dict[str, Values]:
        """Return PARAMCD and what is kept of the parameter: of the records themselves, or of another subject's."""
        codes = text(columns, "PARAMCD")
        sample = np.array([next(iter(np.flatnonzero(codes.isin([code]))), -1) for code in absent.parameters], int)
        rows = np.concatenate([first, sample[absent.parameter]]) if len(absent.parameter) else first
        kept = [name for name in self.keep if OF_PARAMETER.fullmatch(name)]
        known = take(codes, first)
        assert isinstance(known, CodedText)
        made = CodedText.stack([known, CodedText.of_codes(absent.parameter, absent.parameters)])
        return {"PARAMCD": made, **{name: take(columns[name], rows) for name in kept}}

    def sentence(self, variable: str) -> str:
        what = self.content(variable) or "Missing"
        among = f" where {self.where}" if self.where else ""
        return f"{what} in the record added for each expected visit without a record{among} within {listed(self.by)}."
