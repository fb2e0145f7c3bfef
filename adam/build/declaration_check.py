"""The check of the analysis datasets without data: derivations, parameters, sources and the order they need."""

from __future__ import annotations

from adam.build.names_check import check_codelists, check_names, check_terms
from adam.build.parameter_check import StandardUnits, check_parameters
from adam.build.specification import (
    FOLDER,
    AnalysisSpecification,
    DerivationStep,
    needed_first,
    read_specifications,
)
from adam.build.unit_check import check_step, units_of_parameters
from adam.build.variable_check import check_listed, check_others, check_types, check_used
from adam.build.variable_kinds import check_conditions, kinds_within
from adam.derivations.norm_scores import NormScores, check_norms_used
from adam.derivations.study_code import FILE, StudyDerivation, functions_in
from metadata.condition import DatasetKinds
from metadata.errors import Gather, StudyError, nearest
from metadata.standards import sdtm_domains
from metadata.study import Study
from metadata.terminology import Terminology


def declared_names(study: Study) -> set[str]:
    """Return the names of the analysis datasets that a study declares, also of those with mistakes."""
    names = set()
    for path in sorted((study.folder / FOLDER).glob("*.yaml")):
        try:
            node = study.read_yaml(f"{FOLDER}/{path.name}")
        except StudyError:
            continue  # not YAML: check_analyses says so
        if isinstance(node, dict):
            names.add(str(node.get("dataset")))
    return names


def check_analyses(
    study: Study,
    datasets: DatasetKinds | None = None,
    specifications: list[AnalysisSpecification] | None = None,
    terminology: Terminology | None = None,
    units: StandardUnits | None = None,
) -> list[StudyError]:
    """Return all that is wrong with ``adam/*.yaml``, as far as it can be found without a dataset.

    ``datasets`` are all datasets that the study makes, with the kinds of their variables; conditions are held against
    those that are known. ``specifications`` are read unless they are given; codelists are held against
    ``terminology`` if that is given, the units of parameters against the standard ``units``.
    """
    gather = Gather()
    with gather.part():
        specifications = read_specifications(study) if specifications is None else specifications
        known = {specification.name for specification in specifications}
        known |= set(datasets or sdtm_domains(study.standards["sdtmig"]))
        for specification in specifications:
            for name in sorted(specification.uses() - known):
                with gather.part():
                    if not name.startswith("SUPP"):
                        raise specification.error(f"there is no dataset {name}{nearest(name, known)}", "source")
            with gather.part():
                check_names(specification, study)
            with gather.part():
                if terminology:
                    check_codelists(specification, study, terminology)
            with gather.part():
                check_parameters(specification, units or {})
            with gather.part():
                _check_variables(specification, study, datasets or {}, terminology)
        with gather.part():
            steps = (step.derivation for specification in specifications for step in specification.steps)
            check_norms_used([one for one in steps if isinstance(one, NormScores)], study)
        needed_first(specifications)
    return gather.found


def _check_variables(
    specification: AnalysisSpecification, study: Study, others: DatasetKinds, terminology: Terminology | None
) -> None:
    """Raise StudyError for all that is wrong with the variables of a dataset and, step by step, with its derivations.

    ``others`` are the variables that each dataset may have; one about which nothing is known is not judged.
    """
    own = kinds_within(specification, study, others)
    kinds, units = {**others, "": own}, units_of_parameters(specification)
    with Gather() as gather:
        with gather.part():
            check_listed(specification, study, others, own)
        with gather.part():
            check_used(specification, own)
        with gather.part():
            if terminology:
                check_terms(specification, study, terminology, own)
        with gather.part():
            check_conditions(specification.header, specification.name, kinds)
        for step in specification.steps:
            derivation = step.derivation
            with gather.part():
                _check_function(study, step)
            with gather.part(), step.place():
                derivation.check_files(study)
            with gather.part():
                check_step(step, units, study)
            with gather.part(), step.place():
                check_others(derivation, others)
            with gather.part():
                check_types(step, specification, study, kinds)
            with gather.part(), step.place():
                derivation.check_kinds(kinds)
            with gather.part():
                check_conditions(derivation, specification.name, kinds)


def _check_function(study: Study, step: DerivationStep) -> None:
    """Raise StudyError where a study's own derivation names no function of its file; the file is not run."""
    if isinstance(step.derivation, StudyDerivation):
        name, names = step.derivation.call, functions_in(study)
        if name not in names:
            raise step.error(f"{FILE} has no function '{name}'{nearest(name, names)}")
