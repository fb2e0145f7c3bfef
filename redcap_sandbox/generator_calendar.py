"""When patients are seen: the days of their visits, and how the study's folder writes a day.

A day is a study day (Day 1 is the patient's own; there is no day 0). The folder writes it as a number (``45``), as a
visit's day (``@EVENT``, ``@EVENT-1``), or as a calendar date that may be partial (``1985``, ``1985-03``); ``45~d`` says
that the day of the month is not known and ``45~m`` that the month is not known either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from metadata.errors import StudyError
from metadata.study import Study
from metadata.study_declaration import Visit
from redcap_sandbox.generator_draws import Draws

WRITTEN = (
    r"(?:@(?P<event>\w+?)(?P<shift>[+-]\d+)?|(?P<day>-?\d{1,3}|-\d{4})|(?P<year>\d{4})(?:-(?P<month>\d\d))?(?:-(?P<date>\d\d))?)"
    r"(?P<unknown>~[dm])?"
)


ISO_PLACES = {"year": (0, 4), "month": (5, 7), "date": (8, 10)}


def _read(written: pd.Series) -> pd.DataFrame:
    """Return what is written as its parts (columns of WRITTEN), each different text read once."""
    code, different = pd.factorize(written)
    found = pd.Series(different, dtype="str").str.extract(f"^{WRITTEN}$").fillna("")
    return found.iloc[code].reset_index(drop=True)


class Calendar:
    """Visit days of every patient: ``days[event]`` is float64 of (patients,), NaN where the visit did not happen.

    In a classic project a form belongs to one visit, and ``moment_of_form`` says to which: by the visits' ``forms`` in
    study.yaml, or by ``moments`` of the plan, whose days are a column of the patients.
    """

    def __init__(self, study: Study, patients: pd.DataFrame, draws: Draws, plan: Mapping[str, Any]) -> None:
        self.first_day = patients[plan["first_day"]].to_numpy("datetime64[D]")
        self.days: dict[str, np.ndarray] = {}
        leaves = plan.get("leaves")
        leaving = np.full(len(patients), np.nan)
        if leaves:
            leaving = pd.to_numeric(patients[leaves["day"]], errors="coerce").to_numpy(float)
            self.days |= {leaves["event"]: leaving} if "event" in leaves else {}
        missed = patients[plan["missed"]].str.split(";") if "missed" in plan else pd.Series([[]] * len(patients))
        for visit in study.visits:
            if visit.day is not None:
                planned = self._visit(visit, visit.day, draws, float(plan["spread"]))
                gone = planned >= leaving - float(leaves["margin"]) if leaves else np.zeros(len(planned), bool)
                gone |= np.array([not set(visit.event).isdisjoint(events) for events in missed], bool)
                self.days |= dict.fromkeys(visit.event, np.where(gone, np.nan, planned))
        self.moment_of_form = dict(study.visit_of_form)
        for name, moment in (plan.get("moments") or {}).items():
            self.days[name] = self.study_days(patients[moment["day"]], np.arange(len(patients)))
            self.moment_of_form |= dict.fromkeys(moment.get("forms", []), name)

    def _visit(self, visit: Visit, day: int, draws: Draws, spread: float) -> np.ndarray:
        """Days of one planned visit, spread over a part of its window, never on a weekend, never day 0."""
        before, after = visit.window or (0, 0)
        uniform = draws.uniform("visit", visit.event[0])
        allowed = min(-before, after)
        return self._working_days(day + np.trunc((uniform * 2 - 1) * spread * allowed), allowed)

    def _working_days(self, day: np.ndarray, allowed: int) -> np.ndarray:
        """Move Saturdays back to Friday and Sundays on to Monday, where the window allows a move at all."""
        whole = day.astype(int)
        weekday = (self.dates(whole, np.arange(len(day))).astype(int) + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0
        return (whole + ((weekday == 6) * 1 - (weekday == 5) * 1) * (allowed > 0)).astype(float)

    def dates(self, day: np.ndarray, patient: np.ndarray) -> np.ndarray:
        """Return datetime64[D] of study days (no day 0) of the given patients."""
        return self.first_day[patient] + (day - (day > 0)).astype("timedelta64[D]")

    def parts(self, written: pd.Series, patient: np.ndarray) -> pd.DataFrame:
        """Return year, month, date as texts: blank if nothing is written, ``?`` for a part that is not known."""
        found = _read(written)
        wrong = (written != "").to_numpy(bool) & (found == "").all(axis="columns").to_numpy(bool)
        if wrong.any():
            bad = written[wrong].iloc[0]
            raise StudyError(f"'{bad}' is not a day; write 45, 45~d, @event, @event-1, 1985 or 1985-03")
        day = self._study_days(found, patient)
        dates = self.dates(np.nan_to_num(day, nan=1.0).astype(int), patient)
        iso = pd.Series(np.datetime_as_string(dates), dtype="str")
        relative = pd.Series(~np.isnan(day))
        given = {part: found[part].mask(relative, iso.str.slice(*place)) for part, place in ISO_PLACES.items()}
        stated, unknown = given["year"] != "", found["unknown"]
        given["month"] = given["month"].mask(stated & ((given["month"] == "") | (unknown == "~m")), "?")
        given["date"] = given["date"].mask(stated & ((given["date"] == "") | (unknown != "")), "?")
        return pd.DataFrame(given)

    def study_days(self, written: pd.Series, patient: np.ndarray) -> np.ndarray:
        """Return study days of what is written as a day or a visit's day, as float64; NaN for anything else."""
        return self._study_days(_read(written.astype("str")), patient)

    def _study_days(self, found: pd.DataFrame, patient: np.ndarray) -> np.ndarray:
        """Study day of what is written relatively, NaN for calendar dates and blanks."""
        day = pd.to_numeric(found["day"], errors="coerce").to_numpy(float).copy()
        shift = pd.to_numeric(found["shift"], errors="coerce").fillna(0).to_numpy(float)
        for event in sorted(set(found["event"]) - {""}):
            if event not in self.days:
                raise StudyError(f"'@{event}' names no visit that has a day")
            here = (found["event"] == event).to_numpy(bool)
            target = self.days[event][patient[here]]
            since_first = target - (target > 0) + shift[here]
            day[here] = since_first + (since_first >= 0)
        return day

    def iso(self, written: pd.Series, patient: np.ndarray) -> np.ndarray:
        """Return complete ISO dates as texts, blank where nothing is written."""
        parts = self.parts(written, patient)
        joined = parts["year"] + "-" + parts["month"] + "-" + parts["date"]
        return joined.where(parts["year"] != "", "").to_numpy(object)
