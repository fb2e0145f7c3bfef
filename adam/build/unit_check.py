"""The units of graded parameters and of those in formulas, held against what these take before any data."""

from __future__ import annotations

from collections.abc import Mapping

from adam.build.specification import AnalysisSpecification, DerivationStep
from adam.derivations.formula_records import FormulaRecords
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
    """Raise StudyError for graded parameters whose unit is not known, or not one that the table can be used with, and
    for parameters of a formula that are declared in another unit.
    """
    units = units_of_parameters(specification)
    with Gather() as gather:
        for step in specification.steps:
            with gather.part():
                check_step(step, units, study)


def check_step(step: DerivationStep, units: Mapping[str, str], study: Study) -> None:
    """Raise StudyError if the parameters of one derivation do not have the units that it takes."""
    with step.place():
        if isinstance(step.derivation, Grade):
            step.derivation.check_units(units, study)
        elif isinstance(step.derivation, FormulaRecords):
            step.derivation.check_units(units)
