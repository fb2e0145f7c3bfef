"""Metadata of an analysis dataset: labels and types from the guide, the variable's source or the mapping.

What the mapping says comes first; a variable that is copied under its own name keeps its source's label; otherwise the
guide's (ADaMIG, OCCDS) holds. What none of them describes is an error, so that no variable lacks label or type.
"""

from __future__ import annotations

from collections.abc import Mapping

from adam.build.parameter_values import makers_by_parameter, meanings_by_parameter
from adam.build.specification import AnalysisSpecification, DerivationStep, ListedVariable
from adam.build.variable_origins import PREDECESSOR, VariableOrigins
from adam.columns.columns import Values
from adam.columns.columns import kind as kind_in
from adam.language.derivation import Derivation, DerivationContext
from adam.language.kinds import check_moment
from metadata.analysis_guide import Guide, guide
from metadata.coded_text import CodedText
from metadata.dataset import DatasetMetadata, Value, Variable
from metadata.errors import StudyError
from metadata.standards import adam_variables, sdtm_variables, slug
from metadata.study import Study
from metadata.variable_kind import DISPLAY
from metadata.yaml_source import complain

LABEL_BYTES = 40
CLASSES = {
    "ADSL": "SUBJECT LEVEL ANALYSIS DATASET",
    "BDS": "BASIC DATA STRUCTURE",
    "OCCDS": "OCCURRENCE DATA STRUCTURE",
    "AE": "OCCURRENCE DATA STRUCTURE",
}
ADVERSE_EVENT, TIME_TO_EVENT = "ADVERSE EVENT", "TIME-TO-EVENT"
CENSORING = "CNSR"
"""The variable that makes a BDS dataset one of times to an event (ADaM BDS for TTE 1.0)."""


def guides(specification: AnalysisSpecification, study: Study) -> list[Guide]:
    """Return the guide of the dataset's structure, then those from which its further variables come."""
    implementation, occurrences = f"adamig-{_version(study, 'adamig')}", f"adam-occds-{_version(study, 'occds')}"
    structure, prefix = specification.header.guide, specification.header.source.dataset[:2]
    own = guide(occurrences if structure in ("OCCDS", "AE") else implementation, structure, prefix)
    return [own, *(guide(implementation, name, prefix) for name in ("ADSL", "BDS") if name != structure)]


def _version(study: Study, standard: str) -> str:
    """Return the version of a guide as file names write it; raises StudyError if study.yaml does not give it."""
    if not study.standards.get(standard):
        problem = f"analysis datasets need the version of {standard}: standards: {{{standard}: VERSION}}"
        raise complain(study.declared.node, "standards", problem)
    return slug(study.standards[standard])


def metadata_of(
    specification: AnalysisSpecification,
    steps: list[DerivationStep],
    columns: Mapping[str, Values],
    context: DerivationContext,
) -> DatasetMetadata:
    """Return the dataset's metadata; raises StudyError for a variable without label or of another type."""
    header = specification.header
    used = guides(specification, context.study)
    lacking_variables(specification, context.study)
    origins = VariableOrigins.of(steps, specification.variables, context)
    variables = tuple(
        _variable(name, declared, specification, used, origins, columns)
        for name, declared in specification.variables.items()
    )
    if len(header.label.encode()) > LABEL_BYTES:
        raise specification.error(f"the label is longer than {LABEL_BYTES} bytes", "label")
    return DatasetMetadata(
        header.dataset,
        header.label,
        CLASSES[header.guide],
        header.structure,
        header.keys,
        variables,
        _values(specification, steps, origins, columns),
        _subclass(specification),
    )


def _subclass(specification: AnalysisSpecification) -> str:
    if specification.header.guide == "AE":
        return ADVERSE_EVENT
    return TIME_TO_EVENT if specification.header.guide == "BDS" and CENSORING in specification.variables else ""


def _values(
    specification: AnalysisSpecification,
    steps: list[DerivationStep],
    origins: VariableOrigins,
    columns: Mapping[str, Values],
) -> tuple[Value, ...]:
    """Return how the values of each parameter came about, where a dataset has several, and what its grades mean."""
    derivations = [step.derivation for step in steps]
    found = makers_by_parameter(specification, derivations, columns)
    graded = meanings_by_parameter(specification, derivations, columns, origins.context.study)
    each = [*((one, {}) for one in found), *graded]
    return tuple(
        Value(
            one.variable,
            (("PARAMCD", one.parameter),),
            label=one.label,
            origin=origins.origin(one.variable, one.makers),
            method=origins.method(one.variable, one.makers, one.parameter),
            terms=tuple(meant.items()),
        )
        for one, meant in each
    )


def lacking_variables(specification: AnalysisSpecification, study: Study) -> None:
    """Raise StudyError if a dataset does not list all variables that its structure requires."""
    known = _tabulated(specification, study)
    missing = guides(specification, study)[0].missing(list(specification.variables))
    missing = [name for name in missing if known is None or name in known]
    if missing:
        header = specification.header
        raise specification.error(
            f"{header.dataset} lacks {', '.join(missing)}, which {header.guide} requires", "variables"
        )


def _tabulated(specification: AnalysisSpecification, study: Study) -> frozenset[str] | None:
    """Return the names that an occurrence dataset can be asked for; None if the guide asks all of the structure.

    OCCDS 1.1 requires the reported term of events (--TERM) and of medications (CMTRT): each where the domain has it.
    """
    if specification.header.guide != "OCCDS":
        return None
    domain = specification.header.source.dataset
    occurrences = f"adam-occds-{_version(study, 'occds')}"
    general = {v.name for v in adam_variables(occurrences, "OCCDS") if "Coding" not in v.role and "--" not in v.name}
    return frozenset(general | {v.name for v in sdtm_variables(study.standards["sdtmig"], domain)})


def _variable(
    name: str,
    declared: ListedVariable,
    specification: AnalysisSpecification,
    used: list[Guide],
    origins: VariableOrigins,
    columns: Mapping[str, Values],
) -> Variable:
    own = origins.makers[name]
    maker = own[0]
    inherited = _inherited(name, maker, origins.context)
    same = inherited if inherited and inherited.name == name else None
    known = next((found for found in (one.find(name) for one in used) if found), None)
    label = declared.label or (same.label if same else "") or (known.label if known else "")
    if not label or len(label.encode()) > LABEL_BYTES:
        raise specification.error(f"{name} needs a label of at most {LABEL_BYTES} bytes", "variables")
    kind = declared.type or (same.type if same else None) or (known.type if known else None)
    actual = "Char" if isinstance(columns[name], CodedText) else "Num"
    if kind and kind != actual:
        raise specification.error(
            f"{name} should be {kind}, but its derivation '{maker.key}' makes {actual}", "variables"
        )
    try:
        check_moment(name, declared.format, kind_in(columns, name))
    except StudyError as error:
        raise specification.error(error.message, "variables") from None
    return Variable(
        name=name,
        label=label,
        type="Char" if actual == "Char" else "Num",
        core=known.core if known else "",
        role=known.role if known else "",
        codelist=declared.codelist
        or (inherited.codelist if inherited else None)
        or (known.codelist if known else None)
        or None,
        format=declared.format or (inherited.format if inherited else None) or DISPLAY.get(kind_in(columns, name)),
        origin=origins.origin(name, own),
        method=origins.method(name, own),
    )


def _inherited(name: str, maker: Derivation, context: DerivationContext) -> Variable | None:
    origin = maker.inherits(name)
    if origin is None or (maker.origin(name) != PREDECESSOR and origin[1] != name):
        return None
    dataset = context.datasets[origin[0] or context.source].metadata
    return dataset.variable(origin[1]) if origin[1] in dataset.kinds else None
