"""Where the value of each field goes, as the mapping declares it and whatever the records hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from metadata.dataset import Dataset
from metadata.field_use import FieldUse, FormUses, Where
from metadata.standards import sdtm_dataset
from sdtm.build.relations import DOMAIN as RELATED
from sdtm.build.relations import relation_nodes
from sdtm.build.study_mapping import StudyMapping
from sdtm.columns.text import continued_name
from sdtm.domains.visits import date_fields, visit_events
from sdtm.mapping.domain_mapping import Block, DomainMapping, FindingTest
from sdtm.mapping.not_submitted import reasons
from sdtm.mapping.value_level import tests_by_condition
from sdtm.operations.operation import RecordOperation
from sdtm.operations.values import ConstantValue

SUPPLEMENTAL, VALUE, NAME = "SUPP", "QVAL", "QNAM"
MOST_PARTS = 10  # of a text that is continued, far more than REDCap's forms hold
VISIT_DATES = ("SVSTDTC", "SVENDTC")


def form_uses(mapping: StudyMapping, datasets: Mapping[str, Dataset] | None = None) -> FormUses:
    """Return the uses of all fields of the project, by domain in the order of the mapping, each once.

    With ``datasets`` (SDTM by name) also what continues a text of more than 200 bytes, which depends on the records.
    """
    found = [use for one in mapping.domains.values() for use in _of_domain(mapping, one)]
    found += [*_of_identity(mapping), *_of_relations(mapping)]
    found += [more for use in found for more in _continuing(use, datasets or {})]
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
                yield FieldUse(field, mapping.domain, mapping.domain, "", role="condition", note=str(block.where))
        if block.each == "visit":
            yield from _of_visit_dates(study, mapping.domain, block)


def _of_operation(domain: str, dataset: str, variable: str, where: Where, made: RecordOperation) -> Iterator[FieldUse]:
    taken, options = dict.fromkeys(made.taken()), made.options()
    for field in taken:
        yield FieldUse(field, domain, dataset, variable, where, options)
    for field in dict.fromkeys(made.fields()):
        if field not in taken:
            yield FieldUse(field, domain, dataset, variable, where, role="condition", note=made.sentence())


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
    if isinstance(test.unit, ConstantValue) and not test.unit.when:  # printed on the form, at the result
        yield from (FieldUse(field, domain, domain, own("ORRESU"), where) for field in result)
    if codes and result and study.project.dictionary.fields[result[0]].type != "checkbox":
        names = (own("STAT"), own("REASND"))
        yield from (FieldUse(result[0], domain, domain, name, where) for name in names if mapping.has(name))
    done = test.not_done
    if done.field:
        yield FieldUse(done.field, domain, domain, own("STAT"), where, (done.code,) if done.checkbox else ())
    elif done.blank:
        yield from (FieldUse(field, domain, domain, own("STAT"), where) for field in result)
    for field in test.where.fields() if test.where else ():
        yield FieldUse(field, domain, domain, own("TESTCD"), where, role="condition", note=str(test.where))


def _continuing(use: FieldUse, datasets: Mapping[str, Dataset]) -> Iterator[FieldUse]:
    """Yield where the rest of a long text is: in variables of the dataset, or in supplemental qualifiers."""
    if use.role != "value" or use.domain not in datasets:
        return
    supplement = f"{SUPPLEMENTAL}{use.domain}"
    qualifiers = datasets[supplement].coded(NAME).held if supplement in datasets else ()
    base = use.where[0][1] if use.variable == VALUE else use.variable
    for number in range(1, MOST_PARTS):
        name = continued_name(base, number)
        if use.variable != VALUE and f"{base}{number}" in datasets[use.domain].metadata.names:
            yield replace(use, variable=f"{base}{number}")
        elif name in qualifiers:
            yield replace(use, dataset=supplement, variable=VALUE, where=((NAME, name),))


def _of_visit_dates(study: StudyMapping, domain: str, block: Block) -> Iterator[FieldUse]:
    dated = date_fields(block, study.project, visit_events(study.study), study.study.visit_of_form)
    for fields in dated.values():
        for field in fields:
            yield from (FieldUse(field, domain, domain, name, role="date") for name in VISIT_DATES)


def _of_identity(study: StudyMapping) -> Iterator[FieldUse]:
    declared = study.study.identity
    for field, name in ((declared.subject, "SUBJID"), (declared.site, "SITEID")):
        if isinstance(field, str) and "DM" in study.domains:
            yield FieldUse(field, "DM", "DM", name)


def _of_relations(study: StudyMapping) -> Iterable[FieldUse]:
    nodes = [node for node in relation_nodes(study.study) if "from" in node]
    return [
        FieldUse(str(node["from"]["field"]), RELATED, RELATED, "", role="link", note=str(node["id"])) for node in nodes
    ]
