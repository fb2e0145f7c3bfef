"""The units of graded parameters, held against those of the toxicity tables before any data."""

from __future__ import annotations

from adam.build.specification import AnalysisSpecification
from adam.derivations.grades import Grade
from adam.derivations.values import Parameters
from metadata.errors import Gather
from metadata.study import Study


def units_of_parameters(specification: AnalysisSpecification) -> dict[str, str]:
    """Return the units that a dataset declares of its parameters."""
    units: dict[str, str] = {}
    for step in specification.steps:
        if isinstance(step.derivation, Parameters):
            units |= step.derivation.units()
    return units


def check_units(specification: AnalysisSpecification, study: Study) -> None:
    """Raise StudyError for graded parameters whose unit is not known, or not one that the table can be used with."""
    units = units_of_parameters(specification)
    with Gather() as gather:
        for step in specification.steps:
            if isinstance(step.derivation, Grade):
                with gather.part(), step.place():
                    step.derivation.check_units(units, study)
