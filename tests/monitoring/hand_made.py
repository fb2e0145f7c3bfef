"""Patients made by hand for the first study's plan: each has what one test needs, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache

import pandas as pd

from metadata.project import Project
from metadata.records import KEY_COLUMNS, Records
from metadata.study import Study
from monitoring.declaration import checked_plan
from monitoring.judge import findings_of, observe
from monitoring.plan import Plan
from sdtm.mapping.domain_mapping import DomainMapping

START = date(1999, 1, 4)
AS_OF = "1999-12-31"
UNITS = {"wbc": "1", "neut": "1", "lym": "1", "plat": "1", "alt": "11", "ast": "11", "bili": "14", "amylase": "11"}
CONTROL = {"wbc": "6", "neut": "4", "lym": "1.49", "plat": "250", "alt": "20", "ast": "20", "bili": "0.6"}
"""All tests of a control, none of them at a level; lymphocytes as low as every patient of the trial had them."""


@cache
def study() -> Study:
    return Study.open("spms_aza")


@cache
def project() -> Project:
    return study().project()


@cache
def plan() -> tuple[Plan, dict[str, DomainMapping]]:
    return checked_plan(study(), project())


def day(offset: int) -> str:
    """The day so many days after the start of azathioprine."""
    return (START + timedelta(days=offset)).isoformat()


def parts(name: str, offset: int) -> dict[str, str]:
    when = START + timedelta(days=offset)
    return {f"{name}_y": str(when.year), f"{name}_m": str(when.month), f"{name}_d": str(when.day)}


class Patient:
    """A woman of Granada, whose upper limits are ALT 35, AST 32, amylase 100 U/L and bilirubin 1.1 mg/dL."""

    def __init__(self, record: str, sex: str = "2", tpmt: str = "1", subject: str | None = None) -> None:
        self.record = record
        self.rows: list[dict[str, str]] = []
        self._instances: dict[str, int] = {}
        number = f"02-{record}" if subject is None else subject
        tested = {"tpmt": tpmt, "tpmt_dt": day(-14)} if tpmt else {}
        self.at("screening_arm_1", subjid=number, icf_dtc=day(-14), enrolled="1", sex=sex, age="45", **tested)

    def at(self, event: str, **values: str) -> Patient:
        self.rows.append({"record_id": self.record, "redcap_event_name": event, **values})
        return self

    def log(self, form: str, **values: str) -> Patient:
        number = self._instances[form] = self._instances.get(form, 0) + 1
        place = {"redcap_repeat_instrument": form, "redcap_repeat_instance": str(number)}
        return self.at("logs_arm_1", **place, **values)

    def takes(
        self, start: int = 0, end: int | None = None, dose: str = "50", freq: str = "2", drug: str = "2"
    ) -> Patient:
        """Azathioprine, 50 mg three times a day, unless something else is said."""
        ends = {"ex_en": day(end), "ex_ongo": "0"} if end is not None else {"ex_ongo": "1"}
        return self.log("exposure", ex_drug=drug, ex_dose=dose, ex_dose_u="2", ex_freq=freq, ex_st=day(start), **ends)

    def labs(self, offset: int, lab: str = "2", units: dict[str, str] | None = None, **values: str) -> Patient:
        """A sample with some tests, ``units`` where they are not the usual ones."""
        given = {f"u_{name}": value for name, value in values.items()}
        given |= {f"u_{name}_u": {**UNITS, **(units or {})}[name] for name in values}
        return self.log("labs_unsched", u_dt=day(offset), u_lab=lab, u_reason="5", **given)

    def visit(self, event: str, offset: int, **values: str) -> Patient:
        return self.at(event, vis_done="1", vis_dt=day(offset), **values)


def records(patients: Iterable[Patient]) -> Records:
    made = project()
    rows = [row for patient in patients for row in patient.rows]
    columns = [made.dictionary.record_id, *KEY_COLUMNS]
    dictionary = made.dictionary
    columns += [name for form in dictionary.forms for name in dictionary.export_columns(form) if name not in columns]
    assert not {name for row in rows for name in row} - set(columns)
    cells = [{column: row.get(column, "") for column in columns} for row in rows]
    return Records.from_frame(made, pd.DataFrame(cells, columns=columns, dtype="str"))


def found(patients: Iterable[Patient], as_of: str = AS_OF, dated: str | None = None) -> pd.DataFrame:
    """What the plan of the first study finds in patients."""
    rules, domains = plan()
    observed = observe(study(), rules, domains, records(patients), as_of, dated or as_of)
    return findings_of(observed, rules)
