"""The SDTM model's variables by general observation class: a domain may have them although its guide lists others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from metadata.standards import GuideVariable, standard_table

MODEL = "sdtm-1-7-variables"
CLASSES = ("Interventions", "Events", "Findings")
FINDINGS_ABOUT = "Findings About"
OBJECT = "--OBJ"


@cache
def model_variables(domain: str, dataset_class: str) -> tuple[GuideVariable, ...]:
    """Return identifiers, topic, qualifiers and timing variables of a class for a domain (SDTM 1.7, 2.2.1 to 2.2.5).

    They are Permissible and in the model's order; none for a class that is not a general observation class. --OBJ
    belongs to Findings About alone.
    """
    about = dataset_class == FINDINGS_ABOUT
    name = "Findings" if about else dataset_class
    if name not in CLASSES:
        return ()
    rows = standard_table(MODEL)
    return tuple(
        GuideVariable(
            row["variable"].replace("--", domain, 1),
            row["label"],
            row["type"],
            "Perm",
            row["role"],
            row["codelist"],
            0,
        )
        for group in ("Identifiers", name, "Timing")
        for row in rows
        if row["class"] == group and (about or row["variable"] != OBJECT)
    )


def with_model(
    domain: str, dataset_class: str, listed: tuple[GuideVariable, ...], named: Iterable[str]
) -> tuple[GuideVariable, ...]:
    """Return the guide's variables with those of the model among ``named`` that the guide does not list (SDTMIG 2.5).

    Each comes after the last listed variable that is before it in the model.
    """
    model = model_variables(domain, dataset_class)
    wanted = set(named) - {variable.name for variable in listed}
    for number, added in enumerate(model):
        if added.name not in wanted:
            continue
        before = {variable.name for variable in model[:number]}
        places = [place for place, variable in enumerate(listed, start=1) if variable.name in before]
        at = places[-1] if places else len(listed)
        listed = (*listed[:at], replace(added, order=listed[at - 1].order), *listed[at:])
    return listed
