"""Whether ``cut`` of study.yaml fits the mappings: each domain cut in one way, by a date that its records have."""

from __future__ import annotations

from metadata.errors import Gather, nearest
from metadata.study import Study
from metadata.study_declaration import DataCut
from metadata.terminology import Terminology
from metadata.yaml_source import complain
from sdtm.domains.data_cut import SUBJECTS, collected_variables, cut_date
from sdtm.mapping.domain_mapping import DomainMapping, codelists
from sdtm.operations.variable_condition import check_variable_condition


def check_data_cut(study: Study, terminology: Terminology, mappings: dict[str, DomainMapping]) -> None:
    """Raise StudyError for all that does not fit; nothing is wrong where the study declares no cut."""
    declared = study.declared.cut
    if declared is None:
        return
    with Gather() as gather:
        with gather.part():
            _check_subjects(study, declared, mappings)
        _check_lists(declared, mappings, gather)
        for domain, texts in declared.ongoing.items():
            for variable, text in texts.items():
                with gather.part():
                    _check_ongoing(declared, mappings, terminology, domain, variable, text)


def _check_subjects(study: Study, declared: DataCut, mappings: dict[str, DomainMapping]) -> None:
    node, named = declared.subjects.node, declared.subjects.earliest
    domain, _, variable = named.partition(".")
    if domain not in mappings:
        known = [f"{one}.{variable}" for one in mappings]
        problem = f"'{named}' is not a variable of a mapped domain, written DOMAIN.VARIABLE{nearest(named, known)}"
        raise complain(node, "earliest", problem)
    collected = collected_variables(mappings[domain])
    if variable not in collected or not variable.endswith("DTC"):
        near = nearest(variable, [name for name in collected if name.endswith("DTC")])
        raise complain(node, "earliest", f"no field gives a date to {named}: it must be one that is collected{near}")
    check_variable_condition(declared.subjects.where, [domain], study)


def _check_lists(declared: DataCut, mappings: dict[str, DomainMapping], gather: Gather) -> None:
    cuttable = [domain for domain, one in mappings.items() if domain != SUBJECTS and not _of_elements(one)]
    for key in ("by_date", "by_subject"):
        for domain in getattr(declared, key):
            with gather.part():
                _check_listed(declared, key, domain, cuttable, mappings)
    listed = {*declared.by_date, *declared.by_subject}
    for domain in cuttable:
        with gather.part():
            if domain not in listed:
                problem = f"the domain {domain} is mapped, and neither 'by_date' nor 'by_subject' says how it is cut"
                raise complain(declared.node, "", problem)


def _check_listed(
    declared: DataCut, key: str, domain: str, cuttable: list[str], mappings: dict[str, DomainMapping]
) -> None:
    if domain not in cuttable:
        raise complain(declared.node, key, f"no mapped domain {domain} can be cut so{nearest(domain, cuttable)}")
    if key == "by_date" and domain in declared.by_subject:
        raise complain(declared.node, key, f"the domain {domain} is under 'by_subject' as well")
    if key == "by_date" and not cut_date(mappings[domain]):
        raise complain(declared.node, key, f"no field gives the records of {domain} a date: it can be cut by_subject")


def _check_ongoing(
    declared: DataCut, mappings: dict[str, DomainMapping], terminology: Terminology,
    domain: str, variable: str, text: str,
) -> None:  # fmt: skip
    node = declared.node
    if domain not in declared.by_date or f"{domain}ENDTC" not in mappings[domain].operations:
        raise complain(node, "ongoing", f"{domain} is not a domain with ends ({domain}ENDTC) that is cut by_date")
    mapping = mappings[domain]
    if variable not in collected_variables(mapping):
        near = nearest(variable, collected_variables(mapping))
        raise complain(node, "ongoing", f"no field gives a value to {domain}.{variable}{near}")
    lists = codelists(mapping.by_name[variable])
    if lists and text not in terminology.codelist(lists[0]).terms:
        known = terminology.codelist(lists[0]).terms
        raise complain(node, "ongoing", f"'{text}' is not a term of the codelist of {variable}{nearest(text, known)}")


def _of_elements(mapping: DomainMapping) -> bool:
    return any(block.each == "element" for block in mapping.blocks)
