"""The check of the analysis datasets without data: derivations, parameters, sources and the order they need."""

from __future__ import annotations

from adam.build.names_check import check_names
from adam.build.specification import FOLDER, AnalysisSpecification, needed_first, read_specifications
from adam.build.unit_check import check_units
from adam.build.variable_check import check_variables
from adam.build.variable_kinds import check_conditions, check_kinds
from adam.derivations.study_code import FILE, StudyDerivation, functions_in
from metadata.condition import DatasetKinds
from metadata.errors import Gather, StudyError, nearest
from metadata.standards import sdtm_domains
from metadata.study import Study


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
) -> list[StudyError]:
    """Return all that is wrong with ``adam/*.yaml``, as far as it can be said without a dataset.

    ``datasets`` are all datasets that the study makes, with the kinds of their variables; conditions are held against
    those that are known. ``specifications`` are read unless they are given.
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
                _check_functions(study, specification)
            for step in specification.steps:
                with gather.part(), step.place():
                    step.derivation.check_files(study)
            with gather.part():
                check_names(specification, study)
            with gather.part():
                check_units(specification)
            with gather.part():
                check_variables(specification, study, datasets or {})
            with gather.part():
                check_kinds(specification, study, datasets or {})
            with gather.part():
                check_conditions(specification, study, datasets or {})
        needed_first(specifications)
    return gather.found


def _check_functions(study: Study, specification: AnalysisSpecification) -> None:
    """Raise StudyError where a study's own derivation names no function of its file; the file is not run."""
    for step in specification.steps:
        if isinstance(step.derivation, StudyDerivation):
            names = functions_in(study)
            if step.derivation.call not in names:
                name = step.derivation.call
                raise step.error(f"{FILE} has no function '{name}'{nearest(name, names)}")
