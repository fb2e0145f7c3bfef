"""Which derivations make the values of each parameter of a BDS dataset: the value level of define.xml.

A parameter's records are those of the source, or those that a derivation adds; a derivation with a condition on
PARAMCD speaks of the parameters that it names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adam.build.specification import AnalysisSpecification
from adam.columns.columns import Values
from adam.language.derivation import Derivation
from metadata.coded_text import CodedText
from metadata.condition import Condition
from metadata.study import Study

PARAMETER, PARAMETER_LABEL = "PARAMCD", "PARAM"
BY_PARAMETER = ("AVAL", "AVALC")
"""The analysis value, which means something else in each parameter (ADaMIG 1.3, section 3.3.4)."""


@dataclass(frozen=True)
class ParameterMakers:
    """The derivations that make one variable in the records of one parameter, and the parameter's label."""

    variable: str
    parameter: str
    label: str
    makers: list[Derivation]


def makers_by_parameter(
    specification: AnalysisSpecification, derivations: Sequence[Derivation], columns: Mapping[str, Values]
) -> list[ParameterMakers]:
    """Return who makes the analysis value of each parameter, by variable and PARAMCD; nothing for one parameter."""
    codes = columns.get(PARAMETER) if PARAMETER in specification.variables else None
    if not isinstance(codes, CodedText):
        return []
    labels = _labels(codes, columns.get(PARAMETER_LABEL))
    if len(labels) < 2:
        return []
    named = [name for name in BY_PARAMETER if name in specification.variables]
    found = [ParameterMakers(name, code, labels[code], _makers(name, code, derivations))
             for name in named for code in sorted(labels)]  # fmt: skip
    return [one for one in found if one.makers]


def meanings_by_parameter(
    specification: AnalysisSpecification, derivations: Sequence[Derivation], columns: Mapping[str, Values], study: Study
) -> list[tuple[ParameterMakers, dict[str, str]]]:
    """Return what the terms of a variable mean in each parameter, nothing in those of which no table says it.

    All parameters are named of a variable with meanings: the value level must speak of each of its values.
    """
    codes = columns.get(PARAMETER) if PARAMETER in specification.variables else None
    labels = _labels(codes, columns.get(PARAMETER_LABEL)) if isinstance(codes, CodedText) else {}
    return [
        (ParameterMakers(name, code, labels[code], [one]), by_code.get(code, {}))
        for one in derivations
        for name, by_code in one.meanings(study).items()
        for code in sorted(labels)
        if name in specification.variables and by_code.keys() & labels.keys()
    ]


def _labels(codes: CodedText, labels: Values | None) -> dict[str, str]:
    """Return PARAM by PARAMCD, for the parameters that have records; the code where there is no label."""
    if not isinstance(labels, CodedText):
        return {code: code for code in codes.held if code}
    return {code: next((one for one in labels.among(codes.isin([code])) if one), code) for code in codes.held if code}


def _makers(name: str, parameter: str, derivations: Sequence[Derivation]) -> list[Derivation]:
    """Return the derivations that speak of a variable in a parameter's records, in order.

    What was made before the first records of a parameter were added is not in them, if these have a value of their own.
    """
    found: list[Derivation] = []
    has_records = False
    for one in derivations:
        made = one.parameters_made()
        if name in (*one.makes, *one.changes()):
            if not made:
                found += [one] if may_hold(one.when, parameter) else []
            elif parameter in made:
                found = [*found, one] if has_records else [one]
        has_records = has_records or parameter in made or (PARAMETER in one.makes and not made)
    return found


def may_hold(when: Condition | None, parameter: str) -> bool:
    """Return False if a condition names other parameters only."""
    if when is None:
        return True
    return any(
        all(_allows(test.name, test.operand, parameter) for test in tests if test.variable == PARAMETER)
        for tests in when.alternatives
    )


def _allows(name: str, operand: object, parameter: str) -> bool:
    if not isinstance(operand, tuple):
        return True
    return (parameter in operand) == (name == "is")
