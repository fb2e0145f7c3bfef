"""Where the value of each field goes, as the mapping declares it and whatever the records hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from metadata.field_use import FieldUse, FormUses, Where
from metadata.standards import sdtm_dataset
from sdtm.build.relations import DOMAIN as RELATED
from sdtm.build.relations import relation_nodes
from sdtm.build.study_mapping import StudyMapping
from sdtm.domains.visits import date_fields, visit_events
from sdtm.mapping.domain_mapping import Block, DomainMapping, FindingTest
from sdtm.mapping.not_submitted import reasons
from sdtm.mapping.value_level import tests_by_condition
from sdtm.operations.operation import RecordOperation

SUPPLEMENTAL, VALUE, NAME = "SUPP", "QVAL", "QNAM"
VISIT_DATES = ("SVSTDTC", "SVENDTC")


def form_uses(mapping: StudyMapping) -> FormUses:
    """Return the uses of all fields of the project, by domain in the order of the mapping, each once."""
    found = [use for one in mapping.domains.values() for use in _of_domain(mapping, one)]
    found += [*_of_identity(mapping), *_of_relations(mapping)]
    labels = {name: one.guide.label for name, one in mapping.domains.items()}
    if any(use.domain == RELATED for use in found):
        labels[RELATED] = sdtm_dataset(mapping.study.standards["sdtmig"], RELATED).label
    declared = reasons(mapping.study, mapping.project.dictionary, set(mapping.fields))
    not_submitted = {field: reason for _, field, reason in declared}
    return FormUses(tuple(dict.fromkeys(found)), labels, not_submitted)


def _of_domain(study: StudyMapping, mapping: DomainMapping) -> Iterator[FieldUse]:
    conditions = {id(test): where for where, tests in tests_by_condition(mapping).items() for test in tests}
    codes = bool(study.project.missing_codes)
    for block in mapping.blocks:
        for name, made in block.variables.items():
            yield from _of_operation(mapping.domain, mapping.domain, name, (), made)
        for test in block.tests:
            yield from _of_test(study, mapping, test, conditions[id(test)], codes)
        for supplement in block.supplemental:
            where = ((NAME, supplement.qnam),)
            dataset = f"{SUPPLEMENTAL}{mapping.domain}"
            yield from _of_operation(mapping.domain, dataset, VALUE, where, supplement.operation)
        if block.where:
            for field in block.where.fields():
                yield FieldUse(field, mapping.domain, mapping.domain, "", role="condition", said=str(block.where))
        if block.each == "visit":
            yield from _of_visit_dates(study, mapping.domain, block)


def _of_operation(domain: str, dataset: str, variable: str, where: Where, made: RecordOperation) -> Iterator[FieldUse]:
    taken, options = dict.fromkeys(made.taken()), made.options()
    for field in taken:
        yield FieldUse(field, domain, dataset, variable, where, options)
    for field in dict.fromkeys(made.fields()):
        if field not in taken:
            yield FieldUse(field, domain, dataset, variable, where, role="condition", said=made.sentence())


def _of_test(
    study: StudyMapping, mapping: DomainMapping, test: FindingTest, where: Where, codes: bool
) -> Iterator[FieldUse]:
    """Yield the uses of a test's fields: result, unit, whether it was done, why not, and its own variables."""
    domain, own = mapping.domain, mapping.prefixed
    operations = {own("ORRES"): test.result, own("ORRESU"): test.unit, own("REASND"): test.reason, **test.variables}
    for name, made in operations.items():
        if made is not None:
            yield from _of_operation(domain, domain, name, where, made)
    result = test.result.fields()[:1]
    if codes and result and study.project.dictionary.fields[result[0]].type != "checkbox":
        names = (own("STAT"), own("REASND"))
        yield from (FieldUse(result[0], domain, domain, name, where) for name in names if mapping.has(name))
    done = test.not_done
    if done.field:
        yield FieldUse(done.field, domain, domain, own("STAT"), where, (done.code,) if done.checkbox else ())
    elif done.blank:
        yield from (FieldUse(field, domain, domain, own("STAT"), where) for field in result)
    for field in test.where.fields() if test.where else ():
        yield FieldUse(field, domain, domain, own("TESTCD"), where, role="condition", said=str(test.where))


def _of_visit_dates(study: StudyMapping, domain: str, block: Block) -> Iterator[FieldUse]:
    dated = date_fields(block, study.project, visit_events(study.study), study.study.visit_of_form)
    for fields in dated.values():
        for field in fields:
            yield from (FieldUse(field, domain, domain, name, role="date") for name in VISIT_DATES)


def _of_identity(study: StudyMapping) -> Iterator[FieldUse]:
    declared = study.study.config["identity"]
    for key, name in (("subject", "SUBJID"), ("site", "SITEID")):
        if isinstance(declared.get(key), str):
            yield FieldUse(str(declared[key]), "DM", "DM", name)


def _of_relations(study: StudyMapping) -> Iterable[FieldUse]:
    nodes = [node for node in relation_nodes(study.study) if "from" in node]
    return [
        FieldUse(str(node["from"]["field"]), RELATED, RELATED, "", role="link", said=str(node["id"])) for node in nodes
    ]
