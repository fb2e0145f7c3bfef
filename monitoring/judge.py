"""One day of monitoring: all findings of the plan, with the subject of each."""

from __future__ import annotations

import numpy as np
import pandas as pd

from metadata.records import Records
from metadata.study import Study
from monitoring.findings import together
from monitoring.observations import Observations
from monitoring.plan import Plan
from sdtm.mapping.domain_mapping import DomainMapping


def observe(
    study: Study, plan: Plan, domains: dict[str, DomainMapping], records: Records, as_of: str, dated: str
) -> Observations:
    """Return what is known on a day (YYYY-MM-DD); ``dated`` is the day of the newest change of the records."""
    day, newest = (np.datetime64(one, "ns") for one in (as_of, dated))
    return Observations(study, plan.file, records, domains, day, newest)


def findings_of(observed: Observations, plan: Plan) -> pd.DataFrame:
    """Return the findings of every rule up to the day of the run, with the subject's number."""
    made = together(part for rule in plan.rules for part in rule.find(observed, plan))
    made = made[made["since"] <= observed.as_of].reset_index(drop=True)
    return made.assign(subject=made["record"].map(observed.subjects.set_index("record")["subject"]).fillna(""))
