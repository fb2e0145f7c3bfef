"""The check of a study's mappings without any record: dictionary, guide, terminology, order, and what is left over."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, cast

from metadata.errors import Gather, StudyError
from metadata.project import Project
from metadata.sdtm_model import model_variables, with_model
from metadata.standards import GuideVariable, sdtm_dataset, sdtm_domains, sdtm_variables
from metadata.study import Study
from metadata.terminology import Terminology
from metadata.variable_kind import NUM, PLAIN_NUMBER
from sdtm.build.closed_texts import closed_qualifiers, with_closed_texts
from sdtm.build.dosing_check import check_dosing
from sdtm.build.engine import Engine
from sdtm.build.finish import ALWAYS
from sdtm.build.possible_conditions import check_possible
from sdtm.build.step_order import in_order
from sdtm.build.study_mapping import OTHER_FILES, StudyMapping, read_each
from sdtm.columns.source import Forms
from sdtm.domains.identity import SubjectIdentifiers
from sdtm.mapping.guide_variables import variables_named, with_continuations
from sdtm.mapping.not_submitted import reasons, without_record
from sdtm.mapping.reading import with_study_days

OPEN_PLACE = re.compile(r"\{\w+\}")
DESIGN = ("TA", "TE", "TV", "TI", "TM", "TS", "RELREC")
"""Datasets that no records make."""


def check_mappings(study: Study, project: Project, terminology: Terminology) -> list[StudyError]:
    """Return all that is wrong with ``sdtm/*.yaml``; nothing if the study can be tabulated."""
    return checked_mapping(study, project, terminology)[0]


def checked_mapping(
    study: Study, project: Project, terminology: Terminology
) -> tuple[list[StudyError], StudyMapping | None]:
    """Return all that is wrong with ``sdtm/*.yaml``, and the mapping if nothing is."""
    gather = Gather()
    mapping = StudyMapping(study, terminology, project, read_each(study, project, terminology, gather))
    with gather.part():
        if not gather.found:
            check_order(mapping)
            with gather.part():
                check_dosing(mapping)
            with gather.part():
                check_possible(mapping, kinds_of_tabulated(study, mapping))
    with gather.part():
        used, perhaps = set(mapping.fields), _named_in_others(mapping)
        with gather.part():
            reasons(study, project.dictionary, used, perhaps)
        without_record(study, project.dictionary, used | perhaps)
    return gather.found, None if gather.found else mapping


def check_order(mapping: StudyMapping) -> None:
    """Raise StudyError for variables that no mapping makes, and for mappings that need one another in a circle."""
    without = cast(Forms, None), cast(SubjectIdentifiers, None)  # only a run reads records
    in_order(Engine(mapping.study, mapping.terminology, mapping.domains, *without).steps())


def kinds_of_tabulated(study: Study, mapping: StudyMapping | None) -> dict[str, dict[str, str]]:
    """Return Char or Num for the variables that each SDTM dataset of a study can have, whatever its records.

    Those of a mapped domain are Required or Expected, mapped, or made by the software. If the mapping has mistakes
    (None), they are all that the guide and the mapping's files name; else the kinds have the texts that are possible.
    """
    made = with_closed_texts(mapping, _kinds_of_mapped(mapping)) if mapping else _kinds_of_guide(study)
    supplemental = _kinds(sdtm_variables(study.standards["sdtmig"], "SUPPQUAL"))
    if not mapping:
        return made | {f"SUPP{name}": supplemental for name in made}
    return made | {f"SUPP{name}": supplemental | closed_qualifiers(one) for name, one in mapping.domains.items()}


def _kinds_of_mapped(mapping: StudyMapping) -> dict[str, dict[str, str]]:
    version, without = mapping.study.standards["sdtmig"], (cast(Forms, None), cast(SubjectIdentifiers, None))
    engine = Engine(mapping.study, mapping.terminology, mapping.domains, *without)
    made = {name: _kinds(sdtm_variables(version, name)) for name in DESIGN}
    given = {variable for step in engine.steps() for variable in step.gives}
    for name, domain in mapping.domains.items():
        own = {variable.partition(".")[2] for variable in given if variable.startswith(f"{name}.")}
        own |= {*domain.operations, domain.prefixed("SEQ"), domain.prefixed("SPID")}
        own |= {f"{stem}{number}" for stem in own for number in range(1, 10)}  # what continues a long text
        made[name] = _kinds(one for one in domain.variables if one.core in ALWAYS or one.name in own)
    return made


def _kinds_of_guide(study: Study) -> dict[str, dict[str, str]]:
    version = study.standards["sdtmig"]
    made = {name: _kinds(sdtm_variables(version, name)) for name in sdtm_domains(version)}
    for path in sorted((study.folder / "sdtm").glob("*.yaml")):
        name = path.stem.upper()
        if name in made and f"sdtm/{path.name}" not in OTHER_FILES:
            listed = with_study_days(name, sdtm_variables(version, name))
            try:
                named = variables_named(study.read_yaml(f"sdtm/{path.name}"))
            except StudyError:
                continue  # not YAML: read_each says so
            made[name] |= _kinds(
                with_continuations(name, with_model(name, sdtm_dataset(version, name).dataset_class, listed, named))
            )
    return made


def kinds_of_model(study: Study) -> dict[str, dict[str, str]]:
    """Return Char or Num for all variables that the guide and the model give each dataset, whatever a study maps."""
    version = study.standards["sdtmig"]
    made = _kinds_of_guide(study)
    for name, own in made.items():
        own |= _kinds(model_variables(name, sdtm_dataset(version, name).dataset_class))
    supplemental = _kinds(sdtm_variables(version, "SUPPQUAL"))
    return made | {f"SUPP{name}": supplemental for name in made}


def _kinds(variables: Iterable[GuideVariable]) -> dict[str, str]:
    """Return the kinds of SDTM variables: dates are texts there, so that no number is a date."""
    return {variable.name: PLAIN_NUMBER if variable.type == NUM else variable.type for variable in variables}


def _named_in_others(mapping: StudyMapping) -> set[str]:
    """Return the fields named in files that could not be read whole: their author has thought of them."""
    study, read = mapping.study, {domain.file for domain in mapping.domains.values()}
    words: set[str] = set()
    for path in sorted((study.folder / "sdtm").glob("*.yaml")):
        relative = f"sdtm/{path.name}"
        if relative in OTHER_FILES or f"{study.name}/{relative}" in read:
            continue
        try:
            words |= _words(study.read_yaml(relative))
        except StudyError:
            continue  # not YAML: read_each has said so
    parted = [OPEN_PLACE.split(word) for word in words]
    filled = [re.compile(r"\w+".join(map(re.escape, parts))) for parts in parted if len(parts) > 1]
    fields = mapping.project.dictionary.fields
    return {name for name in fields if name in words or any(pattern.fullmatch(name) for pattern in filled)}


def _words(node: Any) -> set[str]:
    if isinstance(node, dict):
        return {str(key) for key in node} | {word for value in node.values() for word in _words(value)}
    if isinstance(node, list):
        return {word for item in node for word in _words(item)}
    return {node} if isinstance(node, str) else set()
