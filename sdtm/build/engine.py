"""The domain engine: which steps a domain takes, by its class and the variables that the guide gives it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial

from metadata.coded_text import CodedText
from metadata.dataset import Edges
from metadata.errors import Gather
from metadata.study import Study
from metadata.terminology import Terminology
from metadata.yaml_source import complain
from sdtm.build.collect import collect
from sdtm.build.step_order import TabulationStep, in_order
from sdtm.build.value_checks import check_supplements, check_values, withhold_incomplete
from sdtm.columns.source import Forms
from sdtm.columns.table import REDCAP, DomainTable, DomainTables
from sdtm.domains import comments, elements, reference_ranges, timing, visit_numbers, visits
from sdtm.domains.data_cut import CutOff
from sdtm.domains.identity import SubjectIdentifiers
from sdtm.mapping.domain_mapping import COMMENTS, DomainMapping, codelists
from sdtm.operations.operation import TableOperation

SUPERSEDED = "The same person was screened again, and the domain holds the later record"
SUBJECT_NEEDS = ("SEX", "AGE")
VISIT_VARIABLES = ("SVSTDTC", "SVENDTC", "VISITNUM", "VISIT", "VISITDY")
"""What the records of visits have, which are made from the dates of their forms and from study.yaml."""


@dataclass
class Engine:
    """What the steps work on."""

    study: Study
    terminology: Terminology
    mappings: dict[str, DomainMapping]
    forms: Forms
    identity: SubjectIdentifiers
    tables: DomainTables = field(default_factory=DomainTables)
    cut: CutOff | None = field(init=False)

    def __post_init__(self) -> None:
        declared = self.study.declared.cut
        self.cut = CutOff(self.study, declared) if declared else None

    def run(self) -> None:
        """Make the tables of all domains, step by step.

        What a step made is checked before another reads it, and rows that lack a Required value are withheld as soon as
        no step is left that could give it.
        """
        steps = in_order(self.steps())
        awaited = Counter(variable for step in steps for variable in step.gives)
        required = {domain: mapping.required for domain, mapping in self.mappings.items()}
        for step in steps:
            step.do()
            awaited.subtract(step.gives)
            mapping, table = self.mappings[step.domain], self.tables[step.domain]
            check_values(mapping, table, self.terminology)
            due = [name for name in required[step.domain] if not awaited[f"{step.domain}.{name}"]]
            withhold_incomplete(mapping, table, due)
            required[step.domain] = [name for name in required[step.domain] if name not in due]

    def steps(self) -> list[TabulationStep]:
        """Return the steps of all domains."""
        made = [step for mapping in self.mappings.values() for step in self._steps(mapping)]
        self._check_givers(made)
        return made

    def _check_givers(self, steps: list[TabulationStep]) -> None:
        given = {variable for step in steps for variable in step.gives}
        with Gather() as gather:
            for mapping in self.mappings.values():
                for name, operation in mapping.table_operations.items():
                    for variable in operation.needs():
                        with gather.part():
                            if variable not in given:
                                problem = f"{mapping.domain}.{name} needs {variable}, which no mapping makes"
                                raise complain(operation.spec, operation.key, problem)

    def _steps(self, mapping: DomainMapping) -> list[TabulationStep]:
        steps = [self._collecting(mapping)]
        for name, operation in mapping.table_operations.items():
            needs = [f"{mapping.domain}.USUBJID", *operation.needs()]
            steps.append(self._step(mapping, name, needs, [name], partial(self._derive, mapping, name, operation)))
        return steps + self.derived_steps(mapping)

    def derived_steps(self, mapping: DomainMapping) -> list[TabulationStep]:
        """Return the steps that make variables from others of the tables, as no mapping can."""
        steps = self._day_steps(mapping) if "DM" in self.mappings else []
        if mapping.has("VISITNUM") and mapping.domain != "SV":
            needs = [f"{mapping.domain}.USUBJID", "SV.VISITNUM"]
            gives = ["VISITNUM", "VISIT", "VISITDY"]
            steps.append(self._step(mapping, "visits", needs, gives, partial(self._visits, mapping)))
        date = epoch_date(mapping)
        if date and "SE" in self.mappings and mapping.domain != "SE" and "EPOCH" not in mapping.operations:
            needs = [f"{mapping.domain}.{date}", "SE.SESTDTC"]
            steps.append(self._step(mapping, "epoch", needs, ["EPOCH"], partial(self._epoch, mapping, date)))
        if mapping.domain == COMMENTS:
            needs = [f"{block.about}.USUBJID" for block in mapping.blocks] + [f"{mapping.domain}.USUBJID"]
            gives = ["RDOMAIN", "IDVAR", "IDVARVAL", "COREF"]
            steps.append(self._step(mapping, "relations", needs, gives, partial(self._comments, mapping)))
        if self.cut and mapping.has(mapping.prefixed("ENTPT")):
            needs = [f"{mapping.domain}.{mapping.prefixed(suffix)}" for suffix in ("ENRTPT", "ENTPT")]
            end_points = partial(self._end_points, mapping)
            steps.append(self._step(mapping, "end points", [f"{mapping.domain}.USUBJID", *needs], [], end_points))
        return steps + (self._findings_steps(mapping) if mapping.is_findings else [])

    def _step(
        self, mapping: DomainMapping, name: str, needs: list[str], gives: list[str], do: partial[None]
    ) -> TabulationStep:
        own = frozenset(f"{mapping.domain}.{variable}" for variable in gives)
        return TabulationStep(f"{mapping.domain} {name}", frozenset(needs), own, do, mapping.domain)

    def _collecting(self, mapping: DomainMapping) -> TabulationStep:
        if any(block.each == "element" for block in mapping.blocks):
            planned = elements.planned_elements(self.study)
            starts = [name for one in planned for name in elements.start_variables(self.study, one)]
            gives = ["USUBJID", "ETCD", "ELEMENT", "TAETORD", "EPOCH", "SESTDTC", "SEENDTC"]
            needs = [*starts, f"DM.{elements.END}", "DM.USUBJID"]
            needs += ["DM.ACTARMCD"] if any(one.arm for one in planned) else []
            return self._step(mapping, "elements", needs, gives, partial(self._elements, mapping))
        gives = [name for block in mapping.blocks for name in block.variables]
        gives += [name for block in mapping.blocks for test in block.tests for name in test.variables]
        gives += [
            "USUBJID",
            *(name for name in mapping.by_name if mapping.is_findings and name.endswith(RESULT_SUFFIXES)),
        ]
        if mapping.domain == "DM":
            gives += ["SUBJID", "SITEID"]
        needs = self.cut.needs(mapping.domain) if self.cut else []
        if any(block.each == "visit" for block in mapping.blocks):
            gives += VISIT_VARIABLES
            return self._step(mapping, "records", needs, gives, partial(self._visit_records, mapping))
        return self._step(mapping, "records", needs, gives, partial(self._records, mapping))

    def _day_steps(self, mapping: DomainMapping) -> list[TabulationStep]:
        return [
            self._step(
                mapping,
                day,
                [f"{mapping.domain}.{date}", "DM.RFSTDTC", "DM.USUBJID"],
                [day],
                partial(self._day, mapping, date, day),
            )
            for date, day in timing.day_pairs(mapping)
        ]

    def _findings_steps(self, mapping: DomainMapping) -> list[TabulationStep]:
        domain, own = mapping.domain, mapping.prefixed
        dated = [f"{domain}.{own('DTC')}", f"{domain}.{own('STRESN')}"]
        steps = []
        if mapping.ranges_file:
            needs = [*dated, f"{domain}.{mapping.laboratory_variable}", *(f"DM.{name}" for name in SUBJECT_NEEDS)]
            gives = [own(suffix) for suffix in reference_ranges.RANGE_VARIABLES]
            steps.append(self._step(mapping, "ranges", needs, gives, partial(self._ranges, mapping)))
        elif reference_ranges.collected_ranges(mapping):
            taken = [own(suffix) for suffix in ("ORNRLO", "ORNRHI") if own(suffix) in mapping.operations]
            needs = [*dated, *(f"{domain}.{name}" for name in taken)]
            gives = reference_ranges.collected_ranges(mapping)
            steps.append(self._step(mapping, "ranges", needs, gives, partial(self._collected_ranges, mapping)))
        if mapping.toxicity_scheme:
            needs = [*dated, f"{domain}.{own('STNRHI')}"]
            gives = [own("TOX"), own("TOXGR")]
            steps.append(self._step(mapping, "toxicity", needs, gives, partial(self._toxicity, mapping)))
        flag = own("LOBXFL")
        if mapping.has(flag) and "DM" in self.mappings:
            needs = [*dated, "DM.RFXSTDTC", "DM.USUBJID", f"{domain}.VISITNUM", f"{domain}.{own('ORRES')}"]
            needs += [f"{domain}.{name}" for name in timing.baseline_group(mapping) if name in mapping.operations]
            gives = [flag, *([own("BLFL")] if self._flags_baseline(mapping) else [])]
            steps.append(self._step(mapping, "last before exposure", needs, gives, partial(self._flag, mapping)))
        return steps

    def _records(self, mapping: DomainMapping) -> None:
        self._keep(mapping, collect(mapping, self.forms, self.identity))

    def _visit_records(self, mapping: DomainMapping) -> None:
        block = next(block for block in mapping.blocks if block.each == "visit")
        dates = visits.visit_dates(self.study, block, self.forms)
        undated = visits.undated_visits(self.study, block, self.forms, self.identity.earlier)
        table = collect(mapping, self.forms, self.identity, visits.visits_source(self.forms, dates, undated))
        visits.put_dates(table, dates)
        visits.put_sources(table, undated, self.forms.project.dictionary.record_id)
        visit_numbers.number_visits(self.study, table, self.identity.earlier)
        self._keep(mapping, table)

    def _elements(self, mapping: DomainMapping) -> None:
        self._keep(mapping, elements.elements_table(self.study, self.tables))

    def _keep(self, mapping: DomainMapping, table: DomainTable) -> None:
        """Take a domain's collected rows, without those that a later record of the same person supersedes."""
        table.put("STUDYID", CodedText.constant(self.study.studyid, table.count))
        if mapping.has("DOMAIN"):
            table.put("DOMAIN", CodedText.constant(mapping.domain, table.count))
        if mapping.domain == "DM":
            self._identify(table)
        self.tables[mapping.domain] = table
        again = table.hidden["record"].isin(self.identity.earlier)
        if mapping.domain in self.identity.once and again.any():
            table.withhold(again, SUPERSEDED)
        if self.cut and not any(block.each == "element" for block in mapping.blocks):
            self.cut.apply(mapping, table)
        check_supplements(table)

    def _identify(self, table: DomainTable) -> None:
        """Set SUBJID and SITEID, with the lineage of the identifiers."""
        for name, values in (("SUBJID", self.identity.subjid), ("SITEID", self.identity.siteid)):
            table.put(name, values)
        for name, reads in self.identity.reads.items():
            for read in reads:
                rows = (read.held & (read.rows >= 0)).nonzero()[0]
                table.edges.append(Edges(rows, name, REDCAP, read.rows[rows], read.field))

    def _derive(self, mapping: DomainMapping, name: str, operation: TableOperation) -> None:
        made = operation.derive(self.tables, mapping.domain)
        self.tables[mapping.domain].derive(name, made, mapping.by_name[name].type == "Num")

    def _day(self, mapping: DomainMapping, date: str, day: str) -> None:
        table = self.tables[mapping.domain]
        if table.has(date):
            table.put(day, timing.study_days(table, self.tables["DM"], date))

    def _visits(self, mapping: DomainMapping) -> None:
        table = self.tables[mapping.domain]
        made = visits.assign_visits(self.study, self.forms.project, table, self.tables.get("SV"), self.identity.earlier)
        table.put("VISITNUM", made.number)
        if mapping.has("VISIT"):
            table.put("VISIT", made.name)
        if mapping.has("VISITDY"):
            table.put("VISITDY", made.day)

    def _epoch(self, mapping: DomainMapping, date: str) -> None:
        table = self.tables[mapping.domain]
        table.put("EPOCH", elements.epoch_of(table, date, self.tables["SE"]))

    def _comments(self, mapping: DomainMapping) -> None:
        table = self.tables[mapping.domain]
        if self.cut:
            self.cut.comments(table, [self.tables[name] for name in filter(None, table.hidden["about"].held)])
        comments.relate(table, self.tables)

    def _end_points(self, mapping: DomainMapping) -> None:
        if self.cut:
            self.cut.end_points(mapping, self.tables[mapping.domain])

    def _ranges(self, mapping: DomainMapping) -> None:
        reference_ranges.put_ranges(self.study, mapping, self.tables[mapping.domain], self.tables.get("DM"))

    def _collected_ranges(self, mapping: DomainMapping) -> None:
        reference_ranges.put_collected_ranges(mapping, self.tables[mapping.domain])

    def _toxicity(self, mapping: DomainMapping) -> None:
        reference_ranges.put_toxicity(self.study, mapping, self.tables[mapping.domain])

    def _flag(self, mapping: DomainMapping) -> None:
        table = self.tables[mapping.domain]
        flags = timing.last_before_exposure(self.study, mapping, table, self.tables["DM"])
        table.put(mapping.prefixed("LOBXFL"), flags)
        if self._flags_baseline(mapping):
            table.put(mapping.prefixed("BLFL"), flags)

    def _flags_baseline(self, mapping: DomainMapping) -> bool:
        """Return True where the guide expects --BLFL."""
        baseline = mapping.by_name.get(mapping.prefixed("BLFL"))
        return baseline is not None and baseline.core == "Exp"


RESULT_SUFFIXES = ("TESTCD", "TEST", "ORRES", "ORRESU", "STRESC", "STRESN", "STRESU", "STAT", "REASND")


def epoch_date(mapping: DomainMapping) -> str:
    """Return the date that decides the epoch: the start of an event or a dose, the date of a finding."""
    if not mapping.has("EPOCH"):
        return ""
    named = [mapping.prefixed(suffix) for suffix in ("STDTC", "DTC")]
    return next((name for name in named if mapping.has(name)), "")


def epoch_codelists(mapping: DomainMapping) -> tuple[str, ...]:
    """Codelists that the guide binds to EPOCH."""
    return codelists(mapping.by_name["EPOCH"]) if mapping.has("EPOCH") else ()
