"""The parameters of a BDS dataset: one PARAM and one PARAMN for each PARAMCD, in the unit that tabulation gives.

ADaMIG 1.3, section 3.3.4: PARAM and PARAMN are one to one with PARAMCD, and PARAM has at most 200 characters.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from adam.build.specification import AnalysisSpecification
from adam.derivations.values import Parameters
from adam.language.derivation import ParameterLabel
from metadata.errors import Gather, StudyError
from metadata.yaml_source import complain

LONGEST = 200
StandardUnits = Mapping[str, Mapping[str, Collection[str]]]
"""The standard units of the tests of each domain, by test code."""


def check_parameters(specification: AnalysisSpecification, units: StandardUnits) -> None:
    """Raise one StudyError for all parameters with a label or number of another, and units that no result has."""
    seen: list[ParameterLabel] = []
    with Gather() as gather:
        for step in specification.steps:
            for label in step.derivation.parameter_labels():
                with gather.part(), step.place():
                    _check_label(label, seen)
                seen.append(label)
            if isinstance(step.derivation, Parameters):
                with gather.part():
                    _check_units(step.derivation, units.get(specification.header.source.dataset, {}))


def _check_label(label: ParameterLabel, seen: Collection[ParameterLabel]) -> None:
    """Raise StudyError if a parameter's label is too long, or it shares label or number with another one."""
    if len(label.param.encode()) > LONGEST:
        raise _error(label, "param", f"the PARAM of {label.code} is longer than {LONGEST} bytes")
    for other in seen:
        for key, name in (("param", "PARAM"), ("paramn", "PARAMN")):
            mine, theirs = getattr(label, key), getattr(other, key)
            if mine in ("", None) or theirs in ("", None):
                continue
            if mine == theirs and label.code != other.code:
                raise _error(label, key, f"the {name} '{mine}' is that of {other.code} and of {label.code}")
            if mine != theirs and label.code == other.code:
                raise _error(label, key, f"the {name} of {label.code} is '{theirs}' and '{mine}'")


def _error(label: ParameterLabel, key: str, message: str) -> StudyError:
    return StudyError(message) if label.node is None else complain(label.node, key, message)


def _check_units(derivation: Parameters, units: Mapping[str, Collection[str]]) -> None:
    """Raise StudyError for a parameter in another unit than the standard one of its test."""
    if derivation.source_unit and not derivation.source_unit.endswith("STRESU"):
        return
    with Gather() as gather:
        for code, one in derivation.paramcd.items():
            known = sorted(unit for unit in units.get(one.test, ()) if unit)
            with gather.part():
                if one.unit and one.test in units and one.unit not in known:
                    right = f"in {' or '.join(known)}" if known else "without a unit"
                    raise complain(
                        one.node, "unit", f"{code} is in {one.unit}, and the results of {one.test} are {right}"
                    )
