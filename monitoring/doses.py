"""Doses of the plan's drugs: what was given a day from when to when, and where a course of a drug begins or rises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monitoring.settings import PlanFile
from sdtm.columns.table import DomainTable
from sdtm.mapping.domain_mapping import DomainMapping

if TYPE_CHECKING:
    import pandas as pd

DAY = np.timedelta64(1, "D")
FAR = np.datetime64("2200-01-01", "ns")
SAME = 1e-9
COLUMNS = ["record", "drug", "start", "end", "daily", "problem", "event", "form", "instance"]


def doses_of(settings: PlanFile, mapping: DomainMapping, table: DomainTable) -> pd.DataFrame:
    """Return one row a record of a dose, by record, drug and start; a dose that goes on ends far ahead.

    ``problem`` says why a dose cannot be judged: it has no start, no amount, no known frequency, or no known drug. A
    treatment that is none of the plan's drugs is left out.
    """
    import pandas as pd

    named, drugs = mapping.prefixed, settings.drugs
    treatment, frequency = table.text(named("TRT")), table.text(named("DOSFRQ"))
    factors = {(name, word): times for name, drug in drugs.items() for word, times in drug.per_day.items()}
    drug = treatment.replace({one.treatment: name for name, one in drugs.items()}, "").array()
    times = np.array([factors.get(pair, np.nan) for pair in zip(drug, frequency.array(), strict=True)], float)
    amount = table.number(named("DOSE"))
    made = pd.DataFrame({
        "record": table.hidden["record"].array(), "drug": drug,
        "start": table.days(named("STDTC"))[0].astype("datetime64[ns]"),
        "end": table.days(named("ENDTC"))[1].astype("datetime64[ns]"),
        "daily": np.where(amount == 0, 0.0, amount * times),
        "event": table.hidden["event"].array(),
        "form": _forms(mapping, table),
        "instance": table.hidden["instance"].array(),
    })  # fmt: skip
    why = np.where(made["daily"].isna(), "its dose or frequency is not known", "")
    why = np.where(made["start"].isna(), "its start is not known", why)
    why = np.where(~treatment.present(), "its drug is not known", why)
    made = made.assign(problem=why, end=made["end"].fillna(FAR))
    made = made[(made["drug"] != "") | (made["problem"] == "its drug is not known")]
    texts = ["record", "drug", "problem", "event", "form", "instance"]
    return made.astype(dict.fromkeys(texts, "str"))[COLUMNS].sort_values(
        ["record", "drug", "start", "end"], kind="stable", ignore_index=True
    )


def _forms(mapping: DomainMapping, table: DomainTable) -> np.ndarray:
    made = np.full(table.count, "", object)
    for (_, start, stop), block in zip(table.parts, mapping.blocks, strict=True):
        made[start:stop] = block.form
    return made


def of_each(names: pd.Series, known: pd.Series) -> pd.Series:
    """Return for each name what is known of it (by a unique index), missing where nothing is."""
    return known.reindex(names).set_axis(names.index)


def courses(doses: pd.DataFrame, drug: str) -> pd.DataFrame:
    """Return where one drug begins, begins again after a pause, or rises: record, start and end of what follows.

    ``end`` is the last day before the next beginning, rise or pause; ``daily`` the dose at the start.
    """
    own = doses[(doses["drug"] == drug) & doses["start"].notna()]
    own = own.sort_values(["record", "start", "end"], kind="stable", ignore_index=True)
    by = own.groupby("record")
    until = by["end"].cummax()
    before, dose = until.groupby(own["record"]).shift(), by["daily"].shift()
    begins = before.isna() | (own["start"] > before + DAY) | (own["daily"] > dose * (1 + SAME))
    number = begins.groupby(own["record"]).cumsum()
    grouped = own.assign(number=number).groupby(["record", "number"], sort=True)
    made = grouped.agg(start=("start", "first"), end=("end", "max"), daily=("daily", "first")).reset_index()
    follows = made.groupby("record")["start"].shift(-1)
    return made.assign(end=made["end"].where(follows.isna() | (made["end"] < follows), follows - DAY)).drop(
        columns="number"
    )
