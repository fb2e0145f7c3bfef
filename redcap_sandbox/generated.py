"""What the generator makes of a study: its declared patients in two states, and any number of further ones."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from metadata.errors import StudyError, UsageError, nearest
from metadata.project import Project
from metadata.study import Study
from metadata.yaml_source import filled_in
from redcap_sandbox.generator_calendar import Calendar
from redcap_sandbox.generator_draws import Draws
from redcap_sandbox.generator_filling import World
from redcap_sandbox.generator_log import corrections, newest_first, saved_forms
from redcap_sandbox.generator_patients import FOLDER, all_patients, declared_patients, read_table
from redcap_sandbox.generator_planted import Planted, plant, read_planted
from redcap_sandbox.generator_records import flat_frame
from redcap_sandbox.generator_tables import calculate, close_branches, fill, log_rows, visit_rows


@dataclass(frozen=True, eq=False)
class Generated:
    """Flat exports and logs of both states, as frames of text; each is made when it is first asked for."""

    world: World
    plan: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]

    @cached_property
    def problems(self) -> list[Planted]:
        """The planted problems, which belong to the declared patients."""
        return read_planted(self.world.study) if self.world.has_declared else []

    @cached_property
    def locked(self) -> pd.DataFrame:
        """The records after cleaning: what no site could resolve stays."""
        clean = flat_frame(self.world.project, self.tables, self._column("id"), self._column("group"))
        return plant(self.world.project, clean, [problem for problem in self.problems if problem.kept])

    @cached_property
    def as_entered(self) -> pd.DataFrame:
        """The records with all planted problems."""
        return plant(self.world.project, self.locked, [problem for problem in self.problems if not problem.kept])

    @cached_property
    def log_as_entered(self) -> pd.DataFrame:
        """The project's log before anything was corrected, newest first."""
        return newest_first(self.saved, self.corrected[:0])

    @cached_property
    def log(self) -> pd.DataFrame:
        """The project's log up to the lock, newest first."""
        return newest_first(self.saved, self.corrected)

    @cached_property
    def saved(self) -> pd.DataFrame:
        """Who saved which form when."""
        plan, days = self.plan["log"], _entry_days(self.world, self.tables, self.plan["log"])
        return saved_forms(self.world.project, self.tables, self._column("id"), self._column("group"), plan, days)

    @cached_property
    def corrected(self) -> pd.DataFrame:
        """Which planted values were put right when."""
        resolved = [problem for problem in self.problems if not problem.kept]
        return corrections(self.world.project, self.locked, resolved, self.plan["log"])

    def _column(self, role: str) -> pd.Series:
        """The patients' names or data access groups."""
        return self.world.patients[self.plan["patients"][role]]


def generate(study: Study, patients: int | None = None) -> Generated:
    """Make the records of the declared patients, or of ``patients`` of whom the declared ones are the first.

    Planted problems belong to the declared patients and are the same whatever follows. Raises StudyError where the
    ``synthetic/`` folder is not fit, UsageError if fewer patients than declared are asked for.
    """
    return next(generate_shares(study, patients))


def generate_shares(study: Study, patients: int | None = None, size: int | None = None) -> Iterator[Generated]:
    """Yield what ``generate`` returns, ``size`` patients or some more at a time, in their order; all if it is None.

    The declared patients are all in the first share.
    """
    plan = study.read_yaml(f"{FOLDER}/generator.yaml")
    declared = declared_patients(study, plan["patients"])
    count = len(declared) if patients is None else patients
    if count < len(declared):
        raise UsageError(f"the study declares {len(declared)} patients; ask for as many or more, not {count}")
    shares = max(1, count // max(size or count, len(declared)))
    bounds = [count * number // shares for number in range(shares + 1)]
    everybody = all_patients(declared, plan["patients"], Draws(int(plan["seed"]), count))
    for first, end in itertools.pairwise(bounds):
        some = everybody[first:end].reset_index(drop=True)
        world = _world(study, plan, declared, some, Draws(int(plan["seed"]), end - first, first))
        yield Generated(world, plan, _tables(world, plan))


def _world(
    study: Study, plan: Mapping[str, Any], declared: pd.DataFrame, patients: pd.DataFrame, draws: Draws
) -> World:
    """Draw the patients' visits and their courses."""
    calendar = Calendar(study, patients, draws, plan["visits"])
    key = plan["patients"]["id"]
    tables = {name: read_table(study, file) for name, file in plan.get("courses", {}).items()}
    courses = {name: _course(table, declared[key], patients, key) for name, table in tables.items()}
    return World(study, study.project(), patients, calendar, draws, courses)


def _course(table: pd.DataFrame, declared: pd.Series, patients: pd.DataFrame, key: str) -> pd.DataFrame:
    """Give every patient the rows of the declared patient they follow; instances count from 1 in the order written."""
    template = pd.Series(declared.index, index=declared).reindex(table[key])
    if template.isna().any():
        stranger = table[key][template.isna().to_numpy()].iloc[0]
        raise StudyError(f"a course names a patient who is not declared: {stranger}")
    rows = table.drop(columns=key).assign(template=template.to_numpy(int))
    followed = pd.DataFrame({"template": patients["template"], "patient": np.arange(len(patients))})
    both = followed.merge(rows, on="template")
    both["instance"] = both.groupby("patient").cumcount() + 1
    if "day" not in both:
        both["day"] = "1"
    both["day"] = pd.to_numeric(both["day"]).astype(int)
    return both.drop(columns="template")


def _tables(world: World, plan: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Fill every form, set the declared exceptions, then let branching and calculations do what REDCap does."""
    project = world.project
    unplanned = world.courses.get(plan["visits"].get("unplanned", ""))
    tables: dict[str, pd.DataFrame] = {}
    for form in project.dictionary.forms:
        specs = _specifications(world.study, form, plan.get("for_each") or {})
        if any(project.repeats(event, form) for event in project.event_names):
            if form not in world.courses:
                hint = nearest(form, world.courses)
                raise StudyError(f"the repeating form '{form}' has no course in generator.yaml{hint}")
            rows = log_rows(world, form, world.courses[form])
        else:
            rows = visit_rows(world, form, unplanned)
        tables[form] = fill(world, form, rows, specs)
    if "exceptions" in plan and world.has_declared:
        _except(tables, world, read_table(world.study, plan["exceptions"]), plan["patients"]["id"])
    close_branches(project, tables)
    calculate(project, tables)
    return tables


def _specifications(study: Study, form: str, templates: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read how a form is filled; ``NAME_ITEM`` of a template (NAME: [ITEM, ...]) from NAME.yaml, for each item."""
    for name, items in templates.items():
        for item in items:
            if form == f"{name}_{item}":
                return dict(filled_in(study.read_yaml(f"{FOLDER}/forms/{name}.yaml"), str(item)))
    return dict(study.read_yaml(f"{FOLDER}/forms/{form}.yaml") or {})


def _except(tables: dict[str, pd.DataFrame], world: World, listed: pd.DataFrame, key: str) -> None:
    """Set single values of declared patients: record, event, form, instance, field, value."""
    position = {name: place for place, name in enumerate(world.patients[key])}
    for form, rows in listed.groupby("form", sort=False):
        table = tables[str(form)]
        instance = pd.to_numeric(rows["instance"].where(rows["instance"] != "", "0")).astype(int)
        wanted = pd.MultiIndex.from_arrays([rows["record"].map(position), rows["event"], instance])
        at = pd.MultiIndex.from_frame(table[["patient", "event", "instance"]]).get_indexer(wanted)
        if (at < 0).any():
            lost = rows[at < 0].iloc[0]
            what = f"no form '{form}' in record {lost['record']}, event {lost['event']}"
            raise StudyError(what, f"{FOLDER}/exceptions.csv")
        for column, places in pd.Series(at, index=rows["field"]).groupby(level=0):
            values = table[column].to_numpy(object).copy()
            values[places.to_numpy()] = rows.loc[rows["field"] == column, "value"].to_numpy(object)
            table[column] = pd.Series(values, dtype="str")


def _entry_days(world: World, tables: Mapping[str, pd.DataFrame], plan: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return when each form was entered: some days after the visit, logs after the last visit or their own date."""
    last = np.nanmax(np.vstack(list(world.calendar.days.values())), axis=0)
    entered: dict[str, np.ndarray] = {}
    for form, table in tables.items():
        patient = table["patient"].to_numpy(int)
        own = any(world.project.repeats(event, form) for event in world.project.event_names)
        held = world.calendar.dates(last[patient].astype(int) if own else table["day"].to_numpy(int), patient)
        newest = np.fmax(held, _newest_dates(world.project, form, table)) if own else held
        entered[form] = newest + np.timedelta64(int(plan["days_after"]), "D")
    return entered


def _newest_dates(project: Project, form: str, table: pd.DataFrame) -> np.ndarray:
    """Return the newest date in the date fields of each row, NaT where there is none."""
    newest = np.full(len(table), np.datetime64("NaT", "D"))
    for item in project.dictionary.form_fields(form):
        if item.validation.startswith("date"):
            dates = pd.to_datetime(table[item.name].str[:10], format="%Y-%m-%d", errors="coerce")
            newest = np.fmax(newest, dates.to_numpy("datetime64[D]"))
    return newest
